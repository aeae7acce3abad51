//! `crypto.hmac`: a signature with a shared key.

use devrig_core::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::bytes::Encoding;
use crate::action::{About, Effect};
use crate::actions::compute::Compute;

const ABOUT: About = About {
    name: "crypto.hmac",
    title: "Sign with HMAC",
    text: "Signs a text with a key that both sides know (RFC 2104), as webhooks are signed. \
        The key belongs into a secret.",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "text": { "type": "string", "description": "What is signed." },
            "input": {
                "enum": ["text", "base64", "hex"], "default": "text",
                "description": "How the bytes stand in `text`."
            },
            "key": { "type": "string", "minLength": 1, "description": "The shared key." },
            "keyEncoding": {
                "enum": ["text", "base64", "hex"], "default": "text",
                "description": "How the bytes stand in `key`."
            },
            "algorithm": {
                "enum": ["sha256", "sha384", "sha512", "sha1", "md5"], "default": "sha256",
                "description": "Which digest is signed with."
            },
            "output": {
                "enum": ["hex", "base64"], "default": "hex",
                "description": "How the signature is written."
            }
        },
        "required": ["text", "key"],
        "additionalProperties": false
    }"#,
    output: r#"{ "type": "string" }"#,
    example: r#"{
        "text": "{\"action\":\"opened\"}",
        "key": "It's a secret",
        "algorithm": "sha256"
    }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Hmac;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Input {
    text: String,
    #[serde(default)]
    input: Encoding,
    key: String,
    #[serde(default)]
    key_encoding: Encoding,
    #[serde(default)]
    algorithm: Algorithm,
    output: Option<Encoding>,
}

impl Compute for Hmac {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let key = input.key_encoding.decode(&input.key, "key")?;
        if key.is_empty() {
            return Err(Error::invalid("key is empty, so anyone could sign")
                .hint("Check that the secret has a value."));
        }
        let bytes = input.input.decode(&input.text, "text")?;
        let signature = input.algorithm.sign(&key, &bytes);
        input.output.unwrap_or(Encoding::Hex).encode(signature).map(Value::String)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::actions::tests::{fails, gives};

    /// The second case of RFC 2202 and RFC 4231.
    #[test]
    fn signatures_are_those_of_the_standards() {
        for (algorithm, signature) in [
            ("md5", "750c783e6ab0b503eaa86e310a5db738"),
            ("sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            ("sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                "sha384",
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e\
                 8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                "sha512",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
                 9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            let text = "what do ya want for nothing?";
            let config = json!({ "key": "Jefe", "text": text, "algorithm": algorithm });
            gives("crypto.hmac", &[(config, json!(signature))]);
        }
    }

    #[test]
    fn keys_come_in_any_encoding_and_are_never_told() {
        let text = "what do ya want for nothing?";
        let of = |key: &str, encoding: &str| {
            json!({
                "key": key, "keyEncoding": encoding, "text": text,
                "algorithm": "md5", "output": "base64",
            })
        };
        let signature = json!("dQx4PmqwtQPqqG4xCl23OA==");
        gives(
            "crypto.hmac",
            &[
                (of("Jefe", "text"), signature.clone()),
                (of("SmVmZQ", "base64"), signature.clone()),
                (of("4a656665", "hex"), signature),
            ],
        );
        fails(
            "crypto.hmac",
            &[
                (of("", "text"), "key is empty"),
                (of("secret", "hex"), "key is not hexadecimal"),
                (json!({ "key": ["secret"], "text": "" }), "of another kind"),
            ],
        );
        for key in [json!("secret!"), json!(["secret"])] {
            let config = json!({ "key": key, "text": "", "keyEncoding": "base64" });
            let error = crate::actions::tests::run("crypto.hmac", config).unwrap_err();
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }
}
