//! Headers that must be there exactly once.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::WebhookError;

/// Returns the one value of a header.
///
/// # Errors
///
/// [`MissingHeader`](super::WebhookErrorKind::MissingHeader) if it is absent;
/// [`MalformedHeader`](super::WebhookErrorKind::MalformedHeader) if it occurs more than once.
pub fn single_header<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<&'h HeaderValue, WebhookError> {
    let [value] = each_once(headers, [name], |met| (met == name.as_str()).then_some(0))?;
    value.ok_or_else(|| WebhookError::missing(name))
}

/// Returns the value of each of several headers, and refuses one that occurs more than once.
///
/// `place` says where a name stands in `names`; a scheme with constant names tells them apart in a few instructions.
#[inline]
pub(super) fn each_once<'h, const N: usize>(
    headers: &'h HeaderMap,
    names: [&HeaderName; N],
    place: impl Fn(&str) -> Option<usize>,
) -> Result<[Option<&'h HeaderValue>; N], WebhookError> {
    // One walk over a delivery's dozen headers costs less than hashing each name, and meets duplicates on the way.
    let mut found = [None; N];
    for (met, value) in headers {
        let Some(place) = place(met.as_str()) else {
            continue;
        };
        if let (Some(slot), Some(name)) = (found.get_mut(place), names.get(place))
            && slot.replace(value).is_some()
        {
            return Err(WebhookError::malformed(name));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::WebhookErrorKind;

    #[test]
    fn a_header_must_occur_exactly_once() {
        let name = HeaderName::from_static("x-signature");
        let mut headers = HeaderMap::new();
        headers.insert("x-other", HeaderValue::from_static("1"));

        let absent = single_header(&headers, &name).unwrap_err();
        assert_eq!(
            (absent.kind(), absent.header()),
            (WebhookErrorKind::MissingHeader, Some("x-signature"))
        );

        headers.append(&name, HeaderValue::from_static("one"));
        assert_eq!(single_header(&headers, &name).unwrap(), "one");

        // Even when both say the same: whoever sent it twice may have meant two receivers to differ.
        headers.append(&name, HeaderValue::from_static("one"));
        let twice = single_header(&headers, &name).unwrap_err();
        assert_eq!(
            (twice.kind(), twice.header()),
            (WebhookErrorKind::MalformedHeader, Some("x-signature"))
        );
    }
}
