//! The companies of the account.

mod models;
mod requests;

use connector_http::{Call, Lane, Paginator};

pub use self::models::{Category, Company, CompanyContact};
pub use self::requests::{CompanyPatch, NewCompany, PrimaryContact};
use crate::check::Check;
use crate::client::Client;
use crate::contacts::strange_cursor;
use crate::ids::CompanyUid;
use crate::meta::Attributes;
use crate::page::{ListPage, ListQuery, MAX_PAGES, Step};
use crate::reply::Reply;

connector_http::endpoints! {
    /// Describes the attributes of this account's companies.
    META = "companies.meta": GET "/company/meta", Idempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Lists companies.
    LIST = "companies.list": GET "/companies", Idempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Creates a company.
    CREATE = "companies.create": POST "/company", NotIdempotent, DEFAULT, [201],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Reads a company, by uid or exact name.
    GET = "companies.get": GET "/company/{identifier}", Idempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Changes a company. Not repeated, for the reasons of a contact's update.
    UPDATE = "companies.update": PUT "/company/{identifier}", NotIdempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
}

/// The companies. From [`Client::companies`].
///
/// ```
/// # async fn example(client: suitedash_client::Client) -> Result<(), suitedash_client::Error> {
/// use suitedash_client::{NewCompany, Role};
///
/// let company = NewCompany::new("Example GmbH", Role::Lead);
/// let created = client.companies().create(&company).await?;
/// println!("{}", created.uid);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Companies<'a> {
    client: &'a Client,
}

impl<'a> Companies<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates a company. One call, never repeated once its bytes have left.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent or with status 422; else the usual ones of a write.
    pub fn create(&self, company: &NewCompany) -> Call<Company> {
        let request = self.client.http().request(&CREATE).json(company);
        company
            .check()
            .guard(request, CREATE.name)
            .fetch_map(Reply::into_data)
    }

    /// Reads a company by its uid.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is none; else the usual ones of a read.
    pub fn get(&self, uid: &CompanyUid) -> Call<Company> {
        self.client
            .http()
            .request(&GET)
            .path("identifier", uid)
            .fetch_map(Reply::into_data)
    }

    /// Reads a company by its exact name. Compare the name of the answer: the account may match by likeness.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a name with a slash or backslash, which servers take
    /// apart in a path however it is encoded: use the uid. Else those of [`get`](Self::get).
    pub fn get_by_name(&self, name: &str) -> Call<Company> {
        let mut check = Check::new();
        check.name(name, "name");
        let whole = !name.contains(['/', '\\']);
        check.require(whole, "name", "must not contain a slash here: use the uid");
        let request = self.client.http().request(&GET).path("identifier", name);
        check.guard(request, GET.name).fetch_map(Reply::into_data)
    }

    /// Changes a company. One call; never repeated once its bytes have left.
    ///
    /// # Errors
    ///
    /// As for [a contact](crate::Contacts::update).
    pub fn update(&self, uid: &CompanyUid, patch: &CompanyPatch) -> Call<Company> {
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

    /// Lists companies, one call per ten of them. The vendor leaves out idle ones.
    ///
    /// # Errors
    ///
    /// As for [contacts](crate::Contacts::list).
    pub fn list(&self, query: &ListQuery) -> Paginator<Company> {
        let (client, query) = (self.client.clone(), query.clone());
        Paginator::new(move |token| {
            let Some(step) = Step::read(token) else {
                return Call::failed(strange_cursor(LIST.name));
            };
            client
                .companies()
                .list_page(&query, step.page)
                .map(move |page| step.turn(page, |company: &Company| company.uid.clone()))
        })
        .max_pages(MAX_PAGES)
    }

    /// Reads one page of the list, from 1. Bulk work, as the list is, unless [`Call::lane`] says otherwise.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn list_page(&self, query: &ListQuery, page: u64) -> Call<ListPage<Company>> {
        let request = query.apply(self.client.http().request(&LIST), page);
        query
            .check(page)
            .guard(request, LIST.name)
            .fetch_map(|reply: Reply<Vec<Company>>| reply.into())
            .lane(Lane::Bulk)
    }

    /// Reads the attributes of this account's companies. Not remembered: each is a call of the month.
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
