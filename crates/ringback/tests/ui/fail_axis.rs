ringback::callback! { pub struct F(x: &[f64], y: &[f64]) -> f64 where dim(x, 1) == len(y); }
ringback::callback! { pub struct G(t: f64, y: &[f64]) -> f64 where len(t) == len(y); }

fn main() {}
