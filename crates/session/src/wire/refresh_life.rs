//! How long a refresh token lives, which few providers say and no standard has a word for.

use core::time::Duration;

use serde_json::Value;

use super::answer::{Clock, JwtTimes};
use super::lifetime::{Lifetime, as_seconds, is_endless, own, reconciled, told};
use crate::tokens::RefreshLife;

/// Of the refresh token in an answer, if there is one. Zero, or less, is what some providers say of one without an end.
pub(crate) fn of(
    field: Option<&Lifetime>,
    json: &Value,
    token: Option<&str>,
    clock: Clock<'_>,
) -> Option<RefreshLife> {
    let times = token.and_then(clock.jwt).unwrap_or_default();
    let iat = times.iat.map(as_seconds);
    // A token that was sent again is older than the answer.
    let from = iat.max(clock.date);
    let own = own(JwtTimes { exp: times.exp.map(as_seconds), iat: from }, iat);
    let told = field.and_then(|field| told(field, json, iat, clock.date));
    let life = match (told, own) {
        (Some(told), Some(own)) => Some(reconciled(told, own)),
        (told, own) => told.or(own),
    };
    let endless = || field.filter(|field| is_endless(field, json)).map(|_| RefreshLife::Endless);
    life.map(|life| RefreshLife::For(Duration::from_millis(life))).or_else(endless)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::lifetime::Unit::Seconds;
    use crate::wire::pointer::Pointer;
    use serde_json::json;

    const DATE: i64 = 1_795_262_400;

    /// Row C12.
    #[test]
    fn a_refresh_token_is_told_of_by_a_field_by_itself_or_not_at_all() {
        let field = Lifetime { at: Pointer::new("/life").unwrap(), unit: Seconds };
        let hours = |n: u64| Some(RefreshLife::For(Duration::from_secs(3600 * n)));
        let jwt = |exp, iat| Some(JwtTimes { exp: Some(DATE + exp), iat: Some(DATE + iat) });
        let endless = Some(RefreshLife::Endless);
        for (json, times, believed) in [
            (json!({ "life": 3600 }), None, hours(1)),
            (json!({ "life": "3600" }), None, hours(1)),
            (json!({ "life": DATE + 3600 }), None, hours(1)),
            (json!({ "life": 0 }), None, endless),
            (json!({ "life": -1 }), None, endless),
            (json!({ "life": "soon" }), None, None),
            (json!({}), None, None),
            (json!({}), jwt(3600, 0), hours(1)),
            (json!({}), jwt(3 * 3600, 3600), hours(2)),
            // It was issued an hour ago, and is sent once more.
            (json!({}), jwt(3600, -3600), hours(1)),
            // It has just been issued, so the clock that it is compared with is wrong.
            (json!({}), jwt(-3600, -7200), hours(1)),
            // An offline token of older servers: `exp` is 1970.
            (json!({ "life": 0 }), jwt(-DATE, 0), endless),
            (json!({ "life": 7200 }), jwt(3600, 0), hours(1)),
            (json!({ "life": 3_600_000 }), jwt(3600, 0), hours(1)),
        ] {
            let clock = Clock { date: Some(DATE), jwt: &|_| times };
            let told = of(Some(&field), &json, Some("token"), clock);
            assert_eq!(told, believed, "{json} {times:?}");
        }
        let clock = Clock { date: None, jwt: &|_| jwt(3600, 0) };
        assert_eq!(of(None, &json!({}), Some("token"), clock), hours(1), "no clock but its own");
        assert_eq!(of(None, &json!({}), None, clock), None, "and it is not the token of before");
    }
}
