//! `crypto.hash`: the digest of a text or of bytes.

use devrig_core::Result;
use serde::Deserialize;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::bytes::Encoding;
use crate::action::{About, Effect};
use crate::actions::compute::Compute;

const ABOUT: About = About {
    name: "crypto.hash",
    title: "Hash",
    text: "Gives the digest of a text, or of bytes that the text holds as Base64 or hexadecimal. \
        `sha1` and `md5` are there for checksums that others publish; neither keeps anything safe.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "text": { "type": "string", "description": "What is hashed." },
            "input": {
                "enum": ["text", "base64", "hex"], "default": "text",
                "description": "How the bytes stand in `text`."
            },
            "algorithm": {
                "enum": ["sha256", "sha384", "sha512", "sha1", "md5"], "default": "sha256",
                "description": "Which digest."
            },
            "output": {
                "enum": ["hex", "base64"], "default": "hex",
                "description": "How the digest is written."
            }
        },
        "required": ["text"],
        "additionalProperties": false
    }"#,
    output: r#"{ "type": "string" }"#,
    example: r#"{ "text": "abc", "algorithm": "sha256" }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Hash;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    text: String,
    #[serde(default)]
    input: Encoding,
    #[serde(default)]
    algorithm: Algorithm,
    output: Option<Encoding>,
}

impl Compute for Hash {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let bytes = input.input.decode(&input.text, "text")?;
        let digest = input.algorithm.digest(&bytes);
        input.output.unwrap_or(Encoding::Hex).encode(digest).map(Value::String)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::actions::tests::{fails, gives};

    /// The digests of `abc` are those of the algorithms' own descriptions.
    #[test]
    fn digests_are_those_of_the_standards() {
        for (algorithm, digest) in [
            ("md5", "900150983cd24fb0d6963f7d28e17f72"),
            ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "sha384",
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
                 8086072ba1e7cc2358baeca134c825a7",
            ),
            (
                "sha512",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ] {
            gives(
                "crypto.hash",
                &[(json!({ "text": "abc", "algorithm": algorithm }), json!(digest))],
            );
        }
    }

    #[test]
    fn bytes_come_and_go_in_any_encoding() {
        let sha1 = |text: &str, input: &str| {
            json!({
                "text": text, "input": input, "algorithm": "sha1", "output": "base64",
            })
        };
        let digest = json!("qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
        gives(
            "crypto.hash",
            &[
                (sha1("abc", "text"), digest.clone()),
                (sha1("YWJj", "base64"), digest.clone()),
                (sha1("616263", "hex"), digest),
            ],
        );
        fails(
            "crypto.hash",
            &[
                (sha1("abc", "hex"), "text is not hexadecimal"),
                (json!({ "text": "a", "output": "text" }), "the bytes are no text"),
                (json!({ "text": "a", "algorithm": "sha3" }), "of another kind"),
            ],
        );
    }
}
