ringback::callback! { pub struct Text(t: String) -> f64; }

fn main() {}
