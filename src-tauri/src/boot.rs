//! Opening what the window stands on, while the window is already there.
//!
//! The console asks before the data is open, and may ask again after an opening failed (another Weir had the file, the
//! disk was full): so whoever asks opens, one at a time, and all who waited for an attempt share how it ended.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// A thing opened on demand, once, and closed once.
pub struct Boot<T, E> {
    slot: Mutex<Slot<T, E>>,
    attempts: AtomicU64,
}

enum Slot<T, E> {
    NotYet,
    Open(Arc<T>),
    Failed(Arc<E>),
    Closed,
}

/// Why there is nothing to work with.
#[derive(Debug)]
pub enum Unavailable<E> {
    /// The last attempt to open failed; asking again tries again.
    Failed(Arc<E>),
    /// It was closed, for good.
    Closed,
}

impl<T, E> Default for Boot<T, E> {
    fn default() -> Self {
        Self { slot: Mutex::new(Slot::NotYet), attempts: AtomicU64::new(0) }
    }
}

impl<T, E> Boot<T, E> {
    /// What is open; else what this attempt, or the one that was under way, opens.
    pub async fn get<F>(&self, open: impl FnOnce() -> F) -> Result<Arc<T>, Unavailable<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let seen = self.attempts.load(Ordering::Acquire);
        let mut slot = self.slot.lock().await;
        match &*slot {
            Slot::Open(open) => return Ok(open.clone()),
            Slot::Closed => return Err(Unavailable::Closed),
            Slot::Failed(error) if self.attempts.load(Ordering::Acquire) != seen => {
                return Err(Unavailable::Failed(error.clone()));
            }
            Slot::NotYet | Slot::Failed(_) => {}
        }
        let attempt = open().await;
        self.attempts.fetch_add(1, Ordering::Release);
        match attempt {
            Ok(opened) => {
                let opened = Arc::new(opened);
                *slot = Slot::Open(opened.clone());
                Ok(opened)
            }
            Err(error) => {
                let error = Arc::new(error);
                *slot = Slot::Failed(error.clone());
                Err(Unavailable::Failed(error))
            }
        }
    }

    /// Takes away what is open, so that it can be closed; nothing opens after this.
    pub async fn close(&self) -> Option<Arc<T>> {
        match std::mem::replace(&mut *self.slot.lock().await, Slot::Closed) {
            Slot::Open(open) => Some(open),
            Slot::NotYet | Slot::Failed(_) | Slot::Closed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Notify;

    use super::*;

    type TestBoot = Boot<u32, &'static str>;

    #[tokio::test]
    async fn a_failed_opening_is_tried_again_when_asked_again() {
        let boot = TestBoot::default();
        let failed = boot.get(async || Err("in use")).await;
        assert!(matches!(failed, Err(Unavailable::Failed(error)) if *error == "in use"));
        assert_eq!(*boot.get(async || Ok(7)).await.unwrap(), 7);
        assert_eq!(*boot.get(async || Err("is not opened twice")).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn all_who_wait_for_an_attempt_share_how_it_ended() {
        let boot = TestBoot::default();
        let go = Notify::new();
        let first = boot.get(async || {
            go.notified().await;
            Err("in use")
        });
        let second = boot.get(async || Ok(7));
        let release = async { go.notify_one() };
        let (first, second, ()) = tokio::join!(biased; first, second, release);
        assert!(matches!(first, Err(Unavailable::Failed(_))));
        assert!(matches!(second, Err(Unavailable::Failed(_))), "the second joined the first's attempt");
    }

    #[tokio::test]
    async fn nothing_opens_after_the_close() {
        let boot = TestBoot::default();
        boot.get(async || Ok(7)).await.unwrap();
        assert_eq!(boot.close().await.as_deref(), Some(&7));
        assert!(matches!(boot.get(async || Ok(8)).await, Err(Unavailable::Closed)));
        assert!(boot.close().await.is_none());
    }
}
