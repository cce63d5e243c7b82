//! An answer before it goes out: whole, so that a fault can still cut it in two.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Vec<u8>,
}

/// A JSON object whose fields stay in the order in which the imitated server writes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(pub(crate) Vec<(&'static str, Field)>);

#[derive(Clone, Debug)]
pub(crate) enum Field {
    Plain(Value),
    Fields(Fields),
}

impl Reply {
    pub(crate) fn json(status: StatusCode, content_type: &'static str, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self::raw(status, content_type, body)
    }

    pub(crate) fn html(status: StatusCode, page: impl Into<Vec<u8>>) -> Self {
        Self::raw(status, "text/html; charset=utf-8", page.into())
    }

    pub(crate) fn text(status: StatusCode, text: &str) -> Self {
        Self::raw(status, "text/plain; charset=utf-8", text.into())
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn raw(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        Self::empty(status).with(header::CONTENT_TYPE, HeaderValue::from_static(content_type)).body(body)
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}

impl Fields {
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Field>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    pub(crate) fn with_some(self, name: &'static str, value: Option<impl Into<Field>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            match value {
                Field::Plain(value) => map.serialize_entry(name, value)?,
                Field::Fields(fields) => map.serialize_entry(name, fields)?,
            }
        }
        map.end()
    }
}

impl<T: Into<Value>> From<T> for Field {
    fn from(value: T) -> Self {
        Self::Plain(value.into())
    }
}

impl From<Fields> for Field {
    fn from(fields: Fields) -> Self {
        Self::Fields(fields)
    }
}
