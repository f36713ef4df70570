//! Argon2id hashes in PHC form: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.

use password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt};

/// Only Argon2id (RFC 9106).
const ALGORITHM: Ident = argon2::ARGON2ID_IDENT;

/// Only version 1.3.
const VERSION: u32 = 0x13;

/// Maximum memory of a stored hash, in KiB. The defaults of other systems reach 100 MiB. Each hash
/// thread may need this much at once, so a corrupt row must not demand more.
pub(super) const MEMORY_KIB_MAX: u32 = 256 * 1024;

/// Maximum number of iterations of a stored hash. With the maximum memory such a hash takes
/// seconds, and a corrupt row cannot occupy a thread for longer.
pub(super) const ITERATIONS_MAX: u32 = 32;

/// Maximum number of lanes of a stored hash. Lanes are computed one after the other, so they cost
/// nothing extra. The limit only bounds the accepted input.
const LANES_MAX: u32 = 64;

/// Length of a salt in bytes: from the minimum of RFC 9106, section 3.1 to more than any system
/// uses.
const SALT_LEN: std::ops::RangeInclusive<usize> = 8..=48;

/// Length of a hash in bytes: from the shortest that resists a search for a match to more than any
/// system uses.
const OUTPUT_LEN: std::ops::RangeInclusive<usize> = 16..=64;

/// The cost of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) memory_kib: u32,
    pub(super) iterations: u32,
    pub(super) lanes: u32,
}

impl Cost {
    /// Returns the parameters for the algorithm, unless it refuses them.
    pub(super) fn params(self, output_len: usize) -> Option<argon2::Params> {
        let in_range = self.memory_kib <= MEMORY_KIB_MAX
            && self.iterations <= ITERATIONS_MAX
            && self.lanes <= LANES_MAX;
        if !in_range {
            return None;
        }
        argon2::Params::new(self.memory_kib, self.iterations, self.lanes, Some(output_len)).ok()
    }
}

/// A hash and everything needed to compute it again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Phc {
    pub(super) cost: Cost,
    pub(super) salt: Vec<u8>,
    pub(super) output: Vec<u8>,
}

impl Phc {
    /// Parses a hash. `None` if it is not a valid Argon2id hash within the limits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hash = PasswordHash::new(text).ok()?;
        if hash.algorithm != ALGORITHM || hash.version != Some(VERSION) {
            return None;
        }
        // Exactly these parameters, in this order.
        let mut params = hash.params.iter();
        let mut number = |name: &str| {
            let (given, value) = params.next()?;
            (given.as_str() == name).then(|| value.decimal().ok())?
        };
        let (memory_kib, iterations, lanes) = (number("m")?, number("t")?, number("p")?);
        if params.next().is_some() {
            return None;
        }
        let cost = Cost { memory_kib, iterations, lanes };
        let (salt, output) = (hash.salt?.as_ref().to_vec(), hash.hash?.as_bytes().to_vec());
        let sound = SALT_LEN.contains(&salt.len())
            && OUTPUT_LEN.contains(&output.len())
            && cost.params(output.len()).is_some();
        sound.then_some(Self { cost, salt, output })
    }

    /// Formats a hash. `None` if the salt or the output is too long for the format.
    pub(super) fn write(&self) -> Option<String> {
        let Cost { memory_kib, iterations, lanes } = self.cost;
        let mut params = ParamsString::new();
        for (name, number) in [("m", memory_kib), ("t", iterations), ("p", lanes)] {
            params.add_decimal(name, number).ok()?;
        }
        let hash = PasswordHash {
            algorithm: ALGORITHM,
            version: Some(VERSION),
            params,
            salt: Some(Salt::new(&self.salt).ok()?),
            hash: Some(Output::new(&self.output).ok()?),
        };
        Some(hash.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$MDEyMzQ1Njc4OWFiY2RlZg";

    #[test]
    fn what_is_written_can_be_read() {
        let phc = Phc::parse(GOOD).unwrap();
        assert_eq!(phc.cost, Cost { memory_kib: 19456, iterations: 2, lanes: 1 });
        assert_eq!(
            (phc.salt.as_slice(), phc.write().as_deref()),
            (&b"saltsaltsalt"[..], Some(GOOD))
        );
    }

    #[test]
    fn anything_else_is_refused() {
        let edits = [
            ("argon2id", "argon2i"),
            ("v=19", "v=16"),
            ("$v=19", ""),
            ("m=19456", "m=019456"),
            ("m=19456", "m=+19456"),
            ("m=19456", "m="),
            ("m=19456", "m=7"),
            ("m=19456", "m=4294967296"),
            ("m=19456,t=2", "t=2,m=19456"),
            ("t=2", "t=0"),
            ("t=2,p=1", "t=2"),
            ("p=1", "p=1,keyid=eA"),
            ("p=1", "p=0"),
            ("p=1", "p=65"),
            ("c2FsdHNhbHRzYWx0", "c2FsdA"),
            ("c2FsdHNhbHRzYWx0", ""),
            ("c2FsdHNhbHRzYWx0", "c2FsdHNhbHRzYWx0=="),
            ("$MDEy", "$"),
            ("OWFiY2RlZg", "OWFiY2RlZh"),
            ("$MDEyMzQ1Njc4OWFiY2RlZg", ""),
            ("Y2RlZg", "Y2RlZg$x"),
        ];
        for (from, to) in edits {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from} stands there");
            assert!(Phc::parse(&text).is_none(), "{text}");
        }
        for text in ["", "$", "plain", "$2b$12$abc", &format!("{GOOD}$"), &format!(" {GOOD}")] {
            assert!(Phc::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_hash_that_asks_for_absurd_amounts_is_refused() {
        let with = |from, to: String| Phc::parse(&GOOD.replacen(from, &to, 1));
        assert!(with("m=19456", format!("m={MEMORY_KIB_MAX}")).is_some());
        assert!(with("m=19456", format!("m={}", MEMORY_KIB_MAX + 1)).is_none());
        assert!(with("t=2", format!("t={ITERATIONS_MAX}")).is_some());
        assert!(with("t=2", format!("t={}", ITERATIONS_MAX + 1)).is_none());
    }
}
