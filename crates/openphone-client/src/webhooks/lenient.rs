//! Fields that the generations spell differently, or that are worth less than the event they stand in.
//!
//! An event is delivered a few times and then never again. So a field of secondary worth that cannot be read counts as
//! not reported, and does not cost the text or the call it belongs to. Ids and the overall shape stay strict.

use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Reads a time; `None` for `null` and for what is no time.
pub(super) fn time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    deserializer.deserialize_any(Scalar(parse_time))
}

/// Reads a count of seconds, whole or not; `None` for `null` and for what is no such number.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    deserializer.deserialize_any(Scalar(|text: &str| {
        text.parse()
            .ok()
            .or_else(|| whole(text.trim().parse().ok()?))
    }))
}

/// Reads a code that may be sent as a text or a number.
pub(super) fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_any(Scalar(|text: &str| Some(text.to_owned())))
}

/// Reads numbers given as one text, as several with commas between them, or as a list.
pub(super) fn numbers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    deserializer.deserialize_any(Numbers)
}

/// Reads a list without its `null`s; `None` for what is no list.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(List(PhantomData))
}

/// Reads a list without the elements that are not as expected; `None` for what is no list.
pub(super) fn readable<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let elements = list::<D, Expected<T>>(deserializer)?;
    Ok(elements.map(|elements| {
        elements
            .into_iter()
            .filter_map(Expected::into_option)
            .collect()
    }))
}

/// Reads what is expected, and takes anything else for not reported.
pub(super) fn or_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Expected<T>>::deserialize(deserializer)?.and_then(Expected::into_option))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expected<T> {
    Yes(T),
    No(IgnoredAny),
}

impl<T> Expected<T> {
    fn into_option(self) -> Option<T> {
        match self {
            Self::Yes(value) => Some(value),
            Self::No(_) => None,
        }
    }
}

struct List<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Option<Vec<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = seq.next_element::<Option<T>>()? {
            list.extend(element);
        }
        Ok(Some(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Scalar(|_: &str| None).visit_map(map)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// How a value is made from a scalar's text; numbers and truths have one, too.
///
/// Anything that is no scalar is passed over and counts as not reported.
pub(super) struct Scalar<F>(pub(super) F);

impl<'de, T, F: Fn(&str) -> Option<T>> DeserializeSeed<'de> for Scalar<F> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T, F: Fn(&str) -> Option<T>> Visitor<'de> for Scalar<F> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number or nothing")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok((self.0)(text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok((self.0)(&number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok((self.0)(&number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok((self.0)(&number.to_string()))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok((self.0)(if truth { "true" } else { "false" }))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

struct Numbers;

impl<'de> Visitor<'de> for Numbers {
    type Value = Option<Vec<String>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or several")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        let numbers = text
            .split(',')
            .map(str::trim)
            .filter(|number| !number.is_empty());
        Ok(Some(numbers.map(str::to_owned).collect()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut numbers = Vec::new();
        while let Some(number) = seq.next_element::<Option<Number>>()? {
            numbers.extend(number.and_then(|number| number.0));
        }
        Ok(Some(numbers))
    }
}

/// A number alone, or an object that has it as `phoneNumber`, as the dated API lists participants.
struct Number(Option<String>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;

        impl<'de> Visitor<'de> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_str<E>(self, text: &str) -> Result<Number, E> {
                Ok(Number(Some(text.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Number, A::Error> {
                let mut number = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "phoneNumber" {
                        number = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Number(number))
            }
        }

        deserializer.deserialize_any(NumberVisitor)
    }
}

/// Reads the vendor's times: `2025-01-15T10:20:15.342Z` in every live payload, and some stray quotes and blanks in its
/// samples.
pub(super) fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    parse_utc(text.as_bytes()).or_else(|| connector_http::lenient::parse_timestamp(text))
}

/// The one form that all live payloads have, several times each, read at a fraction of the general parser's cost.
fn parse_utc(text: &[u8]) -> Option<DateTime<Utc>> {
    let (date, rest) = text.split_first_chunk::<11>()?;
    let (time, fraction) = rest.split_first_chunk::<8>()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T'] = *date else {
        return None;
    };
    let [h1, h2, b':', n1, n2, b':', s1, s2] = *time else {
        return None;
    };
    let millis = match *fraction {
        [b'Z'] => 0,
        [b'.', f1, f2, f3, b'Z'] => number(&[f1, f2, f3])?,
        _ => return None,
    };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)?;
    let time = date.and_hms_milli_opt(
        number(&[h1, h2])?,
        number(&[n1, n2])?,
        number(&[s1, s2])?,
        millis,
    )?;
    Some(time.and_utc())
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u32::from(digit & 0x0f))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

fn whole(seconds: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked, and a fraction of a second is not of interest"
    )]
    (0.0..=9_007_199_254_740_992.0)
        .contains(&seconds)
        .then_some(seconds as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2025-01-15T10:20:15.342Z", Some(1_736_936_415_342))]
    #[case("2025-01-15T10:20:15Z", Some(1_736_936_415_000))]
    #[case("2025-01-15T10:20:15.3Z", Some(1_736_936_415_300))]
    #[case("2025-01-15T10:20:15.342678Z", Some(1_736_936_415_342))]
    #[case("2025-01-15T12:20:15+02:00", Some(1_736_936_415_000))]
    #[case(" \"2025-01-15T10:20:15.342Z\"", Some(1_736_936_415_342))]
    #[case("2025-02-30T10:20:15Z", None)]
    #[case("2025-01-15T24:00:00Z", None)]
    #[case("soon", None)]
    #[case("", None)]
    fn times_are_read_in_every_form_the_vendor_has(
        #[case] text: &str,
        #[case] millis: Option<i64>,
    ) {
        assert_eq!(parse_time(text).map(|time| time.timestamp_millis()), millis);
    }

    proptest! {
        #[test]
        fn the_short_road_agrees_with_the_general_parser(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{3})?Z") {
            let general = DateTime::parse_from_rfc3339(&text).ok().map(|time| time.to_utc());
            prop_assert_eq!(parse_utc(text.as_bytes()), general);
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = parse_time(&text);
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Fields {
        #[serde(default, deserialize_with = "time")]
        time: Option<DateTime<Utc>>,
        #[serde(default, deserialize_with = "seconds")]
        seconds: Option<u64>,
        #[serde(default, deserialize_with = "code")]
        code: Option<String>,
        #[serde(default, deserialize_with = "numbers")]
        numbers: Option<Vec<String>>,
        #[serde(default, deserialize_with = "readable")]
        list: Option<Vec<u8>>,
        #[serde(default, deserialize_with = "list")]
        strict: Option<Vec<u8>>,
        #[serde(default, deserialize_with = "or_none")]
        one: Option<u8>,
    }

    fn fields(json: &str) -> Fields {
        serde_json::from_str(json).unwrap()
    }

    #[rstest]
    #[case("{}")]
    #[case(r#"{"time":null,"seconds":null,"code":null,"numbers":null,"list":null,"strict":null,"one":null}"#)]
    #[case(r#"{"time":[1,[2]],"seconds":{"a":{}},"code":[],"list":"text","strict":7,"one":[]}"#)]
    #[case(r#"{"time":-17,"seconds":"long","code":{},"list":{"a":[1]},"strict":{},"one":"1"}"#)]
    #[case(r#"{"time":true,"seconds":-1,"list":true,"strict":-1.5,"one":300}"#)]
    fn what_cannot_be_read_is_not_reported(#[case] json: &str) {
        let nothing = Fields {
            time: None,
            seconds: None,
            code: None,
            numbers: None,
            list: None,
            strict: None,
            one: None,
        };
        assert_eq!(fields(json), nothing);
    }

    #[test]
    fn lists_lose_only_what_cannot_be_read() {
        let read = fields(r#"{"list":[1,null,"2",300,[],{},3],"strict":[1,null,2]}"#);
        assert_eq!(
            (read.list, read.strict),
            (Some(vec![1, 3]), Some(vec![1, 2]))
        );
        assert!(serde_json::from_str::<Fields>(r#"{"strict":["1"]}"#).is_err());
    }

    #[rstest]
    #[case("55", 55)]
    #[case("55.9", 55)]
    #[case("\"55\"", 55)]
    #[case("0", 0)]
    fn seconds_are_whole(#[case] json: &str, #[case] seconds: u64) {
        assert_eq!(
            fields(&format!(r#"{{"seconds":{json}}}"#)).seconds,
            Some(seconds)
        );
    }

    #[rstest]
    #[case("30006", "30006")]
    #[case("\"30006\"", "30006")]
    #[case("true", "true")]
    fn codes_are_texts(#[case] json: &str, #[case] code: &str) {
        assert_eq!(
            fields(&format!(r#"{{"code":{json}}}"#)).code.as_deref(),
            Some(code)
        );
    }

    #[rstest]
    #[case(r#""+12025550143""#, &["+12025550143"])]
    #[case(r#""+12025550143, +12025550144,""#, &["+12025550143", "+12025550144"])]
    #[case(r#"["+12025550143",null,"77453"]"#, &["+12025550143", "77453"])]
    #[case(r#"[{"actorId":"US1","phoneNumber":"anonymous"},{"actorId":null}]"#, &["anonymous"])]
    #[case(r#""""#, &[])]
    #[case("[]", &[])]
    fn numbers_come_as_text_or_list(#[case] json: &str, #[case] numbers: &[&str]) {
        let read = fields(&format!(r#"{{"numbers":{json}}}"#)).numbers.unwrap();
        assert_eq!(read, numbers);
    }
}
