use std::fs;

use nix::unistd::{Gid, Group, User};

/// The effective user.
pub fn id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The user who started this process.
pub fn real_id() -> u32 {
    rustix::process::getuid().as_raw()
}

/// The users that the group names, and those whose own group it is; `None` when unknown.
pub fn members(gid: u32) -> Option<Vec<u32>> {
    let named = Group::from_gid(Gid::from_raw(gid)).ok()?.map(|group| group.mem).unwrap_or_default();
    let mut members = Vec::new();
    for name in named {
        members.extend(User::from_name(&name).ok()?.map(|user| user.uid.as_raw()));
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    members.extend(users.lines().filter_map(|line| owner_of_group(line, gid)));
    Some(members)
}

/// The user of a line of `passwd(5)`, if the group is their own.
fn owner_of_group(line: &str, gid: u32) -> Option<u32> {
    let mut fields = line.split(':').skip(2).map(str::parse::<u32>);
    let uid = fields.next()?.ok()?;
    let own = fields.next()?.ok()?;
    (own == gid).then_some(uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_of_ones_own_is_found_in_the_list_of_users() {
        let line = "mia:x:1000:1000:Mia,,,:/home/mia:/bin/sh";
        assert_eq!(owner_of_group(line, 1000), Some(1000));
        assert_eq!(owner_of_group(line, 100), None);
        for line in ["", "mia", "mia:x:y:1000", "mia:x:1000", "+::::::"] {
            assert_eq!(owner_of_group(line, 1000), None, "{line}");
        }
    }

    #[test]
    fn whose_own_group_it_is_is_a_member() {
        assert!(members(0).unwrap().contains(&0), "root is in its own group");
        assert_eq!(members(4_000_000_000), Some(Vec::new()), "nobody is in a group that there is not");
    }
}
