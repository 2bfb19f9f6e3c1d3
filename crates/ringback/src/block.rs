//! Block calls: one call for many points.

use std::ffi::c_void;
use std::fmt;

use crate::abi::{Code, Element, Param, Plain, Ret};
use crate::callback::{Callback, Params, SafeParams};
use crate::error::Error;

/// A block call that failed: at which point, and why.
#[derive(Debug)]
pub struct BlockError {
    /// The index of the first point that failed. The results before it are filled in, those behind it are not.
    pub index: usize,
    /// What the function raised there.
    pub error: Error,
}

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at point {} of the block: {}", self.index, self.error)
    }
}
impl std::error::Error for BlockError {}

/// Without the index: for who only passes the error on.
impl From<BlockError> for Error {
    fn from(failed: BlockError) -> Error {
        failed.error
    }
}

#[cfg(feature = "pyo3")]
impl From<BlockError> for pyo3::PyErr {
    fn from(failed: BlockError) -> pyo3::PyErr {
        failed.error.into()
    }
}

/// A parameter that lies in memory, in an array of points, just as it is passed.
///
/// # Safety
/// The calling convention passes `Self` by value, and an array of it is an array of what is passed.
pub unsafe trait Point: Param<Abi = <Self as Element>::Abi> + for<'a> Param<Arg<'a> = Self> + Element {}

/// A result that foreign code may write in place.
///
/// # Safety
/// `Ret::Abi` has the layout of `Self`, and each of its bit patterns is a value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a block call",
    note = "results of block calls are numbers and arrays `[T; K]` of numbers"
)]
pub unsafe trait PointResult: Ret {}

macro_rules! points {
    ($($t:ty),*) => { $(
        // SAFETY: numbers are passed by value, as they lie in memory.
        unsafe impl Point for $t {}
    )* };
}
points!(bool, i8, i16, i32, i64, u8, u16, u32, u64, isize, usize, f32, f64);

// SAFETY: a number is written as itself.
unsafe impl<T: Plain> PointResult for T {}
// SAFETY: numbers in a row.
unsafe impl<T: Plain, const K: usize> PointResult for [T; K] {}

/// The points of a block call: a tuple with a slice (or `Vec`, or array) for each parameter of the callback.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are no points of a block call for a callback with parameters `{P}` and result `{R}`",
    note = "a block call takes a slice for each parameter, and parameters and result must be numbers"
)]
pub trait Points<P, R> {
    /// See [`Callback::call_block`].
    ///
    /// # Errors
    /// As there.
    fn call_block(&self, callback: &Callback<P, R>, results: &mut [R]) -> Result<(), BlockError>;
}

impl<P: Params, R: Ret> Callback<P, R> {
    /// Calls the function at many points: `results[i]` becomes what it returns for the `i`-th number of every slice
    /// in `points`.
    ///
    /// Where the code has a block form, the loop is inside the compiled code, and vectorised: see
    /// [`has_block`](Self::has_block). Functions like `exp` may then differ from what [`call`](Self::call) returns in the last
    /// digits. Otherwise the points are called one after another.
    ///
    /// # Errors
    /// What the function raised, with the index of the first point where it did.
    ///
    /// ```
    /// use ringback::Callback;
    /// let product = Callback::<(f64, f64), f64>::from_fn(|x: f64, y: f64| Ok(x * y));
    /// let mut results = [0.0; 3];
    /// product.call_block((&[1.0, 2.0, 3.0], &[0.5, 0.5, 2.0]), &mut results)?;
    /// assert_eq!(results, [0.5, 1.0, 6.0]);
    /// # Ok::<(), ringback::BlockError>(())
    /// ```
    #[inline]
    pub fn call_block(&self, points: impl Points<P, R>, results: &mut [R]) -> Result<(), BlockError> {
        points.call_block(self, results)
    }

    /// Whether the code has a block form.
    pub fn has_block(&self) -> bool {
        !self.block.is_null()
    }
}

#[cold]
fn lengths(argument: usize, found: usize, expected: usize) -> BlockError {
    let text = format!(
        "argument {argument} of a block call has {found} points, there is room for {expected} results: give every \
         argument as many points as there are results"
    );
    BlockError { index: 0, error: Error::bridge(text) }
}

impl<R: Ret> Points<(), R> for () {
    fn call_block(&self, callback: &Callback<(), R>, results: &mut [R]) -> Result<(), BlockError> {
        for (index, result) in results.iter_mut().enumerate() {
            *result = callback.call(()).map_err(|error| BlockError { index, error })?;
        }
        Ok(())
    }
}

macro_rules! blocks {
    ($($P:ident $X:ident $p:ident $number:literal),*) => {
        impl<R: PointResult, $($P: Point, $X: AsRef<[$P]>),*> Points<($($P,)*), R> for ($($X,)*)
        where
            ($($P,)*): SafeParams + for<'a> Params<Args<'a> = ($($P,)*)>,
        {
            #[inline]
            fn call_block(&self, callback: &Callback<($($P,)*), R>, results: &mut [R]) -> Result<(), BlockError> {
                type Block<R, $($P),*> = unsafe extern "C" fn(
                    usize, *mut usize, *mut *mut c_void, $(*const $P,)* *mut R, *const c_void,
                ) -> i32;
                let ($($p,)*) = self;
                let n = results.len();
                $(
                    let $p: &[$P] = $p.as_ref();
                    if $p.len() != n {
                        return Err(lengths($number, $p.len(), n));
                    }
                )*
                if callback.block.is_null() {
                    for (index, result) in results.iter_mut().enumerate() {
                        *result = callback.call(($($p[index],)*)).map_err(|error| BlockError { index, error })?;
                    }
                    return Ok(());
                }
                let mut index = 0;
                let mut error = std::ptr::null_mut();
                // SAFETY: the block form is for the signature that was checked when the handle was made; a `Point` and
                // a `PointResult` lie in memory as the convention says.
                let block = unsafe { std::mem::transmute::<Code, Block<R, $($P),*>>(callback.block) };
                // SAFETY: every array has `n` elements, and the results overlap none of the points; `shared` keeps
                // code and `env` alive.
                let status = unsafe {
                    block(n, &mut index, &mut error, $($p.as_ptr(),)* results.as_mut_ptr(), callback.env)
                };
                if status == 0 {
                    Ok(())
                } else {
                    Err(BlockError { index, error: callback.shared.failed(status, error) })
                }
            }
        }
    };
}

blocks!(A X a 1);
blocks!(A X a 1, B Y b 2);
blocks!(A X a 1, B Y b 2, C Z c 3);
blocks!(A X a 1, B Y b 2, C Z c 3, D W d 4);
blocks!(A X a 1, B Y b 2, C Z c 3, D W d 4, E V e 5);
blocks!(A X a 1, B Y b 2, C Z c 3, D W d 4, E V e 5, G U g 6);
blocks!(A X a 1, B Y b 2, C Z c 3, D W d 4, E V e 5, G U g 6, H T h 7);
blocks!(A X a 1, B Y b 2, C Z c 3, D W d 4, E V e 5, G U g 6, H T h 7, I S i 8);
