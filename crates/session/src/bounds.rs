//! Every bound of a size or a count of what is read from outside, in one place, so that a test can check their order. Those
//! of time are in [`limits`](crate::limits). `docs/reliability.md` has a table of what is parsed, SECURITY.md one of the rest,
//! which a test compares with these.

/// A whole answer, in bytes: to a message about tokens (a description and keys too), or to a caller's request, which is
/// kept in memory. Larger files can be downloaded with `token`.
pub const TOKEN_ANSWER: usize = 1 << 20;
pub const ANSWER: usize = 16 << 20;

/// The answer of a heartbeat says no more than this.
pub const STATE: usize = 1 << 20;

/// A line on the socket, in bytes with its end. A request body of a megabyte fits in with its escapes.
pub const FRAME: usize = 4 << 20;

/// The configuration, in bytes, and the profiles and mistakes in it that are looked at.
pub const CONFIGURATION: usize = 4 << 20;
pub const PROFILES: usize = 1000;
pub const MISTAKES: usize = 100;

/// A sealed file, in bytes. A provider's answer is smaller.
pub const SEALED: usize = 8 << 20;

/// A JWT, in bytes, and its first part, which nobody has signed when it is read.
pub const JWT: usize = 128 << 10;
pub const JWT_HEADER: usize = 8 << 10;

/// The usable keys of a set that are kept, and those that are tried for one signature, which takes tens of microseconds.
pub const KEYS: usize = 512;
pub const KEY_TRIES: usize = 64;

/// `WWW-Authenticate` in all, in bytes, and the schemes and parameters in it.
pub const CHALLENGE: usize = 16 << 10;
pub const CHALLENGES: usize = 32;
pub const PARAMETERS: usize = 128;

/// A list of words that a provider demands and that goes into the address of a sign-in, in bytes.
pub const DEMAND: usize = 1024;

/// The entries of a list in a provider's description, and the length of an address there, in bytes.
pub const LISTED: usize = 1000;
pub const ADDRESS: usize = 2048;

/// A pointer into JSON, in bytes and in names: what is deeper than JSON may be is nowhere.
pub const POINTER: usize = 1024;
pub const POINTER_NAMES: usize = 64;

/// The query that a browser brings back, in bytes: room for a code of 8 KiB, escaped, and the other parameters.
pub const QUERY: usize = 64 << 10;

/// The origins of which a nonce or a clock is remembered: with one more all are learned again.
pub const ORIGINS: usize = 64;

/// A nonce for proofs of possession, in bytes.
pub const NONCE: usize = 1024;

/// What a person is shown: names in characters, a code to type and one of an error in bytes; a provider's sentence in
/// characters, and in it what could be a token, in bytes.
pub const NAME: usize = 64;
pub const USER_CODE: usize = 64;
pub const CODE: usize = 64;
pub const WORDS: usize = 200;
pub const WORD: usize = 32;

/// The word that is taken for a slip of the hand, in bytes.
pub const SLIP: usize = 64;

/// The header lines of one answer. A library makes room for so many for each answer that it reads, also for the interim
/// ones, of which a server can send any number.
pub const HEADERS: usize = 1024;

/// All of such bodies in memory, beyond what each has for itself.
pub const ANSWERS_IN_MEMORY: usize = 256 * MIB;
pub const SMALL_ANSWER: usize = MIB;

/// Redirects that a request to a resource follows, within its origin. One about tokens follows none.
pub const REDIRECTS: usize = 5;

/// How often a request is sent again at most: once, and again while its token runs out on the way.
pub const REPLAYS: u8 = 3;

/// Requests to resources of one origin at once: more than any server answers, and enough for a distant one.
pub const OF_ONE_ORIGIN: usize = 64;

/// Connections to one origin that are kept for the next request. Each costs a descriptor.
pub const IDLE: usize = 8;

/// A file of certificates. All authorities that there are take a quarter of a megabyte.
pub const CERTIFICATES: usize = 4 * MIB;

/// Connections to the socket: more than one person's faces and scripts need, and fewer than the files that a process may
/// have open.
pub const CONNECTIONS: usize = 512;

/// Questions on one connection that are not answered yet, or whose answers were not read.
pub const QUESTIONS: usize = 1024;

/// Answers and notices of one connection that wait for the one before to be read.
pub const LINES_UNSENT: usize = 64;

/// Questions of all connections at once, by who asks. A sign-in keeps its place until the person is done, and one program
/// may well fetch a thousand things at once.
pub const QUICK: usize = 512;
pub const OF_PEOPLE: usize = 512;
pub const OF_MACHINES: usize = 4096;

const MIB: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mebibyte_is_one() {
        let mib = |bytes: usize| bytes >> 20;
        assert_eq!([TOKEN_ANSWER, STATE, SMALL_ANSWER].map(mib), [1; 3]);
        assert_eq!([FRAME, CONFIGURATION, CERTIFICATES].map(mib), [4; 3]);
        assert_eq!([SEALED, ANSWER, ANSWERS_IN_MEMORY].map(mib), [8, 16, 256]);
        assert_eq!([JWT_HEADER, CHALLENGE, QUERY, JWT].map(|bytes| bytes >> 10), [8, 16, 64, 128]);
    }

    #[test]
    fn what_encloses_is_larger() {
        for (inner, outer, what) in [
            (JWT_HEADER, JWT, "a header is a part of a token"),
            (JWT, TOKEN_ANSWER, "a token is a part of an answer"),
            (TOKEN_ANSWER, SEALED / 6, "what arrived can be sealed with its escapes"),
            (STATE, ANSWER, "a heartbeat is a request"),
            (KEY_TRIES, KEYS, "the keys that are tried are in the set"),
            (CHALLENGES, PARAMETERS, "a scheme may have more than one parameter"),
            (DEMAND, CHALLENGE, "a demand is a part of a header"),
            (ADDRESS, TOKEN_ANSWER, "an address is a part of a description"),
            (POINTER_NAMES, POINTER, "names have a separator each"),
            (POINTER_NAMES, JSON_DEPTH, "what can be pointed at can be read"),
            (WORD, WORDS, "a word is a part of a sentence"),
            (WORD, USER_CODE, "a code to type may be longer than a word"),
            (MISTAKES, PROFILES, "the first mistakes are enough"),
        ] {
            assert!(inner < outer, "{what}: {inner} is not below {outer}");
        }
    }

    /// serde_json's own, which refuses what is deeper.
    const JSON_DEPTH: usize = 128;

    #[test]
    fn json_is_read_to_its_depth_and_no_deeper() {
        let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
        let is_read = |depth| serde_json::from_str::<serde_json::Value>(&nested(depth)).is_ok();
        assert!(is_read(JSON_DEPTH - 1) && !is_read(JSON_DEPTH), "the parser's limit has moved");
    }
}
