//! Sending actions: the job `outbox.send` of an account calls the plugin's handler for one action
//! after the other, and decides from what is known of the attempt whether another may follow.

use std::sync::Arc;
use std::time::Duration;

use devrig_core::id::AccountId;
use devrig_core::protocol::{ActionInput, Handler as WorkerHandler};
use devrig_core::{Category, Code, Error, Result};
use devrig_inbox::outbox::{self, NotSent, Outgoing, Turn};
use devrig_inbox::{ItemPatch, plugin_item};
use devrig_jobs::{Handler, Job, JobContext, Jobs, Outcome, async_trait};
use devrig_store::Tx;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use crate::core::Core;
use crate::permission::Kind;
use crate::seat::Seat;
use crate::text::{clip, shown};
use crate::worker::{Notes, Purpose};

/// What an action may give back beside its update of the item.
const LARGEST_OUTPUT: usize = 1024 * 1024;
/// Before an action is tried that waits for the person.
const WAIT: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Actions of one account in a row, before other accounts get their turn.
const IN_A_ROW: u32 = 20;

/// Runs the jobs `outbox.send`.
pub(crate) struct Send(pub Arc<Core>);

#[derive(Deserialize)]
struct Payload {
    account: AccountId,
}

/// The SDK's `ActionResult`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ActionResult<'a> {
    success: bool,
    #[serde(default, borrow, alias = "data")]
    output: Option<&'a RawValue>,
    #[serde(default)]
    item_update: Option<ItemPatch>,
    #[serde(default)]
    error: Option<ActionError>,
}

#[derive(Deserialize)]
struct ActionError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    /// Whether the same may go well later; what the code says where absent.
    #[serde(default)]
    retryable: Option<bool>,
}

impl ActionError {
    fn none() -> Self {
        Self { code: String::new(), message: String::new(), retryable: None }
    }

    /// A code that is none of DevRig's stands in the details.
    fn told(self) -> Error {
        let message = match shown(&self.message, 500) {
            empty if empty.is_empty() => "the action failed".to_owned(),
            message => message,
        };
        let code = Code::ALL.iter().copied().find(|code| code.as_str() == self.code);
        let mut error = Error::new(code.unwrap_or(Code::PluginFailed), message);
        if code.is_none() && !self.code.is_empty() {
            error = error.details(serde_json::json!({ "code": shown(&self.code, 60) }));
        }
        match self.retryable {
            Some(true) => Error { category: Category::Transient, retryable: true, ..error },
            Some(false) => error.permanent(),
            None => error,
        }
    }
}

/// One action to be done by an account's worker.
pub(crate) struct Deed<'a> {
    pub action: &'a str,
    pub input: ActionInput,
    pub idempotent: bool,
}

/// What becomes of an attempt.
#[derive(Debug)]
pub(crate) enum Fate {
    Sent {
        update: Option<Box<ItemPatch>>,
        output: Value,
    },
    Failed(Error),
    /// Surely without effect, or without harm when done twice.
    Again {
        error: Error,
        after: Option<Duration>,
        /// The source may know of it.
        reached: bool,
    },
    /// Not before the person has given something.
    Wait(Error),
    Unknown(Error),
}

#[async_trait]
impl Handler for Send {
    async fn run(&self, job: &Job, context: JobContext) -> Result<Outcome> {
        match self.send(job, &context).await {
            Err(error) if error.code != Code::Cancelled => {
                // What waits must not be left without its job, whatever befell this look at it.
                tracing::warn!(%error, "the outbox could not go on; it is tried again");
                Ok(Outcome::Later { after: WAIT })
            }
            ended => ended,
        }
    }
}

impl Send {
    async fn send(&self, job: &Job, context: &JobContext) -> Result<Outcome> {
        let Payload { account } = serde_json::from_value(job.payload.clone())?;
        for _ in 0..IN_A_ROW {
            let Some(outgoing) = self.next(&account, job).await? else { break };
            let fate = match self.attempt(&outgoing, &context.token).await {
                Fate::Again { error, .. } if is_enough(outgoing.attempt, &error) => {
                    Fate::Failed(error)
                }
                fate => fate,
            };
            self.store(&outgoing, &fate).await?;
            if context.token.is_cancelled() {
                break;
            }
        }
        // Without effect when the account's last look has put the job away.
        Ok(Outcome::Later { after: Duration::ZERO })
    }
}

/// What stopped the plugin itself will do so again, and after some times quarantine it. The rest
/// is tried for about a day, so that a day offline loses nothing.
fn is_enough(attempt: u32, error: &Error) -> bool {
    let most = match error.code {
        Code::PluginStopped => 2,
        Code::Timeout => 5,
        _ => 100,
    };
    attempt >= most
}

/// Twice as long after each attempt.
fn pause(attempt: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt.min(16));
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

impl Send {
    /// The account's next action, or none for now: the job is put away with the same look, so that
    /// what is submitted after it finds no job, or one that it can move forward.
    async fn next(&self, account: &AccountId, job: &Job) -> Result<Option<Outgoing>> {
        let (account, job, jobs) = (account.clone(), job.clone(), self.0.jobs.clone());
        self.0
            .store
            .write(async move |tx: &mut Tx| match outbox::next(tx, &account).await? {
                Turn::Send(outgoing) => Ok(Some(*outgoing)),
                Turn::Wait(until) => jobs.postpone(tx, &job, until).await.map(|()| None),
                Turn::Over => Jobs::complete(tx, &job, &Value::Null).await.map(|()| None),
            })
            .await
    }

    async fn attempt(&self, outgoing: &Outgoing, token: &CancellationToken) -> Fate {
        let row = &outgoing.row;
        let seat = match self.0.seat(&row.account_id) {
            Ok(seat) => seat,
            Err(error) => return Fate::Failed(error),
        };
        if let Err(error) = seat.plugin.may_run() {
            return Fate::Failed(error);
        }
        let item = match &row.item_id {
            Some(id) => match self.0.inbox.get(id).await {
                Ok(item) => Some(plugin_item(&item)),
                Err(error) => return Fate::Failed(error),
            },
            None => None,
        };
        let input = ActionInput {
            input: outgoing.input.clone(),
            item,
            idempotency_key: row.idempotency_key.clone(),
        };
        let deed = Deed { action: &row.action, input, idempotent: outgoing.idempotent };
        // Only people submit actions so far.
        let mut fate =
            deed.attempt(&seat, Purpose::Action { by_person: true, depth: 0 }, token).await;
        if let Fate::Sent { update, .. } = &mut fate
            && seat.access().need("inbox:write", |kind| *kind == Kind::InboxWrite).is_err()
        {
            // An item is changed by whom the person lets write items, and by nobody else.
            *update = None;
        }
        fate
    }

    async fn sent(&self, id: &str, update: Option<Box<ItemPatch>>, output: &Value) -> Result<()> {
        let (id, output) = (id.to_owned(), output.clone());
        self.0
            .store
            .write(async move |tx: &mut Tx| outbox::sent(tx, &id, update.as_deref(), &output).await)
            .await
    }

    async fn store(&self, outgoing: &Outgoing, fate: &Fate) -> Result<()> {
        let id = outgoing.row.id.clone();
        let store = &self.0.store;
        match fate {
            Fate::Sent { update, output } => {
                let stored = self.sent(&id, update.clone(), output).await;
                match stored {
                    // It was done all the same: an unfit update must not send it again.
                    Err(error) if update.is_some() && !error.retryable => {
                        tracing::warn!(%error, "an action's update of its item was left out");
                        self.sent(&id, None, output).await
                    }
                    stored => stored,
                }
            }
            Fate::Failed(error) => {
                let error = error.clone();
                store.write(async move |tx: &mut Tx| outbox::failed(tx, &id, &error).await).await
            }
            Fate::Again { error, after, reached } => {
                let asked = after.unwrap_or_default();
                let attempt = NotSent {
                    after: pause(outgoing.attempt).max(asked),
                    asked: asked > Duration::ZERO,
                    reached: *reached,
                    why: error.message.clone(),
                };
                self.not_sent(id, attempt).await
            }
            Fate::Wait(error) => {
                let why = error.message.clone();
                let attempt = NotSent { after: WAIT, asked: false, reached: false, why };
                self.not_sent(id, attempt).await
            }
            Fate::Unknown(error) => {
                let why = error.message.clone();
                store.write(async move |tx: &mut Tx| outbox::unknown(tx, &id, &why).await).await
            }
        }
    }

    async fn not_sent(&self, id: String, attempt: NotSent) -> Result<()> {
        let store = &self.0.store;
        store.write(async move |tx: &mut Tx| outbox::not_sent(tx, &id, &attempt).await).await
    }
}

impl Deed<'_> {
    /// Calls the plugin's handler once.
    pub async fn attempt(
        self,
        seat: &Arc<Seat>,
        purpose: Purpose,
        token: &CancellationToken,
    ) -> Fate {
        let worker = match seat.worker().await {
            Ok(worker) => worker,
            Err(error) if error.code == Code::SandboxMissing => return Fate::Failed(error),
            Err(error) => return Fate::Again { error, after: None, reached: false },
        };
        let input = match serde_json::to_value(self.input) {
            Ok(input) => input,
            Err(error) => return Fate::Failed(error.into()),
        };
        let handler = WorkerHandler::Action { action: self.action.to_owned() };
        let (outcome, notes) = worker.call(handler, input, purpose, token).await;
        match outcome {
            Ok(output) => of_result(output.get(), self.idempotent, &notes),
            Err(error) => of_error(error, self.idempotent, &notes),
        }
    }
}

fn of_result(output: &str, idempotent: bool, notes: &Notes) -> Fate {
    let result: ActionResult<'_> = match serde_json::from_str(output) {
        Ok(result) => result,
        Err(error) => {
            let message = format!("the action returned something else: {error}");
            let error = Error::new(Code::PluginFailed, message)
                .hint("It returns { success, output?, itemUpdate?, error? }.");
            return of_error(Error { retryable: false, ..error }, idempotent, notes);
        }
    };
    if !result.success {
        return Fate::Failed(result.error.unwrap_or_else(ActionError::none).told());
    }
    let text = result.output.map_or("null", RawValue::get);
    let output = match text.len() {
        0..=LARGEST_OUTPUT => serde_json::from_str(text).unwrap_or_default(),
        _ => Value::String(format!("{}… (cut)", clip(text, 1_000))),
    };
    Fate::Sent { update: result.item_update.map(Box::new), output }
}

fn of_error(error: Error, idempotent: bool, notes: &Notes) -> Fate {
    let harmless = idempotent || notes.sent == 0;
    if !harmless {
        return Fate::Unknown(error);
    }
    if notes.need.is_some() {
        return Fate::Wait(error);
    }
    // A plugin's own exception is a defect or a refusal: saying it again does not help.
    let may_pass = error.retryable && error.code != Code::PluginFailed;
    if may_pass || error.code == Code::Cancelled {
        let asked = error.retry_after_ms().map(|ms| Duration::from_secs_f64(ms / 1_000.0));
        return Fate::Again { after: notes.retry_after.max(asked), error, reached: notes.sent > 0 };
    }
    Fate::Failed(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::Need;

    fn fate(code: Code, idempotent: bool, sent: u32, need: Option<Need>) -> &'static str {
        let notes = Notes { sent, need, ..Notes::default() };
        match of_error(Error::new(code, "x"), idempotent, &notes) {
            Fate::Sent { .. } => "sent",
            Fate::Failed(_) => "failed",
            Fate::Again { .. } => "again",
            Fate::Wait(_) => "wait",
            Fate::Unknown(_) => "unknown",
        }
    }

    #[test]
    fn nothing_is_sent_twice_unless_that_does_no_harm() {
        let keychain = || Some(Need::Keychain);
        for (code, idempotent, sent, need, expected) in [
            (Code::Network, false, 0, None, "again"),
            (Code::Network, false, 1, None, "unknown"),
            (Code::Network, true, 1, None, "again"),
            (Code::Timeout, false, 1, None, "unknown"),
            (Code::PluginStopped, false, 0, None, "again"),
            (Code::PluginStopped, false, 1, None, "unknown"),
            (Code::PluginFailed, true, 1, None, "failed"),
            (Code::InvalidInput, false, 0, None, "failed"),
            (Code::KeychainLocked, false, 0, keychain(), "wait"),
            (Code::KeychainLocked, false, 1, keychain(), "unknown"),
            (Code::Cancelled, false, 0, None, "again"),
        ] {
            assert_eq!(
                fate(code, idempotent, sent, need),
                expected,
                "{code:?} {idempotent} {sent}"
            );
        }
    }

    #[test]
    fn results_are_read() {
        let notes = Notes { sent: 1, ..Notes::default() };
        let of = |text| of_result(text, false, &notes);
        let sent = of(r#"{"success":true,"data":{"n":1},"itemUpdate":{"state":"closed"}}"#);
        assert!(matches!(sent, Fate::Sent { update: Some(_), output } if output["n"] == 1));
        let failed = of(r#"{"success":false,"error":{"code":"UNAUTHORIZED","message":"no"}}"#);
        assert!(matches!(failed, Fate::Failed(error) if error.code == Code::Unauthorized));
        let own =
            of(r#"{"success":false,"error":{"code":"NO_DESK","message":"","retryable":true}}"#);
        let Fate::Failed(error) = own else { panic!("{own:?}") };
        assert_eq!((error.code, error.category), (Code::PluginFailed, Category::Transient));
        assert_eq!(error.details.as_deref(), Some(&serde_json::json!({ "code": "NO_DESK" })));
        let over = of(r#"{"success":false,"error":{"code":"NETWORK","retryable":false}}"#);
        assert!(matches!(over, Fate::Failed(error) if !error.retryable));
        assert!(matches!(of("null"), Fate::Unknown(_)), "who knows what it did");
        assert!(matches!(of_result("7", true, &notes), Fate::Failed(_)));
    }
}
