//! Whether an alert of a level is due: once for each time that the balance falls to it.

/// What becomes of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A new one.
    Fire,
    /// The last one is up again.
    Reopen,
    /// The last one is over.
    Resolve,
}

/// What is known of the alerts of a level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// How many there have been.
    pub count: u32,
    /// Whether the next fall is a new one.
    pub armed: bool,
    /// Whether the last one is up.
    pub up: bool,
}

impl Watch {
    /// Looks at the balance: whether it is at the level or below, and whether it was credited.
    pub fn judge(&mut self, low: bool, credited: bool) -> Option<Told> {
        match (low, self.up) {
            (true, true) => None,
            (true, false) if self.armed => {
                (self.count, self.armed, self.up) = (self.count + 1, false, true);
                Some(Told::Fire)
            }
            // Voided above it and spent again. A balance that was never above it has nothing to reopen.
            (true, false) => (self.count > 0).then(|| {
                self.up = true;
                Told::Reopen
            }),
            (false, up) => {
                self.armed |= credited || self.count == 0;
                self.up = false;
                up.then_some(Told::Resolve)
            }
        }
    }

    /// Another level takes the place of this one: what was told is over, and the next fall is new.
    pub fn rearm(&mut self) -> Option<Told> {
        let was_up = std::mem::take(&mut self.up);
        self.armed = true;
        was_up.then_some(Told::Resolve)
    }

    /// The balance is put away: what was told is over, and is told anew should the balance be low when it is back. One that was never
    /// above its level has nothing to tell then either.
    pub fn put_away(&mut self) -> Option<Told> {
        let was_up = std::mem::take(&mut self.up);
        self.armed |= self.count > 0;
        was_up.then_some(Told::Resolve)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alert_for_each_fall_after_a_credit() {
        let mut watch = Watch::default();
        assert_eq!(watch.judge(true, false), None, "never above it yet");
        assert_eq!(watch.judge(false, true), None);
        assert_eq!(watch.judge(true, false), Some(Told::Fire));
        assert_eq!(watch.judge(true, true), None, "credited, but not above it");
        assert_eq!(watch.judge(false, false), Some(Told::Resolve), "a void gave back");
        assert_eq!(watch.judge(true, false), Some(Told::Reopen));
        assert_eq!(watch.judge(false, true), Some(Told::Resolve));
        assert_eq!((watch.judge(true, false), watch.count), (Some(Told::Fire), 2));
        assert_eq!(watch.judge(false, false), Some(Told::Resolve));
        assert_eq!(watch.judge(false, true), None, "credited while it is above");
        assert_eq!((watch.judge(true, false), watch.count), (Some(Told::Fire), 3));
    }

    #[test]
    fn another_level_is_another_alert() {
        let mut watch = Watch { count: 1, armed: false, up: true };
        assert_eq!(watch.rearm(), Some(Told::Resolve));
        assert_eq!((watch.judge(true, false), watch.count), (Some(Told::Fire), 2));
    }

    #[test]
    fn back_from_the_archive_only_what_was_told_before_is_told_anew() {
        let mut never_above = Watch::default();
        assert_eq!((never_above.put_away(), never_above.judge(true, false)), (None, None));
        let mut low = Watch { count: 1, armed: false, up: true };
        assert_eq!((low.put_away(), low.judge(true, false)), (Some(Told::Resolve), Some(Told::Fire)));
        let mut above = Watch { count: 0, armed: true, up: false };
        assert_eq!((above.put_away(), above.judge(true, false)), (None, Some(Told::Fire)));
    }
}
