//! The plain model of a balance's alerts: one for each time that it falls to a threshold from above.

use crate::plain::Steps;

/// An alert that was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub threshold: Steps,
    /// What the balance was then.
    pub was: Steps,
    pub open: bool,
}

/// Where a balance stands with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// Never been above.
    New,
    Above,
    Low,
}

/// What moved a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    Credited,
    Spent,
    /// By a void.
    GivenBack,
}

#[derive(Clone, Debug)]
pub struct Watch {
    pub threshold: Option<Steps>,
    stand: Stand,
    /// It rose by a void: the next fall opens the same alert again.
    same_again: bool,
    /// Every alert there was, in the order in which they were told.
    pub told: Vec<Told>,
}

impl Watch {
    pub fn new(threshold: Option<Steps>) -> Self {
        // A balance begins with nothing.
        let stand = if threshold.is_some_and(|threshold| 0 > threshold) { Stand::Above } else { Stand::New };
        Watch { threshold, stand, same_again: false, told: Vec::new() }
    }

    /// After a movement.
    pub fn judge(&mut self, current: Steps, movement: Movement) {
        let Some(threshold) = self.threshold else { return };
        match (self.stand, current > threshold) {
            (Stand::New, true) => self.stand = Stand::Above,
            (Stand::Low, true) => {
                self.stand = Stand::Above;
                self.same_again = movement == Movement::GivenBack;
                self.resolve();
            }
            (Stand::Above, true) => self.same_again &= movement != Movement::Credited,
            (Stand::Above, false) => {
                self.stand = Stand::Low;
                match self.told.last_mut().filter(|_| self.same_again) {
                    Some(told) => told.open = true,
                    None => self.told.push(Told { threshold, was: current, open: true }),
                }
                self.same_again = false;
            }
            _ => {}
        }
    }

    /// After the threshold was set: another one is another alert.
    pub fn set(&mut self, threshold: Option<Steps>, current: Steps) {
        if threshold == self.threshold {
            return;
        }
        self.resolve();
        (self.threshold, self.stand, self.same_again) = (threshold, Stand::Above, false);
        self.judge(current, Movement::Spent);
    }

    /// After the balance was archived: low when it is restored is told anew, but not of one that has never been above.
    pub fn put_away(&mut self) {
        self.resolve();
        if self.stand != Stand::New {
            (self.stand, self.same_again) = (Stand::Above, false);
        }
    }

    fn resolve(&mut self) {
        if let Some(told) = self.told.last_mut() {
            told.open = false;
        }
    }
}
