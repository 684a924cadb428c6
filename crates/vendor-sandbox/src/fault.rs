//! Faults and the plan that says when they strike.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::operation::Operation;

/// One way in which an answer goes wrong.
///
/// "Effect" is the change at the vendor: the contact made, the text sent. A fault *before* the
/// effect leaves the vendor as it was; a fault *after* it has changed the vendor, and only the
/// answer is lost or wrong. A caller cannot tell the two apart, which is the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// No fault: keeps a place in a script, so that "the second one fails" can be written.
    Pass,
    /// Changes the vendor's state at once and answers correctly, but late: a caller who does not
    /// wait that long has changed it all the same.
    Latency {
        /// How late, in milliseconds.
        millis: u64,
    },
    /// Answers 429 before the effect.
    RateLimited {
        /// Seconds to put into `Retry-After`; without it the header is left out.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Answers a 5xx before the effect.
    ServerError {
        /// The status, usually 500, 502, 503 or 504. What is not a 5xx is answered as 500.
        status: u16,
        /// Seconds to put into `Retry-After`; without it the header is left out.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Changes the vendor's state, then answers a 5xx.
    ServerErrorAfterEffect {
        /// The status, usually 500, 502, 503 or 504. What is not a 5xx is answered as 500.
        status: u16,
    },
    /// Resets the TCP connection once the request has been read, before the effect.
    ResetBeforeEffect,
    /// Changes the vendor's state, then resets the TCP connection instead of answering.
    ResetAfterEffect,
    /// Changes the vendor's state, then announces a longer body than it sends and closes.
    ///
    /// An answer without a body (204) has nothing to cut: the connection is reset instead.
    TruncatedBody,
    /// Changes the vendor's state, then answers with the right status and half of the body, whose
    /// length is told as that half: a message that is whole for HTTP, and no JSON.
    ///
    /// An answer without a body (204) stays as it is. A rate never draws this.
    MalformedJson,
    /// Answers 200 with a body that says that nothing was done, before the effect. A vendor whose
    /// answers have no word for it answers 500 instead. A rate never draws this.
    Unsuccessful,
    /// Answers 502 with a proxy's HTML page, before the effect.
    HtmlErrorPage,
    /// Reads the request and never answers; before the effect.
    Hang,
    /// Changes the vendor's state and never answers.
    HangAfterEffect,
}

impl Fault {
    /// Returns what kind of fault this is, `None` for [`Fault::Pass`].
    pub const fn kind(self) -> Option<FaultKind> {
        Some(match self {
            Self::Pass => return None,
            Self::Latency { .. } => FaultKind::Latency,
            Self::RateLimited { .. } => FaultKind::RateLimited,
            Self::ServerError { .. } => FaultKind::ServerError,
            Self::ServerErrorAfterEffect { .. } => FaultKind::ServerErrorAfterEffect,
            Self::ResetBeforeEffect => FaultKind::ResetBeforeEffect,
            Self::ResetAfterEffect => FaultKind::ResetAfterEffect,
            Self::TruncatedBody => FaultKind::TruncatedBody,
            Self::MalformedJson => FaultKind::MalformedJson,
            Self::Unsuccessful => FaultKind::Unsuccessful,
            Self::HtmlErrorPage => FaultKind::HtmlErrorPage,
            Self::Hang => FaultKind::Hang,
            Self::HangAfterEffect => FaultKind::HangAfterEffect,
        })
    }
}

/// A [`Fault`] without its details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// See [`Fault::Latency`].
    Latency,
    /// See [`Fault::RateLimited`].
    RateLimited,
    /// See [`Fault::ServerError`].
    ServerError,
    /// See [`Fault::ServerErrorAfterEffect`].
    ServerErrorAfterEffect,
    /// See [`Fault::ResetBeforeEffect`].
    ResetBeforeEffect,
    /// See [`Fault::ResetAfterEffect`].
    ResetAfterEffect,
    /// See [`Fault::TruncatedBody`].
    TruncatedBody,
    /// See [`Fault::MalformedJson`].
    MalformedJson,
    /// See [`Fault::Unsuccessful`].
    Unsuccessful,
    /// See [`Fault::HtmlErrorPage`].
    HtmlErrorPage,
    /// See [`Fault::Hang`].
    Hang,
    /// See [`Fault::HangAfterEffect`].
    HangAfterEffect,
}

impl FaultKind {
    /// Every kind that [`FaultPlan::rate`] draws, in the order of the enum.
    ///
    /// [`MalformedJson`](Self::MalformedJson) and [`Unsuccessful`](Self::Unsuccessful) are not
    /// among them: they come from a script or a chance alone, so that the same seed goes on to
    /// give the same faults.
    pub const ALL: &'static [Self] = &[
        Self::Latency,
        Self::RateLimited,
        Self::ServerError,
        Self::ServerErrorAfterEffect,
        Self::ResetBeforeEffect,
        Self::ResetAfterEffect,
        Self::TruncatedBody,
        Self::HtmlErrorPage,
        Self::Hang,
        Self::HangAfterEffect,
    ];

    fn draw(self, rng: &mut fastrand::Rng) -> Fault {
        match self {
            Self::Latency => Fault::Latency {
                millis: rng.u64(20..=200),
            },
            Self::RateLimited => Fault::RateLimited {
                retry_after: rng.bool().then_some(1),
            },
            Self::ServerError => {
                let status = server_status(rng);
                let retry_after = (status == 503 && rng.bool()).then_some(1);
                Fault::ServerError {
                    status,
                    retry_after,
                }
            }
            Self::ServerErrorAfterEffect => Fault::ServerErrorAfterEffect {
                status: server_status(rng),
            },
            Self::ResetBeforeEffect => Fault::ResetBeforeEffect,
            Self::ResetAfterEffect => Fault::ResetAfterEffect,
            Self::TruncatedBody => Fault::TruncatedBody,
            Self::MalformedJson => Fault::MalformedJson,
            Self::Unsuccessful => Fault::Unsuccessful,
            Self::HtmlErrorPage => Fault::HtmlErrorPage,
            Self::Hang => Fault::Hang,
            Self::HangAfterEffect => Fault::HangAfterEffect,
        }
    }
}

fn server_status(rng: &mut fastrand::Rng) -> u16 {
    rng.choice([500, 502, 503, 504]).unwrap_or(500)
}

/// Which requests a step or a chance of a [`FaultPlan`] is about.
///
/// An [`Operation`] converts into it; [`When::any`] takes every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When(Option<Operation>);

impl When {
    /// Matches every request to a known route.
    pub const fn any() -> Self {
        Self(None)
    }

    fn matches(self, operation: Operation) -> bool {
        self.0.is_none_or(|wanted| wanted == operation)
    }
}

impl From<Operation> for When {
    fn from(operation: Operation) -> Self {
        Self(Some(operation))
    }
}

/// Says which requests go wrong, and how.
///
/// Three things, asked in this order for each request: scripted steps ("the next two creates
/// lose their answer"), chances ("one list in ten is slow"), and a rate over all kinds. The
/// same plan on the same seed and the same order of requests gives the same faults.
///
/// A fault strikes only a request that could have an effect. Requests to `/_sandbox/`, to unknown
/// routes, and those that are refused for their key, the rate limit, the month's quota or their size
/// meet none, and use up no step.
///
/// ```
/// use vendor_sandbox::openphone::{CREATE_CONTACT, LIST_CONTACTS};
/// use vendor_sandbox::{Fault, FaultKind, FaultPlan, When};
///
/// let plan = FaultPlan::none()
///     .next(CREATE_CONTACT, 2, Fault::ResetAfterEffect)
///     .chance(LIST_CONTACTS, 0.1, Fault::Latency { millis: 50 })
///     .next(When::any(), 1, Fault::HtmlErrorPage);
/// let storm = FaultPlan::rate(0.2).without(FaultKind::Hang);
/// # let _ = (plan, storm);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct FaultPlan {
    rate: f64,
    without: Vec<FaultKind>,
    chances: Vec<(When, f64, Fault)>,
    script: Vec<(When, u32, Fault)>,
    hang_millis: Option<u64>,
    seed: Option<u64>,
}

impl FaultPlan {
    /// How long a hang of [`FaultPlan::rate`] lasts before the connection is reset, unless
    /// [`hang_millis`](Self::hang_millis) says otherwise.
    pub const HANG_IN_A_RATE_MILLIS: u64 = 3_000;

    /// Lets every request through.
    pub fn none() -> Self {
        Self::default()
    }

    /// Lets this share of the requests meet a fault, every kind of
    /// [`FaultKind::ALL`] equally often.
    ///
    /// The share is held between 0 and 1; what is not a number counts as 0. So that a run of
    /// many requests ends, a hang drawn here gives up after
    /// [`HANG_IN_A_RATE_MILLIS`](Self::HANG_IN_A_RATE_MILLIS); raise it with
    /// [`hang_millis`](Self::hang_millis) above the caller's timeout to meet that timeout.
    pub fn rate(share: f64) -> Self {
        Self {
            rate: share_of(share),
            ..Self::default()
        }
    }

    /// Leaves one kind out of the rate.
    pub fn without(mut self, kind: FaultKind) -> Self {
        self.without.push(kind);
        self
    }

    /// Gives the matching requests this fault with this probability, held between 0 and 1.
    pub fn chance(mut self, when: impl Into<When>, probability: f64, fault: Fault) -> Self {
        self.chances
            .push((when.into(), share_of(probability), fault));
        self
    }

    /// Gives the next `times` matching requests this fault.
    ///
    /// Steps that match the same request are used up in the order in which they were added.
    pub fn next(mut self, when: impl Into<When>, times: u32, fault: Fault) -> Self {
        self.script.push((when.into(), times, fault));
        self
    }

    /// Ends every hang after this many milliseconds, with a reset.
    ///
    /// Without it a scripted hang lasts until the caller gives up or the sandbox ends.
    pub fn hang_millis(mut self, millis: u64) -> Self {
        self.hang_millis = Some(millis);
        self
    }

    /// Seeds the draws of this plan; without it the sandbox's own seed is taken.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

fn share_of(value: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(0.0, 1.0)
    }
}

/// A fault that was drawn for one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn {
    pub(crate) fault: Fault,
    /// How long a hang lasts, where it ends at all.
    pub(crate) hang_millis: Option<u64>,
}

/// A plan at work: what is left of its script, and its random numbers.
pub(crate) struct Faults {
    plan: FaultPlan,
    rng: fastrand::Rng,
}

impl Faults {
    pub(crate) fn new(plan: FaultPlan, seed: u64) -> Self {
        let rng = fastrand::Rng::with_seed(plan.seed.unwrap_or(seed));
        Self { plan, rng }
    }

    pub(crate) fn draw(&mut self, operation: Operation) -> Option<Drawn> {
        let plan = &mut self.plan;
        let step = plan
            .script
            .iter_mut()
            .find(|(when, left, _)| *left > 0 && when.matches(operation));
        if let Some((_, left, fault)) = step {
            *left -= 1;
            let drawn = Drawn {
                fault: *fault,
                hang_millis: plan.hang_millis,
            };
            plan.script.retain(|(_, left, _)| *left > 0);
            return Some(drawn).filter(|drawn| drawn.fault != Fault::Pass);
        }
        for (when, probability, fault) in &plan.chances {
            if when.matches(operation) && self.rng.f64() < *probability {
                let drawn = Drawn {
                    fault: *fault,
                    hang_millis: plan.hang_millis,
                };
                return Some(drawn).filter(|drawn| drawn.fault != Fault::Pass);
            }
        }
        if plan.rate <= 0.0 || self.rng.f64() >= plan.rate {
            return None;
        }
        let kinds = FaultKind::ALL
            .iter()
            .filter(|kind| !plan.without.contains(kind));
        let kind = self.rng.choice(kinds.collect::<Vec<_>>())?;
        let hang_millis = plan.hang_millis.or(Some(FaultPlan::HANG_IN_A_RATE_MILLIS));
        Some(Drawn {
            fault: kind.draw(&mut self.rng),
            hang_millis,
        })
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Faults")
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// A plan as it comes over `/_sandbox/faults`, before its operation names are looked up.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PlanSpec {
    rate: f64,
    without: Vec<FaultKind>,
    chances: Vec<ChanceSpec>,
    script: Vec<StepSpec>,
    hang_millis: Option<u64>,
    seed: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChanceSpec {
    operation: Option<String>,
    probability: f64,
    fault: Fault,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepSpec {
    operation: Option<String>,
    #[serde(default = "once")]
    times: u32,
    fault: Fault,
}

const fn once() -> u32 {
    1
}

impl PlanSpec {
    /// Looks the operations up in the vendor's table; the error names one that is not there.
    pub(crate) fn into_plan(self, operations: &[Operation]) -> Result<FaultPlan, String> {
        let look_up = |name: Option<String>| match name {
            None => Ok(When::any()),
            Some(name) => operations
                .iter()
                .find(|operation| operation.id() == name)
                .map(|operation| When::from(*operation))
                .ok_or(format!("there is no operation \"{name}\"")),
        };
        let mut plan = FaultPlan::rate(self.rate);
        plan.without = self.without;
        plan.hang_millis = self.hang_millis;
        plan.seed = self.seed;
        for chance in self.chances {
            plan = plan.chance(look_up(chance.operation)?, chance.probability, chance.fault);
        }
        for step in self.script {
            plan = plan.next(look_up(step.operation)?, step.times, step.fault);
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const CREATE: Operation = Operation::new("create", "POST", "/things");
    const LIST: Operation = Operation::new("list", "GET", "/things");

    fn kinds(faults: &mut Faults, operation: Operation, times: usize) -> Vec<Option<FaultKind>> {
        (0..times)
            .map(|_| faults.draw(operation).and_then(|drawn| drawn.fault.kind()))
            .collect()
    }

    #[test]
    fn a_script_is_used_up_in_order_and_only_by_what_it_matches() {
        let plan = FaultPlan::none()
            .next(CREATE, 1, Fault::Pass)
            .next(CREATE, 2, Fault::ResetAfterEffect)
            .next(When::any(), 1, Fault::HtmlErrorPage);
        let mut faults = Faults::new(plan, 1);
        let reset = Some(FaultKind::ResetAfterEffect);
        let html = Some(FaultKind::HtmlErrorPage);
        assert_eq!(kinds(&mut faults, CREATE, 2), [None, reset]);
        assert_eq!(kinds(&mut faults, LIST, 2), [html, None]);
        assert_eq!(kinds(&mut faults, CREATE, 2), [reset, None]);
    }

    #[test]
    fn a_rate_hits_its_share_with_every_kind_evenly() {
        let mut faults = Faults::new(FaultPlan::rate(0.2), 7);
        let mut seen: BTreeMap<FaultKind, u32> = BTreeMap::new();
        for kind in kinds(&mut faults, LIST, 50_000).into_iter().flatten() {
            *seen.entry(kind).or_default() += 1;
        }
        assert_eq!(seen.len(), FaultKind::ALL.len());
        let total: u32 = seen.values().sum();
        assert!((9_500..10_500).contains(&total), "{total}");
        assert!(
            seen.values().all(|count| (850..1_150).contains(count)),
            "{seen:?}"
        );
    }

    #[test]
    fn the_same_seed_draws_the_same_faults() {
        let draws = |seed| kinds(&mut Faults::new(FaultPlan::rate(0.5), seed), LIST, 200);
        assert_eq!(draws(3), draws(3));
        assert_ne!(draws(3), draws(4));
        let seeded = FaultPlan::rate(0.5).seed(3);
        assert_eq!(kinds(&mut Faults::new(seeded, 99), LIST, 200), draws(3));
    }

    #[test]
    fn what_is_left_out_never_strikes() {
        let mut plan = FaultPlan::rate(1.0);
        for kind in FaultKind::ALL {
            if *kind != FaultKind::HtmlErrorPage {
                plan = plan.without(*kind);
            }
        }
        let mut faults = Faults::new(plan, 7);
        let drawn = kinds(&mut faults, LIST, 50);
        assert!(
            drawn
                .iter()
                .all(|kind| *kind == Some(FaultKind::HtmlErrorPage))
        );
        let all_out = FaultKind::ALL
            .iter()
            .fold(FaultPlan::rate(1.0), |plan, kind| plan.without(*kind));
        assert_eq!(
            kinds(&mut Faults::new(all_out, 7), LIST, 3),
            [None, None, None]
        );
    }

    #[test]
    fn odd_shares_are_held_between_none_and_all() {
        assert_eq!(FaultPlan::rate(f64::NAN), FaultPlan::rate(0.0));
        assert_eq!(FaultPlan::rate(-1.0), FaultPlan::rate(0.0));
        assert_eq!(FaultPlan::rate(7.0), FaultPlan::rate(1.0));
    }

    #[test]
    fn a_plan_reads_from_json_and_refuses_unknown_names() {
        let spec = |text: &str| {
            serde_json::from_str::<PlanSpec>(text)
                .map_err(|error| error.to_string())
                .and_then(|spec| spec.into_plan(&[CREATE, LIST]))
        };
        let text = r#"{"rate":0.2,"without":["hang"],"hang_millis":5,"seed":9,
            "script":[{"operation":"create","times":2,"fault":{"kind":"reset_after_effect"}}],
            "chances":[{"probability":0.5,"fault":{"kind":"latency","millis":3}}]}"#;
        let plan = FaultPlan::rate(0.2)
            .without(FaultKind::Hang)
            .hang_millis(5)
            .seed(9)
            .next(CREATE, 2, Fault::ResetAfterEffect)
            .chance(When::any(), 0.5, Fault::Latency { millis: 3 });
        assert_eq!(spec(text), Ok(plan));
        let unknown = r#"{"script":[{"operation":"craete","fault":{"kind":"hang"}}]}"#;
        assert!(spec(unknown).unwrap_err().contains("craete"));
        assert!(spec(r#"{"ratte":1}"#).is_err());
        assert!(spec(r#"{"script":[{"fault":{"kind":"explode"}}]}"#).is_err());
    }
}
