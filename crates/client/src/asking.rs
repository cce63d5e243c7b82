//! A method per request: fails with the keeper's refusal or [`KeeperUnreachable`](api::Code::KeeperUnreachable).

use api::secret::Password;
use api::{
    Asker, Bench, BenchChange, Discovery, Draft, Entry, Failure, Fetch, Fetched, Overview, Pending, Problem,
    Reply, Request, Token, Way,
};

use crate::{Client, unreachable};

macro_rules! expect {
    ($client:ident, $request:expr, $reply:pat => $value:expr) => {
        match $client.ask($request)? {
            $reply => Ok($value),
            _ => Err(unreachable(Problem::AnsweredElse)),
        }
    };
}

impl Client {
    pub fn add(&mut self, draft: Draft) -> Result<Overview, Failure> {
        expect!(self, Request::Add(Box::new(draft)), Reply::Status(overview) => overview)
    }

    pub fn bench(&mut self, profile: &str) -> Result<Bench, Failure> {
        expect!(self, Request::Bench { profile: profile.into() }, Reply::Bench(bench) => bench)
    }

    pub fn cancel_sign_in(&mut self, profile: &str) -> Result<(), Failure> {
        expect!(self, Request::CancelSignIn { profile: profile.into() }, Reply::Done => ())
    }

    pub fn discover(
        &mut self,
        issuer: &str,
        allow_http: bool,
        ca_file: Option<String>,
    ) -> Result<Discovery, Failure> {
        let request = Request::Discover { issuer: issuer.into(), allow_http, ca_file };
        expect!(self, request, Reply::Discovered(discovery) => discovery)
    }

    pub fn fetch(&mut self, fetch: Fetch) -> Result<Fetched, Failure> {
        expect!(self, Request::Fetch(fetch), Reply::Fetched(fetched) => fetched)
    }

    pub fn finish_sign_in(&mut self, profile: &str, timeout_ms: Option<u64>) -> Result<Overview, Failure> {
        let request = Request::FinishSignIn { profile: profile.into(), timeout_ms };
        expect!(self, request, Reply::Status(overview) => overview)
    }

    pub fn hello(&mut self) -> Result<String, Failure> {
        let request = Request::Hello { version: crate::VERSION.to_owned() };
        expect!(self, request, Reply::Hello { version, .. } => version)
    }

    /// The address at which the browser has ended that could not come here.
    pub fn land_sign_in(&mut self, profile: &str, address: Password) -> Result<(), Failure> {
        expect!(self, Request::LandSignIn { profile: profile.into(), address }, Reply::Done => ())
    }

    pub fn log(
        &mut self,
        profile: Option<&str>,
        before: Option<i64>,
        limit: Option<u32>,
    ) -> Result<Vec<Entry>, Failure> {
        let request = Request::Log { profile: profile.map(str::to_owned), before, limit };
        expect!(self, request, Reply::Log { entries } => entries)
    }

    pub fn login(&mut self, profile: &str, username: &str, password: Password) -> Result<Overview, Failure> {
        let request = Request::Login { profile: profile.into(), username: username.into(), password };
        expect!(self, request, Reply::Status(overview) => overview)
    }

    /// With `browser`, returns the page on which to sign out at the provider as well.
    pub fn logout(&mut self, profile: &str, browser: bool) -> Result<Option<String>, Failure> {
        let reply = self.ask(Request::Logout { profile: profile.into(), browser })?;
        if let Reply::Open { url } = reply {
            return Ok(Some(url));
        }
        matches!(reply, Reply::Done).then_some(None).ok_or_else(|| unreachable(Problem::AnsweredElse))
    }

    pub fn refresh(&mut self, profile: &str, by: Asker) -> Result<Overview, Failure> {
        expect!(self, Request::Refresh { profile: profile.into(), by }, Reply::Status(overview) => overview)
    }

    pub fn remove(&mut self, profile: &str) -> Result<(), Failure> {
        expect!(self, Request::Remove { profile: profile.into() }, Reply::Done => ())
    }

    pub fn set_bench(&mut self, profile: &str, change: BenchChange) -> Result<Bench, Failure> {
        expect!(self, Request::SetBench { profile: profile.into(), change }, Reply::Bench(bench) => bench)
    }

    /// Returns what to show to the person, and what to open in a browser.
    pub fn sign_in(&mut self, profile: &str, way: Option<Way>) -> Result<(Pending, Option<String>), Failure> {
        let request = Request::SignIn { profile: profile.into(), way };
        expect!(self, request, Reply::SignIn { pending, url } => (pending, url))
    }

    pub fn status(&mut self, profile: Option<&str>) -> Result<Overview, Failure> {
        let request = Request::Status { profile: profile.map(str::to_owned) };
        expect!(self, request, Reply::Status(overview) => overview)
    }

    pub fn stop(&mut self, force: bool) -> Result<(), Failure> {
        expect!(self, Request::Stop { force }, Reply::Done => ())
    }

    /// For a person who waits, and may be asked in a dialog of the keyring.
    pub fn unlock(&mut self, passphrase: Option<Password>) -> Result<Overview, Failure> {
        expect!(self, Request::Unlock { passphrase }, Reply::Status(overview) => overview)
    }

    pub fn token(&mut self, request: Request) -> Result<Token, Failure> {
        expect!(self, request, Reply::Token(token) => token)
    }
}
