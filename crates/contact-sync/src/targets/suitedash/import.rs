//! Import mode: who waits, who is in a file, and who has been imported.

use std::time::Duration;

use suitedash_client::connection::ImportPlace;
use suitedash_client::export::{RunId, Standing};
use uuid::Uuid;

use super::failure::{of_export, of_history};
use super::record::PLACES;
use crate::contact::{ExternalKey, Field};
use crate::failure::{ErrorClass, TargetError};
use crate::ids::RemoteId;
use crate::mapping::{Mapped, Place, Source};
use crate::target::{Action, Delivered, Delivery, Known};

/// Of what is derived here; to change it would export everybody again.
const NAMESPACE: Uuid = Uuid::from_u128(0x9d1b_60c4_2f57_4e0a_8c33_70d5_1ea9_b286);

const LINK: &str = "import:";

/// The fields of a contact in the order in which they are hashed.
const IN_ORDER: [Field; 6] = [
    Field::FirstName,
    Field::LastName,
    Field::Email,
    Field::Phone,
    Field::Company,
    Field::Notes,
];

/// The longest key that is taken as it is.
const MAX_KEY: usize = 64;

/// Says whether the contact has been imported, and if not, that it waits.
pub(super) async fn deliver(
    place: &ImportPlace,
    look_again: Duration,
    delivery: &Delivery,
    mapped: &Mapped,
) -> Result<Delivered, TargetError> {
    let known = match &delivery.known {
        Known::Several(_) => return Err(TargetError::new(ErrorClass::Conflict)),
        Known::One(remote) => Some(remote),
        Known::Nobody => None,
    };
    let version = Version::of(mapped, &delivery.key, known);
    if let Some(remote) = known.filter(|remote| version.is_in(remote)) {
        return Ok(Delivered::done(remote.clone(), Action::Unchanged));
    }
    let exporter = place.exporter().await.map_err(of_export)?;
    let standing = exporter.history().standing(&[&version.id]).await;
    let standing = standing.map_err(|error| TargetError::new(of_history(&error)).source(error))?;
    match standing.first() {
        Some(Standing::Imported { run }) => {
            let action = match known {
                Some(_) => Action::Updated,
                None => Action::Created,
            };
            Ok(Delivered::done(version.link(run), action))
        }
        _ => Err(TargetError::new(ErrorClass::AwaitsImport).retry_after(look_again)),
    }
}

/// A contact as it is now: what a row of a file is recognised by.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// The id of the row. It is another whenever the contact, or what was imported of it last, is.
    pub(super) id: String,
    content: String,
}

impl Version {
    /// Reads the version of what a file would say of a contact. Constants and what the settings add are no part of it:
    /// to change them exports nobody again. To send a field elsewhere does, whoever has it.
    pub(super) fn of(mapped: &Mapped, key: &ExternalKey, known: Option<&RemoteId>) -> Self {
        let key = opaque(key);
        let own = mapped.values.iter().filter_map(|value| {
            let source = value.source.as_ref()?;
            Some((source, &value.place, value.text.as_str()))
        });
        let own: Vec<_> = own.collect();
        let at_home = |source: &Source, place: &Place| {
            IN_ORDER.iter().position(|field| {
                let home = PLACES.of(source).and_then(Result::ok);
                *source == Source::Field(*field) && home.map(Place::field).as_ref() == Some(place)
            })
        };
        let mut texts = vec![None; IN_ORDER.len()];
        let mut elsewhere = Vec::new();
        for (source, place, text) in own {
            match at_home(source, place).and_then(|home| texts.get_mut(home)) {
                Some(home) => *home = Some(text),
                None => elsewhere.push((String::from(place.clone()), text)),
            }
        }
        for (place, text) in &elsewhere {
            texts.extend([Some(place.as_str()), Some(text)]);
        }
        let content = digest(&texts);
        // Who changes and changes back is exported a third time. Links of others do not count: they come and go
        // without this contact.
        let before = known
            .filter(|remote| ImportLink::read(remote).is_some_and(|link| link.key == key))
            .map(RemoteId::as_str);
        let version = digest(&[Some(&content), before]);
        Self {
            id: format!("{key}.{version}"),
            content: format!("{key}.{content}"),
        }
    }

    /// Tells whether this very content was imported under this link, for this contact or another of the person.
    fn is_in(&self, remote: &RemoteId) -> bool {
        let content = |text: &str| text.rsplit_once('.').map(|(_, content)| content.to_owned());
        let imported = ImportLink::read(remote).and_then(|link| content(link.whole));
        imported.is_some() && imported == content(&self.content)
    }

    fn link(&self, run: &RunId) -> RemoteId {
        RemoteId::from(format!("{LINK}{run}:{}", self.content))
    }
}

/// The made-up id of an imported contact: `import:<run>:<key>.<content>`.
pub(super) struct ImportLink<'a> {
    key: &'a str,
    whole: &'a str,
}

impl<'a> ImportLink<'a> {
    fn read(remote: &'a RemoteId) -> Option<Self> {
        let (_run, whole) = remote.as_str().strip_prefix(LINK)?.split_once(':')?;
        let (key, _content) = whole.rsplit_once('.')?;
        Some(Self { key, whole })
    }

    /// Tells whether an id is of this kind, and so none of the vendor's.
    pub(super) fn is_one(remote: &RemoteId) -> bool {
        remote.as_str().starts_with(LINK)
    }
}

/// The host's id, a UUID, or a hash where the key could be more than an id: an e-mail address, for one.
fn opaque(key: &ExternalKey) -> String {
    let text = key.as_str();
    let is_id = (1..=MAX_KEY).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if is_id {
        text.to_owned()
    } else {
        Uuid::new_v5(&NAMESPACE, text.as_bytes()).to_string()
    }
}

/// A short hash of some texts. Twelve digits: too few to find out what was hashed, enough to tell two versions of one
/// contact apart.
fn digest(texts: &[Option<&str>]) -> String {
    let mut bytes = Vec::new();
    for text in texts {
        // Lengths, so that no two lists of texts read alike.
        let length = text.map_or(u64::MAX, |text| text.len() as u64);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
    }
    let hash = Uuid::new_v5(&NAMESPACE, &bytes).simple().to_string();
    hash.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::contact::{Contact, Region, Signup};
    use crate::ids::TenantId;
    use crate::mapping::FieldMap;

    fn mapped(map: &FieldMap, signup: &Signup) -> Mapped {
        let contact = Contact::new(&TenantId::default(), signup, Some(Region::US));
        map.apply(&contact, &PLACES)
    }

    fn version(signup: &Signup, known: Option<&RemoteId>) -> Version {
        let mapped = mapped(&FieldMap::new(), signup);
        Version::of(&mapped, &ExternalKey::from("user-1"), known)
    }

    fn ann() -> Signup {
        Signup::new().name("Ann Lee").email("ann@example.com")
    }

    #[test]
    fn a_version_is_one_until_something_changes() {
        let first = version(&ann(), None);
        assert_eq!(first, version(&ann(), None));
        assert!(first.id.starts_with("user-1."), "{}", first.id);
        assert_ne!(first.id, version(&ann().company("Lee Ltd"), None).id);
        assert_ne!(first.id, version(&ann().notes("hello"), None).id);
    }

    /// Another would export everybody again.
    #[test]
    fn a_version_stays_what_it_was_in_earlier_releases() {
        let signup = ann()
            .phone("202 555 0143")
            .company("Lee Ltd")
            .notes("hello")
            .attribute("plan", "basic");
        assert_eq!(version(&signup, None).id, "user-1.3ffa72f25a14");
    }

    #[test]
    fn a_field_that_goes_elsewhere_makes_another_version_and_a_constant_none() {
        let plan = |plan: &str| ann().attribute("plan", plan);
        let of = |map: &FieldMap, signup: &Signup| {
            Version::of(&mapped(map, signup), &ExternalKey::from("user-1"), None)
        };
        let map = FieldMap::new().attribute("plan", Place::custom("Plan"));
        assert_ne!(of(&map, &plan("basic")), of(&map, &plan("family")));
        assert_ne!(of(&map, &plan("basic")), version(&plan("basic"), None));
        assert_eq!(of(&map, &ann()), version(&ann(), None));
        let same = map.clone().constant(Place::field("tags"), "shop");
        assert_eq!(of(&map, &plan("basic")), of(&same, &plan("basic")));
        let without = FieldMap::new().leave_out(Field::Company);
        let moved = ann().company("Ray Ltd");
        assert_eq!(
            of(&without, &moved),
            of(&without, &ann().company("Lee Ltd"))
        );
    }

    #[test]
    fn who_changes_and_changes_back_is_exported_again() {
        let first = version(&ann(), None);
        let link = first.link(&RunId::from("run-1"));
        assert!(version(&ann(), Some(&link)).is_in(&link));
        let second = version(&ann().company("Lee Ltd"), Some(&link));
        assert!(!second.is_in(&link));
        let link = second.link(&RunId::from("run-2"));
        let third = version(&ann(), Some(&link));
        assert!(!third.is_in(&link));
        assert_ne!(third.id, first.id);
    }

    #[test]
    fn a_link_of_somebody_else_says_nothing_but_that_the_same_was_imported() {
        let mapped = mapped(&FieldMap::new(), &ann());
        let other = Version::of(&mapped, &ExternalKey::from("user-2"), None);
        let link = other.link(&RunId::from("run-1"));
        assert!(version(&ann(), Some(&link)).is_in(&link));
        let changed = ann().company("Lee Ltd");
        assert_eq!(version(&changed, Some(&link)), version(&changed, None));
        let uid = RemoteId::from("11111111-1111-4111-8111-111111111111");
        assert_eq!(version(&ann(), Some(&uid)), version(&ann(), None));
        assert!(!version(&ann(), Some(&uid)).is_in(&uid));
        assert!(ImportLink::is_one(&link) && !ImportLink::is_one(&uid));
    }

    #[rstest]
    #[case("user-1", true)]
    #[case("ann@example.com", false)]
    #[case("a.b", false)]
    #[case("", false)]
    #[case("Ann Lee", false)]
    fn a_key_that_could_be_personal_is_hashed(#[case] key: &str, #[case] kept: bool) {
        let opaque = opaque(&ExternalKey::from(key));
        assert_eq!(opaque == key, kept);
        assert!(kept || opaque.len() == 36);
    }
}
