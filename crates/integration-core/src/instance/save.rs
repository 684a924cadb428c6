//! Making and changing instances.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::input::{GivenConfig, GivenSettings};
use super::integrations::{Integrations, Kind};
use super::sealing::{FieldChanges, changes_of, check, errors_of, storable};
use super::view::{Integration, settings_of};
use super::{
    ConfigValue, ConfigValues, IS_DEFAULT, IntegrationError, IntegrationPatch, Missing,
    NewIntegration, StoredConfig, StoredIntegration,
};
use crate::ids::{IntegrationId, Scope, TenantId};
use crate::status::{CredentialsVersion, Event, State};
use crate::store::{LogStatus, StoreError};
use crate::template::{ConfigSchema, ValidationErrors};

const MAX_NAME: usize = 200;
const MAX_DESCRIPTION: usize = 10_000;

impl Integrations {
    /// Saves a new instance: a config of the vendor's own type, a [`Form`](super::Form), or a [`NewIntegration`] with
    /// a name and settings. It is pending until it is tested, and off until it is enabled.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::TenantRequired`] for an administrator who names no tenant, [`IntegrationError::NotFound`]
    /// for a tenant who names another, [`IntegrationError::UnknownVendor`], [`IntegrationError::TemplateInactive`],
    /// [`IntegrationError::InvalidConfig`], [`IntegrationError::InvalidSettings`], [`IntegrationError::InvalidName`],
    /// [`IntegrationError::InvalidDescription`], [`IntegrationError::Vault`], [`IntegrationError::Store`]. Then nothing
    /// was written.
    pub async fn save(
        &self,
        scope: impl Into<Scope>,
        new: impl Into<NewIntegration>,
    ) -> Result<IntegrationId, IntegrationError> {
        let (scope, new) = (scope.into(), new.into());
        let tenant = tenant_of(&scope, new.tenant.as_ref())?;
        let kind = self.kind_of_new(&new.config).await?;
        let id = IntegrationId::generate();
        let version = CredentialsVersion::default().next();

        let open = open_config(new.config, &kind)?;
        let none = StoredConfig::default();
        let changes = open
            .clone()
            .into_iter()
            .map(|(field, value)| (field, Some(value)));
        let merged = self
            .sealing(&tenant, id)
            .merge(&none, changes.collect(), version)?;
        let settings = merge_settings(&kind, Map::new(), &new.settings)?;
        let name = new
            .name
            .unwrap_or_else(|| kind.template.display_name.clone());

        let now = self.now();
        let vendor = &kind.template.name;
        let template = kind.template.id;
        let row = StoredIntegration::new(id, tenant, template, vendor, name, State::new(), now);
        let mut draft = Draft::new(self, row);
        draft.now = now;
        draft.row.description = new.description;
        draft.row.created_by = new.created_by.or_else(|| self.actor.clone());
        draft.row.config = merged.stored.unwrap_or_else(|| StoredConfig::new(version));
        set_settings(&mut draft.row, &kind, settings, Some(&open))?;
        check_name(&draft.row.name)?;
        check_description(draft.row.description.as_deref())?;
        draft.apply(Event::CredentialsSaved {
            version,
            by: self.actor.clone(),
        })?;
        let (row, _, history, _) = draft.finish();
        match self.store().insert_integration(&row, &history).await {
            Ok(()) => {}
            // The template was deleted a moment ago.
            Err(StoreError::NotFound) => {
                return Err(IntegrationError::UnknownVendor {
                    vendor: kind.template.name,
                });
            }
            Err(error) => return Err(error.into()),
        }
        let mut entry = self.entry(&row, "integration.saved", LogStatus::Success);
        entry.payload = Some(names_in_log(&row));
        self.log(entry).await;
        Ok(id)
    }

    /// Changes an instance, merging into what is there. Only fields of the config that did change are sealed anew.
    ///
    /// A config that changed is a new set of credentials: the instance is pending until they are tested, and if it
    /// was active the older set serves until then. With such a change it follows its schema, if that is newer: a field
    /// that the schema has no more goes, and one that has become a secret is sealed. Nothing is sent to the vendor but, for a running instance whose
    /// settings changed, what they ask of its webhooks; whether that worked is in the log.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotFound`], [`IntegrationError::InvalidConfig`] (also for a config of another vendor),
    /// [`IntegrationError::InvalidSettings`], [`IntegrationError::InvalidName`],
    /// [`IntegrationError::InvalidDescription`], [`IntegrationError::Vault`] when a sealed field that stays cannot be opened, [`IntegrationError::Store`]. Then nothing was written.
    pub async fn update(
        &self,
        scope: impl Into<Scope>,
        id: IntegrationId,
        patch: IntegrationPatch,
    ) -> Result<Integration, IntegrationError> {
        let scope = scope.into();
        let row = self.row(&scope, id).await?;
        let kind = self.kind(&row.vendor).await?;
        let changed = self
            .change(&scope, id, |draft| {
                let settings_changed = self.patch(draft, &kind, &patch)?;
                Ok((settings_changed, changes_in_log(&draft.before, &draft.row)))
            })
            .await?;
        let mut entry = self.entry(&changed.row, "integration.updated", LogStatus::Success);
        let (settings_changed, names) = changed.value;
        entry.payload = Some(names);
        self.log(entry).await;
        let row = if settings_changed && changed.row.state.runs_jobs() {
            self.follow_settings(&scope, changed.row).await
        } else {
            changed.row
        };
        self.view(row).await
    }

    /// Returns the row that a patch would make, with its config in the open. Nothing is written.
    pub(super) async fn patched(
        &self,
        row: StoredIntegration,
        patch: &IntegrationPatch,
    ) -> Result<(StoredIntegration, ConfigValues), IntegrationError> {
        let kind = self.kind(&row.vendor).await?;
        let mut draft = Draft::new(self, row);
        self.patch(&mut draft, &kind, patch)?;
        let row = draft.row;
        if !row.state.has_credentials {
            return Err(IntegrationError::NoCredentials);
        }
        let open = self.sealing(&row.tenant, row.id).open_all(&row.config)?;
        #[cfg(feature = "vault-legacy")]
        self.check_legacy(&row, &row.config, &open)?;
        Ok((row, open))
    }

    /// Applies a patch. Returns whether settings changed.
    fn patch(
        &self,
        draft: &mut Draft<'_>,
        kind: &Kind,
        patch: &IntegrationPatch,
    ) -> Result<bool, IntegrationError> {
        if let Some(name) = &patch.name {
            check_name(name)?;
            draft.row.name.clone_from(name);
        }
        draft.row.description = patch
            .description
            .clone()
            .apply(draft.row.description.take());
        check_description(draft.row.description.as_deref())?;

        let changes = config_changes(patch, kind, &draft.row.config)?;
        let mut open = None;
        if !changes.is_empty() {
            open = Some(self.patch_config(draft, kind, changes)?);
        }
        if patch.settings.is_empty() && open.is_none() {
            return Ok(false);
        }
        let before = draft.row.settings.clone();
        let settings = merge_settings(kind, settings_of(&draft.row), &patch.settings)?;
        if open.is_none() && kind.vendor.is_some() && draft.row.state.has_credentials {
            let sealing = self.sealing(&draft.row.tenant, draft.row.id);
            open = Some(sealing.open_all(&draft.row.config)?);
        }
        set_settings(&mut draft.row, kind, settings, open.as_ref())?;
        Ok(draft.row.settings != before)
    }

    fn patch_config(
        &self,
        draft: &mut Draft<'_>,
        kind: &Kind,
        changes: FieldChanges,
    ) -> Result<ConfigValues, IntegrationError> {
        let version = draft.row.state.credentials.next();
        let had_credentials = draft.row.state.has_credentials;
        let merged = self.sealing(&draft.row.tenant, draft.row.id).merge(
            &draft.row.config,
            changes,
            version,
        )?;
        check(&merged.open, &kind.config, kind.vendor.as_deref())?;
        // Credentials that were taken away and are given back unchanged are new ones all the same.
        let stored = merged.stored.or_else(|| {
            (!had_credentials).then(|| StoredConfig {
                version,
                ..draft.row.config.clone()
            })
        });
        if let Some(stored) = stored {
            draft.row.config = stored;
            let by = self.actor.clone();
            draft.apply(Event::CredentialsSaved { version, by })?;
        }
        Ok(merged.open)
    }

    /// Reads the template of a config on its way in. No new instance is made of one that is not active.
    pub(super) async fn kind_of_new(&self, config: &GivenConfig) -> Result<Kind, IntegrationError> {
        let kind = self.kind(&config.vendor).await?;
        if kind.template.is_active {
            Ok(kind)
        } else {
            Err(IntegrationError::TemplateInactive {
                vendor: kind.template.name,
            })
        }
    }
}

/// Whose row it is to be. A tenant who names another is told what it is told of every row of another.
pub(super) fn tenant_of(
    scope: &Scope,
    named: Option<&TenantId>,
) -> Result<TenantId, IntegrationError> {
    match named.or(scope.tenant()) {
        None => Err(IntegrationError::TenantRequired),
        Some(tenant) if scope.covers(tenant) => Ok(tenant.clone()),
        Some(_) => Err(Missing::Integration.into()),
    }
}

/// Makes a whole, checked config in the open of what was given.
pub(super) fn open_config(
    given: GivenConfig,
    kind: &Kind,
) -> Result<ConfigValues, IntegrationError> {
    let changes = changes_of(given.values, given.typed, &kind.config, &BTreeMap::new());
    let fields = changes
        .into_iter()
        .filter_map(|(field, change)| Some((field, change?)));
    let open: ConfigValues = fields.collect();
    check(&open, &kind.config, kind.vendor.as_deref())?;
    Ok(open)
}

fn config_changes(
    patch: &IntegrationPatch,
    kind: &Kind,
    old: &StoredConfig,
) -> Result<FieldChanges, IntegrationError> {
    let mut changes = FieldChanges::new();
    if let Some(given) = &patch.config {
        if given.vendor != kind.template.name {
            return Err(IntegrationError::InvalidConfig(ValidationErrors::of_one(
                None,
                "is that of another vendor",
            )));
        }
        let values = given.values.clone();
        changes.extend(changes_of(values, given.typed, &kind.config, &old.hints));
    }
    changes.extend(changes_of(
        patch.fields.clone(),
        true,
        &kind.config,
        &old.hints,
    ));
    changes.extend(patch.cleared.iter().map(|field| (field.clone(), None)));
    // To clear what is not there changes nothing.
    changes.retain(|field, change| {
        change.is_some() || old.readable.contains_key(field) || old.sealed.contains_key(field)
    });
    if !changes.is_empty() {
        follow_schema(&mut changes, &kind.config, old);
    }
    Ok(changes)
}

/// Adds what the schema, which may be newer than the config, makes of fields that nobody changed: one that it has no
/// more goes, since nobody could take it out by a form; one that has become a secret is sealed.
fn follow_schema(changes: &mut FieldChanges, schema: &ConfigSchema, old: &StoredConfig) {
    let fields = old.readable.keys().chain(old.sealed.keys());
    for field in fields.filter(|field| !schema.has_field(field)) {
        changes.entry(field.clone()).or_insert(None);
    }
    for (field, value) in &old.readable {
        if let (true, Value::String(text)) = (schema.is_sealed(field), value) {
            let secret = || ConfigValue::Secret(SecretString::from(text.as_str()));
            changes
                .entry(field.clone())
                .or_insert_with(|| Some(secret()));
        }
    }
}

fn merge_settings(
    kind: &Kind,
    mut settings: Map<String, Value>,
    given: &GivenSettings,
) -> Result<Map<String, Value>, IntegrationError> {
    if given.unusable {
        return Err(IntegrationError::InvalidSettings(ValidationErrors::of_one(
            None,
            "is not a group of named values",
        )));
    }
    // A setting that the schema has no more is nobody's to take out.
    settings.retain(|name, _| kind.settings.has_field(name));
    for (name, value) in &given.values {
        if value.is_null() {
            settings.remove(name);
        } else {
            settings.insert(name.clone(), value.clone());
        }
    }
    let settings = Value::Object(settings);
    kind.settings
        .validate(&settings)
        .and_then(|()| storable(&settings))
        .map_err(IntegrationError::InvalidSettings)?;
    let Value::Object(settings) = settings else {
        return Ok(Map::new());
    };
    match &kind.vendor {
        Some(vendor) => vendor
            .fill_settings(&settings)
            .map_err(|unreadable| IntegrationError::InvalidSettings(errors_of(&unreadable))),
        None => Ok(settings),
    }
}

/// Sets the settings and what follows from them.
fn set_settings(
    row: &mut StoredIntegration,
    kind: &Kind,
    settings: Map<String, Value>,
    open: Option<&ConfigValues>,
) -> Result<(), IntegrationError> {
    row.is_default = settings.get(IS_DEFAULT).and_then(Value::as_bool) == Some(true);
    if let (Some(vendor), Some(open)) = (&kind.vendor, open) {
        row.source_ids = vendor
            .source_ids(open, &settings)
            .map_err(|unreadable| IntegrationError::InvalidConfig(errors_of(&unreadable)))?;
    }
    row.settings = settings;
    Ok(())
}

fn check_name(name: &str) -> Result<(), IntegrationError> {
    let fits = !name.trim().is_empty() && name.chars().count() <= MAX_NAME;
    if fits && !name.contains('\0') {
        Ok(())
    } else {
        Err(IntegrationError::InvalidName)
    }
}

fn check_description(description: Option<&str>) -> Result<(), IntegrationError> {
    let text = description.unwrap_or_default();
    if text.chars().count() <= MAX_DESCRIPTION && !text.contains('\0') {
        Ok(())
    } else {
        Err(IntegrationError::InvalidDescription)
    }
}

/// What a log entry tells of a row: names of fields, and no value.
fn names_in_log(row: &StoredIntegration) -> Value {
    let config = row.config.readable.keys().chain(row.config.sealed.keys());
    json!({
        "config": config.collect::<Vec<_>>(),
        "settings": row.settings.keys().collect::<Vec<_>>(),
        "credentials": row.config.version,
    })
}

/// What a log entry tells of a change: the names of the fields that differ, and no value.
fn changes_in_log(before: &StoredIntegration, after: &StoredIntegration) -> Value {
    let (old, new) = (&before.config, &after.config);
    let mut config = differing(&old.readable, &new.readable);
    config.extend(differing(&old.sealed, &new.sealed));
    let mut words = Vec::new();
    if before.name != after.name {
        words.push("name");
    }
    if before.description != after.description {
        words.push("description");
    }
    json!({
        "changed": words,
        "config": config,
        "settings": differing(&before.settings, &after.settings),
        "credentials": new.version,
    })
}

/// The names whose values differ, in the order of the alphabet.
fn differing<'m, M, V>(before: &'m M, after: &'m M) -> BTreeSet<&'m String>
where
    &'m M: IntoIterator<Item = (&'m String, &'m V)>,
    V: PartialEq + 'm,
{
    let old: BTreeMap<_, _> = before.into_iter().collect();
    let new: BTreeMap<_, _> = after.into_iter().collect();
    let names = old.keys().chain(new.keys()).copied();
    names
        .filter(|name| old.get(name) != new.get(name))
        .collect()
}
