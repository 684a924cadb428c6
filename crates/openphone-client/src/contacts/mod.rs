//! The address book of the workspace.

mod differences;
mod matching;
mod merge;
mod models;
mod patch;
mod requests;
mod scan;
mod simple;
mod update_merged;

use std::collections::HashSet;
use std::sync::Arc;

use connector_http::{Call, CallOptions, CallSequence, Error, Paginator};

pub use self::differences::ContactField;
pub use self::merge::{ContactChanges, ListChange, Merge, Merged};
pub use self::models::{
    Contact, ContactCustomField, ContactEmail, ContactPhoneNumber, DefaultFields,
};
pub use self::patch::ContactPatch;
pub use self::requests::{
    ContactValue, CustomFieldEntry, CustomFieldRef, ListContacts, NewContact,
};
pub use self::scan::{
    MatchedBy, Scan, ScanFor, ScanMatch, ScanMatches, ScanPage, ScanPages, ScanProgress,
};
pub use self::simple::{Mapped, SimpleContact, UnmappedField};
use crate::check::Check;
use crate::client::{Client, VENDOR};
use crate::ids::ContactId;
use crate::page::{Data, ListPage};

connector_http::endpoints! {
    /// Creates a contact. Twice makes two: the vendor keeps neither the external id nor anything
    /// else unique, and knows no idempotency key.
    CREATE = "contacts.create": POST "/v1/contacts", NotIdempotent, DEFAULT, [201],
        "https://www.quo.com/docs/mdx/api-reference/contacts/create-a-contact (read 2026-11-21)";
    /// Lists contacts.
    LIST = "contacts.list": GET "/v1/contacts", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/contacts/list-contacts (read 2026-11-21)";
    /// Reads one contact.
    GET = "contacts.get": GET "/v1/contacts/{id}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/contacts/get-a-contact-by-id (read 2026-11-21)";
    /// Replaces a contact. Idempotent although it is a PATCH: the body is the whole new state, so
    /// that writing it twice is writing it once.
    UPDATE = "contacts.update": PATCH "/v1/contacts/{id}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/contacts/update-a-contact-by-id (read 2026-11-21)";
    /// Deletes a contact. The second time it is not found, and gone all the same.
    DELETE = "contacts.delete": DELETE "/v1/contacts/{id}", Idempotent, DEFAULT, [204],
        "https://www.quo.com/docs/mdx/api-reference/contacts/delete-a-contact (read 2026-11-21)";
}

/// How many external ids one look-up takes. The vendor names no limit; this keeps the address, in
/// which each id may take 225 bytes once encoded, below what servers commonly accept.
const MAX_EXTERNAL_IDS: usize = 30;

/// How many pages one external id may fill. Where it fills more, the filter was not applied, and
/// reading the whole address book for every look-up helps nobody.
const MAX_PAGES_FOUND: usize = 10;

const FIND: &str = "contacts.find_by_external_id";
const UPDATE_MERGED: &str = "contacts.update_merged";

/// The contacts of the workspace.
///
/// The vendor finds contacts by your own id only, not by e-mail, phone or name: see
/// [`find_by_external_id`](Self::find_by_external_id) and [`scan`](Self::scan).
#[derive(Clone, Debug)]
pub struct Contacts<'a> {
    client: &'a Client,
}

impl<'a> Contacts<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates a contact.
    ///
    /// # Example
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::{Delivery, NewContact};
    ///
    /// let ana = NewContact::new("Ana").email("work", "ana@example.com").external_id("user-42");
    /// let contact = match client.contacts().create(&ana).await {
    ///     // Nobody knows whether it exists: look before creating again.
    ///     Err(error) if error.delivery() == Delivery::Unknown => {
    ///         let found = client.contacts().find_by_external_id("user-42").await?;
    ///         found.into_iter().next().ok_or(error)?
    ///     }
    ///     other => other?,
    /// };
    /// # drop(contact);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Validation`](crate::ErrorKind::Validation): refused here (a reserved source, an external
    ///   id longer than 75 characters) or by the vendor
    ///   ([`InvalidCustomFieldItem`](crate::OpenPhoneErrorCode::InvalidCustomFieldItem)). Nothing
    ///   was created.
    /// - [`Conflict`](crate::ErrorKind::Conflict): the vendor does not say with what; look by
    ///   external id.
    /// - [`Delivery::Unknown`](crate::Delivery::Unknown): the request left and no answer came. It is
    ///   never sent again by itself; look by external id first.
    /// - [`Delivery::Succeeded`](crate::Delivery::Succeeded) with
    ///   [`Decode`](crate::ErrorKind::Decode): it exists, only its answer cannot be read.
    pub fn create(&self, contact: &NewContact) -> Call<Contact> {
        let request = self.client.http().request(&CREATE).json(contact);
        contact
            .check()
            .guard(request, CREATE.name)
            .fetch_map(Data::into_inner)
    }

    /// Reads one contact.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such contact;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, id: &ContactId) -> Call<Contact> {
        self.client
            .http()
            .request(&GET)
            .path("id", id)
            .fetch_map(Data::into_inner)
    }

    /// Replaces a contact: **what the patch leaves out is deleted**.
    ///
    /// To change one thing, use [`update_merged`](Self::update_merged).
    ///
    /// # Errors
    ///
    /// - [`Validation`](crate::ErrorKind::Validation): refused here or by the vendor; nothing was
    ///   changed.
    /// - [`NotFound`](crate::ErrorKind::NotFound): this workspace has no such contact.
    /// - [`Permission`](crate::ErrorKind::Permission): contacts of a native integration belong to
    ///   that integration.
    /// - [`Delivery::Unknown`](crate::Delivery::Unknown): it may have been replaced. It has been
    ///   tried again already, and may be once more: the result is the same.
    pub fn update(&self, id: &ContactId, patch: &ContactPatch) -> Call<Contact> {
        self.write(id, patch, patch.check())
    }

    /// Deletes a contact, for good.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such contact, which is
    /// also what a second attempt sees when the first one deleted it and its answer was lost
    /// ([`attempts`](crate::Error::attempts) is then more than one): it is gone either way.
    pub fn delete(&self, id: &ContactId) -> Call<()> {
        self.client.http().request(&DELETE).path("id", id).discard()
    }

    /// Lists contacts, page after page.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a page size outside 1 to 50, or an
    /// external id or source that is empty or longer than 75 characters; else the usual ones of a
    /// read. The stream ends after its first error.
    pub fn list(&self, query: &ListContacts) -> Paginator<Contact> {
        let (http, query) = (self.client.http().clone(), query.clone());
        Paginator::new(move |token| {
            page(&http, &query, token, query.check(), LIST.name).map(Into::into)
        })
    }

    /// Reads one page of the list.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_page(
        &self,
        query: &ListContacts,
        page_token: Option<&str>,
    ) -> Call<ListPage<Contact>> {
        page(
            self.client.http(),
            query,
            page_token,
            query.check(),
            LIST.name,
        )
    }

    /// Finds the contacts that carry your id, compared exactly: the one cheap look-up there is.
    ///
    /// The vendor does not keep external ids unique, so there can be several. An empty answer means
    /// that there is none: every page is read, also behind an empty one. That is one page, unless
    /// the vendor does otherwise than it says.
    ///
    /// # Errors
    ///
    /// - [`Validation`](crate::ErrorKind::Validation), unsent, for an id that is empty (the vendor
    ///   would list *every* contact) or longer than 75 characters.
    /// - [`Config`](crate::ErrorKind::Config) when ten pages were not the end: something between
    ///   here and the vendor drops the filter. "None" would be a guess then, and a second contact.
    /// - Else the usual ones of a read.
    pub fn find_by_external_id(&self, external_id: &str) -> CallSequence<Vec<Contact>> {
        let http = self.client.http().clone();
        let query = ListContacts::new().external_id(external_id);
        let wanted = external_id.trim().to_owned();
        CallSequence::new(VENDOR, FIND, move |options| {
            find(http, query, wanted, options)
        })
    }

    /// Finds the contacts that carry one of your ids, in as few requests as pages.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for no id at all, more than 30 of them,
    /// or one that is empty or longer than 75 characters; else the usual ones of a read.
    pub fn find_by_external_ids<I>(&self, external_ids: I) -> Paginator<Contact>
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let mut query = ListContacts::new();
        query.external_ids = external_ids.into_iter().map(Into::into).collect();
        let wanted = query.external_ids.iter().map(|id| id.trim().to_owned());
        let wanted: Arc<HashSet<String>> = Arc::new(wanted.collect());
        let http = self.client.http().clone();
        Paginator::new(move |token| {
            let mut check = query.check();
            let message = format!("must name 1 to {MAX_EXTERNAL_IDS} ids");
            let holds = (1..=MAX_EXTERNAL_IDS).contains(&query.external_ids.len());
            check.require(holds, "/externalIds", &message);
            let wanted = Arc::clone(&wanted);
            page(&http, &query, token, check, LIST.name).map(move |mut page| {
                page.data
                    .retain(|contact| carries(contact, |id| wanted.contains(id)));
                page.into()
            })
        })
    }

    /// Looks for people by e-mail or phone number, by **reading every contact** of the workspace.
    ///
    /// No version of the API can search by either. A pass costs one request per 50 contacts; at the
    /// 8 requests per second this client keeps to, 10,000 contacts take 200 requests and half a
    /// minute, a million take 20,000 requests and 42 minutes, and everything else on the key waits
    /// its turn. It sees each page at its own time: a contact moved or made behind its back can be
    /// missed. Better: give contacts an [`external_id`](NewContact::external_id), or keep a mirror
    /// that webhooks keep fresh.
    ///
    /// # Example
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::ScanFor;
    ///
    /// // Everybody at once: the pass costs the same.
    /// let wanted = ScanFor::new().email("ana@example.com").phone("+12025550143");
    /// let mut pages = client.contacts().scan(wanted).pages();
    /// while let Some(page) = pages.next().await {
    ///     let page = page?;
    ///     for found in &page.matches {
    ///         println!("{} by {:?}", found.contact.id, found.matched);
    ///     }
    ///     println!("{} pages; to go on later: {}", page.progress.pages_read, page.cursor);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, when nobody is named, or with an empty
    /// address or a text that cannot be a phone number; else the usual ones of a read. The scan ends
    /// after its first error; [`Scan::resume`] goes on.
    pub fn scan(&self, wanted: ScanFor) -> Scan {
        Scan::new(self.client.http(), wanted)
    }

    /// Changes a part of a contact: reads it, merges, and writes the whole back.
    ///
    /// API v1 replaces contacts; this keeps what the changes do not name. Two calls, or one when
    /// nothing turns out to be new: then nothing is written. What cannot survive is reported:
    ///
    /// - a reserved source cannot be sent back ([`Merged::source_left_out`]), nor can a custom value
    ///   that came without key and id ([`Merged::custom_fields_left_out`]);
    /// - what was sent, and is not in the vendor's answer, is in [`Merged::not_applied`];
    /// - the ids of addresses and numbers change, since the vendor does not take them back.
    ///
    /// **Somebody else's edit between the read and the write is lost**: the vendor offers no
    /// condition to prevent it. The window is one round trip. Serialise your own writers per
    /// contact. For the same reason a timeout inside this method leaves
    /// [`Delivery::Unknown`](crate::Delivery::Unknown), and the way on is to call it again: it reads
    /// first.
    ///
    /// # Example
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::{ContactChanges, ContactId};
    ///
    /// let id = ContactId::from("66d0d87e8dc1211467372303");
    /// let changes = ContactChanges::new().add_email("private", "ana@example.com");
    /// let merged = client.contacts().update_merged(&id, &changes).await?;
    /// println!("changed {:?}, ignored {:?}", merged.changed, merged.not_applied);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), then those of [`update`](Self::update);
    /// [`operation`](crate::Error::operation) tells which.
    pub fn update_merged(&self, id: &ContactId, changes: &ContactChanges) -> CallSequence<Merged> {
        let (client, id, changes) = (self.client.clone(), id.clone(), changes.clone());
        CallSequence::new(VENDOR, UPDATE_MERGED, move |options| {
            update_merged::update_merged(client, id, changes, options)
        })
    }

    fn write(&self, id: &ContactId, patch: &ContactPatch, check: Check) -> Call<Contact> {
        let request = self
            .client
            .http()
            .request(&UPDATE)
            .path("id", id)
            .json(patch);
        check
            .guard(request, UPDATE.name)
            .fetch_map(Data::into_inner)
    }
}

/// Reads every page that one external id fills.
async fn find(
    http: connector_http::Client,
    query: ListContacts,
    wanted: String,
    options: CallOptions,
) -> Result<Vec<Contact>, Error> {
    let list = Paginator::new(move |token| {
        let call = page(&http, &query, token, query.check(), LIST.name);
        options.apply(call).map(Into::into)
    });
    let mut pages = list.lane(options.lane()).pages();
    let mut found = Vec::new();
    for _ in 0..MAX_PAGES_FOUND {
        let Some(page) = pages.next().await else {
            return Ok(found);
        };
        let page = page?;
        // Should the filter be ignored, strangers come back; nobody shall be linked to one.
        let theirs = page.items.into_iter();
        found.extend(theirs.filter(|contact| carries(contact, |id| id == wanted)));
        if page.next.is_none() {
            return Ok(found);
        }
    }
    let reason = "one external id fills more than 10 pages: the filter is dropped on the way";
    Err(Error::config(VENDOR, FIND, reason))
}

/// Tells whether the contact's external id is one that is wanted, whoever trimmed it on the way.
fn carries(contact: &Contact, is_wanted: impl Fn(&str) -> bool) -> bool {
    contact
        .external_id
        .as_deref()
        .is_some_and(|id| is_wanted(id.trim()))
}

/// Reads one page; `operation` is what an error of the check is about.
fn page(
    http: &connector_http::Client,
    query: &ListContacts,
    token: Option<&str>,
    check: Check,
    operation: &'static str,
) -> Call<ListPage<Contact>> {
    let mut request = http.request(&LIST);
    // The vendor takes arrays as repeated keys, and refuses `externalIds[]`.
    for id in &query.external_ids {
        request = request.query("externalIds", id);
    }
    for source in &query.sources {
        request = request.query("sources", source);
    }
    let request = request
        .query("maxResults", query.max_results)
        .query_opt("pageToken", token);
    check.guard(request, operation).fetch()
}
