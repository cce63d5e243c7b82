//! Which file imports which, read from their `use` lines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The files of one crate, by the path of their module (`main_loop::run`; empty for the crate's root), and what each
/// of them imports.
pub(crate) fn imports(src: &Path, sources: &[(PathBuf, String)]) -> BTreeMap<String, BTreeSet<String>> {
    let modules: BTreeMap<String, &str> =
        sources.iter().filter_map(|(path, text)| Some((module(src, path)?, text.as_str()))).collect();
    let find = |path: &str| {
        let mut path = path.to_owned();
        while !modules.contains_key(&path) {
            path = path.rsplit_once("::").map_or_else(String::new, |(above, _)| above.to_owned());
        }
        path
    };
    let of = |(module, text): (&String, &&str)| {
        let written = text.split("#[cfg(test)]").next().unwrap_or_default();
        let imported = uses(written).into_iter().filter_map(|used| absolute(module, &used));
        let files = imported.map(|path| find(&path)).filter(|found| found != module);
        (module.clone(), files.collect())
    };
    modules.iter().map(of).collect()
}

/// A way from a module back to itself, if there is one.
pub(crate) fn circle(imports: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut done = BTreeSet::new();
    imports.keys().find_map(|start| follow(start, imports, &mut Vec::new(), &mut done))
}

fn follow(
    module: &str,
    imports: &BTreeMap<String, BTreeSet<String>>,
    way: &mut Vec<String>,
    done: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if let Some(at) = way.iter().position(|before| before == module) {
        return Some(way[at..].to_vec());
    }
    if !done.insert(module.to_owned()) {
        return None;
    }
    way.push(module.to_owned());
    let found = imports[module].iter().find_map(|next| follow(next, imports, way, done));
    way.pop();
    found
}

fn module(src: &Path, file: &Path) -> Option<String> {
    let inside = file.strip_prefix(src).ok()?.with_extension("");
    let parts: Vec<&str> = inside.iter().filter_map(|part| part.to_str()).collect();
    match parts.as_slice() {
        ["lib" | "main"] => Some(String::new()),
        parts => Some(parts.join("::")),
    }
}

/// Every path of every `use`, its braces taken apart.
fn uses(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("use ") {
        let begins = rest[..at].rsplit('\n').next().unwrap_or_default().trim();
        rest = &rest[at + 4..];
        if (begins.is_empty() || begins.starts_with("pub"))
            && let Some(end) = rest.find(';')
        {
            spread("", &rest[..end].split_whitespace().collect::<String>(), &mut all);
        }
    }
    all
}

fn spread(before: &str, tree: &str, into: &mut Vec<String>) {
    let Some((path, inside)) = tree.split_once('{') else {
        return into.push(format!("{before}{tree}"));
    };
    let (mut depth, mut start) = (0, 0);
    let inside = inside.strip_suffix('}').unwrap_or(inside);
    for (at, c) in inside.char_indices().chain([(inside.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                spread(&format!("{before}{path}"), &inside[start..at], into);
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// The path from the crate's root; nothing for what is another crate's, or below the module itself.
fn absolute(module: &str, used: &str) -> Option<String> {
    if let Some(path) = used.strip_prefix("crate::") {
        return Some(path.to_owned());
    }
    let (mut above, mut rest) = (module, used);
    rest.strip_prefix("super::")?;
    while let Some(next) = rest.strip_prefix("super::") {
        above = above.rsplit_once("::").map_or("", |(above, _)| above);
        rest = next;
    }
    Some(if above.is_empty() { rest.to_owned() } else { format!("{above}::{rest}") })
}
