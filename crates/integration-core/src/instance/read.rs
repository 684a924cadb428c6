//! Reads a config type from the open values, so that a secret goes from the vault into its `SecretString` and
//! through nothing that could print it.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::de::value::{MapAccessDeserializer, StrDeserializer, StringDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    Visitor,
};
use serde_json::Value;

use super::{ConfigValue, ConfigValues};

/// A field that the config type cannot take. It holds the field's name and no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// The field, where it is known.
    pub(super) field: Option<String>,
    /// What is wrong with it, in words that go after its name.
    pub(super) problem: &'static str,
}

impl Unreadable {
    fn new(field: Option<&str>, problem: &'static str) -> Self {
        Self {
            field: field.map(str::to_owned),
            problem,
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{field} {}", self.problem),
            None => write!(f, "the config {}", self.problem),
        }
    }
}

impl std::error::Error for Unreadable {}

/// Whatever a type says against a value may repeat the value, so it is not kept.
impl serde::de::Error for Unreadable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new(None, "cannot be read")
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Some(field), "is missing")
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::new(None, "has a field that is not known")
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(Some(field), "is there twice")
    }
}

impl ConfigValues {
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Unreadable> {
        let fields = Fields {
            rest: self.iter().collect::<Vec<_>>().into_iter(),
            value: None,
        };
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}

struct Fields<'v> {
    rest: std::vec::IntoIter<(&'v str, &'v ConfigValue)>,
    value: Option<(&'v str, &'v ConfigValue)>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unreadable> {
        self.value = self.rest.next();
        let Some((field, _)) = self.value else {
            return Ok(None);
        };
        let key: StrDeserializer<'_, Unreadable> = field.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Unreadable> {
        let Some((field, value)) = self.value.take() else {
            return Err(Unreadable::custom("a value without its name"));
        };
        let wrong = Unreadable::new(Some(field), "does not have the form that is expected");
        match value {
            ConfigValue::Readable(value) => seed.deserialize(value.clone()).map_err(|_| wrong),
            ConfigValue::Secret(secret) => seed.deserialize(Text(secret)).map_err(|_| wrong),
        }
    }
}

/// A secret as text, of whatever type the field is: a `SecretString`, an `Option` of it, or a newtype.
struct Text<'s>(&'s SecretString);

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        // The visitor takes the copy over, so that it ends in the secret it makes and is wiped with it.
        visitor.visit_string(self.0.expose_secret().to_owned())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        let text: StringDeserializer<Unreadable> =
            self.0.expose_secret().to_owned().into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

/// A JSON value that may hold secrets for as long as a check takes. It is wiped when it is dropped.
pub(super) struct Transient(Value);

impl Transient {
    pub(super) fn of(values: &ConfigValues) -> Self {
        let fields = values.iter().map(|(field, value)| {
            let value = match value {
                ConfigValue::Readable(value) => value.clone(),
                ConfigValue::Secret(secret) => Value::String(secret.expose_secret().to_owned()),
            };
            (field.to_owned(), value)
        });
        Self(Value::Object(fields.collect()))
    }

    pub(super) fn value(&self) -> &Value {
        &self.0
    }
}

impl Drop for Transient {
    fn drop(&mut self) {
        use zeroize::Zeroize;

        if let Value::Object(fields) = &mut self.0 {
            for value in fields.values_mut() {
                if let Value::String(text) = value {
                    text.zeroize();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize)]
    struct Newtype(SecretString);

    #[derive(Deserialize)]
    struct Config {
        key: SecretString,
        second: Option<SecretString>,
        third: Option<Newtype>,
        #[serde(default)]
        retries: u8,
        tags: Option<Vec<String>>,
    }

    fn whole() -> ConfigValues {
        ConfigValues::new()
            .secret("key", "k-1".to_owned())
            .secret("second", "k-2".to_owned())
            .secret("third", "k-3".to_owned())
            .readable("retries", 3)
            .readable("tags", json!(["a", "b"]))
    }

    #[test]
    fn every_field_arrives() {
        let config: Config = whole().read().unwrap();
        assert_eq!(config.key.expose_secret(), "k-1");
        assert_eq!(config.second.unwrap().expose_secret(), "k-2");
        assert_eq!(config.third.unwrap().0.expose_secret(), "k-3");
        assert_eq!(config.retries, 3);
        assert_eq!(config.tags.unwrap(), ["a", "b"]);
    }

    #[test]
    fn what_is_optional_may_be_left_out() {
        let config: Config = ConfigValues::new()
            .secret("key", "k-1".to_owned())
            .read()
            .unwrap();
        assert!(config.second.is_none() && config.tags.is_none() && config.retries == 0);
    }

    #[test]
    fn what_is_wrong_is_named_and_never_shown() {
        let missing = ConfigValues::new().read::<Config>().err().unwrap();
        assert_eq!(missing.to_string(), "key is missing");
        let wrong = whole().readable("retries", "canary").read::<Config>();
        let wrong = wrong.err().unwrap();
        assert_eq!(wrong.field.as_deref(), Some("retries"));
        assert!(!format!("{wrong} {wrong:?}").contains("canary"));
        let wrong = whole().secret("tags", "canary".to_owned()).read::<Config>();
        let wrong = wrong.err().unwrap();
        assert_eq!(wrong.field.as_deref(), Some("tags"));
        assert!(!format!("{wrong} {wrong:?}").contains("canary"));
    }
}
