//! Who can sign in, and what is theirs: enough believable data that a window has something to show.

use serde::Serialize;

/// Names and passwords, which are no secret here.
pub const USERS: [(&str, &str); 3] = [("alice", "wonderland"), ("bob", "builder"), ("爱丽丝", "仙境")];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Person {
    Alice,
    Bob,
    Ailisi,
    /// A client that asks for itself. Nobody signs in as it, so it is not among [`Self::ALL`].
    Service,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stranger {
    NoSuchUser,
    WrongPassword,
}

#[derive(Serialize)]
pub(crate) struct Profile {
    pub(crate) username: &'static str,
    pub(crate) name: &'static str,
    pub(crate) email: &'static str,
    pub(crate) city: &'static str,
    pub(crate) plan: &'static str,
    #[serde(rename = "memberSince")]
    pub(crate) member_since: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Order {
    pub(crate) id: &'static str,
    pub(crate) placed: &'static str,
    pub(crate) item: &'static str,
    pub(crate) quantity: u32,
    pub(crate) total: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) status: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Orders {
    pub(crate) orders: &'static [Order],
}

impl Person {
    pub(crate) const ALL: [Self; 3] = [Self::Alice, Self::Bob, Self::Ailisi];

    pub(crate) fn sign_in(username: &str, password: &str) -> Result<Self, Stranger> {
        let person = Self::named(username).ok_or(Stranger::NoSuchUser)?;
        if person.password() == password { Ok(person) } else { Err(Stranger::WrongPassword) }
    }

    pub(crate) fn named(username: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|person| person.username() == username)
    }

    pub(crate) fn username(self) -> &'static str {
        self.profile().username
    }

    pub(crate) fn email(self) -> &'static str {
        self.profile().email
    }

    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Alice => 1,
            Self::Bob => 2,
            Self::Ailisi => 3,
            Self::Service => 4,
        }
    }

    fn password(self) -> &'static str {
        match self {
            Self::Alice => USERS[0].1,
            Self::Bob => USERS[1].1,
            Self::Ailisi => USERS[2].1,
            Self::Service => "",
        }
    }

    pub(crate) fn profile(self) -> Profile {
        match self {
            Self::Alice => Profile {
                username: "alice",
                name: "Alice Liddell",
                email: "alice@example.test",
                city: "Oxford",
                plan: "Looking Glass",
                member_since: "2021-05-04",
            },
            Self::Bob => Profile {
                username: "bob",
                name: "Bob Mason",
                email: "bob@example.test",
                city: "Rotterdam",
                plan: "Workshop",
                member_since: "2023-11-20",
            },
            Self::Ailisi => Profile {
                username: "爱丽丝",
                name: "李爱丽丝",
                email: "ailisi@example.test",
                city: "杭州",
                plan: "仙境会员",
                member_since: "2022-02-01",
            },
            Self::Service => Profile {
                username: "pilotlight-service",
                name: "The service itself",
                email: "service@example.test",
                city: "",
                plan: "",
                member_since: "2024-01-01",
            },
        }
    }

    pub(crate) fn orders(self) -> &'static [Order] {
        match self {
            Self::Alice => ALICES,
            Self::Bob => BOBS,
            Self::Ailisi => AILISIS,
            Self::Service => &[],
        }
    }
}

const ALICES: &[Order] = &[
    order("PL-10482", "2026-11-18", "Pocket watch, silver", 1, "129.00", "GBP", "in transit"),
    order("PL-10455", "2026-11-02", "Tea set for six", 1, "84.50", "GBP", "delivered"),
    order("PL-10391", "2026-10-09", "Playing cards, painted", 2, "17.80", "GBP", "delivered"),
    order("PL-10277", "2026-08-27", "Looking glass, oak frame", 1, "240.00", "GBP", "returned"),
];

const BOBS: &[Order] = &[
    order("PL-10490", "2026-11-20", "Facing bricks, red, pallet", 3, "1185.00", "EUR", "processing"),
    order("PL-10468", "2026-11-11", "Mortar mix 25 kg", 12, "106.80", "EUR", "delivered"),
    order("PL-10402", "2026-10-15", "Spirit level 60 cm", 1, "38.95", "EUR", "delivered"),
];

const AILISIS: &[Order] = &[
    order("PL-10487", "2026-11-19", "明前龙井 250 克", 2, "536.00", "CNY", "运输中"),
    order("PL-10440", "2026-10-28", "青瓷茶杯一套", 1, "268.00", "CNY", "已签收"),
    order("PL-10333", "2026-09-14", "油纸伞", 1, "99.00", "CNY", "已签收"),
];

const fn order(
    id: &'static str,
    placed: &'static str,
    item: &'static str,
    quantity: u32,
    total: &'static str,
    currency: &'static str,
    status: &'static str,
) -> Order {
    Order { id, placed, item, quantity, total, currency, status }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_signs_in_with_their_own_password_only() {
        for ((username, password), person) in USERS.into_iter().zip(Person::ALL) {
            assert_eq!(Person::sign_in(username, password), Ok(person));
        }
        assert_eq!(Person::sign_in("alice", "builder"), Err(Stranger::WrongPassword));
        assert_eq!(Person::sign_in("zed", "builder"), Err(Stranger::NoSuchUser));
    }
}
