//! Strings that are not tokens, and tampered tokens.

use super::*;

/// The tokens to tamper with: every algorithm, and the refresh token.
fn tokens() -> Vec<(KeyringFixture, String)> {
    let access = ACCESS_ALGORITHMS.map(|algorithm| {
        let fixture = KeyringFixture::new(algorithm);
        let token = fixture.access();
        (fixture, token)
    });
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let token = fixture.refresh();
    access.into_iter().chain([(fixture, token)]).collect()
}

fn is_good(fixture: &KeyringFixture, token: &str) -> bool {
    fixture.check_access(token).is_ok() || fixture.check_refresh(token).is_ok()
}

/// Row J22: every bit of the text counts.
#[test]
fn j22_a_token_with_any_bit_flipped_is_refused() {
    for (fixture, token) in tokens() {
        assert!(is_good(&fixture, &token));
        for index in 0..token.len() {
            for bit in 0..7 {
                let mut bent = token.clone().into_bytes();
                bent[index] ^= 1 << bit;
                let bent = String::from_utf8(bent).unwrap();
                fixture.assert_refused(&bent, &format!("bit {bit} of byte {index} of {token}"));
            }
        }
    }
}

/// Row J22: every byte of header, payload and signature counts.
#[test]
fn j22_a_token_with_any_decoded_byte_changed_is_refused() {
    for (fixture, token) in tokens() {
        let segments: Vec<&str> = token.split('.').collect();
        for (segment_index, segment) in segments.iter().enumerate() {
            let bytes = jws::decode(segment).unwrap();
            for index in 0..bytes.len() {
                let mut bent = bytes.clone();
                bent[index] = bent[index].wrapping_add(1);
                let mut bent_token = segments.clone();
                let bent = jws::encode(&bent);
                bent_token[segment_index] = &bent;
                fixture.assert_refused(
                    &bent_token.join("."),
                    &format!("byte {index} of {segment_index}"),
                );
            }
        }
    }
}

/// Row J22: segments cut short, doubled, swapped or taken from another token are refused.
#[test]
fn j22_segments_do_not_mix() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let (one, other) = (fixture.access_at(NOW), fixture.access_at(NOW - 1));
    assert!(is_good(&fixture, &one) && is_good(&fixture, &other));
    let (ones, others): (Vec<&str>, Vec<&str>) =
        (one.split('.').collect(), other.split('.').collect());
    let refresh = fixture.refresh();
    let refreshes: Vec<&str> = refresh.split('.').collect();
    for mixed in [
        [ones[0], others[1], ones[2]],
        [ones[0], ones[1], others[2]],
        [ones[0], refreshes[1], refreshes[2]],
        [refreshes[0], ones[1], ones[2]],
        [ones[1], ones[0], ones[2]],
        [ones[2], ones[1], ones[0]],
    ] {
        fixture.assert_refused(&mixed.join("."), "mixed");
    }
    for end in 0..one.len() {
        fixture.assert_refused(&one[..end], "cut short");
    }
}

/// Row J18: a token longer than a header line is refused before it is processed.
#[test]
fn j18_a_token_that_is_too_long_is_refused_at_once() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let claims = segment(&fixture.access(), 1);
    // Spaces after the claims create genuine tokens of any length.
    let padded = |spaces: usize| fixture.forge_access(&format!("{claims}{}", " ".repeat(spaces)));
    let spaces = (crate::jws::TOKEN_LEN_MAX - padded(0).len()) / 4 * 3;
    let (longest, too_long) = (padded(spaces), padded(spaces + 4));
    assert!(longest.len() <= 8192 && too_long.len() > 8192);
    assert!(is_good(&fixture, &longest), "{}", longest.len());
    fixture.assert_refused(&too_long, "8 KiB and a little");
    for length in [1 << 20, 10 << 20] {
        for text in [padded(length), "a".repeat(length), ".".repeat(length)] {
            fixture.assert_refused_fast(&text, "huge");
        }
    }
}

/// Row J20: other strings that a client may send instead of a token.
#[test]
fn j20_texts_that_are_no_tokens_are_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let token = fixture.access();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let around = [
        format!(" {token}"),
        format!("{token} "),
        format!("{token}\n"),
        format!("{token}\0"),
        format!("{token},{token}"),
        format!("{token}, {token}"),
        format!("{token}="),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        format!("{message}..{signature}"),
        format!("{message} .{signature}"),
        format!("Bearer {token}"),
        format!("\u{feff}{token}"),
        token.replacen('.', "..", 1),
        token.replace('.', "%2E"),
        token.replace('.', "\u{ff0e}"),
    ];
    let texts = ["", ".", "..", "...", "a", "a.b", "a.b.c", "Bearer", "null", "é.é.é", "{}", "\0"];
    for text in texts.iter().copied().chain(around.iter().map(String::as_str)) {
        fixture.assert_refused(text, &format!("{text:?}"));
    }
}

/// Row J20: only base64url without padding, and only one spelling of each byte sequence (RFC 7515,
/// section 2; the JSON serialization of RFC 7515, section 7.2 is not supported).
#[test]
fn j20_only_canonical_base64url_is_read() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let claims = segment(&fixture.access(), 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for spaces in 0..3 {
        let token = fixture.forge_access(&format!("{claims}{}", " ".repeat(spaces)));
        assert!(is_good(&fixture, &token));
        for part in 0..3 {
            let segments: Vec<String> = token.split('.').map(str::to_owned).collect();
            let last = segments[part].chars().last().unwrap();
            for other in alphabet.chars().filter(|other| *other != last) {
                let mut bent = segments.clone();
                bent[part].pop();
                bent[part].push(other);
                fixture.assert_refused(&bent.join("."), "another last character");
            }
            for tail in ["=", "==", "?", "\n", " ", "+", "/", "A"] {
                let mut bent = segments.clone();
                bent[part].push_str(tail);
                fixture.assert_refused(&bent.join("."), tail);
            }
        }
    }
    let token = fixture.access();
    let parts: Vec<&str> = token.split('.').collect();
    let json = json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]});
    fixture.assert_refused(&json.to_string(), "the JSON serialization");
}
