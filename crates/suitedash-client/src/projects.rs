//! The projects of the account. They can be read and changed, not created.

use chrono::NaiveDate;
use connector_http::{Call, Lane, Paginator, Patch, masked_debug, setters};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::check::Check;
use crate::client::Client;
use crate::contacts::{check_custom_fields, strange_cursor};
use crate::ids::ProjectUid;
use crate::meta::Attributes;
use crate::page::{ListPage, ListQuery, MAX_PAGES, Step};
use crate::reply::Reply;
use crate::tolerant;

connector_http::endpoints! {
    /// Describes the attributes of this account's projects.
    META = "projects.meta": GET "/project/meta", Idempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Lists projects.
    LIST = "projects.list": GET "/projects", Idempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Reads a project.
    GET = "projects.get": GET "/project/{type}/{identifier}", Idempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Changes a project. Not repeated, for the reasons of a contact's update.
    UPDATE = "projects.update": PUT "/project/{type}/{identifier}", NotIdempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
}

/// Names one project.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProjectKey {
    /// By its uid.
    Uid(ProjectUid),
    /// By its exact name.
    Name(String),
}

impl From<&ProjectUid> for ProjectKey {
    fn from(uid: &ProjectUid) -> Self {
        Self::Uid(uid.clone())
    }
}

/// Names one project to read; the last two may be another one tomorrow.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProjectRef {
    /// By uid or exact name.
    Key(ProjectKey),
    /// The project whose name contains this text.
    Containing(String),
    /// The project created last.
    MostRecent,
}

impl<K: Into<ProjectKey>> From<K> for ProjectRef {
    fn from(key: K) -> Self {
        Self::Key(key.into())
    }
}

impl ProjectRef {
    /// The two segments of the path.
    fn segments(&self) -> (&'static str, &str) {
        match self {
            Self::Key(ProjectKey::Uid(uid)) => ("uid", uid.as_str()),
            Self::Key(ProjectKey::Name(name)) => ("name", name),
            Self::Containing(text) => ("contains_the_following", text),
            // The vendor wants exactly this word there.
            Self::MostRecent => ("most_recent", "true"),
        }
    }

    fn check(&self) -> Check {
        let mut check = Check::new();
        let (_, identifier) = self.segments();
        check.name(identifier, "identifier");
        let whole = !identifier.contains(['/', '\\']);
        check.require(
            whole,
            "identifier",
            "must not contain a slash here: use the uid",
        );
        check
    }
}

/// Prints which way it names a project, not the name.
impl std::fmt::Debug for ProjectRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ProjectRef")
            .field(&self.segments().0)
            .finish()
    }
}

/// Prints which way it names a project, not the name.
impl std::fmt::Debug for ProjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Uid(_) => "ProjectKey(uid)",
            Self::Name(_) => "ProjectKey(name)",
        })
    }
}

/// The projects. From [`Client::projects`].
///
/// ```
/// # async fn example(client: suitedash_client::Client) -> Result<(), suitedash_client::Error> {
/// use suitedash_client::{ProjectKey, ProjectPatch};
///
/// let key = ProjectKey::Uid("55555555-5555-4555-8555-555555555555".into());
/// let patch = ProjectPatch::new().status("In Progress");
/// let project = client.projects().update(&key, &patch).await?;
/// println!("{:?}", project.status); // the vendor may have normalised it
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Projects<'a> {
    client: &'a Client,
}

impl<'a> Projects<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Reads a project.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a name with a slash;
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is none; else the usual ones of a read.
    pub fn get(&self, project: impl Into<ProjectRef>) -> Call<Project> {
        let project = project.into();
        let (kind, identifier) = project.segments();
        let request = self
            .client
            .http()
            .request(&GET)
            .path("type", kind)
            .path("identifier", identifier);
        project
            .check()
            .guard(request, GET.name)
            .fetch_map(Reply::into_data)
    }

    /// Changes a project, by uid or exact name: what only fits a part of a name, or is the latest, might be another
    /// one by the time the write arrives. Look at what comes back: the vendor normalises values.
    ///
    /// # Errors
    ///
    /// As for [a contact](crate::Contacts::update).
    pub fn update(&self, project: &ProjectKey, patch: &ProjectPatch) -> Call<Project> {
        let project = ProjectRef::Key(project.clone());
        let (kind, identifier) = project.segments();
        let request = self
            .client
            .http()
            .request(&UPDATE)
            .path("type", kind)
            .path("identifier", identifier)
            .json(patch);
        let request = project.check().guard(request, UPDATE.name);
        patch
            .check()
            .guard(request, UPDATE.name)
            .fetch_map(Reply::into_data)
    }

    /// Lists projects, one call per ten of them.
    ///
    /// # Errors
    ///
    /// As for [contacts](crate::Contacts::list).
    pub fn list(&self, query: &ListQuery) -> Paginator<Project> {
        let (client, query) = (self.client.clone(), query.clone());
        Paginator::new(move |token| {
            let Some(step) = Step::read(token) else {
                return Call::failed(strange_cursor(LIST.name));
            };
            client
                .projects()
                .list_page(&query, step.page)
                .map(move |page| step.turn(page, |project: &Project| project.uid.clone()))
        })
        .max_pages(MAX_PAGES)
    }

    /// Reads one page of the list, from 1. Bulk work, as the list is, unless [`Call::lane`] says otherwise.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn list_page(&self, query: &ListQuery, page: u64) -> Call<ListPage<Project>> {
        let request = query.apply(self.client.http().request(&LIST), page);
        query
            .check(page)
            .guard(request, LIST.name)
            .fetch_map(|reply: Reply<Vec<Project>>| reply.into())
            .lane(Lane::Bulk)
    }

    /// Reads the attributes of this account's projects. Not remembered: each is a call of the month.
    ///
    /// # Errors
    ///
    /// The usual ones of a read.
    pub fn meta(&self) -> Call<Attributes> {
        self.client
            .http()
            .request(&META)
            .fetch_map(Reply::into_data)
    }
}

/// A project. `Debug` masks its texts.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Project {
    /// The vendor's id.
    pub uid: ProjectUid,
    /// The name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub name: Option<String>,
    /// The status, one of the account's own.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub status: Option<String>,
    /// The first day, `yyyy-mm-dd`.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub start_date: Option<String>,
    /// The last day, `yyyy-mm-dd`.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub end_date: Option<String>,
    /// The hour it is due, `HH:00` or `HH:30`.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub due_time: Option<String>,
    /// A description for the staff, in HTML.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub info_description: Option<String>,
    /// A title for the client.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub info_title_client: Option<String>,
    /// A description for the client, in HTML.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub info_description_client: Option<String>,
    /// The sector of business.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub business_sector: Option<String>,
    /// The values of the account's own fields, by the field's uid.
    #[serde(default, deserialize_with = "tolerant::object")]
    pub project_custom_fields: Map<String, Value>,
    /// The client it is for, as the vendor tells it.
    #[serde(default)]
    pub client: Value,
}

masked_debug!(Project {
    shown: [uid, start_date, end_date, due_time],
    masked: [
        name,
        status,
        info_description,
        info_title_client,
        info_description_client,
        business_sector,
        project_custom_fields,
        client,
    ],
});

/// Changes of a project: what is not set is not sent.
#[derive(Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ProjectPatch {
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The status, one of the account's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The first day.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub start_date: Patch<NaiveDate>,
    /// The last day.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub end_date: Patch<NaiveDate>,
    /// The hour it is due, `HH:00` or `HH:30`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_time: Option<String>,
    /// A description for the staff, in HTML.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub info_description: Patch<String>,
    /// A title for the client.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub info_title_client: Patch<String>,
    /// A description for the client, in HTML.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub info_description_client: Patch<String>,
    /// The sector of business.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub business_sector: Patch<String>,
    /// All custom values the project shall have, by the field's uid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_custom_fields: Option<Map<String, Value>>,
}

masked_debug!(ProjectPatch {
    shown: [start_date, end_date, due_time],
    masked: [
        name,
        status,
        info_description,
        info_title_client,
        info_description_client,
        business_sector,
        project_custom_fields,
    ],
});

impl ProjectPatch {
    /// Starts with no change.
    pub fn new() -> Self {
        Self::default()
    }

    fn check(&self) -> Check {
        let mut check = Check::new();
        check.require(*self != Self::default(), "", "must change something");
        for (path, name) in [("name", &self.name), ("status", &self.status)] {
            if let Some(name) = name {
                check.name(name, path);
            }
        }
        if let Some(time) = &self.due_time {
            check.require(is_half_hour(time), "due_time", "must be HH:00 or HH:30");
        }
        for (path, text) in [
            ("info_description", &self.info_description),
            ("info_title_client", &self.info_title_client),
            ("info_description_client", &self.info_description_client),
            ("business_sector", &self.business_sector),
        ] {
            if let Some(text) = text.set() {
                check.text(text, path);
            }
        }
        if let Some(fields) = &self.project_custom_fields {
            check_custom_fields(&mut check, fields);
        }
        check
    }
}

setters! { ProjectPatch {
    /// Sets the name.
    name: Option<String>,
    /// Sets the status.
    status: Option<String>,
    /// Sets the first day.
    start_date: Patch<NaiveDate> | clear_start_date,
    /// Sets the last day.
    end_date: Patch<NaiveDate> | clear_end_date,
    /// Sets the hour it is due.
    due_time: Option<String>,
    /// Sets the description for the staff.
    info_description: Patch<String> | clear_info_description,
    /// Sets the title for the client.
    info_title_client: Patch<String> | clear_info_title_client,
    /// Sets the description for the client.
    info_description_client: Patch<String> | clear_info_description_client,
    /// Sets the sector of business.
    business_sector: Patch<String> | clear_business_sector,
    /// Sets all custom values.
    project_custom_fields: Option<Map<String, Value>>,
} }

fn is_half_hour(time: &str) -> bool {
    let Some((hour, minutes)) = time.split_once(':') else {
        return false;
    };
    let digits = hour.len() == 2 && hour.bytes().all(|byte| byte.is_ascii_digit());
    digits && hour.parse::<u8>().is_ok_and(|hour| hour < 24) && matches!(minutes, "00" | "30")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("17:00", true)]
    #[case("00:30", true)]
    #[case("24:00", false)]
    #[case("17:15", false)]
    #[case("7:00", false)]
    #[case("+7:00", false)]
    #[case("", false)]
    fn a_due_time_is_a_half_hour(#[case] time: &str, #[case] holds: bool) {
        assert_eq!(is_half_hour(time), holds);
    }
}
