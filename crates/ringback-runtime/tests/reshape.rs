//! New shapes without copies, against an enumeration of all elements.

use ringback_runtime::reshape::numba_attempt_nocopy_reshape;

fn reshape(dims: &[isize], strides: &[isize], new: &[isize], fortran: bool) -> Option<Vec<isize>> {
    let mut found = vec![0; new.len()];
    // SAFETY: lengths are those of the slices.
    let done = unsafe {
        numba_attempt_nocopy_reshape(
            dims.len() as isize,
            dims.as_ptr(),
            strides.as_ptr(),
            new.len() as isize,
            new.as_ptr(),
            found.as_mut_ptr(),
            8,
            i32::from(fortran),
        )
    };
    (done == 1).then_some(found)
}

/// The offsets of all elements, in the order in which a reshape reads them.
fn offsets(dims: &[isize], strides: &[isize], fortran: bool) -> Vec<isize> {
    let count: isize = dims.iter().product();
    let axes: Vec<usize> = if fortran { (0..dims.len()).collect() } else { (0..dims.len()).rev().collect() };
    (0..count)
        .map(|mut index| {
            axes.iter().fold(0, |offset, &axis| {
                let at = index % dims[axis];
                index /= dims[axis];
                offset + at * strides[axis]
            })
        })
        .collect()
}

#[test]
fn a_reshape_keeps_the_order_of_the_elements() {
    let shapes: [(&[isize], &[isize]); 8] = [
        (&[24], &[8]),
        (&[24], &[-16]),
        (&[4, 6], &[48, 8]),
        (&[4, 6], &[8, 32]),
        (&[2, 3, 4], &[96, 32, 8]),
        (&[2, 3, 4], &[8, 16, 48]),
        (&[2, 1, 12], &[200, 7, 16]),
        (&[2, 3, 4], &[400, 32, 8]),
    ];
    let new: [&[isize]; 9] =
        [&[24], &[24, 1], &[1, 24, 1, 1], &[2, 12], &[12, 2], &[2, 3, 4], &[4, 6], &[3, 8], &[2, 2, 3, 2]];
    let mut possible = 0;
    for (dims, strides) in shapes {
        for new in new {
            for fortran in [false, true] {
                if let Some(found) = reshape(dims, strides, new, fortran) {
                    possible += 1;
                    assert_eq!(
                        offsets(new, &found, fortran),
                        offsets(dims, strides, fortran),
                        "{dims:?} {strides:?} {new:?}"
                    );
                }
            }
        }
    }
    // Where one stride leads through all elements, every shape is possible.
    assert!(
        new.iter()
            .all(|new| reshape(&[24], &[8], new, false).is_some() && reshape(&[4, 6], &[48, 8], new, false).is_some())
    );
    assert!(possible > 70, "{possible}");
}

#[test]
fn what_needs_a_copy_is_refused() {
    assert_eq!(reshape(&[4, 6], &[8, 32], &[24], false), None);
    assert_eq!(reshape(&[4, 6], &[48, 8], &[24], true), None);
    assert_eq!(reshape(&[2, 12], &[400, 8], &[3, 8], false), None);
    assert_eq!(reshape(&[0, 3], &[24, 8], &[3, 0], false), Some(vec![8, 8]));
    assert_eq!(reshape(&[1, 1], &[8, 8], &[1], false), Some(vec![8]));
}
