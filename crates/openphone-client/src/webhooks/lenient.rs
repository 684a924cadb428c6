//! Fields that the generations spell differently, or that are worth less than the event they stand in.
//!
//! An event is delivered a few times and then never again. So a field of secondary worth that cannot be read counts as
//! not reported, and does not cost the text or the call it belongs to. The id of what the event is about, the text of a
//! message and the overall shape stay strict: without them it would be another event.
//!
//! Everything is told by what is met, in the one pass over the body: nothing is kept aside to be tried again.

use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Reads a time; `None` for `null` and for what is no time.
pub(super) fn time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    scalar(parse_time).deserialize(deserializer)
}

/// Reads a count of seconds, whole or not; `None` for `null` and for what is no such number.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let seconds = |text: &str| {
        text.parse()
            .ok()
            .or_else(|| whole(text.trim().parse().ok()?))
    };
    scalar(seconds).deserialize(deserializer)
}

/// Reads a number that may have a fraction; `None` for `null` and for what is no finite number.
pub(super) fn fraction<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<f64>, D::Error> {
    scalar(|text: &str| text.parse().ok().filter(|number: &f64| number.is_finite()))
        .deserialize(deserializer)
}

/// Reads a code, or what is told by one, that may be sent as a text or a number.
pub(super) fn code<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a str>,
{
    scalar(|text: &str| Some(T::from(text))).deserialize(deserializer)
}

/// Reads a text, or what is told by one; `None` for what is no text.
pub(super) fn text<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a str>,
{
    Lenient(Text(PhantomData)).deserialize(deserializer)
}

/// Reads a list of texts without its other elements; `None` for what is no list.
pub(super) fn texts<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a str>,
{
    Lenient(List(|| Text(PhantomData))).deserialize(deserializer)
}

/// Reads a yes or no; `None` for anything else.
pub(super) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Lenient(Truth).deserialize(deserializer)
}

/// Reads one phone number.
pub(super) fn number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Lenient(Number).deserialize(deserializer)
}

/// Reads phone numbers given as one text, as several with commas between them, or as a list.
pub(super) fn numbers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    Lenient(Numbers).deserialize(deserializer)
}

/// Reads an object, whose own fields decide how strict it is; `None` for what is none.
pub(super) fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Lenient(Object(PhantomData)).deserialize(deserializer)
}

/// Reads a list of objects without its other elements; `None` for what is no list.
pub(super) fn objects<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Lenient(List(|| Object(PhantomData))).deserialize(deserializer)
}

/// Reads a list without the elements that are not as expected, for elements whose own fields are strict; `None` for
/// what is no list.
pub(super) fn readable<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let elements = objects::<D, Expected<T>>(deserializer)?;
    Ok(elements.map(|elements| {
        elements
            .into_iter()
            .filter_map(|element| match element {
                Expected::Yes(value) => Some(value),
                Expected::No(_) => None,
            })
            .collect()
    }))
}

/// Makes something of a scalar's text; numbers and truths have one, too.
pub(super) fn scalar<T, F: Fn(&str) -> Option<T>>(make: F) -> Lenient<Scalar<F>> {
    Lenient(Scalar(make))
}

/// Makes something of a text, or of a whole number, whose text is always the one that was sent.
pub(super) fn exact<T, F: Fn(&str) -> Option<T>>(make: F) -> Lenient<Exact<F>> {
    Lenient(Exact(make))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expected<T> {
    Yes(T),
    No(IgnoredAny),
}

/// What a field is made of; whatever it does not take up counts as not reported.
pub(super) trait Reading<'de>: Sized {
    type Value;

    fn text(self, _: &str) -> Option<Self::Value> {
        None
    }

    /// A whole number that is not negative.
    fn count(self, count: u64) -> Option<Self::Value> {
        self.number(count)
    }

    fn number(self, _: impl ToString) -> Option<Self::Value> {
        None
    }

    fn truth(self, _: bool) -> Option<Self::Value> {
        None
    }

    fn list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Self::Value>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Self::Value>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// Reads a value of any type as a [`Reading`] takes it.
pub(super) struct Lenient<R>(pub(super) R);

impl<'de, R: Reading<'de>> DeserializeSeed<'de> for Lenient<R> {
    type Value = Option<R::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R: Reading<'de>> Visitor<'de> for Lenient<R> {
    type Value = Option<R::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.text(text))
    }

    fn visit_u64<E>(self, count: u64) -> Result<Self::Value, E> {
        Ok(self.0.count(count))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(self.0.number(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(self.0.number(number))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(self.0.truth(truth))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        self.0.list(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.object(map)
    }
}

pub(super) struct Scalar<F>(F);

impl<T, F: Fn(&str) -> Option<T>> Reading<'_> for Scalar<F> {
    type Value = T;

    fn text(self, text: &str) -> Option<T> {
        (self.0)(text)
    }

    fn number(self, number: impl ToString) -> Option<T> {
        (self.0)(&number.to_string())
    }

    fn truth(self, truth: bool) -> Option<T> {
        (self.0)(if truth { "true" } else { "false" })
    }
}

pub(super) struct Exact<F>(F);

impl<T, F: Fn(&str) -> Option<T>> Reading<'_> for Exact<F> {
    type Value = T;

    fn text(self, text: &str) -> Option<T> {
        (self.0)(text)
    }

    fn count(self, count: u64) -> Option<T> {
        (self.0)(&count.to_string())
    }
}

struct Text<T>(PhantomData<T>);

impl<T: for<'a> From<&'a str>> Reading<'_> for Text<T> {
    type Value = T;

    fn text(self, text: &str) -> Option<T> {
        Some(T::from(text))
    }
}

struct Truth;

impl Reading<'_> for Truth {
    type Value = bool;

    fn truth(self, truth: bool) -> Option<bool> {
        Some(truth)
    }
}

struct Object<T>(PhantomData<T>);

/// How [`object`] reads.
pub(super) fn object_seed<'de, T: Deserialize<'de>>() -> Lenient<impl Reading<'de, Value = T>> {
    Lenient(Object(PhantomData))
}

impl<'de, T: Deserialize<'de>> Reading<'de> for Object<T> {
    type Value = T;

    fn object<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }
}

/// A list, with how each element is read.
struct List<F>(F);

impl<'de, R: Reading<'de>, F: Fn() -> R> Reading<'de> for List<F> {
    type Value = Vec<R::Value>;

    fn list<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Self::Value>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = seq.next_element_seed(Lenient((self.0)()))? {
            list.extend(element);
        }
        Ok(Some(list))
    }
}

/// A phone number alone, or an object that has it as `phoneNumber`, as the dated API lists participants.
struct Number;

impl<'de> Reading<'de> for Number {
    type Value = String;

    fn text(self, text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn count(self, count: u64) -> Option<String> {
        Some(count.to_string())
    }

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<String>, A::Error> {
        let mut number = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "phoneNumber" {
                number = map.next_value_seed(exact(|text: &str| Some(text.to_owned())))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(number)
    }
}

struct Numbers;

impl<'de> Reading<'de> for Numbers {
    type Value = Vec<String>;

    fn text(self, text: &str) -> Option<Vec<String>> {
        let numbers = text
            .split(',')
            .map(str::trim)
            .filter(|number| !number.is_empty());
        Some(numbers.map(str::to_owned).collect())
    }

    fn count(self, count: u64) -> Option<Vec<String>> {
        Some(vec![count.to_string()])
    }

    fn list<A: SeqAccess<'de>>(self, seq: A) -> Result<Option<Vec<String>>, A::Error> {
        List(|| Number).list(seq)
    }

    fn object<A: MapAccess<'de>>(self, map: A) -> Result<Option<Vec<String>>, A::Error> {
        Ok(Number.object(map)?.map(|number| vec![number]))
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
        [b'.', f1, f2, f3, b'Z'] => digits(&[f1, f2, f3])?,
        _ => return None,
    };
    let year = i32::try_from(digits(&[y1, y2, y3, y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, digits(&[m1, m2])?, digits(&[d1, d2])?)?;
    let time = date.and_hms_milli_opt(
        digits(&[h1, h2])?,
        digits(&[n1, n2])?,
        digits(&[s1, s2])?,
        millis,
    )?;
    Some(time.and_utc())
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0_u32, |number, digit| {
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

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct Fields {
        #[serde(default, deserialize_with = "time")]
        time: Option<DateTime<Utc>>,
        #[serde(default, deserialize_with = "seconds")]
        seconds: Option<u64>,
        #[serde(default, deserialize_with = "fraction")]
        fraction: Option<f64>,
        #[serde(default, deserialize_with = "code")]
        code: Option<String>,
        #[serde(default, deserialize_with = "text")]
        text: Option<String>,
        #[serde(default, deserialize_with = "texts")]
        texts: Option<Vec<String>>,
        #[serde(default, deserialize_with = "truth")]
        truth: Option<bool>,
        #[serde(default, deserialize_with = "number")]
        number: Option<String>,
        #[serde(default, deserialize_with = "numbers")]
        numbers: Option<Vec<String>>,
        #[serde(default, deserialize_with = "object")]
        object: Option<One>,
        #[serde(default, deserialize_with = "objects")]
        objects: Option<Vec<One>>,
        #[serde(default, deserialize_with = "readable")]
        readable: Option<Vec<One>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct One {
        one: Option<u8>,
    }

    fn fields(json: &str) -> Fields {
        serde_json::from_str(json).unwrap()
    }

    #[rstest]
    #[case("{}")]
    #[case(r#"{"fraction":"NaN"}"#)]
    #[case(r#"{"fraction":"long"}"#)]
    #[case(r#"{"fraction":[1.5]}"#)]
    #[case(r#"{"time":null,"seconds":null,"code":null,"text":null,"texts":null,"truth":null}"#)]
    #[case(r#"{"number":null,"numbers":null,"object":null,"objects":null,"readable":null}"#)]
    #[case(r#"{"time":[1,[2]],"seconds":{"a":{}},"code":[],"text":[[]],"texts":"text","truth":"true"}"#)]
    #[case(
        r#"{"number":[1,{}],"numbers":true,"object":[1],"objects":{"one":1},"readable":"text"}"#
    )]
    #[case(
        r#"{"time":-17,"seconds":"long","code":{},"text":{"a":[1]},"texts":{"a":[1]},"truth":1}"#
    )]
    #[case(r#"{"number":{"a":1},"numbers":{"a":1},"object":"one","objects":7,"readable":{}}"#)]
    #[case(r#"{"time":true,"seconds":-1,"text":7,"texts":7,"truth":[],"objects":-1.5}"#)]
    #[case(r#"{"number":-1,"numbers":-1,"object":1.5,"objects":true,"readable":1}"#)]
    #[case(r#"{"text":true,"truth":{},"number":1.5,"numbers":1e300,"object":false}"#)]
    fn what_cannot_be_read_is_not_reported(#[case] json: &str) {
        assert_eq!(fields(json), Fields::default());
    }

    #[test]
    fn lists_lose_only_what_cannot_be_read() {
        let list = r#"[{"one":1},null,"2",300,[],true,-1.5,{"one":3}]"#;
        let read = fields(&format!(
            r#"{{"texts":{list},"objects":{list},"readable":[{{"one":1}},{{"one":"2"}},7,{{"one":3}}]}}"#
        ));
        let ones = || Some(vec![One { one: Some(1) }, One { one: Some(3) }]);
        assert_eq!(read.texts, Some(vec!["2".to_owned()]));
        assert_eq!((read.objects, read.readable), (ones(), ones()));
    }

    /// An object is as strict as its fields are.
    #[test]
    fn fields_of_an_object_decide() {
        assert!(serde_json::from_str::<Fields>(r#"{"object":{"one":"1"}}"#).is_err());
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
    #[case("5.123456", 5.123_456)]
    #[case("\"5.5\"", 5.5)]
    #[case("0", 0.0)]
    fn fractions_are_kept(#[case] json: &str, #[case] number: f64) {
        let read = fields(&format!(r#"{{"fraction":{json}}}"#)).fraction;
        assert!(read.is_some_and(|read| (read - number).abs() < 1e-12));
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
    #[case("12025550143", &["12025550143"])]
    #[case(r#"[12025550143,"+12025550144",[],-1,true]"#, &["12025550143", "+12025550144"])]
    #[case(r#"[{"phoneNumber":12025550143},{"phoneNumber":{}}]"#, &["12025550143"])]
    #[case(r#"{"phoneNumber":"+12025550143"}"#, &["+12025550143"])]
    #[case(r#""""#, &[])]
    #[case("[]", &[])]
    fn numbers_come_as_text_number_or_list(#[case] json: &str, #[case] numbers: &[&str]) {
        let read = fields(&format!(r#"{{"numbers":{json}}}"#)).numbers.unwrap();
        assert_eq!(read, numbers);
    }
}
