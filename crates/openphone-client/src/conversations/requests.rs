//! What is asked of conversations.

use chrono::{DateTime, Utc};
use connector_http::{masked_debug, setters};

use crate::check::{Check, is_number_or_id};
use crate::ids::UserId;

const MAX_PHONE_NUMBERS: usize = 100;
const MAX_RESULTS: u32 = 100;

/// Which conversations to list: all of the workspace, unless told otherwise.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListConversations {
    /// Only those of these numbers of yours, by id (`PN…`) or in E.164 form: 100 at most, all if
    /// there are none.
    pub phone_numbers: Vec<String>,
    /// Only those this user may see.
    pub user_id: Option<UserId>,
    /// Only those begun after this time.
    pub created_after: Option<DateTime<Utc>>,
    /// Only those begun before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// Only those that changed last after this time.
    pub updated_after: Option<DateTime<Utc>>,
    /// Only those that changed last before this time.
    pub updated_before: Option<DateTime<Utc>>,
    /// Whether to leave out those the vendor calls inactive.
    pub exclude_inactive: Option<bool>,
    /// How many per page: 1 to 100, the default.
    pub max_results: u32,
}

masked_debug!(ListConversations {
    shown: [
        user_id,
        created_after,
        created_before,
        updated_after,
        updated_before,
        exclude_inactive,
        max_results
    ],
    masked: [phone_numbers],
});

impl ListConversations {
    /// Asks for all conversations.
    pub fn new() -> Self {
        Self {
            phone_numbers: Vec::new(),
            user_id: None,
            created_after: None,
            created_before: None,
            updated_after: None,
            updated_before: None,
            exclude_inactive: None,
            max_results: MAX_RESULTS,
        }
    }

    /// Asks for those of this number of yours too, by its id or in E.164 form.
    pub fn phone_number(mut self, number: impl AsRef<str>) -> Self {
        self.phone_numbers.push(number.as_ref().to_owned());
        self
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check.page_size(self.max_results, MAX_RESULTS);
        let count = self.phone_numbers.len() <= MAX_PHONE_NUMBERS;
        check.require(count, "/phoneNumbers", "must name at most 100 numbers");
        for (index, number) in self.phone_numbers.iter().enumerate() {
            check.require(
                is_number_or_id(number),
                format!("/phoneNumbers/{index}"),
                "must be the id (PN…) or E.164 form of one of your numbers",
            );
        }
        check.span("created", self.created_after, self.created_before);
        check.span("updated", self.updated_after, self.updated_before);
        check
    }
}

setters! { ListConversations {
    /// Asks for those this user may see.
    user_id: Option<UserId>,
    /// Asks for those begun after this time.
    created_after: Option<DateTime<Utc>>,
    /// Asks for those begun before this time.
    created_before: Option<DateTime<Utc>>,
    /// Asks for those that changed last after this time.
    updated_after: Option<DateTime<Utc>>,
    /// Asks for those that changed last before this time.
    updated_before: Option<DateTime<Utc>>,
    /// Leaves out those the vendor calls inactive.
    exclude_inactive: Option<bool>,
    /// Sets how many conversations a page holds.
    max_results: u32,
} }

impl Default for ListConversations {
    fn default() -> Self {
        Self::new()
    }
}
