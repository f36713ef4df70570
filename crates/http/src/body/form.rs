//! The pairs of a form body.

use percent_encoding::percent_decode;

/// Reads the pairs of a form body (URL Standard, section 5.1). `None` if a name or a value is not
/// UTF-8: replacing what cannot be decoded would make different passwords equal.
pub(crate) fn form_pairs(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let pairs = bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let decoded = pairs.map(|pair| {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        Some((decode(parts.next().unwrap_or(b""))?, decode(parts.next().unwrap_or(b""))?))
    });
    decoded.collect()
}

fn decode(part: &[u8]) -> Option<String> {
    let part: Vec<u8> = part.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Some(percent_decode(&part).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::form_pairs;

    #[test]
    fn pairs_are_decoded_and_kept_in_order() {
        let pairs = form_pairs(b"a=1+2&b=%c3%a4&&c&d=x=y").unwrap();
        let expected = [("a", "1 2"), ("b", "\u{e4}"), ("c", ""), ("d", "x=y")];
        assert_eq!(pairs, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        for form in [&b"password=p%E4ss"[..], b"password=p\xe4ss", b"%ff=1"] {
            assert_eq!(form_pairs(form), None);
        }
    }
}
