//! Telling whether two values are the same, by a text that is the same for both.

use std::fmt::Write;

use devrig_expr::{Number, View};
/// The same for values that are equal in kind and content: the order of an object's fields does
/// not matter, and 1 is 1.0, but 1 is not "1".
pub(super) fn identity(view: View<'_>) -> String {
    let mut text = String::new();
    write(view, &mut text);
    text
}

/// As [`identity`], of several values together; what is missing is null.
pub(super) fn identity_of<'a>(views: impl IntoIterator<Item = Option<View<'a>>>) -> String {
    let mut text = String::new();
    for view in views {
        write(view.unwrap_or(View::Null), &mut text);
        text.push(',');
    }
    text
}

/// What is written comes from an input whose depth was checked.
fn write(view: View<'_>, into: &mut String) {
    match view {
        View::Null => into.push('n'),
        View::Bool(flag) => into.push(if flag { 't' } else { 'f' }),
        View::Number(number) => write_number(number, into),
        View::List(list) => {
            into.push('[');
            for each in list {
                write(View::of(each), into);
                into.push(',');
            }
            into.push(']');
        }
        View::Map(_) | View::Object(_) => write_object(view, into),
        View::Text(_) | View::Secret(_) => write_text(view.text().unwrap_or_default(), into),
    }
}

fn write_object(view: View<'_>, into: &mut String) {
    let mut fields = view.fields();
    fields.sort_unstable_by_key(|(name, _)| *name);
    into.push('{');
    for (name, value) in fields {
        write_text(name, into);
        write(value, into);
        into.push(',');
    }
    into.push('}');
}

/// The length comes first, so that no text can look like the end of one and the start of another.
fn write_text(text: &str, into: &mut String) {
    let _ = write!(into, "{}:{text}", text.len());
}

fn write_number(number: Number, into: &mut String) {
    let _ = match number {
        // Every whole number that JSON has beside floats is below.
        Number::Float(float) if float.fract() == 0.0 && float.abs() < 1e30 => {
            write!(into, "#{}", float as i128)
        }
        number => write!(into, "#{number}"),
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::tests::any_json;
    use super::*;

    fn identity_of_value(value: &Value) -> String {
        identity(View::of(value))
    }

    #[test]
    fn alike_is_not_the_same() {
        let same = |a: Value, b: Value| identity_of_value(&a) == identity_of_value(&b);
        assert!(same(json!({ "a": 1, "b": [null] }), json!({ "b": [null], "a": 1.0 })));
        assert!(same(json!(0), json!(-0.0)));
        assert!(same(json!(9_223_372_036_854_775_808_u64), json!(9.223_372_036_854_776e18)));
        assert!(!same(json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992.0)));
        for (a, b) in [
            (json!(1), json!("1")),
            (json!("n"), json!(null)),
            (json!(["a", "b"]), json!(["a,1:b"])),
            (json!([[], []]), json!([[[]]])),
            (json!({ "a": "b" }), json!({ "a1": "b" })),
            (json!({}), json!([])),
        ] {
            assert!(!same(a.clone(), b.clone()), "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn values_are_the_same_when_their_texts_are(a in any_json(), b in any_json()) {
            let texts = identity_of_value(&a) == identity_of_value(&b);
            prop_assert_eq!(texts, View::of(&a).same(View::of(&b)));
            prop_assert_eq!(identity_of_value(&a), identity_of_value(&a.clone()));
        }
    }
}
