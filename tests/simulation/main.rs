//! A deterministic simulation: a keeper and its sessions for weeks in a world that goes wrong, from a seed.
//!
//! `SIM_SEED=n` runs one seed, `SIM_SEEDS=n` as many as wanted, `SIM_STEPS=n` for so long each, `SIM_FLEET=n` a fleet of
//! that size. A seed that breaks a law is made shorter, in `SIM_SHRINK=n` tries and a minute. That the laws catch anything at all is
//! shown by planting bugs: each must be caught, and by the law that it breaks. `make soak` runs many more of all.

// A planted bug, or a trace, is about one kind of event and lets all others pass.
#![allow(clippy::wildcard_enum_match_arm)]

mod counter;
mod dice;
mod fleet;
mod law;
mod provider;
mod referee;
mod report;
mod saboteur;
mod scenario;
mod shrink;
mod weather;
mod wire;
mod world;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use law::Law;
use report::{Lived, Report};
use saboteur::Bug;
use world::World;

#[test]
fn a_session_holds_in_a_world_that_goes_wrong() {
    let began = Instant::now();
    let seeds = match number("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIM_SEEDS").unwrap_or(3_000),
    };
    let most = number("SIM_STEPS").unwrap_or(1_500);
    let lived = live(seeds, most, None);
    if let Some((seed, world, law, what)) = lived.broken.first() {
        panic!("{}", told(*seed, most, None, *law, what, world));
    }
    let bugs = number("SIM_BUGS").map(|seeds| {
        let caught = |(bug, laws): &(Bug, &'static [Law])| {
            (*bug, *laws, live(0..seeds, 1_500, Some(*bug)).broken.len())
        };
        (seeds, PLANTED.iter().map(caught).collect())
    });
    let report = Report { most, lived, bugs, took: began.elapsed() };
    eprintln!("{report}");
    if std::env::var_os("UPDATE").is_some() && number("SIM_BUGS").is_some() {
        report.write();
    }
}

/// On all cores, each seed for itself.
fn live(seeds: Range<u64>, most: u64, bug: Option<Bug>) -> Lived {
    let next = AtomicU64::new(seeds.start);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let worker = || {
        let mut lived = Lived::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || (bug.is_none() && !lived.broken.is_empty()) {
                return lived;
            }
            let mut world = World::new(seed, bug).for_steps(most);
            let end = world.live();
            lived.schedules += 1;
            lived.steps += world.steps;
            lived.awake += world.awake;
            if let Err((law, what)) = end {
                lived.broken.push((seed, world, law, what));
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker panics"))
            .fold(Lived::default(), Lived::and)
    })
}

/// With the shortest schedule that breaks the same law.
fn told(seed: u64, most: u64, bug: Option<Bug>, law: Law, what: &str, world: &World) -> String {
    let tries = number("SIM_SHRINK").unwrap_or(2_000) as u32;
    let shortest = match shrink::shrink(seed, most, bug, law, tries) {
        Some(shortest) => format!(
            "the shortest that breaks it, of {} draws and {} steps: {}\n{}",
            shortest.draws,
            shortest.world.steps,
            shortest.what,
            shortest.world.trail()
        ),
        None => format!("it does not break it again\n{}", world.trail()),
    };
    format!("{law:?}: {what}\nSIM_SEED={seed}, step {}, at {}\n{shortest}", world.steps, world.now)
}

macro_rules! planted {
    ($($name:ident: $bug:ident => $($law:ident)|+;)*) => {
        /// Each bug, and the laws by which it may be caught.
        const PLANTED: &[(Bug, &[Law])] = &[$((Bug::$bug, &[$(Law::$law),+])),*];

        $(#[test]
        fn $name() {
            assert_caught(Bug::$bug, &[$(Law::$law),+]);
        })*
    };
}

planted! {
    planted_accepting_stale_answers: AcceptsStaleAnswers => StaleAnswersChangeNothing | TheNewestTokenIsSent | ADeadTokenStaysHere;
    planted_adopting_foreign_tokens: AdoptsForeignTokens => NoForeignTokens | OneRefreshInFlight | OrphansAreRevoked | StaleAnswersChangeNothing;
    planted_answering_and_holding: AnswersAndHolds => ACallerIsServedOnce;
    planted_asking_in_a_persons_place: AsksInThePersonsPlace => OnlyAPersonGoesOn;
    planted_believing_assumptions: BelievesAssumptions => AnUnknownLifetimeEndsNothing;
    planted_believing_in_short_lifetimes: BelievesInShortLifetimes => RefreshesAreFew;
    planted_believing_whoever_is_belied: BelievesTheBelied => ANetworkIsNotAwaitedForLong;
    planted_clearing_the_mark_at_publish: ClearsTheMarkAtPublish => TheMarkStaysWhileInDoubt;
    planted_dating_by_its_own_clock: DatesByItsOwnClock => ALifetimeIsTheProviders;
    planted_deleting_on_vault_trouble: DeletesOnVaultTrouble => TheReasonIsTrue;
    planted_dropping_the_session_on_503: DropsTheSessionOn503 => NothingIsForgottenUnasked | TheReasonIsTrue;
    planted_dropping_tokens_beside_garbage: DropsTokensBesideGarbage => TheNewestTokenIsSent | TheMarkStaysWhileInDoubt;
    planted_editing_too_early: EditsTooEarly => NothingIsLostInGoodOrder | TheMarkStaysWhileInDoubt;
    planted_forgetting_a_demand: ForgetsADemand => ADemandIsShown;
    planted_forgetting_callers_at_an_edit: ForgetsCallersAtAnEdit => NobodyWaitsInVain | OrderIsKept | ACallerIsServedOnce | ItRecovers | ACallersTimeIsKept;
    planted_forgetting_rests: ForgetsRests => NoSignInIdlesOut;
    planted_forgetting_sign_outs: ForgetsSignOuts => ASignOutHolds | TheReasonIsTrue;
    planted_forgetting_the_owner: ForgetsTheOwner => TokensKeepTheirOwner;
    planted_forgetting_when_saving_fails: ForgetsWhenSavingFails => NothingIsForgottenUnasked;
    planted_forgetting_why: ForgetsWhy => TheReasonIsTrue;
    planted_giving_back_what_is_new: GivesBackWhatIsNew => NothingNewIsEnded;
    planted_giving_up_on_slow_answers: GivesUpOnSlowAnswers => NoAnswerIsTooLate | OneRefreshInFlight;
    planted_hiding_deadlines: HidesDeadlines => EveryDeadlineIsReported;
    planted_holding_retries_back: HoldsRetriesBack => ALostAnswerIsAskedForAgain | AGraceSavesTheSession | TheReasonIsTrue;
    planted_hiding_the_network: HidesTheNetwork => ANetworkThatComesIsUsed;
    planted_ignoring_generations: IgnoresGenerations => OnlyAPersonGoesOn | TheReasonIsTrue;
    planted_ignoring_refusals: IgnoresRefusals => ADeadTokenStaysHere;
    planted_ignoring_retry_after: IgnoresRetryAfter => RetryAfterIsKept;
    planted_ignoring_sleep: IgnoresSleep => PatienceSleepsToo;
    planted_ignoring_the_breaker: IgnoresTheBreaker => AFailingHostIsLeftAlone;
    planted_ignoring_the_network: IgnoresTheNetwork => NothingGoesIntoNoNetwork;
    planted_ignoring_wishes: IgnoresWishes => AWishForLifeIsKept;
    planted_keeping_orphans: KeepsOrphans => OrphansAreRevoked;
    planted_making_people_wait: MakesPeopleWait => APersonIsNotAStorm | TheReasonIsTrue;
    planted_marking_after_sending: MarksAfterSending => TheMarkStaysWhileInDoubt;
    planted_marking_only_the_newest: MarksOnlyTheNewest => TheMarkStaysWhileInDoubt;
    planted_nagging: Nags => APersonIsAskedOnce | TheReasonIsTrue;
    planted_never_retrying: NeverRetries => ItRecovers | APersonIsNotAStorm;
    planted_never_warning: NeverWarns => AnEndIsForetold;
    planted_publishing_before_saving: PublishesBeforeSaving => SaveComesBeforePublish;
    planted_putting_people_behind_the_breaker: PutsPeopleBehindTheBreaker => APersonIsNotAStorm;
    planted_refreshing_before_sleep: RefreshesBeforeSleep => NothingNewBeforeSleep;
    planted_refreshing_before_the_end: RefreshesBeforeTheEnd => NothingNewBeforeTheEnd;
    planted_refreshing_on_every_call: RefreshesOnEveryCall => AFailureIsFollowedByAPause | ADemandIsShown | AStormIsBounded | RefreshesAreFew;
    planted_replaying_for_ever: ReplaysForEver => OneTokenIsTriedOnce;
    planted_reporting_deadlines_late: ReportsDeadlinesLate => EveryDeadlineIsReported;
    planted_retrying_lost_answers_late: RetriesLostAnswersLate => AGraceSavesTheSession | TheReasonIsTrue;
    planted_sending_an_old_token: SendsAnOldToken => TheNewestTokenIsSent;
    planted_sending_past_the_lane: SendsPastTheLane => OrderIsKept;
    planted_sending_twice: SendsTwice => OneRefreshInFlight;
    planted_stretching_rests: StretchesRests => AForecastIsTrue | NoSignInIdlesOut;
    planted_taking_demands_for_refusals: TakesDemandsForRefusals => ADemandEndsNothing;
    planted_taking_elsewhere_for_ours: TakesElsewhereForOurs => NothingGoesElsewhere;
    planted_taking_interactions_for_death: TakesInteractionsForDeath => AnInteractionKeepsTheToken | TheReasonIsTrue;
    planted_taking_portals_for_a_no: TakesPortalsForNo => OnlyARefusalIsARefusal;
    planted_taking_withheld_for_named: TakesWithheldForNamed => APersonIsNotAStorm | NoAnswerIsTooLate;
    planted_waiting_for_the_network: WaitsForTheNetwork => ANetworkIsNotAwaitedForLong;
    planted_warning_again: WarnsAgain => AnEndIsForetold;
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Some seed among the first five thousand breaks one of these laws, and no seed before it breaks another.
fn assert_caught(bug: Bug, by: &[Law]) {
    for seed in 0..5_000 {
        let mut world = World::new(seed, Some(bug));
        if let Err((law, what)) = world.live() {
            eprintln!("{bug:?}: seed {seed}, step {}: {law:?}: {what}", world.steps);
            assert!(by.contains(&law), "{law:?}: {what}\n{}", world.trail());
            return;
        }
    }
    panic!("{bug:?} was not caught");
}
