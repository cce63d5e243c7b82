use std::fs;
use std::io::{self, Read as _};

use api::{Code, Failure, Fetched, Problem};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::args::Fetch;
use crate::ended::{Ended, FAILED};
use crate::face::Face;
use crate::millis;

pub(crate) fn fetch(face: &Face, asked: &Fetch) -> Result<u8, Ended> {
    let body = asked.data.as_deref().map(body).transpose()?;
    let method = match (&asked.request, &body) {
        (Some(method), _) => method.clone(),
        (None, Some(_)) => "POST".to_owned(),
        (None, None) => "GET".to_owned(),
    };
    let request = api::Fetch {
        by: api::Asker::Machine,
        profile: asked.name.clone(),
        path: asked.path.clone(),
        method: Some(method.clone()),
        headers: asked.headers.iter().map(|header| split(header)).collect::<Result<_, _>>()?,
        body,
        timeout_ms: asked.timeout.map(millis),
    };
    let fetched = face.connect()?.fetch(request)?;
    if face.json {
        face.print_json(&fetched)?;
    } else {
        let mut text = if asked.include { head(&fetched).into_bytes() } else { Vec::new() };
        text.extend(bytes(&fetched)?);
        face.print(text)?;
    }
    if fetched.status < 400 {
        let kind = fetched.headers.get("content-type").map(String::as_str).unwrap_or_default();
        if kind.contains("html") {
            face.tell("cli.fetch.page", &[]);
        }
        return Ok(0);
    }
    let values = [("method", &*method), ("path", &asked.path), ("status", &fetched.status.to_string())];
    face.tell("cli.fetch.status", &values);
    Ok(FAILED)
}

fn body(data: &str) -> Result<String, Ended> {
    let Some(file) = data.strip_prefix('@') else { return Ok(data.to_owned()) };
    let read = if file == "-" {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    Ok(read.map_err(|error| bad_request(Problem::said_of(file, error)))?)
}

fn split(header: &str) -> Result<(String, String), Ended> {
    let (name, value) = header.split_once(':').ok_or(Ended::Usage(Problem::HeaderForm))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn head(fetched: &Fetched) -> String {
    let headers = fetched.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
    format!("HTTP {}\n{}\n", fetched.status, headers.collect::<String>())
}

fn bytes(fetched: &Fetched) -> Result<Vec<u8>, Ended> {
    if fetched.base64 {
        Ok(STANDARD.decode(&fetched.body).map_err(|error| bad_request(Problem::said(error)))?)
    } else {
        Ok(fetched.body.clone().into_bytes())
    }
}

fn bad_request(problem: Problem) -> Failure {
    Failure::new(Code::BadRequest).because(problem)
}
