//! The disk where programs can use it. Nothing of it is kept by the kernel, so that it can be another one at any time.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData,
    ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use crate::disk::{BLOCK, Can, Disk, Is, Node};

pub(crate) struct Mounted {
    disk: Arc<Mutex<Disk>>,
    path: PathBuf,
    /// It is unmounted with it.
    _session: BackgroundSession,
}

impl Mounted {
    pub(crate) fn new(path: &Path, can: Can) -> Self {
        fs::create_dir_all(path).unwrap();
        let disk = Arc::new(Mutex::new(Disk::new(can)));
        let session = fuser::spawn_mount(Served(Arc::clone(&disk)), path, &Config::default())
            .expect("the tests need FUSE (package fuse3)");
        Self { disk, path: path.to_owned(), _session: session }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    pub(crate) fn becomes(&self, disk: Disk) {
        *self.disk() = disk;
    }
}

struct Served(Arc<Mutex<Disk>>);

impl Served {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap()
    }

    fn make(
        &self,
        request: &Request,
        folder: INodeNo,
        name: &OsStr,
        mode: u32,
        is: Is,
    ) -> Result<FileAttr, Errno> {
        let mut disk = self.disk();
        let number = disk.make(folder.0, text(name)?, mode & 0o7777, is)?;
        Ok(attributes(request, number, disk.node(number)?))
    }
}

impl Filesystem for Served {
    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let disk = self.disk();
        let found = text(name).and_then(|name| disk.find(parent.0, name));
        match found.and_then(|number| Ok(attributes(request, number, disk.node(number)?))) {
            Ok(attributes) => reply.entry(&NOT_AT_ALL, &attributes, Generation(0)),
            Err(errno) => reply.error(errno),
        }
    }

    fn getattr(&self, request: &Request, ino: INodeNo, _fh: Option<FileHandle>, reply: ReplyAttr) {
        match self.disk().node(ino.0) {
            Ok(node) => reply.attr(&NOT_AT_ALL, &attributes(request, ino.0, node)),
            Err(errno) => reply.error(errno),
        }
    }

    fn setattr(
        &self,
        request: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _fh: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut disk = self.disk();
        let set = mode
            .map_or(Ok(()), |mode| disk.set_mode(ino.0, mode))
            .and_then(|()| size.map_or(Ok(()), |size| disk.set_length(ino.0, length(size))));
        match set.and_then(|()| disk.node(ino.0)) {
            Ok(node) => reply.attr(&NOT_AT_ALL, &attributes(request, ino.0, node)),
            Err(errno) => reply.error(errno),
        }
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        reply: ReplyEntry,
    ) {
        match self.make(request, parent, name, mode, Is::Folder(Default::default())) {
            Ok(attributes) => reply.entry(&NOT_AT_ALL, &attributes, Generation(0)),
            Err(errno) => reply.error(errno),
        }
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        match self.make(request, parent, name, mode, Is::File(Default::default())) {
            Ok(attributes) => {
                reply.created(
                    &NOT_AT_ALL,
                    &attributes,
                    Generation(0),
                    FileHandle(0),
                    FopenFlags::FOPEN_DIRECT_IO,
                );
            }
            Err(errno) => reply.error(errno),
        }
    }

    fn open(&self, _request: &Request, _ino: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn unlink(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        say(text(name).and_then(|name| self.disk().remove(parent.0, name)), reply);
    }

    fn rmdir(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        say(text(name).and_then(|name| self.disk().remove(parent.0, name)), reply);
    }

    fn rename(
        &self,
        _request: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let names = text(name).and_then(|from| Ok((from, text(newname)?)));
        let renamed = names.and_then(|(from, to)| match (parent == newparent, flags) {
            (false, _) => Err(Errno::EXDEV),
            (true, flags) if flags.is_empty() => self.disk().rename(parent.0, from, to, false),
            (true, RenameFlags::RENAME_EXCHANGE) => self.disk().rename(parent.0, from, to, true),
            (true, _) => Err(Errno::EINVAL),
        });
        say(renamed, reply);
    }

    fn read(
        &self,
        _request: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.disk().file(ino.0) {
            Ok(file) => {
                let from = length(offset).min(file.bytes.len());
                let to = (from + size as usize).min(file.bytes.len());
                reply.data(&file.bytes[from..to]);
            }
            Err(errno) => reply.error(errno),
        }
    }

    fn write(
        &self,
        _request: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        data: &[u8],
        _write_flags: WriteFlags,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.disk().write(ino.0, length(offset), data) {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap()),
            Err(errno) => reply.error(errno),
        }
    }

    fn flush(
        &self,
        _request: &Request,
        _ino: INodeNo,
        _fh: FileHandle,
        _owner: LockOwner,
        reply: ReplyEmpty,
    ) {
        reply.ok();
    }

    fn fsync(&self, _request: &Request, ino: INodeNo, _fh: FileHandle, _datasync: bool, reply: ReplyEmpty) {
        say(self.disk().sync(ino.0), reply);
    }

    fn fsyncdir(
        &self,
        _request: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        _datasync: bool,
        reply: ReplyEmpty,
    ) {
        say(self.disk().sync_folder(ino.0), reply);
    }

    fn readdir(
        &self,
        _request: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let disk = self.disk();
        let Ok(folder) = disk.folder(ino.0) else { return reply.error(Errno::ENOTDIR) };
        for (place, (name, number)) in folder.names.iter().enumerate().skip(length(offset)) {
            let Ok(node) = disk.node(*number) else { return reply.error(Errno::EIO) };
            if reply.add(INodeNo(*number), place as u64 + 1, kind(node), name) {
                break;
            }
        }
        reply.ok();
    }

    fn fallocate(
        &self,
        _request: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        bytes: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let keep_size = mode & KEEP_SIZE != 0;
        say(self.disk().allocate(ino.0, length(offset + bytes), keep_size), reply);
    }
}

/// Of `fallocate`.
const KEEP_SIZE: i32 = 1;

fn say(done: Result<(), Errno>, reply: ReplyEmpty) {
    match done {
        Ok(()) => reply.ok(),
        Err(errno) => reply.error(errno),
    }
}

fn attributes(request: &Request, number: u64, node: &Node) -> FileAttr {
    let (size, blocks) = match &node.is {
        Is::File(file) => (file.bytes.len() as u64, file.blocks * (BLOCK / 512) as u64),
        Is::Folder(_) => (0, 0),
    };
    FileAttr {
        ino: INodeNo(number),
        size,
        blocks,
        atime: SystemTime::UNIX_EPOCH,
        mtime: SystemTime::UNIX_EPOCH,
        ctime: SystemTime::UNIX_EPOCH,
        crtime: SystemTime::UNIX_EPOCH,
        kind: kind(node),
        perm: u16::try_from(node.mode).unwrap(),
        nlink: 1,
        uid: request.uid(),
        gid: request.gid(),
        rdev: 0,
        blksize: u32::try_from(BLOCK).unwrap(),
        flags: 0,
    }
}

fn kind(node: &Node) -> FileType {
    match node.is {
        Is::File(_) => FileType::RegularFile,
        Is::Folder(_) => FileType::Directory,
    }
}

fn text(name: &OsStr) -> Result<&str, Errno> {
    name.to_str().ok_or(Errno::EINVAL)
}

fn length(size: u64) -> usize {
    usize::try_from(size).unwrap()
}

const NOT_AT_ALL: Duration = Duration::ZERO;
