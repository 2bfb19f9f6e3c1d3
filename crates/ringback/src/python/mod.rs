//! The door for callbacks from Python: whatever stands for a function there becomes a typed handle here.

mod capsule;
mod extract;
mod offer;

pub use capsule::{CAPSULE_NAME, take, to_capsule};
pub use extract::extract;
pub use offer::{Offered, offer};
