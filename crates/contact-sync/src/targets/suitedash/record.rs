//! What a contact is at SuiteDash: its fields, the account's own fields, and what finds no place.

use std::collections::BTreeMap;
use std::fmt;

use suitedash_client::connection::{Messages, Settings};
use suitedash_client::export::{Column, ExportContact, Field as Cell};
use suitedash_client::{Address, Attributes, ContactInput, CustomFieldUid, FieldRef};

use crate::contact::Field;
use crate::mapping::{FieldMap, Mapped, MappedValue, Place, Places, Source, as_email, as_number};
use crate::target::Unmapped;

/// Where the fields of a contact go by themselves. What has another name in a file has the same meaning.
pub(super) const PLACES: Places = Places::new(
    &[
        (Field::FirstName, Ok("first_name")),
        (Field::LastName, Ok("last_name")),
        (Field::Email, Ok("email")),
        (Field::Phone, Ok("phone")),
        (
            Field::PhoneExtension,
            Err("phone numbers have no extension there"),
        ),
        (Field::Company, Ok("company")),
        (Field::Notes, Ok(NOTES)),
    ],
    &[TAGS],
);

const NOTES: &str = "background_info";
const TAGS: &str = "tags";
/// What somebody wrote has a column of its own in a file.
const MESSAGE: &str = "message";

/// What a field of the vendor takes.
#[derive(Copy, Clone)]
enum Takes {
    Line,
    Text,
    /// The address that contacts are found by: the client judges it, since without it nobody is.
    Key,
    Email,
    Number,
    Tags,
}

/// The vendor's fields, and the column of each in a file: one of those that every file can have, or a further one.
const FIELDS: [(&str, Takes, Result<Cell, &str>); 22] = [
    ("first_name", Takes::Line, Ok(Cell::FirstName)),
    ("last_name", Takes::Line, Ok(Cell::LastName)),
    ("name_prefix", Takes::Line, Err("Name Prefix")),
    ("email", Takes::Key, Ok(Cell::Email)),
    ("home_email", Takes::Email, Err("Home Email")),
    ("work_email", Takes::Email, Err("Work Email")),
    ("phone", Takes::Number, Ok(Cell::Phone)),
    ("home_phone", Takes::Number, Err("Home Phone")),
    ("work_phone", Takes::Number, Err("Work Phone")),
    ("shop_phone", Takes::Number, Err("Shop Phone")),
    ("company", Takes::Line, Ok(Cell::Company)),
    ("title", Takes::Line, Ok(Cell::Title)),
    ("website", Takes::Line, Ok(Cell::Website)),
    ("address_line_1", Takes::Line, Ok(Cell::AddressLine1)),
    ("address_line_2", Takes::Line, Ok(Cell::AddressLine2)),
    ("city", Takes::Line, Ok(Cell::City)),
    ("state", Takes::Line, Ok(Cell::State)),
    ("country", Takes::Line, Ok(Cell::Country)),
    ("zip", Takes::Line, Ok(Cell::Zip)),
    (NOTES, Takes::Text, Ok(Cell::BackgroundInfo)),
    (TAGS, Takes::Tags, Ok(Cell::Tags)),
    ("source", Takes::Line, Ok(Cell::Source)),
];

/// Where a contact is sent: it decides what a field of the account's own is.
#[derive(Copy, Clone)]
pub(super) enum To<'a> {
    /// To the API, which knows such fields by uid. Without attributes, none.
    Api(Option<&'a Attributes>),
    /// Into a file, which has a column for each.
    File,
}

/// A contact as the vendor takes it. `Debug` shows none of it.
#[derive(Default)]
pub(super) struct Filled {
    texts: BTreeMap<&'static str, String>,
    tags: Vec<String>,
    /// By uid, or by the name of a column.
    custom: Vec<(String, String)>,
    pub(super) unmapped: Vec<Unmapped>,
}

impl Filled {
    pub(super) fn new(mapped: Mapped, to: To<'_>, settings: &Settings) -> Self {
        let mut record = Self {
            unmapped: mapped.unmapped,
            ..Self::default()
        };
        for value in mapped.values {
            // It is the tenant's wish, and no failure.
            if settings.messages == Messages::LeaveOut && value.place == Place::field(NOTES) {
                continue;
            }
            if let Err(reason) = record.put(&value, to) {
                record.unmapped.push(value.unmapped(reason));
            }
        }
        record
    }

    /// The address that the contact is found by.
    pub(super) fn email(&self) -> Option<&str> {
        self.texts.get("email").map(String::as_str)
    }

    fn put(&mut self, value: &MappedValue, to: To<'_>) -> Result<(), &'static str> {
        let text = value.text.trim();
        if text.is_empty() {
            return Err("it is empty");
        }
        let name = match &value.place {
            Place::Field(name) => name,
            Place::Custom(name) => {
                let key = custom_field(name, to)?;
                return self.put_custom(key, text);
            }
        };
        let known = FIELDS.iter().find(|(known, _, _)| known == name);
        let (name, takes, cell) = known.ok_or("contacts have no such field there")?;
        let text = match takes {
            Takes::Tags => {
                let tags = text.split(',').map(str::trim).filter(|tag| !tag.is_empty());
                let tags: Vec<_> = tags.map(str::to_owned).collect();
                if !tags.iter().all(|tag| ContactInput::takes_line(tag)) {
                    return Err("not a tag that the vendor takes");
                }
                self.tags.extend(tags);
                return Ok(());
            }
            Takes::Line => ContactInput::takes_line(text)
                .then(|| text.to_owned())
                .ok_or("not one line that the vendor takes")?,
            Takes::Text => fit_text(text)?,
            Takes::Key => as_email(text).ok_or("not an e-mail address")?,
            Takes::Email => as_email(text)
                .filter(|email| ContactInput::takes_email(email))
                .ok_or("not an e-mail address")?,
            Takes::Number => as_number(text).ok_or("not a phone number with a country code")?,
        };
        match (to, cell) {
            (To::File, Err(column)) => return self.put_custom((*column).to_owned(), &text),
            (To::File, Ok(Cell::BackgroundInfo)) if is_message(value.source.as_ref()) => {
                self.texts.insert(MESSAGE, text)
            }
            _ => self.texts.insert(name, text),
        };
        Ok(())
    }

    fn put_custom(&mut self, key: String, text: &str) -> Result<(), &'static str> {
        // Two places can be one field: its uid and its label, or a label in capitals.
        if self.custom.iter().any(|(taken, _)| is_same(taken, &key)) {
            return Err("its place is taken");
        }
        self.custom.push((key, fit_text(text)?));
        Ok(())
    }

    /// What the record shall say.
    pub(super) fn into_input(mut self, settings: &Settings) -> ContactInput {
        let mut text = |name| self.texts.remove(name);
        let mut input = ContactInput::new();
        input.first_name = text("first_name");
        input.last_name = text("last_name");
        input.name_prefix = text("name_prefix");
        input.email = text("email");
        input.home_email = text("home_email");
        input.work_email = text("work_email");
        input.phone = text("phone");
        input.home_phone = text("home_phone");
        input.work_phone = text("work_phone");
        input.shop_phone = text("shop_phone");
        input.company = text("company");
        input.title = text("title");
        input.website = text("website");
        input.notes = text(NOTES);
        let mut address = Address::new();
        address.address_line_1 = text("address_line_1");
        address.address_line_2 = text("address_line_2");
        address.city = text("city");
        address.state = text("state");
        address.country = text("country");
        address.zip = text("zip");
        input.address = (address != Address::new()).then_some(address);
        let source = text("source");
        input.tags = self.tags;
        for (uid, value) in self.custom {
            input = input.field(FieldRef::uid(uid), value);
        }
        let mut input = settings.complete(input);
        // A map goes before the setting, which is for everybody.
        input.source = source.or(input.source);
        input
    }

    /// Makes a row of a file.
    pub(super) fn into_row(mut self, id: String, settings: &Settings) -> ExportContact {
        let mut text = |name| self.texts.remove(name);
        let mut row = ExportContact::new(id);
        row.first_name = text("first_name");
        row.last_name = text("last_name");
        row.email = text("email");
        row.phone = text("phone");
        row.company = text("company");
        row.title = text("title");
        row.website = text("website");
        row.address_line_1 = text("address_line_1");
        row.address_line_2 = text("address_line_2");
        row.city = text("city");
        row.state = text("state");
        row.country = text("country");
        row.zip = text("zip");
        row.message = text(MESSAGE);
        row.background_info = text(NOTES);
        let source = settings.source_name().map(str::to_owned);
        row.source = text("source").or(source);
        row.tags.clone_from(&settings.tags);
        for tag in self.tags {
            if !row.tags.contains(&tag) {
                row.tags.push(tag);
            }
        }
        row.extra.extend(self.custom);
        row.role = Some(settings.role_of(row.email.is_some()).as_str().to_owned());
        row
    }
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filled")
            .field("unmapped", &self.unmapped)
            .finish_non_exhaustive()
    }
}

/// The columns that a map asks for, whatever else a file has.
pub(super) fn columns(map: &FieldMap) -> Vec<Column> {
    let column = |(source, place): (Option<&Source>, &Place)| match place {
        // What somebody wrote has its own.
        Place::Field(name) if name == NOTES && is_message(source) => None,
        Place::Field(name) => {
            let (_, _, cell) = FIELDS.iter().find(|(known, _, _)| known == name)?;
            cell.map_or_else(Column::extra, |cell| Some(Column::from(cell)))
        }
        Place::Custom(name) => Column::extra(name.trim()),
    };
    map.places().filter_map(column).collect()
}

fn is_message(source: Option<&Source>) -> bool {
    source == Some(&Source::Field(Field::Notes))
}

/// What a field of the account's own is known by.
fn custom_field(name: &str, to: To<'_>) -> Result<String, &'static str> {
    match to {
        To::Api(attributes) => {
            let known = attributes.ok_or("there is no such custom field")?;
            let uid = CustomFieldUid::from(name.trim());
            let uid = known.has_custom_field(&uid).then_some(uid);
            let uid = uid.or_else(|| known.custom_field(name));
            uid.map(CustomFieldUid::into_string)
                .ok_or("there is no such custom field")
        }
        To::File => Column::extra(name.trim())
            .map(|column| column.name)
            .ok_or("no column of its own can have this name"),
    }
}

fn fit_text(text: &str) -> Result<String, &'static str> {
    ContactInput::takes_text(text)
        .then(|| text.to_owned())
        .ok_or("not a text that the vendor takes")
}

fn is_same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;
    use suitedash_client::connection::CONTACT_FIELDS;

    use super::*;
    use crate::contact::{Contact, Region, Signup};
    use crate::ids::TenantId;

    fn ann() -> Signup {
        Signup::new()
            .host_id("17")
            .name("Ann Lee")
            .email("Ann@Example.com")
            .phone("(202) 555-0143 x7")
            .company("Lee Ltd")
            .notes("hello")
            .attribute("plan", "basic")
    }

    fn attributes() -> Attributes {
        serde_json::from_value(json!({
            "email": {"field_name": "Email"},
            "custom_fields": {"properties": {
                "u1": {"field_name": "Plan"}, "u2": {"field_name": "u1"},
                "u3": {"field_name": "Twice"}, "u4": {"field_name": "twice"},
            }},
        }))
        .unwrap()
    }

    fn filled(map: &FieldMap, signup: &Signup, to: To<'_>, settings: &Settings) -> Filled {
        let contact = Contact::new(&TenantId::default(), signup, Some(Region::US));
        Filled::new(map.apply(&contact, &PLACES), to, settings)
    }

    fn input(map: &FieldMap, signup: &Signup) -> (ContactInput, Vec<Unmapped>) {
        let (attributes, settings) = (attributes(), Settings::new());
        let mut filled = filled(map, signup, To::Api(Some(&attributes)), &settings);
        let unmapped = std::mem::take(&mut filled.unmapped);
        (filled.into_input(&settings), unmapped)
    }

    fn row(map: &FieldMap, signup: &Signup) -> (ExportContact, Vec<Unmapped>) {
        let settings = Settings::new();
        let mut filled = filled(map, signup, To::File, &settings);
        let unmapped = std::mem::take(&mut filled.unmapped);
        (filled.into_row("1".to_owned(), &settings), unmapped)
    }

    #[test]
    fn without_a_map_the_fields_go_where_they_belong() {
        let (input, unmapped) = input(&FieldMap::new(), &ann());
        let expected = ContactInput::new()
            .first_name("Ann")
            .last_name("Lee")
            .email("ann@example.com")
            .phone("+12025550143")
            .company("Lee Ltd")
            .notes("hello");
        assert_eq!(input, Settings::new().complete(expected));
        let fields: Vec<_> = unmapped.iter().map(|u| u.field).collect();
        assert_eq!(fields, [Field::PhoneExtension, Field::Attribute]);

        let (row, unmapped) = row(&FieldMap::new(), &ann());
        let expected = ExportContact::new("1")
            .first_name("Ann")
            .last_name("Lee")
            .email("ann@example.com")
            .phone("+12025550143")
            .company("Lee Ltd")
            .message("hello")
            .role("Lead");
        assert_eq!((row, unmapped.len()), (expected, 2));
        assert_eq!(columns(&FieldMap::new()), []);
    }

    /// Each field that the client's settings name is one here, in either mode, and arrives.
    #[rstest]
    fn every_field_of_the_setting_has_a_place(#[values(true, false)] file: bool) {
        assert_eq!(FIELDS.map(|(name, _, _)| name).len(), CONTACT_FIELDS.len());
        for name in CONTACT_FIELDS {
            let text = match name {
                name if name.ends_with("email") => "lee@example.com",
                name if name.ends_with("phone") => "+12025550117",
                _ => "x",
            };
            let map = FieldMap::new().constant(Place::field(name), text);
            let signup = Signup::new().host_id("17");
            let (empty, none) = (FieldMap::new(), Signup::new());
            if file {
                let (with, unmapped) = row(&map, &signup);
                assert_eq!(unmapped, [], "{name}");
                assert_ne!(with, row(&empty, &none).0, "{name}");
                assert_eq!(columns(&map).len(), 1, "{name}");
            } else {
                let (with, unmapped) = input(&map, &signup);
                assert_eq!(unmapped, [], "{name}");
                assert_ne!(with, input(&empty, &none).0, "{name}");
            }
        }
    }

    #[rstest]
    #[case("custom:Plan", Some("u1"))]
    #[case("custom:plan", Some("u1"))]
    #[case("custom:u1", Some("u1"))]
    #[case("custom:u2", Some("u2"))]
    #[case("custom:Twice", None)]
    #[case("custom:Seats", None)]
    fn a_custom_field_is_meant_by_its_uid_or_its_one_label(
        #[case] place: &str,
        #[case] uid: Option<&str>,
    ) {
        let map = FieldMap::new().attribute("plan", Place::from(place.to_owned()));
        let (input, unmapped) = input(&map, &ann());
        let found: Vec<_> = input
            .fields
            .iter()
            .map(|(field, _)| field.clone())
            .collect();
        assert_eq!(
            found,
            uid.map(FieldRef::uid).into_iter().collect::<Vec<_>>()
        );
        let report = Unmapped::attribute("plan", "there is no such custom field");
        assert_eq!(unmapped.contains(&report), uid.is_none());
    }

    #[rstest]
    #[case("custom:Plan", Some("Plan"))]
    #[case("title", None)]
    #[case("home_phone", None)]
    #[case("custom:=Plan", None)]
    #[case("custom:e-MAIL", Some("e-MAIL"))]
    #[case("custom:EMAIL", None)]
    fn a_custom_field_has_a_column_of_its_own(#[case] place: &str, #[case] name: Option<&str>) {
        let map = FieldMap::new().attribute("plan", Place::from(place.to_owned()));
        let (row, _) = row(&map, &ann());
        assert_eq!(row.extra.keys().next().map(String::as_str), name);
    }

    #[test]
    fn constants_and_a_map_go_before_the_settings() {
        let map = FieldMap::new()
            .field(Field::Notes, Place::custom("Plan"))
            .field(Field::HostId, Place::field("title"))
            .attribute("plan", Place::field("tags"))
            .leave_out(Field::Company)
            .constant(Place::field("tags"), "fair, vip,")
            .constant(Place::field("source"), "shop")
            .constant(Place::field("city"), "Ulm");
        let settings = Settings::new().source("website").tags(["vip"]);
        let attributes = attributes();
        let input =
            filled(&map, &ann(), To::Api(Some(&attributes)), &settings).into_input(&settings);
        assert_eq!(input.tags, ["fair", "vip", "basic", "vip"]);
        assert_eq!(input.source.as_deref(), Some("shop"));
        assert_eq!((input.company, input.notes), (None, None));
        assert_eq!(input.title.as_deref(), Some("17"));
        assert_eq!(input.address, Some(Address::new().city("Ulm")));
        assert_eq!(input.fields, [(FieldRef::uid("u1"), json!("hello"))]);

        let row = filled(&map, &ann(), To::File, &settings).into_row("1".to_owned(), &settings);
        assert_eq!(row.tags, ["vip", "fair", "basic"]);
        assert_eq!(row.source.as_deref(), Some("shop"));
        assert_eq!((row.company, row.message), (None, None));
        assert_eq!(
            row.extra.into_iter().collect::<Vec<_>>(),
            [("Plan".into(), "hello".into())]
        );
        let names: Vec<_> = columns(&map)
            .into_iter()
            .map(|column| column.name)
            .collect();
        assert_eq!(names, ["Plan", "Title", "Tags", "City", "Source", "Tags"]);
    }

    #[test]
    fn what_the_vendor_would_refuse_the_contact_for_is_left_out() {
        let long = "x".repeat(1_001);
        let map = FieldMap::new()
            .attribute("plan", Place::field("shop_phone"))
            .constant(Place::field("home_email"), "a@b")
            .constant(Place::field("work_phone"), "call me")
            .constant(Place::field("website"), long.as_str())
            .constant(Place::field("tags"), "a\nb")
            .constant(Place::field("role"), "Client")
            .constant(Place::field("zip"), " ")
            .constant(Place::custom("Plan"), "basic")
            .constant(Place::custom("u1"), "family");
        let signup = Signup::new().name("Ann").attribute("plan", "basic");
        let (input, unmapped) = input(&map, &signup);
        let expected = Settings::new().complete(
            ContactInput::new()
                .first_name("Ann")
                .field(FieldRef::uid("u1"), "basic"),
        );
        assert_eq!(input, expected);
        let reports: Vec<_> = unmapped.iter().filter_map(|u| u.name.as_deref()).collect();
        let places = [
            "home_email",
            "role",
            "tags",
            "website",
            "work_phone",
            "zip",
            "custom:u1",
            "plan",
        ];
        assert_eq!(reports, places);
    }

    #[test]
    fn who_leaves_messages_out_leaves_out_all_that_goes_there() {
        let settings = Settings::new().messages(Messages::LeaveOut);
        let map = FieldMap::new().constant(Place::field("background_info"), "from the shop");
        for map in [FieldMap::new(), map] {
            let filled = filled(&map, &ann(), To::File, &settings);
            let row = filled.into_row("1".to_owned(), &settings);
            assert_eq!((row.message, row.background_info), (None, None));
        }
    }

    #[test]
    fn no_value_is_shown() {
        let filled = filled(&FieldMap::new(), &ann(), To::File, &Settings::new());
        let shown = format!("{filled:?}");
        assert!(
            !shown.contains("Ann") && !shown.contains("2025550143"),
            "{shown}"
        );
    }
}
