//! The operations on projects. There is none to create one.

use http::StatusCode;

use crate::exchange::{Call, Reply};
use crate::suitedash::body::{Body, Change};
use crate::suitedash::contacts::Origin;
use crate::suitedash::page::{ListQuery, data};
use crate::suitedash::project::{Project, view};
use crate::suitedash::refusal::Refused;
use crate::suitedash::rules::Rules;
use crate::suitedash::world::World;

pub(super) fn list(world: &mut World, rules: &Rules, call: &Call<'_>) -> Result<Reply, Refused> {
    let query = ListQuery::read(call)?;
    let world = &*world;
    let path = call.operation.template();
    Ok(query.reply(rules, path, |created, skip, take| {
        let (total, places) = world.projects.select(created, skip, take);
        let items = places.into_iter().filter_map(|place| view(world, place));
        (total, items.collect())
    }))
}

pub(super) fn get(world: &mut World, _rules: &Rules, call: &Call<'_>) -> Result<Reply, Refused> {
    let place = find(world, call)?;
    shown(world, place)
}

pub(super) fn update(world: &mut World, rules: &Rules, call: &Call<'_>) -> Result<Reply, Refused> {
    let place = find(world, call)?;
    let mut body = Body::read(call)?;
    let found = world.projects.copy(place);
    let mut project = found.ok_or_else(not_found)?;
    if !rules.options.partial_updates {
        project.clear();
    }
    project.read(&mut body, world);
    body.finish(rules)?;
    world.projects.put(place, project);
    shown(world, place)
}

/// Makes a project, which only people in the app can.
pub(super) fn make(
    world: &mut World,
    rules: &Rules,
    mut body: Body,
    origin: Origin,
) -> Result<u64, Refused> {
    if !body.has("name") {
        body.problem("name", "is required");
    }
    let first = world.statuses.first().cloned();
    let mut project = Project::new(String::new(), first.unwrap_or_default(), origin.time());
    project.read(&mut body, world);
    if let Change::Set(mut client) = body.object("client") {
        let uid = client.needed("uid");
        if world.contacts.place(&uid).is_none() {
            client.problem("uid", "is not that of a contact");
        }
        project.client = Some(uid);
        body.absorb(client);
    }
    body.finish(rules)?;
    Ok(world.projects.insert(project))
}

/// Finds a project by one of the four kinds of identifier. Of several whose names fit, it is the
/// first.
fn find(world: &World, call: &Call<'_>) -> Result<u64, Refused> {
    let (kind, identifier) = (call.id, call.second_id);
    let projects = &world.projects;
    let named = |fits: &dyn Fn(&str) -> bool| {
        projects.places(0).find(|place| {
            let project = projects.get(*place);
            project.is_some_and(|project| fits(&project.name))
        })
    };
    let found = match kind {
        "uid" => projects.place(identifier),
        "name" => named(&|name| name == identifier),
        "contains_the_following" => named(&|name| name.contains(identifier)),
        "most_recent" if identifier == "true" => projects.last(),
        _ => None,
    };
    found.ok_or_else(not_found)
}

fn shown(world: &World, place: u64) -> Result<Reply, Refused> {
    let view = view(world, place).ok_or_else(not_found)?;
    Ok(data(StatusCode::OK, view))
}

fn not_found() -> Refused {
    Refused::not_found("Project")
}
