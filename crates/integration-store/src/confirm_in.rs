use async_trait::async_trait;
use contact_sync::StoreError;

/// Confirms a strict create inside the host's own transaction, so that its commit decides for both sides.
///
/// It is implemented for [`Ticket`](contact_sync::Ticket) with the transactions of `sqlx`, where the feature of the
/// database is on: `sqlx::Transaction<'_, sqlx::Postgres>` and `sqlx::Transaction<'_, sqlx::Sqlite>`. They have to be on
/// the database of the hook's store: its file, or its server and database, with the right to write into its schema.
///
/// The undo jobs go with the commit, together with the host's record; if there is none, they run. So whatever ends the
/// process, before the commit or after it, in the end both sides have the contact or neither has. It is written
/// behind a savepoint: where it fails, the host's transaction is as it was, and the insert has to fail too.
///
/// # Details
///
/// - The insert commits before it returns. A transaction that is committed later is confirmed too, but until then
///   [`create`](contact_sync::CrmHook::create) cannot tell, and waits for a while before it takes the insert's word.
/// - An insert that rolls back and tries again confirms again.
/// - From here to the commit, signups of the same person wait for the host on PostgreSQL. On SQLite every writer
///   does: let the confirmation be the last step before the commit.
///
/// # Example
///
/// ```no_run
/// use contact_sync::{CrmHook, Signup, StoreError};
/// use integration_store::ConfirmIn;
/// # #[cfg(feature = "sqlite")]
/// use sqlx::SqlitePool;
///
/// # #[cfg(feature = "sqlite")]
/// async fn register(crm: &CrmHook, pool: &SqlitePool, name: &str) -> Result<(), Box<dyn std::error::Error>> {
///     let signup = Signup::new().name(name);
///     crm.create(&signup, async |ticket| {
///         let mut tx = pool.begin().await.map_err(StoreError::unavailable)?;
///         let vendor_id = ticket.remote_id("openphone").map(|id| id.as_str().to_owned());
///         sqlx::query("insert into people (name, openphone_id) values ($1, $2)")
///             .bind(name.to_owned())
///             .bind(vendor_id)
///             .execute(&mut *tx)
///             .await
///             .map_err(StoreError::unavailable)?;
///         ticket.confirm_in(&mut tx).await?;
///         tx.commit().await.map_err(StoreError::unavailable)
///     })
///     .await?;
///     Ok(())
/// }
/// ```
#[async_trait]
pub trait ConfirmIn<Tx: Send> {
    /// Writes the confirmation.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when the insert took so long without a sign of life that the vendors' records may have
    /// been deleted again, or when the transaction is on another database than the hook's store: the insert must fail
    /// too. [`StoreError::Unavailable`] when it cannot be written.
    async fn confirm_in(&self, tx: &mut Tx) -> Result<(), StoreError>;
}
