//! Marketing audiences and worlds, of which next to nothing is known.

use http::StatusCode;
use serde_json::{Value, json};

use crate::exchange::{Call, Reply};
use crate::suitedash::body::{Body, is_email};
use crate::suitedash::page::{ListQuery, data};
use crate::suitedash::refusal::Refused;
use crate::suitedash::rules::Rules;
use crate::suitedash::store::uuid;
use crate::suitedash::world::{Subscription, World};

/// Subscribes people. Two bodies are known that contradict each other, and both are taken:
/// `{"subscribers": [{"email": …, "audiences": [1]}]}` and `{"contacts": ["…"], "audience": "1"}`.
pub(super) fn subscribe(
    world: &mut World,
    rules: &Rules,
    call: &Call<'_>,
) -> Result<Reply, Refused> {
    let mut body = Body::read(call)?;
    let mut wishes = Vec::new();
    match (body.take("subscribers"), body.take("contacts")) {
        (Some(Value::Array(subscribers)), None) => {
            for subscriber in subscribers {
                let email = subscriber.get("email").map(text).unwrap_or_default();
                let audiences = subscriber.get("audiences").and_then(Value::as_array);
                let audiences = audiences.cloned();
                for audience in audiences.unwrap_or_default() {
                    wishes.push((email.clone(), audience));
                }
            }
        }
        (None, Some(Value::Array(contacts))) => {
            let audience = body.take("audience").unwrap_or_default();
            for contact in &contacts {
                wishes.push((text(contact), audience.clone()));
            }
        }
        (Some(_), _) => body.problem("subscribers", "must be an array, without contacts"),
        (None, Some(_)) => body.problem("contacts", "must be an array"),
        (None, None) => body.problem("subscribers", "is required"),
    }
    body.finish(rules)?;
    let outcomes: Vec<(bool, Value)> = wishes
        .into_iter()
        .map(|(email, audience)| subscribe_one(world, &email, &audience))
        .collect();
    if !outcomes.iter().any(|(worked, _)| *worked) {
        let message = "Nobody was subscribed";
        return Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, message));
    }
    let items: Vec<Value> = outcomes.into_iter().map(|(_, item)| item).collect();
    Ok(data(StatusCode::OK, items.into()))
}

pub(super) fn worlds(world: &mut World, rules: &Rules, call: &Call<'_>) -> Result<Reply, Refused> {
    let query = ListQuery::read(call)?;
    let items: Vec<Value> = (1_u128..)
        .zip(&world.worlds)
        .map(|(number, name)| json!({ "uid": uuid(number), "name": name }))
        .collect();
    let path = call.operation.template();
    Ok(query.reply(rules, path, |_created, skip, take| {
        let total = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        (total, items.iter().skip(skip).take(take).cloned().collect())
    }))
}

fn subscribe_one(world: &mut World, email: &str, audience: &Value) -> (bool, Value) {
    // An audience is numbered, and one source writes the number as a text.
    let id = audience
        .as_u64()
        .or_else(|| audience.as_str()?.parse().ok());
    let id = id.filter(|id| world.audiences.contains(id));
    let problem = match id {
        _ if !is_email(email) => Some("is not an e-mail address"),
        None => Some("unknown audience"),
        Some(audience) => {
            let subscription = Subscription {
                email: email.to_owned(),
                audience,
            };
            if !world.subscriptions.contains(&subscription) {
                world.subscriptions.push(subscription);
            }
            None
        }
    };
    let item = json!({
        "email": email,
        "audience": audience,
        "success": problem.is_none(),
        "message": problem.unwrap_or_default(),
    });
    (problem.is_none(), item)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
