//! Allocations against what Numba's runtime does: `numba/core/runtime/nrt.cpp`.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ringback_runtime::memory::*;

/// The counters are the process's.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn counted(run: impl FnOnce()) -> Statistics {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(|e| e.into_inner());
    let before = ringback_runtime_statistics(true);
    run();
    let after = ringback_runtime_statistics(false);
    Statistics {
        allocated: after.allocated - before.allocated,
        freed: after.freed - before.freed,
        made: after.made - before.made,
        destroyed: after.destroyed - before.destroyed,
    }
}

/// What compiled code does to drop a reference.
fn decref(info: *mut MemInfo) {
    // SAFETY: the tests hold a reference.
    unsafe {
        if (*info).references.fetch_sub(1, Ordering::AcqRel) == 1 {
            NRT_MemInfo_call_dtor(info);
        }
    }
}

#[test]
fn the_layout_is_numbas() {
    assert_eq!(size_of::<MemInfo>(), 48);
    let offsets = [
        std::mem::offset_of!(MemInfo, references),
        std::mem::offset_of!(MemInfo, destructor),
        std::mem::offset_of!(MemInfo, info),
        std::mem::offset_of!(MemInfo, data),
        std::mem::offset_of!(MemInfo, size),
        std::mem::offset_of!(MemInfo, allocator),
    ];
    assert_eq!(offsets, [0, 8, 16, 24, 32, 40]);
}

#[test]
fn an_allocation_has_one_reference_and_goes_with_it() {
    let statistics = counted(|| {
        for size in [0, 1, 8, 1000, 1 << 20] {
            for align in [0u32, 1, 8, 16, 32, 64, 24] {
                let info = NRT_MemInfo_alloc_aligned(size, align);
                // SAFETY: made just now; all of its memory may be written.
                unsafe {
                    assert_eq!((*info).references.load(Ordering::Relaxed), 1);
                    assert_eq!((*info).size, size);
                    assert!(align == 0 || ((*info).data as usize).is_multiple_of(align as usize));
                    (*info).data.cast::<u8>().write_bytes(0xAB, size);
                    (*info).references.fetch_add(1, Ordering::Relaxed);
                }
                decref(info);
                decref(info);
            }
        }
        decref(NRT_MemInfo_alloc(100));
    });
    assert_eq!(statistics, Statistics { allocated: 36, freed: 36, made: 36, destroyed: 36 });
}

static DESTROYED_BYTES: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn destructor(data: *mut c_void, size: usize, info: *mut c_void) {
    assert!(info.is_null());
    // SAFETY: the memory is still there.
    unsafe { data.cast::<u8>().write_bytes(0, size) };
    DESTROYED_BYTES.fetch_add(size, Ordering::Relaxed);
}

#[test]
fn a_destructor_runs_once_before_the_memory_goes() {
    let statistics = counted(|| {
        let info = NRT_MemInfo_alloc_dtor(64, Some(destructor));
        assert_eq!(DESTROYED_BYTES.load(Ordering::Relaxed), 0);
        decref(info);
        decref(NRT_MemInfo_alloc_dtor(8, None));
    });
    assert_eq!(DESTROYED_BYTES.load(Ordering::Relaxed), 64);
    assert_eq!(statistics, Statistics { allocated: 2, freed: 2, made: 2, destroyed: 2 });
}

static ELEMENTS: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn elements(data: *mut c_void) {
    // SAFETY: the test wrote a number there.
    ELEMENTS.fetch_add(unsafe { *data.cast::<usize>() }, Ordering::Relaxed);
}

#[test]
fn resizable_memory_keeps_its_content() {
    let statistics = counted(|| {
        let info = NRT_MemInfo_new_varsize_dtor(16, elements as *mut c_void);
        // SAFETY: used as lists use it.
        unsafe {
            (*info).data.cast::<usize>().write(5);
            for size in [1 << 16, 8] {
                let moved = NRT_MemInfo_varsize_realloc(info, size);
                assert_eq!((moved, size), ((*info).data, (*info).size));
                assert_eq!(moved.cast::<usize>().read(), 5);
            }
        }
        decref(info);
        let info = NRT_MemInfo_new_varsize(16);
        // SAFETY: as above.
        unsafe {
            NRT_MemInfo_varsize_free(info, (*info).data);
            assert!((*info).data.is_null());
            assert_eq!(NRT_MemInfo_varsize_alloc(info, 32), (*info).data);
            assert_eq!((*info).size, 32);
        }
        decref(info);
    });
    assert_eq!(ELEMENTS.load(Ordering::Relaxed), 5);
    assert_eq!(statistics, Statistics { allocated: 5, freed: 5, made: 2, destroyed: 2 });
}

#[test]
fn no_memory_is_null_and_loses_nothing() {
    let statistics = counted(|| {
        assert!(NRT_MemInfo_alloc(usize::MAX).is_null());
        assert!(NRT_MemInfo_alloc_aligned(usize::MAX - 100, 64).is_null());
        assert!(NRT_MemInfo_alloc_dtor(usize::MAX / 2, None).is_null());
        assert!(NRT_MemInfo_new_varsize(usize::MAX / 2).is_null());
        let info = NRT_MemInfo_new_varsize(8);
        // SAFETY: the old memory is kept when there is none of the new size.
        unsafe {
            (*info).data.cast::<u64>().write(3);
            assert!(NRT_MemInfo_varsize_realloc(info, usize::MAX / 2).is_null());
            assert_eq!(((*info).data.cast::<u64>().read(), (*info).size), (3, 8));
            NRT_Free(null_mut());
        }
        decref(info);
    });
    assert_eq!(statistics, Statistics { allocated: 2, freed: 2, made: 1, destroyed: 1 });
}
