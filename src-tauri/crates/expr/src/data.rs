//! What an expression reads: a tree that is borrowed wherever somebody else holds it already.

use std::borrow::Cow;

use devrig_core::Sensitive;
use serde_json::Value;

use crate::view::View;

/// A value, or an object made of such data, so that a run's context is read where it lies.
///
/// ```
/// # use devrig_expr::Data;
/// # use serde_json::json;
/// let payload = json!({ "action": "opened" });
/// let data = Data::object([
///     ("trigger", Data::object([("payload", Data::from(&payload))])),
///     ("env", Data::object([("CI", Data::from("true"))])),
/// ]);
/// assert_eq!(data.to_value()["trigger"]["payload"]["action"], "opened");
/// ```
#[derive(Debug, Clone)]
pub struct Data<'a>(Tree<'a>);

#[derive(Debug, Clone)]
enum Tree<'a> {
    View(View<'a>),
    Owned(Value),
    Object(Object<'a>),
}

/// An object of roots, such as `trigger` and `nodes`. A list, as it is made for each evaluation and
/// few of its fields are read.
#[derive(Debug, Clone, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Data<'a>)>);

impl<'a> Data<'a> {
    /// An object whose fields have different names.
    pub fn object<K: Into<Cow<'a, str>>>(fields: impl IntoIterator<Item = (K, Data<'a>)>) -> Self {
        let fields = fields.into_iter().map(|(name, data)| (name.into(), data));
        Self(Tree::Object(Object(fields.collect())))
    }

    /// A secret's value: templates and comparisons read it, explanations mask it.
    pub fn secret(secret: &'a Sensitive<String>) -> Self {
        View::Secret(secret).into()
    }

    pub fn view(&self) -> View<'_> {
        match &self.0 {
            Tree::View(view) => *view,
            Tree::Owned(value) => View::of(value),
            Tree::Object(object) => View::Object(object),
        }
    }

    /// A copy of the whole, secrets in clear.
    pub fn to_value(&self) -> Value {
        self.view().to_value()
    }

    /// As [`Data::to_value`], without a copy where the value is this data's own.
    pub fn into_value(self) -> Value {
        match self.0 {
            Tree::Owned(value) => value,
            tree => Self(tree).to_value(),
        }
    }

    /// The part of this data that `choose` finds; only what is owned here is copied.
    pub(crate) fn project(
        self,
        mut choose: impl FnMut(View<'_>) -> Option<View<'_>>,
    ) -> Option<Self> {
        match self.0 {
            Tree::View(view) => choose(view).map(Into::into),
            Tree::Owned(value) => choose(View::of(&value)).map(|view| view.to_value().into()),
            Tree::Object(object) => {
                choose(View::Object(&object)).map(|view| view.to_value().into())
            }
        }
    }
}

impl<'a> Object<'a> {
    pub fn get(&self, name: &str) -> Option<View<'_>> {
        self.0.iter().find(|(own, _)| own.as_ref() == name).map(|(_, data)| data.view())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, View<'_>)> {
        self.0.iter().map(|(name, data)| (name.as_ref(), data.view()))
    }
}

impl<'a> From<View<'a>> for Data<'a> {
    fn from(view: View<'a>) -> Self {
        Self(Tree::View(view))
    }
}

impl<'a> From<&'a Value> for Data<'a> {
    fn from(value: &'a Value) -> Self {
        View::of(value).into()
    }
}

impl<'a> From<&'a str> for Data<'a> {
    fn from(text: &'a str) -> Self {
        View::Text(text).into()
    }
}

impl From<Value> for Data<'_> {
    fn from(value: Value) -> Self {
        Self(Tree::Owned(value))
    }
}

impl From<String> for Data<'_> {
    fn from(text: String) -> Self {
        Value::String(text).into()
    }
}

impl From<bool> for Data<'_> {
    fn from(flag: bool) -> Self {
        View::Bool(flag).into()
    }
}

impl From<usize> for Data<'_> {
    fn from(count: usize) -> Self {
        View::Number(count.into()).into()
    }
}

impl<'a> From<Cow<'a, Value>> for Data<'a> {
    fn from(value: Cow<'a, Value>) -> Self {
        match value {
            Cow::Borrowed(value) => value.into(),
            Cow::Owned(value) => value.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::view::MASK;

    #[test]
    fn roots_are_read_where_they_lie() {
        let payload = json!({ "labels": ["bug"] });
        let data = Data::object([("payload", Data::from(&payload))]);
        let labels = data.view().field("payload").and_then(|view| view.field("labels"));
        let View::List(list) = labels.unwrap() else { panic!("labels are a list") };
        assert!(std::ptr::eq(list, payload["labels"].as_array().unwrap().as_slice()));
    }

    #[test]
    fn a_secret_reads_as_text_and_shows_as_nothing() {
        let token = Sensitive::from("hunter2".to_owned());
        let data = Data::object([("token", Data::secret(&token))]);
        assert_eq!(data.to_value(), json!({ "token": "hunter2" }));
        assert_eq!(data.view().to_masked_value(), json!({ "token": MASK }));
        assert!(!format!("{data:?} {:?}", data.view()).contains("hunter2"));
    }
}
