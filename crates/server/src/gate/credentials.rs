//! How a watcher shows its token: in a header, in the query, or, from a browser, as a WebSocket
//! subprotocol.

use std::fmt;

use actix_web::dev::RequestHead;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_PROTOCOL, WWW_AUTHENTICATE,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fanout::Refusal;
use fanout::gate::{SUBPROTOCOL, TOKEN_PARAMETER};
use url::form_urlencoded;

use crate::tokens::bearer;

/// What a subprotocol begins with that carries a token, in base64url without padding (RFC 4648,
/// section 5): names of subprotocols can't hold all characters of a token. Kubernetes does the
/// same.
const TOKEN_SUBPROTOCOL: &str = "bearer.";

/// A token that was shown. It is never printed.
#[derive(PartialEq, Eq)]
pub(super) struct Shown(Vec<u8>);

impl Shown {
    /// Finds the token of a request, in any of the three places.
    ///
    /// # Errors
    ///
    /// 400 for more than one (RFC 6750, section 2), and for a token as the only subprotocol.
    pub(super) fn find(head: &RequestHead) -> Result<Option<Self>, Refusal> {
        let headers = head.headers();
        let header = values(headers, AUTHORIZATION)
            .filter_map(bearer)
            .map(<[u8]>::to_vec);
        let mut shown = header
            .chain(in_query(head.uri.query().unwrap_or("")))
            .chain(in_subprotocols(headers)?);
        let first = shown.next();
        if shown.next().is_some() {
            return Err(bad("more than one token is shown; show one"));
        }
        Ok(first.map(Self))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown(..)")
    }
}

/// The answer to a request without a token that counts (RFC 6750, section 3).
pub(super) fn refusal(shown: bool) -> Refusal {
    let (text, challenge) = match shown {
        false => (
            "watching needs a token: as `Authorization: Bearer TOKEN`, in the query parameter \
             access_token, or as the subprotocol bearer.BASE64URL beside otlp-relay",
            "Bearer",
        ),
        true => (
            "the token is not one of those that may watch",
            r#"Bearer error="invalid_token""#,
        ),
    };
    Refusal::new(StatusCode::UNAUTHORIZED, text)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// Those of the query. No token holds a space, so one stands for a `+` that was not escaped.
fn in_query(query: &str) -> impl Iterator<Item = Vec<u8>> {
    form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == TOKEN_PARAMETER)
        .map(|(_, value)| value.replace(' ', "+").into_bytes())
}

/// Those among the subprotocols. One that can't be decoded is a token that nobody knows.
fn in_subprotocols(headers: &HeaderMap) -> Result<impl Iterator<Item = Vec<u8>>, Refusal> {
    let offers = || {
        let lists = values(headers, SEC_WEBSOCKET_PROTOCOL);
        lists
            .flat_map(|list| list.split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
    };
    let tokens = offers().filter_map(|offer| offer.strip_prefix(TOKEN_SUBPROTOCOL.as_bytes()));
    let ours = offers().any(|offer| offer == SUBPROTOCOL.as_bytes());
    if !ours && tokens.clone().next().is_some() {
        return Err(bad(
            "a token as subprotocol needs the subprotocol otlp-relay beside it, which is the one \
             that can be chosen",
        ));
    }
    Ok(tokens.map(|token| URL_SAFE_NO_PAD.decode(token).unwrap_or_default()))
}

fn values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> + Clone {
    headers.get_all(name).map(HeaderValue::as_bytes)
}

fn bad(text: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, text)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const TOKEN: &str = "a/token+of.some_length==";

    fn find(query: &str, headers: &[(HeaderName, &str)]) -> Result<Option<Shown>, u16> {
        let mut request = TestRequest::with_uri(&format!("/ws?{query}"));
        for (name, value) in headers {
            request = request.append_header((name.clone(), *value));
        }
        Shown::find(request.to_http_request().head()).map_err(|refusal| refusal.status().as_u16())
    }

    fn token() -> Result<Option<Shown>, u16> {
        Ok(Some(Shown(TOKEN.into())))
    }

    /// Scenario: a token as header, as query parameter and as subprotocol, written in all ways.
    /// Guarantees: it is found, and never printed.
    #[test]
    fn a_token_is_found_in_each_place() {
        let bearer = format!("bearer {TOKEN}");
        assert_eq!(find("", &[(AUTHORIZATION, &bearer)]), token());
        for query in [
            "access_token=a/token+of.some_length==",
            "x=y&access_token=a%2Ftoken%2Bof.some_length%3D%3D&format",
            "access%5Ftoken=a%2ftoken+of.some_length==",
        ] {
            assert_eq!(find(query, &[]), token(), "{query}");
        }
        let offer = format!("bearer.{}", URL_SAFE_NO_PAD.encode(TOKEN));
        let protocol = SEC_WEBSOCKET_PROTOCOL;
        for offers in [
            &[&format!("otlp-relay,{offer}")][..],
            &[&format!("{offer} , x, otlp-relay")],
            &[&offer, &"otlp-relay".to_owned()],
        ] {
            let headers: Vec<_> = offers
                .iter()
                .map(|offer| (protocol.clone(), offer.as_str()))
                .collect();
            assert_eq!(find("", &headers), token(), "{offers:?}");
        }
        assert!(!format!("{:?}", token()).contains("length"));
    }

    /// Scenario: requests without a token, with two, with one that can't be decoded, and with a
    /// subprotocol for a token alone.
    /// Guarantees: none is found, 400, one that nobody knows, and 400.
    #[test]
    fn anything_else_is_none_or_wrong() {
        let protocol = SEC_WEBSOCKET_PROTOCOL;
        for headers in [
            &[][..],
            &[(AUTHORIZATION, "Basic YTpi")],
            &[(AUTHORIZATION, TOKEN)],
            &[(protocol.clone(), "otlp-relay, graphql-ws")],
        ] {
            assert_eq!(find("token=x&Access_Token=y", headers), Ok(None));
        }
        let bearer = (AUTHORIZATION, "Bearer a");
        assert_eq!(
            find("access_token=a", std::slice::from_ref(&bearer)),
            Err(400)
        );
        assert_eq!(find("", &[bearer.clone(), bearer.clone()]), Err(400));
        assert_eq!(find("access_token=a&access_token=b", &[]), Err(400));
        assert_eq!(find("", &[(protocol.clone(), "bearer.YQ")]), Err(400));
        let unreadable = find("", &[(protocol, "otlp-relay, bearer.+/=")]);
        assert_eq!(unreadable, Ok(Some(Shown(Vec::new()))));
    }
}
