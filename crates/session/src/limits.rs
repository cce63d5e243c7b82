//! Every limit of time that holds for longer than a moment, in one place, so that a test can check their order. A limit
//! that is shorter than one inside it ends what would have succeeded, and a session whose refresh token is spent.
//! `message` is the `timeout` of a profile, or [`MESSAGE`] where it sets none.

use core::time::Duration;

/// One message with its answer, where a profile sets no `timeout`.
pub const MESSAGE: Duration = seconds(30);

/// The bounds of a profile's `timeout`.
pub const MESSAGE_SHORTEST: Duration = Duration::from_millis(100);
pub const LONGEST_MESSAGE: Duration = seconds(600);

/// Until a connection stands, as a part of a message.
pub const CONNECT: Duration = seconds(10);

/// Between two looks whether a connection that many requests share is alive, and until it is not. Such a one is not ended
/// by a request that got no answer, so the next would be sent on it as well.
pub const ALIVE: Duration = seconds(10);
pub const DEAD: Duration = seconds(5);

/// In times of a message. One with a proof may be sent again with the provider's nonce, and again by its clock.
const PREPARED: u32 = 1;
const PROVED: u32 = 3;
const DESCRIPTION: u32 = 1;
const KEYS: u32 = 1;

/// One exchange with a token endpoint, with everything that has to be fetched before.
pub fn exchange(message: Duration) -> Duration {
    message.saturating_mul(PREPARED + PROVED)
}

/// What a worker has beyond its budget to report that it is used up. Then it is called off.
pub const REPORT: Duration = seconds(15);

/// After a freeze all timers are over at once, and an answer that lies in the socket gets this time.
pub const SECOND_LOOK: Duration = seconds(5);

/// A timer that is later than this did not run: the process was frozen, or the machine slept.
pub const LATE: Duration = seconds(2);

/// The longest time between two looks at the clock while an answer is waited for.
pub const GLANCE: Duration = seconds(1);

/// For a person at a sign-in page, with a second factor.
pub const AT_BROWSER: Duration = seconds(300);

/// For a person with another device, however long the provider's code lives.
pub const ON_DEVICE: Duration = seconds(3600);

/// Until a person has something to look at: the description, the keys, the request that is pushed first.
pub fn begin_sign_in(message: Duration) -> Duration {
    message.saturating_mul(DESCRIPTION + KEYS + PROVED)
}

/// After the person: keys that were missing, the code or the password, the name.
pub fn finish_sign_in(message: Duration) -> Duration {
    message.saturating_mul(KEYS + PROVED).saturating_add(NAME)
}

pub fn sign_in(person: Duration, message: Duration) -> Duration {
    begin_sign_in(message).saturating_add(person).saturating_add(finish_sign_in(message))
}

/// For the name of a person who is signed in already.
pub const NAME: Duration = seconds(3);

/// For the description of a provider while a person looks at a form.
pub const DESCRIBE: Duration = seconds(15);

/// For a file on a local disk, before its last content has to do.
pub const FILE: Duration = seconds(2);

/// Between two looks at the certificates of this machine.
pub const TRUSTED: Duration = seconds(1);

/// How long a provider's description and keys are good. A key that is unknown makes them be asked for sooner.
pub const DESCRIBED: Duration = seconds(24 * 3600);

/// Between two requests for keys, however many ID tokens come that no key made.
pub const KEYS_AGAIN: Duration = seconds(60);

/// Keys that could not be had are not waited for again by a refresh, which can do without.
pub const KEYS_LATER: Duration = seconds(3600);

/// A shorter lifetime is a mistake of the provider, and would cause nothing but refreshes.
pub const LIFETIME_SHORTEST: Duration = Duration::from_millis(500);

/// A longer lifetime is a mistake too, and asking once a month costs nothing.
pub const LIFETIME_LONGEST: Duration = seconds(30 * 24 * 3600);

/// A provider that tells of a refresh token with a shorter life means something else, or nothing can be done.
pub const REFRESH_LIFE_SHORTEST: Duration = seconds(1);

/// A told end may be off by so much. Ends are told in whole seconds.
pub const TELLING: Duration = seconds(3);

/// For so long a provider may give the answer to a refresh once more. Two told ends are compared after that.
pub const REPEATED: Duration = seconds(60);

/// How long before the end of a sign-in a person is told of it, at most; less where sign-ins are short.
pub const WARNING: Duration = seconds(24 * 3600);

/// An older date is not believed, nor a later end.
pub const REMEMBERED: Duration = seconds(2 * 365 * 24 * 3600);

/// The longest lead of a refresh, which outlives the usual outage.
pub const LEAD_LONGEST: Duration = seconds(3600);

/// Shorter tokens have no slot: they belong to test benches, where an early refresh would confuse.
pub const SLOT_FROM: Duration = seconds(120);

/// Between two refreshes that no caller asked for, in proportion to the lifetime.
pub const SPACING_SHORTEST: Duration = Duration::from_millis(250);
pub const SPACING_LONGEST: Duration = seconds(10);

/// Between two heartbeats, where a profile does not say.
pub const HEARTBEAT: Duration = seconds(300);

/// The shortest time that a profile may set between heartbeats, or for an assumed lifetime.
pub const EVERY_SHORTEST: Duration = seconds(1);

/// The lifetime of a token where neither the provider nor the profile says it.
pub const ASSUMED: Duration = seconds(3600);

/// A failed refresh is tried again after a part of the token's life, within these bounds.
pub const BACKOFF_SHORTEST: Duration = Duration::from_millis(250);
pub const BACKOFF_LONGEST: Duration = seconds(15);

/// Without a good token callers wait, so the first retry comes by then, however long tokens live.
pub const BACKOFF_FIRST: Duration = Duration::from_millis(1500);

/// Until a provider that says that our request is wrong is asked again: at first, and later.
pub const MISCONFIGURED: Duration = seconds(300);
pub const MISCONFIGURED_LONGEST: Duration = seconds(3600);

/// Until a vault that failed is asked again, at first.
pub const VAULT_AGAIN: Duration = seconds(1);

/// A profile may ask for more heartbeats, but not for a busy loop.
pub const HEARTBEAT_SHORTEST: Duration = Duration::from_millis(200);

/// However often it was refused, a heartbeat is sent again after this time, or the profile's if that is longer.
pub const HEARTBEAT_LONGEST: Duration = seconds(24 * 3600);

/// Between two polls with a device code, where the provider does not say (RFC 8628, section 3.2).
pub const DEVICE_INTERVAL: Duration = seconds(5);

/// What `slow_down` adds to that (RFC 8628, section 3.5).
pub const DEVICE_SLOWER: Duration = seconds(5);

/// The bounds of a provider's interval, because a person is waiting.
pub const DEVICE_INTERVAL_SHORTEST: Duration = seconds(1);
pub const DEVICE_INTERVAL_LONGEST: Duration = seconds(60);

/// The life of a device code whose provider does not say it, although it must. Most codes live as long.
pub const DEVICE_LIFE: Duration = seconds(15 * 60);

/// Timers stand still while a machine sleeps, so a longer wait by the clock is split.
pub const NAP: Duration = seconds(5);

/// A shorter wait would be a busy loop.
pub const NAP_SHORTEST: Duration = Duration::from_millis(10);

/// After the system said that it is about to sleep: for longer nobody holds it up, and if it has not slept, it does not.
pub const FALLING_ASLEEP: Duration = seconds(30);

/// The longest time between two looks of the keeper at the clock.
pub const LONGEST_SLEEP: Duration = seconds(30);

/// How long new tokens wait for the vault. Callers wait with them, and a locked keyring can take minutes.
pub const SAVE: Duration = seconds(2);

/// A keyring that is well takes less for anything.
pub const VAULT_LOOK: Duration = seconds(2);

/// For the command that knows a passphrase, which may ask a person for its own.
pub const PASSPHRASE_COMMAND: Duration = seconds(30);

/// After an item of the keyring was said to be deleted: some services say so of all items when they are locked.
pub const DELETED: Duration = seconds(1);

/// Until a bus that was not there is looked for again: at first, and later.
pub const BUS_AGAIN: Duration = seconds(1);
pub const BUS_AGAIN_LONGEST: Duration = seconds(30);

/// After `stop`, or at the end of a desktop session, for what is in flight or not saved.
pub const STOP: Duration = seconds(20);

/// For a caller that names no time of its own.
pub const CALLER: Duration = seconds(30);

/// Beyond the time of a request, which begins only after a look at the configuration.
pub const FACE_GRACE: Duration = seconds(10);

/// How long a face waits: for its own requests, for messages to a provider, for a person or a whole exchange.
pub const FACE: Duration = seconds(180);
pub const FACE_WITH_PROVIDER: Duration = seconds(3600);
pub const FACE_WITH_PERSON: Duration = seconds(4 * 3600);

/// After a longer wait a person is told what it is for.
pub const MOMENT: Duration = seconds(1);

/// Between two looks of a face whether a stopping keeper has ended.
pub const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Until a keeper that stayed to save a session is asked to stop again: while it tries, it does nothing else.
pub const STAYED: Duration = seconds(60);

/// Until a face whose keeper has gone looks for the next one: at first, and later.
pub const CONNECT_AGAIN: Duration = Duration::from_millis(250);
pub const CONNECT_AGAIN_LONGEST: Duration = seconds(5);

/// How often a window is drawn anew, and how soon after a change.
pub const REDRAW: Duration = seconds(1);
pub const REDRAW_SOONEST: Duration = Duration::from_millis(100);

/// Until a new keeper says that it listens.
pub const START: Duration = seconds(20);

/// For a browser that fetches a page from this machine.
pub const LANDING: Duration = seconds(10);

/// For the first bytes of a connection to one of our ports.
pub const HEADERS: Duration = seconds(10);

/// How long a question waits for a look at the configuration file, so that its answer knows of the last edit.
pub const LOOK: Duration = Duration::from_millis(500);

/// The first look finds out about the keyring as well.
pub const FIRST_LOOK: Duration = seconds(5);

/// A file that has not changed for so long is not being saved or typed in.
pub const STABLE: Duration = seconds(1);

/// The status needs no provider, so a keeper that does not know it by then hangs.
pub const STATUS: Duration = seconds(10);

/// How long a sign-out waits for the provider's answer, which a person wants to know.
pub const TOLD: Duration = seconds(3);

/// For a demo's keeper to end, whose sandbox is gone too.
pub const DEMO_END: Duration = seconds(5);

/// A session waits for the disk, so no longer than this.
pub const DISK: Duration = seconds(2);

/// A disk that spins up takes less, so after this time it counts as not answering.
pub const DISK_SLOW: Duration = seconds(5);

/// Until a disk that took nothing is tried again.
pub const DISK_AGAIN: Duration = seconds(5);

/// For another program that reads the journal: its entries can wait longer, the keeper cannot.
pub const JOURNAL_BUSY: Duration = Duration::from_millis(100);

/// For the rest of the log at the end.
pub const FLUSH: Duration = Duration::from_millis(500);

/// Between two looks at the home where nothing tells of changes, and where it does: a parent may be moved.
pub const HOME_LOOK: Duration = seconds(5);
pub const HOME_UNSEEN: Duration = seconds(30);

/// A home is not deleted all at once.
pub const DELETING: Duration = Duration::from_millis(200);

/// Until the home's lock is tried again, while another keeper begins or ends.
pub const LOCK_AGAIN: Duration = Duration::from_millis(100);

/// For the answer to a stop, which is on its way when all else is over.
pub const LAST_ANSWER: Duration = Duration::from_millis(200);

/// Until a connection is accepted again for which there was no descriptor.
pub const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// For whoever asked for a large answer to take it: until then others may have to do without one.
pub const UNREAD: Duration = seconds(30);

/// Until a fixed port is tried again, which the sign-in before is about to close.
pub const PORT_AGAIN: Duration = Duration::from_millis(20);

/// Until the system's announcements are listened to again.
pub const LISTEN_AGAIN: Duration = seconds(30);

/// For the network to come back after a sleep. What overslept is spread over this time, and so is what waited for it.
pub const SETTLE: Duration = seconds(4);

/// For a network that is said to be missing after a start or a sleep. Then it is tried all the same.
pub const NETWORK: Duration = seconds(20);

/// Between two looks at the way out, however often routes and addresses change.
pub const NETWORK_LOOK: Duration = Duration::from_millis(250);

/// Until the one prompt retry after a lost answer, which some providers repeat, but only for a short time.
pub const PROMPT: Duration = Duration::from_millis(400);

/// After so long the same unrecognisable refusal is believed: a gateway that restarts has another answer.
pub const SUSPECT: Duration = seconds(120);

/// After such a refusal, and doubling from one to the next, until half of [`SUSPECT`].
pub const SUSPECT_AGAIN: Duration = seconds(20);

/// The longest pause that a provider may ask for.
pub const RETRY_AFTER: Duration = seconds(3600);

/// How long a failing host is left alone: short at first, because five failures are often one restart.
pub const BREAKER: Duration = seconds(5);
pub const BREAKER_LONGEST: Duration = seconds(300);

/// Until a provider is told of a sign-out again: at first, and later.
pub const REVOKE_AGAIN: Duration = seconds(1);
pub const REVOKE_LONGEST: Duration = seconds(300);

/// How long it is told. By then most unused refresh tokens are dead.
pub const REVOKE: Duration = seconds(24 * 3600);

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_what_stands_here() {
        let days = |limit: Duration| limit.as_secs() / 86_400;
        let all = [LIFETIME_LONGEST, HEARTBEAT_LONGEST, WARNING, REMEMBERED];
        assert_eq!(all.map(days), [30, 1, 1, 2 * 365]);
    }

    #[test]
    fn what_encloses_is_longer() {
        for message in [MESSAGE_SHORTEST, MESSAGE, LONGEST_MESSAGE] {
            let called_off = exchange(message) + REPORT;
            let browser = sign_in(AT_BROWSER, message);
            let device = sign_in(ON_DEVICE, message);
            let (described, keys, proved) = (message * DESCRIPTION, message * KEYS, message * PROVED);
            let pushed = proved;
            let bought = proved;
            let (begun, finished) = (described + keys + pushed, keys + bought + NAME);
            for (inner, outer, what) in [
                (message, exchange(message), "a message is a part of an exchange"),
                (exchange(message), called_off, "a worker reports before it is called off"),
                (begun + AT_BROWSER + finished, browser + REPORT, "a sign-in encloses its parts"),
                (begun + ON_DEVICE + finished, device + REPORT, "and on a device"),
                (browser + REPORT, FACE_WITH_PERSON, "a face waits for a sign-in at a browser"),
                (device + REPORT, FACE_WITH_PERSON, "a face waits for a sign-in on a device"),
                (begun + REPORT, FACE_WITH_PROVIDER, "a face waits for what a sign-in shows"),
                (called_off, FACE_WITH_PERSON, "a face waits for a refresh"),
            ] {
                assert!(inner < outer, "{what}: {inner:?} is not below {outer:?} with {message:?}");
            }
        }
        for (inner, outer, what) in [
            (CONNECT, MESSAGE, "a connection is a part of a message"),
            (ALIVE + DEAD, MESSAGE, "a message outlives the connection that it waits on"),
            (MESSAGE, LONGEST_MESSAGE, "the usual timeout is allowed"),
            (SECOND_LOOK, REPORT, "a second look ends before the worker is called off"),
            (LATE, SECOND_LOOK, "what counts as late is less than what is given for it"),
            (GLANCE, LATE, "a freeze shows in one glance"),
            (FILE, CONNECT, "a file is nearer than a provider"),
            (TRUSTED, FILE, "whoever waits for a file sees what was trusted meanwhile"),
            (KEYS_AGAIN, KEYS_LATER, "what was had is asked for sooner than what was not"),
            (KEYS_LATER, DESCRIBED, "keys that cannot be had are asked for again before they are old"),
            (KEYS_AGAIN, DESCRIBED, "keys that are missing are asked for sooner than old ones"),
            (LIFETIME_SHORTEST, LIFETIME_LONGEST, "there are lifetimes to believe"),
            (REFRESH_LIFE_SHORTEST, TELLING, "the shortest life is not compared with itself"),
            (TELLING, REPEATED, "ends that are compared are further apart than they may be off"),
            (REPEATED, WARNING, "an end is known before it is told"),
            (WARNING, REMEMBERED, "there are ends to warn of"),
            (LIFETIME_LONGEST, REMEMBERED, "a sign-in outlives its access tokens"),
            (LEAD_LONGEST, LIFETIME_LONGEST, "the longest token is not refreshed all the time"),
            (SPACING_SHORTEST, LIFETIME_SHORTEST, "the shortest token can be refreshed before its end"),
            (SPACING_SHORTEST, SPACING_LONGEST, "spacings grow with the lifetime"),
            (SPACING_LONGEST, SLOT_FROM, "who has a slot has the time to try more than once"),
            (BACKOFF_SHORTEST, BACKOFF_FIRST, "the first try again may come as soon as any"),
            (BACKOFF_FIRST, BACKOFF_LONGEST, "pauses grow"),
            (BACKOFF_LONGEST, MISCONFIGURED, "a wrong request is not mended in seconds"),
            (MISCONFIGURED, MISCONFIGURED_LONGEST, "pauses grow"),
            (VAULT_AGAIN, SAVE, "a vault is asked again before new tokens go out without it"),
            (HEARTBEAT_SHORTEST, EVERY_SHORTEST, "what a profile may have is no busy loop"),
            (EVERY_SHORTEST, HEARTBEAT, "a profile may have heartbeats more often than usual"),
            (HEARTBEAT, ASSUMED, "a token is looked at before it is thought to be over"),
            (ASSUMED, LIFETIME_LONGEST, "an assumption is a lifetime to believe"),
            (HEARTBEAT_SHORTEST, HEARTBEAT_LONGEST, "heartbeats slow down"),
            (DEVICE_INTERVAL_SHORTEST, DEVICE_INTERVAL, "the usual interval is allowed"),
            (DEVICE_INTERVAL + DEVICE_SLOWER, DEVICE_INTERVAL_LONGEST, "and one can slow down"),
            (DEVICE_INTERVAL_LONGEST, DEVICE_LIFE, "a device code is asked for more than once"),
            (DEVICE_LIFE, ON_DEVICE, "the usual device code has its whole life"),
            (NAP_SHORTEST, NAP, "there are naps"),
            (REDRAW_SOONEST, REDRAW, "a change is seen before the next look"),
            (CONNECT_AGAIN, CONNECT_AGAIN_LONGEST, "pauses grow"),
            (NAP, LONGEST_SLEEP, "naps are short"),
            (UNREAD, FACE, "a face reads before it is given up"),
            (
                SAVE,
                FALLING_ASLEEP,
                "a machine that does not sleep after all is awake when its tokens are saved",
            ),
            (SAVE, STOP, "a save has its time before the end"),
            (DISK, STOP, "so has the journal"),
            (DISK, DISK_SLOW, "who waits gives up before the disk is called slow"),
            (TOLD, MESSAGE, "nobody waits for a whole message to hear of it"),
            (FIRST_LOOK + LAST_ANSWER, FACE_GRACE, "a face hears the last answer, also of the first request"),
            (FACE, FACE_WITH_PROVIDER, "a provider takes longer than the keeper itself"),
            (FACE_WITH_PROVIDER, FACE_WITH_PERSON, "and a person longer than a provider"),
            (FLUSH, STOP, "the log has its time before the end"),
            (HOME_LOOK, HOME_UNSEEN, "a home that nothing tells of is looked at more often"),
            (JOURNAL_BUSY, DISK, "who waits for the journal hears of it"),
            (DELETING, HOME_LOOK, "a home is gone when it is looked at"),
            (LOOK, STATUS, "a look at the configuration is a part of a status"),
            (FIRST_LOOK, STATUS, "also the first"),
            (STATUS, START, "a keeper that starts tells its status in time"),
            (STABLE, STATUS, "an edit is taken while somebody looks"),
            (PROMPT, SAVE, "the one prompt retry is prompt"),
            (SUSPECT_AGAIN, SUSPECT / 2, "it is asked more than once before it is believed"),
            (SUSPECT, RETRY_AFTER, "a suspicion is no reason to leave a provider alone for longer"),
            (BREAKER, BREAKER_LONGEST, "pauses grow"),
            (BREAKER_LONGEST, RETRY_AFTER, "what we guess is less than what a provider may ask for"),
            (REVOKE_AGAIN, REVOKE_LONGEST, "pauses grow"),
            (REVOKE_LONGEST, REVOKE, "within a day"),
            (SETTLE, LONGEST_SLEEP, "everybody has settled before the keeper sleeps again"),
            (NETWORK_LOOK, SETTLE, "a way out is seen while it still has its moment"),
            (SETTLE, NETWORK, "a network that was missing has a moment, too"),
            (NETWORK, CALLER, "who calls where nobody knows of the network is answered all the same"),
            (VAULT_LOOK, STOP, "so has a look at the vault"),
            (STOP, FACE, "a face hears what became of a stop"),
            (LOOK_AGAIN, MOMENT, "who waits no longer than a moment is told nothing"),
            (MOMENT, STOP, "who waits for a stop is told"),
            (STOP, STAYED, "a keeper that stays has time for other things"),
            (CALLER + FACE_GRACE, FACE, "a face waits for what a caller waits for"),
            (NAME, MESSAGE, "a name is not worth a whole message"),
            (LOOK, STABLE, "who edits and asks is answered before the edit is over"),
            (VAULT_LOOK, FIRST_LOOK, "the keyring has its time within the first look"),
            (
                VAULT_LOOK,
                PASSPHRASE_COMMAND,
                "a command may take longer than a look, which does not wait for it",
            ),
            (PASSPHRASE_COMMAND, FACE_WITH_PERSON, "who unlocks waits for the command"),
            (DELETED, VAULT_LOOK, "a deletion is known soon"),
            (BUS_AGAIN, BUS_AGAIN_LONGEST, "pauses grow"),
            (FIRST_LOOK, START, "a face that has started a keeper gets its first answer"),
            (FIRST_LOOK, CALLER, "and so does a caller"),
            (DESCRIBE, MESSAGE, "neither is a form"),
        ] {
            assert!(inner < outer, "{what}: {inner:?} is not below {outer:?}");
        }
    }
}
