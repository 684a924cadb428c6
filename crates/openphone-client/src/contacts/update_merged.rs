//! A merge in full: a read, the merge, a write.

use connector_http::{CallOptions, Error};

use super::UPDATE;
use super::merge::{ContactChanges, Merge, Merged, not_applied};
use crate::check::Check;
use crate::client::Client;
use crate::ids::ContactId;

pub(super) async fn update_merged(
    client: Client,
    id: ContactId,
    changes: ContactChanges,
    options: CallOptions,
) -> Result<Merged, Error> {
    if let Some(error) = changes.check(UPDATE.name) {
        return Err(error);
    }
    let contacts = client.contacts();
    let before = options.apply(contacts.get(&id)).await?;
    let Merge {
        patch,
        changed,
        source_left_out,
        custom_fields_left_out,
    } = changes.merge_into(&before);
    let (contact, not_applied) = match patch {
        None => (before.clone(), Vec::new()),
        Some(patch) => {
            // What is only sent back was the vendor's own; the changes have been checked.
            let write = contacts.write(&id, &patch, Check::new());
            let contact = options.apply(write).await?;
            let not_applied = not_applied(&patch, &contact);
            (contact, not_applied)
        }
    };
    Ok(Merged {
        contact,
        before,
        changed,
        not_applied,
        source_left_out,
        custom_fields_left_out,
    })
}
