ringback::callback! { pub struct Scalar(t: f64) -> f64; }

fn main() {
    let f = Scalar::from_fn(|t| Ok(t));
    let _ = f.call(1_i64);
}
