//! What providers and what stands before them send, and what it really means. The product reads it with its own code.

use std::time::Duration;

use session::interaction::Need;
use session::oauth::token;
use session::recipe::Recipe;
use session::verdict::Verdict;
use session::wire::answer::{Answer, Clock, JwtTimes};

use crate::dice::Dice;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dialect {
    #[default]
    OAuth,
    Flask,
    /// Its tokens are JWTs, and nothing else says how long they live.
    SimpleJwt,
}

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
    pub(crate) retry_after: Option<Duration>,
    /// In seconds since 1970, by the clock of whoever sent it.
    pub(crate) date: Option<i64>,
    pub(crate) truth: Truth,
}

/// What the sender meant by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// Tokens, and the milliseconds that the access token was said to live.
    Granted {
        refresh: Option<String>,
        access: Option<String>,
        lifetime: Option<u64>,
    },
    Needs,
    /// Anything that says nothing of the token.
    Other,
    Refused,
}

impl Dialect {
    pub(crate) fn read(self, reply: &Reply) -> Verdict {
        let answer = Answer {
            retry_after: reply.retry_after,
            ..Answer::new(reply.status, reply.content_type, &reply.body)
        };
        let clock = Clock { date: reply.date, jwt: &times };
        match self {
            Self::OAuth => token::read_refresh(&answer, clock, &token::Reading::default()).into_verdict(),
            Self::Flask => FLASK.with(|recipe| recipe.read_refresh(&answer, clock)),
            Self::SimpleJwt => SIMPLEJWT.with(|recipe| recipe.read_refresh(&answer, clock)),
        }
    }

    pub(crate) fn tells_by_itself(self) -> bool {
        self == Self::SimpleJwt
    }

    /// A token; a JWT has its times in it, or its end only, where a `Date` says from when.
    pub(crate) fn name(self, name: &str, clock: i64, lifetime: Option<u64>, dates: bool) -> String {
        match (self, lifetime) {
            (Self::OAuth | Self::Flask, _) | (_, None) => name.to_owned(),
            (Self::SimpleJwt, Some(lifetime)) => {
                let (iat, exp) = (clock.div_euclid(1_000), (clock + lifetime as i64).div_euclid(1_000));
                if dates { format!("{name}~~{exp}") } else { format!("{name}~{iat}~{exp}") }
            }
        }
    }

    /// `left` is of the access token, and `rest` of the refresh token.
    pub(crate) fn yes(
        self,
        access: &str,
        refresh: Option<&str>,
        left: Option<u64>,
        rest: Option<u64>,
        truth: Truth,
    ) -> Reply {
        let (a, r) = self.fields();
        let mut body = format!(r#"{{"{a}":"{access}""#);
        if let Some(left) = left.filter(|_| !self.tells_by_itself()) {
            body += &format!(r#","expires_in":{}.{:03}"#, left / 1_000, left % 1_000);
        }
        if let Some(rest) = rest.filter(|_| self == Self::OAuth) {
            body += &format!(r#","refresh_expires_in":{}"#, rest / 1_000);
        }
        if let Some(refresh) = refresh {
            body += &format!(r#","{r}":"{refresh}""#);
        }
        Reply::json(200, body + "}", truth)
    }

    /// The new refresh token is there, and what is beside it is of no use.
    pub(crate) fn mangled(self, refresh: Option<&str>, dice: &mut Dice) -> Reply {
        let (a, r) = self.fields();
        let refresh = refresh.unwrap_or_default();
        let body = match dice.between(0, 3) {
            0 => format!(r#"{{"{r}":"{refresh}"}}"#),
            1 => format!(r#"{{"{a}":null,"{r}":"{refresh}"}}"#),
            2 => format!(r#"{{"{r}":"{refresh}","{a}":"eyJ"#),
            _ => format!("{{\"{r}\":\"{refresh}\",\"{a}\":}}\n<!-- debug -->"),
        };
        let truth = Truth::Granted { refresh: Some(refresh.to_owned()), access: None, lifetime: None };
        Reply::json(200, body, truth)
    }

    pub(crate) fn no(self, mumbles: bool) -> Reply {
        if mumbles {
            return Reply { content_type: "text/html", ..Reply::json(401, "<p>No.".into(), Truth::Refused) };
        }
        let (status, body) = match self {
            Self::OAuth => (400, r#"{"error":"invalid_grant"}"#),
            Self::Flask => (400, r#"{"error":"invalid refresh_token"}"#),
            Self::SimpleJwt => (401, r#"{"detail":"Token is invalid","code":"token_not_valid"}"#),
        };
        Reply::json(status, body.to_owned(), Truth::Refused)
    }

    fn fields(self) -> (&'static str, &'static str) {
        match self {
            Self::OAuth | Self::Flask => ("access_token", "refresh_token"),
            Self::SimpleJwt => ("access", "refresh"),
        }
    }
}

impl Reply {
    pub(crate) fn json(status: u16, body: String, truth: Truth) -> Self {
        Self { status, content_type: "application/json", body, retry_after: None, date: None, truth }
    }

    pub(crate) fn page(status: u16, body: &str) -> Self {
        Self { content_type: "text/html", ..Self::json(status, body.to_owned(), Truth::Other) }
    }

    pub(crate) fn needs(need: Need) -> Self {
        let error = match need {
            Need::AccountSelection => "account_selection_required",
            Need::Consent => "consent_required",
            Need::Login => "login_required",
            Need::Other | Need::Scope | Need::StepUp => "interaction_required",
        };
        Self::json(400, format!(r#"{{"error":"{error}"}}"#), Truth::Needs)
    }
}

fn times(token: &str) -> Option<JwtTimes> {
    let mut parts = token.split('~').skip(1).map(|part| part.parse::<i64>().ok());
    let (iat, exp) = (parts.next()?, parts.next()?);
    Some(JwtTimes { exp, iat })
}

thread_local! {
    static FLASK: Recipe = Recipe::preset("flask").expect("it is a preset");
    static SIMPLEJWT: Recipe = Recipe::preset("simplejwt").expect("it is a preset");
}
