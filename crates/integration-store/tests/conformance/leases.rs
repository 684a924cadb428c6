use std::time::Duration;

use super::Subject;

const TTL: Duration = Duration::from_secs(10);

pub(crate) async fn are_held_by_one_until_they_end(subject: &impl Subject) {
    let store = subject.store();
    assert!(store.hold_lease("checks", "a", TTL).await.unwrap());
    assert!(!store.hold_lease("checks", "b", TTL).await.unwrap());
    assert!(store.hold_lease("sweep", "b", TTL).await.unwrap());
    subject.pass(Duration::from_secs(7)).await;
    assert!(!store.hold_lease("checks", "b", TTL).await.unwrap());
    subject.pass(Duration::from_secs(4)).await;
    assert!(store.hold_lease("checks", "b", TTL).await.unwrap());
    assert!(!store.hold_lease("checks", "a", TTL).await.unwrap());
    assert!(
        store
            .hold_lease("forever", "a", Duration::MAX)
            .await
            .unwrap()
    );
    assert!(!store.hold_lease("forever", "b", TTL).await.unwrap());
}

pub(crate) async fn are_renewed_by_their_holder(subject: &impl Subject) {
    let store = subject.store();
    for _ in 0..3 {
        assert!(store.hold_lease("checks", "a", TTL).await.unwrap());
        subject.pass(Duration::from_secs(6)).await;
        assert!(!store.hold_lease("checks", "b", TTL).await.unwrap());
    }
}

pub(crate) async fn are_given_back_by_their_holder_alone(subject: &impl Subject) {
    let store = subject.store();
    store.release_lease("checks", "a").await.unwrap();
    assert!(store.hold_lease("checks", "a", TTL).await.unwrap());
    store.release_lease("checks", "b").await.unwrap();
    assert!(!store.hold_lease("checks", "b", TTL).await.unwrap());
    store.release_lease("checks", "a").await.unwrap();
    assert!(store.hold_lease("checks", "b", TTL).await.unwrap());
}

pub(crate) async fn are_taken_by_one_of_several_at_once(subject: &impl Subject) {
    for round in 0..5 {
        let mut taking = tokio::task::JoinSet::new();
        for taker in 0..8 {
            let store = if taker % 2 == 0 {
                subject.store()
            } else {
                subject.reopened().await
            };
            taking.spawn(async move {
                store
                    .hold_lease("checks", &format!("{round}.{taker}"), TTL)
                    .await
                    .unwrap()
            });
        }
        let won = taking
            .join_all()
            .await
            .into_iter()
            .filter(|&won| won)
            .count();
        assert_eq!(won, 1);
        subject.pass(TTL + Duration::from_secs(1)).await;
    }
}
