//! What is wrong with a flow, for people.

use devrig_core::Error;
use devrig_engine::api::flow::{Problem, Severity};

/// The problems that an error is made of; none for any other error.
pub fn of(error: &Error) -> Vec<Problem> {
    let list = error.details.as_ref().and_then(|details| details.get("problems"));
    list.and_then(|list| serde_json::from_value(list.clone()).ok()).unwrap_or_default()
}

/// An error as lines, each of its problems by itself.
pub fn told(error: &Error) -> String {
    match (of(error).as_slice(), &error.hint) {
        ([], Some(hint)) => format!("{}\n{hint}", error.message),
        ([], None) => error.message.clone(),
        (problems, _) => lines(problems),
    }
}

/// Two lines for each: where and what, and what to do about it.
pub fn lines(problems: &[Problem]) -> String {
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn line(problem: &Problem) -> String {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let hint = match problem.hint.as_str() {
        "" => String::new(),
        hint => format!("\n  {hint}"),
    };
    format!("{severity}: {problem}{hint}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_names_its_node_and_its_field() {
        let details = json!({ "problems": [{
            "severity": "error", "code": "wrong-type", "node": "fetch",
            "field": "$.nodes[0].config.url", "message": "node `fetch`: url must be text", "hint": "Quote it.",
        }] });
        let error = Error::invalid("wrong").details(details);
        assert_eq!(
            lines(&of(&error)),
            "error: $.nodes[0].config.url: node `fetch`: url must be text\n  Quote it."
        );
        assert!(of(&Error::invalid("something else")).is_empty());
    }
}
