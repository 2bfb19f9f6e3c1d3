use std::sync::Mutex;

ringback::callback! { pub struct Reads(x: &[f64]); }

static KEPT: Mutex<Vec<&'static [f64]>> = Mutex::new(Vec::new());

fn main() {
    let _ = Reads::from_fn(|x| {
        KEPT.lock().unwrap().push(x);
        Ok(())
    });
}
