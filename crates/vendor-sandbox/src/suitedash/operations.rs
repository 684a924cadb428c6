//! The operations of the Secure API, one line each, and what carries them out.
//!
//! The vendor's own operation ids are `sorting02Contact1` and the like; these are the names of the
//! reconstructed specification.

use crate::exchange::{Call, Reply};
use crate::operation::Operation;
use crate::suitedash::refusal::Refused;
use crate::suitedash::rules::Rules;
use crate::suitedash::world::World;
use crate::suitedash::{attributes, companies, contacts, marketing, projects};

/// What carries an operation out.
pub(super) type Act = fn(&mut World, &Rules, &Call<'_>) -> Result<Reply, Refused>;

/// Returns what carries an operation out.
pub(super) fn act(operation: Operation) -> Option<Act> {
    let mut table = TABLE.iter();
    table
        .find(|(known, _)| *known == operation)
        .map(|(_, act)| *act)
}

/// Makes a constant of each line, the list of them, and the table that carries them out.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $id:literal $method:literal $template:literal => $act:path;)*) => {
        $($(#[$doc])* pub const $name: Operation = Operation::new($id, $method, $template);)*

        /// Every operation of the Secure API.
        pub const OPERATIONS: &[Operation] = &[$($name),*];

        const TABLE: &[(Operation, Act)] = &[$(($name, $act)),*];
    };
}

operations! {
    /// Tells the attributes of contacts.
    GET_CONTACT_META = "getContactMeta" "GET" "/secure-api/contact/meta" => attributes::meta;
    /// Lists contacts, ten at a time.
    LIST_CONTACTS = "listContacts" "GET" "/secure-api/contacts" => contacts::list;
    /// Creates a contact.
    CREATE_CONTACT = "createContact" "POST" "/secure-api/contact" => contacts::create;
    /// Gets a contact by its UID or e-mail.
    GET_CONTACT = "getContact" "GET" "/secure-api/contact/{identifier}" => contacts::get;
    /// Updates a contact, by its UID or e-mail.
    UPDATE_CONTACT = "updateContact" "PUT" "/secure-api/contact/{identifier}" => contacts::update;
    /// Tells the attributes of companies.
    GET_COMPANY_META = "getCompanyMeta" "GET" "/secure-api/company/meta" => attributes::meta;
    /// Lists companies, ten at a time.
    LIST_COMPANIES = "listCompanies" "GET" "/secure-api/companies" => companies::list;
    /// Creates a company.
    CREATE_COMPANY = "createCompany" "POST" "/secure-api/company" => companies::create;
    /// Gets a company by its UID or name.
    GET_COMPANY = "getCompany" "GET" "/secure-api/company/{identifier}" => companies::get;
    /// Updates a company, by its UID or name.
    UPDATE_COMPANY = "updateCompany" "PUT" "/secure-api/company/{identifier}" => companies::update;
    /// Tells the attributes of projects.
    GET_PROJECT_META = "getProjectMeta" "GET" "/secure-api/project/meta" => attributes::meta;
    /// Lists projects, ten at a time.
    LIST_PROJECTS = "listProjects" "GET" "/secure-api/projects" => projects::list;
    /// Gets a project by one of four kinds of identifier.
    GET_PROJECT = "getProject" "GET" "/secure-api/project/{type}/{identifier}" => projects::get;
    /// Updates a project, by one of four kinds of identifier.
    UPDATE_PROJECT = "updateProject" "PUT" "/secure-api/project/{type}/{identifier}" => projects::update;
    /// Subscribes people to marketing audiences.
    SUBSCRIBE = "subscribeToMarketing" "POST" "/secure-api/marketing/subscribe" => marketing::subscribe;
    /// Lists worlds, ten at a time.
    LIST_WORLDS = "listWorlds" "GET" "/secure-api/worlds" => marketing::worlds;
}
