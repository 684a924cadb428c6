//! The host: its table, in the same database as the store, and an insert that ends in any of the ways there are.

use async_trait::async_trait;
use contact_sync::{StoreError, Ticket};
use integration_store::ConfirmIn as _;
use serde::{Deserialize, Serialize};

use crate::place::Database;

/// How an insert ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    /// It confirms in its transaction, and commits.
    Commits,
    /// It commits, and leaves the confirmation to the hook.
    NeverConfirms,
    /// It commits, says so, and goes on for a while.
    CommitsUnconfirmed,
    /// It commits, and confirms outside of the transaction.
    ConfirmsOutside,
    /// It fails before it confirms.
    Fails,
    /// It commits, confirms outside of the transaction, deletes its row again and fails.
    FailsAfterConfirming,
    /// It confirms in its transaction, rolls back, and fails.
    RollsBack,
    /// It confirms in its transaction, rolls back, and says that all is well.
    RollsBackInSilence,
    /// It confirms in its transaction, forgets to commit, and says that all is well.
    ForgetsToCommit,
    /// It confirms in its transaction, commits, and fails.
    FailsAfterCommit,
    /// It confirms in its transaction, rolls back, and does all of it again.
    TriesAgain,
    /// It panics in the middle of its transaction, after it has confirmed.
    Panics,
    /// It stays in the middle of its transaction, after it has confirmed.
    Hangs,
}

/// Where in an insert a process can wait to be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// The vendor has the contact, and nothing is written.
    Called,
    /// The host's row is written, and not committed.
    Inserted,
    /// So is the confirmation.
    Confirmed,
    /// Both are committed.
    Committed,
}

/// Hears where an insert is, and holds it there if it likes.
#[async_trait]
pub(crate) trait Watcher: Send + Sync {
    async fn reached(&self, step: Step);
}

/// Watches nothing.
pub(crate) struct Nobody;

#[async_trait]
impl Watcher for Nobody {
    async fn reached(&self, _step: Step) {}
}

#[derive(Debug)]
pub(crate) enum Failed {
    OnPurpose,
    Store(StoreError),
    #[expect(dead_code, reason = "shown where a test fails")]
    Database(sqlx::Error),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Runs an insert of a person to its end.
pub(crate) async fn insert(
    database: &Database,
    ticket: &Ticket,
    name: &str,
    end: End,
    watcher: &dyn Watcher,
) -> Result<(), Failed> {
    /// It reads the same on both databases, and has other types.
    macro_rules! run {
        ($pool:expr, $table:expr) => {{
            let sql = format!("insert into {} (name) values ($1)", $table);
            let mut tx = $pool.begin().await?;
            sqlx::query(sqlx::AssertSqlSafe(sql.clone()))
                .bind(name.to_owned())
                .execute(&mut *tx)
                .await?;
            watcher.reached(Step::Inserted).await;
            match end {
                End::Fails => return Err(Failed::OnPurpose),
                End::NeverConfirms => return Ok(tx.commit().await?),
                End::CommitsUnconfirmed => {
                    tx.commit().await?;
                    watcher.reached(Step::Committed).await;
                    return Ok(());
                }
                End::ConfirmsOutside => {
                    tx.commit().await?;
                    return Ok(ticket.confirm().await?);
                }
                End::FailsAfterConfirming => {
                    // On SQLite nobody else writes while the transaction is open.
                    tx.rollback().await?;
                    ticket.confirm().await?;
                    return Err(Failed::OnPurpose);
                }
                _ => {}
            }
            ticket.confirm_in(&mut tx).await?;
            watcher.reached(Step::Confirmed).await;
            match end {
                End::RollsBack => {
                    tx.rollback().await?;
                    return Err(Failed::OnPurpose);
                }
                End::RollsBackInSilence => return Ok(tx.rollback().await?),
                End::ForgetsToCommit => return Ok(()),
                End::Panics => panic!("a bug of the host"),
                End::Hangs => std::future::pending::<()>().await,
                End::TriesAgain => {
                    tx.rollback().await?;
                    let mut tx = $pool.begin().await?;
                    sqlx::query(sqlx::AssertSqlSafe(sql.clone()))
                        .bind(name.to_owned())
                        .execute(&mut *tx)
                        .await?;
                    ticket.confirm_in(&mut tx).await?;
                    return Ok(tx.commit().await?);
                }
                _ => {}
            }
            tx.commit().await?;
            watcher.reached(Step::Committed).await;
            if end == End::FailsAfterCommit {
                return Err(Failed::OnPurpose);
            }
            Ok(())
        }};
    }
    watcher.reached(Step::Called).await;
    match database {
        #[cfg(feature = "sqlite")]
        Database::Sqlite { pool, .. } => run!(pool, "people"),
        #[cfg(feature = "postgres")]
        Database::Postgres { pool, schema, .. } => run!(pool, format!("{schema}.people")),
    }
}
