//! The list of accounts: search and pagination.

mod soak;

use gateward_e2e::{Client, Database, TestResponse, on_both};
use serde_json::{Value, json};

use super::fixture::{AdminFixture, ask, path, tell};

on_both!(accounts_are_found_by_name_address_role_and_state, a_page_is_asked_for_in_one_way,);

fn invited(name: &str) -> Value {
    json!({"username": name, "email": format!("{name}@example.org")})
}

async fn invite(client: &Client, by: &TestResponse, name: &str) {
    let made = tell(client, by, ("POST", "/users"), &invited(name)).await;
    assert_eq!(made.status, 201, "{made:?}");
}

/// All pages from the first to the last: the names on each, in order.
async fn walk(client: &Client, who: &TestResponse, query: &str) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ask(client, who, "GET", &format!("/users?{query}{cursor}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert_eq!(page.header("cache-control"), Some("no-store"));
        let items = page.body["items"].as_array().unwrap().iter();
        pages.push(items.map(|user| user["username"].as_str().unwrap().to_owned()).collect());
        match &page.body["next_cursor"] {
            Value::Null => return pages,
            next => cursor = format!("&cursor={}", next.as_str().unwrap()),
        }
    }
}

async fn names(fixture: &AdminFixture, query: &str) -> Vec<String> {
    walk(&fixture.other, &fixture.grace, query).await.concat()
}

async fn accounts_are_found_by_name_address_role_and_state(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, grace, .. } = &fixture;
    let role = json!({"permissions": []});
    assert_eq!(fixture.tell(grace, "PUT", "/roles/tester", &role).await.status, 201);
    for name in ["Ada_1", "adax1", "ada-2", "bob", "b.o.b"] {
        invite(one, grace, name).await;
    }
    let odd = json!({"username": "zoe", "email": "ada@elsewhere.example", "roles": ["tester"]});
    assert_eq!(fixture.tell(grace, "POST", "/users", &odd).await.status, 201);
    let ada = one.begin("ada-3").await;
    fixture.grant(&ada, &["tester"]).await;
    assert_eq!(fixture.ask(grace, "POST", &format!("{}/disable", path(&ada))).await.status, 200);

    for (query, expected) in [
        ("q=ada", vec!["ada-2", "ada-3", "Ada_1", "adax1"]),
        ("q=ADA", vec!["ada-2", "ada-3", "Ada_1", "adax1"]),
        // Neither of these is a wildcard.
        ("q=ada_", vec!["Ada_1"]),
        ("q=ada%25", vec![]),
        ("q=b", vec!["b.o.b", "bob"]),
        ("q=da", vec![]),
        ("q=ada@", vec!["zoe"]),
        ("q=Ada@Elsewhere.EXAMPLE", vec!["zoe"]),
        ("q=bob@example.org", vec!["bob"]),
        ("q=@example.org", vec![]),
        ("role=tester", vec!["zoe", "ada-3"]),
        ("role=admin", vec!["grace"]),
        ("role=nobodys", vec![]),
        ("disabled=true", vec!["ada-3"]),
        ("role=tester&disabled=false", vec!["zoe"]),
        ("q=ada&disabled=true", vec!["ada-3"]),
        ("q=ada&disabled=false", vec!["ada-2", "Ada_1", "adax1"]),
        ("q=ada&role=tester", vec!["ada-3"]),
        ("q=z&role=tester&disabled=true", vec![]),
    ] {
        for limit in ["", "&limit=1"] {
            assert_eq!(
                names(&fixture, &format!("{query}{limit}")).await,
                expected,
                "{query}{limit}"
            );
        }
    }
    let all = names(&fixture, "").await;
    assert_eq!(all, ["grace", "Ada_1", "adax1", "ada-2", "bob", "b.o.b", "zoe", "ada-3"]);
    assert_eq!(names(&fixture, "disabled=false").await, all[..7]);
}

async fn a_page_is_asked_for_in_one_way(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, grace, .. } = &fixture;
    for name in ["ada", "bob"] {
        invite(one, grace, name).await;
    }
    let page = ask(one, grace, "GET", "/users?limit=1").await.body;
    let by_id = page["next_cursor"].as_str().unwrap();
    for query in [
        "limit=0".to_owned(),
        "limit=101".to_owned(),
        "limit=x".to_owned(),
        "q=".to_owned(),
        "q=%00".to_owned(),
        format!("q={}", "a".repeat(255)),
        "role=Admin".to_owned(),
        "role=".to_owned(),
        "disabled=1".to_owned(),
        "cursor=".to_owned(),
        "cursor=x".to_owned(),
        format!("cursor={by_id}x"),
        "offset=1".to_owned(),
    ] {
        let refused = ask(one, grace, "GET", &format!("/users?{query}")).await;
        refused.is(422, "validation_failed");
        assert_eq!(refused.fields(), [query.split('=').next().unwrap()], "{query}");
    }
    ask(one, grace, "GET", "/users?q=a&q=b").await.is(400, "malformed_request");
}

/// A page reads at most a thousand accounts, however many exist and however few match.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_looks_at_no_more_than_a_thousand_accounts() {
    let fixture = AdminFixture::start(Database::Postgres).await;
    let AdminFixture { one, grace, pair, .. } = &fixture;
    let database = pair.database.postgres().await;
    let callers = "
        INSERT INTO users
        SELECT ('01939b50-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'crowd-' || n,
            'crowd-' || n || '@example.org', false, n = 2299, password_hash, 0, created_at, updated_at
        FROM users, generate_series(1, 2300) AS n WHERE username = 'grace'";
    database.batch_execute(callers).await.unwrap();
    // In the order of usernames, number 2299 is near the end of the second thousand.
    let pages = walk(one, grace, "q=crowd-&disabled=true").await;
    let found: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!((found.len(), found.iter().sum::<usize>()), (3, 1), "{pages:?}");
    let pages = walk(one, grace, "q=crowd-&role=admin").await;
    assert_eq!(pages, [const { Vec::<String>::new() }; 3]);
    // Where an index leads to few, it is used.
    assert_eq!(walk(one, grace, "disabled=true").await, [["crowd-2299"]]);
    assert_eq!(walk(one, grace, "q=crowd-2299").await, [["crowd-2299"]]);
}
