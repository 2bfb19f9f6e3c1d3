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

#[cfg(test)]
mod tests {
    use super::{Reach, overlap};

    fn reach(low: usize, len: usize, writes: bool, whole: bool) -> Option<Reach> {
        Reach::new(low, len, 8, writes, whole)
    }

    #[test]
    fn what_is_written_overlaps_nothing() {
        let x = reach(800, 10, false, true);
        assert!(!overlap([x]));
        assert!(!overlap([x, None, x, x]));
        assert!(!overlap([x, reach(880, 10, true, true)]));
        assert!(!overlap([reach(720, 10, true, true), x]));
        assert!(!overlap([x, reach(840, 0, true, true)]));
        for low in [721, 800, 840, 879] {
            assert!(overlap([x, reach(low, 10, true, true)]));
            assert!(overlap([None, reach(low, 10, true, false), None, x]));
        }
        assert!(!overlap([reach(800, 10, true, false), reach(808, 10, true, false)]));
        assert!(!overlap([reach(800, 10, false, true), reach(808, 1, false, true), reach(880, 1, true, false)]));
    }
}
