ringback::callback! { pub struct Both(a: &mut [f64], b: &mut [f64]); }

fn main() {
    let f = Both::from_fn(|_, _| Ok(()));
    let mut x = [0.0];
    let _ = f.call(&mut x, &mut x);
}
