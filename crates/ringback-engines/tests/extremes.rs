//! `quad` where numbers end, where they lose their digits, and where it must not claim more than it knows.

use std::convert::Infallible;
use std::sync::Mutex;

use ringback_engines::{Options, Quadrature, Status, pointwise, quad};

const INF: f64 = f64::INFINITY;
const MAX: f64 = f64::MAX;

fn integrate(f: impl Fn(f64) -> f64, a: f64, b: f64, points: &[f64], options: Options) -> Quadrature {
    quad(pointwise(|x| Ok::<_, Infallible>(f(x))), a, b, points, &options).unwrap()
}

fn relative(epsrel: f64, limit: usize) -> Options {
    Options { epsabs: 0.0, epsrel, limit }
}

#[test]
fn what_is_in_range_with_the_width_of_its_interval_is_no_overflow() {
    // Far out the slope of the map to (0, 1) is so large that f(x) dx/dt is out of range.
    for (f, a, exact) in [
        ((|x| 1e300 * x.powf(-1.1)) as fn(f64) -> f64, 1.0, 1e301),
        (|x| 1e300 / (x * x.sqrt()), 1.0, 2e300),
        (|x| 1e305 * x.powf(-1.2), 1.0, 5e305),
    ] {
        for mirrored in [false, true] {
            let result = if mirrored {
                integrate(|x| f(-x), -INF, -a, &[], relative(1e-13, 1100))
            } else {
                integrate(f, a, INF, &[], relative(1e-13, 1100))
            };
            assert!(result.value.is_finite(), "{result:?}");
            assert!((result.value / exact - 1.0).abs() < 1e-9, "{result:?}");
        }
    }
}

#[test]
fn the_largest_values_have_an_integral_if_it_is_in_range() {
    for (a, b) in [(0.0, 0.5), (-1e-3, 0.0), (1.0, 1.25), (-0.25, 0.25)] {
        let result = integrate(|_| MAX, a, b, &[], Options::default());
        assert_eq!(result.status, Status::Converged, "{result:?}");
        assert!((result.value / MAX - (b - a)).abs() < 1e-14, "{result:?}");
    }
    let result = integrate(|x| MAX * (-2.0 * x).exp(), 0.0, INF, &[], relative(1e-8, 50));
    assert_eq!(result.status, Status::Converged, "{result:?}");
    assert!((result.value / MAX - 0.5).abs() < 1e-8, "{result:?}");
    // With a break point there are two intervals from the beginning.
    let result = integrate(|x| MAX * x.abs(), -0.5, 1.0, &[0.0], Options::default());
    assert_eq!(result.status, Status::Converged, "{result:?}");
    assert!((result.value / MAX - 0.625).abs() < 1e-14, "{result:?}");
}

#[test]
fn a_range_may_be_wider_than_the_largest_number() {
    for (a, b) in [(-1e308, 1e308), (-MAX, MAX), (-MAX, 1e308)] {
        let width = 0.5 * b - 0.5 * a;
        let result = integrate(|_| 1e-300, a, b, &[], Options::default());
        assert_eq!((result.status, result.neval), (Status::Converged, 21));
        assert!((result.value / (2e-300 * width) - 1.0).abs() < 1e-14, "{result:?}");
        let result = integrate(|x| 1e-300 * (x / b).abs(), a, b, &[], relative(1e-10, 50));
        let exact = 1e-300 * (0.5 * b) + 1e-300 * (0.5 * (a / b) * a);
        assert!((result.value / exact - 1.0).abs() < 1e-9 && result.error < 1e-9 * exact, "{result:?}");
    }
}

#[test]
fn an_error_is_the_sum_of_the_errors_there_are() {
    // The first estimate sees the peak in the middle, its halves do not: what was kept up to date came to nothing, and
    // 0.0002 was said to be without error. So does SciPy.
    let width = 2.646_579_705_879_609_2e-11;
    let peak = |x: f64| 3.638_453_380_183_173e-8 / ((x - 0.5) * (x - 0.5) + width * width);
    let exact = 3.638_453_380_183_173e-8 / width * std::f64::consts::PI;
    let options = Options { epsabs: 1e-10, limit: 300, ..Options::default() };
    let result = integrate(peak, 0.0, 1.0, &[], options);
    assert!(result.status != Status::Converged || (result.value / exact - 1.0).abs() < 1e-6, "{result:?}, {exact}");

    // It was negative, a success with some of these and less than any tolerance.
    for (height, width) in [
        (1.485_081_588_989_448_9e-10, 5.790_918_449_434_892e-5),
        (293.770_775_327_344_67, 1.831_615_447_662_364_3e-7),
        (1.0, 1e-6),
        (1.0, 1e-9),
    ] {
        for epsrel in [1e-10, 1e-12, 1e-13, 2e-14] {
            let result = integrate(|x| height / (width * width + x * x), -1.0, 1.0, &[], relative(epsrel, 300));
            assert!(result.error >= 0.0, "{height:e} {width:e}: {result:?}");
            let exact = 2.0 * height / width * (1.0 / width).atan();
            let rounding = 1e-14 * exact;
            let is_bound = (result.value - exact).abs() <= result.error + rounding;
            assert!(is_bound || result.status != Status::Converged, "{height:e} {width:e}: {result:?}");
        }
    }
    // What the larger intervals add to the error of a limit is a difference, too.
    let result = integrate(|x| 1.7e308 / x / x, -1e308, -1e300, &[], relative(1e-12, 1500));
    assert!(result.error >= 0.0, "{result:?}");
}

#[test]
fn an_odd_function_has_no_integral_around_a_point_at_zero() {
    let odd: [fn(f64) -> f64; 7] = [
        |x| x * x * x,
        |x| x.sin() + 0.3 * x,
        |x| x / (1.0 + x.powi(4)),
        |x| x.signum() * x.abs().sqrt(),
        |x| x.sinh(),
        |x| x * (-3.0 * x * x).exp(),
        f64::atan,
    ];
    for f in odd {
        for b in [0.1, 1.0, 1.7, 2.3, 5.0, 77.7] {
            let first = integrate(f, -b, b, &[0.0], Options { limit: 2, ..Options::default() });
            assert_eq!((first.value, first.intervals), (0.0, 2), "{b}: {first:?}");
            let result = integrate(f, -b, b, &[0.0], Options::default());
            assert!(result.value.abs() <= 1e-15 * result.error.max(1.0), "{b}: {result:?}");
        }
    }
}

#[test]
fn a_function_and_its_mirror_image_have_the_same_bits() {
    let f = |x: f64| (1.3 * x).exp() / (1.0 + x * x);
    for k in 1..=40 {
        let (a, b) = (0.1 * f64::from(k), 0.17 * f64::from(k) + 0.3);
        let once = Options { limit: 1, ..Options::default() };
        let (right, left) = (integrate(f, a, b, &[], once), integrate(|x| f(-x), -b, -a, &[], once));
        assert_eq!((right.value, right.error), (left.value, left.error), "from {a} to {b}");
    }
}

#[test]
fn a_singularity_followed_to_the_last_digit_is_a_bad_integrand() {
    // Points beside the end are rounded to it.
    for (at, from) in [(2.0, -8.0), (1.0, 0.0), (-3.0, 4.0), (0.7, 5.0)] {
        let result = integrate(|x| 1.0 / (x - at).abs(), from, at, &[], Options { limit: 500, ..Options::default() });
        assert_eq!(result.status, Status::BadIntegrand, "{at}: {result:?}");
        assert!(result.value.is_finite() && result.error.is_finite(), "{at}: {result:?}");
    }
    // Elsewhere the place is told.
    let result = integrate(|x| 1.0 / (x - 0.5), 0.0, 1.0, &[], Options::default());
    assert_eq!(result.status, Status::NonFinite { at: 0.5, value: INF });
}

static LATE: Mutex<Vec<f64>> = Mutex::new(Vec::new());

/// Integrates when its thread ends.
struct Late;

impl Drop for Late {
    fn drop(&mut self) {
        LATE.lock().unwrap().push(integrate(|x| x, 0.0, 2.0, &[], Options::default()).value);
    }
}

#[test]
fn a_thread_may_integrate_while_it_ends() {
    thread_local! {
        static HELD: Late = const { Late };
    }
    for quad_first in [false, true] {
        let work = move || {
            if quad_first {
                assert_eq!(integrate(|x| x, 0.0, 1.0, &[], Options::default()).value, 0.5);
            }
            HELD.with(|_| ());
            assert_eq!(integrate(|x| x, 0.0, 1.0, &[], Options::default()).value, 0.5);
        };
        std::thread::spawn(work).join().unwrap();
    }
    assert_eq!(*LATE.lock().unwrap(), [2.0, 2.0]);
}

#[test]
fn a_limit_of_sums_without_digits_is_no_success() {
    // One value is so large that the sums keep few digits of all others. QUADPACK claims 1.99952529 ± 6.9e-15.
    let spike = |x: f64| if x == 0.5 { 2.802789539325449e14 } else { x.powf(-0.5) };
    let result = integrate(spike, 0.0, 1.0, &[], relative(1e-8, 200));
    assert_eq!(result.status, Status::RoundoffDetected, "{result:?}");
    assert!((result.value - 2.0).abs() <= result.error, "{result:?}");
}

#[test]
fn a_success_has_an_error_within_the_tolerance_of_its_value() {
    let spike = |x: f64| if x == 0.5 { 8.82731207748928e17 } else { 2.3909050488495973 * (x - 0.3).abs().powf(-0.3) };
    let options = relative(0.08903702534957222, 100);
    let result = integrate(spike, 0.0, 1.0, &[], options);
    let within = result.error <= options.epsrel * result.value.abs();
    assert!(within || result.status != Status::Converged, "{result:?}");
}
