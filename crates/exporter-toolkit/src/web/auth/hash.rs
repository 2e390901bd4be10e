//! Stored passwords.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// A bcrypt hash: `$2a$`, `$2b$` or `$2y$`, a cost of 4 to 31, salt and digest.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: Arc<str>,
    cost: u32,
}

/// The longest password, in bytes. bcrypt ignores the rest, so that every password that begins
/// alike would be right.
pub(super) const MAX_PASSWORD: usize = 72;

/// The result of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    Right,
    Wrong,
}

impl PasswordHash {
    /// Checks `text`; what it says is not repeated in the complaint, since it might be a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let complaint = "is not a bcrypt hash such as `htpasswd -nBC 10 \"\"` prints ($2a$, $2b$ \
                         or $2y$, 60 characters)";
        if !["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            return Err(complaint.to_owned());
        }
        let text = with_plain_salt(text).unwrap_or_else(|| text.to_owned());
        let parts: bcrypt::HashParts = text.parse().map_err(|_| complaint.to_owned())?;
        match parts.get_cost() {
            cost @ 4..=31 => Ok(Self {
                text: text.into(),
                cost,
            }),
            cost => Err(format!("has a cost of {cost}; bcrypt knows 4 to 31")),
        }
    }

    /// A hash of nothing anyone knows, which takes as long to compare as any other of this cost.
    fn decoy(cost: u32) -> Self {
        Self {
            text: format!("$2b${cost:02}$hHZlPjRqHZpFpjnpXRlqyeXrXDZCWfVnp3sRo8rqEpo6QVzLdCeEe")
                .into(),
            cost,
        }
    }

    /// The exponent of the number of rounds.
    pub fn cost(&self) -> u32 {
        self.cost
    }

    /// Takes a twentieth of a second at cost 10, and twice that for each step above.
    fn compare(&self, password: &[u8]) -> Match {
        // The hash was parsed before, so that the only error there is cannot come. A password that
        // is too long is compared as well: refusing it takes no less time than any other.
        let is_same = bcrypt::verify(password, &self.text).unwrap_or(false);
        if is_same && password.len() <= MAX_PASSWORD {
            Match::Right
        } else {
            Match::Wrong
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Clears the four bits of the salt's last character that bcrypt does not use. Some programs that
/// make hashes leave them set; Go does not mind, and neither must we.
fn with_plain_salt(text: &str) -> Option<String> {
    const SALT: std::ops::Range<usize> = 7..29;
    let lenient = GeneralPurpose::new(&BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));
    let salt = lenient.decode(text.get(SALT)?).ok()?;
    Some(
        [
            text.get(..SALT.start)?,
            &lenient.encode(salt),
            text.get(SALT.end..)?,
        ]
        .concat(),
    )
}

/// The users and their passwords; without users no password is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users(BTreeMap<String, PasswordHash>);

impl Users {
    /// Users by name.
    pub fn new(users: BTreeMap<String, PasswordHash>) -> Self {
        Self(users)
    }

    /// Returns whether no password is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the hash to compare a password of `name` with. `selector` is a number that depends
    /// on the name and that no client can predict.
    pub(super) fn find(&self, name: &[u8], selector: impl FnOnce() -> u64) -> Stored {
        match str::from_utf8(name).ok().and_then(|name| self.0.get(name)) {
            Some(hash) => Stored::User(hash.clone()),
            None => Stored::Decoy(PasswordHash::decoy(self.cost_of_one(selector()))),
        }
    }

    fn cost_of_one(&self, selector: u64) -> u32 {
        let users = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        let index = selector
            .checked_rem(users)
            .and_then(|index| usize::try_from(index).ok());
        index
            .and_then(|index| self.0.values().nth(index))
            .map_or(10, PasswordHash::cost)
    }
}

/// The hash that a password is compared with.
pub(super) enum Stored {
    /// The hash of the user.
    User(PasswordHash),
    /// There is no such user. Which of the users' costs the decoy has depends on the name, so that
    /// neither one try nor many tell a name that is there from one that is not.
    Decoy(PasswordHash),
}

impl Stored {
    pub(super) fn as_bytes(&self) -> &[u8] {
        let (Self::User(hash) | Self::Decoy(hash)) = self;
        hash.text.as_bytes()
    }

    pub(super) fn compare(&self, password: &[u8]) -> Match {
        match self {
            Self::User(hash) => hash.compare(password),
            Self::Decoy(hash) => {
                hash.compare(password);
                Match::Wrong
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_bcrypt_is_understood() {
        // From the test vectors of crypt_blowfish: "U*U*" at cost 5. The three versions differ for
        // passwords that no program of the last ten years makes.
        for version in ["2a", "2b", "2y"] {
            let hash = PasswordHash::parse(&format!(
                "${version}$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"
            ))
            .expect(version);
            assert_eq!(hash.compare(b"U*U*"), Match::Right, "{version}");
            assert_eq!(hash.compare(b"U*U"), Match::Wrong, "{version}");
        }
    }

    #[test]
    fn a_password_that_bcrypt_would_cut_off_is_wrong() {
        let longest = "x".repeat(MAX_PASSWORD);
        let hash =
            PasswordHash::parse(&bcrypt::hash(&longest, 4).expect("hashes")).expect("parses");
        assert_eq!(hash.compare(longest.as_bytes()), Match::Right);
        assert_eq!(hash.compare(format!("{longest}x").as_bytes()), Match::Wrong);
    }

    #[test]
    fn a_salt_with_stray_bits_is_taken_as_go_takes_it() {
        let hash =
            PasswordHash::parse("$2a$05$CCCCCCCCCCCCCCCCCCCCC/VGOzA784oUp/Z0DY336zx7pLYAy0lwK")
                .expect("parses");
        assert_eq!(hash.compare(b"U*U*"), Match::Right);
    }

    #[test]
    fn what_is_no_hash_is_refused_and_not_repeated() {
        for bad in [
            "",
            "hunter2",
            "$2$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
            "$2x$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
            "$1$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lw",
            "$2a$03$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
            "$2a$32$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC!VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
            "$2a$05$é",
        ] {
            let complaint = PasswordHash::parse(bad).expect_err(bad);
            assert!(bad.is_empty() || !complaint.contains(bad), "{complaint}");
        }
    }

    #[test]
    fn a_decoy_costs_what_a_user_of_the_file_costs() {
        let hash = |cost| PasswordHash::decoy(cost);
        let users = Users::new([("a".to_owned(), hash(4)), ("b".to_owned(), hash(12))].into());
        assert_eq!(
            [0, 1, 2, 3, u64::MAX].map(|selector| users.cost_of_one(selector)),
            [4, 12, 4, 12, 12]
        );
    }

    #[test]
    fn a_decoy_is_a_hash_that_no_password_opens() {
        let decoy = PasswordHash::decoy(4);
        assert_eq!(PasswordHash::parse(&decoy.text), Ok(decoy.clone()));
        assert_eq!(
            Stored::Decoy(
                PasswordHash::parse(&bcrypt::hash("x", 4).expect("hashes")).expect("parses")
            )
            .compare(b"x"),
            Match::Wrong
        );
    }

    #[test]
    fn hashes_are_not_shown() {
        assert_eq!(format!("{:?}", PasswordHash::decoy(4)), "<secret>");
    }
}
