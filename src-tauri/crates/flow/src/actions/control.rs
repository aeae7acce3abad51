//! The nodes that steer a run. What they do is in `run/control.rs`.

use devrig_core::Result;

use crate::action::{About, Actions, Control, Does, Effect};

const USUAL: About = About {
    name: "",
    title: "",
    text: "",
    effect: Effect::Pure,
    idempotent: true,
    input: r#"{"type": "object"}"#,
    output: "{}",
    example: "{}",
    typical_ms: 0,
    raw: &[],
};

const LOOP: About = About {
    name: "flow.loop",
    title: "Loop",
    text: "Runs the nodes of its `body` for each element of `items`, up to `concurrency` rounds at \
           a time. Inside, `loop.item`, `loop.index`, `loop.length`, `loop.first` and `loop.last` \
           say which round it is. Gives a list of what each round gave: the output of the body's \
           last node, or of several last ones an object by their ids. `flow.break` ends it early.",
    input: r#"{"type": "object", "additionalProperties": false, "required": ["items"],
        "properties": {
            "items": {"type": "array", "description": "What to go through."},
            "concurrency": {"type": "integer", "minimum": 1, "maximum": 100, "default": 1}}}"#,
    output: r#"{"type": "array"}"#,
    example: r#"{"items": "{{nodes.fetch.output.body}}", "concurrency": 4}"#,
    ..USUAL
};

const PARALLEL: About = About {
    name: "flow.parallel",
    title: "Side by side",
    text: "Runs the nodes of its `body` once, those that do not depend on each other at the same \
           time. Gives the output of the last node, or of several an object by their ids.",
    input: r#"{"type": "object", "additionalProperties": false}"#,
    ..USUAL
};

const BREAK: About = About {
    name: "flow.break",
    title: "Break",
    text: "Ends the loop around it after this round. Further rounds do not begin.",
    input: r#"{"type": "object", "additionalProperties": false}"#,
    output: r#"{"type": "null"}"#,
    ..USUAL
};

const DELAY: About = About {
    name: "flow.delay",
    title: "Delay",
    text: "Waits for `ms` milliseconds. A long wait holds no worker, and goes on over restarts.",
    input: r#"{"type": "object", "additionalProperties": false, "required": ["ms"],
        "properties": {"ms": {"type": "integer", "minimum": 0, "maximum": 31622400000}}}"#,
    output: r#"{"type": "null"}"#,
    example: r#"{"ms": 5000}"#,
    ..USUAL
};

const BRANCH: About = About {
    name: "flow.branch",
    title: "Branch",
    text: "Goes on at the port that `port` names. A condition node does the same by conditions.",
    input: r#"{"type": "object", "additionalProperties": false, "required": ["port"],
        "properties": {"port": {"type": "string", "minLength": 1, "maxLength": 64}}}"#,
    output: r#"{"type": "null"}"#,
    example: r#"{"port": "{{trigger.payload.action}}"}"#,
    ..USUAL
};

const FAIL: About = About {
    name: "flow.fail",
    title: "Fail",
    text: "Fails with a message of your own, which the run, its error flow and its log tell.",
    input: r#"{"type": "object", "additionalProperties": false, "required": ["message"],
        "properties": {
            "message": {"type": "string", "minLength": 1},
            "hint": {"type": "string", "description": "What helps."}}}"#,
    example: r#"{"message": "No build for {{trigger.payload.sha}}"}"#,
    ..USUAL
};

const RESPOND: About = About {
    name: "http.respond",
    title: "Answer the request",
    text: "Answers the webhook request that started the run, where its trigger waits for the flow. \
           The run goes on after it. Only the first answer counts.",
    input: r#"{"type": "object", "additionalProperties": false,
        "properties": {
            "status": {"type": "integer", "minimum": 200, "maximum": 599, "default": 200},
            "headers": {"type": "object", "additionalProperties": {"type": "string"}},
            "body": {"description": "Text is sent as it is, anything else as JSON."}}}"#,
    example: r#"{"status": 201, "body": {"ok": true}}"#,
    ..USUAL
};

const SUBFLOW: About = About {
    name: "flow.subflow",
    title: "Run a flow",
    text: "Runs another flow with `input` as its `trigger.payload`, in its live version unless \
           `version` names one, and gives what it gives. Where that run fails, the node fails. It is \
           started once, also around a crash. With `\"wait\": false` the node goes on at once and \
           gives the run's id. Calls go ten deep at most.",
    input: r#"{"type": "object", "additionalProperties": false, "required": ["flowId"],
        "properties": {
            "flowId": {"type": "string", "minLength": 1},
            "version": {"type": "integer", "minimum": 1},
            "input": {"description": "What the flow sees as trigger.payload."},
            "wait": {"type": "boolean", "default": true}}}"#,
    example: r#"{"flowId": "digest", "input": {"repo": "{{loop.item}}"}}"#,
    typical_ms: 1_000,
    ..USUAL
};

const WAIT: About = About {
    name: "flow.wait",
    title: "Wait",
    text: "Waits for a time (`until`, or `ms` from now), for a request to the run's own address \
           (`\"for\": \"webhook\"`), or for a person (`\"for\": \"approval\"`). It holds no worker, \
           and goes on over restarts. Nodes before it find the address in `run.resumeUrl`; with a \
           slash and a node's id behind it, it means that node alone. A request is given as a \
           webhook's payload is. An approval goes on at `approved` or `rejected`, and gives `approved`, \
           `note` and `at`. When `timeoutMs` is over it goes on at `timeout`, or fails where nothing \
           leads on from there.",
    input: r#"{"type": "object", "additionalProperties": false,
        "properties": {
            "for": {"enum": ["time", "webhook", "approval"], "default": "time"},
            "until": {"type": "string", "description": "A time such as 2026-11-20T09:30:00Z."},
            "ms": {"type": "integer", "minimum": 0, "maximum": 31622400000},
            "timeoutMs": {"type": "integer", "minimum": 1, "maximum": 31622400000},
            "message": {"type": "string", "maxLength": 4000, "description": "What a person is asked."},
            "who": {"type": "string", "maxLength": 200, "description": "Who is asked."}}}"#,
    example: r#"{"for": "approval", "message": "Deploy {{trigger.payload.sha}}?", "timeoutMs": 86400000}"#,
    ..USUAL
};

pub fn add_all(actions: &mut Actions) -> Result<()> {
    for (about, control) in [
        (LOOP, Control::Loop),
        (PARALLEL, Control::Parallel),
        (BREAK, Control::Break),
        (DELAY, Control::Delay),
        (BRANCH, Control::Branch),
        (FAIL, Control::Fail),
        (RESPOND, Control::Respond),
        (SUBFLOW, Control::Subflow),
        (WAIT, Control::Wait),
    ] {
        actions.add(about, Does::Control(control))?;
    }
    Ok(())
}
