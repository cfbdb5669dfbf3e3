//! Threads of their own for the tracker and whatever else is asked over HTTP: hundreds of links
//! that move films must not keep an announce waiting.

use std::future::Future;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::failure::Failure;
use super::{cores, runtime};

/// The runtime that answers requests. Its tasks end with it.
pub(crate) struct Front(Option<Runtime>);

impl Front {
    /// Takes half of the machine's threads, since a film costs more than its announces.
    pub(crate) fn start() -> Result<Self, Failure> {
        runtime((cores() / 2).max(1)).map(|runtime| Self(Some(runtime)))
    }

    /// Calls what starts tasks, which then run here.
    pub(crate) fn call<T>(&self, call: impl FnOnce() -> T) -> T {
        let _here = self.0.as_ref().map(Runtime::enter);
        call()
    }

    /// Runs a task here.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.call(|| tokio::spawn(task))
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // It is dropped on a thread of the other runtime, which may not wait.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
