ringback::callback! { pub struct Unnamed(f64, &[f64]) -> f64; }
ringback::callback! { pub struct Hole(_: f64) -> f64; }
ringback::callback! { pub fn function(x: f64) -> f64; }
ringback::callback! { pub struct First(x: f64) -> f64; pub struct Second(x: f64) -> f64; }

fn main() {}
