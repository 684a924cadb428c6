use async_trait::async_trait;
use contact_sync::{NotAccepted, Receipt};

/// Writes a planned signup in a transaction of the host's own: one commit for the host's rows and ours.
///
/// It is implemented for [`Plan`](contact_sync::Plan) with the transactions of `sqlx`, where the feature of the database
/// is on: `sqlx::Transaction<'_, sqlx::Postgres>` and `sqlx::Transaction<'_, sqlx::Sqlite>`. The tables have to be there
/// already, which opening the store sees to. On PostgreSQL any connection to the store's database will do; on SQLite
/// one to the store's file.
///
/// What is written lies behind a savepoint: where it fails, the transaction is as it was before, and the host may go on
/// and commit. Workers begin once it is committed; on PostgreSQL they are told, on SQLite they ask after a while
/// ([`Worker::poll`](contact_sync::Worker::poll)).
///
/// Two transactions that record the same person wait for each other: the second goes on when the first has ended.
///
/// ```no_run
/// use contact_sync::{Signup, SignupHook};
/// use integration_store::RecordIn;
///
/// # #[cfg(feature = "postgres")]
/// # async fn example(hook: SignupHook, pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
/// let mut tx = pool.begin().await?;
/// sqlx::query("insert into users (name) values ('Ann Lee')").execute(&mut *tx).await?;
/// let plan = hook.plan(&Signup::new().name("Ann Lee").email("ann@example.com"));
/// if let Err(error) = plan.record_in(&mut tx).await {
///     eprintln!("{error}"); // The user is there all the same.
/// }
/// tx.commit().await?;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait RecordIn<Tx: Send> {
    /// Writes the contact and its jobs, and returns the receipt, which counts when the host commits.
    ///
    /// # Errors
    ///
    /// When they could not be written. Nothing of them is in the transaction then.
    async fn record_in(&self, transaction: &mut Tx) -> Result<Receipt, NotAccepted>;
}
