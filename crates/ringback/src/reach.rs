//! Whether the arrays that a closure is passed may be references in Rust at the same time.

use crate::signature::MAX_DIMS;

/// The memory of an array argument, as the callee in Rust takes hold of it.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    low: usize,
    end: usize,
    writes: bool,
    /// A slice, which holds all bytes from the lowest to the highest; else only the elements are touched.
    whole: bool,
}

/// Where the elements of an array lie, of which only they are touched.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    pub(crate) shape: &'a [isize],
    /// In bytes, as `size`, which one element has.
    pub(crate) strides: &'a [isize],
    pub(crate) size: usize,
}

impl Reach {
    /// Of `len` elements from the lowest address on; `None` if there are none.
    #[inline(always)]
    pub(crate) fn new(low: usize, len: usize, size: usize, writes: bool, whole: bool) -> Option<Self> {
        (len > 0).then(|| Reach { low, end: low.saturating_add(len.saturating_mul(size)), writes, whole })
    }

    /// Two that only touch their elements may interleave, and that no element is in both is the caller's promise.
    #[inline(always)]
    fn may_conflict(&self, other: &Self) -> bool {
        (self.writes || other.writes) && (self.whole || other.whole) && self.low < other.end && other.low < self.end
    }
}

impl Steps<'_> {
    /// Whether an element has a byte in a slice, which may lie between them: the row of a matrix between those of a column.
    fn touch(&self, low: usize, slice: &Reach) -> bool {
        let (mut axes, mut rank) = ([(0, 0); MAX_DIMS], 0);
        for (&n, &stride) in self.shape.iter().zip(self.strides) {
            if n > 1 && stride != 0 {
                // Seen from the lowest element, all steps go up.
                axes[rank] = (stride.unsigned_abs(), n as usize);
                rank += 1;
            }
        }
        // The longest steps first: they leave the fewest places for the others.
        axes[..rank].sort_unstable_by(|a, b| b.cmp(a));
        meets(&axes[..rank], slice.low.saturating_sub(low + (self.size - 1)), slice.end - low)
    }
}

/// Whether a sum of steps, up to `n - 1` along each axis, is in `from..to`. Only steps from which the axes that follow can still get
/// there are tried, so that the last axis is a division.
fn meets(axes: &[(usize, usize)], from: usize, to: usize) -> bool {
    let Some((&(stride, n), inner)) = axes.split_first() else {
        return from == 0;
    };
    let rest: usize = inner.iter().map(|&(stride, n)| stride * (n - 1)).sum();
    let first = from.saturating_sub(rest).div_ceil(stride);
    let last = ((to - 1) / stride).min(n - 1);
    (first..=last).any(|i| meets(inner, from.saturating_sub(i * stride), to - i * stride))
}

/// Whether two of the arrays, one of which may be written to and one of which is a slice, lie in the same range of memory.
#[inline(always)]
pub(crate) fn may_overlap<const N: usize>(reaches: [Option<Reach>; N]) -> bool {
    (1..N).any(|i| reaches[i].is_some_and(|a| reaches[..i].iter().flatten().any(|b| a.may_conflict(b))))
}

/// Whether they overlap: a slice may lie between the elements of the other.
///
/// Callers in Rust cannot pass arrays that share an element, but callers in C can. And those in Rust that know the closure by a type
/// whose views only touch their elements can pass views that interleave to a closure that makes slices of them.
#[cold]
pub(crate) fn overlap<const N: usize>(arrays: [(Option<Reach>, Option<Steps<'_>>); N]) -> bool {
    (1..N).any(|i| {
        arrays[..i].iter().any(|&b| match (arrays[i], b) {
            ((Some(a), steps), (Some(b), others)) if a.may_conflict(&b) => match (steps, others) {
                (Some(steps), None) => steps.touch(a.low, &b),
                (None, Some(steps)) => steps.touch(b.low, &a),
                _ => true,
            },
            _ => false,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{Reach, Steps, may_overlap};

    type Array<'a> = (Option<Reach>, Option<Steps<'a>>);

    const SIZE: usize = 8;

    fn slice(low: usize, len: usize, writes: bool) -> Array<'static> {
        (Reach::new(low, len, SIZE, writes, true), None)
    }

    /// Written to.
    fn view<'a>(low: usize, len: usize, shape: &'a [isize], strides: &'a [isize]) -> Array<'a> {
        (Reach::new(low, len, SIZE, true, false), Some(Steps { shape, strides, size: SIZE }))
    }

    /// As the trampoline asks: the second question only after the first.
    fn overlap<const N: usize>(arrays: [Array<'_>; N]) -> bool {
        may_overlap(arrays.map(|(reach, _)| reach)) && super::overlap(arrays)
    }

    #[test]
    fn what_is_written_overlaps_nothing() {
        let x = slice(800, 10, false);
        assert!(!overlap([x]));
        assert!(!overlap([x, (None, None), x, x]));
        assert!(!overlap([x, slice(880, 10, true)]));
        assert!(!overlap([slice(720, 10, true), x]));
        assert!(!overlap([x, slice(840, 0, true)]));
        for low in [721, 800, 840, 879] {
            assert!(overlap([x, slice(low, 10, true)]));
            assert!(overlap([(None, None), view(low, 10, &[10], &[8]), (None, None), x]));
        }
        assert!(!overlap([view(800, 10, &[10], &[8]), view(808, 10, &[10], &[8])]));
        assert!(!overlap([x, slice(808, 1, false), view(880, 1, &[1], &[8])]));
    }

    #[test]
    fn slices_between_elements_are_told_from_slices_with_elements() {
        let shapes: [[isize; 3]; 4] = [[3, 1, 4], [2, 3, 2], [1, 1, 1], [4, 2, 1]];
        let strides: [[isize; 3]; 5] = [[80, 1000, 16], [-16, 64, -400], [24, 8, 0], [-8, -8, 96], [0, 0, 40]];
        let low = 800;
        let mut found = [0; 2];
        for (shape, strides) in shapes.iter().flat_map(|shape| strides.iter().map(move |strides| (shape, strides))) {
            let step = |axis: usize| strides[axis].unsigned_abs() * usize::from(shape[axis] > 1);
            let elements: Vec<usize> = (0..shape.iter().product::<isize>() as usize)
                .map(|i| {
                    let [_, b, c] = shape.map(|n| n as usize);
                    low + i / (b * c) * step(0) + i / c % b * step(1) + i % c * step(2)
                })
                .collect();
            let len = (elements.iter().max().unwrap() - low) / SIZE + 1;
            let view = view(low, len, shape, strides);
            // Also of smaller elements than those of the view, and across its ends.
            for (start, bytes) in
                (low - 20..low + len * SIZE + 20).step_by(4).flat_map(|a| [4, 8, 20, 64].map(|n| (a, n)))
            {
                let x = (Reach::new(start, bytes / 4, 4, false, true), None);
                let expected = elements.iter().any(|&e| e < start + bytes && start < e + SIZE);
                assert_eq!(overlap([x, view]), expected, "{shape:?} {strides:?} {start} {bytes}");
                assert_eq!(overlap([view, x]), expected, "{shape:?} {strides:?} {start} {bytes}");
                found[usize::from(expected)] += 1;
            }
        }
        assert!(found.iter().all(|&n| n > 1000), "{found:?}");
    }

    #[test]
    fn long_views_are_not_walked() {
        let shape = [1 << 18; 3];
        let strides = [16 << 18, 16, 16 << 36];
        let last = 16 * ((1 << 54) - 1);
        let view = view(800, last / SIZE + 1, &shape, &strides);
        assert!(!overlap([view, slice(800 + last - 8, 1, false)]));
        assert!(overlap([view, slice(800 + last - 8, 2, false)]));
        assert!(!overlap([view, slice(800 + last / 2 + 16, 1, false)]));
    }
}
