//! Wynn's epsilon algorithm: speeds up the convergence of a sequence of approximations to the integral.
//!
//! P. Wynn, "On a device for computing the e_m(S_n) transformation", MTAC 10 (1956); the rules for leaving out
//! irregular parts of the table and for the error estimate are those of QUADPACK's `qelg`.

/// With this many elements the oldest diagonal is given up.
const CAPACITY: usize = 50;

/// A limit and how far it may be from the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extrapolated {
    pub(crate) value: f64,
    /// At least five times the rounding error of `value`; `f64::MAX` while there is no ground for a judgement.
    pub(crate) error: f64,
}

/// The lowest two diagonals of the epsilon table, interleaved: all that is needed to add another element.
#[derive(Debug, Clone)]
pub(crate) struct EpsilonTable {
    entries: [f64; CAPACITY + 2],
    len: usize,
    /// The last three results, from which the error of the next one is judged.
    history: [f64; 3],
    calls: usize,
}

impl Default for EpsilonTable {
    fn default() -> Self {
        Self::new(0.0)
    }
}

impl EpsilonTable {
    /// A table that holds the first element of the sequence.
    #[inline]
    pub(crate) fn new(first: f64) -> Self {
        let mut entries = [0.0; CAPACITY + 2];
        entries[0] = first;
        Self { entries, len: 1, history: [0.0; 3], calls: 0 }
    }

    /// Begins another sequence. Nothing is left of the old one.
    #[inline]
    pub(crate) fn restart(&mut self, first: f64) {
        self.entries[0] = first;
        self.len = 1;
        // A result that has converged does not get there, so that the fourth may meet what an earlier sequence left.
        self.history = [0.0; 3];
        self.calls = 0;
    }

    /// How many elements are in use. One means that nothing but the newest element was worth keeping.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Appends the next element of the sequence.
    #[inline]
    pub(crate) fn push(&mut self, element: f64) {
        if self.len == CAPACITY {
            // Only after an extrapolation that found the limit and was asked for more: drop the oldest diagonal.
            self.entries.copy_within(2..self.len, 0);
            self.len -= 2;
        }
        self.entries[self.len] = element;
        self.len += 1;
    }

    /// Computes the diagonal that starts at the newest element; returns its entry with the least estimated error.
    ///
    /// May shorten the table, where neighbours are too close or too irregular for a quotient of their differences.
    pub(crate) fn extrapolate(&mut self) -> Extrapolated {
        let newest = self.len - 1;
        self.calls += 1;
        let mut best = Extrapolated { value: self.entries[newest], error: f64::MAX };
        if newest < 2 {
            return best;
        }
        self.entries[newest + 2] = self.entries[newest];
        self.entries[newest] = f64::MAX;

        let steps = newest / 2;
        let mut kept = newest;
        for step in 0..steps {
            let k = newest - 2 * step;
            match self.rhombus(k) {
                Rhombus::Converged(limit) => return limit,
                Rhombus::Irregular => {
                    kept = 2 * step;
                    break;
                }
                Rhombus::Element(element) => {
                    if element.error <= best.error {
                        best = element;
                    }
                }
            }
        }
        if kept == CAPACITY - 1 {
            kept = CAPACITY - 2;
        }
        self.shift(newest, steps, kept);

        // The first three results only fill the history.
        if self.calls < 4 {
            self.history[self.calls - 1] = best.value;
            best.error = f64::MAX;
        } else {
            let [oldest, older, old] = self.history;
            best.error = (best.value - old).abs() + (best.value - older).abs() + (best.value - oldest).abs();
            self.history = [older, old, best.value];
        }
        floor_at_rounding(best)
    }

    /// One step along the new diagonal. In the table, with `new` to be found:
    ///
    /// ```text
    ///        e0
    ///    e3  e1  new
    ///        e2
    /// ```
    fn rhombus(&mut self, k: usize) -> Rhombus {
        let e0 = self.entries[k - 2];
        let e1 = self.entries[k - 1];
        let e2 = self.entries[k + 2];
        let below = e2 - e1;
        let above = e1 - e0;
        let below_is_flat = below.abs() <= e2.abs().max(e1.abs()) * f64::EPSILON;
        let above_is_flat = above.abs() <= e1.abs().max(e0.abs()) * f64::EPSILON;
        if below_is_flat && above_is_flat {
            let error = below.abs() + above.abs();
            return Rhombus::Converged(floor_at_rounding(Extrapolated { value: e2, error }));
        }

        let e3 = self.entries[k];
        self.entries[k] = e1;
        let left = e1 - e3;
        let left_is_flat = left.abs() <= e1.abs().max(e3.abs()) * f64::EPSILON;
        if left_is_flat || below_is_flat || above_is_flat {
            return Rhombus::Irregular;
        }
        // The first step has no left neighbour, only a huge stand-in (see `extrapolate`). Its inverse is subnormal,
        // far below the rounding error of the sum, and processors take very long to compute such numbers.
        let no_neighbour = e3 == f64::MAX && e1.abs() < 1e290 && below.abs() < 1e290;
        let inverse_left = (if no_neighbour { 0.0 } else { 1.0 }) / left;
        let slope = inverse_left + 1.0 / below - 1.0 / above;
        let regular = (slope * e1).abs() > 1e-4; // false for NaN too
        if !regular {
            return Rhombus::Irregular;
        }
        let value = e1 + 1.0 / slope;
        self.entries[k] = value;
        Rhombus::Element(Extrapolated { value, error: below.abs() + (value - e2).abs() + above.abs() })
    }

    /// Makes the new diagonal the lowest one and drops all but the last `kept + 1` elements.
    fn shift(&mut self, newest: usize, steps: usize, kept: usize) {
        let parity = newest % 2;
        for i in 0..=steps {
            self.entries[2 * i + parity] = self.entries[2 * i + 2 + parity];
        }
        if kept != newest {
            self.entries.copy_within(newest - kept..=newest, 0);
        }
        self.len = kept + 1;
    }
}

/// What [`EpsilonTable::rhombus`] found.
enum Rhombus {
    /// Three successive elements agree to rounding: this is the limit.
    Converged(Extrapolated),
    /// The rest of the diagonal cannot be trusted.
    Irregular,
    /// A new element, already stored.
    Element(Extrapolated),
}

#[inline]
fn floor_at_rounding(x: Extrapolated) -> Extrapolated {
    Extrapolated { value: x.value, error: x.error.max(5.0 * f64::EPSILON * x.value.abs()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a sequence as the adaptive algorithm does and returns what the last extrapolation said.
    fn limit(sequence: impl IntoIterator<Item = f64>) -> (Extrapolated, EpsilonTable) {
        let mut sequence = sequence.into_iter();
        let mut table = EpsilonTable::new(sequence.next().unwrap());
        let mut last = Extrapolated { value: f64::NAN, error: f64::NAN };
        for element in sequence {
            table.push(element);
            if table.len() > 2 {
                last = table.extrapolate();
            }
        }
        (last, table)
    }

    #[test]
    fn a_geometric_sequence_is_summed_at_once() {
        let (result, _) = limit((0..3).map(|n| 2.0 - 0.5_f64.powi(n)));
        assert_eq!(result.value, 2.0);
        assert_eq!(result.error, f64::MAX, "one result gives no ground for an error estimate");
    }

    #[test]
    fn the_leibniz_series_gains_many_digits() {
        let partial_sums = (0..18).scan(0.0, |sum, k| {
            *sum += if k % 2 == 0 { 4.0 } else { -4.0 } / f64::from(2 * k + 1);
            Some(*sum)
        });
        let (result, _) = limit(partial_sums);
        let actual = (result.value - std::f64::consts::PI).abs();
        assert!(actual < 1e-11, "{actual:e}");
        assert!(actual <= result.error);
    }

    #[test]
    fn a_constant_sequence_has_converged_to_rounding() {
        let (result, _) = limit([0.3; 3]);
        assert_eq!(result.value, 0.3);
        assert_eq!(result.error, 5.0 * f64::EPSILON * 0.3);
    }

    #[test]
    fn the_error_is_the_distance_to_the_last_three_results() {
        let mut table = EpsilonTable::new(1.0);
        let mut results = Vec::new();
        for n in 2..8 {
            table.push((1..=n).map(|k| 1.0 / f64::from(k * k)).sum());
            if table.len() > 2 {
                results.push(table.extrapolate());
            }
        }
        for window in results.windows(4) {
            if let [a, b, c, d] = window {
                let spread = (d.value - c.value).abs() + (d.value - b.value).abs() + (d.value - a.value).abs();
                assert!((d.error - spread).abs() <= 1e-15);
            }
        }
        assert!(results[..3].iter().all(|r| r.error == f64::MAX));
    }

    #[test]
    fn nothing_is_left_of_an_earlier_sequence() {
        // The first three have converged and leave no history.
        let second = || (0..12).map(|n| if n < 5 { 0.3 } else { 0.3 + 0.5_f64.powi(n) });
        let (fresh, _) = limit(second());
        let (_, mut table) = limit((0..9).map(|n| 0.3 - 0.7_f64.powi(n)));
        table.restart(0.3);
        let mut last = fresh;
        for element in second().skip(1) {
            table.push(element);
            if table.len() > 2 {
                last = table.extrapolate();
            }
            if table.calls == 4 {
                break;
            }
        }
        let mut new = EpsilonTable::new(0.3);
        for element in second().skip(1) {
            new.push(element);
            let found = if new.len() > 2 { new.extrapolate() } else { fresh };
            if new.calls == 4 {
                assert_eq!(last, found);
                return;
            }
        }
        panic!("there are not so many results");
    }

    #[test]
    fn the_table_never_outgrows_its_capacity() {
        // Logarithmic convergence with enough irregularity that nothing is ever left out.
        let (_, table) = limit((1..400).map(|n| f64::from(n).ln() + (f64::from(n) * 1.7).sin()));
        assert!(table.len() <= CAPACITY);
        let (_, table) = limit([0.7; 200]);
        assert!(table.len() <= CAPACITY);
    }
}
