//! `ndarray`'s views as parameters: arrays of any strides.

use std::ffi::c_void;
use std::marker::PhantomData;

use ndarray::{ArrayView, ArrayViewMut, Axis, Dimension, Ix1, Ix2, Ix3, Ix4, ShapeBuilder, StrideShape};

use crate::abi::{Element, FnArg, Param, Plain, RawView, SafeParam, view_reach, view_steps};
use crate::reach::{Reach, Steps};
use crate::signature::{Array, Dim, Layout, Parameter};

/// Marker of an `ArrayView` of dimension `D`.
#[derive(Debug)]
pub struct Read<T, D>(PhantomData<(T, D)>);
/// Marker of an `ArrayViewMut` of dimension `D`.
#[derive(Debug)]
pub struct Write<T, D>(PhantomData<(T, D)>);

/// A raw view that borrows an array.
#[derive(Debug)]
pub struct Borrowed<'a, const N: usize>(RawView<N>, PhantomData<&'a ()>);

/// A view as `ndarray` builds it, from non-negative strides only.
struct Upright<T, const N: usize> {
    data: *mut T,
    shape: [usize; N],
    strides: [usize; N],
    /// Which axes to turn round afterwards.
    turned: [bool; N],
}

/// `None` if a stride is no multiple of the element size.
fn upright<T, const N: usize>(view: &RawView<N>) -> Option<Upright<T, N>> {
    let size = size_of::<T>() as isize;
    let mut data: *mut T = view.data.cast();
    if data.is_null() {
        data = std::ptr::dangling_mut();
    }
    let shape = view.shape.map(|n| n.max(0) as usize);
    let (mut strides, mut turned) = ([0; N], [false; N]);
    if shape.contains(&0) {
        return Some(Upright { data, shape, strides, turned });
    }
    for axis in 0..N {
        if shape[axis] == 1 {
            continue;
        }
        if view.strides[axis] % size != 0 {
            return None;
        }
        let stride = view.strides[axis] / size;
        strides[axis] = stride.unsigned_abs();
        turned[axis] = stride < 0;
        if stride < 0 {
            data = data.wrapping_offset(stride * (shape[axis] as isize - 1));
        }
    }
    Some(Upright { data, shape, strides, turned })
}

/// An array without elements gets the strides that `ndarray` itself gives it. Debug builds of `ndarray` look at those that are given,
/// and mind some though no index uses them.
fn layout<D: Dimension, const N: usize>(shape: [usize; N], strides: [usize; N]) -> StrideShape<D>
where
    [usize; N]: ShapeBuilder<Dim = D, Strides = [usize; N]>,
{
    if shape.contains(&0) { shape.into() } else { shape.strides(strides) }
}

macro_rules! views {
    ($Ix:ident, $n:literal) => {
        // SAFETY: the view borrows the array; its shape and strides are the array's own.
        unsafe impl<T: Element> Param for Read<T, $Ix> {
            const RANK: usize = $n;
            type Arg<'a> = ArrayView<'a, T, $Ix>;
            type Packed<'a> = Borrowed<'a, $n>;
            type Abi = *const c_void;
            fn parameter() -> Parameter {
                parameter(T::SCALAR, $n, false)
            }
            #[inline(always)]
            fn pack<'a: 'a>(arg: ArrayView<'a, T, $Ix>) -> Borrowed<'a, $n> {
                Borrowed(raw(arg.as_ptr().cast_mut(), arg.shape(), arg.strides()), PhantomData)
            }
            #[inline(always)]
            fn abi(packed: &mut Borrowed<'_, $n>) -> *const c_void {
                (&raw const packed.0).cast()
            }
            unsafe fn unpack<'a: 'a>(abi: *const c_void) -> Option<ArrayView<'a, T, $Ix>> {
                // SAFETY: the caller passes a view whose elements are readable for `'a`.
                unsafe {
                    let Upright { data, shape, strides, turned } = upright::<T, $n>(&*abi.cast::<RawView<$n>>())?;
                    let mut view = ArrayView::from_shape_ptr(layout(shape, strides), data);
                    (0..$n).filter(|&i| turned[i]).for_each(|i| view.invert_axis(Axis(i)));
                    Some(view)
                }
            }
            unsafe fn reach(abi: *const c_void) -> Option<Reach> {
                // SAFETY: the caller passes a view.
                unsafe { view_reach::<T, $n>(abi, false, false) }
            }
            #[inline(always)]
            unsafe fn steps<'a: 'a>(abi: *const c_void) -> Option<Steps<'a>> {
                // SAFETY: the caller passes a view that lives for `'a`.
                Some(unsafe { view_steps::<T, $n>(abi) })
            }
        }
        // SAFETY: as above, and exclusive.
        unsafe impl<T: Plain> Param for Write<T, $Ix> {
            const RANK: usize = $n;
            type Arg<'a> = ArrayViewMut<'a, T, $Ix>;
            type Packed<'a> = Borrowed<'a, $n>;
            type Abi = *const c_void;
            fn parameter() -> Parameter {
                parameter(T::SCALAR, $n, true)
            }
            #[inline(always)]
            fn pack<'a: 'a>(mut arg: ArrayViewMut<'a, T, $Ix>) -> Borrowed<'a, $n> {
                let data = arg.as_mut_ptr();
                Borrowed(raw(data, arg.shape(), arg.strides()), PhantomData)
            }
            #[inline(always)]
            fn abi(packed: &mut Borrowed<'_, $n>) -> *const c_void {
                (&raw const packed.0).cast()
            }
            unsafe fn unpack<'a: 'a>(abi: *const c_void) -> Option<ArrayViewMut<'a, T, $Ix>> {
                // SAFETY: the caller passes a view whose elements are this callee's alone for `'a`. One
                // with two indices for one element (a stride of 0) has no exclusive form in Rust.
                unsafe {
                    let Upright { data, shape, strides, turned } = upright::<T, $n>(&*abi.cast::<RawView<$n>>())?;
                    if overlaps(&shape, &strides) {
                        return None;
                    }
                    let mut view = ArrayViewMut::from_shape_ptr(layout(shape, strides), data);
                    (0..$n).filter(|&i| turned[i]).for_each(|i| view.invert_axis(Axis(i)));
                    Some(view)
                }
            }
            unsafe fn reach(abi: *const c_void) -> Option<Reach> {
                // SAFETY: the caller passes a view.
                unsafe { view_reach::<T, $n>(abi, true, false) }
            }
            #[inline(always)]
            unsafe fn steps<'a: 'a>(abi: *const c_void) -> Option<Steps<'a>> {
                // SAFETY: the caller passes a view that lives for `'a`.
                Some(unsafe { view_steps::<T, $n>(abi) })
            }
        }
        impl<T: Element> SafeParam for Read<T, $Ix> {}
        impl<T: Plain> SafeParam for Write<T, $Ix> {}
        impl<T: Element> FnArg for for<'a> fn(ArrayView<'a, T, $Ix>) {
            type Marker = Read<T, $Ix>;
        }
        impl<T: Plain> FnArg for for<'a> fn(ArrayViewMut<'a, T, $Ix>) {
            type Marker = Write<T, $Ix>;
        }
    };
}

/// Whether two indices may share an element: not if each stride steps over all that smaller ones reach.
fn overlaps<const N: usize>(shape: &[usize; N], strides: &[usize; N]) -> bool {
    if shape.contains(&0) {
        return false;
    }
    let mut axes: Vec<(usize, usize)> =
        strides.iter().copied().zip(shape.iter().copied()).filter(|&(_, n)| n > 1).collect();
    axes.sort_unstable();
    let mut reach = 0;
    axes.iter().any(|&(stride, n)| {
        let inside = stride <= reach;
        reach += stride * (n - 1);
        inside
    })
}

fn parameter(element: crate::signature::Scalar, rank: usize, mutable: bool) -> Parameter {
    Parameter::Array(Array { element, dims: vec![Dim::Any; rank], layout: Layout::Any, mutable })
}

fn raw<T, const N: usize>(data: *mut T, shape: &[usize], strides: &[isize]) -> RawView<N> {
    RawView {
        data: data.cast(),
        shape: std::array::from_fn(|i| shape[i] as isize),
        strides: std::array::from_fn(|i| strides[i].wrapping_mul(size_of::<T>() as isize)),
    }
}

views!(Ix1, 1);
views!(Ix2, 2);
views!(Ix3, 3);
views!(Ix4, 4);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ndarray::{Array1, ArrayViewMut1, Axis};

    use crate::view::{Strided, ViewMut};
    use crate::{Callback, Handle};

    crate::callback! {
        /// Two views of `ndarray`, which may interleave.
        struct Interleaving(a: ArrayViewMut1<'_, f64>, b: ArrayViewMut1<'_, f64>) -> f64;
    }
    crate::callback! {
        /// The same signature; these are slices inside, and have the elements between theirs too.
        struct Slices(a: ViewMut<'_, f64, 1, Strided>, b: ViewMut<'_, f64, 1, Strided>) -> f64;
    }

    crate::callback! {
        /// A slice and the other.
        struct Mixed(a: ViewMut<'_, f64, 1, Strided>, b: ArrayViewMut1<'_, f64>) -> f64;
    }

    #[test]
    fn interleaving_views_are_no_slices() {
        let mut data = Array1::<f64>::zeros(10);
        let mut call = |f: &Interleaving| {
            let (a, b) = data.view_mut().into_shape_with_order((5, 2)).unwrap().split_at(Axis(1), 1);
            f.call(a.index_axis_move(Axis(1), 0), b.index_axis_move(Axis(1), 0)).map_err(|e| e.to_string())
        };
        let f = Interleaving::from_fn(|mut a, mut b| {
            a.fill(1.0);
            b.fill(2.0);
            Ok(a.sum() + b.sum())
        });
        assert_eq!(call(&f), Ok(15.0));
        let g = Slices::from_fn(|mut a, mut b| {
            a.as_mut_slice().fill(1.0);
            b.as_mut_slice().fill(2.0);
            Ok(a.as_slice()[1])
        });
        let h = Mixed::from_fn(|mut a, b| {
            a.as_mut_slice().fill(1.0);
            Ok(b.sum())
        });
        for shared in [&g.into_inner().shared, &h.into_inner().shared] {
            // As another extension module takes it: by its signature.
            let f = Interleaving(Callback::sharing(Arc::clone(shared), Interleaving::expected()).unwrap());
            assert_eq!(
                call(&f),
                Err("two arrays that a closure in Rust was passed overlap in memory, and it may write to one: pass a copy of one"
                    .to_owned())
            );
        }
        assert_eq!(data.sum(), 15.0);
    }
}
