//! Array views of 1 to 4 dimensions without a dependency: what `&[T]` is for one dimension.
//!
//! With feature `ndarray` its `ArrayView`s are parameters too; these are for crates that do without, and for
//! signatures that promise contiguous memory, which an `ArrayView` cannot express.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use crate::signature::Layout;

/// Marker: row-major and contiguous, NumPy's `C`; written `[f64; :, :]`.
#[derive(Clone, Copy, Debug)]
pub struct C;
/// Marker: column-major and contiguous, NumPy's `F`; written `[f64; :, :; F]`.
#[derive(Clone, Copy, Debug)]
pub struct F;
/// Marker: any strides; written `[f64; :, :; any]`.
#[derive(Clone, Copy, Debug)]
pub struct Strided;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::C {}
    impl Sealed for super::F {}
    impl Sealed for super::Strided {}
}

/// [`C`], [`F`] or [`Strided`].
pub trait LayoutMarker: sealed::Sealed + Copy + Send + Sync + 'static {
    /// The layout in the signature.
    const LAYOUT: Layout;
}
impl LayoutMarker for C {
    const LAYOUT: Layout = Layout::C;
}
impl LayoutMarker for F {
    const LAYOUT: Layout = Layout::F;
}
impl LayoutMarker for Strided {
    const LAYOUT: Layout = Layout::Any;
}

/// In one dimension, column-major is row-major.
pub(crate) fn layout<L: LayoutMarker>(rank: usize) -> Layout {
    if rank == 1 && L::LAYOUT == Layout::F { Layout::C } else { L::LAYOUT }
}

/// A shape that does not fit the slice it was given with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError(String);

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for ShapeError {}

/// A read-only array of `N` dimensions in a borrowed slice.
///
/// ```
/// use ringback::view::{C, View};
/// let data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// let m = View::<f64, 2, C>::new(&data, [2, 3])?;
/// assert_eq!(m[[1, 0]], 4.0);
/// assert!(View::<f64, 2, C>::new(&data, [2, 4]).is_err());
/// # Ok::<(), ringback::view::ShapeError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T, const N: usize, L = C> {
    data: &'a [T],
    place: Place<N>,
    layout: PhantomData<L>,
}

/// A writable array of `N` dimensions in an exclusively borrowed slice.
#[derive(Debug)]
pub struct ViewMut<'a, T, const N: usize, L = C> {
    data: &'a mut [T],
    place: Place<N>,
    layout: PhantomData<L>,
}

/// Where the elements lie in the slice; strides in elements.
#[derive(Clone, Copy, Debug)]
struct Place<const N: usize> {
    offset: usize,
    shape: [usize; N],
    strides: [isize; N],
}

impl<const N: usize> Place<N> {
    const RANK: () = assert!(N >= 1 && N <= 4, "arrays have 1 to 4 dimensions");

    /// Compiled code counts elements, and steps along axes, in signed numbers; as in NumPy, axes without elements do not make up
    /// for others that are too long. (A stride of 0 lets a short slice have any shape.)
    fn countable(shape: [usize; N]) -> Result<(), ShapeError> {
        let count = shape.iter().try_fold(1usize, |count, &n| count.checked_mul(n.max(1)));
        match count.map(isize::try_from) {
            Some(Ok(_)) => Ok(()),
            _ => Err(ShapeError(format!("an array of shape {shape:?} has more elements than can be counted"))),
        }
    }

    fn contiguous(len: usize, shape: [usize; N], layout: Layout) -> Result<Self, ShapeError> {
        #[allow(clippy::let_unit_value, reason = "evaluates the check of the rank at compile time")]
        let () = Self::RANK;
        let size = shape.iter().try_fold(1usize, |size, &n| size.checked_mul(n));
        Self::countable(shape)?;
        if size != Some(len) {
            return Err(ShapeError(format!(
                "a contiguous array of shape {shape:?} needs a slice of {} elements, found {len}",
                size.map_or("too many".to_owned(), |size| size.to_string()),
            )));
        }
        let mut strides = [0; N];
        let mut next = 1;
        for i in 0..N {
            let axis = if layout == Layout::F { i } else { N - 1 - i };
            strides[axis] = next;
            next *= shape[axis].max(1) as isize;
        }
        Ok(Place { offset: 0, shape, strides })
    }

    fn strided(len: usize, offset: usize, shape: [usize; N], strides: [isize; N]) -> Result<Self, ShapeError> {
        #[allow(clippy::let_unit_value, reason = "evaluates the check of the rank at compile time")]
        let () = Self::RANK;
        Self::countable(shape)?;
        let place = Place { offset, shape, strides };
        if shape.contains(&0) {
            return Ok(Place { offset: offset.min(len), ..place });
        }
        let reach = |sign: isize| {
            shape
                .iter()
                .zip(strides)
                .filter(|(_, s)| s.signum() == sign)
                .try_fold(0isize, |sum, (&n, s)| sum.checked_add(s.checked_mul(isize::try_from(n - 1).ok()?)?))
        };
        let fits = |reach: Option<isize>| reach.and_then(|r| offset.checked_add_signed(r)).is_some_and(|i| i < len);
        if offset < len && fits(reach(1)) && fits(reach(-1)) {
            Ok(place)
        } else {
            Err(ShapeError(format!(
                "an array of shape {shape:?} with strides {strides:?} from element {offset} does not lie in a slice of {len} elements"
            )))
        }
    }

    fn find(&self, index: [usize; N]) -> Option<usize> {
        if index.iter().zip(self.shape).any(|(&i, n)| i >= n) {
            return None;
        }
        let step: isize = index.iter().zip(self.strides).map(|(&i, s)| i as isize * s).sum();
        self.offset.checked_add_signed(step)
    }

    fn expect(&self, index: [usize; N]) -> usize {
        self.find(index).unwrap_or_else(|| panic!("index {index:?} is outside an array of shape {:?}", self.shape))
    }

    fn is(&self, layout: Layout, len: usize) -> bool {
        layout == Layout::Any
            || Place::contiguous(len, self.shape, layout).is_ok_and(|p| {
                // Axes of one element, and empty arrays, may have any stride.
                self.shape.contains(&0) || (0..N).all(|i| self.shape[i] == 1 || self.strides[i] == p.strides[i])
            })
    }
}

macro_rules! common {
    ($View:ident, $($mutability:tt)?) => {
        impl<'a, T, const N: usize> $View<'a, T, N, C> {
            /// A row-major array: `data` holds `shape`'s product of elements, the last index running fastest.
            ///
            /// # Errors
            /// If the slice has another length.
            pub fn new(data: &'a $($mutability)? [T], shape: [usize; N]) -> Result<Self, ShapeError> {
                let place = Place::contiguous(data.len(), shape, Layout::C)?;
                Ok(Self { data, place, layout: PhantomData })
            }
        }

        impl<'a, T, const N: usize> $View<'a, T, N, F> {
            /// A column-major array: the first index runs fastest.
            ///
            /// # Errors
            /// If the slice has another length than `shape`'s product.
            pub fn new(data: &'a $($mutability)? [T], shape: [usize; N]) -> Result<Self, ShapeError> {
                let place = Place::contiguous(data.len(), shape, Layout::F)?;
                Ok(Self { data, place, layout: PhantomData })
            }
        }

        impl<'a, T, const N: usize> $View<'a, T, N, Strided> {
            /// Any array in a slice: index zero is element `offset`, and `strides` are in elements.
            ///
            /// # Errors
            /// If an element would lie outside the slice.
            pub fn new(
                data: &'a $($mutability)? [T],
                offset: usize,
                shape: [usize; N],
                strides: [isize; N],
            ) -> Result<Self, ShapeError> {
                let place = Place::strided(data.len(), offset, shape, strides)?;
                Ok(Self { data, place, layout: PhantomData })
            }
        }

        impl<'a, T, const N: usize, L: LayoutMarker> $View<'a, T, N, L> {
            /// From the span of a foreign view; `None` if it is not what its layout promises.
            pub(crate) fn from_span(
                data: &'a $($mutability)? [T],
                offset: usize,
                shape: [usize; N],
                strides: [isize; N],
            ) -> Option<Self> {
                let place = Place::strided(data.len(), offset, shape, strides).ok()?;
                place.is(layout::<L>(N), data.len()).then_some(Self { data, place, layout: PhantomData })
            }

            /// Elements along each axis.
            pub fn shape(&self) -> [usize; N] {
                self.place.shape
            }

            /// Elements from one index to the next, along each axis.
            pub fn strides(&self) -> [isize; N] {
                self.place.strides
            }

            /// The element at an index, if it is inside.
            pub fn get(&self, index: [usize; N]) -> Option<&T> {
                self.data.get(self.place.find(index)?)
            }

            /// The elements as they lie in memory: for contiguous layouts all of them, in order.
            pub fn as_slice(&self) -> &[T] {
                self.data
            }

            /// The same array, its layout no longer promised.
            pub fn into_strided(self) -> $View<'a, T, N, Strided> {
                $View { data: self.data, place: self.place, layout: PhantomData }
            }
        }

        impl<T, const N: usize, L> Index<[usize; N]> for $View<'_, T, N, L> {
            type Output = T;
            /// # Panics
            /// If the index is outside.
            fn index(&self, index: [usize; N]) -> &T {
                &self.data[self.place.expect(index)]
            }
        }
    };
}
common!(View,);
common!(ViewMut, mut);

impl<'a, T, const N: usize, L> View<'a, T, N, L> {
    /// The slice from the element at index zero on; `None` if there is none.
    pub(crate) fn first(&self) -> Option<*const T> {
        // Derived from the whole slice: strides may lead to either side of it.
        (self.place.offset < self.data.len()).then(|| self.data.as_ptr().wrapping_add(self.place.offset))
    }
}

impl<'a, T, const N: usize, L: LayoutMarker> ViewMut<'a, T, N, L> {
    pub(crate) fn into_parts(self) -> (&'a mut [T], usize) {
        (self.data, self.place.offset)
    }

    /// The element at an index, if it is inside.
    pub fn get_mut(&mut self, index: [usize; N]) -> Option<&mut T> {
        self.data.get_mut(self.place.find(index)?)
    }

    /// The elements as they lie in memory.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self.data
    }

    /// A shorter loan of the same array, so that it can be passed more than once.
    pub fn reborrow(&mut self) -> ViewMut<'_, T, N, L> {
        ViewMut { data: self.data, place: self.place, layout: PhantomData }
    }

    /// The array, read-only.
    pub fn as_view(&self) -> View<'_, T, N, L> {
        View { data: self.data, place: self.place, layout: PhantomData }
    }
}

impl<T, const N: usize, L> IndexMut<[usize; N]> for ViewMut<'_, T, N, L> {
    /// # Panics
    /// If the index is outside.
    fn index_mut(&mut self, index: [usize; N]) -> &mut T {
        let i = self.place.expect(index);
        &mut self.data[i]
    }
}

/// The length of an argument along an axis, for lengths that a `callback!` type ties together.
pub trait Extent {
    /// Elements along `axis`.
    ///
    /// # Panics
    /// If there is no such axis.
    fn extent(&self, axis: usize) -> usize;
}

impl<T> Extent for [T] {
    fn extent(&self, axis: usize) -> usize {
        assert!(axis == 0, "a slice has one axis, 0; found {axis}");
        self.len()
    }
}
impl<T, const N: usize, L: LayoutMarker> Extent for View<'_, T, N, L> {
    fn extent(&self, axis: usize) -> usize {
        self.place.shape[axis]
    }
}
impl<T, const N: usize, L: LayoutMarker> Extent for ViewMut<'_, T, N, L> {
    fn extent(&self, axis: usize) -> usize {
        self.place.shape[axis]
    }
}
#[cfg(feature = "ndarray")]
impl<S: ndarray::RawData, D: ndarray::Dimension> Extent for ndarray::ArrayBase<S, D> {
    fn extent(&self, axis: usize) -> usize {
        self.shape()[axis]
    }
}
