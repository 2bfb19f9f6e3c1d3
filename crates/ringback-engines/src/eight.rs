//! Eight numbers side by side, in whatever vectors the processor has: the one place that knows the crate `pulp`.
//!
//! There is one order of operations for all processors, and nothing is fused, so that results do not depend on the
//! machine: narrow vectors only take more of them.

use std::ops::{Add, Div, Mul, Sub};

pub(crate) use pulp::{Simd, WithSimd};

/// How many numbers are done at once.
pub(crate) const EIGHT: usize = 8;

/// The instructions that this processor has, asked for once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processor(pulp::Arch);

impl Processor {
    #[inline]
    pub(crate) fn new() -> Self {
        Self(pulp::Arch::new())
    }

    /// Runs code that was compiled for these instructions.
    #[inline(always)]
    pub(crate) fn run<W: WithSimd>(self, work: W) -> W::Output {
        self.0.dispatch(work)
    }
}

/// Eight numbers. What is done to one is done to all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Eight<S: Simd> {
    simd: S,
    /// As many of them as eight numbers take.
    registers: [S::f64s; EIGHT],
}

impl<S: Simd> Eight<S> {
    const REGISTERS: usize = EIGHT / S::F64_LANES;

    #[inline(always)]
    pub(crate) fn splat(simd: S, number: f64) -> Self {
        Self { simd, registers: [simd.splat_f64s(number); EIGHT] }
    }

    #[inline(always)]
    pub(crate) fn load(simd: S, numbers: &[f64; EIGHT]) -> Self {
        let mut eight = Self::splat(simd, 0.0);
        let (registers, _) = S::as_simd_f64s(numbers);
        eight.registers[..Self::REGISTERS].copy_from_slice(registers);
        eight
    }

    #[inline(always)]
    pub(crate) fn store(&self, numbers: &mut [f64; EIGHT]) {
        let (registers, _) = S::as_mut_simd_f64s(numbers);
        registers.copy_from_slice(&self.registers[..Self::REGISTERS]);
    }

    #[inline(always)]
    pub(crate) fn abs(mut self) -> Self {
        for i in 0..Self::REGISTERS {
            self.registers[i] = self.simd.abs_f64s(self.registers[i]);
        }
        self
    }

    /// The sum of all eight: of numbers four apart, of those two apart, of the rest.
    #[inline(always)]
    pub(crate) fn sum(mut self) -> f64 {
        let mut left = Self::REGISTERS;
        while left > 1 {
            left /= 2;
            for i in 0..left {
                self.registers[i] = self.simd.add_f64s(self.registers[i], self.registers[i + left]);
            }
        }
        // It halves in the same way.
        self.simd.reduce_sum_f64s(self.registers[0])
    }
}

/// No closures here, nor where these are used: one that is not inlined is compiled for the oldest processor.
macro_rules! operator {
    ($trait:ident, $method:ident, $simd:ident) => {
        impl<S: Simd> $trait for Eight<S> {
            type Output = Self;
            #[inline(always)]
            fn $method(mut self, other: Self) -> Self {
                for i in 0..Self::REGISTERS {
                    self.registers[i] = self.simd.$simd(self.registers[i], other.registers[i]);
                }
                self
            }
        }
    };
}

operator!(Add, add, add_f64s);
operator!(Sub, sub, sub_f64s);
operator!(Mul, mul, mul_f64s);
operator!(Div, div, div_f64s);

#[cfg(test)]
mod tests {
    use super::*;

    struct Work([f64; EIGHT], [f64; EIGHT]);

    impl WithSimd for Work {
        type Output = ([f64; EIGHT], f64);
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let (x, y) = (Eight::load(simd, &self.0), Eight::load(simd, &self.1));
            let two = Eight::splat(simd, 2.0);
            let z = ((x - y).abs() * two + x) / y;
            let mut out = [0.0; EIGHT];
            z.store(&mut out);
            (out, z.sum())
        }
    }

    #[test]
    fn every_processor_gets_the_same_bits() {
        let x = std::array::from_fn(|i| (i as f64 * 0.7 - 2.0).exp());
        let y = std::array::from_fn(|i| (i as f64 * 1.3).sin() - 0.1);
        let z: [f64; EIGHT] = std::array::from_fn(|i| ((x[i] - y[i]).abs() * 2.0 + x[i]) / y[i]);
        let [a, b, c, d] = std::array::from_fn(|i| z[i] + z[i + 4]);
        let expected = (z, (a + c) + (b + d));
        assert_eq!(Processor::new().run(Work(x, y)), expected);
        assert_eq!(pulp::Arch::Scalar.dispatch(Work(x, y)), expected);
        #[cfg(all(target_arch = "x86_64", feature = "vectors"))]
        if let Some(v3) = pulp::x86::V3::try_new() {
            assert_eq!(pulp::Arch::V3(v3).dispatch(Work(x, y)), expected);
        }
    }
}
