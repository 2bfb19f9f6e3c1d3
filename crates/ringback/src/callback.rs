//! The typed handle.

use std::any::TypeId;
use std::collections::HashMap;
use std::ffi::c_void;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crate::abi::{Code, Param, Ret, SafeParam};
use crate::error::Error;
use crate::raw::{RecordError, Shared};
use crate::reach::{may_overlap, overlap};
use crate::signature::{Mismatch, Signature};

/// A compiled function that takes `P` and returns `R`.
///
/// `P` is a tuple of parameter markers ([`f64`], [`In<f64>`](crate::In) for `&[f64]`,
/// [`Mut<f64>`](crate::Mut) for `&mut [f64]`, …); the macro [`callback!`](crate::callback) writes it for you,
/// and gives the type a name and its arguments theirs.
///
/// The signature was checked when the handle was made; a call is then one indirect call. The handle owns the
/// code and all it needs: it may be cloned, sent, shared and dropped on any thread.
///
/// ```
/// use ringback::Callback;
/// let square = Callback::<(f64,), f64>::from_fn(|x: f64| Ok(x * x));
/// assert_eq!(square.call((3.0,))?, 9.0);
/// # Ok::<(), ringback::Error>(())
/// ```
pub struct Callback<P, R> {
    entry: Code,
    /// The block form, or null.
    pub(crate) block: Code,
    pub(crate) env: *const c_void,
    pub(crate) shared: Arc<Shared>,
    types: PhantomData<fn(P) -> R>,
}

// SAFETY: code may be called from any thread at once by its contract, `env` is read-only to it, and `shared`
// keeps both alive.
unsafe impl<P, R> Send for Callback<P, R> {}
// SAFETY: as above.
unsafe impl<P, R> Sync for Callback<P, R> {}

impl<P, R> Clone for Callback<P, R> {
    fn clone(&self) -> Self {
        Callback {
            entry: self.entry,
            block: self.block,
            env: self.env,
            shared: Arc::clone(&self.shared),
            types: PhantomData,
        }
    }
}

impl<P: Params, R: Ret> fmt::Debug for Callback<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Callback({})", Self::signature().text)
    }
}

/// A signature with its text, made once for each type.
#[derive(Debug)]
pub struct Expected {
    /// The signature.
    pub signature: Signature,
    /// Its canonical text.
    pub text: String,
}

impl Expected {
    #[doc(hidden)]
    pub fn new(signature: Signature) -> Self {
        Expected { text: signature.to_string(), signature }
    }
}

impl<P: Params, R: Ret> Callback<P, R> {
    /// The signature that the type asks for.
    pub fn signature() -> &'static Expected {
        static KNOWN: Mutex<Option<HashMap<TypeId, &'static Expected>>> = Mutex::new(None);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert_default().entry(TypeId::of::<(P, R)>()).or_insert_with(|| {
            let signature = Signature::new(P::parameters(), R::result());
            // The types allow only what a signature allows.
            Box::leak(Box::new(Expected::new(signature.unwrap_or_else(|e| panic!("{e}")))))
        })
    }

    /// Calls the function.
    ///
    /// # Errors
    /// What it raised, or what kept it from running: see [`Error::kind`].
    #[inline(always)]
    pub fn call(&self, args: P::Args<'_>) -> Result<R, Error>
    where
        P: SafeParams,
    {
        // SAFETY: no parameter is a raw pointer, so safe arguments are valid arguments.
        unsafe { self.call_unchecked(args) }
    }

    /// Calls a function that takes raw pointers.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    ///
    /// # Safety
    /// Every pointer is valid for what the function does with it.
    #[inline(always)]
    pub unsafe fn call_unchecked(&self, args: P::Args<'_>) -> Result<R, Error> {
        // SAFETY: every type that is written as a result has zero as a value.
        let mut ret: R::Abi = unsafe { std::mem::zeroed() };
        let mut error = std::ptr::null_mut();
        // SAFETY: `entry` has the signature of `P` and `R` (checked when the handle was made), `shared`
        // keeps it and `env` alive.
        let status = unsafe { P::call::<R>(self.entry, self.env, args, &mut ret, &mut error) };
        if status == 0 { Ok(R::read(ret)) } else { Err(self.shared.failed(status, error)) }
    }

    /// A handle on a Rust closure, for tests and for programs without Python. A panic in it is an
    /// [`Error`] of kind [`Bridge`](crate::ErrorKind::Bridge).
    pub fn from_fn<F: Function<P, R>>(function: F) -> Self {
        let owner = Arc::new(function);
        // SAFETY: `trampoline` is made for `P`, `R` and `F`, and is given `owner`'s address.
        let shared = unsafe { Shared::local(&Self::signature().text, P::trampoline::<R, F>(), owner) };
        Self::of(Arc::new(shared))
    }

    fn of(shared: Arc<Shared>) -> Self {
        let (entry, block, env) = shared.parts();
        Callback { entry, block, env, shared, types: PhantomData }
    }

    #[cfg(feature = "pyo3")]
    pub(crate) fn into_shared(self) -> Arc<Shared> {
        self.shared
    }

    /// The handle on a record, if its signature is what this type (or `expected`, the same with lengths tied)
    /// asks for.
    ///
    /// # Errors
    /// If the signatures differ, or the record's cannot be read.
    #[doc(hidden)]
    pub fn from_shared(shared: Shared, expected: &Expected) -> Result<Self, FromRecordError> {
        Self::sharing(Arc::new(shared), expected)
    }

    /// A further handle on a record that others hold too.
    pub(crate) fn sharing(shared: Arc<Shared>, expected: &Expected) -> Result<Self, FromRecordError> {
        let found = shared.signature().map_err(FromRecordError::Record)?;
        if found != expected.text {
            let found = found
                .parse::<Signature>()
                .map_err(|e| FromRecordError::Record(RecordError(format!("the record's signature: {e}"))))?;
            expected.signature.matches(&found).map_err(FromRecordError::Mismatch)?;
        }
        Ok(Self::of(shared))
    }
}

/// The types of handles: [`Callback`], and what [`callback!`](crate::callback) defines.
pub trait Handle: Sized {
    /// The signature that the type asks for.
    fn expected() -> &'static Expected;
    /// The handle on a record.
    ///
    /// # Errors
    /// If the signatures differ, or the record's cannot be read.
    fn from_record(shared: Shared) -> Result<Self, FromRecordError>;
}

impl<P: Params, R: Ret> Handle for Callback<P, R> {
    fn expected() -> &'static Expected {
        Self::signature()
    }
    fn from_record(shared: Shared) -> Result<Self, FromRecordError> {
        Self::from_shared(shared, Self::signature())
    }
}

/// Why a record gave no handle.
#[derive(Debug)]
pub enum FromRecordError {
    /// It is no usable record.
    Record(RecordError),
    /// It is one of another signature.
    Mismatch(Mismatch),
}

impl fmt::Display for FromRecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FromRecordError::Record(e) => e.fmt(f),
            FromRecordError::Mismatch(e) => e.fmt(f),
        }
    }
}
impl std::error::Error for FromRecordError {}

/// A tuple of parameter markers.
///
/// # Safety
/// `call` and `trampoline` follow the calling convention for `parameters`.
#[diagnostic::on_unimplemented(
    message = "these are no parameters of a callback: `{Self}`",
    note = "there are up to 12: pass an array for more"
)]
pub unsafe trait Params: 'static {
    /// The arguments as a tuple.
    type Args<'a>;
    /// The parameters in the signature.
    fn parameters() -> Vec<crate::signature::Parameter>;
    /// One call.
    ///
    /// # Safety
    /// `entry` is code for these parameters and `R`, with `env` as its bound data; pointers among the
    /// arguments are valid.
    unsafe fn call<R: Ret>(
        entry: Code,
        env: *const c_void,
        args: Self::Args<'_>,
        ret: *mut R::Abi,
        error: *mut *mut c_void,
    ) -> i32;
    /// Code that calls the closure whose address is `env`.
    fn trampoline<R: Ret, F: Function<Self, R>>() -> Code
    where
        Self: Sized;
}

/// [`Params`] without raw pointers.
pub trait SafeParams: Params {}

/// Closures that a [`Callback`] can be made from: `Fn(args…) -> Result<R, Error> + Send + Sync + 'static`.
pub trait Function<P: Params, R: Ret>: Send + Sync + 'static {
    /// Calls the closure.
    fn invoke<'x>(&self, args: P::Args<'x>) -> Result<R, Error>;
}

/// Runs a closure behind the C boundary: nothing unwinds through it.
///
/// # Safety
/// `ret` and `error` are valid for writing.
unsafe fn guarded<R: Ret>(ret: *mut R::Abi, error: *mut *mut c_void, run: impl FnOnce() -> Result<R, Error>) -> i32 {
    let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::bridge(format!("a callback in Rust panicked: {}", text.as_deref().unwrap_or("no message"))))
    });
    // SAFETY: the caller's promise.
    unsafe {
        match result {
            Ok(value) => {
                ret.write(value.written());
                0
            }
            Err(failure) => {
                let status = failure.status();
                error.write(failure.into_raw());
                status
            }
        }
    }
}

macro_rules! params {
    ($($P:ident $p:ident),*) => {
        // SAFETY: `result`, `error`, the arguments in order, `env`: the calling convention.
        unsafe impl<$($P: Param),*> Params for ($($P,)*) {
            type Args<'a> = ($($P::Arg<'a>,)*);
            fn parameters() -> Vec<crate::signature::Parameter> {
                vec![$($P::parameter()),*]
            }
            #[inline(always)]
            unsafe fn call<R: Ret>(
                entry: Code,
                env: *const c_void,
                ($($p,)*): Self::Args<'_>,
                ret: *mut R::Abi,
                error: *mut *mut c_void,
            ) -> i32 {
                type Entry<R, $($P),*> = unsafe extern "C" fn(
                    *mut R, *mut *mut c_void, $($P,)* *const c_void,
                ) -> i32;
                // SAFETY: the caller's promise about `entry`.
                let entry = unsafe { std::mem::transmute::<Code, Entry<R::Abi, $($P::Abi),*>>(entry) };
                $(let mut $p = $P::pack($p);)*
                // SAFETY: packed arguments live until the call returns.
                unsafe { entry(ret, error, $($P::abi(&mut $p),)* env) }
            }
            fn trampoline<R: Ret, Fun: Function<Self, R>>() -> Code {
                unsafe extern "C" fn trampoline<R: Ret, Fun: Function<($($P,)*), R>, $($P: Param),*>(
                    ret: *mut R::Abi,
                    error: *mut *mut c_void,
                    $($p: $P::Abi,)*
                    env: *const c_void,
                ) -> i32 {
                    /// # Safety
                    /// The arguments are those of the trampoline.
                    #[cold]
                    #[allow(unused_unsafe, reason = "callbacks without parameters have no arrays")]
                    #[allow(clippy::too_many_arguments, reason = "as many as the callback has")]
                    unsafe fn overlapped<$($P: Param),*>($($p: $P::Abi),*) -> bool {
                        // SAFETY: the caller's promise.
                        unsafe { overlap([$(($P::reach($p), $P::steps($p))),*]) }
                    }
                    // SAFETY: `env` is the closure that the record owns; the caller passes arguments that
                    // live during the call.
                    unsafe {
                        let function = &*env.cast::<Fun>();
                        guarded::<R>(ret, error, || {
                            // Known when this is compiled, so that slices alone have no second question.
                            let slices = true $(&& $P::steps($p).is_none())*;
                            if may_overlap([$(<$P as Param>::reach($p)),*]) && (slices || overlapped::<$($P),*>($($p),*)) {
                                return Err(overlapping());
                            }
                            $(let $p = $P::unpack($p).ok_or_else(odd_view)?;)*
                            function.invoke(($($p,)*))
                        })
                    }
                }
                trampoline::<R, Fun, $($P),*> as *const () as Code
            }
        }
        impl<$($P: SafeParam),*> SafeParams for ($($P,)*) {}
        impl<Fun, R: Ret, $($P: Param),*> Function<($($P,)*), R> for Fun
        where
            Fun: for<'a> Fn($($P::Arg<'a>),*) -> Result<R, Error> + Send + Sync + 'static,
        {
            #[inline(always)]
            fn invoke<'x>(&self, ($($p,)*): ($($P::Arg<'x>,)*)) -> Result<R, Error> {
                self($($p),*)
            }
        }
    };
}

#[cold]
fn overlapping() -> Error {
    Error::bridge(
        "two arrays that a closure in Rust was passed overlap in memory, and it may write to one: pass a copy of one",
    )
}

#[allow(dead_code, reason = "callbacks without parameters have no views")]
#[cold]
fn odd_view() -> Error {
    Error::bridge("an array argument has strides or a layout that its Rust type cannot express")
}

params!();
params!(A a);
params!(A a, B b);
params!(A a, B b, C c);
params!(A a, B b, C c, D d);
params!(A a, B b, C c, D d, E e);
params!(A a, B b, C c, D d, E e, G g);
params!(A a, B b, C c, D d, E e, G g, H h);
params!(A a, B b, C c, D d, E e, G g, H h, I i);
params!(A a, B b, C c, D d, E e, G g, H h, I i, J j);
params!(A a, B b, C c, D d, E e, G g, H h, I i, J j, K k);
params!(A a, B b, C c, D d, E e, G g, H h, I i, J j, K k, L l);
params!(A a, B b, C c, D d, E e, G g, H h, I i, J j, K k, L l, M m);
