//! A new shape for an array without a copy, where its strides allow one.

/// As many dimensions as Numba's arrays have at most.
const MOST: usize = 32;

/// Strides for another shape of the same memory: 1 if there are such, and `new_strides` is filled, or 0.
///
/// Axes of both shapes are taken in groups of the same number of elements. A group may change its shape if its old axes lie
/// behind one another, each stride the next one's times its length.
///
/// # Safety
/// `dims` and `strides` have `nd` numbers, `new_dims` and `new_strides` have `new_nd`, and both shapes have the same number of
/// elements.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "Numba's own")]
pub unsafe extern "C" fn numba_attempt_nocopy_reshape(
    nd: isize,
    dims: *const isize,
    strides: *const isize,
    new_nd: isize,
    new_dims: *const isize,
    new_strides: *mut isize,
    item_size: isize,
    fortran: i32,
) -> i32 {
    let (old_count, new_count) = (nd as usize, new_nd as usize);
    let mut kept = [(0isize, 0isize); MOST];
    let old = kept.as_mut_ptr();
    let mut axes = 0;
    let mut empty = false;
    if old_count > MOST {
        return 0;
    }
    // SAFETY: indices are below the counts of the caller's promise, and `axes` is below `MOST`.
    unsafe {
        for axis in 0..old_count {
            let length = *dims.add(axis);
            empty |= length == 0;
            if length != 1 {
                *old.add(axes) = (length, *strides.add(axis));
                axes += 1;
            }
        }
        let order = |i: usize, first: usize, end: usize| if fortran != 0 { first + i } else { end - 1 - i };
        // The stride that follows: of the axis that comes next when going from the fastest on.
        let mut step = item_size;
        if empty {
            for i in 0..new_count {
                let axis = order(i, 0, new_count);
                *new_strides.add(axis) = step;
                step *= (*new_dims.add(axis)).max(1);
            }
            return 1;
        }
        let (mut from, mut start) = (0, 0);
        while from < axes && start < new_count {
            let (mut end_old, mut end_new) = (from + 1, start + 1);
            let (mut have, mut want) = ((*old.add(from)).0, *new_dims.add(start));
            while have != want {
                if want < have && end_new < new_count {
                    want *= *new_dims.add(end_new);
                    end_new += 1;
                } else if have < want && end_old < axes {
                    have *= (*old.add(end_old)).0;
                    end_old += 1;
                } else {
                    return 0;
                }
            }
            for axis in from + 1..end_old {
                let (outer, inner) = (*old.add(axis - 1), *old.add(axis));
                let fits = if fortran != 0 { inner.1 == outer.0 * outer.1 } else { outer.1 == inner.0 * inner.1 };
                if !fits {
                    return 0;
                }
            }
            step = (*old.add(if fortran != 0 { from } else { end_old - 1 })).1;
            let mut following = step;
            for i in 0..end_new - start {
                let axis = order(i, start, end_new);
                *new_strides.add(axis) = following;
                following *= *new_dims.add(axis);
            }
            step = if fortran != 0 { following } else { step };
            (from, start) = (end_old, end_new);
        }
        // What is left has one element along each axis, and any stride would do.
        for axis in start..new_count {
            *new_strides.add(axis) = step;
        }
    }
    1
}
