//! Sign-up, with and without required confirmation.

use gateward_domain::User;
use gateward_domain::Username;
use gateward_domain::email::{EmailState, EmailTemplate, OutboxEmail};
use gateward_domain::ports::{StoreError, Taken};

use super::mailbox::{address, by_token, confirm, open_test_app, required, saying, texts, token};
use super::test_app::{PASSWORD, password, policy, signup};
use crate::{AccountProof, ConfirmEmailError, LoginError, SignedUp, Signup, SignupError};

/// A sign-up with this username and another user's email address.
fn signup_at(name: &str, owner: &str) -> Signup {
    Signup { email: address(owner), ..signup(name) }
}

#[tokio::test]
async fn where_confirming_is_optional_there_is_an_account_at_once_and_an_email() {
    let (test_app, memory) = open_test_app(policy()).await;
    let user = test_app.user("ada").await;
    assert_eq!(memory.users(), std::slice::from_ref(&user));
    test_app.clock.advance_seconds(1);
    assert!(test_app.login("ada", PASSWORD).await.is_ok());
    let emails = test_app.post().await;
    assert_eq!(texts(&emails), ["confirm_email"]);
    assert_eq!(emails[0].to, user.email);
    assert_eq!(test_app.told(user.id).await.first(), Some(&"account_created"));
}

#[tokio::test]
async fn where_confirming_is_required_there_is_an_email_and_no_account() {
    let (test_app, memory) = open_test_app(required()).await;
    let secret = test_app.pending(signup("ada")).await;
    assert!(memory.users().is_empty() && memory.links().is_empty());
    assert!(matches!(test_app.login("ada", PASSWORD).await, Err(LoginError::InvalidCredentials)));
    let message = saying(&test_app.post().await, EmailTemplate::ConfirmSignup);
    let link = message.link.clone().unwrap();
    assert!(link.starts_with("https://auth.example.org/confirm-email#token="), "{link}");
    assert!(message.code.is_some() && message.expires_at.is_some());
    assert!(matches!(test_app.login("ada", PASSWORD).await, Err(LoginError::InvalidCredentials)));

    let proof = AccountProof::SignupSecret(secret);
    test_app.app.confirm_email(confirm(by_token(&message), proof)).await.unwrap();
    let user = test_app.login("ada", PASSWORD).await.unwrap().user;
    assert!(user.email_verified);
    assert!(memory.signups().is_empty(), "it waits no more");
}

/// Row E1: the writes are the same, and the owner receives an email without a link.
#[tokio::test]
async fn e1_a_known_address_gets_the_response_of_an_unknown_one_and_its_owner_is_told() {
    let (test_app, memory) = open_test_app(required()).await;
    test_app.owner("verified", |_| ()).await;
    test_app.owner("unverified", |user| user.email_verified = false).await;
    test_app.owner("disabled", |user| user.disabled = true).await;
    let owners = ["unknown", "verified", "unverified", "disabled"];
    for (name, owner) in ["eve1", "eve2", "eve3", "eve4"].into_iter().zip(owners) {
        assert_eq!(test_app.pending(signup_at(name, owner)).await.len(), 64);
    }
    let alike = |message: &OutboxEmail| OutboxEmail {
        id: memory.outbox_emails()[0].id,
        recipient: address("unknown"),
        signup_id: memory.outbox_emails()[0].signup_id,
        slot: message.slot.as_ref().map(|slot| slot.replace(message.recipient.as_str(), "")),
        ..message.clone()
    };
    let rows: Vec<_> = memory.outbox_emails().iter().map(alike).collect();
    assert!(rows.iter().all(|row| *row == rows[0]), "{rows:?}");
    assert_eq!((memory.signups().len(), memory.events().len()), (4, 0));

    let emails = test_app.post().await;
    let exists = EmailTemplate::AccountExists;
    for owner in &owners[1..] {
        let told = emails.iter().find(|message| message.to == address(owner)).unwrap();
        assert_eq!((told.text, &told.link, &told.code), (exists, &None, &None), "{owner}");
    }
    assert_eq!(saying(&emails, EmailTemplate::ConfirmSignup).to, address("unknown"));
}

/// Row A1: whichever is confirmed, there is one account with the password of that sign-up.
#[tokio::test]
async fn a1_of_fifty_signups_of_one_address_one_becomes_the_account() {
    for chosen in [0, 4, 9] {
        let (test_app, memory) = open_test_app(required()).await;
        let mut secrets = Vec::new();
        for number in 0..50 {
            let chosen_password = password(&format!("correct horse {number}"));
            let wanted = signup_at(&format!("ada{number}"), "ada");
            secrets.push(test_app.pending(Signup { password: chosen_password, ..wanted }).await);
        }
        let emails = test_app.post_for(60).await;
        assert_eq!(emails.len(), 10, "and no more emails than people want");
        let proof = |number: usize| AccountProof::SignupSecret(secrets[number].clone());
        let response = |number: usize| confirm(by_token(&emails[number]), proof(number));
        test_app.app.confirm_email(response(chosen)).await.unwrap();
        for other in 0..10 {
            let refused = test_app.app.confirm_email(response(other)).await;
            assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)), "{other}");
        }
        let names: Vec<User> = memory.users();
        assert_eq!(names.len(), 1);
        for number in 0..50 {
            let login = test_app.login("ada@example.org", &format!("correct horse {number}")).await;
            assert_eq!(login.is_ok(), number == chosen, "{number}");
        }
        assert!(memory.signups().is_empty());
    }
}

#[tokio::test]
async fn emails_of_signups_that_lost_the_race_are_not_sent() {
    let (test_app, memory) = open_test_app(required()).await;
    let secret = test_app.pending(signup_at("ada", "ada")).await;
    test_app.pending(signup_at("eve", "ada")).await;
    let message = saying(&test_app.post().await, EmailTemplate::ConfirmSignup);
    let proof = AccountProof::SignupSecret(secret);
    test_app.app.confirm_email(confirm(by_token(&message), proof)).await.unwrap();
    assert_eq!(texts(&test_app.post_for(2).await), [""; 0]);
    assert_eq!(memory.outbox_emails()[1].state, EmailState::Discarded);
    let told: Vec<_> = memory.events().iter().map(|event| event.kind.as_str()).collect();
    assert!(!told.contains(&"email_discarded"), "the email was sent: there is an account");
}

#[tokio::test]
async fn a1_where_confirming_is_optional_one_of_fifty_signups_is_an_account() {
    let (test_app, memory) = open_test_app(policy()).await;
    let mut prepared = Vec::new();
    for number in 0..50 {
        let wanted = signup_at(&format!("ada{number}"), "ada");
        prepared.push(test_app.app.prepare_signup(wanted).await.unwrap());
    }
    let mut made = 0;
    for prepared in prepared {
        match test_app.app.complete_signup(prepared).await {
            Ok(SignedUp::Account(_)) => made += 1,
            Err(SignupError::Store(StoreError::Taken(Taken::Email))) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((made, memory.users().len(), memory.outbox_emails().len()), (1, 1, 1));
}

#[tokio::test]
async fn a_taken_name_is_told_before_anybody_looks_at_the_address() {
    for policy in [policy(), required()] {
        let (test_app, memory) = open_test_app(policy).await;
        test_app.owner("ada", |_| ()).await;
        for owner in ["ada", "nobody"] {
            let refused = test_app.app.signup(signup_at("Ada", owner)).await;
            assert!(
                matches!(refused, Err(SignupError::Store(StoreError::Taken(Taken::Username)))),
                "{owner}"
            );
        }
        assert!(memory.outbox_emails().is_empty() && memory.signups().is_empty());
    }
}

#[tokio::test]
async fn a_name_that_went_meanwhile_uses_nothing_up_and_another_one_works() {
    let (test_app, _) = open_test_app(required()).await;
    let secret = test_app.pending(signup_at("ada", "first")).await;
    let message = saying(&test_app.post().await, EmailTemplate::ConfirmSignup);
    let other = test_app.owner("ada", |_| ()).await;
    let response = |name: Option<&str>| {
        let mut response = confirm(by_token(&message), AccountProof::SignupSecret(secret.clone()));
        response.username = name.map(|name| Username::parse(name).unwrap());
        response
    };
    for name in [None, Some("ADA"), None] {
        let refused = test_app.app.confirm_email(response(name)).await;
        assert!(matches!(refused, Err(ConfirmEmailError::UsernameTaken)), "{name:?}");
    }
    test_app.app.confirm_email(response(Some("countess"))).await.unwrap();
    let user = test_app.login("countess", PASSWORD).await.unwrap().user;
    assert_eq!(user.email, address("first"));
    assert_eq!(test_app.find(other.id).await.unwrap().email, address("ada"));
}

/// Row E2: a caller who guesses passwords does not learn that the email address is unconfirmed.
#[tokio::test]
async fn e2_an_unconfirmed_account_gets_the_response_of_a_wrong_password() {
    let (test_app, _) = open_test_app(required()).await;
    test_app.owner("ada", |user| user.email_verified = false).await;
    for text in [PASSWORD, "wrong horse"] {
        let refused = test_app.login("ada", text).await;
        assert!(matches!(refused, Err(LoginError::InvalidCredentials)), "{text}");
    }
    test_app.owner("eve", |_| ()).await;
    assert!(test_app.login("eve", PASSWORD).await.is_ok());
}

/// Row V3 in part: the store contains no usable secret, whether the email was sent or not.
#[tokio::test]
async fn v3_neither_token_nor_code_nor_secret_is_kept() {
    let (test_app, memory) = open_test_app(required()).await;
    let secret = test_app.pending(signup("ada")).await;
    test_app.owner("eve", |_| ()).await;
    let reset = test_app.forgotten("eve").await;
    let sent = test_app.recording_mailer.sent();
    let confirming = saying(&sent, EmailTemplate::ConfirmSignup);
    let (signups, links) = (memory.signups(), memory.links());
    let kept = format!("{signups:?} {links:?} {:?} {:?}", memory.outbox_emails(), memory.events());
    assert!(kept.contains("ada@example.org") && links.len() == 2);
    for message in [&reset, &confirming] {
        let code = message.code.as_ref().unwrap().expose().to_owned();
        for hidden in [token(message), code] {
            assert!(!kept.contains(&hidden), "{hidden}");
        }
    }
    assert!(!kept.contains(&secret) && !kept.contains("#token="));
}
