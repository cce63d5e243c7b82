//! Answers in the server's place: what a network, a gateway or a limit in front of it says.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::bodies::huge;
use crate::bench::Bench;
use crate::dialect::grammar_of;
use crate::fault::Fault;
use crate::name::{Dialect, Endpoint};
use crate::reply::Reply;
use crate::serve::NoAnswer;

pub(super) fn gate(
    bench: &Bench,
    dialect: Dialect,
    endpoint: Endpoint,
    fault: Fault,
    value: &Value,
) -> Result<Response, NoAnswer> {
    let reply = match fault {
        Fault::Reset => return Err(NoAnswer::Reset),
        Fault::Huge => {
            let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
            return Ok((json, huge(value.as_u64().unwrap_or_default())).into_response());
        }
        Fault::BareStatus => Reply::empty(status(value)),
        Fault::RateLimit => rate_limit(dialect, value),
        Fault::CaptivePortal => Reply::html(StatusCode::OK, PORTAL),
        Fault::Redirect => {
            let there = HeaderValue::from_static("/portal");
            Reply::html(StatusCode::FOUND, PORTAL).with(header::LOCATION, there)
        }
        Fault::NotJson => Reply::text(StatusCode::OK, "All good here, nothing to see.\n"),
        Fault::Refuse => refuse(bench, dialect, endpoint),
        Fault::Status => gateway(status(value)),
        Fault::Hang
        | Fault::Latency
        | Fault::ClockSkew
        | Fault::Omit
        | Fault::StrangeExpiry
        | Fault::SameToken
        | Fault::HeartbeatNo
        | Fault::WrongIss
        | Fault::WrongState
        | Fault::AlgConfusion
        | Fault::WrongIdToken
        | Fault::ForeignMetadata
        | Fault::HttpEndpoints
        | Fault::InteractionRequired
        | Fault::LostAnswer
        | Fault::Truncated => return Err(NoAnswer::Close),
    };
    Ok(reply.into_response())
}

fn refuse(bench: &Bench, dialect: Dialect, endpoint: Endpoint) -> Reply {
    let counters = &mut bench.state().counters[dialect];
    if endpoint.is_protected() {
        counters.unauthorized += 1;
    } else {
        counters.refreshes_refused += 1;
    }
    (grammar_of(dialect).refuse)(endpoint)
}

fn rate_limit(dialect: Dialect, wait: &Value) -> Reply {
    let reply = (grammar_of(dialect).throttled)(wait.as_u64());
    let header = wait.as_str().map_or_else(|| wait.to_string(), str::to_owned);
    match HeaderValue::try_from(header) {
        Ok(header) if !wait.is_null() => reply.with(header::RETRY_AFTER, header),
        _ => reply,
    }
}

fn gateway(status: StatusCode) -> Reply {
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>gateway</center>\r\n</body>\r\n</html>\r\n"
    );
    Reply::html(status, page)
}

fn status(value: &Value) -> StatusCode {
    let status = value.as_u64().and_then(|status| u16::try_from(status).ok());
    status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

pub(crate) fn portal() -> Response {
    Reply::html(StatusCode::OK, PORTAL).into_response()
}

const PORTAL: &str = "<!DOCTYPE html>\n<html>\n<head><title>Welcome to the Grand Hotel Wi-Fi</title></head>\n\
                      <body>\n<h1>Welcome</h1>\n<p>Please accept our terms to go online.</p>\n\
                      <form action=\"/portal\"><button>Accept</button></form>\n</body>\n</html>\n";
