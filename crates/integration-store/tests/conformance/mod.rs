//! What the ports promise, sentence by sentence, asked of any store.
//!
//! [`suite!`] makes one test of every case. A case gets a [`Subject`]: a store with nothing in it.

#![expect(
    clippy::assigning_clones,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends where it fails, and is read more often than run"
)]

pub(crate) mod integrations;
pub(crate) mod leases;
pub(crate) mod logs;
pub(crate) mod rotation;
pub(crate) mod samples;
pub(crate) mod scopes;
pub(crate) mod sealed;
pub(crate) mod templates;
pub(crate) mod tokens;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use integration_core::store::{
    IntegrationStore, LeaseStore, LogStore, SealedStore, TemplateStore, TokenRows,
};

/// Every port that the suite asks.
pub(crate) trait Ports:
    TemplateStore + IntegrationStore + LogStore + LeaseStore + SealedStore + TokenRows + 'static
{
}

impl<S> Ports for S where
    S: TemplateStore + IntegrationStore + LogStore + LeaseStore + SealedStore + TokenRows + 'static
{
}

/// A store to ask, empty at first.
#[async_trait]
pub(crate) trait Subject: Send + Sync {
    /// Returns the store.
    fn store(&self) -> Arc<dyn Ports>;

    /// Opens the same data once more, as another process would.
    async fn reopened(&self) -> Arc<dyn Ports>;

    /// Lets this much time pass on the clock that leases are measured with.
    async fn pass(&self, time: Duration);
}

/// Makes a test of each case. The argument is an async function that returns an `Option` of a [`Subject`]: none where
/// the store cannot be had, which it says itself.
macro_rules! suite {
    ($subject:path: $($area:ident :: { $($case:ident),* $(,)? })*) => {
        $(mod $area {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(subject) = $subject().await {
                    crate::conformance::$area::$case(&subject).await;
                }
            })*
        })*
    };
    ($subject:path) => {
        suite! { $subject:
            templates::{
                come_back_as_they_were_written,
                have_one_name_and_one_id,
                are_seeded_where_they_are_missing,
                are_seeded_once_by_several_processes_at_once,
                are_listed_by_name_with_the_number_of_their_users,
                are_written_over_the_version_that_was_read,
                are_changed_by_one_of_several_at_once,
                cannot_be_deleted_while_in_use,
            }
            integrations::{
                come_back_as_they_were_written,
                hold_any_text_and_number,
                need_their_template,
                have_ids_of_their_own,
                are_listed_by_tenant_and_age,
                are_found_by_source,
                are_found_by_endpoint,
                are_written_over_the_version_that_was_read,
                keep_what_never_changes,
                are_changed_with_all_their_parts,
                are_changed_by_one_of_several_at_once,
                leave_nothing_behind_when_a_change_fails,
                have_one_default_per_tenant_and_vendor,
                pass_the_default_on_in_one_step,
                have_one_default_after_many_chose_at_once,
                take_everything_with_them_but_their_logs,
                tell_their_history_newest_first,
                are_due_for_a_check_by_age,
                are_put_off_without_being_read,
            }
            scopes::{
                hide_every_row_of_another_tenant,
                show_an_administrator_everything,
            }
            logs::{
                come_back_as_they_were_written,
                are_appended_once,
                are_finished_once,
                are_shown_newest_first,
                are_shown_as_the_filter_says,
                are_shown_page_by_page,
                are_capped,
                forget_the_oldest_first,
                outlive_their_integration,
            }
            sealed::{
                shows_every_value_with_what_it_is_bound_to,
                goes_on_where_a_page_ended_while_values_change,
                replaces_exactly_what_was_read,
                is_not_undone_by_a_change_that_was_computed_before,
            }
            rotation::{
                loses_nothing_among_writers_and_kills,
            }
            leases::{
                are_held_by_one_until_they_end,
                are_renewed_by_their_holder,
                are_given_back_by_their_holder_alone,
                are_taken_by_one_of_several_at_once,
            }
            tokens::{
                come_back_as_they_were_written,
                are_there_for_their_tenant_alone,
                are_apart_by_owner,
                go_together_with_those_of_every_owner,
                are_saved_for_the_token_that_was_spent,
                keep_what_a_refresh_left_out,
                without_refresh_token_are_told_apart_by_the_access_token,
                are_saved_once_of_several_at_once,
                are_leased_to_one_until_the_lease_ends,
                are_leased_to_one_of_several_at_once,
                are_saved_whoever_holds_the_lease,
                are_refused_for_one_token,
                are_written_over_by_a_new_grant,
                go_with_their_integration,
                are_part_of_the_sweep,
            }
        }
    };
}
pub(crate) use suite;
