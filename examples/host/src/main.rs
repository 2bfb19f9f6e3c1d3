//! Integrates and samples functions that were written in Python, in a process without Python.
//!
//! `ringback-host FILE` loads them from a file; built with the feature `linked`, they are in the program.

use std::error::Error;

use ringback_engines::{Integrand, Options, quad};

mod model {
    include!(env!("MODEL_RS"));
}
mod sampler;

use model::Model;

/// The function as the engine takes it: in blocks of points.
struct Blocks<'a>(&'a model::Integrand);

impl Integrand for Blocks<'_> {
    type Error = ringback::Error;

    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), ringback::Error> {
        Ok(self.0.call_block(x, y)?)
    }
}

#[cfg(not(feature = "linked"))]
fn model() -> Result<Model, Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("the name of the library is missing: ringback-host model.so")?;
    Ok(Model::open(path)?)
}

#[cfg(feature = "linked")]
fn model() -> Result<Model, Box<dyn Error>> {
    Ok(Model::linked()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let model = model()?;

    let integral = quad(Blocks(&model.integrand), 1.0, f64::INFINITY, &[], &Options::default())?;
    println!("integral {:.12} error {:.1e} points {}", integral.value, integral.error, integral.neval);

    let [mean, log_deviation] = sampler::means(&model.logp, [5.0, 0.0], 5000)?;
    println!("mean {mean:.3} log deviation {log_deviation:.3}");

    // An exception is an error with its class, its values, and its place.
    if let Err(error) = model.logp.call(&[5.0, 21.5], &mut [0.0, 0.0]) {
        println!("{error}");
    }
    Ok(())
}
