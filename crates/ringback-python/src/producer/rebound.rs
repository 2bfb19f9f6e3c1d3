//! A callback whose bound numbers change between calls: one thread's own copy of the slots.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use ringback::{BlockError, Params, Points, Ret};

use super::{Callback, Produced, Slot, handle_of};
use crate::ndarray::Memory;

/// A callback and those of its slots that are to change. Needs no GIL to be used.
#[derive(Debug)]
pub(crate) struct Rebindable {
    bound: Arc<Produced>,
    /// For each changing value: the slot, or, for one that is passed by a pointer, where its words begin.
    cells: Box<[Cell]>,
    /// How many words there are, with the slots.
    length: usize,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    slot: usize,
    place: Place,
}

/// Where the value of a slot is.
#[derive(Clone, Copy, Debug)]
enum Place {
    Slot,
    /// Both parts of a complex number, from this word on, behind the slots.
    Parts(usize),
    /// The view of an array: so many words from this one on.
    View(usize, usize),
}

impl Place {
    /// The first word behind the slots, and how many there are.
    fn behind(self) -> (usize, usize) {
        match self {
            Place::Slot => (0, 0),
            Place::Parts(from) => (from, 2),
            Place::View(from, words) => (from, words),
        }
    }
}

impl Callback {
    /// Prepares for changing the numbers and arrays in the given slots, which must be of the kinds given (`"f64"`, `"array1"`,
    /// …). Arrays are empty until they are set.
    pub(crate) fn rebindable(&self, slots: &[(usize, String)]) -> PyResult<Rebindable> {
        let known = &self.bound.code.slots;
        let mut length = known.len();
        let mut cells = Vec::new();
        for (slot, kind) in slots {
            let place = match known.get(*slot) {
                Some(found) if Some(*found) != Slot::parse(kind) => None,
                Some(Slot::Function | Slot::Address) | None => None,
                Some(Slot::C64 | Slot::C128) => Some(Place::Parts(length)),
                Some(Slot::Array(dimensions)) => Some(Place::View(length, 1 + 2 * dimensions)),
                Some(_) => Some(Place::Slot),
            };
            let place =
                place.ok_or_else(|| PyTypeError::new_err(format!("slot {slot} holds no {kind} that could change")))?;
            length += place.behind().1;
            cells.push(Cell { slot: *slot, place });
        }
        Ok(Rebindable { bound: Arc::clone(&self.bound), cells: cells.into_boxed_slice(), length })
    }
}

impl Rebindable {
    /// A handle with slots of its own.
    pub(crate) fn handle<P: Params, R: Ret>(&self) -> PyResult<Rebound<P, R>> {
        let slots = &self.bound.env[..self.bound.code.slots.len()];
        let words = slots.iter().copied().chain(std::iter::repeat(0)).take(self.length.max(1));
        let env: Arc<[AtomicU64]> = words.map(AtomicU64::new).collect();
        for cell in &self.cells {
            let (from, words) = cell.place.behind();
            if words > 0 {
                env[cell.slot].store(env.as_ptr().wrapping_add(from) as u64, Ordering::Relaxed);
            }
        }
        let handle = handle_of(&self.bound, Some(Arc::clone(&env)))?;
        Ok(Rebound { handle, env, cells: self.cells.clone(), arrays: Vec::new() })
    }
}

/// A callback that owns its slots. Its handle is not given away: whoever called a clone of it would not notice that
/// the slots are being written.
#[derive(Debug)]
pub(crate) struct Rebound<P: Params, R: Ret> {
    handle: ringback::Callback<P, R>,
    env: Arc<[AtomicU64]>,
    cells: Box<[Cell]>,
    /// Those that the views lead to.
    arrays: Vec<Py<PyAny>>,
}

impl<P: Params, R: Ret> Rebound<P, R> {
    /// Sets the `i`-th of the values that change, a number, from its bytes: real part and imaginary part, or one word. No call
    /// is under way meanwhile, since this borrows mutably.
    #[inline]
    pub(crate) fn set(&mut self, i: usize, words: [u64; 2]) {
        let cell = self.cells[i];
        match cell.place {
            Place::Slot => self.env[cell.slot].store(words[0], Ordering::Relaxed),
            Place::Parts(from) => {
                self.env[from].store(words[0], Ordering::Relaxed);
                self.env[from + 1].store(words[1], Ordering::Relaxed);
            }
            // No number leads to memory.
            Place::View(..) => {}
        }
    }

    /// Sets the `i`-th of the values that change, an array, which is kept until `forget`; false if an array of so many
    /// dimensions has no place there.
    #[inline]
    pub(crate) fn set_array(&mut self, i: usize, memory: Memory) -> bool {
        let Place::View(from, words) = self.cells[i].place else { return false };
        let view = memory.view();
        if words != view.len() {
            return false;
        }
        for (to, word) in self.env[from..from + words].iter().zip(view) {
            to.store(*word, Ordering::Relaxed);
        }
        self.arrays.push(memory.into_array());
        true
    }

    /// Lets go of the arrays, which are empty from now on.
    #[inline]
    pub(crate) fn forget(&mut self) {
        if self.arrays.is_empty() {
            return;
        }
        for cell in &self.cells {
            if let Place::View(from, words) = cell.place {
                self.env[from..from + words].iter().for_each(|word| word.store(0, Ordering::Relaxed));
            }
        }
        self.arrays.clear();
    }

    #[inline]
    pub(crate) fn call_block(&self, points: impl Points<P, R>, results: &mut [R]) -> Result<(), BlockError> {
        self.handle.call_block(points, results)
    }

    pub(crate) fn has_block(&self) -> bool {
        self.handle.has_block()
    }

    /// The handle, for as long as nobody can write to the slots. It is not to be cloned.
    #[inline]
    pub(crate) fn handle(&self) -> &ringback::Callback<P, R> {
        &self.handle
    }
}
