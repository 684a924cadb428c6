//! Numbers, users and the definitions of custom fields.

use openphone_client::{ListPhoneNumbers, ListUsers};

use super::{CUSTOM_FIELDS, Stage, Step, check};

pub(super) async fn walk(stage: &Stage) -> Step {
    let client = &stage.client;
    let info = client.test_connection().await?;
    let numbers = client
        .phone_numbers()
        .list(&ListPhoneNumbers::new())
        .await?;
    check(info.phone_numbers == numbers.len(), "numbers are missing")?;
    for number in &numbers {
        client.phone_numbers().get(&number.id).await?;
    }

    let users = client
        .users()
        .list(&ListUsers::new().max_results(1u32))
        .all(100)
        .await?;
    for user in &users {
        client.users().get(&user.id).await?;
        let theirs = ListPhoneNumbers::new().user_id(user.id.clone());
        client.phone_numbers().list(&theirs).await?;
    }

    let fields = client.custom_fields().list().await?;
    let is_there = |key: &str| fields.iter().any(|field| field.key == key);
    check(
        CUSTOM_FIELDS.iter().all(|(_, key, _)| is_there(key)),
        "custom fields are missing",
    )
}
