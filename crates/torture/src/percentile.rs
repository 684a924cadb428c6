//! What most of many durations are below.

use std::time::Duration;

/// Returns the duration that this share of them is not above.
pub(crate) fn percentile(durations: &mut [Duration], share: f64) -> Duration {
    durations.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place among a few hundred thousand"
    )]
    let place = (durations.len() as f64 * share).ceil() as usize;
    let at = place.saturating_sub(1);
    durations.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_of_them() {
        let mut durations: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut durations, 0.99), Duration::from_millis(198));
        assert_eq!(percentile(&mut durations, 1.0), Duration::from_millis(200));
        assert_eq!(percentile(&mut [], 0.5), Duration::ZERO);
    }
}
