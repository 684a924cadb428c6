//! The workspace: its users, its numbers, and those it could have.

use openphone_client::dated::{AvailableNumbers, ListPhoneNumbers, ListUsers, PhoneNumberPart};

use super::{Stage, Step, check, refused};

pub(super) async fn walk(stage: &Stage) -> Step {
    let one = stage.client.test_connection().await?;
    let other = stage.client.organization().await?;
    check(one.id == other.id, "it is another workspace")?;
    numbers(stage).await?;
    users(stage).await
}

async fn numbers(stage: &Stage) -> Step {
    let numbers = stage.client.phone_numbers();
    let both = [
        PhoneNumberPart::Restrictions,
        PhoneNumberPart::BusinessHours,
    ];
    let [restrictions, hours] = &both;
    let all = numbers
        .list(&ListPhoneNumbers::new().limit(1u32))
        .all(100)
        .await?;
    check(all.len() > 1, "numbers are missing from the list")?;
    for number in &all {
        let bare = numbers.get(&number.id, &[]).await?;
        check(
            bare.restrictions.is_none() && bare.business_hours.is_none(),
            "there is what nobody asked for",
        )?;
        for part in [restrictions, hours] {
            numbers.get(&number.id, std::slice::from_ref(part)).await?;
        }
        let whole = numbers.get(&number.id, &both).await?;
        check(
            whole.restrictions.is_some() && whole.business_hours.is_some(),
            "something that was asked for is missing",
        )?;
        let users = numbers.users(&number.id).all(10).await?;
        check(!users.is_empty(), "a number has no users")?;
    }
    let query = ListPhoneNumbers::new()
        .phone_number(stage.sandbox.phone_number())
        .include([restrictions.clone()]);
    let found = numbers.list(&query).all(100).await?;
    check(found.len() == 1, "the number is not found")?;
    let nobody = ListPhoneNumbers::new().phone_number("+12025550199");
    check(
        numbers.list(&nobody).all(100).await?.is_empty(),
        "a number is found that is not there",
    )?;
    refused(numbers.get(&"PN0".into(), &[]).await, 404)?;
    refused(numbers.users(&"PN0".into()).all(10).await, 404)?;

    let there = AvailableNumbers::new()
        .country_code("US")
        .area_code("415")
        .in_locality("San Francisco")
        .in_region("CA")
        .contains("555")
        .toll_free(false);
    for query in [AvailableNumbers::new(), there] {
        let found = numbers.available(&query).await?;
        check(!found.is_empty(), "there are no numbers to be had")?;
    }
    numbers
        .available(&AvailableNumbers::new().toll_free(true))
        .await?;
    Ok(())
}

async fn users(stage: &Stage) -> Step {
    let users = stage.client.users();
    let all = users.list(&ListUsers::new().limit(1u32)).all(100).await?;
    check(all.len() > 1, "users are missing from the list")?;
    for user in &all {
        users.get(&user.id).await?;
        for parts in [&[][..], &[PhoneNumberPart::Restrictions][..]] {
            let theirs = users.phone_numbers(&user.id, parts).all(10).await?;
            check(!theirs.is_empty(), "a user has no number")?;
        }
    }
    refused(users.get(&"US0".into()).await, 404)
}
