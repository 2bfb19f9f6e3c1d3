ringback::callback! { pub struct F(x: &[f64], y: &[f64]) -> f64 where x.len() == y.len(); }
ringback::callback! { pub struct G(x: &[f64]) -> f64 where len(x) == 3; }

fn main() {}
