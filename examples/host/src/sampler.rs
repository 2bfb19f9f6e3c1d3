//! Hamiltonian Monte Carlo for two parameters: as much of a sampler as an example needs.

use ringback::Error;

use crate::model::Logp;

const STEPS: usize = 10;
const STEP: f64 = 0.1;

/// Random numbers: a 64-bit linear congruential generator, of which the upper bits are used.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// The means of the parameters over `draws` draws.
///
/// # Errors
/// What the log density raised. A sampler that is to survive it would ask `Error::is_raised` and reject the step.
pub fn means(logp: &Logp, start: [f64; 2], draws: usize) -> Result<[f64; 2], Error> {
    let mut random = Random(1);
    let mut x = start;
    let mut grad = [0.0; 2];
    let mut density = logp.call(&x, &mut grad)?;
    let mut sums = [0.0; 2];
    for _ in 0..draws {
        let (mut y, mut slope) = (x, grad);
        let mut momentum = [random.normal(), random.normal()];
        let before = density - 0.5 * momentum.iter().map(|p| p * p).sum::<f64>();
        let mut there = density;
        for _ in 0..STEPS {
            (0..2).for_each(|i| momentum[i] += 0.5 * STEP * slope[i]);
            (0..2).for_each(|i| y[i] += STEP * momentum[i]);
            there = logp.call(&y, &mut slope)?;
            (0..2).for_each(|i| momentum[i] += 0.5 * STEP * slope[i]);
        }
        let after = there - 0.5 * momentum.iter().map(|p| p * p).sum::<f64>();
        if random.uniform().ln() < after - before {
            (x, grad, density) = (y, slope, there);
        }
        (0..2).for_each(|i| sums[i] += x[i]);
    }
    Ok(sums.map(|sum| sum / draws as f64))
}
