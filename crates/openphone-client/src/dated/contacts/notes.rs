//! The notes on a contact.

use connector_http::{Call, Endpoint, Paginator, Request};
use serde::Serialize;

use super::models::ContactNote;
use super::requests::check_note;
use crate::dated::client::Client;
use crate::dated::ids::ContactNoteId;
use crate::dated::page::{ListPage, MAX_LIMIT};
use crate::ids::ContactId;
use crate::page::Data;

connector_http::endpoints! {
    /// Lists the notes on a contact.
    LIST = "dated.contact_notes.list": GET "/contacts/{contactId}/notes", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Writes a note. Twice makes two. The vendor answers 200, not 201.
    CREATE = "dated.contact_notes.create": POST "/contacts/{contactId}/notes", NotIdempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Reads one note.
    GET = "dated.contact_notes.get": GET "/contacts/{contactId}/notes/{noteId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Replaces the text of a note. Idempotent although it is a PATCH: it sets a value.
    UPDATE = "dated.contact_notes.update": PATCH "/contacts/{contactId}/notes/{noteId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Deletes a note. The second time it is not found, and gone all the same.
    DELETE = "dated.contact_notes.delete": DELETE "/contacts/{contactId}/notes/{noteId}", Idempotent, DEFAULT, [204],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
}

/// The notes on contacts.
#[derive(Clone, Debug)]
pub struct ContactNotes<'a> {
    client: &'a Client,
}

impl<'a> ContactNotes<'a> {
    pub(in crate::dated) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists the notes on a contact, page after page.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such contact;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`. The stream
    /// ends after its first error.
    pub fn list(&self, contact: &ContactId) -> Paginator<ContactNote> {
        self.client.paginate(contact, page)
    }

    /// Reads one page of the list.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_page(
        &self,
        contact: &ContactId,
        after: Option<&str>,
    ) -> Call<ListPage<ContactNote>> {
        page(self.client, contact, after)
    }

    /// Writes a note on a contact: 1 to 2,000 characters.
    ///
    /// ```
    /// # async fn example(client: openphone_client::dated::Client) -> Result<(), openphone_client::Error> {
    /// let contact = "66d0d87e8dc1211467372303".into();
    /// let note = client.contact_notes().create(&contact, "Prefers mornings.").await?;
    /// client.contact_notes().update(&contact, &note.id, "Prefers afternoons.").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list), and [`Validation`](crate::ErrorKind::Validation), unsent, for a
    /// text that is blank or too long. After [`Delivery::Unknown`](crate::Delivery::Unknown) it may be
    /// there: [`list`](Self::list) first.
    pub fn create(&self, contact: &ContactId, text: &str) -> Call<ContactNote> {
        written(&CREATE, self.at(&CREATE, contact), text)
    }

    /// Reads one note.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list), for the note too.
    pub fn get(&self, contact: &ContactId, note: &ContactNoteId) -> Call<ContactNote> {
        self.at(&GET, contact)
            .path("noteId", note)
            .fetch_map(Data::into_inner)
    }

    /// Replaces the text of a note.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`Validation`](crate::ErrorKind::Validation), unsent, for a text
    /// that is blank or too long.
    pub fn update(
        &self,
        contact: &ContactId,
        note: &ContactNoteId,
        text: &str,
    ) -> Call<ContactNote> {
        let request = self.at(&UPDATE, contact).path("noteId", note);
        written(&UPDATE, request, text)
    }

    /// Deletes a note.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get). [`NotFound`](crate::ErrorKind::NotFound) is also what a second
    /// attempt sees when the first one deleted it and its answer was lost: it is gone either way.
    pub fn delete(&self, contact: &ContactId, note: &ContactNoteId) -> Call<()> {
        self.at(&DELETE, contact).path("noteId", note).discard()
    }

    fn at(&self, endpoint: &'static Endpoint, contact: &ContactId) -> Request {
        self.client.request(endpoint).path("contactId", contact)
    }
}

fn written(endpoint: &'static Endpoint, request: Request, text: &str) -> Call<ContactNote> {
    check_note(text)
        .guard(request.json(&NoteText { text }), endpoint.name)
        .fetch_map(Data::into_inner)
}

fn page(client: &Client, contact: &ContactId, after: Option<&str>) -> Call<ListPage<ContactNote>> {
    client
        .request(&LIST)
        .path("contactId", contact)
        .query("limit", MAX_LIMIT)
        .query_opt("after", after)
        .fetch()
}

#[derive(Serialize)]
struct NoteText<'a> {
    text: &'a str,
}
