use std::cell::Cell;

ringback::callback! { pub struct Scalar(t: f64) -> f64; }

fn main() {
    let calls = Cell::new(0);
    let _ = Scalar::from_fn(move |t| {
        calls.set(calls.get() + 1);
        Ok(t)
    });
}
