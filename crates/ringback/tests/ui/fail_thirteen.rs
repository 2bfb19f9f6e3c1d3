ringback::callback! {
    pub struct Many(
        a: f64, b: f64, c: f64, d: f64, e: f64, f: f64, g: f64, h: f64, i: f64, j: f64, k: f64, l: f64, m: f64,
    ) -> f64;
}

fn main() {}
