//! What runs wait for, given to them: by a request to a run's own address, or by a person.

use std::fmt::Write as _;
use std::sync::Arc;

use devrig_core::notify::{Notice, Notifier};
use devrig_core::{Code, Error, Result, Timestamp};
use devrig_store::Tx;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Runs;
use crate::run::{Asked, Came, WaitKind};
use crate::table::wait::ApprovalRow;
use crate::table::{run as table, wait};

/// Where the paths of runs begin.
pub const ROOT: &str = "/wait/";
/// Digits of a signature: nobody guesses 128 bits.
const DIGITS: usize = 32;

/// Where requests come in that resume runs.
pub trait Door: Send + Sync {
    /// Opens it, and gives the address of a path.
    fn address(&self, path: &str) -> Option<String>;
}

/// An approval that a run waits for.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// The run, a slash, the path of the node.
    pub id: String,
    pub run: String,
    pub node: String,
    pub flow_id: String,
    pub flow_name: String,
    pub asked_at: Timestamp,
    /// When it is too late.
    pub until: Option<Timestamp>,
    pub message: String,
    /// Who is asked.
    pub who: Option<String>,
}

/// What a person said.
#[derive(Debug, Clone)]
pub struct Said {
    pub approved: bool,
    pub note: Option<String>,
}

impl Runs {
    /// Lets requests in that resume runs.
    pub fn set_door(&self, door: Arc<dyn Door>) {
        // There is one listener, so the first is the only one.
        let _ = self.inner.door.set(door);
    }

    /// Tells the person of approvals from now on.
    pub fn set_notifier(&self, notifier: Arc<dyn Notifier>) {
        let _ = self.inner.notifier.set(notifier);
    }

    /// Whether runs wait for requests.
    ///
    /// # Errors
    /// What reading meets.
    pub async fn await_requests(&self) -> Result<bool> {
        let mut conn = self.inner.store.read().await?;
        wait::any_request(&mut conn).await
    }

    /// The approvals that runs wait for, longest first.
    ///
    /// # Errors
    /// What reading meets.
    pub async fn approvals(&self) -> Result<Vec<Approval>> {
        let mut conn = self.inner.store.read().await?;
        Ok(wait::approvals(&mut conn).await?.into_iter().map(Approval::from).collect())
    }

    /// Says yes or no. `id` is an approval's, or a run's that waits for one only. It is on disk when
    /// this answers.
    ///
    /// # Errors
    /// `NOT_FOUND`; `CONFLICT` when several are meant; `NOTHING_TO_DO` when it was answered before,
    /// or is too late.
    pub async fn approve(&self, id: &str, said: Said) -> Result<()> {
        let (run, node) = match id.split_once('/') {
            Some((run, node)) => (run.to_owned(), Some(node.to_owned())),
            None => (id.to_owned(), None),
        };
        let unit = async move |tx: &mut Tx| {
            let (row, _) = table::get(tx.conn(), &run).await?;
            let node = match &node {
                Some(node) => node.clone(),
                None => only(tx, &run).await?,
            };
            match wait::came(tx.conn(), &run, &node).await? {
                None => return Err(Error::not_found(format!("the approval {run}/{node}"))),
                Some(Came::Nothing) if row.status.has_ended() => return Err(ended(&row.id)),
                Some(Came::Nothing) => {}
                Some(Came::Over) => return Err(too_late()),
                Some(Came::Answer(before)) => return Err(said_before(&before)),
            }
            let answer = json!({ "approved": said.approved, "note": said.note, "at": tx.now() });
            wait::answer(tx, &run, &node, Some(&answer)).await
        };
        self.inner.store.write(unit).await?;
        self.look();
        Ok(())
    }

    /// Gives a request to the run whose address `token` is: to `node`, or to whichever node of it
    /// has waited longest. It is on disk when this answers, and gives the run's id.
    ///
    /// # Errors
    /// `NOT_FOUND` for an address that is none; `NOTHING_TO_DO` when it was answered before, or the
    /// run has ended.
    pub async fn resume(&self, token: &str, node: Option<&str>, request: Value) -> Result<String> {
        let unknown = || Error::not_found("a run with this address");
        let (run, _) = token.rsplit_once('.').ok_or_else(unknown)?;
        if !same(token, &self.token(run)) {
            return Err(unknown());
        }
        let (id, node) = (run.to_owned(), node.map(str::to_owned));
        let unit = async move |tx: &mut Tx| {
            let (row, _) = table::get(tx.conn(), &id).await?;
            if row.status.has_ended() {
                return Err(ended(&id));
            }
            match &node {
                Some(node) => to_node(tx, &id, node, &request).await,
                None => to_first(tx, &id, &request).await,
            }
        };
        self.inner.store.write(unit).await?;
        self.look();
        Ok(run.to_owned())
    }

    /// The path at which a run is resumed.
    pub(super) fn resume_path(&self, run: &str) -> String {
        format!("{ROOT}{}", self.token(run))
    }

    fn token(&self, run: &str) -> String {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&self.inner.key)
            .expect("HMAC takes a key of any length");
        mac.update(run.as_bytes());
        let mut token = format!("{run}.");
        for byte in &mac.finalize().into_bytes()[..DIGITS / 2] {
            let _ = write!(token, "{byte:02x}");
        }
        token
    }

    pub(super) fn tell_person(&self, run: &str, asked: &Asked) {
        let (WaitKind::Approval, Some(notifier)) = (asked.kind, self.inner.notifier.get()) else {
            return;
        };
        let message = asked.message.clone().unwrap_or_default();
        let body = format!("{message}\ndevrig approval approve {run}/{}", asked.node);
        let title = "A flow asks for your approval".to_owned();
        notifier.notify(Notice { title, body, ..Notice::default() });
    }
}

async fn to_node(tx: &mut Tx, run: &str, node: &str, request: &Value) -> Result<()> {
    match wait::came(tx.conn(), run, node).await? {
        None => wait::keep(tx, run, node, request).await,
        Some(Came::Nothing) => wait::answer(tx, run, node, Some(request)).await,
        Some(Came::Over) => Err(too_late()),
        Some(Came::Answer(_)) => Err(answered()),
    }
}

/// A second request is not taken for what a later node will wait for: the first was.
async fn to_first(tx: &mut Tx, run: &str, request: &Value) -> Result<()> {
    let (open, any) = wait::of_kind(tx.conn(), run, WaitKind::Request).await?;
    match (open.first(), any) {
        (Some(node), _) => wait::answer(tx, run, node, Some(request)).await,
        (None, false) => wait::keep(tx, run, "", request).await,
        (None, true) => Err(answered()),
    }
}

async fn only(tx: &mut Tx, run: &str) -> Result<String> {
    let (mut open, any) = wait::of_kind(tx.conn(), run, WaitKind::Approval).await?;
    match (open.len(), any) {
        (1, _) => Ok(open.remove(0)),
        (0, true) => Err(answered()),
        (0, false) => Err(Error::not_found(format!("an approval that the run {run} waits for"))
            .hint("`devrig approval list` shows them.")),
        _ => Err(Error::new(Code::Conflict, format!("the run {run} waits for several approvals"))
            .hint(format!("Name one, such as {run}/{}.", open[0]))),
    }
}

fn answered() -> Error {
    Error::new(Code::NothingToDo, "this was answered before; only the first answer counts")
}

fn said_before(answer: &Value) -> Error {
    let how = if answer["approved"] == json!(true) { "approved" } else { "rejected" };
    Error::new(Code::NothingToDo, format!("it was {how} already"))
}

fn too_late() -> Error {
    Error::new(Code::NothingToDo, "the time for an answer is over")
}

fn ended(run: &str) -> Error {
    Error::new(Code::NothingToDo, format!("the run {run} has ended, so it waits for nothing"))
}

/// Without telling by its time how much of it was right.
fn same(one: &str, other: &str) -> bool {
    let differ = one.bytes().zip(other.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && differ == 0
}

impl From<ApprovalRow> for Approval {
    fn from(row: ApprovalRow) -> Self {
        Self {
            id: format!("{}/{}", row.run, row.node),
            run: row.run,
            node: row.node,
            flow_id: row.flow_id,
            flow_name: row.flow_name,
            asked_at: row.at,
            until: row.until,
            message: row.message,
            who: row.who,
        }
    }
}
