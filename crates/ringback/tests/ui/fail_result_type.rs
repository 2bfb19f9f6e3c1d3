ringback::callback! { pub struct Makes(t: f64) -> Vec<f64>; }

fn main() {}
