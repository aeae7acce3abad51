//! A range of memory that an engine allocates from, and that can be put back to what it was.

use std::alloc::{Layout, alloc_zeroed};
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

use dlmalloc::Dlmalloc;
use rquickjs::allocator::Allocator;

/// Of what the system gives and takes back.
const PAGE: usize = 4096;

/// Two states are compared in steps of so many bytes. Small, because compiling touches a little
/// everywhere.
const STEP: usize = 256;

/// By so much the part in use grows. Small, because all of it is copied before each run.
const GROWTH: usize = 16 * 1024;

/// What a run leaves beyond the image is overwritten up to here, and given back to the system
/// from here on: cheaper than its page faults for the little that most runs use.
const KEPT: usize = 256 * 1024;

/// In front of each block, its size; as wide as the engine's own alignment.
const PREFIX: usize = size_of::<usize>();

/// The range. Its first bytes are the allocator's own state, so that whoever copies the range has
/// copied that as well.
pub struct Region {
    heap: NonNull<Heap>,
}

type Heap = Dlmalloc<Break>;

/// The end of what is in use, which only moves up; and the end of the range.
struct Break {
    next: AtomicUsize,
    end: usize,
}

/// A state of a region: all that was in use.
pub struct Image(Box<[u8]>);

/// A later state of the region, as the parts that differ from an image.
pub struct Delta {
    used: usize,
    parts: Vec<Range<usize>>,
    /// The bytes of the parts, one behind the other.
    bytes: Vec<u8>,
}

impl Image {
    /// Bytes that were in use.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl Delta {
    fn push(&mut self, part: Range<usize>, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        match self.parts.last_mut() {
            Some(last) if last.end == part.start => last.end = part.end,
            _ => self.parts.push(part),
        }
    }

    /// Each part with its bytes.
    fn parts(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut rest = &*self.bytes;
        self.parts.iter().map(move |part| {
            let (bytes, behind) = rest.split_at(part.len());
            rest = behind;
            (part.start, bytes)
        })
    }

    /// Memory that it takes.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.parts.len() * size_of::<Range<usize>>()
    }
}

impl Region {
    /// A range of so many bytes, which the system provides as they are touched. It is never given
    /// back: the engine in it lives as long as the process.
    #[allow(unsafe_code)]
    pub fn new(length: usize) -> Option<Self> {
        let layout = Layout::from_size_align(length.max(1 << 20), align_of::<u128>()).ok()?;
        // SAFETY: the layout is not empty.
        let heap = NonNull::new(unsafe { alloc_zeroed(layout) })?.cast::<Heap>();
        let start = heap.addr().get();
        let next = AtomicUsize::new((start + size_of::<Heap>()).next_multiple_of(16));
        let mut state = Dlmalloc::new_with_allocator(Break { next, end: start + layout.size() });
        state.set_granularity(GROWTH);
        // SAFETY: the range begins here, is large enough and aligned, and nobody else has it.
        unsafe { heap.write(state) };
        Some(Self { heap })
    }

    /// The engine's way to the memory.
    pub fn allocator(&self) -> impl Allocator + 'static {
        Blocks(self.heap)
    }

    /// Bytes in use, from the beginning of the range.
    #[allow(unsafe_code)]
    pub fn used(&self) -> usize {
        // SAFETY: the state was written by `new` and is not borrowed between two allocations.
        let next = unsafe { self.heap.as_ref() }.allocator().next.load(Ordering::Relaxed);
        next - self.heap.addr().get()
    }

    /// The state of this moment.
    pub fn image(&self) -> Image {
        Image(self.bytes().into())
    }

    /// What is different from the image.
    pub fn delta(&self, image: &Image) -> Delta {
        let now = self.bytes();
        let mut delta = Delta { used: now.len(), parts: Vec::new(), bytes: Vec::new() };
        for start in (0..now.len()).step_by(STEP) {
            let part = start..now.len().min(start + STEP);
            let bytes = &now[part.clone()];
            if image.0.get(part.clone()) != Some(bytes) {
                delta.push(part, bytes);
            }
        }
        delta
    }

    /// Puts every byte back to what it was, and those that were not in use to zero.
    ///
    /// # Safety
    /// The image and delta are of this region. Nobody may hold a value of the engine that is not
    /// in that state as well, unless it is never used or dropped again.
    #[allow(unsafe_code)]
    pub unsafe fn restore(&mut self, image: &Image, delta: Option<&Delta>) {
        let before = self.used();
        let start = self.heap.cast::<u8>();
        let put = |at: usize, bytes: &[u8]| {
            // SAFETY: the bytes were copied from this place of the range, and no reference into
            // it exists.
            unsafe { start.as_ptr().add(at).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        };
        put(0, &image.0);
        delta.into_iter().flat_map(Delta::parts).for_each(|(at, bytes)| put(at, bytes));
        let used = delta.map_or(image.0.len(), |delta| delta.used);
        if before > used {
            self.clear(used, before);
        }
    }

    /// Makes what lies between two offsets zero.
    fn clear(&mut self, from: usize, to: usize) {
        let far = to.min(from + KEPT)..to;
        let given_back = system::give_back(self.heap.cast(), far).unwrap_or(to..to);
        self.zero(from..given_back.start);
        self.zero(given_back.end..to);
    }

    #[allow(unsafe_code)]
    fn zero(&mut self, range: Range<usize>) {
        // SAFETY: within the range, beyond what is in use.
        unsafe { self.heap.cast::<u8>().add(range.start).write_bytes(0, range.len()) };
    }

    #[allow(unsafe_code)]
    fn bytes(&self) -> &[u8] {
        let start = self.heap.cast::<u8>();
        // SAFETY: that much of the range was handed out; it began as zeros, so it is initialised,
        // and nobody allocates while it is looked at.
        unsafe { NonNull::slice_from_raw_parts(start, self.used()).as_ref() }
    }
}

/// What the engine allocates with.
struct Blocks(NonNull<Heap>);

impl Blocks {
    #[allow(unsafe_code)]
    fn heap(&mut self) -> &mut Heap {
        // SAFETY: the state was written by `Region::new`; there is one engine and one thread, and
        // the reference ends with the call that needed it.
        unsafe { self.0.as_mut() }
    }

    /// Notes the size in front of a block that may be null, and gives what lies behind.
    #[allow(unsafe_code)]
    fn sized(block: *mut u8, size: usize) -> *mut u8 {
        if block.is_null() {
            return block;
        }
        // SAFETY: a block that was asked for with room for the prefix, and is aligned for it.
        unsafe {
            block.cast::<usize>().write(size);
            block.add(PREFIX)
        }
    }
}

// SAFETY: a block is as large as asked for, aligned to `usize`, from memory that no other block
// has, until it is freed; the size in front of it is what was asked for.
#[allow(unsafe_code)]
unsafe impl Allocator for Blocks {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        let Some(whole) = size.checked_add(PREFIX) else { return std::ptr::null_mut() };
        Self::sized(unsafe { self.heap().c_malloc(whole) }, size)
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        let Some(size) = count.checked_mul(size) else { return std::ptr::null_mut() };
        let block = self.alloc(size);
        if !block.is_null() {
            unsafe { block.write_bytes(0, size) };
        }
        block
    }

    unsafe fn dealloc(&mut self, block: *mut u8) {
        unsafe { self.heap().c_free(block.sub(PREFIX)) };
    }

    unsafe fn realloc(&mut self, block: *mut u8, size: usize) -> *mut u8 {
        if block.is_null() {
            return self.alloc(size);
        }
        let Some(whole) = size.checked_add(PREFIX) else { return std::ptr::null_mut() };
        Self::sized(unsafe { self.heap().c_realloc(block.sub(PREFIX), whole) }, size)
    }

    unsafe fn usable_size(block: *mut u8) -> usize {
        unsafe { block.sub(PREFIX).cast::<usize>().read() }
    }
}

// SAFETY: what it gives out lies in the range, once.
#[allow(unsafe_code)]
unsafe impl dlmalloc::Allocator for Break {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let start = self.next.load(Ordering::Relaxed);
        match start.checked_add(size).filter(|&next| next <= self.end) {
            Some(next) => {
                self.next.store(next, Ordering::Relaxed);
                (std::ptr::with_exposed_provenance_mut(start), size, 0)
            }
            None => (std::ptr::null_mut(), 0, 0),
        }
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        std::ptr::null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        false
    }

    fn page_size(&self) -> usize {
        PAGE
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::ops::Range;
    use std::ptr::NonNull;

    use super::PAGE;

    /// Gives the whole pages of a part back, which then read as zero; says which part they are.
    #[allow(unsafe_code)]
    pub fn give_back(start: NonNull<u8>, part: Range<usize>) -> Option<Range<usize>> {
        let base = start.addr().get();
        let first = (base + part.start).next_multiple_of(PAGE);
        let last = (base + part.end) / PAGE * PAGE;
        if first >= last {
            return None;
        }
        let pages = start.as_ptr().with_addr(first).cast();
        let advice = rustix::mm::Advice::LinuxDontNeed;
        // SAFETY: private pages of the range, beyond what is in use.
        unsafe { rustix::mm::madvise(pages, last - first, advice) }.ok()?;
        Some(first - base..last - base)
    }
}

/// Elsewhere there is no promise that they read as zero.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::ops::Range;
    use std::ptr::NonNull;

    pub fn give_back(_start: NonNull<u8>, _part: Range<usize>) -> Option<Range<usize>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Allocate(usize),
        Resize(usize, usize),
        Free(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let size = prop_oneof![0..600usize, 600..9_000usize, 9_000..400_000usize];
        prop_oneof![
            size.clone().prop_map(Step::Allocate),
            (any::<usize>(), size).prop_map(|(which, size)| Step::Resize(which, size)),
            any::<usize>().prop_map(Step::Free),
        ]
    }

    /// Blocks that are filled with a byte of their own.
    #[derive(Clone, Default)]
    struct Held(Vec<(*mut u8, usize, u8)>);

    #[allow(unsafe_code)]
    impl Held {
        fn take(&mut self, blocks: &mut Blocks, step: &Step, mark: u8) {
            match *step {
                Step::Allocate(size) => {
                    let block = blocks.alloc(size);
                    self.fill(block, size, mark);
                }
                Step::Resize(which, size) if !self.0.is_empty() => {
                    let (block, ..) = self.0.swap_remove(which % self.0.len());
                    let block = unsafe { blocks.realloc(block, size) };
                    self.fill(block, size, mark);
                }
                Step::Free(which) if !self.0.is_empty() => {
                    let (block, ..) = self.0.swap_remove(which % self.0.len());
                    unsafe { blocks.dealloc(block) };
                }
                _ => {}
            }
        }

        fn fill(&mut self, block: *mut u8, size: usize, mark: u8) {
            assert!(!block.is_null(), "the region is large enough for the test");
            assert_eq!(unsafe { Blocks::usable_size(block) }, size);
            unsafe { block.write_bytes(mark, size) };
            self.0.push((block, size, mark));
        }

        fn check(&self) {
            for &(block, size, mark) in &self.0 {
                let bytes = unsafe { std::slice::from_raw_parts(block, size) };
                assert!(bytes.iter().all(|&byte| byte == mark), "nobody else wrote here");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_restored_region_is_what_it_was(
            before in prop::collection::vec(step(), 1..60),
            after in prop::collection::vec(step(), 1..60),
        ) {
            let mut region = Region::new(64 << 20).unwrap();
            let mut blocks = Blocks(region.heap);
            let mut held = Held::default();
            let base = region.image();
            let mark = |step: usize| (step % 255) as u8 + 1;
            before.iter().enumerate().for_each(|(n, step)| held.take(&mut blocks, step, mark(n)));
            held.check();
            let (whole, delta) = (region.image(), region.delta(&base));
            for _ in 0..3 {
                let mut later = Held(held.0.clone());
                after.iter().enumerate().for_each(|(n, one)| later.take(&mut blocks, one, mark(n)));
                later.check();
                #[allow(unsafe_code)]
                // SAFETY: `later` is not used again.
                unsafe { region.restore(&base, Some(&delta)) };
                held.check();
                prop_assert!(region.image().0 == whole.0, "byte for byte");
            }
        }
    }

    #[test]
    #[allow(unsafe_code)]
    fn what_a_run_left_behind_is_zero() {
        let mut region = Region::new(16 << 20).unwrap();
        let mut blocks = Blocks(region.heap);
        let image = region.image();
        for size in [100, 10_000, 200_000, 9_000_000] {
            let block = blocks.alloc(size);
            unsafe { block.write_bytes(7, size) };
            // SAFETY: the block is only looked at, as memory of the range.
            unsafe { region.restore(&image, None) };
            let left = unsafe { std::slice::from_raw_parts(block, size) };
            assert!(left.iter().all(|&byte| byte == 0), "{size} bytes");
        }
    }

    #[test]
    fn a_full_region_gives_no_block() {
        let region = Region::new(1 << 20).unwrap();
        let mut blocks = Blocks(region.heap);
        assert!(blocks.alloc(2 << 20).is_null());
        assert!(blocks.alloc(usize::MAX).is_null());
        assert!(blocks.calloc(usize::MAX, 2).is_null());
        assert!(!blocks.alloc(100_000).is_null());
    }
}
