//! A stopping keeper saves first, and stays when it cannot. Until then it answers nothing else, so requests wait.

use std::time::{Duration, Instant};

use api::{Code, Failure, Problem, Reply, Request};
use session::limits;

use crate::{Client, unreachable};

impl Client {
    pub(super) fn put_patiently(&mut self, line: &[u8], patience: Duration) -> Result<Reply, Failure> {
        self.send(line)?;
        if let Some(answer) = self.answer(limits::MOMENT)? {
            return answer;
        }
        self.tell_of_waiting();
        self.answer(patience)?.ok_or_else(|| unreachable(Problem::NoAnswer))?
    }

    /// Waits until the keeper has ended or decided to stay. Returns whether there is one to be asked again.
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
                // It has ended. Other problems show when the next one is looked for.
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

    /// Fails when the keeper has closed this connection.
    fn is_stopping(&mut self) -> Result<bool, Failure> {
        // Nothing is asked meanwhile, so this waits for the end of the connection.
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
