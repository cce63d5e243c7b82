//! What happens to one request of a client: the faults in front of the server, the server, the faults behind it.

mod bodies;
mod gate;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::bench::{Arrival, Bench};
use crate::clock::Moment;
use crate::counters::LogEntry;
use crate::dialect::{Route, grammar_of};
use crate::exchange::{Asked, Exchange};
use crate::fault::Fault;
use crate::name::{Dialect, Endpoint};
use crate::reply::Reply;
use crate::serve::{Gone, NoAnswer};
use crate::switchboard::Plan;
use crate::tweaks::Tweaks;

use self::bodies::torn;
use self::gate::gate;
pub(crate) use self::gate::portal;

pub(crate) async fn answer(State(bench): State<Arc<Bench>>, request: Request) -> Response {
    let method = request.method().clone();
    let Some((dialect, path)) = split(request.uri().path()) else { return nowhere() };
    let path = path.to_owned();
    let route = grammar_of(dialect).route(&method, &path);
    let (endpoint, request) = match told_apart(dialect, route, request).await {
        Ok(told_apart) => told_apart,
        Err(no_answer) => return no_answer.response(),
    };

    let arrived_at = bench.clock.now();
    let arrival = bench.arrive(dialect, endpoint);
    let entry = LogEntry {
        n: 0,
        arrived: arrival.number,
        at_ms: arrived_at.since_start_ms,
        dialect,
        endpoint,
        method: method.to_string(),
        path: request.uri().path().to_owned(),
        status: None,
        fault: arrival.plan.fault,
    };
    let Arrival { plan, in_flight, .. } = arrival;
    let gone = request.extensions().get::<Gone>().cloned();
    if matches!(plan.gate, Some((Fault::Hang, _))) {
        // It is over for the log now: nobody will ever hear of it again.
        bench.state().log.write(entry);
        tokio::select! {
            () = bench.stop.fired() => {}
            () = happened(gone) => {}
        }
        return NoAnswer::Close.response();
    }
    let mut outcome = pin!(process(&bench, &plan, (dialect, endpoint, route), &path, request));
    let outcome = tokio::select! {
        biased;
        outcome = &mut outcome => outcome,
        () = happened(gone) => {
            // A client that has given up and asks again is not asking twice at once.
            drop(in_flight);
            outcome.await
        }
    };
    let status = outcome.as_ref().ok().map(|response| response.status().as_u16());
    bench.state().log.write(LogEntry { status, ..entry });
    outcome.unwrap_or_else(NoAnswer::response)
}

/// What the request is for. Where that is in its body, the body is taken before the request counts as arrived.
async fn told_apart(
    dialect: Dialect,
    route: Option<&Route>,
    request: Request,
) -> Result<(Endpoint, Request), NoAnswer> {
    let Some(route) = route else { return Ok((Endpoint::Other, request)) };
    let Some(by_body) = grammar_of(dialect).by_body else { return Ok((route.endpoint, request)) };
    let (head, body) = request.into_parts();
    let body = to_bytes(body, MOST_BODY).await.map_err(|_| NoAnswer::Close)?;
    let endpoint = by_body(route.path, &body).unwrap_or(route.endpoint);
    Ok((endpoint, Request::from_parts(head, Body::from(body))))
}

async fn process(
    bench: &Bench,
    plan: &Plan,
    (dialect, endpoint, route): (Dialect, Endpoint, Option<&Route>),
    path: &str,
    request: Request,
) -> Result<Response, NoAnswer> {
    let (head, body) = request.into_parts();
    // The body is taken before anything else, or a client that is still sending would see a reset for our haste.
    let body = to_bytes(body, MOST_BODY).await.map_err(|_| NoAnswer::Close)?;
    if plan.latency_ms > 0 {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(plan.latency_ms)) => {}
            () = bench.stop.fired() => return Err(NoAnswer::Close),
        }
    }
    let now = bench.clock.now().skewed(plan.tweaks.skew_s);
    if let Some((fault, value)) = &plan.gate {
        return gate(bench, dialect, endpoint, *fault, value).map(|response| dated(response, now));
    }
    let asked = Asked { head, body, now };
    let reply = match route {
        None => (grammar_of(dialect).not_found)(&asked.head.method, path),
        Some(route) => serve(bench, dialect, route, &asked, &plan.tweaks),
    };
    let response = match plan.after {
        Some(Fault::LostAnswer) => return Err(NoAnswer::Close),
        Some(_) => cut(reply),
        None => reply.into_response(),
    };
    Ok(dated(response, now))
}

fn serve(bench: &Bench, dialect: Dialect, route: &Route, asked: &Asked, tweaks: &Tweaks) -> Reply {
    let mut state = bench.state();
    let state = &mut *state;
    let mut exchange = Exchange {
        dialect,
        speech: &grammar_of(dialect).speech,
        asked,
        tweaks,
        settings: &state.settings,
        mint: &bench.mint,
        book: &mut state.books[dialect],
        ledger: &mut state.ledger,
        counters: &mut state.counters[dialect],
    };
    (route.answer)(&mut exchange).unwrap_or_else(|error| {
        tracing::error!(%error, "the sandbox could not make a token");
        Reply::text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
    })
}

fn cut(reply: Reply) -> Response {
    let promised = reply.body.len().max(LEAST_PROMISED);
    let half = reply.body.len() / 2;
    // 204 has no body that could be cut, and hyper would not let us promise one.
    let status = if reply.status == StatusCode::NO_CONTENT { StatusCode::OK } else { reply.status };
    let part = reply.body[..half].to_vec();
    let mut response = Reply { status, body: Vec::new(), ..reply }.into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(promised));
    *response.body_mut() = torn(part);
    response
}

fn dated(mut response: Response, now: Moment) -> Response {
    let since_1970 = Duration::from_secs(u64::try_from(now.unix_s).unwrap_or_default());
    let date = httpdate::fmt_http_date(UNIX_EPOCH + since_1970);
    if let Ok(date) = HeaderValue::try_from(date) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

async fn happened(gone: Option<Gone>) {
    match gone {
        Some(gone) => gone.happened().await,
        None => std::future::pending().await,
    }
}

fn split(path: &str) -> Option<(Dialect, &str)> {
    if path.starts_with("/.well-known/") {
        // RFC 8414 puts a server's path behind the well-known one.
        let (_, name) = path.rsplit_once('/')?;
        return Some((Dialect::named(name)?, path));
    }
    let path = path.strip_prefix('/')?;
    let end = path.find('/').unwrap_or(path.len());
    Some((Dialect::named(&path[..end])?, &path[end..]))
}

fn nowhere() -> Response {
    let names = Dialect::ALL.map(Dialect::name).join(", /");
    Reply::text(StatusCode::NOT_FOUND, &format!("The dialects of this sandbox are below /{names}.\n"))
        .into_response()
}

const MOST_BODY: usize = 1024 * 1024;
/// So that something is missing even of an empty body.
const LEAST_PROMISED: usize = 64;
