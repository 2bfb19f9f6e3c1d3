ringback::callback! { pub struct Of<T>(x: T) -> f64; }

fn main() {}
