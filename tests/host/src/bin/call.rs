//! Calls functions of a library: `call LIBRARY < lines`. A line is a name, a signature and the arguments; an argument is
//! words of 16 hexadecimal digits (the bits of the numbers), joined by commas. Matrices have 2 rows of 3.
//! Each line is answered by the bits of the result and of the arrays that were written to, or by the error.

use std::io::{BufRead, stdin};

use num_complex::Complex;
use ringback::view::{C, F, Strided, View, ViewMut};
use ringback::{Error, Library};

ringback::callback! { /// f64(f64)
pub struct Real(x: f64) -> f64; }
ringback::callback! { /// f64(f64, f64)
pub struct Two(x: f64, y: f64) -> f64; }
ringback::callback! { /// f64(f64, i64)
pub struct Power(x: f64, n: i64) -> f64; }
ringback::callback! { /// i64(i64)
pub struct Whole(n: i64) -> i64; }
ringback::callback! { /// u8(u8)
pub struct Byte(n: u8) -> u8; }
ringback::callback! { /// f32(f32)
pub struct Single(x: f32) -> f32; }
ringback::callback! { /// bool(f64)
pub struct Test(x: f64) -> bool; }
ringback::callback! { /// c128(c128)
pub struct Plane(z: Complex<f64>) -> Complex<f64>; }
ringback::callback! { /// [f64; 3](f64)
pub struct Three(x: f64) -> [f64; 3]; }
ringback::callback! { /// f64()
pub struct Nothing() -> f64; }
ringback::callback! { /// f64([f64])
pub struct Row(x: &[f64]) -> f64; }
ringback::callback! { /// f64([f64], [f64])
pub struct Rows(x: &[f64], y: &[f64]) -> f64; }
ringback::callback! { /// f64([f64; n], mut [f64; n])
pub struct Density(x: &[f64], grad: &mut [f64]) -> f64 where len(x) == len(grad); }
ringback::callback! { /// void(mut [f64])
pub struct Change(x: &mut [f64]); }
ringback::callback! { /// f64([f64; :, :])
pub struct Matrix(m: View<'_, f64, 2, C>) -> f64; }
ringback::callback! { /// f64([f64; :, :; F])
pub struct MatrixF(m: View<'_, f64, 2, F>) -> f64; }
ringback::callback! { /// f64([f64; :, :; any])
pub struct MatrixAny(m: View<'_, f64, 2, Strided>) -> f64; }
ringback::callback! { /// void(mut [f64; :, :])
pub struct ChangeMatrix(m: ViewMut<'_, f64, 2, C>); }

type Bits = Vec<u64>;

fn floats(bits: &[u64]) -> Vec<f64> {
    bits.iter().map(|&b| f64::from_bits(b)).collect()
}

fn words(values: &[f64]) -> Bits {
    values.iter().map(|v| v.to_bits()).collect()
}

/// The result's bits and, behind them, those of the array that was written to.
fn call(library: &Library, name: &str, signature: &str, a: &[Bits]) -> Result<Bits, Box<dyn std::error::Error>> {
    let real = |i: usize| f64::from_bits(a[i][0]);
    let both =
        |result: Result<f64, Error>, written: &[f64]| result.map(|value| [words(&[value]), words(written)].concat());
    Ok(match signature {
        "f64(f64)" => words(&[library.get::<Real>(name)?.call(real(0))?]),
        "f64(f64, f64)" => words(&[library.get::<Two>(name)?.call(real(0), real(1))?]),
        "f64(f64, i64)" => words(&[library.get::<Power>(name)?.call(real(0), a[1][0] as i64)?]),
        "i64(i64)" => vec![library.get::<Whole>(name)?.call(a[0][0] as i64)? as u64],
        "u8(u8)" => vec![u64::from(library.get::<Byte>(name)?.call(a[0][0] as u8)?)],
        "f32(f32)" => vec![f64::from(library.get::<Single>(name)?.call(real(0) as f32)?).to_bits()],
        "bool(f64)" => vec![u64::from(library.get::<Test>(name)?.call(real(0))?)],
        "c128(c128)" => {
            let z = library.get::<Plane>(name)?.call(Complex::new(real(0), f64::from_bits(a[0][1])))?;
            words(&[z.re, z.im])
        }
        "[f64; 3](f64)" => words(&library.get::<Three>(name)?.call(real(0))?),
        "f64()" => words(&[library.get::<Nothing>(name)?.call()?]),
        "f64([f64])" => words(&[library.get::<Row>(name)?.call(&floats(&a[0]))?]),
        "f64([f64], [f64])" => words(&[library.get::<Rows>(name)?.call(&floats(&a[0]), &floats(&a[1]))?]),
        "f64([f64], mut [f64])" => {
            let mut grad = floats(&a[1]);
            let result = library.get::<Density>(name)?.into_inner().call((&floats(&a[0]), &mut grad));
            both(result, &grad)?
        }
        "void(mut [f64])" => {
            let mut x = floats(&a[0]);
            library.get::<Change>(name)?.call(&mut x)?;
            words(&x)
        }
        "f64([f64; :, :])" => {
            words(&[library.get::<Matrix>(name)?.call(View::<f64, 2, C>::new(&floats(&a[0]), [2, 3])?)?])
        }
        "f64([f64; :, :; F])" => {
            words(&[library.get::<MatrixF>(name)?.call(View::<f64, 2, F>::new(&floats(&a[0]), [2, 3])?)?])
        }
        "f64([f64; :, :; any])" => {
            let data = floats(&a[0]);
            // Every second element, backwards along the rows.
            let view = View::<f64, 2, Strided>::new(&data, 4, [2, 3], [6, -2])?;
            words(&[library.get::<MatrixAny>(name)?.call(view)?])
        }
        "void(mut [f64; :, :])" => {
            let mut m = floats(&a[0]);
            library.get::<ChangeMatrix>(name)?.call(ViewMut::<f64, 2, C>::new(&mut m, [2, 3])?)?;
            words(&m)
        }
        other => return Err(format!("no such signature here: {other}").into()),
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("call LIBRARY")?;
    let library = Library::open(path)?;
    library.statistics(true);
    for line in stdin().lock().lines() {
        let line = line?;
        let mut parts = line.split('\t');
        let (name, signature) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let arguments: Vec<Bits> = parts
            .map(|part| {
                part.split(',').filter(|word| !word.is_empty()).map(|word| u64::from_str_radix(word, 16)).collect()
            })
            .collect::<Result<_, _>>()?;
        match call(&library, name, signature, &arguments) {
            Ok(bits) => println!("{}", bits.iter().map(|b| format!("{b:016x}")).collect::<Vec<_>>().join(",")),
            Err(error) => println!("error: {error}"),
        }
    }
    let counts = library.statistics(false);
    println!("leaked {} {}", counts.allocated - counts.freed, counts.made - counts.destroyed);
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    println!("python {}", maps.contains("libpython") || maps.contains("_ringback"));
    Ok(())
}
