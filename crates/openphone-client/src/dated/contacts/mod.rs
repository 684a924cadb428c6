//! Contacts, their notes, properties and shares.

mod models;
pub(super) mod notes;
pub(super) mod properties;
mod requests;

use connector_http::{Call, Endpoint, Paginator, Request};

pub use self::models::{
    Contact, ContactNote, ContactProperty, ContactShare, NoteMedia, PropertyType,
};
pub use self::notes::ContactNotes;
pub use self::properties::ContactProperties;
pub use self::requests::{
    ContactPatch, ListContacts, ListProperties, NewContact, NewProperty, PropertyPatch,
};
use super::client::Client;
use super::page::{ListPage, MAX_LIMIT};
use super::query::any_of;
use crate::ids::ContactId;
use crate::page::Data;

connector_http::endpoints! {
    /// Lists contacts.
    LIST = "dated.contacts.list": GET "/contacts", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Makes a contact. Twice makes two.
    CREATE = "dated.contacts.create": POST "/contacts", NotIdempotent, DEFAULT, [201],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Reads one contact.
    GET = "dated.contacts.get": GET "/contacts/{contactId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/contacts/get-a-contact-by-id (read 2026-11-21)";
    /// Changes a contact. Idempotent although it is a PATCH: it sets values.
    UPDATE = "dated.contacts.update": PATCH "/contacts/{contactId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Deletes a contact. The second time it is not found, and gone all the same.
    DELETE = "dated.contacts.delete": DELETE "/contacts/{contactId}", Idempotent, DEFAULT, [204],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Lists with whom a contact is shared.
    SHARES = "dated.contacts.shares": GET "/contacts/{contactId}/shares", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
}

/// The contacts of the workspace.
///
/// A contact holds name, company and role; phone numbers, e-mail addresses and custom values are
/// [`contact_properties`](Client::contact_properties), what people wrote about it
/// [`contact_notes`](Client::contact_notes).
#[derive(Clone, Debug)]
pub struct Contacts<'a> {
    client: &'a Client,
}

impl<'a> Contacts<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists contacts, page after page: all of the workspace, or those the query names.
    ///
    /// ```
    /// # async fn example(client: openphone_client::dated::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::dated::ListContacts;
    ///
    /// let ours = ListContacts::new().external_ids(["user-42", "user-43"]);
    /// let mut contacts = client.contacts().list(&ours).items();
    /// while let Some(contact) = contacts.next().await {
    ///     println!("{}", contact?.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a page size outside 1 to 50, more than
    /// 50 values of a filter, or one that is empty or contains a comma; else the usual ones of a read.
    /// The stream ends after its first error.
    pub fn list(&self, query: &ListContacts) -> Paginator<Contact> {
        self.client.paginate(query, page)
    }

    /// Reads one page of the list.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_page(&self, query: &ListContacts, after: Option<&str>) -> Call<ListPage<Contact>> {
        page(self.client, query, after)
    }

    /// Makes a contact.
    ///
    /// # Errors
    ///
    /// - [`Validation`](crate::ErrorKind::Validation): refused here (an address that is none, an empty
    ///   id) or by the vendor. Nothing was made.
    /// - [`Delivery::Unknown`](crate::Delivery::Unknown): the request left and no answer came. It is
    ///   never sent again by itself; [`list`](Self::list) by your id first.
    pub fn create(&self, contact: &NewContact) -> Call<Contact> {
        let request = self.client.request(&CREATE).json(contact);
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
        self.at(&GET, id).fetch_map(Data::into_inner)
    }

    /// Changes what is named, and nothing else.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`Validation`](crate::ErrorKind::Validation): refused here
    /// (nothing to change, an address that is none) or by the vendor.
    pub fn update(&self, id: &ContactId, patch: &ContactPatch) -> Call<Contact> {
        let request = self.at(&UPDATE, id).json(patch);
        patch
            .check()
            .guard(request, UPDATE.name)
            .fetch_map(Data::into_inner)
    }

    /// Deletes a contact.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get). [`NotFound`](crate::ErrorKind::NotFound) is also what a second
    /// attempt sees when the first one deleted it and its answer was lost: it is gone either way.
    pub fn delete(&self, id: &ContactId) -> Call<()> {
        self.at(&DELETE, id).discard()
    }

    /// Lists with whom a contact is shared, page after page.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get). The stream ends after its first error.
    pub fn shares(&self, id: &ContactId) -> Paginator<ContactShare> {
        self.client.paginate(id, shares)
    }

    /// Reads one page of the shares.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    pub fn shares_page(&self, id: &ContactId, after: Option<&str>) -> Call<ListPage<ContactShare>> {
        shares(self.client, id, after)
    }

    fn at(&self, endpoint: &'static Endpoint, id: &ContactId) -> Request {
        self.client.request(endpoint).path("contactId", id)
    }
}

fn page(client: &Client, query: &ListContacts, after: Option<&str>) -> Call<ListPage<Contact>> {
    let request = client.request(&LIST);
    let ids = &query.external_ids;
    let request = any_of(request, "externalId", "externalId[in]", ids);
    let request = any_of(request, "source", "source[in]", &query.sources)
        .query("limit", query.limit)
        .query_opt("after", after);
    query.check().guard(request, LIST.name).fetch()
}

fn shares(client: &Client, id: &ContactId, after: Option<&str>) -> Call<ListPage<ContactShare>> {
    client
        .request(&SHARES)
        .path("contactId", id)
        .query("limit", MAX_LIMIT)
        .query_opt("after", after)
        .fetch()
}
