//! Invalid claims under a valid signature.

use super::*;

/// An access token contains exactly the claims of RFC 9068, section 2.2 and of the API contract.
#[test]
fn an_access_token_says_exactly_this() {
    for algorithm in ACCESS_ALGORITHMS {
        let fixture = KeyringFixture::new(algorithm);
        let token = fixture.access();
        assert_eq!(segment(&token, 0), fixture.access_header());
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "client_id": ISSUER,
            "sub": "0190b2a4-7c1e-7d3a-8f00-bbbbbbbbbbbb",
            "sid": "0190b2a4-7c1e-7d3a-8f00-1234567890ab",
            "jti": "0190b2a4-7c1e-7d3a-8f00-aaaaaaaaaaaa",
            "iat": NOW, "nbf": NOW, "exp": NOW + ACCESS_TTL, "auth_time": NOW - 60,
            "username": "Maria", "email": "maria@example.org", "email_verified": true,
            "roles": ["admin", "user"],
            "permissions": ["audit:read", "roles:grant", "roles:read", "roles:write",
                "sessions:end", "sessions:read", "users:read", "users:write"],
            "amr": ["pwd"],
        });
        assert_eq!(segment(&token, 1), claims);
        let read = AccessClaims {
            id: token_id(),
            key_id: fixture.keys[0].id.clone(),
            user_id: user().id,
            session_id: session_id(),
            auth_time: at(NOW - 60),
            issued_at: at(NOW),
            expires_at: at(NOW + ACCESS_TTL),
        };
        assert_eq!(fixture.check_access(&token), Ok(read));
    }
}

#[test]
fn an_access_token_says_what_the_roles_gave_when_the_account_was_read() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let permissions = PermissionSet::from_text("users:read,audit:read");
    let user = User { roles: vec![RoleName::parse("support").unwrap()], permissions, ..user() };
    let token = fixture.keyring.sign_access(&grant(&user, NOW)).unwrap();
    let claims = segment(token.expose(), 1);
    assert_eq!(claims["roles"], json!(["support"]));
    assert_eq!(claims["permissions"], json!(["audit:read", "users:read"]));
}

/// Row J9: every claim is required, even with a valid signature.
#[test]
fn j9_a_token_without_any_one_claim_is_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let claims = segment(&fixture.access(), 1);
    assert!(
        fixture.check_access(&fixture.forge_access(&claims.to_string())).is_ok(),
        "the forge works"
    );
    for name in claims.as_object().unwrap().keys() {
        fixture.assert_refused(&fixture.forge_access(&with(&claims, name, None)), name);
    }
    let refresh = fixture.refresh();
    let (header, claims) = (segment(&refresh, 0).to_string(), segment(&refresh, 1));
    for name in claims.as_object().unwrap().keys() {
        let token = fixture.forge(fixture.refresh_id(), &header, &with(&claims, name, None));
        fixture.assert_refused(&token, name);
    }
}

/// Row J10: each claim has its type, and a number its range.
#[test]
fn j10_a_claim_of_another_type_is_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let claims = segment(&fixture.access(), 1);
    let wrong = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(1e20),
        json!(u64::MAX),
        json!(i64::MAX),
        json!("1800000900"),
        json!(""),
        json!([]),
        json!([NOW]),
        json!({}),
        json!({"a": "b"}),
    ];
    for name in claims.as_object().unwrap().keys() {
        for value in wrong.iter().filter(|value| !is_right(name, value)) {
            let token = fixture.forge_access(&with(&claims, name, Some(value.clone())));
            fixture.assert_refused(&token, &format!("{name} = {value}"));
        }
    }
    let exponent = claims.to_string().replace(&format!("{}", NOW + ACCESS_TTL), "1.8000009e9");
    assert_ne!(exponent, claims.to_string());
    fixture.assert_refused(&fixture.forge_access(&exponent), "an integer in another spelling");
}

/// Returns whether the value has the claim's type.
fn is_right(name: &str, value: &Value) -> bool {
    match name {
        "email_verified" => value.is_boolean(),
        "roles" | "permissions" | "amr" => value == &json!([]),
        "username" | "email" => value.is_string(),
        _ => false,
    }
}

/// Row J10: the same for refresh tokens.
#[test]
fn j10_a_claim_of_a_refresh_token_of_another_type_is_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let refresh = fixture.refresh();
    let (header, claims) = (segment(&refresh, 0).to_string(), segment(&refresh, 1));
    let short = jws::encode(&[1; 31]);
    for name in claims.as_object().unwrap().keys() {
        for value in [json!(null), json!(0.5), json!(-1), json!("x"), json!([]), json!(short)] {
            let payload = with(&claims, name, Some(value.clone()));
            let token = fixture.forge(fixture.refresh_id(), &header, &payload);
            fixture.assert_refused(&token, &format!("{name} = {value}"));
        }
    }
    let payload = with(&claims, "gen", Some(json!(0)));
    fixture.assert_refused(&fixture.forge(fixture.refresh_id(), &header, &payload), "generation 0");
}

/// Row J10: the claims are one JSON object without duplicate members.
#[test]
fn j10_claims_with_a_duplicate_member_are_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let claims = segment(&fixture.access(), 1).to_string();
    let with_more = |more: &str| format!("{{{more},{}", &claims[1..]);
    assert!(
        fixture.check_access(&fixture.forge_access(&with_more(r#""x":{"a":1,"b":2}"#))).is_ok()
    );
    for more in [
        format!(r#""exp":{}"#, NOW + ACCESS_TTL),
        r#""x":{"a":1,"a":1}"#.to_owned(),
        r#""x":[{"a":1,"\u0061":1}]"#.to_owned(),
    ] {
        fixture.assert_refused(&fixture.forge_access(&with_more(&more)), &more);
    }
    for payload in ["[]", "\"x\"", "1", "null", &claims[1..], &format!("{claims}x")] {
        fixture.assert_refused(&fixture.forge_access(payload), payload);
    }
}

/// Row J11: expiry is exact to the second; a time of issue may be five seconds ahead.
#[test]
fn j11_time_has_no_leeway_but_that_of_the_clocks() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let claims = segment(&fixture.access(), 1);
    let set = |name: &str, seconds: i64| {
        let token = fixture.forge_access(&with(&claims, name, Some(json!(seconds))));
        fixture.check_access(&token).map(|_| ())
    };
    assert_eq!(set("exp", NOW + 1), Ok(()));
    for seconds in [0, 1, 6, 3600, NOW] {
        assert_eq!(set("exp", NOW - seconds), Err(TokenError::Expired));
    }
    for name in ["nbf", "iat"] {
        assert_eq!(set(name, NOW + 5), Ok(()), "{name}");
        for seconds in [6, 3600, 1_000_000_000] {
            assert_eq!(set(name, NOW + seconds), Err(TokenError::Invalid), "{name}");
        }
    }
    let token = fixture.access();
    let micros =
        |micros| fixture.check_access_at(&token, at(NOW + ACCESS_TTL).minus_micros(micros));
    assert!(micros(1).is_ok());
    assert_eq!(micros(0), Err(TokenError::Expired));
}

/// Row J11: a refresh token cannot have been issued later than by the clock that is furthest ahead.
#[test]
fn j11_a_refresh_token_to_come_is_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let refresh = fixture.refresh();
    let check = |seconds| fixture.keyring.verify_refresh(&refresh, at(NOW + seconds)).map(|_| ());
    assert_eq!(check(-5), Ok(()));
    assert_eq!(check(-6), Err(TokenError::Invalid));
}

trait MinusMicros {
    fn minus_micros(self, micros: i64) -> Self;
}

impl MinusMicros for Timestamp {
    fn minus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.micros() - micros)
    }
}

/// Row J11: only a token that is otherwise valid is reported as expired.
#[test]
fn j11_a_foreign_token_is_never_called_expired() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let claims = segment(&fixture.access_at(NOW - 3600), 1);
    let token = fixture.forge_access(&claims.to_string());
    assert_eq!(fixture.check_access(&token), Err(TokenError::Expired));
    let foreign = with(&claims, "iss", Some(json!("https://evil.example")));
    fixture.assert_refused(&fixture.forge_access(&foreign), "foreign and expired");
    let (rest, last) = token.split_at(token.len() - 1);
    let bent = format!("{rest}{}", if last == "A" { "Q" } else { "A" });
    assert_eq!(fixture.check_access(&bent), Err(TokenError::Invalid));
}

/// Row J13: the issuer is compared exactly.
#[test]
fn j13_another_issuer_is_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let claims = segment(&fixture.access(), 1);
    let refresh = fixture.refresh();
    let (header, refresh_claims) = (segment(&refresh, 0).to_string(), segment(&refresh, 1));
    for issuer in [
        "https://id.example.org/",
        "https://ID.example.org",
        "https://id.example.org:443",
        "http://id.example.org",
        "https://id.example.org.",
        "https://staging.example.org",
        "",
    ] {
        let token = fixture.forge_access(&with(&claims, "iss", Some(json!(issuer))));
        fixture.assert_refused(&token, issuer);
        let payload = with(&refresh_claims, "iss", Some(json!(issuer)));
        fixture.assert_refused(&fixture.forge(fixture.refresh_id(), &header, &payload), issuer);
    }
    // The same keys under another issuer, as after a change of the settings.
    let moved = KeyringSettings { issuer: "https://new.example.org".to_owned(), ..settings() };
    let moved = keyring_with(moved, &fixture.master);
    moved.install_keys(&fixture.keys).unwrap();
    assert_eq!(moved.verify_access(&fixture.access(), at(NOW)), Err(TokenError::Invalid));
    assert_eq!(moved.verify_refresh(&refresh, at(NOW)), Err(TokenError::Invalid));
}

/// Row J14: the audience is one string, that of this installation.
#[test]
fn j14_another_audience_is_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let claims = segment(&fixture.access(), 1);
    for audience in [
        json!("https://other.example.org"),
        json!("https://api.example.org/"),
        json!(ISSUER),
        json!(["https://other.example.org"]),
        json!([AUDIENCE, "https://other.example.org"]),
        json!([AUDIENCE]),
        json!([]),
        json!({"aud": AUDIENCE}),
    ] {
        let token = fixture.forge_access(&with(&claims, "aud", Some(audience.clone())));
        fixture.assert_refused(&token, &audience.to_string());
    }
    let refresh = fixture.refresh();
    let (header, claims) = (segment(&refresh, 0).to_string(), segment(&refresh, 1));
    for audience in [AUDIENCE, "", "https://id.example.org/"] {
        let payload = with(&claims, "aud", Some(json!(audience)));
        fixture.assert_refused(&fixture.forge(fixture.refresh_id(), &header, &payload), audience);
    }
}

/// Row J15: a genuine token of the other kind is reported as such, even if it has expired.
#[test]
fn j15_a_token_of_the_other_kind_is_named_as_such() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let (access, refresh) = (fixture.access(), fixture.refresh());
    assert_eq!(fixture.check_access(&refresh), Err(TokenError::WrongKind));
    assert_eq!(fixture.check_refresh(&access).err(), Some(TokenError::WrongKind));
    let late = at(NOW + 700_000);
    assert_eq!(fixture.check_access_at(&refresh, late), Err(TokenError::WrongKind));
    assert_eq!(fixture.keyring.verify_refresh(&access, late).err(), Some(TokenError::WrongKind));
    let (message, signature) = refresh.rsplit_once('.').unwrap();
    let bent = format!("{message}.{}", signature.chars().rev().collect::<String>());
    assert_eq!(fixture.check_access(&bent), Err(TokenError::Invalid), "only a genuine one");
}

/// Row J15: the claims of one kind under the header and key of the other are refused as either.
#[test]
fn j15_the_claims_of_one_kind_do_not_pass_as_the_other() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let (access, refresh) = (fixture.access(), fixture.refresh());
    let token = fixture.forge_access(&segment(&refresh, 1).to_string());
    fixture.assert_refused(&token, "refresh claims under an access key");
    let header = segment(&refresh, 0).to_string();
    let token = fixture.forge(fixture.refresh_id(), &header, &segment(&access, 1).to_string());
    fixture.assert_refused(&token, "access claims under a refresh key");
}
