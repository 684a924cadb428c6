use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeZone as _, Utc};

use crate::openphone::Options;
use crate::openphone::contact_store::ContactStore;
use crate::openphone::ids::Ids;
use crate::openphone::message_store::MessageStore;
use crate::openphone::messages::MessagingBlock;
use crate::openphone::registration::Registration;
use crate::openphone::workspace::{Definition, Workspace};

/// Everything the simulated vendor knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Options,
    pub(super) ids: Ids,
    pub(super) workspace: Workspace,
    pub(super) contacts: ContactStore,
    pub(super) messages: MessageStore,
    pub(super) messaging_block: Option<MessagingBlock>,
    pub(super) webhooks: Vec<Registration>,
    pub(super) legacy_key: Arc<[u8]>,
    pub(super) dated_key: Arc<[u8]>,
}

impl State {
    pub(super) fn new(options: Options, rng: &mut fastrand::Rng) -> Self {
        let mut ids = Ids::new(rng.fork());
        let base = before_everything();
        let mut workspace = Workspace::new(&mut ids, base);
        for (name, key, kind) in &options.custom_fields {
            let r#type = *kind;
            workspace.custom_fields.retain(|known| known.key != *key);
            workspace.custom_fields.push(Definition {
                name: name.clone(),
                key: key.clone(),
                r#type,
            });
        }
        Self {
            options,
            contacts: ContactStore::new(rng.u64(..), workspace.owner_id(), base),
            messages: MessageStore::default(),
            messaging_block: None,
            webhooks: Vec::new(),
            legacy_key: Arc::from(ids.key_bytes()),
            dated_key: Arc::from(ids.key_bytes()),
            ids,
            workspace,
        }
    }

    /// Forgets contacts, texts and the webhooks that were created over the API. Ids are not given
    /// out a second time.
    pub(super) fn reset(&mut self) {
        self.contacts.clear();
        self.messages = MessageStore::default();
        self.webhooks
            .retain(|registration| registration.subscription.is_none());
    }

    pub(super) fn legacy_key_text(&self) -> String {
        STANDARD.encode(&self.legacy_key)
    }

    pub(super) fn dated_key_text(&self) -> String {
        format!("whsec_{}", STANDARD.encode(&self.dated_key))
    }
}

/// The day on which the simulated workspace was made.
fn before_everything() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2025, 1, 1, 0, 0, 0)
        .single()
        .unwrap_or(DateTime::UNIX_EPOCH)
}
