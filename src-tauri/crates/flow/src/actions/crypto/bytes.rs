//! Bytes as JSON has them: as text, Base64 or hexadecimal.

use std::fmt::Write;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use devrig_core::{Error, Result};
use serde::Deserialize;

/// How bytes are written.
#[derive(Deserialize, Debug, Clone, Copy, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encoding {
    /// UTF-8.
    #[default]
    Text,
    Base64,
    Hex,
}

impl Encoding {
    /// `field` is named in errors. What it holds is not: it can be a key.
    pub fn decode(self, text: &str, field: &str) -> Result<Vec<u8>> {
        match self {
            Self::Text => Ok(text.as_bytes().to_vec()),
            Self::Base64 => from_base64(text).ok_or_else(|| {
                Error::invalid(format!("{field} is not Base64")).hint(
                    "It has letters, digits, + and / (or - and _), and at most two = at the end.",
                )
            }),
            Self::Hex => from_hex(text).ok_or_else(|| {
                Error::invalid(format!("{field} is not hexadecimal"))
                    .hint("It has an even number of the digits 0 to 9 and a to f.")
            }),
        }
    }

    /// Text that is none is refused, for changing it would lose bytes.
    pub fn encode(self, bytes: Vec<u8>) -> Result<String> {
        match self {
            Self::Text => String::from_utf8(bytes).map_err(|_| {
                Error::invalid("the bytes are no text").hint("Ask for hex instead of text.")
            }),
            Self::Base64 => Ok(to_base64(&bytes, false)),
            Self::Hex => Ok(to_hex(&bytes)),
        }
    }
}

/// With padding, or with the alphabet of addresses and without.
pub(super) fn to_base64(bytes: &[u8], url: bool) -> String {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    if url { URL_SAFE_NO_PAD.encode(bytes) } else { STANDARD.encode(bytes) }
}

/// Either alphabet, with or without padding, and with the line ends that mails have.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    let plain = |byte: u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => byte,
    };
    let bytes: Vec<u8> =
        text.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(plain).collect();
    STANDARD.decode(bytes).ok()
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.trim().chars().map(digit).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn digit(c: char) -> Option<u8> {
    c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn encodings_are_read_in_all_their_forms() {
        for (encoding, text, bytes) in [
            (Encoding::Text, "é", &[0xc3, 0xa9][..]),
            (Encoding::Base64, "w6n/", &[0xc3, 0xa9, 0xff]),
            (Encoding::Base64, "w6n_", &[0xc3, 0xa9, 0xff]),
            (Encoding::Base64, "w6k", &[0xc3, 0xa9]),
            (Encoding::Base64, "w6\r\nk=\n", &[0xc3, 0xa9]),
            (Encoding::Hex, "c3A9\n", &[0xc3, 0xa9]),
            (Encoding::Hex, "", &[]),
        ] {
            assert_eq!(encoding.decode(text, "text").unwrap(), bytes, "{text}");
        }
        for (encoding, text) in [
            (Encoding::Base64, "w6k!"),
            (Encoding::Base64, "w"),
            (Encoding::Hex, "c3a"),
            (Encoding::Hex, "zz"),
        ] {
            let error = encoding.decode(text, "key").unwrap_err();
            assert!(error.message.starts_with("key is not") && !error.message.contains(text));
        }
    }

    proptest! {
        #[test]
        fn bytes_read_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            for encoding in [Encoding::Base64, Encoding::Hex] {
                let text = encoding.encode(bytes.clone()).unwrap();
                prop_assert_eq!(&encoding.decode(&text, "text").unwrap(), &bytes);
            }
            let url = Encoding::Base64.decode(&to_base64(&bytes, true), "text").unwrap();
            prop_assert_eq!(url, bytes);
        }
    }
}
