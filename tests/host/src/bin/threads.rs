//! Calls a function of one number on many threads at once, often: `threads LIBRARY NAME WORD...`, each a number's bits. Prints
//! for each number the bits of the result, which must always be the same.

ringback::callback! {
    /// f64(f64)
    pub struct Real(x: f64) -> f64;
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let library = ringback::Library::open(arguments.next().ok_or("threads LIBRARY NAME WORD...")?)?;
    let f: Real = library.get(&arguments.next().ok_or("threads LIBRARY NAME WORD...")?)?;
    let numbers: Vec<f64> =
        arguments.map(|word| u64::from_str_radix(&word, 16).map(f64::from_bits)).collect::<Result<_, _>>()?;
    let call = || numbers.iter().map(|&x| f.call(x).map(f64::to_bits)).collect::<Result<Vec<u64>, _>>();
    let wanted = call()?;
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..50).all(|_| call().is_ok_and(|got| got == wanted)))).collect();
        for thread in threads {
            if !thread.join().unwrap_or(false) {
                return Err("a thread had other results");
            }
        }
        Ok(())
    })?;
    for bits in wanted {
        println!("{bits:016x}");
    }
    Ok(())
}
