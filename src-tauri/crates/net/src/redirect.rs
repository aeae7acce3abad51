//! What a redirect asks for, and what may go along.

use bytes::Bytes;
use devrig_core::Result;
use http::{Method, StatusCode, header};
use url::{Origin, Url};

use crate::client::{Redirect, Request};
use crate::headers;
use crate::policy::{self, Refusal, Rule};

/// Where a response sends to; `None` when it is the answer.
pub(crate) fn redirect_target(
    request: &Request,
    url: &Url,
    head: &http::response::Parts,
) -> Result<Option<Url>> {
    let redirects = matches!(
        head.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = head.headers.get(header::LOCATION);
    let (true, Some(location)) = (redirects, location) else {
        return Ok(None);
    };
    match request.redirect {
        Redirect::Manual => Ok(None),
        Redirect::Error => Err(Refusal::new(
            Rule::Redirect,
            "the server redirects, and the request says not to follow",
            "Ask the final address, or follow redirects.",
        )
        .into()),
        Redirect::Follow => {
            let text = String::from_utf8_lossy(location.as_bytes());
            let mut next = policy::join_url(url, text.trim())?;
            if next.fragment().is_none() {
                next.set_fragment(url.fragment());
            }
            Ok(Some(next))
        }
    }
}

/// Method, body and headers of the next hop, as the Fetch standard has it; but credentials stay
/// behind whenever host or port changes, for good.
pub(crate) fn after_redirect(request: &mut Request, status: StatusCode, from: &Url, to: &Url) {
    let becomes_get = match status {
        StatusCode::SEE_OTHER => !matches!(request.method, Method::GET | Method::HEAD),
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => request.method == Method::POST,
        _ => false,
    };
    if becomes_get {
        request.method = Method::GET;
        request.body = Bytes::new();
        headers::drop_body_headers(&mut request.headers);
    }
    let same = match (from.origin(), to.origin()) {
        (a @ Origin::Tuple(..), b) => a == b,
        _ => false,
    };
    if !same {
        headers::drop_for_one_host(&mut request.headers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirected(method: Method, status: u16, to: &str) -> Request {
        let mut request = Request::new(method, "https://a.test/")
            .header("Authorization", "Bearer x")
            .header("Content-Type", "text/plain")
            .header("X-Other", "kept")
            .body("body");
        let from = Url::parse(&request.url).unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        after_redirect(&mut request, status, &from, &Url::parse(to).unwrap());
        request
    }

    #[test]
    fn methods_and_bodies_change_as_fetch_has_it() {
        for (method, status, becomes, keeps_body) in [
            (Method::POST, 301, Method::GET, false),
            (Method::POST, 302, Method::GET, false),
            (Method::POST, 303, Method::GET, false),
            (Method::PUT, 303, Method::GET, false),
            (Method::PUT, 302, Method::PUT, true),
            (Method::HEAD, 303, Method::HEAD, true),
            (Method::POST, 307, Method::POST, true),
            (Method::DELETE, 308, Method::DELETE, true),
        ] {
            let request = redirected(method.clone(), status, "https://a.test/next");
            assert_eq!(request.method, becomes, "{method} {status}");
            assert_eq!(!request.body.is_empty(), keeps_body, "{method} {status}");
            let typed = request.headers.iter().any(|(name, _)| name == "Content-Type");
            assert_eq!(typed, keeps_body, "{method} {status}");
        }
    }

    #[test]
    fn credentials_stay_with_the_host_and_port() {
        let has = |request: &Request, wanted: &str| {
            request.headers.iter().any(|(name, _)| name == wanted)
        };
        let same = redirected(Method::GET, 302, "https://a.test:443/next");
        assert!(has(&same, "Authorization"));
        for to in ["https://b.test/", "https://a.test:8443/", "http://a.test/", "https://x.a.test/"]
        {
            let request = redirected(Method::GET, 302, to);
            assert!(!has(&request, "Authorization"), "{to}");
            assert!(has(&request, "X-Other"), "{to}");
        }
    }
}
