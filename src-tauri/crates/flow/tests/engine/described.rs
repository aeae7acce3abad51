//! What the actions that reach out say of themselves.

use serde_json::{Value, json};

use crate::common::Rig;

const CATEGORIES: [&str; 3] = ["http.", "inbox.", "notify."];

#[tokio::test]
async fn what_reaches_out_is_described_and_takes_its_own_example() {
    let (rig, _folder) = Rig::new().await;
    let reaches = |name: &str| {
        CATEGORIES.iter().any(|category| name.starts_with(category)) && name != "http.respond"
    };
    let mut count = 0;
    for action in rig.flows.actions().all().filter(|action| reaches(action.about.name)) {
        let about = &action.about;
        count += 1;
        assert!(!about.title.is_empty() && about.text.ends_with('.'), "{}", about.name);
        let input: Value = serde_json::from_str(about.input).unwrap();
        assert_eq!(input["additionalProperties"], json!(false), "{}: slips are told", about.name);
        for (name, field) in input["properties"].as_object().unwrap() {
            assert!(field["description"].is_string(), "{}: {name}", about.name);
        }
        assert!(serde_json::from_str::<Value>(about.output).unwrap().is_object(), "{}", about.name);
        action.check(&serde_json::from_str(about.example).unwrap()).unwrap();
    }
    assert_eq!(count, 7);
}
