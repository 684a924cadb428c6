//! There is no way to another tenant's row: every method is tried.

use std::collections::BTreeSet;
use std::path::Path;

use integration_core::http::CallResult;
use integration_core::instance::{IntegrationError, IntegrationPatch, NewIntegration};
use integration_core::status::{CredentialsVersion, Status};
use integration_core::store::{IntegrationFilter, LogFilter};
use integration_core::template::{NewTemplate, TemplatePatch};
use integration_core::{EndpointId, IntegrationId, Scope, TemplateId, TenantId};

use crate::acme::{AcmeClient, Config, KEY, Settings};
use crate::world::{World, tenant};

fn stranger() -> TenantId {
    TenantId::from("stranger")
}

/// Methods that name no row of a tenant.
const WITHOUT_ROWS: [&str; 3] = ["close", "acting", "health_checks"];

/// What came of a method that was called by somebody else's tenant.
#[derive(Debug, PartialEq)]
enum Got {
    /// As if there were nothing.
    Nothing,
    /// It is for administrators.
    Forbidden,
    /// It concerns templates, which are everybody's, or rows of the caller's own.
    OwnBusiness,
}

fn refused<T: std::fmt::Debug>(result: Result<T, IntegrationError>) -> Got {
    match result {
        Err(IntegrationError::NotFound { .. }) => Got::Nothing,
        Err(IntegrationError::Forbidden) => Got::Forbidden,
        other => panic!("{other:?}"),
    }
}

fn empty<T>(result: Result<Vec<T>, IntegrationError>) -> Got {
    assert!(result.unwrap().is_empty());
    Got::Nothing
}

async fn call(
    world: &World,
    name: &str,
    id: IntegrationId,
    template: TemplateId,
    endpoint: EndpointId,
) -> Got {
    let it = &world.integrations;
    let who = &stranger();
    let for_another = || NewIntegration::new(Config::new(KEY)).for_tenant(tenant());
    let now = chrono::DateTime::UNIX_EPOCH;
    let new_template = || NewTemplate::new("mine", "Mine", "crm");
    match name {
        "get" => refused(it.get(who, id).await),
        "list" => empty(it.list(who, IntegrationFilter::new()).await),
        "find_by_source" => empty(it.find_by_source(who, "acme", "line-1").await),
        "history" => refused(it.history(who, id, 10).await),
        "logs" => {
            let of_all = it.logs(who, LogFilter::new()).await;
            empty(it.logs(who, LogFilter::new().integration(id)).await);
            empty(of_all)
        }
        "sweep_logs" => refused(it.sweep_logs(who, now).await),
        "check_vault" => refused(it.check_vault(who, 1).await),
        "save" => refused(it.save(who, for_another()).await),
        "update" => refused(it.update(who, id, IntegrationPatch::new().name("x")).await),
        "test_unsaved" => refused(it.test_unsaved(who, for_another()).await),
        "test_update" => {
            let patch = IntegrationPatch::new().secret("api_key", KEY);
            refused(it.test_update(who, id, patch).await)
        }
        "test_connection" => refused(it.test_connection(who, id).await),
        "enable" => refused(it.enable(who, id).await),
        "disable" => refused(it.disable(who, id).await),
        "delete" => refused(it.delete(who, id).await),
        "uninstalled" => refused(it.uninstalled(who, id).await),
        "revoked" => refused(it.revoked(who, id).await),
        "client" => refused(it.client::<AcmeClient>(who, id).await),
        "active_client" => refused(it.active_client::<AcmeClient>(who, id).await),
        "report" => {
            let used = CredentialsVersion::default().next();
            refused(it.report(who, id, used, CallResult::Works).await)
        }
        "endpoint" => refused(it.endpoint(who, endpoint).await),
        "create_template" => refused(it.create_template(who, new_template()).await),
        "update_template" => refused(
            it.update_template(who, template, TemplatePatch::new())
                .await,
        ),
        "delete_template" => refused(it.delete_template(who, template).await),
        "templates" => {
            assert!(!it.templates(who).await.unwrap().is_empty());
            Got::OwnBusiness
        }
        "template" => {
            it.template(who, template).await.unwrap();
            Got::OwnBusiness
        }
        "template_named" => {
            it.template_named(who, "acme").await.unwrap();
            Got::OwnBusiness
        }
        unknown => panic!("{unknown} is not tried: add it here"),
    }
}

/// The public methods of the façade, read from its source, so that a new one cannot be forgotten here.
fn methods() -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/instance");
    let mut methods = BTreeSet::new();
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let mut within = false;
        for line in text.lines() {
            if line.starts_with("impl ") {
                within = line == "impl Integrations {";
            }
            let name = line
                .strip_prefix("    pub async fn ")
                .or_else(|| line.strip_prefix("    pub fn "));
            if let Some(name) = name.filter(|_| within) {
                let end = name.find(['(', '<']).unwrap();
                methods.insert(name[..end].to_owned());
            }
        }
    }
    methods.remove("builder");
    methods
}

#[tokio::test(start_paused = true)]
async fn every_method_finds_nothing_of_another_tenant() {
    let world = World::new().await;
    let owner = &tenant();
    let new = NewIntegration::new(Config::new(KEY)).settings(Settings {
        line: Some("line-1".to_owned()),
        ..Settings::default()
    });
    let id = world.integrations.save(owner, new).await.unwrap();
    let before = world.integrations.enable(owner, id).await.unwrap();
    world.integrations.close().await;

    let methods = methods();
    assert!(methods.len() > 20, "{methods:?}");
    for name in WITHOUT_ROWS {
        assert!(methods.contains(name), "{name}");
    }
    let (template, endpoint) = (before.template, before.endpoints[0].id);
    for name in methods.iter().map(String::as_str) {
        if WITHOUT_ROWS.contains(&name) {
            continue;
        }
        let got = call(&world, name, id, template, endpoint).await;
        let expected = match name {
            "sweep_logs" | "check_vault" | "create_template" | "update_template"
            | "delete_template" => Got::Forbidden,
            "templates" | "template" | "template_named" => Got::OwnBusiness,
            _ => Got::Nothing,
        };
        assert_eq!(got, expected, "{name}");
    }
    let after = world.integrations.get(owner, id).await.unwrap();
    assert_eq!(after, before);
    assert_eq!(after.status, Status::Active);
    let mine = world
        .integrations
        .list(&stranger(), IntegrationFilter::new())
        .await;
    assert!(mine.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_does_not_exist_looks_the_same() {
    let world = World::new().await;
    let nobody = IntegrationId::generate();
    for scope in [Scope::from(stranger()), Scope::Administrator] {
        let got = world.integrations.get(&scope, nobody).await;
        assert_eq!(
            got.unwrap_err().to_string(),
            "there is no such integration within this scope"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_administrator_names_the_tenant() {
    let world = World::new().await;
    let all = Scope::Administrator;
    let it = &world.integrations;
    let refused = it.save(&all, Config::new(KEY)).await;
    assert!(matches!(refused, Err(IntegrationError::TenantRequired)));
    // What is only tried belongs to nobody.
    assert!(
        it.test_unsaved(&all, Config::new(KEY))
            .await
            .unwrap()
            .success
    );
    let new = NewIntegration::new(Config::new(KEY)).for_tenant(tenant());
    let id = it.save(&all, new).await.unwrap();
    assert_eq!(it.get(&all, id).await.unwrap().tenant, tenant());
    assert_eq!(
        it.list(tenant(), IntegrationFilter::new())
            .await
            .unwrap()
            .len(),
        1
    );
}
