//! `date.now`: the time.

use devrig_core::Result;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use super::moment;
use crate::action::{About, Effect};
use crate::actions::compute::Compute;

const ABOUT: About = About {
    name: "date.now",
    title: "Now",
    text: "Gives the time at which it runs, with its parts. A run that is resumed keeps what was \
        given.",
    effect: Effect::Read,
    idempotent: true,
    input: r#"{
        "type": "object",
        "properties": {
            "timezone": {
                "type": "string", "default": "UTC",
                "description": "A name such as `Europe/Berlin`."
            }
        },
        "additionalProperties": false
    }"#,
    output: moment::OUTPUT,
    example: r#"{ "timezone": "Europe/Berlin" }"#,
    typical_ms: 1,
    raw: &[],
};

pub(super) struct Now;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    timezone: Option<String>,
}

impl Compute for Now {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let zone = moment::zone(input.timezone.as_deref())?.unwrap_or(TimeZone::UTC);
        // More digits than milliseconds only make what is written longer.
        let now = Value::from(Timestamp::now().as_millisecond());
        Ok(moment::describe(&moment::read(&now, Some(&zone), "now")?))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use crate::actions::tests::{fails, run};

    #[test]
    fn it_is_now_in_the_zone() {
        let before = Timestamp::now().as_millisecond();
        let now = run("date.now", json!({ "timezone": "Asia/Tokyo" })).unwrap();
        let after = Timestamp::now().as_millisecond();
        assert!((before..=after).contains(&now["milliseconds"].as_i64().unwrap()));
        assert_eq!(now["timezone"], "Asia/Tokyo");
        assert!(now["iso"].as_str().unwrap().ends_with("+09:00"));
        fails("date.now", &[(json!({ "timezone": "Tokio" }), "timezone is not the name")]);
    }
}
