//! Many integrals in step: while the processor waits for the sums of one, it works on those of the others.
//!
//! What each integral decides stays its own business ([`Integral`]), so that every result is, bit for bit, that of the
//! integral alone, whatever runs beside it.

use std::ops::Range;

use crate::eight::Processor;
use crate::integral::{Integral, Room};
use crate::quad::Side;
use crate::rule::{Finite, HalfLine, WholeLine};
use crate::{Options, QuadError, Quadrature};

/// How many integrals are under way at once: their memory fits into the first cache, and one of them waits about as long
/// as the steps of the others take.
pub const IN_STEP: usize = 8;

/// Integrals that are to be solved in step.
pub trait Batch {
    /// What a failed evaluation returns.
    type Error;

    /// How many points are evaluated at once: see [`Integrand::lanes`](crate::Integrand::lanes).
    fn lanes(&self) -> usize;

    /// The limits of the range of a problem.
    fn limits(&mut self, index: usize) -> (f64, f64);

    /// What is evaluated for this slot, one of [`IN_STEP`], belongs to this problem from now on.
    fn assign(&mut self, slot: usize, index: usize);

    /// Writes the values of the slot's integrand at the points `x` to `y`.
    ///
    /// # Errors
    ///
    /// Whatever the integrand fails with.
    fn eval(&mut self, slot: usize, x: &[f64], y: &mut [f64]) -> Result<(), Self::Error>;

    /// Takes a result, or why there is none.
    ///
    /// # Errors
    ///
    /// If the failure of this problem is to be the end. Those with lower indices are solved all the same.
    fn finish(&mut self, index: usize, result: Result<Quadrature, QuadError<Self::Error>>) -> Result<(), Self::Error>;
}

/// Memory for a batch. Used again, it is not allocated again.
#[derive(Debug, Default)]
pub struct BatchWorkspace {
    rooms: Vec<Room>,
}

/// Solves the problems with the indices given, as [`quad`](crate::quad) without `points` solves each of them.
///
/// Nothing is allocated once the workspace has been used with the same `limit`, up to 4096. For several threads, give a chunk of
/// the indices to each: [`sweep::run_chunks`](crate::sweep::run_chunks).
///
/// # Errors
///
/// The failure that ended it, of several that with the lowest index, and this index: see [`Batch::finish`].
///
/// ```
/// use std::convert::Infallible;
/// use ringback_engines::{Batch, BatchWorkspace, IN_STEP, Options, QuadError, Quadrature, quad_batch};
///
/// /// ∫₀^∞ e^(-kt) dt = 1/k for many `k`.
/// struct Decays<'a> {
///     k: &'a [f64],
///     slots: [f64; IN_STEP],
///     found: Vec<f64>,
/// }
///
/// impl Batch for Decays<'_> {
///     type Error = Infallible;
///     fn lanes(&self) -> usize {
///         1
///     }
///     fn limits(&mut self, _: usize) -> (f64, f64) {
///         (0.0, f64::INFINITY)
///     }
///     fn assign(&mut self, slot: usize, index: usize) {
///         self.slots[slot] = self.k[index];
///     }
///     fn eval(&mut self, slot: usize, x: &[f64], y: &mut [f64]) -> Result<(), Infallible> {
///         x.iter().zip(y).for_each(|(x, y)| *y = (-self.slots[slot] * x).exp());
///         Ok(())
///     }
///     fn finish(&mut self, index: usize, result: Result<Quadrature, QuadError<Infallible>>) -> Result<(), Infallible> {
///         self.found[index] = result.map_or(f64::NAN, |result| result.value);
///         Ok(())
///     }
/// }
///
/// let k: Vec<f64> = (1..100).map(f64::from).collect();
/// let mut batch = Decays { k: &k, slots: [0.0; IN_STEP], found: vec![0.0; k.len()] };
/// quad_batch(&mut BatchWorkspace::default(), &mut batch, 0..k.len(), &Options::default()).unwrap();
/// assert!(batch.found.iter().zip(&k).all(|(found, k)| (found * k - 1.0).abs() < 1e-7));
/// ```
pub fn quad_batch<B: Batch>(
    workspace: &mut BatchWorkspace,
    batch: &mut B,
    indices: Range<usize>,
    options: &Options,
) -> Result<(), (usize, B::Error)> {
    let BatchWorkspace { rooms } = workspace;
    rooms.resize_with(IN_STEP.max(rooms.len()), Room::default);
    let (processor, lanes) = (Processor::new(), batch.lanes());
    let mut end = End { before: indices.end, failure: None };
    let mut waiting = indices;
    let mut slots: [Option<Slot>; IN_STEP] = std::array::from_fn(|_| None);
    loop {
        let mut busy = false;
        for (slot, room) in rooms[..IN_STEP].iter_mut().enumerate() {
            if slots[slot].as_ref().is_some_and(|slot| slot.index >= end.before) {
                slots[slot] = None;
            }
            while slots[slot].is_none()
                && let Some(index) = waiting.next().filter(|index| *index < end.before)
            {
                slots[slot] = begin(batch, index, options, room, &mut end);
                if slots[slot].is_some() {
                    batch.assign(slot, index);
                }
            }
            if let Some(slot) = &slots[slot] {
                slot.integral.place(processor, room);
                busy = true;
            }
        }
        if !busy {
            return end.failure.map_or(Ok(()), Err);
        }
        for (place, room) in rooms[..IN_STEP].iter_mut().enumerate() {
            let Some(slot) = &mut slots[place] else { continue };
            if let Err(error) = slot.integral.evaluate(room, lanes, |x, y| batch.eval(place, x, y)) {
                let index = slot.index;
                slots[place] = None;
                end.take(index, batch.finish(index, Err(QuadError::Integrand(error))));
            }
        }
        for (slot, room) in slots.iter().zip(&mut *rooms) {
            if let Some(slot) = slot {
                slot.integral.reduce(processor, room);
            }
        }
        for (place, room) in rooms[..IN_STEP].iter_mut().enumerate() {
            let Some(slot) = &mut slots[place] else { continue };
            if let Some(mut result) = slot.integral.settle(options, room) {
                if slot.negative {
                    result.value = -result.value;
                }
                let index = slot.index;
                slots[place] = None;
                end.take(index, batch.finish(index, Ok(result)));
            }
        }
    }
}

/// A problem under way.
struct Slot {
    index: usize,
    negative: bool,
    integral: AnyRule,
}

/// An integral, whatever its range is like.
enum AnyRule {
    Finite(Integral<Finite>),
    HalfLine(Integral<HalfLine>),
    WholeLine(Integral<WholeLine>),
}

/// Does the same for each of the rules.
macro_rules! each {
    ($any:expr, $integral:ident => $work:expr) => {
        match $any {
            AnyRule::Finite($integral) => $work,
            AnyRule::HalfLine($integral) => $work,
            AnyRule::WholeLine($integral) => $work,
        }
    };
}

impl AnyRule {
    #[inline]
    fn place(&self, processor: Processor, room: &mut Room) {
        each!(self, integral => integral.place(processor, room));
    }

    #[inline]
    fn evaluate<E>(
        &mut self,
        room: &mut Room,
        lanes: usize,
        integrand: impl FnOnce(&[f64], &mut [f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        each!(self, integral => integral.evaluate(room, lanes, integrand))
    }

    #[inline]
    fn reduce(&self, processor: Processor, room: &mut Room) {
        each!(self, integral => integral.reduce(processor, room));
    }

    #[inline]
    fn settle(&mut self, options: &Options, room: &mut Room) -> Option<Quadrature> {
        each!(self, integral => integral.settle(options, room))
    }
}

/// Begins a problem; None if it is finished already.
fn begin<B: Batch>(
    batch: &mut B,
    index: usize,
    options: &Options,
    room: &mut Room,
    end: &mut End<B::Error>,
) -> Option<Slot> {
    let (a, b) = batch.limits(index);
    let unit = (0.0, 1.0);
    let integral = match Side::of(a, b, options) {
        Err(why) => {
            end.take(index, batch.finish(index, Err(why.into())));
            return None;
        }
        Ok(Side::Empty) => {
            end.take(index, batch.finish(index, Ok(Quadrature::EMPTY)));
            return None;
        }
        Ok(Side::Finite { low, high }) => AnyRule::Finite(Integral::new(Finite, (low, high), room)),
        Ok(Side::HalfLine(rule)) => AnyRule::HalfLine(Integral::new(rule, unit, room)),
        Ok(Side::WholeLine) => AnyRule::WholeLine(Integral::new(WholeLine, unit, room)),
    };
    Some(Slot { index, negative: b < a, integral })
}

/// Up to which index problems are still wanted.
struct End<E> {
    before: usize,
    failure: Option<(usize, E)>,
}

impl<E> End<E> {
    fn take(&mut self, index: usize, finished: Result<(), E>) {
        if let Err(error) = finished
            && index < self.before
        {
            self.before = index;
            self.failure = Some((index, error));
        }
    }
}
