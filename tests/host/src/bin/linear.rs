//! Calls functions of two matrices that fill a vector: `linear LIBRARY < lines`. A line is a name, the numbers' type, the layout,
//! rows and columns of either matrix, the length of the result, and the elements row by row; a complex number is two words.
//! It is answered by the bits of the result, or by the error.

use std::error::Error;
use std::io::{BufRead, stdin};

use num_complex::Complex;
use ringback::Library;
use ringback::view::{C, F, Strided, View};

/// A number as words of 16 hexadecimal digits: the bits of its parts, in double precision.
trait Words: Copy + Default {
    const COUNT: usize;
    fn read(parts: &[f64]) -> Self;
    fn write(self) -> Vec<f64>;
}

macro_rules! words {
    ($($real:ty),*) => {$(
        impl Words for $real {
            const COUNT: usize = 1;
            fn read(parts: &[f64]) -> Self {
                parts[0] as $real
            }
            fn write(self) -> Vec<f64> {
                vec![f64::from(self)]
            }
        }
        impl Words for Complex<$real> {
            const COUNT: usize = 2;
            fn read(parts: &[f64]) -> Self {
                Complex::new(parts[0] as $real, parts[1] as $real)
            }
            fn write(self) -> Vec<f64> {
                vec![f64::from(self.re), f64::from(self.im)]
            }
        }
    )*};
}
words!(f32, f64);

struct Matrix<T> {
    rows: usize,
    columns: usize,
    data: Vec<T>,
}

impl<T: Words> Matrix<T> {
    fn read(rows: &str, columns: &str, words: &str) -> Result<Self, Box<dyn Error>> {
        let parts = words.split(',').map(|word| u64::from_str_radix(word, 16).map(f64::from_bits));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let data = parts.chunks_exact(T::COUNT).map(T::read).collect();
        Ok(Matrix { rows: rows.parse()?, columns: columns.parse()?, data })
    }

    fn by_columns(&self) -> Vec<T> {
        (0..self.columns).flat_map(|j| (0..self.rows).map(move |i| self.data[i * self.columns + j])).collect()
    }

    /// Every third number of a longer vector, backwards.
    fn spread(&self) -> Vec<T> {
        self.data.iter().rev().flat_map(|&value| [value, T::default(), T::default()]).collect()
    }
}

macro_rules! call {
    ($t:ty, $library:ident, $parts:ident) => {{
        let a = Matrix::<$t>::read($parts[3], $parts[4], $parts[8])?;
        let b = Matrix::<$t>::read($parts[5], $parts[6], $parts[9])?;
        let (name, shape_a, shape_b) = ($parts[0], [a.rows, a.columns], [b.rows, b.columns]);
        let mut out = vec![<$t>::default(); $parts[7].parse()?];
        match $parts[2] {
            "C" => {
                ringback::callback! { /// Of matrices by rows.
                struct Rows(a: View<'_, $t, 2, C>, b: View<'_, $t, 2, C>, out: &mut [$t]); }
                let f: Rows = $library.get(name)?;
                f.call(View::<$t, 2, C>::new(&a.data, shape_a)?, View::<$t, 2, C>::new(&b.data, shape_b)?, &mut out)?;
            }
            "F" => {
                ringback::callback! { /// Of matrices by columns.
                struct Columns(a: View<'_, $t, 2, F>, b: View<'_, $t, 2, F>, out: &mut [$t]); }
                let f: Columns = $library.get(name)?;
                let (a, b) = (a.by_columns(), b.by_columns());
                f.call(View::<$t, 2, F>::new(&a, shape_a)?, View::<$t, 2, F>::new(&b, shape_b)?, &mut out)?;
            }
            _ => {
                ringback::callback! { /// Of any matrices.
                struct Any(a: View<'_, $t, 2, Strided>, b: View<'_, $t, 2, Strided>, out: &mut [$t]); }
                let f: Any = $library.get(name)?;
                let (data_a, data_b) = (a.spread(), b.spread());
                f.call(spread(&data_a, shape_a)?, spread(&data_b, shape_b)?, &mut out)?;
            }
        }
        out.into_iter().flat_map(Words::write).map(f64::to_bits).collect::<Vec<_>>()
    }};
}

fn spread<T>(data: &[T], shape: [usize; 2]) -> Result<View<'_, T, 2, Strided>, ringback::view::ShapeError> {
    View::<T, 2, Strided>::new(data, data.len() - 3, shape, [-3 * shape[1] as isize, -3])
}

fn answer(library: &Library, parts: &[&str]) -> Result<Vec<u64>, Box<dyn Error>> {
    Ok(match parts[1] {
        "f32" => call!(f32, library, parts),
        "f64" => call!(f64, library, parts),
        "c64" => call!(Complex<f32>, library, parts),
        "c128" => call!(Complex<f64>, library, parts),
        other => return Err(format!("no such numbers here: {other}").into()),
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let library = Library::open(std::env::args().nth(1).ok_or("linear LIBRARY")?)?;
    library.statistics(true);
    for line in stdin().lock().lines() {
        let line = line?;
        match answer(&library, &line.split('\t').collect::<Vec<_>>()) {
            Ok(bits) => println!("{}", bits.iter().map(|b| format!("{b:016x}")).collect::<Vec<_>>().join(",")),
            Err(error) => println!("error: {error}"),
        }
    }
    let counts = library.statistics(false);
    println!("leaked {} {}", counts.allocated - counts.freed, counts.made - counts.destroyed);
    println!("blas {}", library.manifest().blas.join(" "));
    println!("python {}", std::fs::read_to_string("/proc/self/maps")?.contains("libpython"));
    Ok(())
}
