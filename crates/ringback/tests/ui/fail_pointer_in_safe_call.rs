ringback::callback! { pub struct Pointer(p: *const f64) -> f64; }

fn main() {}
