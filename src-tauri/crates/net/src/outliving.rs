//! Work that is done in the task of whoever waits for it, and in one of its own after that.
//!
//! Nearly everybody waits to the end, so that nearly nobody pays for a task and the way between two.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Gives what the work gives, or nothing when it panicked. Dropped before that, the work goes on by
/// itself.
#[must_use = "the work begins when it is waited for, or dropped"]
pub struct Outliving<T: Send + 'static> {
    /// Never locked: it is what makes this `Sync`, which a future is not.
    work: Mutex<Option<BoxFuture<'static, Option<T>>>>,
}

impl<T: Send + 'static> Outliving<T> {
    /// The tracker has it from now to its end.
    pub fn new(tasks: &TaskTracker, work: impl Future<Output = T> + Send + 'static) -> Self {
        let work = tasks.track_future(AssertUnwindSafe(work).catch_unwind());
        Self { work: Mutex::new(Some(work.map(Result::ok).boxed())) }
    }

    fn work(&mut self) -> &mut Option<BoxFuture<'static, Option<T>>> {
        self.work.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Future for Outliving<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(work) = self.work() else { return Poll::Ready(None) };
        let given = ready!(work.as_mut().poll(cx));
        *self.work() = None;
        Poll::Ready(given)
    }
}

impl<T: Send + 'static> Drop for Outliving<T> {
    fn drop(&mut self) {
        // Without a runtime nothing goes on any more.
        if let Some(work) = self.work().take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}

impl<T: Send + 'static> std::fmt::Debug for Outliving<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outliving").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn slow() -> u8 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        7
    }

    #[tokio::test]
    async fn it_gives_what_the_work_gives() {
        let tasks = TaskTracker::new();
        assert_eq!(Outliving::new(&tasks, slow()).await, Some(7));
        assert!(tasks.is_empty());
    }

    #[tokio::test]
    async fn what_nobody_waits_for_goes_on_and_is_tracked() {
        let tasks = TaskTracker::new();
        let (tell, told) = tokio::sync::oneshot::channel();
        let work = async { tell.send(slow().await) };
        let mut begun = Outliving::new(&tasks, work);
        assert!((&mut begun).now_or_never().is_none());
        drop(begun);
        assert_eq!(tasks.len(), 1);
        assert_eq!(told.await, Ok(7));
        tasks.close();
        tasks.wait().await;
    }

    #[tokio::test]
    async fn a_panic_is_the_work_s_own() {
        let tasks = TaskTracker::new();
        let work = async { panic!("on purpose") };
        assert_eq!(Outliving::<()>::new(&tasks, work).await, None);
        assert!(tasks.is_empty());
    }
}
