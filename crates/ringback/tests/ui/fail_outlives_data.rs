ringback::callback! { pub struct Scalar(t: f64) -> f64; }

fn make() -> Scalar {
    let data = vec![1.0];
    Scalar::from_fn(|t| Ok(t + data[0]))
}

fn main() {
    let _ = make();
}
