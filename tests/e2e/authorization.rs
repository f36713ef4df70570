//! The authorization table, asked of the running program.

use gateward_e2e::{Database, Plan, TestDatabase};
use regex::Regex;
use reqwest::Method;

/// Row 8.2.1 in part: every operation that wants a caller refuses whoever is none.
#[tokio::test(flavor = "multi_thread")]
async fn operations_want_the_credentials_that_the_table_says() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let node = Plan::on(&database).with("http.docs", true).start().await;
    let client = node.client();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/authorization.md");
    let table = std::fs::read_to_string(path).unwrap();
    let row = Regex::new(r"(?m)^\| `([A-Z]+) ([^`]+)` \| (anyone|caller|holder) \|").unwrap();
    let mut callers = 0;
    for row in row.captures_iter(&table) {
        let (method, path, who) = (&row[1], row[2].replace("{asset}", "start.js"), &row[3]);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = || client.request(method.clone(), &path);
        let bare = client.send(request()).await;
        let forged = client.send(request().bearer_auth("e30.e30.e30")).await;
        match who {
            "caller" => {
                callers += 1;
                bare.is(401, "missing_token");
                forged.is(401, "invalid_token");
                assert_eq!(bare.headers["www-authenticate"], r#"Bearer realm="gateward""#);
            }
            "holder" if path.ends_with("/logout") => bare.is(401, "missing_token"),
            // Without a body, and with a token that nobody looks at.
            _ if method == Method::POST => {
                bare.is(415, "unsupported_media_type");
                forged.is(415, "unsupported_media_type");
            }
            _ => {}
        }
        if who == "anyone" && method == Method::GET {
            assert_eq!(bare.status, 200, "{path}");
            assert_eq!(forged.status, 200, "{path}: the header is not looked at");
        }
    }
    assert!(callers >= 5, "the table was read");
}
