//! A keeper that is stopping takes its time: it saves first, and stays when it cannot. Until that is decided it
//! answers nothing else, so whoever wants something else waits with it.

use std::time::{Duration, Instant};

use session::limits;

use crate::{Client, unreachable};
use api::{Code, Failure, Problem, Reply, Request};

impl Client {
    /// As [`Client::put`], for a request that may take longer than a moment.
    pub(super) fn put_patiently(&mut self, line: &[u8], patience: Duration) -> Result<Reply, Failure> {
        self.send(line)?;
        if let Some(answer) = self.answer(limits::MOMENT)? {
            return answer;
        }
        self.tell_of_waiting();
        self.answer(patience)?.ok_or_else(|| unreachable(Problem::NoAnswer))?
    }

    /// Waits until a keeper that is stopping has ended, or has found that it had better stay, and reaches the one that
    /// is there then. Says whether there is one to be asked again.
    pub(super) fn outlast(&mut self, patience: Duration) -> Result<bool, Failure> {
        let Some(home) = self.home.clone() else { return Ok(false) };
        let line_number = self.last_id;
        let began = Instant::now();
        let mut told = false;
        while began.elapsed() < patience.min(limits::STOP + limits::FACE_GRACE) {
            match self.is_stopping() {
                Ok(true) => {}
                Ok(false) => {
                    self.last_id = line_number;
                    return Ok(true);
                }
                // It has ended. Whatever else may be wrong will show when the next one is looked for.
                Err(_) => {
                    self.follow_to(Self::connect(&home)?, line_number);
                    return Ok(true);
                }
            }
            if !told && began.elapsed() >= limits::MOMENT {
                self.tell_of_waiting();
                told = true;
            }
        }
        Ok(false)
    }

    /// Looks after a while whether the keeper still is; fails when it has let go of this connection.
    fn is_stopping(&mut self) -> Result<bool, Failure> {
        // Nothing is asked meanwhile, so nothing is answered: it is the end of the connection that is waited for.
        if self.answer(limits::LOOK_AGAIN)?.is_some() {
            return Ok(true);
        }
        let line = self.write(Request::Status { profile: None })?;
        match self.put(&line, limits::FACE_GRACE) {
            Err(failure) if failure.code == Code::KeeperStopping => Ok(true),
            Err(failure) if failure.code == Code::KeeperUnreachable => Err(failure),
            Ok(_) | Err(_) => Ok(false),
        }
    }

    /// Goes on with the connection to the next keeper, where the last request is asked again.
    fn follow_to(&mut self, next: Self, last_id: u64) {
        let (patience, on_wait) = (self.patience, self.on_wait.take());
        *self = Self { last_id, patience, on_wait, ..next };
    }

    fn tell_of_waiting(&mut self) {
        if let Some(on_wait) = &mut self.on_wait {
            on_wait();
        }
    }
}
