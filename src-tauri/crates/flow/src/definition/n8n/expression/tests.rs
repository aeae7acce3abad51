use super::*;

fn place_of(root: &Root) -> Option<Path> {
    match root {
        Root::Input => Some(Path::of("nodes.before.output")),
        Root::Step(name) if name == "My Node" => Some(Path::of("nodes.my_node.output")),
        Root::Step(_) => None,
        Root::Fixed(path) => Some(Path::of(path)),
    }
}

fn template(raw: &str) -> String {
    let text = convert(raw, &place_of);
    assert_eq!(text.left, [""; 0], "{raw}");
    text.template
}

#[test]
fn names_of_values_become_templates() {
    for (raw, expected) in [
        ("={{ $json.x }}", "{{nodes.before.output.x}}"),
        ("={{$json}}", "{{nodes.before.output}}"),
        (
            "={{ $json[\"two words\"].list[0].id }}",
            "{{nodes.before.output.[two words].list.[0].id}}",
        ),
        ("={{ $json?.a?.['b c']?.[1] }}", "{{nodes.before.output.a.[b c].[1]}}"),
        ("={{ $node[\"My Node\"].json.x }}", "{{nodes.my_node.output.x}}"),
        ("={{ $('My Node').item.json.x }}", "{{nodes.my_node.output.x}}"),
        ("={{ $(\"My Node\").first().json['x'] }}", "{{nodes.my_node.output.x}}"),
        ("={{ $('My Node').all()[0].json }}", "{{nodes.my_node.output}}"),
        ("={{ $input.item.json.x }}", "{{nodes.before.output.x}}"),
        ("={{ $input.first().json.x; }}", "{{nodes.before.output.x}}"),
        ("={{ $now }}", "{{run.startedAt}}"),
        ("={{ $now.toISO() }}", "{{run.startedAt}}"),
        ("={{ $workflow.name }}/{{ $execution.id }}", "{{flow.name}}/{{run.id}}"),
        ("={{ $env.HOME }} {{ $vars.limit }}", "{{env.HOME}} {{variables.limit}}"),
        ("=Hello {{ $json.name }}!", "Hello {{nodes.before.output.name}}!"),
        ("={{ JSON.stringify($json.body) }}", "{{json nodes.before.output.body}}"),
        ("={{ $json.a || 'none' }}", "{{default nodes.before.output.a \"none\"}}"),
        ("={{ $json.a ?? 0 }}", "{{default nodes.before.output.a 0}}"),
        ("={{ 'text' }} {{ 5 }} {{ true }}", "text 5 true"),
        ("=no expression", "no expression"),
        ("plain {{ text }}", "plain \\{{ text }}"),
        ("", ""),
        ("=", ""),
    ] {
        assert_eq!(template(raw), expected, "{raw}");
    }
}

#[test]
fn what_computes_is_left_and_told() {
    for raw in [
        "{{ $json.x.toUpperCase() }}",
        "{{ $json.a + 1 }}",
        "{{ $json.a ? 1 : 2 }}",
        "{{ $json.a || $json.b }}",
        "{{ $('Nobody').item.json.x }}",
        "{{ $('My Node').item.binary }}",
        "{{ $('My Node').all() }}",
        "{{ $jsonx }}",
        "{{ $node[`My ${x}`].json }}",
        "{{ $now.minus({ days: 1 }) }}",
        "{{ { a: { b: 1 }} }}",
        "{{ $json['a]'] }}",
        "{{ }}",
        "{{ $json[ }}",
        "{{ é }}",
    ] {
        let text = convert(&format!("=a {raw} b"), &place_of);
        assert_eq!(text.left.len(), 1, "{raw}: {text:?}");
        assert_eq!(text.template, format!("a {raw} b"));
    }
    assert_eq!(convert("={{ $json.a", &place_of).left, [""; 0]);
}

#[test]
fn a_single_expression_has_a_meaning_of_its_own() {
    let path = |text: &str| single(text, &place_of);
    assert_eq!(path("={{ $json }}"), Some(Meaning::Value(Path::of("nodes.before.output"))));
    assert_eq!(path("={{ 'a' }}"), Some(Meaning::Literal("a".into())));
    for none in ["={{ $json }} ", "={{ $json }} x", "x", "{{ $json }}", "={{ f() }}", "={{"] {
        assert_eq!(path(none).is_some(), none == "={{ $json }} ", "{none}");
    }
}
