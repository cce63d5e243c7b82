use core::time::Duration;

pub(super) const NAMES: [&str; 4] = ["flask", "heartbeat", "nestjs", "simplejwt"];

pub(super) fn text(name: &str) -> Option<&'static str> {
    match name {
        "flask" => Some(include_str!("preset/flask.json")),
        "heartbeat" => Some(include_str!("preset/heartbeat.json")),
        "nestjs" => Some(include_str!("preset/nestjs.json")),
        "simplejwt" => Some(include_str!("preset/simplejwt.json")),
        _ => None,
    }
}

/// simplejwt's clients look at `exp` before every request, with five minutes to spare.
pub(super) fn refresh_before(name: &str) -> Option<Duration> {
    (name == "simplejwt").then_some(Duration::from_secs(300))
}
