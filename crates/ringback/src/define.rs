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
/// - Names of parameters are for readers and for messages: the Python function may have others. A parameter is not to have the
///   name of a type that the declaration uses (`f64: f64`), nor of a constant in scope.
/// - There are up to 12 parameters, arrays of 1 to 4 dimensions and results of up to 64 values. For more, pass an array.
/// - A type has `call`, `call_block` (many points at once, for numbers), `from_fn`, `signature` and `into_inner`, and is `Clone`
///   and `Debug`. Each call is a `Result` with [`Error`](crate::Error), so the result type is not written as one.
/// - With feature `pyo3` the type may stand in the signature of a `#[pyfunction]`; it accepts a plain Python function.
#[macro_export]
macro_rules! callback {
    ($(#[$meta:meta])* $vis:vis unsafe struct $name:ident($($p:ident: $t:ty),* $(,)?) $(-> $r:ty)? $(;)?) => {
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
            #[allow(dead_code, reason = "some call blocks of points only, or pass handles on")]
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
        $(where $($f1:ident($a1:ident $(, $x1:literal)?) == $f2:ident($a2:ident $(, $x2:literal)?)),+ $(,)?)? $(;)?
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
            #[allow(dead_code, reason = "some call blocks of points only, or pass handles on")]
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
    ($(#[$meta:meta])* $vis:vis $(unsafe)? struct $name:ident <$($rest:tt)*) => {
        ::core::compile_error! {
            "`callback!`: a callback is compiled for one signature, so its type takes no type parameters, constants or lifetimes: \
             declare a type for each, by a macro of your own if there are many, and write `View<'_, ...>` for lifetimes"
        }
    };
    ($(#[$meta:meta])* $vis:vis $(unsafe)? struct $name:ident($($p:ident: $t:ty),* $(,)?) $(-> $r:ty)? where $($rest:tt)*) => {
        ::core::compile_error! {
            "`callback!`: `where` ties lengths of parameters together, `where len(x) == len(y), dim(m, 1) == len(x)`, and knows \
             nothing else (in an `unsafe struct` not even that): check what else must hold before you call"
        }
    };
    ($(#[$meta:meta])* $vis:vis $(unsafe)? struct $name:ident($($p:ident: $t:ty),* $(,)?) $(-> $r:ty)?; $($rest:tt)+) => {
        ::core::compile_error!("`callback!` defines one type: write `ringback::callback! { ... }` once more for the next one");
    };
    ($($other:tt)*) => {
        ::core::compile_error! {
            "`callback!`: expected `pub struct Name(x: f64, v: &[f64], out: &mut [f64]) -> f64;`, with or without `pub`, `unsafe`, \
             documentation, the result, and `where len(v) == len(out)` behind it; each parameter has a plain name (no `_`, `mut` or \
             pattern) and a type"
        }
    };
}

/// What both forms of `callback!` have.
#[doc(hidden)]
#[macro_export]
macro_rules! __callback_type {
    ([$(#[$meta:meta])*] [$vis:vis] $name:ident ($($p:ident: $t:ty),*) [$r:ty] [$($tie:tt)*]) => {
        #[allow(elided_lifetimes_in_paths, reason = "the author's own parameters")]
        const _: () = $crate::__checked(
            &[$(stringify!($p)),*],
            &[$(<<fn($t) as $crate::abi::FnArg>::Marker as $crate::Param>::RANK),*],
            <$r as $crate::Ret>::VALUES,
            &[$($tie)*],
        );

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

/// Refuses, when the type is compiled, what no signature has: ranks and counts of results were checked where they were made
/// constants, and here that `where` names axes that there are.
///
/// # Panics
/// If it does not.
#[doc(hidden)]
pub const fn __checked(names: &[&str], ranks: &[usize], _values: usize, ties: &[(&str, usize, &str, usize)]) {
    let mut i = 0;
    while i < ties.len() {
        let (first, first_axis, second, second_axis) = ties[i];
        assert!(
            has_axis(names, ranks, first, first_axis) && has_axis(names, ranks, second, second_axis),
            "`callback!`: `where` names an axis that is not there: `len(x)` and `dim(x, 0)` are of array parameters, whose axes \
             count from 0"
        );
        i += 1;
    }
}

const fn has_axis(names: &[&str], ranks: &[usize], name: &str, axis: usize) -> bool {
    let mut i = 0;
    while i < names.len() {
        if same(names[i].as_bytes(), name.as_bytes()) {
            return axis < ranks[i];
        }
        i += 1;
    }
    false
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

/// A signature with the lengths named that `where` ties together.
#[doc(hidden)]
pub fn __tied(plain: &Signature, names: &[&str], ties: &[(&str, usize, &str, usize)]) -> Expected {
    let mut parameters = plain.parameters().to_vec();
    for (group, &(first, first_axis, second, second_axis)) in ties.iter().enumerate() {
        let mut tie = format!("n{group}");
        for (name, axis) in [(second, second_axis), (first, first_axis)] {
            // `__checked` has seen that there is such a parameter.
            let Some(Parameter::Array(array)) = names.iter().position(|n| *n == name).map(|i| &mut parameters[i])
            else {
                continue;
            };
            // What was tied before is tied to the rest: two groups become one.
            match std::mem::replace(&mut array.dims[axis], Dim::Named(tie.clone())) {
                Dim::Named(before) => rename(&mut parameters, &std::mem::replace(&mut tie, before.clone()), &before),
                Dim::Any => {}
            }
        }
    }
    match Signature::new(parameters, plain.result().clone()) {
        Ok(signature) => Expected::new(signature),
        Err(error) => panic!("`callback!`: {error}"),
    }
}

fn rename(parameters: &mut [Parameter], from: &str, to: &str) {
    let arrays = parameters.iter_mut().filter_map(|p| if let Parameter::Array(array) = p { Some(array) } else { None });
    for dim in arrays.flat_map(|array| &mut array.dims) {
        if matches!(dim, Dim::Named(name) if name == from) {
            *dim = Dim::Named(to.to_owned());
        }
    }
}

/// Lets `where` ask slices, references to slices and views alike.
#[doc(hidden)]
pub fn __by_ref<T: ByRef + ?Sized>(value: &T) -> &T::Target {
    value.by_ref()
}

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no length that `where` could compare",
    note = "`len(x)` and `dim(x, 0)` are of array parameters: slices and views"
)]
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
