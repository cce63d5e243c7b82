use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scopes(Vec<&'static str>);

impl Scopes {
    pub(crate) const KNOWN: [&'static str; 6] =
        ["openid", "profile", "email", "offline_access", "api", "reports"];

    pub(crate) fn parse(asked: &str) -> Option<Self> {
        let mut scopes = Vec::new();
        for name in asked.split(' ').filter(|name| !name.is_empty()) {
            let known = Self::KNOWN.into_iter().find(|known| *known == name)?;
            if !scopes.contains(&known) {
                scopes.push(known);
            }
        }
        Some(Self(scopes))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    pub(crate) fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|name| self.has(name))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_known_or_refused() {
        let scopes = Scopes::parse("openid api openid").unwrap();
        assert_eq!(scopes.to_string(), "openid api");
        assert_eq!(Scopes::parse("openid everything"), None);
        assert!(scopes.covers(&Scopes::parse("api").unwrap()) && !scopes.has("reports"));
        assert!(!Scopes::parse("api").unwrap().covers(&scopes));
    }
}
