//! A browser with somebody at it: keeps cookies, goes where it is sent, fills in the forms that it meets.
//!
//! No page of a server is known here by its address. The person goes by what a form asks for, as people do, so the
//! same few rules lead through the pages of every server in the tests, and to the keeper's own page at the end.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, Url};
use tokio::runtime::Runtime;

pub(crate) struct Browser {
    client: Client,
    runtime: Runtime,
    /// For every page of 127.0.0.1 alike: cookies do not look at ports.
    cookies: BTreeMap<String, String>,
    passwords_typed: u32,
    /// It is on another machine, and comes back to no port of this one.
    is_elsewhere: bool,
}

/// What the browser shows.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Who is at the browser, and what they want.
#[derive(Clone, Copy)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
    /// Otherwise everything is refused that can be.
    pub(crate) agrees: bool,
}

#[derive(Debug)]
struct Form {
    action: Url,
    /// What is sent whatever the person does.
    fields: BTreeMap<String, String>,
    /// What the person can press, by name.
    buttons: Vec<String>,
}

/// What a person does about a form.
enum Act {
    /// Fills these in and sends it; a button is a field too.
    Send(Vec<(&'static str, String)>),
    /// Says no, and reads what is said to that.
    Refuse(Vec<(&'static str, String)>),
    /// Says no by a link beside the form.
    Leave(Url),
}

impl Browser {
    pub(crate) fn new() -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        Self {
            // Nobody looks after idle connections between two requests, so none is kept.
            client: client.pool_max_idle_per_host(0).build().unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            cookies: BTreeMap::new(),
            passwords_typed: 0,
            is_elsewhere: false,
        }
    }

    /// Opens the address and goes through with what is asked there, to the page that asks nothing more.
    pub(crate) fn follow(&mut self, url: &str, person: Person) -> Page {
        self.go_through(url, person, None)
    }

    /// As on another machine: where it cannot go on.
    pub(crate) fn ends_at(&mut self, url: &str, person: Person) -> String {
        self.is_elsewhere = true;
        self.follow(url, person).url.into()
    }

    /// Enters a device's code on the page for it, and answers the questions that follow.
    pub(crate) fn enter(&mut self, url: &str, code: &str, person: Person) -> Page {
        self.go_through(url, person, Some(code))
    }

    /// Whether there was one to be typed since this was last asked.
    pub(crate) fn has_typed_a_password(&mut self) -> bool {
        std::mem::take(&mut self.passwords_typed) > 0
    }

    pub(crate) fn open(&mut self, url: &str) -> Page {
        self.visit(Method::GET, Url::parse(url).unwrap(), None)
    }

    fn go_through(&mut self, url: &str, person: Person, code: Option<&str>) -> Page {
        let mut page = self.open(url);
        for _ in 0..MOST_FORMS {
            let Some(form) = page.form() else { return page };
            self.passwords_typed += u32::from(form.fields.contains_key("password"));
            page = match person.act(&form, code) {
                Act::Send(filled) => self.send(form, filled),
                Act::Refuse(filled) => return self.send(form, filled),
                Act::Leave(url) => return self.visit(Method::GET, url, None),
            };
        }
        panic!("no end of forms: {page:?}");
    }

    fn send(&mut self, form: Form, filled: Vec<(&'static str, String)>) -> Page {
        let mut fields = form.fields;
        fields.extend(filled.into_iter().map(|(name, value)| (name.to_owned(), value)));
        self.visit(Method::POST, form.action, Some(&fields))
    }

    /// The page at the end of all redirects, each of which is followed with GET, as browsers do.
    fn visit(&mut self, method: Method, url: Url, fields: Option<&BTreeMap<String, String>>) -> Page {
        let mut page = self.ask(method, url, fields);
        for _ in 0..MOST_REDIRECTS {
            let Some(to) = page.headers.get(LOCATION).filter(|_| (300..400).contains(&page.status)) else {
                return page;
            };
            let to = page.url.join(to.to_str().unwrap()).unwrap();
            if self.is_elsewhere && to.path() == "/callback" {
                return Page { url: to, status: 0, headers: HeaderMap::new(), body: String::new() };
            }
            page = self.ask(Method::GET, to, None);
        }
        panic!("no end of redirects: {}", page.url);
    }

    fn ask(&mut self, method: Method, url: Url, fields: Option<&BTreeMap<String, String>>) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.client.request(method, url.clone()).header(COOKIE, cookies.join("; "));
        if let Some(fields) = fields {
            request = request.form(fields);
        }
        let page = self.runtime.block_on(async {
            let response = request.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok(Page { url: url.clone(), status, headers, body: response.text().await? })
        });
        // The query may hold a code, which is for nobody else.
        let page = page.unwrap_or_else(|error: reqwest::Error| {
            panic!("{}: {:?}", url.path(), error.without_url());
        });
        for set in page.headers.get_all(SET_COOKIE) {
            let (pair, rest) = set.to_str().unwrap().split_once(';').unwrap_or((set.to_str().unwrap(), ""));
            let (name, value) = pair.split_once('=').unwrap();
            let over =
                value.is_empty() || rest.contains("1970") || rest.to_ascii_lowercase().contains("max-age=0");
            if over {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        page
    }
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn form(&self) -> Option<Form> {
        // Only of the last one: Django puts the form of its menu first.
        let (_, rest) = self.body.rsplit_once("<form")?;
        let (head, rest) = rest.split_once('>')?;
        let action = attribute(head, "action").unwrap_or_default();
        let mut form =
            Form { action: self.url.join(&action).unwrap(), fields: BTreeMap::new(), buttons: Vec::new() };
        let mut is_inside = true;
        for tag in rest.split('<').skip(1) {
            let tag = tag.split('>').next().unwrap_or_default();
            is_inside &= tag != "/form";
            // Some buttons stand outside and say which form they are of.
            if !is_inside && attribute(tag, "form").is_none() {
                continue;
            }
            let is_button = tag.starts_with("button") || attribute(tag, "type").as_deref() == Some("submit");
            let Some(name) = attribute(tag, "name") else { continue };
            if is_button {
                form.buttons.push(name);
            } else if tag.starts_with("input") {
                form.fields.insert(name, attribute(tag, "value").unwrap_or_default());
            }
        }
        Some(form)
    }
}

impl Person {
    pub(crate) const ALICE: Self = Self { name: "alice", password: "wonderland", agrees: true };

    pub(crate) const fn who_refuses(self) -> Self {
        Self { agrees: false, ..self }
    }

    fn act(self, form: &Form, code: Option<&str>) -> Act {
        let has =
            |name: &str| form.fields.contains_key(name) || form.buttons.iter().any(|button| button == name);
        let mut filled = Vec::new();
        let mut fill = |name, value: &str| filled.push((name, value.to_owned()));
        for name in ["login", "username"] {
            if has(name) {
                fill(name, self.name);
                fill("password", self.password);
            }
        }
        if let Some(code) = code.filter(|_| has("user_code")) {
            fill("user_code", code);
        }
        let is_consent = form.fields.get("prompt").is_some_and(|prompt| prompt == "consent");
        if self.agrees {
            if has("allow") {
                fill("allow", "Authorize");
            } else if has("logout") {
                fill("logout", "yes");
            } else if has("action") {
                fill("action", "accept");
            } else if has("answer") {
                fill("answer", if has("user_code") { "approve" } else { "sign_in" });
            }
            return Act::Send(filled);
        }
        if is_consent {
            return Act::Leave(Url::parse(&format!("{}/abort", form.action)).unwrap());
        }
        if has("allow") {
            // The other button has no name.
        } else if has("action") {
            fill("action", "deny");
        } else if has("answer") {
            fill("answer", if has("user_code") { "deny" } else { "cancel" });
        } else if has("confirm") {
            fill("abort", "yes");
        } else {
            return Act::Send(filled);
        }
        Act::Refuse(filled)
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    Some(value.replace("&quot;", "\"").replace("&#39;", "'").replace("&#x27;", "'").replace("&amp;", "&"))
}

const MOST_FORMS: u32 = 8;
const MOST_REDIRECTS: u32 = 12;
