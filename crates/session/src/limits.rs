//! Every limit of time that holds for longer than a moment, in one place, so that their order can be seen and tested.
//!
//! Each is either a constant or a function of `timeout`, which a profile may set for one message ([`MESSAGE`] when it
//! does not). The order is not decoration: a limit that encloses another and is shorter ends what the inner one would
//! have let succeed, and where a refresh token has been spent that ends the session.

use core::time::Duration;

/// One message and its answer, whole (`timeout` of a profile, when it says nothing).
pub const MESSAGE: Duration = seconds(30);

/// The shortest `timeout` that a profile may ask for.
pub const MESSAGE_SHORTEST: Duration = Duration::from_millis(100);

/// And the longest.
pub const LONGEST_MESSAGE: Duration = seconds(600);

/// Until a connection stands; a part of [`MESSAGE`].
pub const CONNECT: Duration = seconds(10);

/// What has to be fetched before an exchange has the time of one message, however many it takes.
const PREPARED: u32 = 1;

/// A message with a proof is sent, once more with the provider's nonce, and once more by its clock.
const PROVED: u32 = 3;

/// The provider's description has the time of one message.
const DESCRIPTION: u32 = 1;

/// And so have its keys.
const KEYS: u32 = 1;

/// The whole of one exchange with a token endpoint, preparations included.
pub fn exchange(message: Duration) -> Duration {
    message.saturating_mul(PREPARED + PROVED)
}

/// What the adapter has beyond its budget to report that it is used up. A worker that has not reported by then is
/// called off; it is never replaced while it lives.
pub const REPORT: Duration = seconds(15);

/// After a freeze the timers fire all at once. Whoever finds that its time ran out while nothing ran looks once more
/// for that long, because the answer may lie in the socket.
pub const SECOND_LOOK: Duration = seconds(5);

/// A timer that fires later than that did not run: the process was frozen, or the machine slept.
pub const LATE: Duration = seconds(2);

/// How often the clock is looked at while an answer is waited for, at least.
pub const GLANCE: Duration = seconds(1);

/// A person at a sign-in page, a second factor included.
pub const AT_BROWSER: Duration = seconds(300);

/// A person with another device, however long a provider lets its codes live.
pub const ON_DEVICE: Duration = seconds(3600);

/// Until a person has something to look at: the description, the keys, the request that is handed over first.
pub fn begin_sign_in(message: Duration) -> Duration {
    message.saturating_mul(DESCRIPTION + KEYS + PROVED)
}

/// Once the person is done: keys that were missing, the code or the password, the name.
pub fn finish_sign_in(message: Duration) -> Duration {
    message.saturating_mul(KEYS + PROVED).saturating_add(NAME)
}

/// A whole sign-in.
pub fn sign_in(person: Duration, message: Duration) -> Duration {
    begin_sign_in(message).saturating_add(person).saturating_add(finish_sign_in(message))
}

/// A name for somebody who is signed in already.
pub const NAME: Duration = seconds(3);

/// Somebody looks at a form while a provider is described.
pub const DESCRIBE: Duration = seconds(15);

/// A file on a disk of ours, before its last content will have to do.
pub const FILE: Duration = seconds(2);

/// A provider's keys are good for that long, and its description too: both hardly ever change, and keys that nobody
/// knows make them be asked for sooner.
pub const DESCRIBED: Duration = seconds(24 * 3600);

/// However many ID tokens come that none of the keys made: not sooner after each other are the keys asked for.
pub const KEYS_AGAIN: Duration = seconds(60);

/// Keys that could not be had are not waited for again by the next refresh: it can do without.
pub const KEYS_LATER: Duration = seconds(3600);

/// A token that lives for less is a mistake of the provider's, and would have us do nothing but refresh.
pub const LIFETIME_SHORTEST: Duration = Duration::from_millis(500);

/// Believed at most. An `expires_in` of a thousand years is a mistake too, and asking once a month costs nothing.
pub const LIFETIME_LONGEST: Duration = seconds(30 * 24 * 3600);

/// Before its end a token is refreshed that long at most: it outlives the outages that anyone has a plan for.
pub const LEAD_LONGEST: Duration = seconds(3600);

/// A token that lives for less has no fleet behind it but a test bench, where an early refresh would be a riddle.
pub const SLOT_FROM: Duration = seconds(120);

/// Two refreshes of a session that nobody asked for are that far apart at least, where its tokens live briefly.
pub const SPACING_SHORTEST: Duration = Duration::from_millis(250);

/// And where they live long.
pub const SPACING_LONGEST: Duration = seconds(10);

/// Between two heartbeats, where a profile says nothing.
pub const HEARTBEAT: Duration = seconds(300);

/// A profile counts its times in these.
pub const EVERY_SHORTEST: Duration = seconds(1);

/// How long a token is thought to live of which nobody says it, where a profile says nothing either.
pub const ASSUMED: Duration = seconds(3600);

/// A failed refresh is tried again in a part of the token's life, and never sooner than that.
pub const BACKOFF_SHORTEST: Duration = Duration::from_millis(250);

/// With nothing to work with, people wait: the first try again comes by then, however long tokens live.
pub const BACKOFF_FIRST: Duration = Duration::from_millis(1500);

/// The longest such part.
pub const BACKOFF_LONGEST: Duration = seconds(15);

/// A provider that says that our request is wrong is asked again after that long at first.
pub const MISCONFIGURED: Duration = seconds(300);

/// And that long later.
pub const MISCONFIGURED_LONGEST: Duration = seconds(3600);

/// A vault that did not do what it was asked is asked again after that long at first.
pub const VAULT_AGAIN: Duration = seconds(1);

/// A profile may ask for more heartbeats, but not for a busy loop.
pub const HEARTBEAT_SHORTEST: Duration = Duration::from_millis(200);

/// However often a heartbeat was refused: it is sent again some day, and not less often than the profile wants.
pub const HEARTBEAT_LONGEST: Duration = seconds(24 * 3600);

/// Between two questions about a device code where the provider names no interval (RFC 8628, section 3.2).
pub const DEVICE_INTERVAL: Duration = seconds(5);

/// What `slow_down` adds to it (RFC 8628, section 3.5).
pub const DEVICE_SLOWER: Duration = seconds(5);

/// Not more often, whatever a provider says.
pub const DEVICE_INTERVAL_SHORTEST: Duration = seconds(1);

/// And not less often: there is a person waiting.
pub const DEVICE_INTERVAL_LONGEST: Duration = seconds(60);

/// The provider has to say how long a device code lives; one that does not is asked for as long as most do.
pub const DEVICE_LIFE: Duration = seconds(15 * 60);

/// Timers stand still while a machine sleeps, so nothing that is waited for by the clock is waited for in one go.
pub const NAP: Duration = seconds(5);

/// However little is left: a wait is that long, or it would be a busy loop.
pub const NAP_SHORTEST: Duration = Duration::from_millis(10);

/// The keeper looks at the clock at least that often.
pub const LONGEST_SLEEP: Duration = seconds(30);

/// New tokens wait that long for the vault. People wait behind it, and a locked keyring can take minutes.
pub const SAVE: Duration = seconds(2);

/// A keyring that is well takes less for anything.
pub const VAULT_LOOK: Duration = seconds(2);

/// What the thread that looks has beyond that to say what it saw.
pub const VAULT_SAYS: Duration = Duration::from_millis(200);

/// `stop`, and the end of a desktop session: for what is in flight and what is not saved yet.
pub const STOP: Duration = seconds(20);

/// A caller that names no time of its own: as long as a person looks at something that does not move.
pub const CALLER: Duration = seconds(30);

/// What a face gives the keeper beyond the time that a request names. That time begins when the keeper has looked at its
/// configuration, which the first time takes a while.
pub const FACE_GRACE: Duration = seconds(10);

/// A face waits that long for an answer to a request without a time of its own.
pub const FACE: Duration = seconds(180);

/// A face waits that long for a request behind which there are messages to a provider, and nothing else.
pub const FACE_WITH_PROVIDER: Duration = seconds(3600);

/// A face waits that long for a request behind which there is a person, or a whole exchange.
pub const FACE_WITH_PERSON: Duration = seconds(4 * 3600);

/// Somebody who waits for longer than that wants to know what for.
pub const MOMENT: Duration = seconds(1);

/// A face that waits for a keeper to end, or to stay, looks that often.
pub const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A keeper that would not end without losing a session is not asked again sooner: while it tries, it does nothing else.
pub const STAYED: Duration = seconds(60);

/// A face whose keeper has gone looks for the next one after that long at first.
pub const CONNECT_AGAIN: Duration = Duration::from_millis(250);

/// And that long later.
pub const CONNECT_AGAIN_LONGEST: Duration = seconds(5);

/// A window draws what it shows anew that often.
pub const REDRAW: Duration = seconds(1);

/// And after a change no sooner than that, however many come.
pub const REDRAW_SOONEST: Duration = Duration::from_millis(100);

/// A keeper that was just started says that it listens.
pub const START: Duration = seconds(20);

/// A browser fetches a page from this very machine.
pub const LANDING: Duration = seconds(10);

/// Who connects to a port of ours and says nothing is not waited for.
pub const HEADERS: Duration = seconds(10);

/// A question waits that long for a look at the configuration file, so that who edits it and then asks is understood.
pub const LOOK: Duration = Duration::from_millis(500);

/// The first look, before which there are no sessions, finds out about the keyring as well.
pub const FIRST_LOOK: Duration = seconds(5);

/// A file that has not changed for that long is not being saved or typed in any more.
pub const STABLE: Duration = seconds(1);

/// The status needs no exchange with anybody: a keeper that does not know it by then hangs.
pub const STATUS: Duration = seconds(10);

/// Somebody who has signed out wants to hear what the provider says to that, as long as one usually takes.
pub const TOLD: Duration = seconds(3);

/// A keeper of the demo ends: what is in flight to a sandbox that is gone too is over soon.
pub const DEMO_END: Duration = seconds(5);

/// A disk is waited for that long. Not longer, because a session waits with it.
pub const DISK: Duration = seconds(2);

/// Longer than a disk takes that has to spin up: then it is said that it does not answer.
pub const DISK_SLOW: Duration = seconds(5);

/// A disk that took nothing is tried again.
pub const DISK_AGAIN: Duration = seconds(5);

/// Somebody may be looking at the journal with another program; entries can wait that long, the keeper cannot.
pub const JOURNAL_BUSY: Duration = Duration::from_millis(100);

/// What the log still has to say is written at the end.
pub const FLUSH: Duration = Duration::from_millis(500);

/// The home is looked after that often where nothing tells of changes.
pub const HOME_LOOK: Duration = seconds(5);

/// And where it does, because a directory further up may be moved.
pub const HOME_UNSEEN: Duration = seconds(30);

/// Whoever deletes a home has not done it in one go.
pub const DELETING: Duration = Duration::from_millis(200);

/// The home's lock is tried again while another keeper ends, or begins.
pub const LOCK_AGAIN: Duration = Duration::from_millis(100);

/// The answer to a stop is on its way when all else is over.
pub const LAST_ANSWER: Duration = Duration::from_millis(200);

/// A connection is accepted again where there was no descriptor for it.
pub const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// A fixed port is tried again that a sign-in before this one is about to close.
pub const PORT_AGAIN: Duration = Duration::from_millis(20);

/// The system's announcements are listened to again.
pub const LISTEN_AGAIN: Duration = seconds(30);

/// After a sleep the network is given that long to come back, at most. Within it everything that overslept is spread.
pub const SETTLE: Duration = seconds(4);

/// After a lost answer a provider with a grace repeats it, but only for so long: sooner is better. One retry.
pub const PROMPT: Duration = Duration::from_millis(400);

/// The same unrecognisable refusal for that long is one: a gateway that restarts has another answer by then.
pub const SUSPECT: Duration = seconds(120);

/// A provider may ask to be left alone for that long.
pub const RETRY_AFTER: Duration = seconds(3600);

/// A host that failed too often is left alone. Short at first: five failures in a row are often one gateway restarting.
pub const BREAKER: Duration = seconds(5);

/// And that long, when it goes on failing.
pub const BREAKER_LONGEST: Duration = seconds(300);

/// A provider that has not heard of a sign-out is told again after that long at first.
pub const REVOKE_AGAIN: Duration = seconds(1);

/// And after that long later.
pub const REVOKE_LONGEST: Duration = seconds(300);

/// For that long in all. Most refresh tokens that nobody uses are dead or soon to be by then.
pub const REVOKE: Duration = seconds(24 * 3600);

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever encloses another limit is longer than that one, for every `timeout` that a profile may have.
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
            (MESSAGE, LONGEST_MESSAGE, "the usual timeout is allowed"),
            (SECOND_LOOK, REPORT, "a second look ends before the worker is called off"),
            (LATE, SECOND_LOOK, "what counts as late is less than what is given for it"),
            (GLANCE, LATE, "a freeze shows in one glance"),
            (FILE, CONNECT, "a file is nearer than a provider"),
            (KEYS_AGAIN, KEYS_LATER, "what was had is asked for sooner than what was not"),
            (KEYS_LATER, DESCRIBED, "keys that cannot be had are asked for again before they are old"),
            (KEYS_AGAIN, DESCRIBED, "keys that are missing are asked for sooner than old ones"),
            (LIFETIME_SHORTEST, LIFETIME_LONGEST, "there are lifetimes to believe"),
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
            (SUSPECT, RETRY_AFTER, "a suspicion is no reason to leave a provider alone for longer"),
            (BREAKER, BREAKER_LONGEST, "pauses grow"),
            (BREAKER_LONGEST, RETRY_AFTER, "what we guess is less than what a provider may ask for"),
            (REVOKE_AGAIN, REVOKE_LONGEST, "pauses grow"),
            (REVOKE_LONGEST, REVOKE, "within a day"),
            (SETTLE, LONGEST_SLEEP, "everybody has settled before the keeper sleeps again"),
            (VAULT_LOOK, STOP, "so has a look at the vault"),
            (STOP, FACE, "a face hears what became of a stop"),
            (LOOK_AGAIN, MOMENT, "who waits no longer than a moment is told nothing"),
            (MOMENT, STOP, "who waits for a stop is told"),
            (STOP, STAYED, "a keeper that stays has time for other things"),
            (CALLER + FACE_GRACE, FACE, "a face waits for what a caller waits for"),
            (NAME, MESSAGE, "a name is not worth a whole message"),
            (LOOK, STABLE, "who edits and asks is answered before the edit is over"),
            (VAULT_LOOK + VAULT_SAYS, FIRST_LOOK, "the keyring has its time within the first look"),
            (FIRST_LOOK, START, "a face that has started a keeper gets its first answer"),
            (FIRST_LOOK, CALLER, "and so does a caller"),
            (DESCRIBE, MESSAGE, "neither is a form"),
        ] {
            assert!(inner < outer, "{what}: {inner:?} is not below {outer:?}");
        }
    }
}
