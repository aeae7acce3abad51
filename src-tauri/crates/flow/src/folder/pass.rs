//! One look at the folder: every file and its flow are brought together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use devrig_core::{
    Actor, Category, Change, ChangeKind, Code, Context, Error, Origin, Result, Timestamp,
};
use devrig_store::{Store, Tx};

use super::decide::{Known, Step, decide};
use super::disk::Texts;
use super::reading::{self, Wrong};
use super::{FileProblem, FileState, Judge, Settings};
use crate::Flows;
use crate::definition::{Definition, Layout, Problem};
use crate::flows::FlowInfo;
use crate::table::file::{self as table, FileRow};

pub(super) struct Pass<'a> {
    pub store: &'a Store,
    pub flows: &'a Flows,
    pub judge: &'a dyn Judge,
    pub settings: &'a Settings,
    /// By path, from the root on.
    pub present: BTreeMap<String, Result<Texts>>,
    pub now: Timestamp,
}

impl Pass<'_> {
    /// A file that cannot be followed costs only itself. With `anew`, what was broken is judged
    /// again.
    pub async fn run(&self, anew: bool) -> Result<()> {
        let mut rows = self.rows().await?;
        self.adopt_renamed(&mut rows).await?;
        // A file that went may have stood in the way of another one of the same flow.
        let went = |row: &FileRow| row.state != FileState::Gone && !self.is_there(row);
        let anew = anew || rows.values().any(went);
        let paths: BTreeSet<String> = self.present.keys().chain(rows.keys()).cloned().collect();
        for path in paths {
            let row = rows.get(&path).cloned().unwrap_or_else(|| self.unknown(&path));
            if let Err(error) = self.follow(row, anew, &mut rows).await {
                tracing::warn!(path, %error, "the file of a flow could not be followed");
            }
        }
        Ok(())
    }

    async fn follow(
        &self,
        row: FileRow,
        anew: bool,
        rows: &mut BTreeMap<String, FileRow>,
    ) -> Result<()> {
        let flow = self.flow_of(&row).await?;
        let read = self.present.get(&row.path);
        let digest = read.map(|read| match read {
            Ok(texts) => texts.digest(),
            Err(error) => error.message.clone(),
        });
        let mut known = known(&row);
        if anew && row.state == FileState::Broken {
            known.seen = None;
        }
        let latest = flow.as_ref().map(|flow| flow.latest);
        let next = match decide(&known, digest.as_deref(), latest) {
            Step::Nothing => self.settled(&row, flow.as_ref()),
            Step::Read => Some(self.read(&row, digest, false, rows).await?),
            Step::ReadBoth => Some(self.read(&row, digest, true, rows).await?),
            Step::Write => Some(self.write(&row, digest).await?),
            Step::TellGone => Some(self.told(&row, FileState::Gone, vec![gone(&row)])),
            Step::TellForgotten => Some(self.told(&row, FileState::Forgotten, vec![forgotten()])),
            Step::Drop => {
                rows.remove(&row.path);
                return self.drop_row(row.path).await;
            }
        };
        if let Some(next) = next {
            rows.insert(next.path.clone(), next.clone());
            self.put(next).await?;
        }
        Ok(())
    }

    /// What the file says becomes the newest version of its flow.
    async fn read(
        &self,
        row: &FileRow,
        digest: Option<String>,
        both: bool,
        rows: &BTreeMap<String, FileRow>,
    ) -> Result<FileRow> {
        let row = FileRow { seen: digest.clone(), ..row.clone() };
        let read = match self.present.get(&row.path) {
            Some(Ok(texts)) => reading::definition(texts, &row),
            Some(Err(error)) => Err(Wrong::from(error.clone())),
            None => return Ok(row),
        };
        let (definition, text, mut told) = match read {
            Ok(read) => read,
            Err(wrong) => return Ok(self.told(&row, FileState::Broken, wrong.0)),
        };
        if let Some(twin) = self.twin(&row, &definition, rows) {
            return Ok(self.told(&row, FileState::Broken, vec![twin]));
        }
        let before = self.before(&definition).await?;
        let definition = with_places(definition, before.as_ref());
        let found = self.judge.check(&definition).await?;
        if found.iter().any(Problem::is_error) {
            return Ok(self.told(&row, FileState::Broken, reading::located(&found, text)));
        }
        let saved = match self.flows.save(definition.to_value(), Actor::Person).await {
            Ok(saved) => saved,
            Err(error) if error.category == Category::Permanent => {
                return Ok(self.told(&row, FileState::Broken, Wrong::from(error).0));
            }
            Err(error) => return Err(error),
        };
        let new = before.as_ref().is_none_or(|(before, _)| saved.latest > before.latest);
        let state = match before.as_ref().filter(|_| both && new) {
            Some((before, _)) => {
                told.push(conflict(before, &saved));
                FileState::Conflict
            }
            None => FileState::Same,
        };
        if let (Some((before, _)), true, FileState::Same) = (&before, new, state)
            && self.settings.publish
            // A file that is new here does not take over what runs.
            && row.digest.is_some()
            && before.live == Some(before.latest)
        {
            self.flows.publish(&saved.id, Some(saved.latest)).await?;
        }
        let flow = Some(saved.id);
        let row = FileRow { flow, version: Some(saved.latest), digest, ..row };
        Ok(self.told(&row, state, told))
    }

    /// The newest version is written into the file, unless that was saved meanwhile: then both
    /// were changed, which the next look finds.
    async fn write(&self, row: &FileRow, digest: Option<String>) -> Result<FileRow> {
        let id = row.flow.as_deref().unwrap_or_default();
        let (flow, definition) = self.flows.get(id, None).await?;
        let texts = Texts::of(&definition);
        let written = texts.digest();
        if Some(&written) != digest.as_ref() {
            let file = PathBuf::from(&row.path);
            let replaced = tokio::task::spawn_blocking(move || {
                let unchanged = Texts::read(&file).is_ok_and(|now| Some(now.digest()) == digest);
                if unchanged { texts.write(&file).map(|()| true) } else { Ok(false) }
            });
            if !replaced.await.map_err(|error| Error::internal(error.to_string()))?? {
                return Ok(row.clone());
            }
        }
        let (digest, seen) = (Some(written.clone()), Some(written));
        let row = FileRow { version: Some(flow.latest), digest, seen, ..row.clone() };
        Ok(self.told(&row, FileState::Same, Vec::new()))
    }

    /// A conflict is over when somebody made the newest version live.
    fn settled(&self, row: &FileRow, flow: Option<&FlowInfo>) -> Option<FileRow> {
        let live = flow.is_some_and(|flow| flow.live == Some(flow.latest));
        let over = row.state == FileState::Conflict && live;
        over.then(|| self.told(row, FileState::Same, Vec::new()))
    }

    fn told(&self, row: &FileRow, state: FileState, told: Vec<FileProblem>) -> FileRow {
        let same = row.state == state && row.told == told;
        let at = if same { row.at } else { self.now };
        FileRow { state, told, at, ..row.clone() }
    }

    /// Another file of the same flow that is there, too.
    fn twin(
        &self,
        row: &FileRow,
        definition: &Definition,
        rows: &BTreeMap<String, FileRow>,
    ) -> Option<FileProblem> {
        let id = definition.id.as_str();
        let twin = rows.values().find(|other| {
            other.path != row.path && other.flow.as_deref() == Some(id) && self.is_there(other)
        })?;
        let message = format!("the flow {id} has a file already: {}", twin.path);
        Some(FileProblem::new(message, "Give one of the two another id."))
    }

    fn is_there(&self, row: &FileRow) -> bool {
        self.present.contains_key(&row.path)
    }

    async fn before(&self, definition: &Definition) -> Result<Option<(FlowInfo, Definition)>> {
        found(self.flows.get(definition.id.as_str(), None).await)
    }

    async fn flow_of(&self, row: &FileRow) -> Result<Option<FlowInfo>> {
        let Some(id) = &row.flow else { return Ok(None) };
        Ok(found(self.flows.get(id, None).await)?.map(|(flow, _)| flow))
    }

    /// A file under a new name is the one under the old name, where that is gone.
    async fn adopt_renamed(&self, rows: &mut BTreeMap<String, FileRow>) -> Result<()> {
        let new = self.present.keys().filter(|path| !rows.contains_key(*path));
        for path in new.cloned().collect::<Vec<_>>() {
            let Some(Ok(texts)) = self.present.get(&path) else { continue };
            let Some(id) = reading::id_in(texts) else { continue };
            let old =
                rows.values().find(|row| row.flow.as_ref() == Some(&id) && !self.is_there(row));
            if let Some(row) = old.cloned() {
                rows.remove(&row.path);
                self.drop_row(row.path.clone()).await?;
                let renamed = FileRow { path: path.clone(), ..row };
                self.put(renamed.clone()).await?;
                rows.insert(path, renamed);
            }
        }
        Ok(())
    }

    fn unknown(&self, path: &str) -> FileRow {
        FileRow {
            path: path.to_owned(),
            flow: None,
            version: None,
            digest: None,
            seen: None,
            state: FileState::Broken,
            told: Vec::new(),
            at: self.now,
        }
    }

    /// Those of the folder. What another folder held before is forgotten.
    async fn rows(&self) -> Result<BTreeMap<String, FileRow>> {
        let rows = {
            let mut conn = self.store.read().await?;
            table::list(&mut conn).await?
        };
        let folder = self.settings.folder.as_deref();
        let (mine, others): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .partition(|row| folder.is_some_and(|folder| Path::new(&row.path).starts_with(folder)));
        for row in others {
            self.drop_row(row.path).await?;
        }
        Ok(mine.into_iter().map(|row| (row.path.clone(), row)).collect())
    }

    async fn put(&self, row: FileRow) -> Result<()> {
        let write = async move |tx: &mut Tx| {
            table::put(tx.conn(), &row).await?;
            tx.change(changed(&row.path, ChangeKind::Updated));
            Ok(())
        };
        self.store.write(write).await.context("the file of a flow")
    }

    async fn drop_row(&self, path: String) -> Result<()> {
        let write = async move |tx: &mut Tx| {
            table::remove(tx.conn(), &path).await?;
            tx.change(changed(&path, ChangeKind::Deleted));
            Ok(())
        };
        self.store.write(write).await.context("the file of a flow")
    }
}

fn changed(path: &str, kind: ChangeKind) -> Change {
    Change::new("flow_file", path, kind, &Origin::new(Actor::System))
}

fn known(row: &FileRow) -> Known {
    let met = row.seen.is_some() || row.digest.is_some();
    Known {
        state: met.then_some(row.state),
        linked: row.flow.is_some(),
        version: row.version,
        digest: row.digest.clone(),
        seen: row.seen.clone(),
    }
}

fn found<T>(got: Result<T>) -> Result<Option<T>> {
    match got {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file without a layout says nothing of where its nodes stand.
fn with_places(mut definition: Definition, before: Option<&(FlowInfo, Definition)>) -> Definition {
    if let (true, Some((_, before))) = (Layout::of(&definition).is_empty(), before) {
        Layout::of(before).apply(&mut definition);
    }
    definition
}

fn gone(row: &FileRow) -> FileProblem {
    let flow = row.flow.as_deref().unwrap_or_default();
    FileProblem::new(
        "the file is gone; its flow goes on as it was",
        format!(
            "`devrig flow disable {flow}` stops it, `devrig flow delete {flow}` forgets it, and \
             `devrig flow export {flow} FILE` writes the file again."
        ),
    )
}

fn forgotten() -> FileProblem {
    FileProblem::new(
        "its flow was deleted here; the file is left alone",
        "Delete the file, or save it again to have the flow back.",
    )
}

fn conflict(before: &FlowInfo, saved: &FlowInfo) -> FileProblem {
    let (id, mine, theirs) = (&saved.id, before.latest, saved.latest);
    FileProblem::new(
        format!("both were changed: version {mine} was made here, version {theirs} is the file"),
        format!(
            "Compare them with `devrig flow diff {id} {mine} {theirs}`. `devrig flow publish {id}` \
             takes the file's, `devrig flow restore {id} {mine}` the other one."
        ),
    )
}
