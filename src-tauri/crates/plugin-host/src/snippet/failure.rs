//! What is told of a run that has no output.

use devrig_core::snippet::{Budget, Failure, FailureKind};
use rquickjs::{Ctx, Function, Object, Result};

use super::place;
use crate::budget::Overrun;
use crate::engine::stack_of;

/// Longest trace that is told, in bytes.
const STACK: usize = 4 * 1024;

/// An exception as texts.
#[derive(Debug, Default)]
pub struct Thrown {
    name: String,
    message: String,
    stack: String,
    /// There is no more to it than `null`, which is also what the engine throws where there is no
    /// memory for an error.
    null: bool,
}

impl From<Overrun> for FailureKind {
    fn from(overrun: Overrun) -> Self {
        match overrun {
            Overrun::Cpu => Self::Cpu,
            Overrun::Wall => Self::Wall,
        }
    }
}

impl Thrown {
    /// What DevRig itself has to say.
    pub fn sentence(message: String) -> Self {
        Self { name: "Error".to_owned(), message, ..Self::default() }
    }

    /// Takes the exception that is pending on the context.
    pub fn read<'js>(ctx: &Ctx<'js>, hooks: Object<'js>) -> Result<Self> {
        let thrown = ctx.catch();
        if thrown.is_null() {
            return Ok(Self { null: true, ..Self::default() });
        }
        // No code of the person's may run while it is being cut off.
        if thrown.is_uncatchable_error() {
            return Ok(Self { stack: stack_of(&thrown), ..Self::default() });
        }
        let texts: Vec<String> = hooks.get::<_, Function>("describe")?.call((thrown,))?;
        let mut texts = texts.into_iter();
        let mut next = || texts.next().unwrap_or_default();
        Ok(Self { name: next(), message: next(), stack: next(), null: false })
    }

    /// The engine had no memory left; `full` says that the heap looks like it.
    pub fn is_out_of_memory(&self, full: bool) -> bool {
        self.null && full || self.name == "InternalError" && self.message == "out of memory"
    }

    /// As the core is told.
    pub fn failure(self, kind: FailureKind, budget: &Budget) -> Failure {
        let place = place::innermost(&self.stack);
        let mut stack = place::own_lines(&self.stack);
        stack.truncate(stack.floor_char_boundary(STACK));
        let message = match kind {
            FailureKind::Cpu => format!("used up its {} ms of CPU", budget.cpu_ms),
            FailureKind::Wall => format!("was still busy after {} ms", budget.wall_ms),
            FailureKind::Memory => {
                format!("needs more than its {} MB of memory", budget.heap_bytes >> 20)
            }
            FailureKind::Unresolved => "awaits a promise that nothing resolves".to_owned(),
            FailureKind::Input if self.message.is_empty() => "it is no JSON object".to_owned(),
            _ if self.null => "null was thrown, which is no Error".to_owned(),
            _ => self.message,
        };
        Failure {
            kind,
            name: if self.name.is_empty() { "Error".to_owned() } else { self.name },
            message,
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
            stack: Some(stack).filter(|stack| !stack.is_empty()),
        }
    }
}
