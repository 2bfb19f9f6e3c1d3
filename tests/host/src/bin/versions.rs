//! Replaces a library while it is loaded: `versions FIRST SECOND PLACE NAME`. Prints what each version gives for 1, and again
//! once both are loaded; then what becomes of a handle whose library and whose file are gone, and of one on another thread.

use ringback::Library;

ringback::callback! {
    /// f64(f64)
    pub struct Real(x: f64) -> f64;
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, second, place, name] = arguments.as_slice() else { return Err("FIRST SECOND PLACE NAME".into()) };
    let mut handles = Vec::new();
    // There and back: the first version is loaded by another name when it comes again.
    for file in [first, second, first] {
        std::fs::copy(file, format!("{place}.new"))?;
        std::fs::rename(format!("{place}.new"), place)?;
        let f: Real = Library::open(place)?.get(name)?;
        println!("{}", f.call(1.0)?);
        handles.push(f);
    }
    std::fs::remove_file(place)?;
    let threads: Vec<_> = handles.into_iter().map(|f| std::thread::spawn(move || f.call(1.0))).collect();
    for thread in threads {
        println!("{}", thread.join().map_err(|_| "a thread panicked")??);
    }
    // Nothing of any version is loaded any more.
    println!("{}", std::fs::read_to_string("/proc/self/maps")?.contains(place));
    let error = Library::open("a\0b").unwrap_err();
    println!("{error}");
    Ok(())
}
