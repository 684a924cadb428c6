//! How many calls the account has left this month.

/// The calls of the running month.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    /// `None` counts and never refuses.
    of_month: Option<u64>,
    used: u64,
    failed_count: bool,
    refused_count: bool,
}

impl Quota {
    pub(super) fn new(of_month: Option<u64>, failed_count: bool, refused_count: bool) -> Self {
        Self {
            of_month,
            used: 0,
            failed_count,
            refused_count,
        }
    }

    /// Counts a call as it arrives and says whether it may go on.
    pub(super) fn spend(&mut self) -> bool {
        let refused = self.of_month.is_some_and(|calls| self.used >= calls);
        let counts = if refused {
            self.refused_count
        } else {
            self.failed_count
        };
        self.used += u64::from(counts);
        !refused
    }

    /// Counts a call that did something, where only those count.
    pub(super) fn succeeded(&mut self) {
        self.used += u64::from(!self.failed_count);
    }

    pub(super) fn used(&self) -> u64 {
        self.used
    }

    pub(super) fn of_month(&self) -> Option<u64> {
        self.of_month
    }

    pub(super) fn set(&mut self, of_month: Option<u64>) {
        self.of_month = of_month;
    }

    pub(super) fn next_month(&mut self) {
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three calls, of which the second fails, and two more once the month is spent.
    fn used_after(failed_count: bool, refused_count: bool) -> u64 {
        let mut quota = Quota::new(Some(3), failed_count, refused_count);
        for succeeds in [true, false, true] {
            assert!(quota.spend());
            if succeeds {
                quota.succeeded();
            }
        }
        if !failed_count {
            assert!(quota.spend(), "the failed one did not count");
            quota.succeeded();
        }
        assert!(!quota.spend());
        assert!(!quota.spend());
        quota.used()
    }

    #[test]
    fn what_failed_and_what_was_refused_counts_or_not() {
        assert_eq!(used_after(true, false), 3);
        assert_eq!(used_after(true, true), 5);
        assert_eq!(used_after(false, false), 3);
        assert_eq!(used_after(false, true), 5);
    }

    #[test]
    fn a_new_month_and_a_larger_plan_let_calls_through_again() {
        let mut quota = Quota::new(Some(1), true, false);
        assert!(quota.spend());
        assert!(!quota.spend());
        quota.next_month();
        assert!(quota.spend());
        assert!(!quota.spend());
        quota.set(Some(2));
        assert!(quota.spend());
        quota.set(None);
        assert!(quota.spend());
        assert_eq!(quota.used(), 3);
    }
}
