//! What the journals of the workers say about the store.

use std::collections::HashMap;

use crate::journal::Event;

/// One job in the hands of one worker.
#[derive(Clone, Debug)]
struct Run {
    job: String,
    asked: u64,
    at: u64,
    line: String,
    group: String,
    revision: u64,
    /// When the worker was about to write its end, and whether the store took it.
    trying: Option<u64>,
    ended: Option<(u64, bool)>,
}

impl Run {
    fn is_done(&self) -> bool {
        self.ended.is_some_and(|(_, ok)| ok)
    }

    /// From when until when the worker certainly had the job.
    fn held(&self) -> Option<(u64, u64)> {
        self.is_done().then_some((self.at, self.trying?))
    }
}

/// What was counted, and what must not be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Jobs that were got.
    pub(crate) claims: usize,
    /// Ends that the store took.
    pub(crate) completions: usize,
    /// Ends that it refused, because the lease was lost.
    pub(crate) refused: usize,
    /// Ends that it took although another worker had got the job meanwhile.
    pub(crate) stolen: usize,
    /// Runs of one line, or of lines that share an identifier, at the same time.
    pub(crate) side_by_side: usize,
    /// Runs of a line that brought an older revision after a newer one.
    pub(crate) out_of_order: usize,
    /// The newest revision of each line that a worker had in its hands to the end.
    pub(crate) tried: HashMap<String, u64>,
}

impl Verdict {
    pub(crate) fn of(events: &[Event]) -> Self {
        let runs = runs(events);
        let mut verdict = Self {
            claims: runs.len(),
            ..Self::default()
        };
        let (mut by_job, mut by_line, mut by_group) =
            (HashMap::new(), HashMap::new(), HashMap::new());
        for run in &runs {
            match run.ended {
                Some((_, true)) => verdict.completions += 1,
                Some((_, false)) => verdict.refused += 1,
                None => {}
            }
            if run.trying.is_some() {
                let newest = verdict.tried.entry(run.line.clone()).or_default();
                *newest = (*newest).max(run.revision);
            }
            by_job
                .entry(run.job.as_str())
                .or_insert_with(Vec::new)
                .push(run);
            by_line
                .entry(run.line.as_str())
                .or_insert_with(Vec::new)
                .push(run);
            // The same person at another target is another matter.
            let target = run.line.rsplit('/').next().unwrap_or_default();
            by_group
                .entry((run.group.as_str(), target))
                .or_insert_with(Vec::new)
                .push(run);
        }
        for runs in by_job.values() {
            verdict.stolen += stolen(runs);
        }
        for runs in by_group.values() {
            verdict.side_by_side += side_by_side(runs);
        }
        for runs in by_line.values() {
            verdict.out_of_order += out_of_order(runs);
        }
        verdict
    }
}

fn runs(events: &[Event]) -> Vec<Run> {
    let mut runs: HashMap<&str, Run> = HashMap::new();
    for event in events {
        if let Event::Claimed {
            job,
            token,
            asked,
            at,
            line,
            group,
            revision,
        } = event
        {
            let run = Run {
                job: job.clone(),
                asked: *asked,
                at: *at,
                line: line.clone(),
                group: group.clone(),
                revision: *revision,
                trying: None,
                ended: None,
            };
            runs.insert(token, run);
        }
    }
    for event in events {
        match event {
            Event::Claimed { .. } => {}
            Event::Trying { token, at } => {
                if let Some(run) = runs.get_mut(token.as_str()) {
                    run.trying = Some(*at);
                }
            }
            Event::Ended { token, at, ok } => {
                if let Some(run) = runs.get_mut(token.as_str()) {
                    run.ended = Some((*at, *ok));
                }
            }
        }
    }
    runs.into_values().collect()
}

/// Counts ends that were taken after another worker had got the same job: it was got later, and that was over before
/// the end was even tried.
fn stolen(runs: &[&Run]) -> usize {
    let taken = runs.iter().filter(|run| {
        let Some((from, until)) = run.held() else {
            return false;
        };
        runs.iter()
            .any(|other| other.asked > from && other.at < until)
    });
    taken.count()
}

/// Counts pairs of runs that both came to their end and were under way at the same time.
fn side_by_side(runs: &[&Run]) -> usize {
    let mut held: Vec<(u64, u64)> = runs.iter().filter_map(|run| run.held()).collect();
    held.sort_unstable();
    let mut latest = 0;
    let mut count = 0;
    for (from, until) in held {
        count += usize::from(from < latest);
        latest = latest.max(until);
    }
    count
}

fn out_of_order(runs: &[&Run]) -> usize {
    let mut done: Vec<(u64, u64)> = runs
        .iter()
        .filter_map(|run| Some((run.held()?.1, run.revision)))
        .collect();
    done.sort_unstable();
    done.windows(2)
        .filter(|pair| matches!(pair, [one, other] if other.1 < one.1))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(token: &str, job: &str, line: &str, (asked, until): (u64, u64), ok: bool) -> [Event; 3] {
        let token = token.to_owned();
        [
            Event::Claimed {
                job: job.to_owned(),
                token: token.clone(),
                asked,
                at: asked + 1,
                line: line.to_owned(),
                group: "g".to_owned(),
                revision: asked,
            },
            Event::Trying {
                token: token.clone(),
                at: until,
            },
            Event::Ended {
                token,
                at: until + 1,
                ok,
            },
        ]
    }

    fn verdict(runs: &[[Event; 3]]) -> (usize, usize, usize) {
        let verdict = Verdict::of(&runs.concat());
        (verdict.stolen, verdict.side_by_side, verdict.out_of_order)
    }

    #[test]
    fn one_after_the_other_is_as_it_should_be() {
        let runs = [
            run("a", "1", "c/phone", (10, 20), false),
            run("b", "1", "c/phone", (30, 40), true),
            run("c", "2", "d/phone", (50, 60), true),
            run("d", "3", "c/crm", (30, 60), true),
        ];
        assert_eq!(verdict(&runs), (0, 0, 0));
        let said = Verdict::of(&runs.concat());
        assert_eq!((said.claims, said.completions, said.refused), (4, 3, 1));
        assert_eq!(said.tried["c/phone"], 30);
    }

    #[test]
    fn an_end_after_another_has_the_job_is_stolen() {
        let late = run("a", "1", "c/phone", (10, 50), true);
        let other = run("b", "1", "c/phone", (30, 60), false);
        assert_eq!(verdict(&[late, other]).0, 1);
    }

    #[test]
    fn two_of_one_person_at_a_time_are_counted() {
        let one = run("a", "1", "c/phone", (10, 50), true);
        let other = run("b", "2", "d/phone", (30, 60), true);
        assert_eq!(verdict(&[one, other]), (0, 1, 0));
    }

    #[test]
    fn older_after_newer_is_counted() {
        let [claimed, trying, ended] = run("a", "1", "c/phone", (10, 20), true);
        let newer = run("b", "1", "c/phone", (30, 40), true);
        let Event::Claimed { job, .. } = &claimed else {
            return;
        };
        let older = Event::Claimed {
            job: job.clone(),
            token: "a".to_owned(),
            asked: 50,
            at: 51,
            line: "c/phone".to_owned(),
            group: "g".to_owned(),
            revision: 1,
        };
        let (Event::Trying { token, .. }, Event::Ended { .. }) = (&trying, &ended) else {
            return;
        };
        let end = [
            Event::Trying {
                token: token.clone(),
                at: 60,
            },
            Event::Ended {
                token: token.clone(),
                at: 61,
                ok: true,
            },
        ];
        let [try_again, over] = end;
        assert_eq!(verdict(&[newer, [older, try_again, over]]).2, 1);
    }
}
