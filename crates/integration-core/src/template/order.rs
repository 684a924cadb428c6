//! The order of a type's fields. A `serde_json` map sorts its keys, so the schema itself has lost it.

use serde::de::value::Error;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

/// Returns the names a struct deserialises from, in the order of its source; aliases too. Empty for a type with a
/// flattened field and for one that is no struct, which do not tell.
pub(super) fn field_order<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // Always fails, because nothing is there to be read; what counts is what it asked for.
    let _nothing_to_read = T::deserialize(Asked(&mut fields)).is_ok();
    fields
}

/// Writes down which fields it is asked for and gives none.
struct Asked<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("nothing to read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("nothing to read"))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape counts")]
    struct Plain {
        zebra: String,
        #[serde(rename = "apple_id")]
        apple: Option<u8>,
        #[serde(default)]
        mango: Vec<String>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape counts")]
    struct Wrapper(Plain);

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape counts")]
    struct Flat {
        first: u8,
        #[serde(flatten)]
        rest: Plain,
    }

    #[test]
    fn fields_come_in_source_order() {
        assert_eq!(field_order::<Plain>(), ["zebra", "apple_id", "mango"]);
        assert_eq!(field_order::<Wrapper>(), ["zebra", "apple_id", "mango"]);
    }

    #[test]
    fn what_is_no_plain_struct_does_not_tell() {
        assert!(field_order::<Flat>().is_empty());
        assert!(field_order::<Vec<String>>().is_empty());
        assert!(field_order::<()>().is_empty());
    }
}
