//! What crosses the C boundary: the callback record, array views, and how each Rust type is passed.
//!
//! Everything here is a statement about bytes, shared with `include/ringback.h`. The safe face of it is
//! [`Callback`](crate::Callback).

use std::ffi::{c_char, c_void};
use std::marker::PhantomData;
use std::mem::size_of;

pub use crate::reach::{Reach, Steps};
use crate::signature::{Array, Dim, Layout, MAX_DIMS, MAX_RESULTS, Parameter, Return, Scalar};
use crate::view::{self, LayoutMarker, View, ViewMut};

/// The version of the calling convention and of [`CallbackRecord`] that this crate speaks.
pub const ABI_VERSION: u32 = 1;

/// The address of an entry point, or null. Its real type follows from the record's signature.
pub type Code = *const c_void;

/// The bytes of the record as version 1 began: every record has at least these, whatever was appended since.
pub const RECORD_SIZE: usize = std::mem::offset_of!(CallbackRecord, private_data) + size_of::<*mut c_void>();

/// The callback record, version 1: one struct that any producer of compiled callbacks can fill, and any
/// consumer can call. `include/ringback.h` is the same declaration in C.
#[derive(Debug)]
#[repr(C)]
pub struct CallbackRecord {
    /// [`ABI_VERSION`] of the producer.
    pub abi_version: u32,
    /// `sizeof` the record as the producer knows it; a later minor version may append fields.
    pub size: u32,
    /// Canonical signature text, NUL-terminated; valid until `release`.
    pub signature: *const c_char,
    /// `int32_t entry(R *ret, void **error, A0 a0, ..., const void *env)`.
    pub entry: Code,
    /// The block entry, or null.
    pub block: Code,
    /// Bound data, passed to `entry` as its last argument.
    pub env: *const c_void,
    /// Turns an error into the current Python exception and consumes it. Needs the GIL. Null where the
    /// producer knows no Python.
    pub raise: Option<unsafe extern "C" fn(record: *const CallbackRecord, error: *mut c_void)>,
    /// Writes one line of text about an error, at most `size` bytes with the final NUL, and returns the
    /// length that the whole text has. Any thread, no GIL; does not consume the error.
    pub describe: Option<
        unsafe extern "C" fn(
            record: *const CallbackRecord,
            error: *const c_void,
            buffer: *mut c_char,
            size: usize,
        ) -> usize,
    >,
    /// Consumes an error without raising it. Any thread, no GIL.
    pub discard: Option<unsafe extern "C" fn(record: *const CallbackRecord, error: *mut c_void)>,
    /// Gives the record back. Any thread, with or without the GIL, exactly once; null once moved from.
    pub release: Option<unsafe extern "C" fn(record: *mut CallbackRecord)>,
    /// The producer's own.
    pub private_data: *mut c_void,
}

/// An array argument as it crosses the boundary. `strides` are in bytes and always filled in.
#[derive(Debug)]
#[repr(C)]
pub struct RawView<const N: usize> {
    /// The element at index `[0; N]`.
    pub data: *mut c_void,
    /// Elements along each axis.
    pub shape: [isize; N],
    /// Bytes from one element to the next along each axis.
    pub strides: [isize; N],
}

/// The version of [`LibraryTable`] that this crate reads.
pub const LIBRARY_VERSION: u32 = 1;

/// The table of an exported library: `struct ringback_library` of `include/ringback.h`.
#[derive(Debug)]
#[repr(C)]
pub struct LibraryTable {
    /// [`LIBRARY_VERSION`] of the exporter.
    pub version: u32,
    /// `sizeof` the table as the exporter knows it.
    pub size: u32,
    /// The manifest, UTF-8.
    pub manifest: *const u8,
    /// Its bytes.
    pub manifest_size: usize,
    /// Functions.
    pub count: usize,
    /// The name of each.
    pub names: *const *const c_char,
    /// The record of each, a constant.
    pub records: *const *const CallbackRecord,
    /// Turns counting of allocations on or off, and gives the counts.
    pub statistics: Option<unsafe extern "C" fn(counting: bool) -> Statistics>,
}

// SAFETY: the table of a library is a constant, and so is all that it points to.
unsafe impl Sync for LibraryTable {}

/// What the code of an exported library allocated and freed while counting was on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Statistics {
    /// Blocks of memory allocated.
    pub allocated: usize,
    /// Blocks of memory freed.
    pub freed: usize,
    /// Counted objects (arrays, lists) made.
    pub made: usize,
    /// Counted objects destroyed.
    pub destroyed: usize,
}

/// A scalar that a callback may take, return, or have in its arrays.
///
/// # Safety
/// `SCALAR` describes the type exactly, and `Abi` has the layout in which the C side passes and returns it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scalar that a callback can take or return",
    note = "scalars are bool, i8 to i64, u8 to u64, isize, usize, f32, f64 and, with feature `complex`, Complex<f32> and Complex<f64>",
    note = "several results of one type are an array, `[f64; 2]`; a call gives a `Result` by itself, with `ringback::Error`"
)]
pub unsafe trait Element: Copy + Send + Sync + 'static {
    /// Width and kind.
    const SCALAR: Scalar;
    /// What is written through a result pointer, and passed by value.
    type Abi: Copy + 'static;
    /// From what the C side wrote; every bit pattern of `Abi` is accepted.
    fn from_abi(abi: Self::Abi) -> Self;
    /// To what the C side reads.
    fn into_abi(self) -> Self::Abi;
}

/// An [`Element`] of which every bit pattern is a value, so that foreign code may write it in place.
///
/// `bool` is not: an array of flags to be written is a `&mut [u8]`.
///
/// # Safety
/// Every initialised bit pattern of the type is valid.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the element of an array that a callback writes",
    note = "a `&mut [bool]` written by foreign code could hold a byte that is no bool: use `&mut [u8]`"
)]
pub unsafe trait Plain: Element {}

macro_rules! plain_elements {
    ($($t:ty => $scalar:expr),* $(,)?) => { $(
        // SAFETY: a primitive number is passed as itself, and each of its bit patterns is a value.
        unsafe impl Element for $t {
            const SCALAR: Scalar = $scalar;
            type Abi = $t;
            #[inline(always)]
            fn from_abi(abi: $t) -> $t { abi }
            #[inline(always)]
            fn into_abi(self) -> $t { self }
        }
        // SAFETY: as above.
        unsafe impl Plain for $t {}
        scalar_param!($t);
    )* };
}

macro_rules! scalar_param {
    ($t:ty) => {
        // SAFETY: passed by value as its own C type.
        unsafe impl Param for $t {
            type Arg<'a> = $t;
            type Packed<'a> = <$t as Element>::Abi;
            type Abi = <$t as Element>::Abi;
            fn parameter() -> Parameter {
                Parameter::Scalar(<$t as Element>::SCALAR)
            }
            #[inline(always)]
            fn pack<'a: 'a>(arg: $t) -> <$t as Element>::Abi {
                arg.into_abi()
            }
            #[inline(always)]
            fn abi(packed: &mut <$t as Element>::Abi) -> <$t as Element>::Abi {
                *packed
            }
            #[inline(always)]
            unsafe fn unpack<'a: 'a>(abi: <$t as Element>::Abi) -> Option<$t> {
                Some(<$t>::from_abi(abi))
            }
        }
        impl SafeParam for $t {}
        impl FnArg for fn($t) {
            type Marker = $t;
        }
    };
}

/// How one parameter is passed. Implemented by marker types; the type that callers see is [`Arg`](Param::Arg).
///
/// # Safety
/// `Abi`, `pack` and `unpack` follow the calling convention for what [`parameter`](Param::parameter) says.
pub unsafe trait Param: 'static {
    /// The type of the argument in Rust.
    type Arg<'a>;
    /// What has to stay in memory during the call.
    type Packed<'a>;
    /// What is passed in registers or on the stack.
    type Abi: Copy;
    /// The axes of an array; 0 for what is none.
    const RANK: usize = 0;
    /// The parameter in the signature.
    fn parameter() -> Parameter;
    /// Prepares an argument. The lifetime is declared early-bound: implementations for references need it.
    fn pack<'a: 'a>(arg: Self::Arg<'a>) -> Self::Packed<'a>;
    /// What to pass; for arrays a pointer into `packed`.
    fn abi(packed: &mut Self::Packed<'_>) -> Self::Abi;
    /// The argument again, on the callee's side; `None` if Rust cannot express it (strides that are no
    /// multiple of the element size).
    ///
    /// # Safety
    /// `abi` came from a caller that follows the calling convention, and lives for `'a`.
    unsafe fn unpack<'a: 'a>(abi: Self::Abi) -> Option<Self::Arg<'a>>;
    /// The memory of an array that has elements, as the callee in Rust takes hold of it.
    ///
    /// # Safety
    /// As [`unpack`](Self::unpack).
    #[inline(always)]
    unsafe fn reach(_: Self::Abi) -> Option<Reach> {
        None
    }
    /// Where the elements lie, if the callee touches nothing between them.
    ///
    /// # Safety
    /// As [`unpack`](Self::unpack).
    #[inline(always)]
    unsafe fn steps<'a: 'a>(_: Self::Abi) -> Option<Steps<'a>> {
        None
    }
}

/// A [`Param`] that safe code may pass: everything but raw pointers.
#[diagnostic::on_unimplemented(
    message = "a callback that takes raw pointers cannot be called from safe code",
    note = "declare it `unsafe struct` in `callback!`, or take slices and views instead of pointers"
)]
pub trait SafeParam: Param {}

/// Maps the spelling of a parameter in `callback!` to its marker: `fn(&[f64])` to `In<f64>`.
///
/// It is implemented for function pointers because there, and nowhere else in a type, a lifetime may be left out.
#[diagnostic::on_unimplemented(
    message = "a callback cannot take a parameter of this type: `{Self}`",
    note = "parameters are scalars, `&[T]`, `&mut [T]`, `View`, `ViewMut`, with feature `ndarray` `ArrayView1` to `ArrayView4` and their `Mut` forms, and in `unsafe struct`s `*const T` and `*mut T`"
)]
pub trait FnArg {
    /// The [`Param`] for it.
    type Marker: Param;
}

plain_elements! {
    i8 => Scalar::I8, i16 => Scalar::I16, i32 => Scalar::I32, i64 => Scalar::I64,
    u8 => Scalar::U8, u16 => Scalar::U16, u32 => Scalar::U32, u64 => Scalar::U64,
    f32 => Scalar::F32, f64 => Scalar::F64,
    isize => if size_of::<isize>() == 8 { Scalar::I64 } else { Scalar::I32 },
    usize => if size_of::<usize>() == 8 { Scalar::U64 } else { Scalar::U32 },
}

// SAFETY: passed and returned as one byte; any byte but zero is read as true.
unsafe impl Element for bool {
    const SCALAR: Scalar = Scalar::Bool;
    type Abi = u8;
    #[inline(always)]
    fn from_abi(abi: u8) -> bool {
        abi != 0
    }
    #[inline(always)]
    fn into_abi(self) -> u8 {
        u8::from(self)
    }
}
scalar_param!(bool);

#[cfg(feature = "complex")]
mod complex {
    use super::*;
    use num_complex::Complex;

    macro_rules! complex {
        ($part:ty, $scalar:expr) => {
            // SAFETY: `Complex` is `repr(C)` with the real part first, as C99 and NumPy have it.
            unsafe impl Element for Complex<$part> {
                const SCALAR: Scalar = $scalar;
                type Abi = Complex<$part>;
                #[inline(always)]
                fn from_abi(abi: Self) -> Self {
                    abi
                }
                #[inline(always)]
                fn into_abi(self) -> Self {
                    self
                }
            }
            // SAFETY: two floats, of which every bit pattern is a value.
            unsafe impl Plain for Complex<$part> {}
            // SAFETY: complex arguments go by pointer to {re, im}, here to the packed copy.
            unsafe impl Param for Complex<$part> {
                type Arg<'a> = Self;
                type Packed<'a> = Self;
                type Abi = *const c_void;
                fn parameter() -> Parameter {
                    Parameter::Scalar($scalar)
                }
                #[inline(always)]
                fn pack<'a: 'a>(arg: Self) -> Self {
                    arg
                }
                #[inline(always)]
                fn abi(packed: &mut Self) -> *const c_void {
                    (packed as *const Self).cast()
                }
                #[inline(always)]
                unsafe fn unpack<'a: 'a>(abi: *const c_void) -> Option<Self> {
                    // SAFETY: the caller passes a valid pointer to {re, im}.
                    Some(unsafe { abi.cast::<Self>().read() })
                }
            }
            impl SafeParam for Complex<$part> {}
            impl FnArg for fn(Complex<$part>) {
                type Marker = Self0<$part>;
            }
        };
    }
    type Self0<T> = Complex<T>;
    complex!(f32, Scalar::C64);
    complex!(f64, Scalar::C128);
}

/// Marker of `&[T]`.
#[derive(Debug)]
pub struct In<T>(PhantomData<T>);
/// Marker of `&mut [T]`.
#[derive(Debug)]
pub struct Mut<T>(PhantomData<T>);
/// Marker of [`View`].
#[derive(Debug)]
pub struct InView<T, const N: usize, L>(PhantomData<(T, L)>);
/// Marker of [`ViewMut`].
#[derive(Debug)]
pub struct MutView<T, const N: usize, L>(PhantomData<(T, L)>);

fn array(element: Scalar, rank: usize, layout: Layout, mutable: bool) -> Parameter {
    Parameter::Array(Array { element, dims: vec![Dim::Any; rank], layout, mutable })
}

fn slice_view<T>(data: *mut T, len: usize) -> RawView<1> {
    RawView { data: data.cast(), shape: [len as isize], strides: [size_of::<T>() as isize] }
}

/// The rank of a view, if it is one that signatures have.
const fn rank<const N: usize>() -> usize {
    assert!(N >= 1 && N <= MAX_DIMS, "arrays in callbacks have 1 to 4 dimensions");
    N
}

/// The packed form of an array argument: a view that borrows the array.
#[derive(Debug)]
pub struct Borrowed<'a, const N: usize>(RawView<N>, PhantomData<&'a ()>);

// SAFETY: a C-contiguous view of rank 1 that borrows the slice for `'a`.
unsafe impl<T: Element> Param for In<T> {
    const RANK: usize = 1;
    type Arg<'a> = &'a [T];
    type Packed<'a> = Borrowed<'a, 1>;
    type Abi = *const c_void;
    fn parameter() -> Parameter {
        array(T::SCALAR, 1, Layout::C, false)
    }
    #[inline(always)]
    fn pack<'a: 'a>(arg: &'a [T]) -> Borrowed<'a, 1> {
        Borrowed(slice_view(arg.as_ptr().cast_mut(), arg.len()), PhantomData)
    }
    #[inline(always)]
    fn abi(packed: &mut Borrowed<'_, 1>) -> *const c_void {
        (&raw const packed.0).cast()
    }
    #[inline(always)]
    unsafe fn unpack<'a: 'a>(abi: *const c_void) -> Option<&'a [T]> {
        // SAFETY: the caller passes a view of `shape[0]` readable elements that lives for `'a`.
        unsafe {
            let view = &*abi.cast::<RawView<1>>();
            Some(std::slice::from_raw_parts(non_null(view.data.cast()), view.shape[0] as usize))
        }
    }
    #[inline(always)]
    unsafe fn reach(abi: *const c_void) -> Option<Reach> {
        // SAFETY: the caller passes a view.
        unsafe { slice_reach::<T>(abi, false) }
    }
}

// SAFETY: as for `In`, and exclusive.
unsafe impl<T: Plain> Param for Mut<T> {
    const RANK: usize = 1;
    type Arg<'a> = &'a mut [T];
    type Packed<'a> = Borrowed<'a, 1>;
    type Abi = *const c_void;
    fn parameter() -> Parameter {
        array(T::SCALAR, 1, Layout::C, true)
    }
    #[inline(always)]
    fn pack<'a: 'a>(arg: &'a mut [T]) -> Borrowed<'a, 1> {
        Borrowed(slice_view(arg.as_mut_ptr(), arg.len()), PhantomData)
    }
    #[inline(always)]
    fn abi(packed: &mut Borrowed<'_, 1>) -> *const c_void {
        (&raw const packed.0).cast()
    }
    #[inline(always)]
    unsafe fn unpack<'a: 'a>(abi: *const c_void) -> Option<&'a mut [T]> {
        // SAFETY: the caller passes a view of `shape[0]` elements that are this callee's alone for `'a`.
        unsafe {
            let view = &*abi.cast::<RawView<1>>();
            Some(std::slice::from_raw_parts_mut(non_null(view.data.cast()), view.shape[0] as usize))
        }
    }
    #[inline(always)]
    unsafe fn reach(abi: *const c_void) -> Option<Reach> {
        // SAFETY: the caller passes a view.
        unsafe { slice_reach::<T>(abi, true) }
    }
}

impl<T: Element> SafeParam for In<T> {}
impl<T: Plain> SafeParam for Mut<T> {}
impl<T: Element> FnArg for for<'a> fn(&'a [T]) {
    type Marker = In<T>;
}
impl<T: Plain> FnArg for for<'a> fn(&'a mut [T]) {
    type Marker = Mut<T>;
}

/// # Safety
/// `abi` points to a view.
#[inline(always)]
unsafe fn slice_reach<T>(abi: *const c_void, writes: bool) -> Option<Reach> {
    // SAFETY: the caller's promise.
    let view = unsafe { &*abi.cast::<RawView<1>>() };
    Reach::new(view.data as usize, view.shape[0] as usize, size_of::<T>(), writes, true)
}

/// # Safety
/// `abi` points to a view of rank `N`.
pub(crate) unsafe fn view_reach<T, const N: usize>(abi: *const c_void, writes: bool, whole: bool) -> Option<Reach> {
    // SAFETY: the caller's promise.
    let Span { low, len, .. } = span::<T, N>(unsafe { &*abi.cast::<RawView<N>>() })?;
    Reach::new(low as usize, len, size_of::<T>(), writes, whole)
}

/// # Safety
/// `abi` points to a view of rank `N`, which lives for `'a`.
#[cfg(feature = "ndarray")]
#[inline(always)]
pub(crate) unsafe fn view_steps<'a, T, const N: usize>(abi: *const c_void) -> Steps<'a> {
    // SAFETY: the caller's promise.
    let view = unsafe { &*abi.cast::<RawView<N>>() };
    Steps { shape: &view.shape, strides: &view.strides, size: size_of::<T>() }
}

/// Rust's slices may not be null, C's empty arrays are.
fn non_null<T>(data: *mut T) -> *mut T {
    if data.is_null() { std::ptr::dangling_mut() } else { data }
}

/// The elements that a view spans.
struct Span<T, const N: usize> {
    low: *mut T,
    /// How many elements from the lowest address on.
    len: usize,
    /// Where index zero lies in them.
    offset: usize,
    shape: [usize; N],
    strides: [isize; N],
}

/// `None` if strides are no multiple of the element size.
fn span<T, const N: usize>(view: &RawView<N>) -> Option<Span<T, N>> {
    let size = size_of::<T>() as isize;
    let shape = view.shape.map(|n| n.max(0) as usize);
    let data: *mut T = non_null(view.data.cast());
    if shape.contains(&0) {
        return Some(Span { low: data, len: 0, offset: 0, shape, strides: [0; N] });
    }
    let (mut below, mut above) = (0isize, 0isize);
    let mut strides = [0; N];
    for axis in 0..N {
        // The stride of an axis of one element means nothing, and is often odd.
        if shape[axis] == 1 {
            continue;
        }
        if view.strides[axis] % size != 0 {
            return None;
        }
        strides[axis] = view.strides[axis] / size;
        let reach = strides[axis] * (shape[axis] as isize - 1);
        if reach < 0 { below += reach } else { above += reach }
    }
    Some(Span {
        low: data.wrapping_offset(below),
        len: (above - below) as usize + 1,
        offset: below.unsigned_abs(),
        shape,
        strides,
    })
}

fn raw_view<T, const N: usize>(data: *mut T, shape: [usize; N], strides: [isize; N]) -> RawView<N> {
    let size = size_of::<T>() as isize;
    // The stride of an axis that nobody steps along, of one element or none, may be any number.
    RawView { data: data.cast(), shape: shape.map(|n| n as isize), strides: strides.map(|s| s.wrapping_mul(size)) }
}

// SAFETY: the view's own constructor checked that every element lies in the slice it borrows.
unsafe impl<T: Element, const N: usize, L: LayoutMarker> Param for InView<T, N, L> {
    const RANK: usize = rank::<N>();
    type Arg<'a> = View<'a, T, N, L>;
    type Packed<'a> = Borrowed<'a, N>;
    type Abi = *const c_void;
    fn parameter() -> Parameter {
        array(T::SCALAR, N, view::layout::<L>(N), false)
    }
    #[inline(always)]
    fn pack<'a: 'a>(arg: View<'a, T, N, L>) -> Borrowed<'a, N> {
        let first = arg.first().map_or(std::ptr::dangling(), |first| first);
        Borrowed(raw_view(first.cast_mut(), arg.shape(), arg.strides()), PhantomData)
    }
    #[inline(always)]
    fn abi(packed: &mut Borrowed<'_, N>) -> *const c_void {
        (&raw const packed.0).cast()
    }
    unsafe fn unpack<'a: 'a>(abi: *const c_void) -> Option<View<'a, T, N, L>> {
        // SAFETY: the caller passes a view whose elements are readable for `'a`; `span` covers just them.
        unsafe {
            let Span { low, len, offset, shape, strides } = span::<T, N>(&*abi.cast::<RawView<N>>())?;
            View::from_span(std::slice::from_raw_parts(low, len), offset, shape, strides)
        }
    }
    unsafe fn reach(abi: *const c_void) -> Option<Reach> {
        // SAFETY: the caller passes a view.
        unsafe { view_reach::<T, N>(abi, false, true) }
    }
}

// SAFETY: as for `InView`, and exclusive.
unsafe impl<T: Plain, const N: usize, L: LayoutMarker> Param for MutView<T, N, L> {
    const RANK: usize = rank::<N>();
    type Arg<'a> = ViewMut<'a, T, N, L>;
    type Packed<'a> = Borrowed<'a, N>;
    type Abi = *const c_void;
    fn parameter() -> Parameter {
        array(T::SCALAR, N, view::layout::<L>(N), true)
    }
    #[inline(always)]
    fn pack<'a: 'a>(arg: ViewMut<'a, T, N, L>) -> Borrowed<'a, N> {
        let (shape, strides) = (arg.shape(), arg.strides());
        let (data, offset) = arg.into_parts();
        Borrowed(raw_view(data.as_mut_ptr().wrapping_add(offset), shape, strides), PhantomData)
    }
    #[inline(always)]
    fn abi(packed: &mut Borrowed<'_, N>) -> *const c_void {
        (&raw const packed.0).cast()
    }
    unsafe fn unpack<'a: 'a>(abi: *const c_void) -> Option<ViewMut<'a, T, N, L>> {
        // SAFETY: the caller passes a view whose elements are this callee's alone for `'a`; those that
        // lie between them are not touched, because every access goes through the strides.
        unsafe {
            let Span { low, len, offset, shape, strides } = span::<T, N>(&*abi.cast::<RawView<N>>())?;
            ViewMut::from_span(std::slice::from_raw_parts_mut(low, len), offset, shape, strides)
        }
    }
    unsafe fn reach(abi: *const c_void) -> Option<Reach> {
        // SAFETY: the caller passes a view.
        unsafe { view_reach::<T, N>(abi, true, true) }
    }
}

impl<T: Element, const N: usize, L: LayoutMarker> SafeParam for InView<T, N, L> {}
impl<T: Plain, const N: usize, L: LayoutMarker> SafeParam for MutView<T, N, L> {}
impl<T: Element, const N: usize, L: LayoutMarker> FnArg for for<'a> fn(View<'a, T, N, L>) {
    type Marker = InView<T, N, L>;
}
impl<T: Plain, const N: usize, L: LayoutMarker> FnArg for for<'a> fn(ViewMut<'a, T, N, L>) {
    type Marker = MutView<T, N, L>;
}

macro_rules! pointer_params {
    ($($mutability:tt)*) => { $(
        // SAFETY: a pointer is passed as itself; that it is valid is the business of the unsafe caller.
        unsafe impl<T: Element> Param for *$mutability T {
            type Arg<'a> = *$mutability T;
            type Packed<'a> = *$mutability T;
            type Abi = *$mutability T;
            fn parameter() -> Parameter { Parameter::Pointer(Some(T::SCALAR)) }
            #[inline(always)]
            fn pack<'a: 'a>(arg: *$mutability T) -> *$mutability T { arg }
            #[inline(always)]
            fn abi(packed: &mut *$mutability T) -> *$mutability T { *packed }
            #[inline(always)]
            unsafe fn unpack<'a: 'a>(abi: *$mutability T) -> Option<*$mutability T> { Some(abi) }
        }
        impl<T: Element> FnArg for fn(*$mutability T) { type Marker = *$mutability T; }
    )* };
}
pointer_params!(const mut);

/// What a callback may return: a scalar, `()`, or `[T; K]`.
///
/// # Safety
/// `Abi` is what the callee writes through its result pointer, at least 8 bytes for `()`; all-zero bytes are
/// a value of it.
#[diagnostic::on_unimplemented(
    message = "a callback cannot return `{Self}`",
    note = "results are scalars, `()` and arrays `[T; K]` of scalars"
)]
pub unsafe trait Ret: Send + 'static {
    /// How many values there are.
    const VALUES: usize = 1;
    /// What the callee writes.
    type Abi: Copy;
    /// The result in the signature.
    fn result() -> Return;
    /// From what was written.
    fn read(abi: Self::Abi) -> Self;
    /// To what is written.
    fn written(self) -> Self::Abi;
}

// SAFETY: scalars are written as their `Element::Abi`, of which zero is a value.
unsafe impl<T: Element> Ret for T {
    type Abi = T::Abi;
    fn result() -> Return {
        Return::Scalar(T::SCALAR)
    }
    #[inline(always)]
    fn read(abi: T::Abi) -> T {
        T::from_abi(abi)
    }
    #[inline(always)]
    fn written(self) -> T::Abi {
        Element::into_abi(self)
    }
}

// SAFETY: "nothing" may still be given 8 bytes to write to.
unsafe impl Ret for () {
    type Abi = u64;
    fn result() -> Return {
        Return::Void
    }
    #[inline(always)]
    fn read(_: u64) {}
    #[inline(always)]
    fn written(self) -> u64 {
        0
    }
}

// SAFETY: K values in a row, each as its `Element::Abi`.
unsafe impl<T: Element, const K: usize> Ret for [T; K] {
    const VALUES: usize = {
        assert!(
            K >= 1 && K <= MAX_RESULTS,
            "a callback returns 1 to 64 values: for more, take a `&mut` array to write to"
        );
        K
    };
    type Abi = [T::Abi; K];
    fn result() -> Return {
        Return::Array(T::SCALAR, K)
    }
    #[inline(always)]
    fn read(abi: [T::Abi; K]) -> [T; K] {
        abi.map(T::from_abi)
    }
    #[inline(always)]
    fn written(self) -> [T::Abi; K] {
        self.map(Element::into_abi)
    }
}
