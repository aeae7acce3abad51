//! The states that runs start from.

use rquickjs::Runtime;

use super::region::{Delta, Image, Region};

/// Which of the images a source starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The language, and what stands in for the parts that are loaded on first use.
    Plain,
    /// With those parts loaded.
    Web,
}

/// An engine in which nothing ran.
pub struct Base {
    pub image: Image,
    /// Heap that is used there.
    pub heap: usize,
}

impl Base {
    /// The state of this moment.
    pub fn of(region: &Region, runtime: &Runtime) -> Self {
        let heap = usize::try_from(runtime.memory_usage().malloc_size).unwrap_or(0);
        Self { image: region.image(), heap }
    }

    /// Puts the engine back to this state, or to what a source has made of it.
    #[allow(unsafe_code)]
    pub fn put_back(&self, region: &mut Region, delta: Option<&Delta>) {
        // SAFETY: there is one region in a worker, and the images and deltas are of it. Values of
        // the engine live in `Context::with` only, which cannot be on the stack while the region
        // is borrowed alone; what is kept outside of it (the runtime, the context, the hooks, the
        // natives and the prototypes that rquickjs keeps for them) was there before the first
        // image, and none of it is dropped.
        unsafe { region.restore(&self.image, delta) };
    }
}

/// All of them.
pub struct Images {
    plain: Base,
    /// Made when a source first wants it.
    web: Option<Base>,
}

impl Images {
    pub fn new(plain: Base) -> Self {
        Self { plain, web: None }
    }

    pub fn has_web(&self) -> bool {
        self.web.is_some()
    }

    pub fn keep_web(&mut self, web: Base) {
        self.web = Some(web);
    }

    pub fn of(&self, kind: Kind) -> &Base {
        match kind {
            Kind::Plain => &self.plain,
            Kind::Web => self.web.as_ref().unwrap_or(&self.plain),
        }
    }
}
