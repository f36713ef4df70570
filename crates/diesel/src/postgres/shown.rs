//! A Postgres URL without its password.

/// What is shown of a URL that could be read in two ways.
const HIDDEN: &str = "(hidden)";

/// Replaces the password of a URL that [`super::Settings::parse`] accepts.
///
/// tokio-postgres takes everything before the first `@` for user and password, whatever characters
/// it contains, so a URL parser would find the password elsewhere, or not at all.
pub fn shown_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return HIDDEN.to_owned() };
    let (login, rest) = match rest.split_once('@') {
        Some((login, rest)) => (Some(login), rest),
        None => (None, rest),
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let user = login.map(|login| login.split_once(':').unwrap_or((login, "")));
    // A second `@` may belong to the password.
    if place.contains('@') || user.is_some_and(|(name, _)| !is_name(name)) {
        return HIDDEN.to_owned();
    }
    let login = match user {
        None => String::new(),
        Some((name, "")) => format!("{name}@"),
        Some((name, _)) => format!("{name}:hidden@"),
    };
    let query = if query.is_empty() { String::new() } else { format!("?{}", shown_query(query)) };
    format!("{scheme}://{login}{place}{query}")
}

/// Whether a user name contains nothing that begins another part of a URL.
fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%+".contains(&byte))
}

fn shown_query(query: &str) -> String {
    let pairs: Vec<&str> = query
        .split('&')
        .map(|pair| if pair.starts_with("password=") { "password=hidden" } else { pair })
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::postgres::Settings;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, shown) in [
            ("postgres://ada@db/x", "postgres://ada@db/x"),
            ("postgres://db:5432/x?sslmode=require", "postgres://db:5432/x?sslmode=require"),
            ("postgres://ada:s3cret@db/x", "postgres://ada:hidden@db/x"),
            ("postgresql://ada:/Kq8x@db:1,other/x", "postgresql://ada:hidden@db:1,other/x"),
            ("postgres://ada:12/34ab@db/x", "postgres://ada:hidden@db/x"),
            ("postgres://ada:8080#x@db/x", "postgres://ada:hidden@db/x"),
            ("postgres://ada:a?b@db/x", "postgres://ada:hidden@db/x"),
            (
                "postgres://db/x?user=ada&password=s3cret",
                "postgres://db/x?user=ada&password=hidden",
            ),
            ("postgres://ada:s3@cret@db/x", HIDDEN),
            ("postgres://db/x?password=s3cret&user=ada@b", HIDDEN),
        ] {
            assert_eq!(shown_url(url), shown, "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_password_is_shown(rest in "[ -~]{0,12}", in_query: bool) {
            let password = format!("s3cret{rest}");
            let url = if in_query {
                format!("postgres://ada@db/x?application_name=y&password={password}")
            } else {
                format!("postgres://ada:{password}@db/x")
            };
            let shown = shown_url(&url);
            prop_assert!(!shown.contains("s3cret"), "{}", shown);
            if let Ok(settings) = Settings::parse(&url) {
                // What is shown is the same server.
                let reread = Settings::parse(&shown);
                let hosts = settings.config.get_hosts();
                prop_assert!(shown == HIDDEN || reread.unwrap().config.get_hosts() == hosts);
            }
        }
    }
}
