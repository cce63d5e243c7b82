//! What a fuzzer does to an input, without a fuzzer: bytes are changed, cut, repeated and spliced.

pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn mutation(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let mut input = inputs[self.below(inputs.len())].clone();
        for _ in 0..=self.below(6) {
            let other = &inputs[self.below(inputs.len())];
            self.mutate(&mut input, other);
        }
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(input.len() + 1);
        let end = at + self.below((input.len() - at).min(64) + 1);
        match self.below(8) {
            0 => input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (at % 8)),
            1 => drop(input.drain(at..end)),
            2 => input.truncate(at),
            3 => input.insert(at, BYTES[self.below(BYTES.len())]),
            4 => {
                let word = WORDS[self.below(WORDS.len())].bytes();
                drop(input.splice(at..end, word));
            }
            5 => {
                let part: Vec<u8> = input[at..end].iter().copied().cycle().take((end - at) * 4).collect();
                drop(input.splice(at..at, part));
            }
            6 => {
                let from = self.below(other.len() + 1);
                drop(input.splice(at..end, other[from..].iter().copied().take(200)));
            }
            _ => {
                input.truncate(at);
                input.extend_from_slice(&other[self.below(other.len() + 1)..]);
            }
        }
    }

    /// xorshift64.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % end.max(1)
    }
}

const BYTES: &[u8] = b"\0\n\r \t\"\\'{}[]:,;=/.~#%&-+0129eEaZ\x7f\x80\xc3\xe2\xf0\xff";

const WORDS: [&str; 16] = [
    "\"refresh_token\":\"",
    "null",
    "true",
    "[]",
    "{}",
    "1e999",
    "-1",
    "18446744073709551616",
    "\\u202e",
    "\\ud800",
    "\u{61c}",
    "\r\n\r\n",
    "error=\"",
    "https://",
    "\u{feff}",
    "cAnArY/0123456789~abcdefghijklmnopqrstuvwxyz",
];
