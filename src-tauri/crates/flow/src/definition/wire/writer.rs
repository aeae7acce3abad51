//! Writes the model in its own order of fields, without what is the default.

use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Debug, Default)]
pub(crate) struct Writer(Map<String, Value>);

impl Writer {
    pub fn put(&mut self, name: &str, value: impl Serialize) {
        // The model holds text, whole and finite numbers, JSON, and lists of those.
        let value = serde_json::to_value(value).expect("the model is JSON");
        self.0.insert(name.to_owned(), value);
    }

    pub fn some(&mut self, name: &str, value: &Option<impl Serialize>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    pub fn unless<T: Serialize + PartialEq>(&mut self, name: &str, value: &T, usual: &T) {
        if value != usual {
            self.put(name, value);
        }
    }

    pub fn unless_empty<T: Serialize>(&mut self, name: &str, list: &[T]) {
        if !list.is_empty() {
            self.put(name, list);
        }
    }

    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// Gives a type that has `read(&Object)` and `write(&self, &mut Writer)` its place in serde.
macro_rules! serde_by_wire {
    ($($name:ty),+ $(,)?) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let mut writer = $crate::definition::wire::Writer::default();
                self.write(&mut writer);
                serde::Serialize::serialize(&writer.into_map(), to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let value = serde_json::Value::deserialize(from)?;
                $crate::definition::read::read_part(&value, |at| at.object(<$name>::read))
                    .map_err(serde::de::Error::custom)
            }
        }
    )+};
}

pub(crate) use serde_by_wire;
