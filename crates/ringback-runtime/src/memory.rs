//! Numba's reference-counted allocations.
//!
//! Compiled code raises and lowers the count itself, at the first word of [`MemInfo`]; what is here allocates, frees, and
//! runs destructors. The layout and what each function does follow `numba/core/runtime/nrt.cpp`, versions 0.57 to 0.68.

use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn realloc(memory: *mut c_void, size: usize) -> *mut c_void;
    fn free(memory: *mut c_void);
}

/// Called with `(data, size, info)` when the last reference goes.
pub type Destructor = unsafe extern "C" fn(*mut c_void, usize, *mut c_void);

/// An allocation with a count of references; compiled code knows this layout.
#[derive(Debug)]
#[repr(C)]
pub struct MemInfo {
    /// References; compiled code changes it with atomic instructions.
    pub references: AtomicUsize,
    /// Run before the memory is freed.
    pub destructor: Option<Destructor>,
    /// The destructor's own.
    pub info: *mut c_void,
    /// The memory.
    pub data: *mut c_void,
    /// Its bytes.
    pub size: usize,
    /// Numba's foreign allocators: always null here.
    pub allocator: *mut c_void,
}

/// Counts of what was done since counting was turned on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Statistics {
    /// Blocks of memory allocated.
    pub allocated: usize,
    /// Blocks of memory freed.
    pub freed: usize,
    /// [`MemInfo`]s made.
    pub made: usize,
    /// [`MemInfo`]s destroyed.
    pub destroyed: usize,
}

static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static FREED: AtomicUsize = AtomicUsize::new(0);
static MADE: AtomicUsize = AtomicUsize::new(0);
static DESTROYED: AtomicUsize = AtomicUsize::new(0);

fn count(counter: &AtomicUsize) {
    if COUNTING.load(Relaxed) {
        counter.fetch_add(1, Relaxed);
    }
}

/// Turns counting on or off, and returns the counts. Off is what a library begins with: threads that allocate would
/// otherwise wait for each other.
#[unsafe(no_mangle)]
pub extern "C" fn ringback_runtime_statistics(counting: bool) -> Statistics {
    COUNTING.store(counting, Relaxed);
    Statistics {
        allocated: ALLOCATED.load(Relaxed),
        freed: FREED.load(Relaxed),
        made: MADE.load(Relaxed),
        destroyed: DESTROYED.load(Relaxed),
    }
}

/// Memory, or null.
#[unsafe(no_mangle)]
pub extern "C" fn NRT_Allocate(size: usize) -> *mut c_void {
    // SAFETY: any size may be asked for.
    let memory = unsafe { malloc(size) };
    if !memory.is_null() {
        count(&ALLOCATED);
    }
    memory
}

/// Memory of another size with the same content, or null: the old memory is then as it was.
///
/// # Safety
/// `memory` came from [`NRT_Allocate`] and is not freed; it is not used afterwards, unless this returns null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NRT_Reallocate(memory: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { realloc(memory, size) }
}

/// Frees memory.
///
/// # Safety
/// `memory` is null, or came from [`NRT_Allocate`] and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NRT_Free(memory: *mut c_void) {
    if !memory.is_null() {
        count(&FREED);
    }
    // SAFETY: the caller's promise.
    unsafe { free(memory) }
}

/// Memory behind a header, aligned; null if there is none, or if the size is none that memory can have.
fn allocate(size: usize, align: usize, destructor: Option<Destructor>, info: *mut c_void) -> *mut MemInfo {
    let header = size_of::<MemInfo>();
    let Some(whole) = size.checked_add(header).and_then(|n| n.checked_add(2 * align)) else { return null_mut() };
    let base = NRT_Allocate(whole).cast::<MemInfo>();
    if base.is_null() {
        return null_mut();
    }
    let behind = base as usize + header;
    let past = if align > 1 { behind % align } else { 0 };
    let offset = header + if past == 0 { 0 } else { align - past };
    count(&MADE);
    // SAFETY: the block has room for the header, `size` bytes, and what alignment takes.
    unsafe {
        let data = base.cast::<u8>().add(offset).cast();
        base.write(MemInfo { references: AtomicUsize::new(1), destructor, info, data, size, allocator: null_mut() });
    }
    base
}

/// An allocation with one reference, or null.
#[unsafe(no_mangle)]
pub extern "C" fn NRT_MemInfo_alloc(size: usize) -> *mut MemInfo {
    allocate(size, 0, None, null_mut())
}

/// The same, at an address that is a multiple of `align`.
#[unsafe(no_mangle)]
pub extern "C" fn NRT_MemInfo_alloc_aligned(size: usize, align: u32) -> *mut MemInfo {
    allocate(size, align as usize, None, null_mut())
}

/// The same, with a destructor, which is called with `(data, size, null)`.
#[unsafe(no_mangle)]
pub extern "C" fn NRT_MemInfo_alloc_dtor(size: usize, destructor: Option<Destructor>) -> *mut MemInfo {
    let info = destructor.map_or(null_mut(), |destructor| destructor as *mut c_void);
    allocate(size, 0, Some(custom), info)
}

unsafe extern "C" fn custom(data: *mut c_void, size: usize, info: *mut c_void) {
    if !info.is_null() {
        // SAFETY: `info` is the destructor that `NRT_MemInfo_alloc_dtor` was given.
        unsafe { core::mem::transmute::<*mut c_void, Destructor>(info)(data, size, null_mut()) }
    }
}

/// Runs the destructor and frees: what compiled code calls when it has lowered the count to zero.
///
/// # Safety
/// `info` came from here, and has no references any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NRT_MemInfo_call_dtor(info: *mut MemInfo) {
    // SAFETY: the caller's promise; the last reference is gone, so nobody else looks at it.
    unsafe {
        if let Some(destructor) = (*info).destructor {
            destructor((*info).data, (*info).size, (*info).info);
        }
        NRT_Free(info.cast());
    }
    count(&DESTROYED);
}

/// Memory whose size may change (that of a list), with one reference; or null.
#[unsafe(no_mangle)]
pub extern "C" fn NRT_MemInfo_new_varsize(size: usize) -> *mut MemInfo {
    NRT_MemInfo_new_varsize_dtor(size, null_mut())
}

/// The same, with a function that is called with the data before they are freed (or null).
#[unsafe(no_mangle)]
pub extern "C" fn NRT_MemInfo_new_varsize_dtor(size: usize, destructor: *mut c_void) -> *mut MemInfo {
    let data = NRT_Allocate(size);
    if data.is_null() {
        return null_mut();
    }
    let info = allocate(0, 0, Some(varsize), destructor);
    if info.is_null() {
        // SAFETY: allocated above.
        unsafe { NRT_Free(data) };
        return null_mut();
    }
    // SAFETY: made above.
    unsafe {
        (*info).data = data;
        (*info).size = size;
    }
    info
}

unsafe extern "C" fn varsize(data: *mut c_void, _: usize, info: *mut c_void) {
    // SAFETY: `info` is null, or the function that `NRT_MemInfo_new_varsize_dtor` was given; `data` is ours.
    unsafe {
        if !info.is_null() {
            core::mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void)>(info)(data);
        }
        NRT_Free(data);
    }
}

/// New memory for a resizable allocation, which has none now; null if there is none.
///
/// # Safety
/// `info` came from [`NRT_MemInfo_new_varsize`], and its memory was freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NRT_MemInfo_varsize_alloc(info: *mut MemInfo, size: usize) -> *mut c_void {
    let data = NRT_Allocate(size);
    // SAFETY: the caller's promise.
    unsafe {
        (*info).data = data;
        if !data.is_null() {
            (*info).size = size;
        }
    }
    data
}

/// Another size for a resizable allocation. Null if there is no memory: the old memory is then kept. (Numba's own
/// runtime forgets it.)
///
/// # Safety
/// `info` came from [`NRT_MemInfo_new_varsize`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NRT_MemInfo_varsize_realloc(info: *mut MemInfo, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe {
        let data = NRT_Reallocate((*info).data, size);
        if !data.is_null() {
            (*info).data = data;
            (*info).size = size;
        }
        data
    }
}

/// Frees memory of a resizable allocation.
///
/// # Safety
/// `info` came from [`NRT_MemInfo_new_varsize`], `memory` from [`NRT_Allocate`], and nobody uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NRT_MemInfo_varsize_free(info: *mut MemInfo, memory: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe {
        NRT_Free(memory);
        if (*info).data == memory {
            (*info).data = null_mut();
        }
    }
}
