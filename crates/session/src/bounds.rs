//! Every bound of a size or a count towards servers and towards who asks, in one place. Those of time are in
//! [`limits`](crate::limits). SECURITY.md has a table of them, which a test compares with these.

/// The header lines of one answer. A library makes room for so many for each answer that it reads, also for the interim
/// ones, of which a server can send any number.
pub const HEADERS: usize = 256;

/// The body of an answer about tokens, of a description and of keys.
pub const TOKEN_ANSWER: usize = MIB;

/// The body of an answer of a resource. Larger files can be downloaded with `token`.
pub const ANSWER: usize = 16 * MIB;

/// All of such bodies in memory, beyond what each has for itself.
pub const ANSWERS_IN_MEMORY: usize = 256 * MIB;
pub const SMALL_ANSWER: usize = MIB;

/// Redirects that a request to a resource follows, within its origin. One about tokens follows none.
pub const REDIRECTS: usize = 5;

/// Requests to resources of one origin at once: more than any server answers, and enough for a distant one.
pub const OF_ONE_ORIGIN: usize = 64;

/// Connections to one origin that are kept for the next request. Each costs a descriptor.
pub const IDLE: usize = 8;

/// A file of certificates. All authorities that there are take a quarter of a megabyte.
pub const CERTIFICATES: usize = 4 * MIB;

/// One line at the socket. A request body of a megabyte fits in with its escapes.
pub const FRAME: usize = 4 * MIB;

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
