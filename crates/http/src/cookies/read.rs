//! Reading one cookie of a request among those of other applications.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;

use super::Cookie;
use crate::problem::{Problem, details};

/// The value of a cookie; `None` if it is absent or empty.
///
/// The name must match exactly, with only blanks before it: a more lenient parser could accept
/// cookies that another host was able to set. The rest of the header is ignored, even if it is
/// malformed.
pub(crate) fn find(request: &HttpRequest, cookie: Cookie) -> Result<Option<Cow<'_, str>>, Problem> {
    let mut values = values(request, cookie.name());
    let first = values.next();
    if values.next().is_some() {
        return Err(Problem::malformed(details::cookie_twice(cookie.name())));
    }
    Ok(first.filter(|value| !value.is_empty()).map(String::from_utf8_lossy))
}

/// The values of all cookies with this name, in order.
pub(crate) fn values<'a>(
    request: &'a HttpRequest,
    name: &'a str,
) -> impl Iterator<Item = &'a [u8]> {
    let lines = request.headers().get_all(COOKIE);
    let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| value(pair, name.as_bytes()))
}

/// The value of a pair with this name.
fn value<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = pair.iter().position(|byte| !is_blank(byte))?;
    let end = pair.iter().rposition(|byte| !is_blank(byte))?;
    pair.get(start..=end)?.strip_prefix(name)?.strip_prefix(b"=")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn found(lines: &[&[u8]]) -> Option<String> {
        let mut request = TestRequest::default();
        for line in lines {
            request = request.append_header((COOKIE, *line));
        }
        find(&request.to_http_request(), Cookie::Access).ok().flatten().map(Cow::into_owned)
    }

    #[test]
    fn a_cookie_is_found_among_those_of_others() {
        let others: [&[u8]; 7] = [
            b"__Host-gateward-access=x.y_z-1",
            b"a=b; __Host-gateward-access=x.y_z-1; c=d",
            b"a=\xff\xfe; ;;=; =e; \"; {\"f\": 1}; __Host-gateward-access=x.y_z-1",
            b"__Host-gateward-access=x.y_z-1;",
            b"a=b;__Host-gateward-access=x.y_z-1 ;c",
            b"__Host-gateward-csrf=c; __Host-gateward-access=x.y_z-1; __Host-gateward-device=d",
            b"a==__Host-gateward-access=e; __Host-gateward-access=x.y_z-1",
        ];
        for line in others {
            assert_eq!(found(&[line]).as_deref(), Some("x.y_z-1"), "{}", line.escape_ascii());
        }
        let lines: [&[u8]; 2] = [b"a=b", b"__Host-gateward-access=x.y_z-1"];
        assert_eq!(found(&lines).as_deref(), Some("x.y_z-1"));
    }

    /// Row 3.3.1 in part: the name must match exactly, or its prefix would protect nothing.
    #[test]
    fn a3_3_1_a_name_that_is_almost_ours_is_not_ours() {
        let strangers: [&[u8]; 13] = [
            b"",
            b"__Host-gateward-access",
            b"__Host-gateward-access=",
            b"__host-gateward-access=x",
            b"__HOST-GATEWARD-ACCESS=x",
            b"__Host-gateward-access =x",
            b"__Host-gateward-accessx=x",
            b"gateward-access=x",
            b"=__Host-gateward-access=x",
            b"\xe2\x80\x80__Host-gateward-access=x",
            b"\xc2\xa0__Host-gateward-access=x",
            b"$Version=1,__Host-gateward-access=x",
            b"\"__Host-gateward-access\"=x",
        ];
        for line in strangers {
            assert_eq!(found(&[line]), None, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_cookie_that_comes_twice_is_refused() {
        let twice: [&[&[u8]]; 3] = [
            &[b"__Host-gateward-access=x; __Host-gateward-access=x"],
            &[b"__Host-gateward-access=x", b"__Host-gateward-access=y"],
            &[b"__Host-gateward-access=; __Host-gateward-access=x"],
        ];
        for lines in twice {
            let mut request = TestRequest::default();
            for line in lines {
                request = request.append_header((COOKIE, *line));
            }
            let request = request.to_http_request();
            assert!(find(&request, Cookie::Access).is_err());
            assert_eq!(find(&request, Cookie::Refresh).ok(), Some(None), "others are unaffected");
        }
    }
}
