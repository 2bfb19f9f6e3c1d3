//! Whether the arrays that a closure is passed may be references in Rust at the same time.

/// The memory of an array argument, as the callee in Rust takes hold of it.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    low: usize,
    end: usize,
    writes: bool,
    /// A slice, which holds all bytes from the lowest to the highest; else only the elements are touched.
    whole: bool,
}

impl Reach {
    /// Of `len` elements from the lowest address on; `None` if there are none.
    #[inline(always)]
    pub(crate) fn new(low: usize, len: usize, size: usize, writes: bool, whole: bool) -> Option<Self> {
        (len > 0).then(|| Reach { low, end: low.saturating_add(len.saturating_mul(size)), writes, whole })
    }

    /// Two that only touch their elements may interleave, and that no element is in both is the caller's promise.
    #[inline(always)]
    fn conflicts(&self, other: &Self) -> bool {
        (self.writes || other.writes) && (self.whole || other.whole) && self.low < other.end && other.low < self.end
    }
}

/// Whether two of the arrays, one of which may be written to, overlap.
///
/// Callers in Rust cannot pass such, but callers in C can, and so can those in Rust that know the closure by a type whose views
/// may interleave.
#[inline(always)]
pub(crate) fn overlap<const N: usize>(reaches: [Option<Reach>; N]) -> bool {
    (1..N).any(|i| reaches[i].is_some_and(|a| reaches[..i].iter().flatten().any(|b| a.conflicts(b))))
}
