use crate::suitedash::Options;

/// What the operations need to know besides the records.
pub(super) struct Rules {
    pub(super) options: Options,
    /// The address that links in answers lead to, up to the API's own path.
    pub(super) origin: String,
}
