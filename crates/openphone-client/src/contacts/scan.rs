//! Finding a contact by e-mail or phone number, the only way there is: reading all of them.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use connector_http::{Cursor, Error, Items, Lane, Pages, Paginator, masked_debug};
use futures_core::Stream;

use super::matching::{email_key, phone_key};
use super::models::Contact;
use super::{ListContacts, page};
use crate::check::Check;

const OPERATION: &str = "contacts.scan";

/// Whom to look for: any number of people in one pass, since a pass costs the same for one as for
/// a thousand.
///
/// E-mail addresses are compared trimmed and without case. Phone numbers are compared by their
/// digits with the country code; a North American number may lack it on either side. Give other
/// numbers in E.164 form.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanFor {
    /// The e-mail addresses to look for.
    pub emails: Vec<String>,
    /// The phone numbers to look for.
    pub phones: Vec<String>,
}

masked_debug!(ScanFor {
    shown: [],
    masked: [emails, phones]
});

impl ScanFor {
    /// Starts with nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an e-mail address.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.emails.push(email.into());
        self
    }

    /// Adds a phone number.
    pub fn phone(mut self, phone: impl Into<String>) -> Self {
        self.phones.push(phone.into());
        self
    }
}

/// A pass through all contacts, not started yet. Made by [`Contacts::scan`](super::Contacts::scan).
#[derive(Debug)]
pub struct Scan {
    contacts: Paginator<Contact>,
    wanted: Arc<Wanted>,
    pages_read: Arc<AtomicU64>,
}

impl Scan {
    pub(super) fn new(http: &connector_http::Client, wanted: ScanFor) -> Self {
        let wanted = Arc::new(Wanted::new(wanted));
        let pages_read = Arc::new(AtomicU64::new(0));
        let (http, all) = (http.clone(), ListContacts::new());
        let (refused, count) = (Arc::clone(&wanted), Arc::clone(&pages_read));
        let contacts = Paginator::new(move |token| {
            let mut check = Check::new();
            for (path, message) in &refused.refused {
                check.require(false, path.clone(), message);
            }
            let count = Arc::clone(&count);
            page(&http, &all, token, check, OPERATION).map(move |page| {
                count.fetch_add(1, Ordering::Relaxed);
                page.into()
            })
        });
        Self {
            contacts,
            wanted,
            pages_read,
        }
    }

    /// Goes on where an earlier scan stopped.
    pub fn resume(mut self, cursor: Cursor) -> Self {
        self.contacts = self.contacts.resume(cursor);
        self
    }

    /// Fails the scan after so many pages.
    pub fn max_pages(mut self, pages: u64) -> Self {
        self.contacts = self.contacts.max_pages(pages);
        self
    }

    /// Chooses the lane; [`Lane::Bulk`] unless told otherwise, so that a scan lets calls somebody
    /// waits for pass.
    pub fn lane(mut self, lane: Lane) -> Self {
        self.contacts = self.contacts.lane(lane);
        self
    }

    /// Streams the matches.
    pub fn matches(self) -> ScanMatches {
        let Self {
            contacts,
            wanted,
            pages_read,
        } = self;
        ScanMatches {
            contacts: contacts.items(),
            wanted,
            pages_read,
            contacts_read: 0,
        }
    }

    /// Streams the pages with their matches: for a progress display, and to save the cursor while
    /// nothing matches.
    pub fn pages(self) -> ScanPages {
        let Self {
            contacts,
            wanted,
            pages_read,
        } = self;
        ScanPages {
            contacts: contacts.pages(),
            wanted,
            pages_read,
            contacts_read: 0,
        }
    }

    /// Reads until the first match.
    ///
    /// `None` means that nobody matched at the time each page was read, which costs the whole pass.
    ///
    /// # Errors
    ///
    /// Those of [`Contacts::scan`](super::Contacts::scan).
    pub async fn first(self) -> Result<Option<ScanMatch>, Error> {
        self.matches().next().await.transpose()
    }
}

/// The matches of a scan, as they are found.
#[derive(Debug)]
pub struct ScanMatches {
    contacts: Items<Contact>,
    wanted: Arc<Wanted>,
    pages_read: Arc<AtomicU64>,
    contacts_read: u64,
}

impl ScanMatches {
    /// Waits for the next match. `None` at the end, and after an error.
    pub async fn next(&mut self) -> Option<Result<ScanMatch, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Says how far the scan is.
    pub fn progress(&self) -> ScanProgress {
        ScanProgress {
            pages_read: self.pages_read.load(Ordering::Relaxed),
            contacts_read: self.contacts_read,
        }
    }

    /// Marks the place behind the last contact that was looked at, for [`Scan::resume`].
    pub fn cursor(&self) -> Cursor {
        self.contacts.cursor()
    }
}

impl Stream for ScanMatches {
    type Item = Result<ScanMatch, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match ready!(Pin::new(&mut this.contacts).poll_next(cx)) {
                Some(Ok(contact)) => {
                    this.contacts_read = this.contacts_read.saturating_add(1);
                    if let Some(found) = this.wanted.look_at(contact) {
                        return Poll::Ready(Some(Ok(found)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

/// The pages of a scan.
#[derive(Debug)]
pub struct ScanPages {
    contacts: Pages<Contact>,
    wanted: Arc<Wanted>,
    pages_read: Arc<AtomicU64>,
    contacts_read: u64,
}

impl ScanPages {
    /// Waits for the next page. `None` at the end, and after an error.
    pub async fn next(&mut self) -> Option<Result<ScanPage, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for ScanPages {
    type Item = Result<ScanPage, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let page = match ready!(Pin::new(&mut this.contacts).poll_next(cx)) {
            Some(Ok(page)) => page,
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            None => return Poll::Ready(None),
        };
        this.contacts_read = this.contacts_read.saturating_add(page.items.len() as u64);
        let matches = page
            .items
            .into_iter()
            .filter_map(|contact| this.wanted.look_at(contact));
        let matches = matches.collect();
        let progress = ScanProgress {
            pages_read: this.pages_read.load(Ordering::Relaxed),
            contacts_read: this.contacts_read,
        };
        Poll::Ready(Some(Ok(ScanPage {
            matches,
            progress,
            cursor: this.contacts.cursor(),
        })))
    }
}

/// One page of a scan.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ScanPage {
    /// The matches on this page.
    pub matches: Vec<ScanMatch>,
    /// How far the scan is.
    pub progress: ScanProgress,
    /// The place behind this page, for [`Scan::resume`].
    pub cursor: Cursor,
}

/// How far a scan is. How far it has to go is not known: the vendor's total is wrong.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanProgress {
    /// The pages read by this scan, which is also the number of requests it has cost.
    pub pages_read: u64,
    /// The contacts looked at by this scan.
    pub contacts_read: u64,
}

/// A contact that matched.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ScanMatch {
    /// The contact.
    pub contact: Contact,
    /// By what it matched, each as it was asked for.
    pub matched: Vec<MatchedBy>,
}

/// By what a contact matched.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MatchedBy {
    /// This e-mail address.
    Email(String),
    /// This phone number.
    Phone(String),
}

impl std::fmt::Debug for MatchedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Email(_) => "Email(..)",
            Self::Phone(_) => "Phone(..)",
        })
    }
}

/// What is looked for, by common form.
struct Wanted {
    emails: HashMap<String, Vec<String>>,
    phones: HashMap<String, Vec<String>>,
    refused: Vec<(String, &'static str)>,
}

impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Wanted({} emails, {} phones)",
            self.emails.len(),
            self.phones.len()
        )
    }
}

impl Wanted {
    fn new(asked: ScanFor) -> Self {
        let mut refused = Vec::new();
        if asked.emails.is_empty() && asked.phones.is_empty() {
            refused.push(("/".to_owned(), "must name somebody to look for"));
        }
        let mut emails = HashMap::<_, Vec<_>>::new();
        for (index, email) in asked.emails.into_iter().enumerate() {
            match email_key(&email) {
                Some(key) => emails.entry(key).or_default().push(email),
                None => refused.push((format!("/emails/{index}"), "must not be empty")),
            }
        }
        let mut phones = HashMap::<_, Vec<_>>::new();
        for (index, phone) in asked.phones.into_iter().enumerate() {
            match phone_key(&phone) {
                Some(key) => phones.entry(key).or_default().push(phone),
                None => refused.push((format!("/phones/{index}"), "must be a phone number")),
            }
        }
        Self {
            emails,
            phones,
            refused,
        }
    }

    fn look_at(&self, contact: Contact) -> Option<ScanMatch> {
        let fields = &contact.default_fields;
        let mut matched = Vec::new();
        if !self.emails.is_empty() {
            let values = fields
                .emails
                .iter()
                .filter_map(|email| email.value.as_deref());
            let asked = values.filter_map(|value| self.emails.get(&email_key(value)?));
            matched.extend(asked.flatten().cloned().map(MatchedBy::Email));
        }
        if !self.phones.is_empty() {
            let values = fields
                .phone_numbers
                .iter()
                .filter_map(|phone| phone.value.as_deref());
            let asked = values.filter_map(|value| self.phones.get(&phone_key(value)?));
            matched.extend(asked.flatten().cloned().map(MatchedBy::Phone));
        }
        // The same address may stand on a contact twice.
        let mut seen = HashSet::new();
        matched.retain(|by| seen.insert(by.clone()));
        (!matched.is_empty()).then_some(ScanMatch { contact, matched })
    }
}
