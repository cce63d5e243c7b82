use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use api::Problem;
use api::secret::Password;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::ended::Ended;

pub(crate) fn is_there() -> bool {
    io::stdin().is_terminal()
}

pub(crate) fn ask(prompt: &str) -> Result<String, Ended> {
    write!(io::stderr(), "{prompt} ")?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

pub(crate) fn password(prompt: &str) -> Result<Password, Ended> {
    let typed = if is_there() { hidden(prompt)? } else { first_line(&mut io::stdin().lock())? };
    let text = String::from_utf8(typed.to_vec()).map_err(|_| Ended::Usage(Problem::PasswordNotText))?;
    if text.is_empty() { Err(Ended::Usage(Problem::NoPassword)) } else { Ok(Password::new(text)) }
}

fn first_line(input: &mut dyn io::BufRead) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::new());
    input.take(LONGEST).read_until(b'\n', &mut line)?;
    // Only the end of the line: a password may begin or end with a space.
    if line.ends_with(b"\n") {
        line.pop();
    }
    if line.ends_with(b"\r") {
        line.pop();
    }
    Ok(line)
}

fn hidden(prompt: &str) -> Result<Zeroizing<Vec<u8>>, Ended> {
    write!(io::stderr(), "{prompt} ")?;
    let unseen = Unseen::begin()?;
    let line = keys(&mut io::stdin().lock());
    drop(unseen);
    writeln!(io::stderr())?;
    line
}

fn keys(input: &mut dyn io::BufRead) -> Result<Zeroizing<Vec<u8>>, Ended> {
    let mut line = Zeroizing::new(Vec::with_capacity(64));
    for key in input.bytes() {
        match key? {
            b'\n' | b'\r' | CTRL_D => break,
            CTRL_C => return Err(Ended::interrupted()),
            CTRL_U => line.clear(),
            BACKSPACE | DELETE => erase_last_character(&mut line),
            0..=0x1f => {}
            byte => line.push(byte),
        }
    }
    Ok(line)
}

fn erase_last_character(line: &mut Vec<u8>) {
    while let Some(byte) = line.pop() {
        if byte & 0b1100_0000 != 0b1000_0000 {
            break;
        }
    }
}

/// Ctrl-C is read as a key: as a signal it would end the process and leave the terminal without echo.
struct Unseen {
    before: Termios,
}

impl Unseen {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut now = before.clone();
        now.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        now.special_codes[SpecialCodeIndex::VMIN] = 1;
        now.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Flush, &now)?;
        Ok(Self { before })
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        tcsetattr(io::stdin(), OptionalActions::Now, &self.before).ok();
    }
}

/// The keeper takes no longer line.
const LONGEST: u64 = 64 * 1024;

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const CTRL_U: u8 = 0x15;
const DELETE: u8 = 0x7f;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_where_it_ends_and_keeps_its_spaces() {
        for (input, line) in
            [(" a b \nnext", " a b "), ("a\r\n", "a"), ("a", "a"), ("", ""), ("\n", ""), ("密码\n", "密码")]
        {
            assert_eq!(&**first_line(&mut input.as_bytes()).unwrap(), line.as_bytes(), "{input:?}");
        }
    }

    #[test]
    fn keys_can_be_taken_back() {
        for (typed, line) in [
            ("ab\x7fc\r", "ac"),
            ("码码\x7f\n", "码"),
            ("\x7f\x7fa\n", "a"),
            ("old\x15new\n", "new"),
            ("a\tb\x04c", "ab"),
        ] {
            assert_eq!(&**keys(&mut typed.as_bytes()).unwrap(), line.as_bytes(), "{typed:?}");
        }
        assert_eq!(keys(&mut &b"secret\x03"[..]).unwrap_err().exit_code(), 130);
    }
}
