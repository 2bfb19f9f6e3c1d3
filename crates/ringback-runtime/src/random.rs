//! The generator behind `np.random` and `random` in compiled code: the Mersenne Twister MT19937 (Matsumoto and Nishimura,
//! ACM Transactions on Modeling and Computer Simulation 8, 1998).
//!
//! Compiled code draws by itself, at the fields of [`State`]; what is here seeds a state, makes its next 624 words, and
//! draws Poisson numbers of large means. Results are those of Numba, bit for bit. The states, one a thread, lie beside the
//! code: see `python/ringback/exports/seeding.py`.

/// Words of a state.
pub const WORDS: usize = 624;
/// How far ahead the word lies that a new one is made with.
const AHEAD: usize = 397;

unsafe extern "C" {
    fn log(value: f64) -> f64;
    fn sqrt(value: f64) -> f64;
    fn floor(value: f64) -> f64;
}

/// A generator; compiled code knows this layout.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct State {
    /// The next word that is drawn; [`WORDS`] when all are.
    pub index: i32,
    /// The words.
    pub words: [u32; WORDS],
    /// Whether a normal number is kept: they come in pairs.
    pub has_gauss: i32,
    /// The normal number that is kept.
    pub gauss: f64,
    /// Whether it is seeded.
    pub initialized: i32,
}

/// Seeds a state: the reference implementation's `init_genrand`.
///
/// # Safety
/// `state` may be written to, whatever was in it, and nobody else uses it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn numba_rnd_init(state: *mut State, seed: u32) {
    // SAFETY: the caller's promise; indices are below `WORDS`.
    unsafe {
        let words = (&raw mut (*state).words).cast::<u32>();
        let mut word = seed;
        for i in 0..WORDS {
            words.add(i).write(word);
            word = (word ^ (word >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i as u32 + 1);
        }
        (*state).index = WORDS as i32;
        (*state).has_gauss = 0;
        (*state).gauss = 0.0;
        (*state).initialized = 1;
    }
}

/// Makes the next 624 words.
///
/// # Safety
/// `state` was seeded, and nobody else uses it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn numba_rnd_shuffle(state: *mut State) {
    // SAFETY: the caller's promise; indices are taken modulo `WORDS`.
    unsafe {
        let words = (&raw mut (*state).words).cast::<u32>();
        let at = |i: usize| words.add(if i < WORDS { i } else { i - WORDS });
        for i in 0..WORDS {
            let joined = (*at(i) & 0x8000_0000) | (*at(i + 1) & 0x7fff_ffff);
            let twist = if joined & 1 == 0 { 0 } else { 0x9908_b0df };
            *at(i) = *at(i + AHEAD) ^ (joined >> 1) ^ twist;
        }
    }
}

/// 32 random bits, as compiled code draws them.
///
/// # Safety
/// `state` was seeded, and nobody else uses it meanwhile.
unsafe fn bits(state: *mut State) -> u32 {
    // SAFETY: the caller's promise; the index is below `WORDS` after it was compared.
    unsafe {
        if (*state).index as u32 >= WORDS as u32 {
            numba_rnd_shuffle(state);
            (*state).index = 0;
        }
        let mut word = *(&raw const (*state).words).cast::<u32>().add((*state).index as usize);
        (*state).index += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }
}

/// A number from 0 up to, and without, 1, of 53 random bits.
///
/// # Safety
/// As for [`bits`].
unsafe fn uniform(state: *mut State) -> f64 {
    // SAFETY: the caller's promise.
    let (high, low) = unsafe { (bits(state) >> 5, bits(state) >> 6) };
    (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
}

/// A Poisson number of a mean of 10 or more: the transformed rejection method PTRS (Hörmann, Insurance: Mathematics and
/// Economics 12, 1993), with the constants and the order of draws that NumPy has.
///
/// # Safety
/// `state` was seeded, and nobody else uses it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn numba_poisson_ptrs(state: *mut State, mean: f64) -> i64 {
    // SAFETY: the caller's promise; functions of numbers.
    unsafe {
        let log_mean = log(mean);
        let b = 0.931 + 2.53 * sqrt(mean);
        let a = -0.059 + 0.02483 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let accepted_at_once = 0.9277 - 3.6224 / (b - 2.0);
        loop {
            let u = uniform(state) - 0.5;
            let v = uniform(state);
            let distance = 0.5 - u.abs();
            let k = floor((2.0 * a / distance + b) * u + mean + 0.43) as i64;
            if distance >= 0.07 && v <= accepted_at_once {
                return k;
            }
            if k < 0 || (distance < 0.013 && v > distance) {
                continue;
            }
            let left = log(v) + log(inverse_alpha) - log(a / (distance * distance) + b);
            if left <= -mean + k as f64 * log_mean - log_factorial(k) {
                return k;
            }
        }
    }
}

/// log(k!), by Stirling's series for log Γ(k + 1), which is shifted to arguments above 7.
fn log_factorial(k: i64) -> f64 {
    const LOG_TWO_PI: f64 = 1.837_877_066_409_345_3;
    const SERIES: [f64; 10] = [
        8.333333333333333e-02,
        -2.777777777777778e-03,
        7.936507936507937e-04,
        -5.952380952380952e-04,
        8.417508417508418e-04,
        -1.917526917526918e-03,
        6.41025641025641e-03,
        -2.955065359477124e-02,
        1.796443723688307e-01,
        -1.3924322169059,
    ];
    let x = k as f64 + 1.0;
    if x == 1.0 || x == 2.0 {
        return 0.0;
    }
    let steps = if x <= 7.0 { (7.0 - x) as i64 } else { 0 };
    let mut shifted = x + steps as f64;
    let inverse_square = 1.0 / (shifted * shifted);
    let sum =
        SERIES.iter().rev().fold(None, |sum, term| Some(sum.map_or(*term, |sum: f64| sum * inverse_square + term)));
    // SAFETY: a function of numbers.
    let log = |value: f64| unsafe { log(value) };
    let mut result = sum.unwrap_or(0.0) / shifted + 0.5 * LOG_TWO_PI + (shifted - 0.5) * log(shifted) - shifted;
    for _ in 0..steps {
        result -= log(shifted - 1.0);
        shifted -= 1.0;
    }
    result
}
