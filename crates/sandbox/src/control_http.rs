//! [`Control`] over HTTP. Any program on the machine may ask, but no web page, which can reach loopback too: it is told
//! by its `Origin`, or, where a browser was fooled about an address, by its `Host`. No answer holds a token.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{delete, get, patch, post, put};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::{Control, What};
use crate::fault::Fault;
use crate::invalid::{Invalid, fields};
use crate::name::Dialect;
use crate::switchboard::Switch;

pub(crate) fn routes(control: Control, address: SocketAddr) -> Router {
    let with = |act: fn(&Control, &Asked) -> Result<Value, Invalid>| {
        let control = control.clone();
        move |path: Option<Path<String>>, query: Query<Vec<(String, String)>>, body: Bytes| {
            let asked = Asked { name: path.map(|Path(name)| name), query: query.0, body };
            std::future::ready(match act(&control, &asked) {
                Ok(told) => Json(told).into_response(),
                Err(invalid) => refusal(StatusCode::BAD_REQUEST, &invalid),
            })
        }
    };
    Router::new()
        .route("/", get(with(overview)))
        .route("/faults", delete(with(clear_faults)))
        .route("/faults/{name}", put(with(set_fault)).delete(with(clear_fault)))
        .route("/settings", patch(with(patch_settings)))
        .route("/revoke", post(with(revoke)))
        .route("/devices", get(with(devices)).post(with(answer_device)))
        .route("/counters", get(with(counters)))
        .route("/log", get(with(log)).delete(with(clear_log)))
        .fallback(with(nothing))
        .method_not_allowed_fallback(with(nothing))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .layer(from_fn(move |request: Request, next: Next| async move {
            match unwelcome(request.headers(), address) {
                Some(invalid) => refusal(StatusCode::FORBIDDEN, &invalid),
                None => next.run(request).await,
            }
        }))
}

struct Asked {
    name: Option<String>,
    query: Vec<(String, String)>,
    body: Bytes,
}

fn overview(control: &Control, _asked: &Asked) -> Result<Value, Invalid> {
    let (faults, settings, counters) = (control.faults(), control.settings(), control.counters());
    Ok(json!({"faults": faults, "settings": settings, "counters": counters}))
}

fn set_fault(control: &Control, asked: &Asked) -> Result<Value, Invalid> {
    let fault = asked.fault()?;
    let switch = if asked.body.is_empty() { Switch::default() } else { Switch::parse(&asked.json()?)? };
    Ok(json!(control.set_fault(fault, switch)?))
}

fn clear_fault(control: &Control, asked: &Asked) -> Result<Value, Invalid> {
    Ok(json!(control.clear_fault(asked.fault()?)))
}

fn clear_faults(control: &Control, _asked: &Asked) -> Result<Value, Invalid> {
    control.clear_faults();
    Ok(json!({"faults": control.faults()}))
}

fn patch_settings(control: &Control, asked: &Asked) -> Result<Value, Invalid> {
    Ok(json!(control.patch_settings(&asked.json()?)?))
}

fn revoke(control: &Control, asked: &Asked) -> Result<Value, Invalid> {
    let body = asked.json()?;
    let body = fields(&body, "the body", &["what", "dialect", "user"])?;
    let what = body.get("what").unwrap_or(&Value::Null);
    let what = What::deserialize(what)
        .map_err(|_| Invalid::field("what", what, "\"access\", \"refresh\" or \"all\""))?;
    let given = |name: &str| body.get(name).filter(|value| !value.is_null());
    let dialect = given("dialect").map(|value| Dialect::parse("dialect", value)).transpose()?;
    let user = given("user")
        .map(|value| value.as_str().ok_or_else(|| Invalid::field("user", value, "a user's name")))
        .transpose()?;
    Ok(json!({"revoked": control.revoke(what, dialect, user)?}))
}

fn devices(control: &Control, _asked: &Asked) -> Result<Value, Invalid> {
    Ok(json!({"devices": control.devices()}))
}

fn answer_device(control: &Control, asked: &Asked) -> Result<Value, Invalid> {
    let body = asked.json()?;
    let body = fields(&body, "the body", &["user_code", "answer", "user"])?;
    let text = |name: &str, hint: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(other) => Err(Invalid::field(name, other, hint)),
    };
    let user_code = text("user_code", "a code that a device shows")?.unwrap_or_default();
    let user = match text("answer", ANSWERS)? {
        Some("approve") => Some(text("user", "a user's name")?.unwrap_or("alice")),
        Some("deny") => None,
        _ => return Err(Invalid::field("answer", body.get("answer").unwrap_or(&Value::Null), ANSWERS)),
    };
    Ok(json!({"device": control.answer_device(user_code, user)?}))
}

fn counters(control: &Control, _asked: &Asked) -> Result<Value, Invalid> {
    Ok(json!(control.counters()))
}

fn log(control: &Control, asked: &Asked) -> Result<Value, Invalid> {
    let mut after = 0;
    for (name, value) in &asked.query {
        if name != "after" {
            return Err(Invalid::unknown_field(name, &["after"]));
        }
        after = value
            .parse()
            .map_err(|_| Invalid::field("after", &json!(value), "the n of the last entry that you have"))?;
    }
    Ok(json!({"entries": control.log(after)}))
}

fn clear_log(control: &Control, _asked: &Asked) -> Result<Value, Invalid> {
    control.clear_log();
    Ok(json!({"entries": []}))
}

fn nothing(_control: &Control, _asked: &Asked) -> Result<Value, Invalid> {
    let paths = "GET /control, PUT or DELETE /control/faults/{name}, DELETE /control/faults, PATCH \
                 /control/settings, POST /control/revoke, GET or POST /control/devices, GET /control/counters, GET or DELETE /control/log";
    Err(Invalid::new("unknown_path", "the control has no such path", paths))
}

impl Asked {
    fn fault(&self) -> Result<Fault, Invalid> {
        let name = self.name.as_deref().unwrap_or_default();
        Fault::named(name).ok_or_else(|| {
            let names = Fault::ALL.map(Fault::name).join(", ");
            Invalid::new("unknown_fault", format!("there is no fault `{name}`"), format!("one of {names}"))
        })
    }

    fn json(&self) -> Result<Value, Invalid> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Invalid::new("not_json", format!("the body is not JSON: {error}"), "a JSON object")
        })
    }
}

fn unwelcome(headers: &HeaderMap, address: SocketAddr) -> Option<Invalid> {
    let here = address.to_string();
    let hint = || format!("ask {here} directly, with a program that is not a browser");
    if headers.contains_key(header::ORIGIN) {
        return Some(Invalid::new("web_page", "`Origin` says that a web page is asking", hint()));
    }
    let host = headers.get(header::HOST).map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    match host {
        Some(host) if host == here => None,
        host => {
            let host = host.unwrap_or_default();
            Some(Invalid::new(
                "foreign_host",
                format!("`Host` is `{host}`, which is not this server"),
                hint(),
            ))
        }
    }
}

fn refusal(status: StatusCode, invalid: &Invalid) -> Response {
    (status, Json(json!({"error": invalid}))).into_response()
}

const ANSWERS: &str = "\"approve\" or \"deny\"";
