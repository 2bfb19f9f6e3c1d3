//! Calls a function of one number for many points, in one block and one by one: `blocks LIBRARY NAME < words`. Prints both.

use std::io::{BufRead, stdin};

ringback::callback! {
    /// f64(f64)
    pub struct Real(x: f64) -> f64;
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let library = ringback::Library::open(arguments.next().ok_or("blocks LIBRARY NAME")?)?;
    let f: Real = library.get(&arguments.next().ok_or("blocks LIBRARY NAME")?)?;
    // The handle alone keeps the library loaded.
    drop(library);
    let mut points = Vec::new();
    for line in stdin().lock().lines() {
        points.push(f64::from_bits(u64::from_str_radix(&line?, 16)?));
    }
    let mut results = vec![0.0; points.len()];
    f.call_block(&points, &mut results)?;
    for (point, result) in points.iter().zip(results) {
        println!("{:016x} {:016x}", result.to_bits(), f.call(*point)?.to_bits());
    }
    Ok(())
}
