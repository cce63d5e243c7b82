//! The socket: one line of JSON in, one line of JSON out. Each connection has a task of its own, so a silent client
//! delays only itself. The directory and the socket are this user's alone, and still each peer's user id is checked.

use std::io;
use std::path::Path;
use std::sync::Arc;

use api::frame::{Frames, Misunderstood, Piece};
use api::{Call, Code, Failure, Line, Notice, Problem, Request};
use os::files;
use session::{bounds, limits};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc};

use crate::main_loop::Handle;
use crate::room::Taken;

/// The caller holds the home's lock, so a socket that is found there belongs to a dead keeper.
pub(crate) fn bind(path: &Path) -> Result<UnixListener, Failure> {
    listen(path).map_err(|error| Failure::file(path, &error))
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // Between bind and chmod the socket has the mode that the umask gives it.
    let listener = os::process::privately(|| UnixListener::bind(path));
    files::make_private(path)?;
    listener
}

pub(crate) fn answers(path: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(path).is_ok()
}

pub(crate) async fn serve(listener: UnixListener, keeper: Handle) {
    let places = Arc::new(Semaphore::new(bounds::CONNECTIONS));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if !is_ours(&stream) {
                    continue;
                }
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    turn_away(&stream);
                    continue;
                };
                let conversation = converse(stream, keeper.clone());
                tokio::spawn(async move {
                    conversation.await;
                    drop(place);
                });
            }
            Err(error) => {
                // Most likely there are no descriptors left. Existing connections go on, and some will close.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(limits::ACCEPT_AGAIN).await;
            }
        }
    }
}

fn is_ours(stream: &UnixStream) -> bool {
    let theirs = os::peer::user(stream);
    if theirs.as_ref().is_ok_and(|user| *user == os::user::id()) {
        return true;
    }
    tracing::warn!(?theirs, "turned away a connection of another user");
    false
}

/// Not waited for: whoever has just connected has room for a line.
fn turn_away(stream: &UnixStream) {
    let error = Failure::new(Code::TooManyConnections).with("limit", bounds::CONNECTIONS);
    if let Ok(mut text) = serde_json::to_vec(&Line::Refusal { id: 0, error }) {
        text.push(b'\n');
        drop(stream.try_write(&text));
    }
}

/// A line, and the room that it takes until it has been read.
struct Unsent {
    line: Line,
    room: Option<Taken>,
}

impl From<Line> for Unsent {
    fn from(line: Line) -> Self {
        Self { line, room: None }
    }
}

async fn converse(stream: UnixStream, keeper: Handle) {
    let (reader, writer) = stream.into_split();
    let (lines, outbox) = mpsc::channel(bounds::LINES_UNSENT);
    let write = tokio::spawn(write(writer, outbox));
    read(reader, &keeper, &lines).await;
    drop(lines);
    drop(write.await);
}

async fn read(reader: OwnedReadHalf, keeper: &Handle, lines: &mpsc::Sender<Unsent>) {
    let mut reader = BufReader::new(reader);
    let mut frames = Frames::default();
    // A client that asks without reading the answers is not read any further.
    let open = Arc::new(Semaphore::new(bounds::QUESTIONS));
    let mut watches = false;
    while !lines.is_closed() {
        let Ok(place) = Arc::clone(&open).acquire_owned().await else { return };
        match next(&mut reader, &mut frames).await {
            Piece::Part => return,
            Piece::TooLong => {
                let limit = format!("{} MiB", bounds::FRAME >> 20);
                let error = Failure::new(Code::BodyTooLarge).with("limit", limit);
                return drop(lines.send(Line::Refusal { id: 0, error }.into()).await);
            }
            Piece::Whole => {}
        }
        match understand(frames.line(), &mut watches) {
            None => {}
            Some(Ok(call)) => answer(call, keeper, lines, place),
            Some(Err(Misunderstood { id, failure: error })) => {
                drop(lines.send(Line::Refusal { id, error }.into()).await);
            }
        }
    }
}

/// A part is all that there is at the end, if there is anything.
async fn next(reader: &mut BufReader<OwnedReadHalf>, frames: &mut Frames) -> Piece {
    loop {
        let (used, taken) = match reader.fill_buf().await {
            Ok([]) if frames.end() => return Piece::Whole,
            Ok([]) | Err(_) => return Piece::Part,
            Ok(arrived) => frames.take(arrived),
        };
        reader.consume(used);
        if taken != Piece::Part {
            return taken;
        }
    }
}

fn understand(frame: &[u8], watches: &mut bool) -> Option<Result<Call, Misunderstood>> {
    let call = match Call::read(frame)? {
        Ok(call) => call,
        misunderstood => return Some(misunderstood),
    };
    // A second watch would send each notice twice.
    if matches!(call.request, Request::Watch) && std::mem::replace(watches, true) {
        let failure = Failure::new(Code::BadRequest).because(Problem::WatchesAlready);
        return Some(Err(Misunderstood { id: call.id, failure }));
    }
    Some(Ok(call))
}

fn answer(call: Call, keeper: &Handle, lines: &mpsc::Sender<Unsent>, place: OwnedSemaphorePermit) {
    let (keeper, lines) = (keeper.clone(), lines.clone());
    // Watching begins before the status is taken, so that no change is missed.
    let notices = matches!(call.request, Request::Watch).then(|| keeper.notices());
    tokio::spawn(async move {
        let id = call.id;
        let unsent = match keeper.ask(call.request).await {
            Ok(reply) => {
                let room = Some(keeper.room_for(&reply));
                Unsent { line: Line::Answer { id, reply }, room }
            }
            Err(error) => Line::Refusal { id, error }.into(),
        };
        let sent = lines.send(unsent).await;
        drop(place);
        if sent.is_ok()
            && let Some(notices) = notices
        {
            watch(notices, &lines).await;
        }
    });
}

async fn watch(mut notices: broadcast::Receiver<Notice>, lines: &mpsc::Sender<Unsent>) {
    loop {
        let notice = tokio::select! {
            notice = notices.recv() => notice,
            () = lines.closed() => return,
        };
        let notice = match notice {
            Ok(notice) => notice,
            // It reads too slowly. It only needs to know that something changed.
            Err(broadcast::error::RecvError::Lagged(_)) => Notice::Changed { profile: String::new() },
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if lines.send(Line::Notice { notice }.into()).await.is_err() {
            return;
        }
    }
}

async fn write(mut writer: OwnedWriteHalf, mut outbox: mpsc::Receiver<Unsent>) {
    while let Some(Unsent { line, mut room }) = outbox.recv().await {
        let Ok(mut text) = serde_json::to_vec(&line) else { continue };
        text.push(b'\n');
        drop(line);
        // It may be longer now. It is there all the same.
        room.as_mut().map(|room| room.grow(text.len()));
        let written = if text.len() > bounds::SMALL_ANSWER {
            // Others wait for the room that it takes. A small one may lie as long as it likes.
            let written = tokio::time::timeout(limits::UNREAD, writer.write_all(&text)).await;
            written.is_ok_and(|written| written.is_ok())
        } else {
            writer.write_all(&text).await.is_ok()
        };
        drop(room);
        if !written {
            return;
        }
    }
}
