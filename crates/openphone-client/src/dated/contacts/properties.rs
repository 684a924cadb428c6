//! The properties of a contact: phone numbers, e-mail addresses, values of custom fields.

use connector_http::{Call, Endpoint, Paginator, Request};

use super::models::ContactProperty;
use super::requests::{ListProperties, NewProperty, PropertyPatch};
use crate::dated::client::Client;
use crate::dated::ids::ContactPropertyId;
use crate::dated::page::ListPage;
use crate::ids::ContactId;
use crate::page::Data;

connector_http::endpoints! {
    /// Lists the properties of a contact.
    LIST = "dated.contact_properties.list": GET "/contacts/{contactId}/properties", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Adds a property. Twice makes two. The vendor answers 200, not 201.
    CREATE = "dated.contact_properties.create": POST "/contacts/{contactId}/properties", NotIdempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Reads one property.
    GET = "dated.contact_properties.get": GET "/contacts/{contactId}/properties/{propertyId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Changes a property. Idempotent although it is a PATCH: it sets values.
    UPDATE = "dated.contact_properties.update": PATCH "/contacts/{contactId}/properties/{propertyId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Deletes a property. The second time it is not found, and gone all the same.
    DELETE = "dated.contact_properties.delete": DELETE "/contacts/{contactId}/properties/{propertyId}", Idempotent, DEFAULT, [204],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
}

/// The properties of contacts. Each is changed by itself, so that nothing else is lost.
#[derive(Clone, Debug)]
pub struct ContactProperties<'a> {
    client: &'a Client,
}

impl<'a> ContactProperties<'a> {
    pub(in crate::dated) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists the properties of a contact, page after page.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such contact;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`;
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a page size outside 1 to 50 or an empty
    /// kind. The stream ends after its first error.
    pub fn list(&self, contact: &ContactId, query: &ListProperties) -> Paginator<ContactProperty> {
        let of = (contact.clone(), query.clone());
        self.client
            .paginate(&of, |client, (contact, query), after| {
                page(client, contact, query, after)
            })
    }

    /// Reads one page of the list.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_page(
        &self,
        contact: &ContactId,
        query: &ListProperties,
        after: Option<&str>,
    ) -> Call<ListPage<ContactProperty>> {
        page(self.client, contact, query, after)
    }

    /// Adds a property to a contact.
    ///
    /// ```
    /// # async fn example(client: openphone_client::dated::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::dated::{NewContact, NewProperty, PropertyType};
    ///
    /// let ana = client.contacts().create(&NewContact::new("Ana")).await?;
    /// let mobile = NewProperty::new(PropertyType::PhoneNumber, "+12025550143").name("Mobile");
    /// client.contact_properties().create(&ana.id, &mobile).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list), and [`Validation`](crate::ErrorKind::Validation) by the vendor,
    /// also for a custom field that is not defined. After
    /// [`Delivery::Unknown`](crate::Delivery::Unknown) it may be there: [`list`](Self::list) first.
    pub fn create(&self, contact: &ContactId, property: &NewProperty) -> Call<ContactProperty> {
        let request = self.at(&CREATE, contact).json(property);
        property
            .check()
            .guard(request, CREATE.name)
            .fetch_map(Data::into_inner)
    }

    /// Reads one property.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list), for the property too.
    pub fn get(&self, contact: &ContactId, property: &ContactPropertyId) -> Call<ContactProperty> {
        self.at(&GET, contact)
            .path("propertyId", property)
            .fetch_map(Data::into_inner)
    }

    /// Changes the label or the value of a property.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`Validation`](crate::ErrorKind::Validation): refused here
    /// (nothing to change) or by the vendor.
    pub fn update(
        &self,
        contact: &ContactId,
        property: &ContactPropertyId,
        patch: &PropertyPatch,
    ) -> Call<ContactProperty> {
        let request = self
            .at(&UPDATE, contact)
            .path("propertyId", property)
            .json(patch);
        patch
            .check()
            .guard(request, UPDATE.name)
            .fetch_map(Data::into_inner)
    }

    /// Deletes a property.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get). [`NotFound`](crate::ErrorKind::NotFound) is also what a second
    /// attempt sees when the first one deleted it and its answer was lost: it is gone either way.
    pub fn delete(&self, contact: &ContactId, property: &ContactPropertyId) -> Call<()> {
        self.at(&DELETE, contact)
            .path("propertyId", property)
            .discard()
    }

    fn at(&self, endpoint: &'static Endpoint, contact: &ContactId) -> Request {
        self.client.request(endpoint).path("contactId", contact)
    }
}

fn page(
    client: &Client,
    contact: &ContactId,
    query: &ListProperties,
    after: Option<&str>,
) -> Call<ListPage<ContactProperty>> {
    let request = client
        .request(&LIST)
        .path("contactId", contact)
        .query_opt("type", query.kind.as_ref())
        .query("limit", query.limit)
        .query_opt("after", after);
    query.check().guard(request, LIST.name).fetch()
}
