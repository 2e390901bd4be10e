//! The active rules, and the choice of a fault for each call.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use ack_client::names::{ClusterId, Region};

use crate::action::Action;
use crate::faults::{Fault, Rule};
use crate::random::mix;

/// The active rules.
#[derive(Debug)]
pub(crate) struct FaultInjector {
    seed: u64,
    draws: AtomicU64,
    rules: RwLock<Vec<Arc<ActiveRule>>>,
}

#[derive(Debug)]
struct ActiveRule {
    rule: Rule,
    remaining: AtomicU64,
}

/// The properties of a call that rules select by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallSubject<'a> {
    pub(crate) action: Action,
    pub(crate) cluster: Option<&'a ClusterId>,
    pub(crate) region: Option<&'a Region>,
}

impl FaultInjector {
    pub(crate) fn new(seed: u64, rules: Vec<Rule>) -> Self {
        let injector = Self {
            seed,
            draws: AtomicU64::new(0),
            rules: RwLock::default(),
        };
        for rule in rules {
            injector.add(rule);
        }
        injector
    }

    pub(crate) fn add(&self, rule: Rule) {
        let remaining = AtomicU64::new(rule.times.unwrap_or(u64::MAX));
        self.rules
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::new(ActiveRule { rule, remaining }));
    }

    pub(crate) fn clear(&self) {
        self.rules
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The fault of a call: that of the first rule that applies.
    pub(crate) fn pick(&self, subject: CallSubject<'_>) -> Option<Fault> {
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        for active in rules.iter() {
            if active.rule.matches(subject)
                && self.draw(active.rule.probability)
                && active.take_one()
            {
                return Some(active.rule.fault.clone());
            }
        }
        None
    }

    /// Returns true with this probability; the same sequence for the same seed.
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

impl ActiveRule {
    /// Uses up one of the calls of a limited rule; returns false if there are none left.
    fn take_one(&self) -> bool {
        let decrement = |remaining: u64| remaining.checked_sub(1);
        self.rule.times.is_none()
            || self
                .remaining
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, decrement)
                .is_ok()
    }
}
