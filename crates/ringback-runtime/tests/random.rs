//! The generator has the words of the reference implementation, and Poisson numbers have their moments.

use ringback_runtime::random::{State, WORDS, numba_poisson_ptrs, numba_rnd_init, numba_rnd_shuffle};

fn seeded(seed: u32) -> Box<State> {
    let mut state = Box::new(State { index: -1, words: [7; WORDS], has_gauss: 1, gauss: 0.5, initialized: 0 });
    // SAFETY: the state is ours.
    unsafe { numba_rnd_init(&mut *state, seed) };
    state
}

/// As compiled code does it.
fn draw(state: &mut State) -> u32 {
    if state.index as usize >= WORDS {
        // SAFETY: the state is ours, and seeded.
        unsafe { numba_rnd_shuffle(state) };
        state.index = 0;
    }
    let mut y = state.words[state.index as usize];
    state.index += 1;
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c_5680;
    y ^= (y << 15) & 0xefc6_0000;
    y ^ (y >> 18)
}

#[test]
fn words_are_those_of_the_reference() {
    let mut state = seeded(5489);
    assert_eq!((state.index, state.has_gauss, state.gauss, state.initialized), (624, 0, 0.0, 1));
    // Of the reference implementation and, the last, of the C++ standard (rand.predef).
    let drawn: Vec<u32> = (0..10_000).map(|_| draw(&mut state)).collect();
    assert_eq!(drawn[..5], [3_499_211_612, 581_869_302, 3_890_346_734, 3_586_334_585, 545_404_204]);
    assert_eq!(drawn[9_999], 4_123_659_995);
}

#[test]
fn poisson_numbers_have_their_moments() {
    let mut state = seeded(1);
    for mean in [10.0, 37.5, 1e4] {
        let count = 20_000;
        // SAFETY: the state is ours, and seeded.
        let drawn: Vec<f64> = (0..count).map(|_| unsafe { numba_poisson_ptrs(&mut *state, mean) } as f64).collect();
        let average = drawn.iter().sum::<f64>() / f64::from(count);
        let variance = drawn.iter().map(|k| (k - mean) * (k - mean)).sum::<f64>() / f64::from(count);
        // Five standard deviations of each estimate.
        assert!((average - mean).abs() < 5.0 * (mean / f64::from(count)).sqrt(), "{mean}: {average}");
        let spread = ((3.0 * mean * mean + mean - mean * mean) / f64::from(count)).sqrt();
        assert!((variance - mean).abs() < 5.0 * spread, "{mean}: {variance}");
        assert!(drawn.iter().all(|k| *k >= 0.0));
    }
}
