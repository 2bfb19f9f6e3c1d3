//! Block calls, through the block form of a record and through calls one by one.

use std::ffi::{c_char, c_void};

use ringback::abi::{ABI_VERSION, CallbackRecord};
use ringback::raw::Shared;
use ringback::{BlockError, Callback, Error};

ringback::callback! {
    /// Two numbers.
    pub struct Weighted(x: f64, n: i32) -> f64;
}

#[test]
fn closures_are_called_point_by_point() {
    let f = Weighted::from_fn(|x, n| Ok(x * f64::from(n)));
    let mut results = [0.0; 3];
    f.call_block(&[1.0, 2.0, 3.0], &vec![1, 10, 100], &mut results).unwrap();
    assert_eq!(results, [1.0, 20.0, 300.0]);
    assert!(!f.into_inner().has_block());
}

#[test]
fn the_first_failure_is_told_with_its_index() {
    let f = Callback::<(f64,), f64>::from_fn(|x: f64| {
        if x < 0.0 { Err(Error::raised("ValueError", format!("{x} is negative"))) } else { Ok(x.sqrt()) }
    });
    let mut results = [0.0; 4];
    let failed: BlockError = f.call_block((&[4.0, 9.0, -1.0, -2.0],), &mut results).unwrap_err();
    assert_eq!(failed.index, 2);
    assert_eq!(failed.to_string(), "at point 2 of the block: ValueError: -1 is negative");
    assert_eq!(results[..2], [2.0, 3.0]);
    assert_eq!(Error::from(failed).to_string(), "ValueError: -1 is negative");
}

#[test]
fn lengths_that_differ_are_refused() {
    let f = Weighted::from_fn(|x, _| Ok(x));
    let error = f.call_block(&[1.0, 2.0], &[1], &mut [0.0; 2]).unwrap_err();
    assert_eq!(
        error.error.to_string(),
        "argument 2 of a block call has 1 points, there is room for 2 results: give every argument as many points as \
         there are results"
    );
    f.call_block(&[], &[], &mut []).unwrap();
}

#[test]
fn callbacks_without_parameters_have_blocks_too() {
    let f = Callback::<(), f64>::from_fn(|| Ok(2.5));
    let mut results = [0.0; 2];
    f.call_block((), &mut results).unwrap();
    assert_eq!(results, [2.5, 2.5]);
}

unsafe extern "C" fn entry(_: *mut f64, _: *mut *mut c_void, _: f64, _: *const c_void) -> i32 {
    panic!("the block form is there")
}

/// Adds the number in `env`; fails at a negative point.
unsafe extern "C" fn block(
    n: usize,
    failed_at: *mut usize,
    _: *mut *mut c_void,
    x: *const f64,
    ret: *mut f64,
    env: *const c_void,
) -> i32 {
    for i in 0..n {
        // SAFETY: `n` points and results, and `env` is a number.
        unsafe {
            if *x.add(i) < 0.0 {
                failed_at.write(i);
                return 1;
            }
            ret.add(i).write(*x.add(i) + *env.cast::<f64>());
        }
    }
    0
}

unsafe extern "C" fn describe(_: *const CallbackRecord, _: *const c_void, _: *mut c_char, _: usize) -> usize {
    0
}
unsafe extern "C" fn discard(_: *const CallbackRecord, _: *mut c_void) {}
unsafe extern "C" fn release(record: *mut CallbackRecord) {
    // SAFETY: the record that is released.
    unsafe { (*record).release = None }
}

#[test]
fn the_block_form_of_a_record_is_called() {
    static FIVE: f64 = 5.0;
    let mut record = CallbackRecord {
        abi_version: ABI_VERSION,
        size: size_of::<CallbackRecord>() as u32,
        signature: c"f64(f64)".as_ptr(),
        entry: entry as *const c_void,
        block: block as *const c_void,
        env: (&raw const FIVE).cast(),
        raise: None,
        describe: Some(describe),
        discard: Some(discard),
        release: Some(release),
        private_data: std::ptr::null_mut(),
    };
    // SAFETY: a complete record that nobody else has.
    let shared = unsafe { Shared::take(&mut record) }.unwrap();
    let f = Callback::<(f64,), f64>::from_shared(shared, Callback::<(f64,), f64>::signature()).unwrap();
    assert!(f.has_block());
    let mut results = [0.0; 3];
    f.clone().call_block((&[1.0, 2.0, 3.0],), &mut results).unwrap();
    assert_eq!(results, [6.0, 7.0, 8.0]);
    let failed = f.call_block((&[1.0, -2.0, 3.0],), &mut results).unwrap_err();
    assert_eq!(failed.index, 1);
}
