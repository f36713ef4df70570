//! `EmailAddress`: one canonical form of an email address, for comparison and storage.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// An email address in its canonical form: NFKC, both parts in lower case, the domain in ASCII.
///
/// The address is normalized first and checked afterwards. A character that becomes special only
/// through normalization (such as a full-width `＠`) does not pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(String);

/// Why a string is not an acceptable email address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailAddressError {
    /// The address is longer than [`EmailAddress::LEN_MAX`] bytes, or one of its parts is too long.
    #[error("an email address must have at most 254 bytes, and at most 64 before the '@'")]
    TooLong,
    /// The address contains a control, zero-width or direction character.
    #[error("an email address must not contain invisible characters")]
    Invisible,
    /// The address is not one local part, one '@' and one domain.
    #[error("an email address must have the form name@example.org")]
    Form,
}

impl EmailAddress {
    /// Maximum length of an email address in bytes (RFC 5321, section 4.5.3.1.3, without the angle
    /// brackets).
    pub const LEN_MAX: usize = 254;
    /// Maximum length of the part before the `@` in bytes (RFC 5321, section 4.5.3.1.1).
    pub const LOCAL_LEN_MAX: usize = 64;

    /// Parses an email address and brings it into its canonical form.
    pub fn parse(text: &str) -> Result<Self, EmailAddressError> {
        // Normalization lengthens a string at most 18-fold: bound the work first.
        if text.len() > Self::LEN_MAX * 4 {
            return Err(EmailAddressError::TooLong);
        }
        if text.chars().any(is_invisible) {
            return Err(EmailAddressError::Invisible);
        }
        let folded: String = text.nfkc().collect::<String>().to_lowercase().nfkc().collect();
        if folded.chars().any(is_invisible) {
            return Err(EmailAddressError::Invisible);
        }
        let (local, domain) = folded.split_once('@').ok_or(EmailAddressError::Form)?;
        if !is_dot_atom(local) {
            return Err(EmailAddressError::Form);
        }
        let domain = ascii_domain(domain)?;
        if local.len() > Self::LOCAL_LEN_MAX || local.len() + 1 + domain.len() > Self::LEN_MAX {
            return Err(EmailAddressError::TooLong);
        }
        Ok(Self(format!("{local}@{domain}")))
    }

    /// Returns the canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the part before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }

    /// Returns the part after the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Returns whether a character is invisible or changes how others are displayed.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// A dot-atom (RFC 5321, section 4.1.2), with letters and digits of all scripts (RFC 6531).
fn is_dot_atom(local: &str) -> bool {
    let allowed =
        |character: char| character.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(character);
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(allowed))
}

/// Returns the domain in ASCII: at least two labels of letters, digits and inner hyphens.
fn ascii_domain(domain: &str) -> Result<String, EmailAddressError> {
    // UTS 46 treats these as dots. A trailing one is dropped, an inner one separates labels.
    let domain = domain.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
    let domain = domain.strip_suffix('.').unwrap_or(&domain);
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| EmailAddressError::Form)?;
    let labels: Vec<&str> = ascii.split('.').collect();
    let well_formed = labels.len() >= 2 && labels.iter().all(|label| is_label(label));
    let is_address = labels.last().is_some_and(|last| is_ipv4_number(last));
    if well_formed && !is_address { Ok(ascii) } else { Err(EmailAddressError::Form) }
}

/// Returns whether a last label makes the host an IPv4 address for those who resolve it: a decimal
/// or a hexadecimal number (WHATWG URL Standard, "ends in a number"). The label is in lower case.
fn is_ipv4_number(label: &str) -> bool {
    let is_hexadecimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    label.bytes().all(|byte| byte.is_ascii_digit())
        || label.strip_prefix("0x").is_some_and(is_hexadecimal)
}

/// One label of a host name (RFC 1123, section 2.1).
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> String {
        EmailAddress::parse(text)
            .unwrap_or_else(|error| panic!("{text:?}: {error}"))
            .as_str()
            .to_owned()
    }

    #[test]
    fn spellings_of_one_address_are_one_address() {
        for spelling in
            ["Ada@Example.ORG", "ada@example.org.", "ａｄａ@example.org", "ada@example。org"]
        {
            assert_eq!(canonical(spelling), "ada@example.org", "{spelling:?}");
        }
        assert_eq!(canonical("info@BÜCHER.example"), "info@xn--bcher-kva.example");
        assert_eq!(canonical("ada+tag@example.org"), "ada+tag@example.org");
    }

    /// Row A5: nothing that could mean two recipients, a header or another host.
    #[test]
    fn a5_ambiguous_addresses_are_refused() {
        for bad in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.org",
            "ada@@example.org",
            "ada@example",
            "victim@good.com\u{ff20}evil.com",
            "\"a@b\"@c.org",
            "\"ada\"@example.org",
            "ada(comment)@example.org",
            "ada@(c)example.org",
            "a@b.org,c@d.org",
            "a@b.org;c@d.org",
            "a b@example.org",
            "<ada@example.org>",
            "Ada <ada@example.org>",
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "ada@127.0.0.0x1",
            "ada@example.0XFF",
            "ada@example.0x",
            "ada@[IPv6:::1]",
            ".ada@example.org",
            "ada.@example.org",
            "a..da@example.org",
            "ada@-example.org",
            "ada@example..org",
            "ada@exa_mple.org",
            "ada@example.org/x",
            "ada@example.org:25",
            "ada\\@example.org",
            "ada@example.org\u{ff0f}x",
        ] {
            assert_eq!(EmailAddress::parse(bad), Err(EmailAddressError::Form), "{bad:?}");
        }
        for bad in [
            "ada@example.org\r\nBcc: eve@example.org",
            "ada\0@example.org",
            "a\u{200b}da@example.org",
            "ada@exam\u{202e}ple.org",
            "\u{feff}ada@example.org",
            "ada\u{ad}@example.org",
            "a\tb@example.org",
        ] {
            assert_eq!(EmailAddress::parse(bad), Err(EmailAddressError::Invisible), "{bad:?}");
        }
        for bad in [
            format!("{}@example.org", "a".repeat(65)),
            format!("ada@{}org", "example.".repeat(40)),
            "a".repeat(100_000),
        ] {
            assert!(EmailAddress::parse(&bad).is_err());
        }
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_its_own_canonical_form(text in "\\PC{1,20}@\\PC{1,20}\\.org") {
            if let Ok(email) = EmailAddress::parse(&text) {
                prop_assert_eq!(EmailAddress::parse(email.as_str()), Ok(email));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = EmailAddress::parse(&text);
        }
    }
}
