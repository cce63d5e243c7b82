use std::time::Duration;

use session::limits;

use api::{Fetch, Request};

pub(super) fn own_time(request: &Request) -> Option<Duration> {
    match request {
        Request::Token { timeout_ms, .. } | Request::Fetch(Fetch { timeout_ms, .. }) => {
            Some(timeout_ms.map_or(limits::CALLER, Duration::from_millis))
        }
        Request::FinishSignIn { timeout_ms, .. } => {
            Some(timeout_ms.map_or(limits::FACE_WITH_PERSON, Duration::from_millis))
        }
        Request::Login { .. } | Request::Refresh { .. } | Request::Unlock { .. } => {
            Some(limits::FACE_WITH_PERSON)
        }
        // Each message may take what its profile says.
        Request::Bench { .. } | Request::SetBench { .. } | Request::SignIn { .. } => {
            Some(limits::FACE_WITH_PROVIDER)
        }
        Request::Add(_)
        | Request::CancelSignIn { .. }
        | Request::Discover { .. }
        | Request::Hello { .. }
        | Request::LandSignIn { .. }
        | Request::Log { .. }
        | Request::Logout { .. }
        | Request::Remove { .. }
        | Request::Status { .. }
        | Request::Stop { .. }
        | Request::Watch => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_asks_a_provider_has_the_time_of_its_messages() {
        let profile = || "a".to_owned();
        let begins = limits::begin_sign_in(limits::LONGEST_MESSAGE);
        for request in
            [Request::SignIn { profile: profile(), way: None }, Request::Bench { profile: profile() }]
        {
            let own = own_time(&request);
            assert!(own.is_some_and(|own| own > begins), "{request:?}: {own:?}");
        }
        assert_eq!(own_time(&Request::Status { profile: None }), None);
    }
}
