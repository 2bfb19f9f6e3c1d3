//! Calls a function of one number, and prints the parts of each error: `errors LIBRARY NAME NUMBER...`.

ringback::callback! {
    /// f64(f64)
    pub struct Real(x: f64) -> f64;
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let library = ringback::Library::open(arguments.next().ok_or("errors LIBRARY NAME NUMBER...")?)?;
    let f: Real = library.get(&arguments.next().ok_or("errors LIBRARY NAME NUMBER...")?)?;
    library.statistics(true);
    for number in arguments {
        match f.call(number.parse()?) {
            Ok(value) => println!("{value}"),
            Err(error) => {
                let function = error.place().map(|place| place.function);
                println!("{:?} {:?} {function:?} {:?} {:?}", error.class(), error.text(), error.file(), error.line());
            }
        }
    }
    let counts = library.statistics(false);
    println!("leaked {}", counts.allocated - counts.freed);
    Ok(())
}
