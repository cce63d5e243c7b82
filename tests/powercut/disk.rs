//! A disk that knows what of it would be there after a power cut: the data of a file up to its last `fsync`, the names in
//! a folder up to that folder's, and of everything since then any part.

use std::collections::BTreeMap;
use std::ops::Range;

use fuser::Errno;

use crate::dice::Dice;

#[derive(Clone)]
pub(crate) struct Disk {
    nodes: BTreeMap<u64, Node>,
    last: u64,
    pub(crate) can: Can,
    /// In blocks. Without it there is always room.
    size: Option<u64>,
    /// How many changes there have been.
    steps: usize,
    /// What goes wrong, and in which of the changes.
    fault: Option<(Errno, Range<usize>)>,
    /// As it was before each change.
    past: Option<Vec<Self>>,
}

/// What a file system need not be able to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Can {
    pub(crate) exchange: bool,
    pub(crate) allocate: bool,
}

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) mode: u32,
    pub(crate) is: Is,
}

#[derive(Clone)]
pub(crate) enum Is {
    File(File),
    Folder(Folder),
}

#[derive(Clone, Default)]
pub(crate) struct File {
    pub(crate) bytes: Vec<u8>,
    /// Those that it has taken, also beyond its end.
    pub(crate) blocks: u64,
    synced: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Clone, Default)]
pub(crate) struct Folder {
    pub(crate) names: Names,
    synced: Names,
    /// Each of them happens as one, or not at all.
    since: Vec<Vec<(String, Option<u64>)>>,
}

pub(crate) type Contents = BTreeMap<String, Vec<u8>>;

type Names = BTreeMap<String, u64>;

#[derive(Clone)]
enum Change {
    Bytes(usize, Vec<u8>),
    Length(usize),
}

impl Disk {
    pub(crate) fn new(can: Can) -> Self {
        let root = Node { mode: 0o700, is: Is::Folder(Folder::default()) };
        Self { nodes: [(ROOT, root)].into(), last: ROOT, can, size: None, steps: 0, fault: None, past: None }
    }

    /// What is there when the power comes back, by one of the ways in which it can be.
    pub(crate) fn after_a_power_cut(&self, dice: &mut Dice) -> Self {
        // Of eight parts, how many have reached the disk; from none to all.
        let luck = dice.below(9);
        let mut lands = || dice.below(8) < luck;
        let mut disk = Self { steps: 0, fault: None, past: None, ..self.clone() };
        for node in disk.nodes.values_mut() {
            match &mut node.is {
                Is::File(file) => file.cut(&mut lands),
                Is::Folder(folder) => folder.cut(&mut lands),
            }
        }
        disk
    }

    /// From here on it is remembered how it was before each change.
    pub(crate) fn remember(&mut self) {
        self.steps = 0;
        self.past = Some(Vec::new());
    }

    /// How it was, before each change since then, and how it is now.
    pub(crate) fn past(&mut self) -> Vec<Self> {
        let mut past = self.past.take().unwrap_or_default();
        past.push(Self { past: None, ..self.clone() });
        past
    }

    /// The changes of that range fail, counted from now.
    pub(crate) fn fail(&mut self, with: Errno, changes: Range<usize>) {
        self.steps = 0;
        self.fault = Some((with, changes));
    }

    pub(crate) fn mend(&mut self) {
        self.fault = None;
    }

    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// Whatever is left is taken by somebody else.
    pub(crate) fn fill(&mut self) {
        self.size = Some(self.used());
    }

    /// All files by their paths, with what is in them.
    pub(crate) fn contents(&self) -> Contents {
        let mut contents = BTreeMap::new();
        let mut folders = vec![(String::new(), ROOT)];
        while let Some((path, number)) = folders.pop() {
            let Ok(folder) = self.folder(number) else { continue };
            for (name, number) in &folder.names {
                let path = format!("{path}/{name}");
                match self.file(*number) {
                    Ok(file) => drop(contents.insert(path, file.bytes.clone())),
                    Err(_) => folders.push((path, *number)),
                }
            }
        }
        contents
    }

    pub(crate) fn node(&self, number: u64) -> Result<&Node, Errno> {
        self.nodes.get(&number).ok_or(Errno::ENOENT)
    }

    pub(crate) fn find(&self, folder: u64, name: &str) -> Result<u64, Errno> {
        self.folder(folder)?.names.get(name).copied().ok_or(Errno::ENOENT)
    }

    pub(crate) fn folder(&self, number: u64) -> Result<&Folder, Errno> {
        match &self.node(number)?.is {
            Is::Folder(folder) => Ok(folder),
            Is::File(_) => Err(Errno::ENOTDIR),
        }
    }

    pub(crate) fn file(&self, number: u64) -> Result<&File, Errno> {
        match &self.node(number)?.is {
            Is::File(file) => Ok(file),
            Is::Folder(_) => Err(Errno::EISDIR),
        }
    }

    pub(crate) fn make(&mut self, folder: u64, name: &str, mode: u32, is: Is) -> Result<u64, Errno> {
        if self.find(folder, name).is_ok() {
            return Err(Errno::EEXIST);
        }
        self.step()?;
        self.last += 1;
        let number = self.last;
        self.nodes.insert(number, Node { mode, is });
        self.folder_mut(folder)?.change(vec![(name.to_owned(), Some(number))]);
        Ok(number)
    }

    pub(crate) fn remove(&mut self, folder: u64, name: &str) -> Result<(), Errno> {
        let number = self.find(folder, name)?;
        if matches!(&self.node(number)?.is, Is::Folder(folder) if !folder.names.is_empty()) {
            return Err(Errno::ENOTEMPTY);
        }
        self.step()?;
        self.folder_mut(folder)?.change(vec![(name.to_owned(), None)]);
        Ok(())
    }

    pub(crate) fn rename(&mut self, folder: u64, from: &str, to: &str, exchange: bool) -> Result<(), Errno> {
        if exchange && !self.can.exchange {
            return Err(Errno::EINVAL);
        }
        let number = self.find(folder, from)?;
        let other = if exchange { Some(self.find(folder, to)?) } else { None };
        self.step()?;
        self.folder_mut(folder)?.change(vec![(from.to_owned(), other), (to.to_owned(), Some(number))]);
        Ok(())
    }

    pub(crate) fn write(&mut self, number: u64, offset: usize, bytes: &[u8]) -> Result<(), Errno> {
        self.file(number)?;
        self.step()?;
        self.take_blocks(number, offset + bytes.len())?;
        self.file_mut(number)?.change(Change::Bytes(offset, bytes.to_vec()));
        Ok(())
    }

    pub(crate) fn set_length(&mut self, number: u64, length: usize) -> Result<(), Errno> {
        self.file(number)?;
        self.step()?;
        let file = self.file_mut(number)?;
        file.blocks = file.blocks.min(blocks(length));
        file.change(Change::Length(length));
        Ok(())
    }

    /// `keep_size` is whether its length stays what it is.
    pub(crate) fn allocate(&mut self, number: u64, length: usize, keep_size: bool) -> Result<(), Errno> {
        if !self.can.allocate {
            return Err(Errno::ENOSYS);
        }
        let longer = !keep_size && self.file(number)?.bytes.len() < length;
        self.step()?;
        self.take_blocks(number, length)?;
        if longer {
            self.file_mut(number)?.change(Change::Length(length));
        }
        Ok(())
    }

    pub(crate) fn set_mode(&mut self, number: u64, mode: u32) -> Result<(), Errno> {
        self.step()?;
        self.nodes.get_mut(&number).ok_or(Errno::ENOENT)?.mode = mode & 0o7777;
        Ok(())
    }

    /// Where it fails, what has not reached the disk never will, although it is read as if it had.
    pub(crate) fn sync(&mut self, number: u64) -> Result<(), Errno> {
        let done = self.step();
        let file = self.file_mut(number)?;
        file.since.clear();
        done?;
        file.synced.clone_from(&file.bytes);
        Ok(())
    }

    pub(crate) fn sync_folder(&mut self, number: u64) -> Result<(), Errno> {
        self.step()?;
        let folder = self.folder_mut(number)?;
        folder.since.clear();
        folder.synced.clone_from(&folder.names);
        Ok(())
    }

    fn step(&mut self) -> Result<(), Errno> {
        if let Some(mut past) = self.past.take() {
            past.push(self.clone());
            self.past = Some(past);
        }
        let step = self.steps;
        self.steps += 1;
        match &self.fault {
            Some((errno, changes)) if changes.contains(&step) => Err(*errno),
            _ => Ok(()),
        }
    }

    fn take_blocks(&mut self, number: u64, length: usize) -> Result<(), Errno> {
        let more = blocks(length).saturating_sub(self.file(number)?.blocks);
        if self.size.is_some_and(|size| self.used() + more > size) {
            return Err(Errno::ENOSPC);
        }
        self.file_mut(number)?.blocks += more;
        Ok(())
    }

    /// By what has a name.
    fn used(&self) -> u64 {
        let folders = self.nodes.values().filter_map(|node| match &node.is {
            Is::Folder(folder) => Some(folder),
            Is::File(_) => None,
        });
        let named = folders.flat_map(|folder| folder.names.values());
        named.filter_map(|number| self.file(*number).ok()).map(|file| file.blocks).sum()
    }

    fn folder_mut(&mut self, number: u64) -> Result<&mut Folder, Errno> {
        match &mut self.nodes.get_mut(&number).ok_or(Errno::ENOENT)?.is {
            Is::Folder(folder) => Ok(folder),
            Is::File(_) => Err(Errno::ENOTDIR),
        }
    }

    fn file_mut(&mut self, number: u64) -> Result<&mut File, Errno> {
        match &mut self.nodes.get_mut(&number).ok_or(Errno::ENOENT)?.is {
            Is::File(file) => Ok(file),
            Is::Folder(_) => Err(Errno::EISDIR),
        }
    }
}

impl File {
    fn change(&mut self, change: Change) {
        apply(&mut self.bytes, &change, &mut || true);
        self.since.push(change);
    }

    fn cut(&mut self, lands: &mut impl FnMut() -> bool) {
        for change in std::mem::take(&mut self.since) {
            apply(&mut self.synced, &change, lands);
        }
        self.bytes.clone_from(&self.synced);
        self.blocks = blocks(self.bytes.len());
    }
}

impl Folder {
    fn change(&mut self, change: Vec<(String, Option<u64>)>) {
        name(&mut self.names, &change);
        self.since.push(change);
    }

    fn cut(&mut self, lands: &mut impl FnMut() -> bool) {
        for change in std::mem::take(&mut self.since) {
            if lands() {
                name(&mut self.synced, &change);
            }
        }
        self.names.clone_from(&self.synced);
    }
}

fn name(names: &mut Names, change: &[(String, Option<u64>)]) {
    for (name, number) in change {
        match number {
            Some(number) => drop(names.insert(name.clone(), *number)),
            None => drop(names.remove(name)),
        }
    }
}

/// The length of a file and each sector of its data reach the disk by themselves.
fn apply(bytes: &mut Vec<u8>, change: &Change, lands: &mut impl FnMut() -> bool) {
    match change {
        Change::Length(length) if lands() => bytes.resize(*length, 0),
        Change::Length(_) => {}
        Change::Bytes(offset, written) => {
            let end = offset + written.len();
            if bytes.len() < end && lands() {
                bytes.resize(end, 0);
            }
            for (number, sector) in written.chunks(SECTOR).enumerate() {
                let (from, to) = (offset + number * SECTOR, offset + number * SECTOR + sector.len());
                if to <= bytes.len() && lands() {
                    bytes[from..to].copy_from_slice(sector);
                }
            }
        }
    }
}

fn blocks(length: usize) -> u64 {
    length.div_ceil(BLOCK) as u64
}

/// Of the root.
pub(crate) const ROOT: u64 = 1;

pub(crate) const BLOCK: usize = 4096;

const SECTOR: usize = 512;
