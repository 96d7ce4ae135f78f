//! Which of a client's offers is accepted (RFC 6455 section 9.1, RFC 7692 sections 5.1 and 7.1).

use std::borrow::Cow;

/// A `Sec-WebSocket-Extensions` that breaks its grammar: the handshake must fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Sec-WebSocket-Extensions cannot be read")]
pub(crate) struct Malformed;

/// Both sides forget each message, so that its frame can be shared.
const ACCEPTED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// As [`ACCEPTED`], to a client that named our window: then the answer has to (7.1.2.1).
const ACCEPTED_WINDOW: &str = "permessage-deflate; server_no_context_takeover; \
     client_no_context_takeover; server_max_window_bits=15";

/// The answer to the offers in the values of all `Sec-WebSocket-Extensions` headers: the first
/// that can be accepted. An offer of permessage-deflate is declined if it has a parameter that is
/// unknown, given twice or of a bad value, or if it asks for a window under 2^15 bytes: frames
/// are compressed once for all.
///
/// # Errors
/// If a value breaks the grammar.
pub(crate) fn negotiate<'a>(
    values: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Option<&'static str>, Malformed> {
    let mut accepted = None;
    for value in values {
        let mut reader = Reader(value);
        while reader.next_element() {
            let name = reader.token()?;
            let mut offer = (name == b"permessage-deflate").then(Offer::default);
            while reader.eat(b';') {
                let (name, value) = reader.parameter()?;
                offer = offer.and_then(|offer| offer.with(name, value.as_deref()));
            }
            if !reader.ends_element() {
                return Err(Malformed);
            }
            accepted = accepted.or(offer);
        }
    }
    Ok(accepted.map(|offer| match offer.server_window {
        true => ACCEPTED_WINDOW,
        false => ACCEPTED,
    }))
}

/// The parameters of an offer that were seen.
#[derive(Clone, Copy, Default)]
struct Offer {
    server_forgets: bool,
    client_forgets: bool,
    server_window: bool,
    client_window: bool,
}

impl Offer {
    /// The offer with one more parameter; none if it is to be declined.
    fn with(mut self, name: &[u8], value: Option<&[u8]>) -> Option<Self> {
        let (seen, allowed) = match name {
            b"server_no_context_takeover" => (&mut self.server_forgets, value.is_none()),
            b"client_no_context_takeover" => (&mut self.client_forgets, value.is_none()),
            b"server_max_window_bits" => (&mut self.server_window, value == Some(b"15")),
            // What the client may be asked for; whatever it uses can be inflated.
            b"client_max_window_bits" => (&mut self.client_window, value.is_none_or(is_bits)),
            _ => return None,
        };
        let first = !std::mem::replace(seen, true);
        (first && allowed).then_some(self)
    }
}

/// The logarithm of a window: 8 to 15, without leading zeros (section 7.1.2).
fn is_bits(value: &[u8]) -> bool {
    matches!(value, b"8" | b"9" | [b'1', b'0'..=b'5'])
}

/// A name, and a value if there is one.
type Parameter<'a> = (&'a [u8], Option<Cow<'a, [u8]>>);

/// What is left of a value. White space may stand between any two parts.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.skip_space();
        match self.0 {
            [first, rest @ ..] if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Goes to the next element of the list, past empty ones. False at the end.
    fn next_element(&mut self) -> bool {
        while self.eat(b',') {}
        !self.0.is_empty()
    }

    fn ends_element(&mut self) -> bool {
        self.skip_space();
        matches!(self.0, [] | [b',', ..])
    }

    fn parameter(&mut self) -> Result<Parameter<'a>, Malformed> {
        let name = self.token()?;
        let value = match self.eat(b'=') {
            true => Some(self.value()?),
            false => None,
        };
        Ok((name, value))
    }

    fn token(&mut self) -> Result<&'a [u8], Malformed> {
        self.skip_space();
        let end = self.0.iter().position(|byte| !is_token(*byte));
        let (token, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        match token {
            [] => Err(Malformed),
            token => Ok(token),
        }
    }

    /// A token, plain or quoted.
    fn value(&mut self) -> Result<Cow<'a, [u8]>, Malformed> {
        if !self.eat(b'"') {
            return self.token().map(Cow::Borrowed);
        }
        let mut value = Vec::new();
        loop {
            let (byte, rest) = match self.0 {
                [b'"', rest @ ..] => {
                    self.0 = rest;
                    break;
                }
                [b'\\', byte, rest @ ..] | [byte, rest @ ..] => (*byte, rest),
                [] => return Err(Malformed),
            };
            value.push(byte);
            self.0 = rest;
        }
        // Whatever is quoted has to be a token.
        let valid = !value.is_empty() && value.iter().copied().all(is_token);
        valid.then_some(Cow::Owned(value)).ok_or(Malformed)
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(values: &[&str]) -> Result<Option<&'static str>, Malformed> {
        negotiate(values.iter().map(|value| value.as_bytes()))
    }

    /// Scenario: offers as clients make them: browsers', those of RFC 7692 section 7.1.3, quoted,
    /// spaced, among other extensions, in several headers.
    /// Guarantees: accepted, without context takeover; the window is named to who named it.
    #[test]
    fn good_offers_are_accepted() {
        for offer in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=8",
            "permessage-deflate;client_max_window_bits=\"10\"",
            "permessage-deflate ;\tclient_max_window_bits = \"1\\5\" ",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            "x-webkit-deflate-frame, permessage-deflate",
            ", ,permessage-deflate,",
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
            "foo; bar=\"baz\"; permessage-deflate; x, permessage-deflate",
        ] {
            assert_eq!(answer(&[offer]), Ok(Some(ACCEPTED)), "{offer}");
        }
        for offer in [
            "permessage-deflate; server_max_window_bits=15",
            "permessage-deflate; server_max_window_bits=\"15\"; client_max_window_bits",
            "permessage-deflate; server_max_window_bits=9, permessage-deflate; server_max_window_bits=15",
        ] {
            assert_eq!(answer(&[offer]), Ok(Some(ACCEPTED_WINDOW)), "{offer}");
        }
        let two = ["permessage-deflate; x", "permessage-deflate"];
        assert_eq!(answer(&two), Ok(Some(ACCEPTED)));
    }

    /// Scenario: parameters that are unknown, given twice, without the value that they need, with
    /// one that they don't take; windows that are too small; other extensions; nothing.
    /// Guarantees: declined, which is no fault.
    #[test]
    fn other_offers_are_declined() {
        for offer in [
            "",
            " , ",
            "permessage-bzip2",
            "x-permessage-deflate",
            "permessage-deflate; level=1",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; client_no_context_takeover=true",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; client_max_window_bits; client_max_window_bits=15",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=015",
            "permessage-deflate; client_max_window_bits=x",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=14",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=15; server_max_window_bits=15",
        ] {
            assert_eq!(answer(&[offer]), Ok(None), "{offer}");
        }
        assert_eq!(answer(&[]), Ok(None));
    }

    /// Scenario: values that break the grammar, before, in and behind a good offer.
    /// Guarantees: malformed, whatever else is offered.
    #[test]
    fn broken_grammar_is_told_from_that() {
        for value in [
            ";",
            "=",
            "permessage deflate",
            "permessage-deflate;",
            "permessage-deflate; ;",
            "permessage-deflate; client_max_window_bits=",
            "permessage-deflate; client_max_window_bits=\"",
            "permessage-deflate; client_max_window_bits=\"15",
            "permessage-deflate; client_max_window_bits=\"\"",
            "permessage-deflate; client_max_window_bits=\"1 5\"",
            "permessage-deflate; client_max_window_bits=\"15\\",
            "permessage-deflate; client_max_window_bits=15 15",
            "permessage-deflate; =15",
            "permessage-deflate, (comment)",
            "per\u{e4}message",
        ] {
            assert_eq!(answer(&[value]), Err(Malformed), "{value}");
            assert_eq!(
                answer(&["permessage-deflate", value]),
                Err(Malformed),
                "{value}"
            );
        }
    }
}
