//! Rules by which the stand-in misbehaves.

mod effect;
mod parse;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ack_client::names::{ClusterId, Region};

pub(crate) use self::effect::{Instead, proxy_page};
pub use self::parse::{InvalidRule, parse_rules};

use crate::action::Action;
use crate::random::mix;
use crate::response::Framing;

/// A way to misbehave.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Asks to slow down, with this status, and perhaps tells how long in `x-acs-retry-after`.
    Throttled {
        /// 400, 429 or 503, by the generation of the gateway.
        status: u16,
        /// How long to wait.
        retry_after: Option<Duration>,
    },
    /// Has an error of its own.
    ServerError {
        /// The status, 500 or above.
        status: u16,
        /// What the reply says about it.
        body: ErrorBody,
    },
    /// Answers well, after this long.
    Slow(Duration),
    /// Never answers.
    Hang,
    /// Resets the connection.
    Reset,
    /// Leaves out the end of the body.
    Truncated,
    /// Sends 8 GiB.
    Huge(Framing),
    /// Sends a byte, waits this long, sends the next.
    Drip(Duration),
    /// Sends what begins like JSON and is not.
    Malformed,
    /// Sends bytes that are no text.
    Garbage,
    /// Sends a page of HTML with status 200.
    HtmlPage,
    /// Sends JSON that nests 200,000 deep.
    DeepNesting,
    /// Sends JSON whose values are all of other types.
    WrongTypes,
    /// Sends the client elsewhere.
    Redirect(String),
    /// Sends XML, whatever was asked for.
    XmlReply,
    /// Sends an error in XML, whatever was asked for.
    XmlError,
    /// Sends status 200 and nothing.
    EmptyBody,
    /// Sends a proxy's page with this status.
    ProxyPage(u16),
    /// Says that the security token has run out.
    ExpiredToken,
    /// Says that the nonce was used before.
    NonceUsed,
    /// Says that the clocks are too far apart.
    ClockSkew,
    /// Says that RAM does not allow the action.
    Forbidden,
    /// Sends states that no reference lists.
    UnknownValues,
    /// Repeats all that it was sent, security token and all.
    Repeat(Repeat),
}

/// Where the stand-in repeats what it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// In an error about the signature, as the vendor does.
    Error,
    /// In the texts of a good answer.
    Answer,
}

/// What a server error says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorBody {
    /// The service's JSON.
    Json,
    /// Nothing.
    Nothing,
    /// A page of HTML.
    Html,
}

/// When to misbehave, and how. All that is named must fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// How.
    pub fault: Fault,
    /// Only at this action.
    pub action: Option<Action>,
    /// Only at calls about this cluster.
    pub cluster: Option<ClusterId>,
    /// Only at calls about this region or a cluster in it.
    pub region: Option<Region>,
    /// How often, from 0 to 1.
    pub probability: f64,
    /// How many times at most.
    pub times: Option<u64>,
}

impl Rule {
    /// A rule that always applies.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            action: None,
            cluster: None,
            region: None,
            probability: 1.0,
            times: None,
        }
    }

    /// The rule for one action only.
    #[must_use]
    pub fn on(self, action: Action) -> Self {
        Self {
            action: Some(action),
            ..self
        }
    }

    /// The rule for calls about one cluster only.
    #[must_use]
    pub fn cluster(self, cluster: ClusterId) -> Self {
        Self {
            cluster: Some(cluster),
            ..self
        }
    }

    /// The rule for calls about one region only.
    #[must_use]
    pub fn region(self, region: Region) -> Self {
        Self {
            region: Some(region),
            ..self
        }
    }

    /// The rule for a share of the calls only.
    #[must_use]
    pub fn probability(self, probability: f64) -> Self {
        Self {
            probability,
            ..self
        }
    }

    /// The rule for the next few calls only.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }
}

/// The rules in force.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    draws: AtomicU64,
    rules: RwLock<Vec<Arc<Armed>>>,
}

#[derive(Debug)]
struct Armed {
    rule: Rule,
    left: AtomicU64,
}

/// What a call is about, as far as rules ask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) action: Action,
    pub(crate) cluster: Option<&'a ClusterId>,
    pub(crate) region: Option<&'a Region>,
}

impl Faults {
    pub(crate) fn new(seed: u64, rules: Vec<Rule>) -> Self {
        let faults = Self {
            seed,
            draws: AtomicU64::new(0),
            rules: RwLock::default(),
        };
        for rule in rules {
            faults.add(rule);
        }
        faults
    }

    pub(crate) fn add(&self, rule: Rule) {
        let left = AtomicU64::new(rule.times.unwrap_or(u64::MAX));
        self.rules
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::new(Armed { rule, left }));
    }

    pub(crate) fn clear(&self) {
        self.rules
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The fault to play on a call: of the first rule that fits and whose turn it is.
    pub(crate) fn strike(&self, about: About<'_>) -> Option<Fault> {
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        rules
            .iter()
            .find(|armed| {
                armed.rule.fits(about) && self.draw(armed.rule.probability) && armed.take()
            })
            .map(|armed| armed.rule.fault.clone())
    }

    /// True in `probability` of the cases; the same sequence for the same seed.
    fn draw(&self, probability: f64) -> bool {
        const STEPS: u32 = 1 << 30;
        if probability >= 1.0 {
            return true;
        }
        let number =
            mix(&[self.seed, 50, self.draws.fetch_add(1, Ordering::Relaxed)]) % u64::from(STEPS);
        u32::try_from(number).is_ok_and(|number| f64::from(number) < probability * f64::from(STEPS))
    }
}

impl Rule {
    fn fits(&self, about: About<'_>) -> bool {
        self.action.is_none_or(|action| action == about.action)
            && (self.cluster.is_none() || self.cluster.as_ref() == about.cluster)
            && (self.region.is_none() || self.region.as_ref() == about.region)
    }
}

impl Armed {
    fn take(&self) -> bool {
        self.rule.times.is_none()
            || self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
    }
}
