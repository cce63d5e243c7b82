use std::ops::Range;

use api::Problem;
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use session::recipe::Recipe;
use toml_edit::{Item, Key, TableLike, Value};

use super::hint::{self, Told};

pub(super) struct Wrong {
    pub(super) field: String,
    pub(super) span: Option<Range<usize>>,
    pub(super) told: Told,
}

impl Wrong {
    pub(super) fn of_serde(error: &toml_edit::de::Error, table: &Item) -> Box<Self> {
        let span = error.span();
        let field = span.as_ref().map(|span| field_at(table, span)).unwrap_or_default();
        Box::new(Self { told: hint::of_serde(error.message(), &field), field, span })
    }
}

/// Values keep their place in the file, so that mistakes have a line.
pub(super) fn recipe(preset: Option<&str>, over: &Item) -> Result<Recipe, Box<Wrong>> {
    let wrong = |told| Box::new(Wrong { field: String::new(), span: over.span(), told });
    let mut merged = over.clone();
    let Some(table) = merged.as_table_like_mut() else {
        let problem = Problem::NotATable { key: "recipe".to_owned() };
        return Err(wrong((problem, hint::write("[profile.NAME.recipe]"))));
    };
    let off: Vec<_> = OPTIONAL.into_iter().filter(|key| is_off(table.get(key))).collect();
    if let Some(text) = preset.and_then(Recipe::preset_text) {
        let json: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        lay_under(table, &json, DEPTH);
    }
    for key in off {
        table.remove(key);
    }
    let value =
        merged.into_value().map_err(|_| wrong((Problem::Empty { key: "recipe".to_owned() }, None)))?;
    let read =
        Recipe::deserialize(value.into_deserializer()).map_err(|error| Wrong::of_serde(&error, over))?;
    read.check().map_err(|(key, flaw)| {
        let span = over.as_table_like().and_then(|table| table.key(key)).and_then(Key::span);
        Box::new(Wrong { field: key.to_owned(), span, told: (flaw.into(), None) })
    })?;
    Ok(read)
}

/// Values below the third level, such as a place or a rule, are replaced whole.
fn lay_under(table: &mut dyn TableLike, preset: &serde_json::Value, depth: usize) {
    for (key, value) in preset.as_object().into_iter().flatten() {
        match table.get_mut(key) {
            None => {
                if let Some(value) = to_toml(value) {
                    table.insert(key, Item::Value(value));
                }
            }
            Some(item) if depth > 1 => {
                if let Some(inner) = item.as_table_like_mut() {
                    lay_under(inner, value, depth - 1);
                }
            }
            Some(_) => {}
        }
    }
}

fn to_toml(json: &serde_json::Value) -> Option<Value> {
    Some(match json {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(flag) => (*flag).into(),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(list) => Value::Array(list.iter().filter_map(to_toml).collect()),
        serde_json::Value::Object(object) => {
            let pairs = object.iter().filter_map(|(key, value)| Some((key.as_str(), to_toml(value)?)));
            Value::InlineTable(pairs.collect())
        }
    })
}

pub(super) fn is_off(item: Option<&Item>) -> bool {
    item.and_then(Item::as_bool) == Some(false)
}

fn field_at(item: &Item, span: &Range<usize>) -> String {
    let mut found = Vec::new();
    if let Some(table) = item.as_table_like() {
        descend(table, span, &mut found);
    }
    found.join(".")
}

fn descend(table: &dyn TableLike, span: &Range<usize>, found: &mut Vec<String>) -> bool {
    for (name, item) in table.iter() {
        found.push(name.to_owned());
        let is_key = table.key(name).and_then(Key::span).is_some_and(|key| key == *span);
        let inside = match item {
            Item::ArrayOfTables(tables) => tables.iter().any(|inner| descend(inner, span, found)),
            Item::Table(inner) => descend(inner, span, found),
            Item::Value(value) => descend_value(value, span, found),
            Item::None => false,
        };
        let holds = item.span().is_some_and(|it| it.start <= span.start && span.end <= it.end);
        if is_key || inside || holds {
            return true;
        }
        found.pop();
    }
    false
}

fn descend_value(value: &Value, span: &Range<usize>, found: &mut Vec<String>) -> bool {
    match value.as_array() {
        Some(list) => list.iter().any(|inner| descend_value(inner, span, found)),
        None => value.as_inline_table().is_some_and(|inner| descend(inner, span, found)),
    }
}

const OPTIONAL: [&str; 3] = ["heartbeat", "login", "logout"];

const DEPTH: usize = 3;
