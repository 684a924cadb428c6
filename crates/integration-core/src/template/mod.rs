//! What kind of integration there can be: its schema, the form to fill in, the words around it.

mod model;

pub use model::{IntegrationTemplate, NewTemplate, TemplateSummary};
