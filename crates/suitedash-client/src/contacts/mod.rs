//! The contacts of the account. A lead is a contact with that role.

mod models;
mod requests;

use connector_http::{Call, CallSequence, Delivery, Error, ErrorKind, Lane, Paginator};

pub use self::models::{Circle, Contact, ContactCompany};
pub use self::requests::{ContactPatch, NewContact};
pub(crate) use self::requests::{check_custom_fields, check_role};
use crate::check::Check;
use crate::client::{Client, VENDOR};
use crate::ids::ContactUid;
use crate::meta::Attributes;
use crate::page::{ListPage, ListQuery, MAX_PAGES, Step};
use crate::reply::Reply;

connector_http::endpoints! {
    /// Describes the attributes of this account's contacts.
    META = "contacts.meta": GET "/contact/meta", Idempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Lists contacts.
    LIST = "contacts.list": GET "/contacts", Idempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Creates a contact. Nothing shows that the server honours an idempotency key.
    CREATE = "contacts.create": POST "/contact", NotIdempotent, DEFAULT, [201],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Reads a contact, by uid or primary e-mail.
    GET = "contacts.get": GET "/contact/{identifier}", Idempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Changes a contact. It replaces lists, so a repetition may undo what somebody did in between; and it would
    /// cost another call.
    UPDATE = "contacts.update": PUT "/contact/{identifier}", NotIdempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
}

const FIND: &str = "contacts.find_by_email";

/// The contacts. From [`Client::contacts`].
///
/// The vendor can neither delete contacts nor search them: a contact is read by uid or by its primary e-mail.
///
/// ```
/// # async fn example(client: suitedash_client::Client) -> Result<(), suitedash_client::Error> {
/// use suitedash_client::{NewContact, Role};
///
/// let jane = NewContact::new(Role::Lead, "Jane", "Roe").email("jane@example.com");
/// let created = client.contacts().create(&jane).await?;
/// let found = client.contacts().find_by_email("jane@example.com").await?;
/// assert_eq!(found.map(|contact| contact.uid), Some(created.uid));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Contacts<'a> {
    client: &'a Client,
}

impl<'a> Contacts<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    pub(crate) fn client(self) -> &'a Client {
        self.client
    }

    /// Creates a contact. One call, never repeated once its bytes have left.
    ///
    /// # Errors
    ///
    /// [`Validation`](ErrorKind::Validation), unsent, when something of it cannot be right; with status 422 when the
    /// vendor finds fault, which is also all there is for **a duplicate**: read the contact by its e-mail to tell the
    /// two apart, or use [`create_or_update`](Self::create_or_update). With
    /// [`Delivery::Unknown`] look up the e-mail before creating it again.
    pub fn create(&self, contact: &NewContact) -> Call<Contact> {
        let request = self.client.http().request(&CREATE).json(contact);
        contact
            .check()
            .guard(request, CREATE.name)
            .fetch_map(Reply::into_data)
    }

    /// Reads a contact by its uid.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is none; else the usual ones of a read.
    pub fn get(&self, uid: &ContactUid) -> Call<Contact> {
        self.client
            .http()
            .request(&GET)
            .path("identifier", uid)
            .fetch_map(Reply::into_data)
    }

    /// Looks for a contact by its primary e-mail; `None` when there is none. One call.
    ///
    /// The e-mail of the answer is compared with the one asked for, whatever the case of its letters.
    ///
    /// # Errors
    ///
    /// [`Validation`](ErrorKind::Validation), unsent, for what is no e-mail address;
    /// [`Conflict`](ErrorKind::Conflict) when the vendor answers with somebody else; else the usual ones of a read.
    pub fn find_by_email(&self, email: &str) -> CallSequence<Option<Contact>> {
        let client = self.client.clone();
        let email = email.trim().to_owned();
        CallSequence::new(VENDOR, FIND, move |options| async move {
            let mut check = Check::new();
            check.email(&email, "email");
            check.finish(FIND)?;
            let call = client
                .http()
                .request(&GET)
                .path("identifier", &email)
                .fetch_map(Reply::<Contact>::into_data);
            match options.apply(call).await {
                Ok(contact) => {
                    same_person(&contact, &email, FIND)?;
                    Ok(Some(contact))
                }
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    /// Changes a contact. One call; never repeated once its bytes have left.
    ///
    /// # Errors
    ///
    /// [`Validation`](ErrorKind::Validation), unsent, when something of it cannot be right or nothing would change;
    /// [`NotFound`](ErrorKind::NotFound) when there is no such contact; else the usual ones of a write.
    pub fn update(&self, uid: &ContactUid, patch: &ContactPatch) -> Call<Contact> {
        let request = self
            .client
            .http()
            .request(&UPDATE)
            .path("identifier", uid)
            .json(patch);
        patch
            .check()
            .guard(request, UPDATE.name)
            .fetch_map(Reply::into_data)
    }

    /// Lists contacts: **one call per ten of them**. Ends with an error after 1,000 pages unless
    /// [`max_pages`](Paginator::max_pages) says otherwise, and when a page repeats the one before.
    ///
    /// # Errors
    ///
    /// From the stream: [`Validation`](ErrorKind::Validation), unsent, for a query that cannot be right; else the
    /// usual ones of a read.
    pub fn list(&self, query: &ListQuery) -> Paginator<Contact> {
        let (client, query) = (self.client.clone(), query.clone());
        Paginator::new(move |token| {
            let Some(step) = Step::read(token) else {
                return Call::failed(strange_cursor(LIST.name));
            };
            client
                .contacts()
                .list_page(&query, step.page)
                .map(move |page| step.turn(page, |contact: &Contact| contact.uid.clone()))
        })
        .max_pages(MAX_PAGES)
    }

    /// Reads one page of the list, from 1. Bulk work, as the list is, unless [`Call::lane`] says otherwise.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn list_page(&self, query: &ListQuery, page: u64) -> Call<ListPage<Contact>> {
        let request = query.apply(self.client.http().request(&LIST), page);
        query
            .check(page)
            .guard(request, LIST.name)
            .fetch_map(|reply: Reply<Vec<Contact>>| reply.into())
            .lane(Lane::Bulk)
    }

    /// Reads the attributes of this account's contacts: which there are, which are required, which are its own.
    /// [`Client::meta`] does so once and remembers.
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

/// Refuses an answer about somebody else. `operation` is what the error is about.
pub(crate) fn same_person(
    contact: &Contact,
    asked: &str,
    operation: &'static str,
) -> Result<(), Error> {
    let found = contact.email.as_deref().unwrap_or_default();
    if found.trim().to_lowercase() == asked.trim().to_lowercase() {
        return Ok(());
    }
    let message =
        "the vendor answered with a contact of another e-mail address; nothing was written";
    Err(Error::of_client(
        ErrorKind::Conflict,
        VENDOR,
        operation,
        Delivery::Rejected,
        message,
    ))
}

pub(crate) fn strange_cursor(operation: &'static str) -> Error {
    Error::config(VENDOR, operation, "the cursor is of another list")
}
