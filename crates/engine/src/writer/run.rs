//! Changes on their way to the writer, whatever they answer.

use std::pin::Pin;
use std::sync::Arc;

use super::Reply;
use super::change::Tx;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::receipts::{self, Keeping};

/// A future on the heap.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A change on its way to the writer, whatever it answers.
pub(crate) type Run = Box<dyn Change>;

/// What the writer does with a change.
pub(crate) trait Change: Send {
    fn actor(&self) -> &Actor;
    /// Whether it has nothing to do with what is counted, and need not wait until that is written.
    fn is_aside(&self) -> bool;
    /// Carries the change out within the transaction.
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>) -> BoxFuture<'t, Result<()>>;
    /// Answers the caller: after the commit, or after the change was undone.
    fn finish(self: Box<Self>, result: Result<()>);
}

/// A change and where its answer goes.
pub(crate) struct Job<T, F> {
    actor: Actor,
    aside: bool,
    work: Option<F>,
    value: Option<T>,
    reply: Reply<T>,
    /// The request whose answer is to be kept with it.
    keeping: Option<Arc<Keeping>>,
}

impl<T, F> Job<T, F>
where
    T: Send + 'static,
    F: for<'t, 'w> FnOnce(&'t mut Tx<'w>) -> BoxFuture<'t, Result<T>> + Send + 'static,
{
    /// On its way to the writer.
    pub(super) fn boxed(actor: Actor, aside: bool, work: F, reply: Reply<T>) -> Run {
        Box::new(Job { actor, aside, work: Some(work), value: None, reply, keeping: Keeping::current() })
    }
}

impl<T, F> Change for Job<T, F>
where
    T: Send + 'static,
    F: for<'t, 'w> FnOnce(&'t mut Tx<'w>) -> BoxFuture<'t, Result<T>> + Send + 'static,
{
    fn actor(&self) -> &Actor {
        &self.actor
    }

    fn is_aside(&self) -> bool {
        self.aside
    }

    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>) -> BoxFuture<'t, Result<()>> {
        Box::pin(async move {
            if let Some(work) = self.work.take() {
                let value = work(tx).await?;
                let kept = self.keeping.as_ref().and_then(|keeping| keeping.kept(&value));
                let now = tx.now;
                receipts::store(tx.conn(), kept.as_slice(), now).await?;
                self.value = Some(value);
            }
            Ok(())
        })
    }

    fn finish(self: Box<Self>, result: Result<()>) {
        let Job { value, reply, .. } = *self;
        let answer =
            result.and_then(|()| value.ok_or_else(|| Error::Unknown("the change was not carried out".to_owned())));
        // A caller that went away needs no answer.
        let _ = reply.send(answer);
    }
}
