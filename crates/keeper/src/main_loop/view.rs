use session::time::{Timestamp, millis};
use session::tokens::TokenType;
use session::view::{Phase, View};

use super::keeper::Keeper;
use super::kept::Kept;
use super::mail::Id;
use crate::adapters::clock;

impl Keeper {
    pub(crate) fn overview(&self) -> api::Overview {
        self.overview_with(self.kept.values().filter(|kept| !kept.removed))
    }

    pub(crate) fn overview_of(&self, id: Id) -> api::Overview {
        self.overview_with(self.kept.get(&id))
    }

    fn overview_with<'a>(&self, kept: impl IntoIterator<Item = &'a Kept>) -> api::Overview {
        let now = clock::now();
        let saving = self.vault.kind() != api::VaultKind::Memory;
        api::Overview {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            vault: api::VaultView { kind: self.vault.kind(), trouble: self.vault.trouble() },
            sessions: kept.into_iter().filter_map(|kept| kept.view(now, saving)).collect(),
            problems: self.problems(),
            presets: session::recipe::Recipe::PRESETS.map(str::to_owned).to_vec(),
        }
    }

    fn problems(&self) -> Vec<api::Failure> {
        let of_the_disk = self.log_problem.clone().into_iter().chain(self.journal.problem());
        let of_profiles = self.kept.values().filter(|kept| !kept.removed);
        let of_profiles = of_profiles.filter_map(|kept| kept.problem(&self.unreadable));
        self.config.problems().into_iter().chain(of_profiles).chain(of_the_disk).collect()
    }
}

impl Kept {
    fn view(&self, now: Timestamp, saving: bool) -> Option<api::SessionView> {
        let session = self.session()?;
        let view = session.view(now);
        let profile = &self.profile;
        // Without a refresh token there is none to lose, though an older one may have to be forgotten.
        let unsaved = session.would_be_lost() || (session.lost().is_some() && !view.saved);
        let distance = |at: Timestamp| millis(now.until(at));
        Some(api::SessionView {
            profile: profile.name.clone(),
            preset: profile.preset.clone(),
            url: profile.url.to_string(),
            host: profile.host(),
            user: view.user.clone().or_else(|| profile.user.clone()),
            phase: phase(view.phase, now),
            access: self.access(&view),
            refresh_in_ms: view.refresh_at.map(distance),
            renewable: view.renewable,
            heartbeat: api::HeartbeatView {
                every_ms: millis(profile.heartbeat),
                next_in_ms: view.heartbeat_at.map(distance),
                last: view
                    .last_heartbeat
                    .map(|(good, at)| api::LastHeartbeat { good, ago_ms: millis(now.since(at)) }),
            },
            last_refresh: view.last_refresh.map(|done| api::LastRefresh {
                cause: done.cause,
                ago_ms: millis(now.since(done.at)),
                took_ms: millis(done.took),
            }),
            saved: saving && !unsaved,
            forecast: view.forecast,
            requests: api::RequestsView {
                in_flight: self.in_flight,
                held: u32::try_from(self.callers.held()).unwrap_or(u32::MAX),
                replayed: self.replayed,
            },
            resources: profile
                .resources
                .iter()
                .map(|resource| api::ResourceView {
                    method: resource.method.clone(),
                    path: resource.path.clone(),
                })
                .collect(),
            sandbox: profile.sandbox,
            ways: self.provider.ways(),
            pending: self.pending.as_ref().and_then(|pending| pending.view(now)),
            demand: session.demand().map(|demand| api::Demand {
                acr_values: demand.acr_values.clone(),
                max_age: demand.max_age,
                scope: demand.scope.clone(),
            }),
            said: self.said.clone(),
            browser_logout: self.provider.has_browser_logout(),
        })
    }

    fn access(&self, view: &View) -> Option<api::AccessView> {
        let access = view.access?;
        let form = self.form.as_ref().filter(|(generation, _)| *generation == access.generation);
        let algorithm = form.and_then(|(_, algorithm)| algorithm.clone());
        Some(api::AccessView {
            generation: access.generation,
            jwt: algorithm.is_some(),
            algorithm,
            lifetime_ms: millis(access.lifetime),
            source: access.source,
            remaining_ms: millis(access.remaining),
            rejected: access.rejected,
            dpop: access.kind == TokenType::Dpop,
        })
    }
}

fn phase(phase: Phase, now: Timestamp) -> api::PhaseView {
    match phase {
        Phase::Fresh => api::PhaseView::Fresh,
        Phase::NeedsLogin { why } => api::PhaseView::NeedsLogin { why },
        Phase::Refreshing { cause, attempt } => api::PhaseView::Refreshing { cause, attempt },
        Phase::SigningIn => api::PhaseView::SigningIn,
        Phase::Waiting { until, failures, why, status } => {
            api::PhaseView::Waiting { why, status, failures, retry_in_ms: millis(now.until(until)) }
        }
    }
}
