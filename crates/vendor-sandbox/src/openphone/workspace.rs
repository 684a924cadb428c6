//! What exists in the workspace before anyone calls: users, numbers, custom fields.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock;
use crate::openphone::ids::Ids;

/// What a custom field of a contact can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CustomFieldKind {
    /// A postal address, as text.
    Address,
    /// True or false.
    Boolean,
    /// A moment, as an ISO date and time.
    Date,
    /// Any number of options, as a list of texts.
    MultiSelect,
    /// A number.
    Number,
    /// A text.
    String,
    /// A link, as text.
    Url,
}

impl CustomFieldKind {
    /// Says whether a value may stand in a field of this kind; null may stand in any.
    pub(super) fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (_, Value::Null)
            | (Self::Address | Self::String | Self::Url, Value::String(_))
            | (Self::Boolean, Value::Bool(_))
            | (Self::Number, Value::Number(_)) => true,
            (Self::Date, Value::String(text)) => DateTime::parse_from_rfc3339(text).is_ok(),
            (Self::MultiSelect, Value::Array(options)) => options.iter().all(Value::is_string),
            _ => false,
        }
    }
}

/// The definition of a custom field. The API only reads them; people make them in the app.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) r#type: CustomFieldKind,
}

/// One of the workspace's users.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) id: Arc<str>,
    pub(super) email: &'static str,
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    pub(super) role: &'static str,
    pub(super) group_id: String,
}

/// One of the workspace's own numbers.
#[derive(Clone, Debug)]
pub(super) struct PhoneNumber {
    pub(super) id: String,
    pub(super) group_id: String,
    pub(super) name: &'static str,
    pub(super) number: &'static str,
    pub(super) formatted: &'static str,
    /// Positions in [`Workspace::users`], its owner first.
    pub(super) users: Vec<usize>,
}

/// Who and what the workspace has.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) org_id: String,
    pub(super) users: Vec<User>,
    pub(super) phone_numbers: Vec<PhoneNumber>,
    pub(super) custom_fields: Vec<Definition>,
    pub(super) created_at: DateTime<Utc>,
    /// The machine that answers calls.
    pub(super) agent_id: Arc<str>,
    /// Where calls are passed on to.
    pub(super) forward_to: &'static str,
}

impl Workspace {
    pub(super) fn new(ids: &mut Ids, created_at: DateTime<Utc>) -> Self {
        let mut user = |first_name, last_name, email, role| User {
            id: ids.short("US").into(),
            email,
            first_name,
            last_name,
            role,
            group_id: ids.short("GR"),
        };
        let users = vec![
            user("Olive", "Owner", "olive@example.com", "owner"),
            user("Adam", "Admin", "adam@example.com", "admin"),
            user("Mia", "Member", "mia@example.com", "member"),
        ];
        let phone_numbers = vec![
            PhoneNumber {
                id: ids.short("PN"),
                group_id: ids.short("GR"),
                name: "Main line",
                number: "+12025550100",
                formatted: "(202) 555-0100",
                users: vec![0, 1, 2],
            },
            PhoneNumber {
                id: ids.short("PN"),
                group_id: ids.short("GR"),
                name: "Private line",
                number: "+12025550101",
                formatted: "(202) 555-0101",
                users: vec![0],
            },
        ];
        let custom_fields = [
            (
                "Mailing address",
                "mailing-address",
                CustomFieldKind::Address,
            ),
            ("Inbound lead", "inbound-lead", CustomFieldKind::Boolean),
            ("Renewal date", "renewal-date", CustomFieldKind::Date),
            ("Interests", "interests", CustomFieldKind::MultiSelect),
            ("Seats", "seats", CustomFieldKind::Number),
            ("Notes", "notes", CustomFieldKind::String),
            ("Website", "website", CustomFieldKind::Url),
        ];
        let custom_fields = custom_fields
            .into_iter()
            .map(|(name, key, r#type)| Definition {
                name: name.into(),
                key: key.into(),
                r#type,
            })
            .collect();
        Self {
            org_id: ids.short("OR"),
            users,
            phone_numbers,
            custom_fields,
            created_at,
            agent_id: ids.short("SYU").into(),
            forward_to: "+12025550199",
        }
    }

    /// Returns the workspace's owner, under whose name the API works.
    pub(super) fn owner_id(&self) -> Arc<str> {
        self.users
            .first()
            .map_or_else(|| Arc::from("US"), |owner| Arc::clone(&owner.id))
    }

    pub(super) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| &*user.id == id)
    }

    /// Returns the first user of a number.
    pub(super) fn owner_of(&self, phone: &PhoneNumber) -> Arc<str> {
        self.users_of(phone)
            .next()
            .map_or_else(|| self.owner_id(), |user| Arc::clone(&user.id))
    }

    /// Finds one of the own numbers, and its position, by id or by the number itself.
    pub(super) fn own_number(&self, id_or_number: &str) -> Option<(usize, &PhoneNumber)> {
        self.phone_numbers
            .iter()
            .enumerate()
            .find(|(_, phone)| phone.id == id_or_number || phone.number == id_or_number)
    }

    /// Finds one of the own numbers by id or by the number itself.
    pub(super) fn phone_number(&self, id_or_number: &str) -> Option<&PhoneNumber> {
        self.phone_numbers
            .iter()
            .find(|phone| phone.id == id_or_number || phone.number == id_or_number)
    }

    /// Returns the users of a number, its owner first.
    pub(super) fn users_of<'a>(&'a self, phone: &'a PhoneNumber) -> impl Iterator<Item = &'a User> {
        phone
            .users
            .iter()
            .filter_map(|index| self.users.get(*index))
    }

    pub(super) fn user_view<'a>(&self, user: &'a User) -> UserView<'a> {
        let at = clock::iso(self.created_at);
        UserView {
            id: &user.id,
            email: user.email,
            first_name: Some(user.first_name),
            last_name: Some(user.last_name),
            picture_url: None,
            role: user.role,
            created_at: at.clone(),
            updated_at: at,
        }
    }

    pub(super) fn phone_number_view<'a>(&'a self, phone: &'a PhoneNumber) -> PhoneNumberView<'a> {
        let at = clock::iso(self.created_at);
        let users = self.users_of(phone).map(|user| NumberUserView {
            id: &user.id,
            email: user.email,
            first_name: Some(user.first_name),
            last_name: Some(user.last_name),
            role: user.role,
            group_id: &user.group_id,
        });
        PhoneNumberView {
            id: &phone.id,
            group_id: &phone.group_id,
            port_request_id: None,
            formatted_number: Some(phone.formatted),
            forward: None,
            name: phone.name,
            number: phone.number,
            porting_status: None,
            symbol: Some("☎️"),
            users: users.collect(),
            created_at: at.clone(),
            updated_at: at,
            restrictions: RestrictionsView::OPEN_AT_HOME,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserView<'a> {
    id: &'a str,
    email: &'a str,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    picture_url: Option<&'a str>,
    role: &'a str,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NumberUserView<'a> {
    id: &'a str,
    email: &'a str,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    role: &'a str,
    group_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhoneNumberView<'a> {
    id: &'a str,
    group_id: &'a str,
    port_request_id: Option<&'a str>,
    formatted_number: Option<&'a str>,
    forward: Option<&'a str>,
    name: &'a str,
    number: &'a str,
    porting_status: Option<&'a str>,
    symbol: Option<&'a str>,
    users: Vec<NumberUserView<'a>>,
    created_at: String,
    updated_at: String,
    restrictions: RestrictionsView,
}

#[derive(Serialize)]
struct RestrictionsView {
    calling: RegionsView,
    messaging: RegionsView,
}

#[derive(Serialize)]
struct RegionsView {
    #[serde(rename = "US")]
    us: &'static str,
    #[serde(rename = "CA")]
    ca: &'static str,
    #[serde(rename = "Intl")]
    intl: &'static str,
}

impl RestrictionsView {
    const OPEN_AT_HOME: Self = Self {
        calling: RegionsView {
            us: "unrestricted",
            ca: "unrestricted",
            intl: "restricted",
        },
        messaging: RegionsView {
            us: "unrestricted",
            ca: "unrestricted",
            intl: "restricted",
        },
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_custom_field_takes_its_own_kind_and_null() {
        use CustomFieldKind::{Address, Boolean, Date, MultiSelect, Number, String, Url};
        let samples = [
            (vec![Address, String, Url], json!("123 Main St")),
            (vec![Boolean], json!(false)),
            (
                vec![Date, Address, String, Url],
                json!("2024-09-11T04:00:00.000Z"),
            ),
            (vec![MultiSelect], json!(["a", "b"])),
            (vec![Number], json!(4.5)),
            (vec![], json!([1])),
            (vec![], json!({})),
        ];
        for (kinds, value) in samples {
            for kind in [Address, Boolean, Date, MultiSelect, Number, String, Url] {
                assert_eq!(
                    kind.accepts(&value),
                    kinds.contains(&kind),
                    "{kind:?} {value}"
                );
                assert!(kind.accepts(&Value::Null));
            }
        }
    }
}
