//! Who else could have written a file, or read it. The configuration says where passwords and tokens go, so one that
//! others can write is refused, and so is a passphrase that others can read. A group with no other member is allowed, because many systems give each person one.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Custody {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    Anyone,
    Group,
    Owner,
}

impl Custody {
    /// `us` reads the file. `members` lists a group, `None` if unknown, and is called only where that matters.
    pub fn danger<M>(self, us: u32, members: impl FnOnce(u32) -> Option<M>) -> Option<Danger>
    where
        M: IntoIterator<Item = u32>,
    {
        self.others(WRITABLE_BY_ANYONE, WRITABLE_BY_GROUP, us, members)
    }

    /// The same of reading, for what is secret. Whoever can write it could have put it there.
    pub fn exposure<M>(self, us: u32, members: impl FnOnce(u32) -> Option<M>) -> Option<Danger>
    where
        M: IntoIterator<Item = u32>,
    {
        let (anyone, group) =
            (READABLE_BY_ANYONE | WRITABLE_BY_ANYONE, READABLE_BY_GROUP | WRITABLE_BY_GROUP);
        self.others(anyone, group, us, members)
    }

    fn others<M>(
        self,
        anyone: u32,
        group: u32,
        us: u32,
        members: impl FnOnce(u32) -> Option<M>,
    ) -> Option<Danger>
    where
        M: IntoIterator<Item = u32>,
    {
        let trusted = |uid: u32| uid == us || uid == ROOT;
        if !trusted(self.uid) {
            return Some(Danger::Owner);
        }
        if self.mode & anyone != 0 {
            return Some(Danger::Anyone);
        }
        if self.mode & group == 0 {
            return None;
        }
        let ours = members(self.gid).is_some_and(|members| members.into_iter().all(trusted));
        (!ours).then_some(Danger::Group)
    }
}

/// Root can write anything anyway.
const ROOT: u32 = 0;

const WRITABLE_BY_GROUP: u32 = 0o020;

const WRITABLE_BY_ANYONE: u32 = 0o002;

const READABLE_BY_GROUP: u32 = 0o040;

const READABLE_BY_ANYONE: u32 = 0o004;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_can_write_is_not_believed() {
        const MIA: u32 = 1000;
        const BEN: u32 = 1001;
        let known = |members: &'static [u32]| Some(members);
        for (mode, uid, members, verdict) in [
            (0o600, MIA, None, None),
            (0o644, MIA, None, None),
            (0o644, ROOT, None, None),
            (0o444, BEN, None, Some(Danger::Owner)),
            (0o600, BEN, known(&[MIA]), Some(Danger::Owner)),
            (0o666, MIA, known(&[MIA]), Some(Danger::Anyone)),
            (0o602, ROOT, None, Some(Danger::Anyone)),
            (0o664, MIA, known(&[]), None),
            (0o664, MIA, known(&[MIA]), None),
            (0o664, MIA, known(&[MIA, ROOT]), None),
            (0o664, MIA, known(&[MIA, BEN]), Some(Danger::Group)),
            (0o620, MIA, known(&[BEN]), Some(Danger::Group)),
            (0o664, ROOT, known(&[BEN]), Some(Danger::Group)),
            (0o664, MIA, None, Some(Danger::Group)),
        ] {
            let custody = Custody { mode: 0o100_000 | mode, uid, gid: 100 };
            let asked = |gid| {
                assert_eq!(gid, 100);
                members.map(|members| members.iter().copied())
            };
            assert_eq!(custody.danger(MIA, asked), verdict, "{mode:o} of {uid}, {members:?}");
        }
    }

    #[test]
    fn a_secret_is_for_its_owner_alone() {
        const MIA: u32 = 1000;
        for (mode, uid, members, verdict) in [
            (0o600, MIA, None, None),
            (0o400, 0, None, None),
            (0o640, MIA, Some([MIA]), None),
            (0o640, MIA, Some([1001]), Some(Danger::Group)),
            (0o640, MIA, None, Some(Danger::Group)),
            (0o620, MIA, None, Some(Danger::Group)),
            (0o604, MIA, None, Some(Danger::Anyone)),
            (0o602, MIA, None, Some(Danger::Anyone)),
            (0o600, 1001, None, Some(Danger::Owner)),
        ] {
            let custody = Custody { mode: 0o100_000 | mode, uid, gid: 100 };
            assert_eq!(custody.exposure(MIA, |_| members), verdict, "{mode:o} of {uid}, {members:?}");
        }
    }

    #[test]
    fn a_group_that_may_not_write_is_not_asked_about() {
        let custody = Custody { mode: 0o644, uid: 7, gid: 100 };
        let verdict = custody.danger(7, |_| -> Option<[u32; 0]> { panic!("asked") });
        assert_eq!(verdict, None);
    }
}
