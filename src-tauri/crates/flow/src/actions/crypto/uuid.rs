//! `crypto.uuid`: a name that nothing else has.

use devrig_core::{Error, Result};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use uuid::Builder;

use crate::action::{About, Effect};
use crate::actions::compute::Compute;

const ABOUT: About = About {
    name: "crypto.uuid",
    title: "UUID",
    text: "Gives a new UUID (RFC 9562): `v4` is random, `v7` begins with the time, so that later \
        ones sort behind. A run that is resumed keeps what was given.",
    effect: Effect::Read,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "version": {
                "enum": ["v4", "v7"], "default": "v4",
                "description": "Whether it is random or begins with the time."
            }
        },
        "additionalProperties": false
    }"#,
    output: r#"{ "type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" }"#,
    example: r#"{ "version": "v7" }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    #[serde(default)]
    version: Version,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Version {
    #[default]
    V4,
    V7,
}

impl Compute for Uuid {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let made = match input.version {
            Version::V4 => Builder::from_random_bytes(random()?),
            Version::V7 => {
                let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
                Builder::from_unix_timestamp_millis(now, &random()?)
            }
        };
        Ok(made.into_uuid().to_string().into())
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal(format!("the system gives no random bytes: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::Timestamp;
    use serde_json::json;

    use crate::actions::tests::run;

    fn new(version: &str) -> String {
        let given = run("crypto.uuid", json!({ "version": version })).unwrap();
        given.as_str().unwrap().to_owned()
    }

    #[test]
    fn each_is_new_and_says_its_version() {
        for (version, digit) in [("v4", '4'), ("v7", '7')] {
            let made: HashSet<String> = (0..100).map(|_| new(version)).collect();
            assert_eq!(made.len(), 100);
            for uuid in made {
                assert_eq!(uuid.chars().nth(14), Some(digit), "{uuid}");
                assert!(uuid.chars().nth(19).is_some_and(|c| "89ab".contains(c)), "{uuid}");
            }
        }
    }

    #[test]
    fn the_seventh_version_holds_the_time() {
        let before = Timestamp::now().as_millisecond();
        let digits = new("v7").replace('-', "");
        let made = i64::from_str_radix(&digits[..12], 16).unwrap();
        assert!((before..=Timestamp::now().as_millisecond()).contains(&made));
    }
}
