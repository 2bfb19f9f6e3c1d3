ringback::callback! { pub struct Writes(a: &mut [f64]); }

fn main() {
    let f = Writes::from_fn(|_| Ok(()));
    let x = [0.0];
    let _ = f.call(&x);
}
