//! Records from strangers: what is refused, what is released, and how often.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

use ringback::Callback;
use ringback::abi::{ABI_VERSION, CallbackRecord};
use ringback::raw::Shared;

const SIZE: u32 = size_of::<CallbackRecord>() as u32;

unsafe extern "C" fn twice(ret: *mut f64, _: *mut *mut c_void, x: f64, _: *const c_void) -> i32 {
    // SAFETY: the calling convention.
    unsafe { ret.write(2.0 * x) };
    0
}

unsafe extern "C" fn describe(_: *const CallbackRecord, _: *const c_void, buffer: *mut c_char, size: usize) -> usize {
    // SAFETY: the consumer's buffer.
    unsafe { ringback::raw::write_text("no text", buffer, size) }
}

unsafe extern "C" fn discard(_: *const CallbackRecord, _: *mut c_void) {}

unsafe extern "C" fn release(record: *mut CallbackRecord) {
    // SAFETY: `private_data` is the counter of the test that made the record.
    unsafe {
        (*record).release = None;
        (*(*record).private_data.cast::<AtomicUsize>()).fetch_add(1, Ordering::SeqCst);
    }
}

fn record(signature: &'static CStr, released: &AtomicUsize) -> CallbackRecord {
    CallbackRecord {
        abi_version: ABI_VERSION,
        size: SIZE,
        signature: signature.as_ptr(),
        entry: twice as *const c_void,
        block: null(),
        env: null(),
        raise: None,
        describe: Some(describe),
        discard: Some(discard),
        release: Some(release),
        private_data: std::ptr::from_ref(released).cast_mut().cast(),
    }
}

fn take(record: &mut CallbackRecord) -> Result<Callback<(f64,), f64>, String> {
    // SAFETY: the record is in memory, whatever it says of itself.
    let shared = unsafe { Shared::take(record) }.map_err(|e| e.to_string())?;
    Callback::from_shared(shared, Callback::<(f64,), f64>::signature()).map_err(|e| e.to_string())
}

#[test]
fn a_record_is_moved_out_and_released_once() {
    let released = AtomicUsize::new(0);
    let mut offered = record(c"f64(f64)", &released);
    let handle = take(&mut offered).unwrap();
    assert!(offered.release.is_none());
    let other = handle.clone();
    assert_eq!(handle.call((1.5,)).unwrap(), 3.0);
    drop(handle);
    assert_eq!(released.load(Ordering::SeqCst), 0);
    assert_eq!(other.call((2.0,)).unwrap(), 4.0);
    drop(other);
    assert_eq!(released.load(Ordering::SeqCst), 1);
    let again = take(&mut offered).unwrap_err();
    assert_eq!(again, "the callback record cannot be used: it was given away or released already");
    assert_eq!(released.load(Ordering::SeqCst), 1);
}

#[test]
fn a_later_minor_version_is_longer() {
    #[repr(C)]
    struct Longer {
        record: CallbackRecord,
        more: [usize; 4],
    }
    let released = AtomicUsize::new(0);
    let mut longer = Longer { record: record(c"f64(f64)", &released), more: [usize::MAX; 4] };
    longer.record.size = size_of::<Longer>() as u32;
    assert_eq!(take(&mut longer.record).unwrap().call((4.0,)).unwrap(), 8.0);
    assert_eq!(released.load(Ordering::SeqCst), 1);
    assert_eq!(longer.more, [usize::MAX; 4]);
}

#[test]
fn what_is_refused_and_how() {
    let released = AtomicUsize::new(0);
    let refused = |change: fn(&mut CallbackRecord)| {
        let mut offered = record(c"f64(f64)", &released);
        change(&mut offered);
        take(&mut offered).unwrap_err()
    };
    assert_eq!(
        refused(|r| r.abi_version = 2),
        "the callback record has version 2, this library reads version 1: update the older of the two packages"
    );
    assert_eq!(refused(|r| r.size = 72), format!("the callback record says it has 72 bytes, version 1 has {SIZE}"));
    assert_eq!(refused(|r| r.entry = null()), "the callback record cannot be used: it has no entry point");
    assert_eq!(refused(|r| r.signature = null()), "the callback record cannot be used: it has no signature");
    let mute = "the callback record cannot be used: it cannot describe or discard errors";
    assert_eq!(refused(|r| r.describe = None), mute);
    assert_eq!(refused(|r| r.discard = None), mute);
    // Nothing of this was taken, so it is still its producer's to release.
    assert_eq!(released.load(Ordering::SeqCst), 0);
}

#[test]
fn addresses_that_cannot_hold_a_record() {
    let released = AtomicUsize::new(0);
    let mut room = [record(c"f64(f64)", &released), record(c"f64(f64)", &released)];
    let odd = room.as_mut_ptr().cast::<u8>().wrapping_add(4).cast::<CallbackRecord>();
    for address in [null_mut(), odd] {
        // SAFETY: whatever is there, it is not read.
        let why = unsafe { Shared::take(address) }.unwrap_err().to_string();
        let align = align_of::<CallbackRecord>();
        assert_eq!(
            why,
            format!("there is no callback record at the address {address:p}: it is null or not a multiple of {align}")
        );
    }
    assert_eq!(released.load(Ordering::SeqCst), 0);
}

#[test]
fn a_signature_without_an_end_is_read_to_the_greatest_length_only() {
    let text = vec![b'x'; 4097];
    let released = AtomicUsize::new(0);
    let mut offered = record(c"", &released);
    offered.signature = text.as_ptr().cast();
    assert_eq!(
        take(&mut offered).unwrap_err(),
        "the signature of the callback record does not end: a signature has at most 4096 bytes"
    );
    assert_eq!(released.load(Ordering::SeqCst), 1);
}

#[test]
fn signatures_that_do_not_fit_release_what_was_taken() {
    for signature in [c"f64(f32)", c"f64(", c"", c"f64(f64", c"junk", c"f64(f64)(f64)", c"f64(f64, f64)", c"\xff(f64)"]
    {
        let released = AtomicUsize::new(0);
        let mut offered = record(signature, &released);
        let why = take(&mut offered).unwrap_err();
        assert!(!why.is_empty(), "{signature:?}");
        assert_eq!(released.load(Ordering::SeqCst), 1, "{signature:?}");
    }
}

/// A small generator, so that a failure is seen again (Marsaglia, "Xorshift RNGs", 2003).
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

#[test]
fn fuzzed_records_are_taken_just_when_they_are_whole() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut accepted = 0;
    for round in 0..200_000 {
        let released = AtomicUsize::new(0);
        let mut offered = record(c"f64(f64)", &released);
        let mut whole = true;
        for field in 0..8 {
            if random.next(12) != 0 {
                continue;
            }
            match field {
                0 => offered.abi_version = random.next(u64::from(u32::MAX)) as u32,
                1 => offered.size = random.next(2 * u64::from(SIZE)) as u32,
                2 => offered.signature = null(),
                3 => offered.entry = null(),
                4 => offered.describe = None,
                5 => offered.discard = None,
                6 => offered.release = None,
                _ => offered.env = null_mut(),
            }
            whole &= match field {
                0 => offered.abi_version == ABI_VERSION,
                1 => offered.size >= SIZE,
                7 => true,
                _ => false,
            };
        }
        let before = offered.release.is_some();
        let taken = take(&mut offered);
        assert_eq!(taken.is_ok(), whole, "round {round}: {taken:?}");
        assert_eq!(offered.release.is_some(), before && !whole, "round {round}");
        accepted += usize::from(whole);
        drop(taken);
        assert_eq!(released.load(Ordering::SeqCst), usize::from(whole), "round {round}");
    }
    assert!((10_000..190_000).contains(&accepted), "{accepted} of the records were whole");
}

#[test]
fn fuzzed_texts_are_taken_just_when_they_say_the_signature() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let starts = ["f64(f64)", "float64(float64)", "[f64; 2](mut [f64; :, n; any])", " f64 ( f64 , ) "];
    let wanted: ringback::signature::Signature = "f64(f64)".parse().unwrap();
    let mut accepted = 0;
    let rounds = if cfg!(miri) { 200 } else { 100_000 };
    for round in 0..rounds {
        let mut text = starts[random.next(4) as usize].as_bytes().to_vec();
        for _ in 0..random.next(4) {
            let place = random.next(text.len() as u64 + 1) as usize;
            let byte =
                if random.next(4) == 0 { random.next(256) as u8 } else { b" (),;[]f64x*"[random.next(12) as usize] };
            match random.next(3) {
                0 => text.insert(place, byte),
                1 if place < text.len() => text[place] = byte,
                _ => text.truncate(place),
            }
        }
        // A text in C ends at the first 0.
        let text = [text, vec![0]].concat();
        let read = CStr::from_bytes_until_nul(&text).unwrap();
        let fits = read
            .to_str()
            .is_ok_and(|said| said.parse::<ringback::signature::Signature>().is_ok_and(|s| wanted.matches(&s).is_ok()));
        let released = AtomicUsize::new(0);
        let mut offered = record(c"", &released);
        offered.signature = read.as_ptr();
        let taken = take(&mut offered);
        assert_eq!(taken.is_ok(), fits, "round {round}, {read:?}: {taken:?}");
        accepted += usize::from(fits);
        drop(taken);
        assert_eq!(released.load(Ordering::SeqCst), 1, "round {round}, {read:?}");
    }
    assert!((rounds / 10..rounds).contains(&accepted), "{accepted} of the texts fit");
}
