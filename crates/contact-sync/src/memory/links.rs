//! Links of contacts to records, and by what people are known, in the memory store.

use super::state::{Line, LineId, LinkState, State};
use crate::contact::{Contact, Identifier};
use crate::ids::{RemoteId, TargetName, TenantId};

/// A phone number with so many records decides nothing anyway: see [`crate::matching::decide`]. Under the address of
/// a role every one of them counts.
const MAX_KNOWN: usize = 8;

impl State {
    /// Changes a link. A record that is ours stays ours, whichever of its links the word comes from.
    pub(super) fn set_link(&mut self, id: &LineId, mut new: LinkState, contact: Option<&Contact>) {
        let Some(tenant) = self.lines.get(id).map(|line| line.tenant.clone()) else {
            return;
        };
        if let LinkState::Linked { remote, is_ours } = &mut new {
            *is_ours |= self
                .links_to(&tenant, &id.1, remote)
                .any(|(_, line)| line.link.is_ours());
        }
        let Some(line) = self.lines.get_mut(id) else {
            return;
        };
        if new != LinkState::Intent {
            line.settles_at = None;
            line.intent_at = None;
        }
        let old = std::mem::replace(&mut line.link, new.clone());
        if let Some(remote) = old.remote() {
            let key = (tenant.clone(), id.1.clone(), remote.clone());
            if let Some(lines) = self.by_remote.get_mut(&key) {
                lines.remove(id);
                if lines.is_empty() {
                    self.by_remote.remove(&key);
                }
            }
        }
        let LinkState::Linked { remote, .. } = new else {
            return;
        };
        self.by_remote
            .entry((tenant.clone(), id.1.clone(), remote.clone()))
            .or_default()
            .insert(id.clone());
        for identifier in contact.map(Contact::identifiers).unwrap_or_default() {
            let is_phone = matches!(identifier, Identifier::Phone(_));
            let known = self
                .known
                .entry((tenant.clone(), id.1.clone(), identifier))
                .or_default();
            if let Some(entry) = known.iter_mut().find(|(other, _)| *other == remote) {
                entry.1 = id.0;
            } else if !is_phone || known.len() < MAX_KNOWN {
                known.push((remote.clone(), id.0));
            }
        }
    }

    /// Every line with a link to a record.
    pub(super) fn links_to(
        &self,
        tenant: &TenantId,
        target: &TargetName,
        remote: &RemoteId,
    ) -> impl Iterator<Item = (&LineId, &Line)> {
        self.by_remote
            .get(&(tenant.clone(), target.clone(), remote.clone()))
            .into_iter()
            .flatten()
            .filter_map(|id| Some((id, self.lines.get(id)?)))
    }

    /// Cuts every link to a record that does not exist any more.
    pub(super) fn cut_links(&mut self, tenant: &TenantId, target: &TargetName, remote: &RemoteId) {
        let lines = self
            .by_remote
            .remove(&(tenant.clone(), target.clone(), remote.clone()))
            .unwrap_or_default();
        for line in &lines {
            if let Some(line) = self.lines.get_mut(line) {
                line.link = LinkState::None;
                line.delivered = 0;
            }
        }
        // Rare, and the only place that looks at all of them.
        self.known.retain(|(t, n, _), records| {
            if t == tenant && n == target {
                records.retain(|(known, _)| known != remote);
            }
            !records.is_empty()
        });
    }

    /// Takes back that a contact is known under a record: whoever else has a link to it stands for it now.
    pub(super) fn forget_record(&mut self, line: &LineId, contact: &Contact, remote: &RemoteId) {
        let Some(tenant) = self.lines.get(line).map(|l| l.tenant.clone()) else {
            return;
        };
        let sharing = self
            .by_remote
            .get(&(tenant.clone(), line.1.clone(), remote.clone()));
        let successor = sharing
            .and_then(|ids| ids.iter().find(|other| *other != line))
            .map(|other| other.0);
        for identifier in contact.identifiers() {
            let claimed = (tenant.clone(), line.1.clone(), identifier);
            let Some(records) = self.known.get_mut(&claimed) else {
                continue;
            };
            records.retain_mut(|(known, id)| {
                if known != remote || *id != line.0 {
                    return true;
                }
                *id = successor.unwrap_or(*id);
                successor.is_some()
            });
            if records.is_empty() {
                self.known.remove(&claimed);
            }
        }
    }
}
