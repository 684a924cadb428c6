//! Calls are placed by a person: the API offers a link, not a call.

use connector_http::{Error, FieldError};
use url::Url;

use crate::check;
use crate::client::VENDOR;

/// Makes the link that opens the OpenPhone app with a number ready to call.
///
/// No version of the API can place, end or move a call. The app (desktop and mobile) registers the
/// scheme `openphone:`; a click on the link shows the dialler, and the person decides.
///
/// ```
/// let link = openphone_client::click_to_call_link("+12025550143")?;
/// assert_eq!(link.as_str(), "openphone://call?number=%2B12025550143");
/// # Ok::<(), openphone_client::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::Validation`](crate::ErrorKind::Validation) when the number is not E.164: a plus,
/// then 2 to 15 digits of which the first is not zero. Blanks, brackets and national forms are
/// refused, because the app would dial what it is given.
pub fn click_to_call_link(number: &str) -> Result<Url, Error> {
    let link = |number| Url::parse_with_params("openphone://call", [("number", number)]).ok();
    check::is_e164(number)
        .then(|| link(number))
        .flatten()
        .ok_or_else(|| {
            let field = FieldError::new(
                "/number",
                "must be a number in E.164 form: a plus and 2 to 15 digits",
            );
            Error::validation(VENDOR, "click_to_call_link", vec![field])
        })
}

#[cfg(test)]
mod tests {
    use connector_http::{Delivery, ErrorKind};
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("")]
    #[case("12025550143")]
    #[case("+1 202 555 0143")]
    #[case("+0202555014")]
    #[case("+1")]
    #[case("+1234567890123456")]
    #[case("+1202555014x")]
    #[case("+1202555&number=+1900")]
    #[case("+١٢٠٢٥٥٥")]
    fn refuses_what_is_not_e164(#[case] number: &str) {
        let error = click_to_call_link(number).unwrap_err();

        assert_eq!(error.kind(), ErrorKind::Validation);
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert_eq!(error.field_errors()[0].path, "/number");
        assert!(number.is_empty() || !format!("{error} {error:?}").contains(number));
    }

    #[test]
    fn takes_the_longest_number_there_is() {
        let link = click_to_call_link("+123456789012345").unwrap();
        assert_eq!(link.query(), Some("number=%2B123456789012345"));
    }
}
