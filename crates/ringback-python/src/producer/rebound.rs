//! A callback whose bound numbers change between calls: one thread's own copy of the slots.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use ringback::{BlockError, Params, Points, Ret};

use super::{Callback, Produced, Slot, handle_of};

/// A callback and those of its slots that are to change. Needs no GIL to be used.
#[derive(Debug)]
pub(crate) struct Rebindable {
    bound: Arc<Produced>,
    /// For each changing number: the slot, or, for a complex one, where the copy of its parts begins.
    cells: Box<[Cell]>,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    slot: usize,
    /// Behind the slots.
    parts: Option<usize>,
}

impl Callback {
    /// Prepares for changing the numbers in the given slots, which must be of the kinds given (`"f64"`, …).
    pub(crate) fn rebindable(&self, slots: &[(usize, String)]) -> PyResult<Rebindable> {
        let known = &self.bound.code.slots;
        let mut length = known.len();
        let mut cells = Vec::new();
        for (slot, kind) in slots {
            let wanted = Slot::parse(kind);
            let parts = match known.get(*slot) {
                Some(found) if Some(*found) != wanted => None,
                Some(Slot::C64 | Slot::C128) => {
                    length += 2;
                    Some(Some(length - 2))
                }
                Some(Slot::Array(_) | Slot::Function) | None => None,
                Some(_) => Some(None),
            };
            let parts =
                parts.ok_or_else(|| PyTypeError::new_err(format!("slot {slot} holds no {kind} that could change")))?;
            cells.push(Cell { slot: *slot, parts });
        }
        Ok(Rebindable { bound: Arc::clone(&self.bound), cells: cells.into_boxed_slice() })
    }
}

impl Rebindable {
    /// A handle with slots of its own.
    pub(crate) fn handle<P: Params, R: Ret>(&self) -> PyResult<Rebound<P, R>> {
        let complex = self.cells.iter().filter(|cell| cell.parts.is_some()).count();
        let env = self.bound.env.iter().copied().chain(std::iter::repeat_n(0, 2 * complex)).map(AtomicU64::new);
        let env: Arc<[AtomicU64]> = env.collect();
        for cell in &self.cells {
            if let Some(parts) = cell.parts {
                env[cell.slot].store(env.as_ptr().wrapping_add(parts) as u64, Ordering::Relaxed);
            }
        }
        let handle = handle_of(&self.bound, Some(Arc::clone(&env)))?;
        Ok(Rebound { handle, env, cells: self.cells.clone() })
    }
}

/// A callback that owns its slots. Its handle is not given away: whoever called a clone of it would not notice that
/// the slots are being written.
#[derive(Debug)]
pub(crate) struct Rebound<P: Params, R: Ret> {
    handle: ringback::Callback<P, R>,
    env: Arc<[AtomicU64]>,
    cells: Box<[Cell]>,
}

impl<P: Params, R: Ret> Rebound<P, R> {
    /// Sets the `i`-th of the numbers that change, from its bytes: real part and imaginary part, or one word. No call
    /// is under way meanwhile, since this borrows mutably.
    #[inline]
    pub(crate) fn set(&mut self, i: usize, words: [u64; 2]) {
        let cell = self.cells[i];
        match cell.parts {
            None => self.env[cell.slot].store(words[0], Ordering::Relaxed),
            Some(parts) => {
                self.env[parts].store(words[0], Ordering::Relaxed);
                self.env[parts + 1].store(words[1], Ordering::Relaxed);
            }
        }
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
