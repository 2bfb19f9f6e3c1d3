//! `callback!`: a named callback type.

/// Defines a named callback type: a [`Callback`](crate::Callback) with argument names and its own documentation.
///
/// ```
/// ringback::callback! {
///     /// Log density at `x`; writes its gradient.
///     pub struct LogDensity(x: &[f64], grad: &mut [f64]) -> f64 where len(x) == len(grad);
/// }
/// let normal = LogDensity::from_fn(|x, grad| {
///     grad.iter_mut().zip(x).for_each(|(g, x)| *g = -x);
///     Ok(-0.5 * x.iter().map(|x| x * x).sum::<f64>())
/// });
/// let mut grad = [0.0; 2];
/// assert_eq!(normal.call(&[1.0, 2.0], &mut grad)?, -2.5);
/// assert_eq!(grad, [-1.0, -2.0]);
/// assert!(normal.call(&[1.0, 2.0], &mut [0.0]).is_err());
/// assert_eq!(LogDensity::signature().text, "f64([f64; n0], mut [f64; n0])");
/// # Ok::<(), ringback::Error>(())
/// ```
///
/// - Parameters are scalars, `&[T]`, `&mut [T]`, [`View`](crate::view::View)s, [`ViewMut`](crate::view::ViewMut)s and,
///   with feature `ndarray`, `ArrayView1` to `ArrayView4` and their `Mut` forms; results are scalars, nothing, and `[T; K]`.
/// - `where len(a) == len(b)` ties the lengths of two parameters (`dim(m, 1)` is the length of `m` along axis 1): part of the
///   signature, and checked at each call.
/// - `unsafe struct` also takes raw pointers; its `call` is then unsafe.
/// - With feature `pyo3` the type may stand in the signature of a `#[pyfunction]`; it accepts a plain Python function.
#[macro_export]
macro_rules! callback {
    ($(#[$meta:meta])* $vis:vis unsafe struct $name:ident($($p:ident: $t:ty),* $(,)?) $(-> $r:ty)?;) => {
        $crate::__callback_type! { [$(#[$meta])*] [$vis] $name ($($p: $t),*) [$crate::__or_unit!($($r)?)] [] }
        impl $name {
            /// Calls the function.
            ///
            /// # Errors
            /// What it raised, or what kept it from running.
            ///
            /// # Safety
            /// Every pointer is valid for what the function does with it.
            #[inline(always)]
            #[allow(clippy::too_many_arguments, elided_lifetimes_in_paths, reason = "the author's own parameters")]
            #[allow(non_snake_case, reason = "a matrix may be called X, as in Python")]
            $vis unsafe fn call(&self, $($p: $t),*) -> ::core::result::Result<$crate::__or_unit!($($r)?), $crate::Error> {
                // SAFETY: the caller of this unsafe function vouches for the pointers.
                unsafe { self.0.call_unchecked(($($p,)*)) }
            }
        }
    };
    (
        $(#[$meta:meta])* $vis:vis struct $name:ident($($p:ident: $t:ty),* $(,)?) $(-> $r:ty)?
        $(where $($f1:ident($a1:ident $(, $x1:literal)?) == $f2:ident($a2:ident $(, $x2:literal)?)),+ $(,)?)?;
    ) => {
        $crate::__callback_type! {
            [$(#[$meta])*] [$vis] $name ($($p: $t),*) [$crate::__or_unit!($($r)?)]
            [$($((stringify!($a1), $crate::__axis!($f1 $($x1)?), stringify!($a2), $crate::__axis!($f2 $($x2)?)),)+)?]
        }
        impl $name {
            /// Calls the function.
            ///
            /// # Errors
            /// What it raised, or what kept it from running.
            #[inline(always)]
            #[allow(clippy::too_many_arguments, elided_lifetimes_in_paths, reason = "the author's own parameters")]
            #[allow(non_snake_case, reason = "a matrix may be called X, as in Python")]
            $vis fn call(&self, $($p: $t),*) -> ::core::result::Result<$crate::__or_unit!($($r)?), $crate::Error> {
                $($(
                    let first = $crate::view::Extent::extent(&*$crate::__by_ref(&$a1), $crate::__axis!($f1 $($x1)?));
                    let second = $crate::view::Extent::extent(&*$crate::__by_ref(&$a2), $crate::__axis!($f2 $($x2)?));
                    if first != second {
                        return ::core::result::Result::Err($crate::Error::lengths(
                            stringify!($a1), first, stringify!($a2), second,
                        ));
                    }
                )+)?
                self.0.call(($($p,)*))
            }

            /// Calls the function at many points: a slice for each parameter, and one for the results. For callbacks of
            /// numbers only.
            ///
            /// # Errors
            /// What the function raised, with the index of the first point where it did.
            #[inline]
            #[allow(dead_code, clippy::too_many_arguments, reason = "as many as the author has")]
            #[allow(non_camel_case_types, non_snake_case, reason = "a type for each parameter, by its name")]
            $vis fn call_block<$($p),*>(
                &self, $($p: $p,)* results: &mut [$crate::__or_unit!($($r)?)],
            ) -> ::core::result::Result<(), $crate::BlockError>
            where
                ($($p,)*): $crate::block::Points<
                    ($(<fn($t) as $crate::abi::FnArg>::Marker,)*), $crate::__or_unit!($($r)?),
                >,
            {
                self.0.call_block(($($p,)*), results)
            }
        }
    };
}

/// What both forms of `callback!` have.
#[doc(hidden)]
#[macro_export]
macro_rules! __callback_type {
    ([$(#[$meta:meta])*] [$vis:vis] $name:ident ($($p:ident: $t:ty),*) [$r:ty] [$($tie:tt)*]) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $name($crate::Callback<($(<fn($t) as $crate::abi::FnArg>::Marker,)*), $r>);

        #[allow(dead_code, reason = "not every author makes handles of every type in Rust")]
        impl $name {
            /// A handle on a Rust closure.
            #[allow(elided_lifetimes_in_paths, reason = "the author's own parameters")]
            $vis fn from_fn<__Closure>(function: __Closure) -> Self
            where
                __Closure: ::core::ops::Fn($($t),*) -> ::core::result::Result<$r, $crate::Error>
                    + ::core::marker::Send
                    + ::core::marker::Sync
                    + 'static,
            {
                Self($crate::Callback::<($(<fn($t) as $crate::abi::FnArg>::Marker,)*), $r>::from_fn(function))
            }

            /// The signature that the type asks for.
            $vis fn signature() -> &'static $crate::Expected {
                static EXPECTED: ::std::sync::OnceLock<$crate::Expected> = ::std::sync::OnceLock::new();
                EXPECTED.get_or_init(|| {
                    $crate::__tied(
                        &$crate::Callback::<($(<fn($t) as $crate::abi::FnArg>::Marker,)*), $r>::signature().signature,
                        &[$(stringify!($p)),*],
                        &[$($tie)*],
                    )
                })
            }

            /// The handle in its generic form, which does not check lengths that this type ties together.
            $vis fn into_inner(self) -> $crate::Callback<($(<fn($t) as $crate::abi::FnArg>::Marker,)*), $r> {
                self.0
            }
        }

        impl $crate::Handle for $name {
            fn expected() -> &'static $crate::Expected {
                Self::signature()
            }
            fn from_record(shared: $crate::raw::Shared) -> ::core::result::Result<Self, $crate::FromRecordError> {
                $crate::Callback::from_shared(shared, Self::signature()).map(Self)
            }
        }

        $crate::__callback_from_python!($name);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __or_unit {
    () => {
        ()
    };
    ($r:ty) => {
        $r
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __axis {
    (len) => {
        0usize
    };
    (dim $axis:literal) => {
        $axis
    };
}

#[cfg(feature = "pyo3")]
#[doc(hidden)]
#[macro_export]
macro_rules! __callback_from_python {
    ($name:ident) => {
        impl<'a, 'py> $crate::pyo3::FromPyObject<'a, 'py> for $name {
            type Error = $crate::pyo3::PyErr;
            fn extract(object: $crate::pyo3::Borrowed<'a, 'py, $crate::pyo3::PyAny>) -> $crate::pyo3::PyResult<Self> {
                $crate::python::extract(&object, Self::signature()).map(Self)
            }
        }
        impl<'py> $crate::pyo3::IntoPyObject<'py> for $name {
            type Target = $crate::python::Offered;
            type Output = $crate::pyo3::Bound<'py, $crate::python::Offered>;
            type Error = $crate::pyo3::PyErr;
            fn into_pyobject(self, py: $crate::pyo3::Python<'py>) -> $crate::pyo3::PyResult<Self::Output> {
                $crate::pyo3::IntoPyObject::into_pyobject(self.0, py)
            }
        }
    };
}

#[cfg(not(feature = "pyo3"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __callback_from_python {
    ($name:ident) => {};
}

use crate::callback::Expected;
use crate::signature::{Dim, Parameter, Signature};

/// A signature with the lengths named that `where` ties together. Parameters that are no arrays, and axes
/// that they do not have, are refused where the type is first used.
#[doc(hidden)]
pub fn __tied(plain: &Signature, names: &[&str], ties: &[(&str, usize, &str, usize)]) -> Expected {
    let mut parameters = plain.parameters().to_vec();
    for (group, &(first, first_axis, second, second_axis)) in ties.iter().enumerate() {
        let place = |name: &str| names.iter().position(|n| *n == name);
        let known = [(first, first_axis), (second, second_axis)].iter().find_map(|&(name, axis)| {
            match &parameters[place(name)?] {
                Parameter::Array(array) => match &array.dims[axis] {
                    Dim::Named(name) => Some(name.clone()),
                    Dim::Any => None,
                },
                _ => None,
            }
        });
        let tie = known.unwrap_or_else(|| format!("n{group}"));
        for (name, axis) in [(first, first_axis), (second, second_axis)] {
            match place(name).map(|i| &mut parameters[i]) {
                Some(Parameter::Array(array)) if axis < array.dims.len() => {
                    array.dims[axis] = Dim::Named(tie.clone());
                }
                _ => panic!("`callback!`: `{name}` is no array parameter with an axis {axis}"),
            }
        }
    }
    match Signature::new(parameters, plain.result().clone()) {
        Ok(signature) => Expected::new(signature),
        Err(error) => panic!("`callback!`: {error}"),
    }
}

/// Lets `where` ask slices, references to slices and views alike.
#[doc(hidden)]
pub fn __by_ref<T: ByRef + ?Sized>(value: &T) -> &T::Target {
    value.by_ref()
}

#[doc(hidden)]
pub trait ByRef {
    type Target: crate::view::Extent + ?Sized;
    fn by_ref(&self) -> &Self::Target;
}
impl<T> ByRef for &[T] {
    type Target = [T];
    fn by_ref(&self) -> &[T] {
        self
    }
}
impl<T> ByRef for &mut [T] {
    type Target = [T];
    fn by_ref(&self) -> &[T] {
        self
    }
}
impl<T, const N: usize, L: crate::view::LayoutMarker> ByRef for crate::view::View<'_, T, N, L> {
    type Target = Self;
    fn by_ref(&self) -> &Self {
        self
    }
}
impl<T, const N: usize, L: crate::view::LayoutMarker> ByRef for crate::view::ViewMut<'_, T, N, L> {
    type Target = Self;
    fn by_ref(&self) -> &Self {
        self
    }
}
#[cfg(feature = "ndarray")]
impl<S: ndarray::RawData, D: ndarray::Dimension> ByRef for ndarray::ArrayBase<S, D> {
    type Target = Self;
    fn by_ref(&self) -> &Self {
        self
    }
}
