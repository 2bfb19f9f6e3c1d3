//! The macro's own names are not in the author's way, nor his in the macro's.
#![forbid(unsafe_code)]
#![deny(warnings)]
#![no_implicit_prelude]

/// Names of the prelude that mean something else here.
#[allow(dead_code, reason = "only to be in the way")]
pub mod shadows {
    pub type Result<T> = ::core::result::Result<T, ()>;
    pub struct Error;
    pub struct Ok;
    pub struct Err;
    pub trait Clone {}
    pub trait Fn {}
    pub mod core {}
    pub mod std {}
    pub mod ringback {}

    ::ringback::callback! {
        /// Parameters named like what is inside of the macro.
        pub struct Names(
            x: f64, out: &[f64], error: &mut [f64], ret: f64, results: f64, first: f64, second: f64, function: f64, shared: f64,
            r#type: f64,
        ) -> f64 where len(out) == len(error)
    }
}

fn main() {
    ::ringback::callback! { struct Local(x: f64) -> f64 }
    let f = Local::from_fn(|x| ::core::result::Result::Ok(x + 1.0));
    ::core::assert_eq!(f.call(1.0).ok(), ::core::option::Option::Some(2.0));
    let names = shadows::Names::from_fn(|_, _, error, _, _, _, _, _, _, _| {
        error[0] = 3.0;
        ::core::result::Result::Ok(1.0)
    });
    let mut error = [0.0];
    ::core::assert!(names.call(0.0, &[1.0], &mut error, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0).is_ok());
    ::core::assert_eq!(error, [3.0]);

    // Not every method of a type is used.
    ::ringback::callback! { struct InBlocks(x: f64) -> f64; }
    let mut results = [0.0];
    let f = InBlocks::from_fn(|x| ::core::result::Result::Ok(2.0 * x));
    ::core::assert!(f.call_block(&[1.0], &mut results).is_ok());
    ::core::assert_eq!(results, [2.0]);
}
