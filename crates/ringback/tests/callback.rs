//! Handles made from Rust closures: the whole path through the C boundary, without Python.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ringback::view::{C, F, Strided, View, ViewMut};
use ringback::{Callback, Error, ErrorKind, In, Mut};

ringback::callback! {
    /// Log density and gradient.
    pub struct LogDensity(x: &[f64], grad: &mut [f64]) -> f64;
}
ringback::callback! {
    /// The same, lengths tied.
    struct Tied(x: &[f64], grad: &mut [f64]) -> f64 where len(x) == len(grad);
}
ringback::callback! {
    /// A matrix times a vector.
    struct MatVec(m: View<'_, f64, 2, C>, x: &[f64], out: &mut [f64])
        where dim(m, 1) == len(x), dim(m, 0) == len(out);
}
ringback::callback! {
    /// Several scalars.
    struct Scalars(a: bool, b: i8, c: u16, d: i32, e: u64, f: f32, g: f64, h: isize) -> [i64; 2];
}
ringback::callback! {
    /// Nothing in, nothing out.
    struct Tick();
}
ringback::callback! {
    /// Raw pointers.
    unsafe struct Sum(data: *const f64, n: usize) -> f64;
}

fn normal() -> LogDensity {
    LogDensity::from_fn(|x, grad| {
        grad.iter_mut().zip(x).for_each(|(g, x)| *g = -x);
        if x[0] > 100.0 {
            return Err(Error::raised("ValueError", "too far out"));
        }
        Ok(-0.5 * x.iter().map(|x| x * x).sum::<f64>())
    })
}

#[test]
fn arguments_arrive_and_results_come_back() {
    let mut grad = [0.0; 2];
    assert_eq!(normal().call(&[1.0, 2.0], &mut grad).unwrap(), -2.5);
    assert_eq!(grad, [-1.0, -2.0]);
    let f = Scalars::from_fn(|a, b, c, d, e, f, g, h| {
        assert_eq!((a, b, c, d, e, f, g, h), (true, -1, 65535, i32::MIN, u64::MAX, 0.5, -0.25, isize::MIN));
        Ok([i64::MIN, 7])
    });
    assert_eq!(f.call(true, -1, 65535, i32::MIN, u64::MAX, 0.5, -0.25, isize::MIN).unwrap(), [i64::MIN, 7]);
    assert_eq!(Scalars::signature().text, "[i64; 2](bool, i8, u16, i32, u64, f32, f64, i64)");
}

#[test]
fn signatures_are_the_types() {
    assert_eq!(LogDensity::signature().text, "f64([f64], mut [f64])");
    assert_eq!(Tied::signature().text, "f64([f64; n0], mut [f64; n0])");
    assert_eq!(MatVec::signature().text, "void([f64; n1, n0], [f64; n0], mut [f64; n1])");
    assert_eq!(Tick::signature().text, "void()");
    assert_eq!(Sum::signature().text, "f64(*f64, u64)");
    assert_eq!(Callback::<(In<f64>, Mut<f32>), ()>::signature().text, "void([f64], mut [f32])");
}

#[test]
fn lengths_that_are_tied_are_checked() {
    let f = Tied::from_fn(|x, grad| Ok((x.len() + grad.len()) as f64));
    assert_eq!(f.call(&[1.0; 3], &mut [0.0; 3]).unwrap(), 6.0);
    let error = f.call(&[1.0; 3], &mut [0.0; 2]).unwrap_err();
    assert_eq!(error.to_string(), "ValueError: `x` and `grad` must have the same length, found 3 and 2");
    let f = MatVec::from_fn(|m, x, out| {
        for (i, out) in out.iter_mut().enumerate() {
            *out = (0..x.len()).map(|j| m[[i, j]] * x[j]).sum();
        }
        Ok(())
    });
    let data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let m = View::<f64, 2, C>::new(&data, [2, 3]).unwrap();
    let mut out = [0.0; 2];
    f.call(m, &[1.0, 0.0, 1.0], &mut out).unwrap();
    assert_eq!(out, [4.0, 10.0]);
    assert!(f.call(m, &[1.0, 0.0], &mut out).is_err());
}

#[test]
fn errors_say_who_failed() {
    let error = normal().call(&[101.0], &mut [0.0]).unwrap_err();
    assert!(error.is_raised());
    assert_eq!(error.class().as_deref(), Some("ValueError"));
    assert_eq!(error.to_string(), "ValueError: too far out");
    assert_eq!((error.text().as_str(), error.place()), ("too far out", None));
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let error = Tick::from_fn(|| panic!("at the {}th tick", 3)).call().unwrap_err();
    std::panic::set_hook(hook);
    assert_eq!(error.kind(), ErrorKind::Bridge);
    assert_eq!(error.to_string(), "a callback in Rust panicked: at the 3th tick");
    assert_eq!(error.class(), None);
    assert_eq!((error.text(), error.place()), (error.to_string(), None));
}

#[test]
fn the_handle_owns_the_closure() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let counted = Counted(Arc::clone(&dropped));
    let data = vec![1.0; 1000];
    let f = LogDensity::from_fn(move |x, _| {
        let _ = &counted;
        Ok(x[0] + data.iter().sum::<f64>())
    });
    let clones: Vec<_> = (0..4).map(|_| f.clone()).collect();
    drop(f);
    let threads: Vec<_> = clones
        .into_iter()
        .map(|f| thread::spawn(move || (0..100).map(|i| f.call(&[f64::from(i)], &mut []).unwrap()).sum::<f64>()))
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 4950.0 + 100.0 * 1000.0);
    }
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

#[test]
fn errors_may_cross_threads_and_be_dropped_anywhere() {
    let error = thread::spawn(|| normal().call(&[101.0], &mut [0.0]).unwrap_err()).join().unwrap();
    assert_eq!(error.to_string(), "ValueError: too far out");
    thread::spawn(move || drop(error)).join().unwrap();
}

#[test]
fn raw_pointers_need_an_unsafe_call() {
    let sum = Sum::from_fn(|data, n| {
        // SAFETY: the call below passes an array of n numbers.
        Ok(unsafe { std::slice::from_raw_parts(data, n) }.iter().sum())
    });
    let data = [1.0, 2.0, 3.0];
    // SAFETY: `data` holds three numbers.
    assert_eq!(unsafe { sum.call(data.as_ptr(), 3) }.unwrap(), 6.0);
}

#[test]
fn views_of_every_layout_cross_the_boundary() {
    ringback::callback! { struct ReadF(x: View<'_, i32, 2, F>) -> i32; }
    ringback::callback! { struct Strides(x: View<'_, i32, 2, Strided>, y: ViewMut<'_, i32, 3, Strided>) -> i32; }
    let data = [1, 2, 3, 4, 5, 6];
    let f = ReadF::from_fn(|x| Ok(x[[1, 0]] * 10 + x[[0, 1]]));
    assert_eq!(f.call(View::<_, 2, F>::new(&data, [2, 3]).unwrap()).unwrap(), 23);
    let f = Strides::from_fn(|x, mut y| {
        y[[1, 0, 1]] = x[[0, 0]];
        Ok(x[[1, 2]])
    });
    // Both axes of x reversed; y skips every second element.
    let x = View::<_, 2, Strided>::new(&data, 5, [2, 3], [-3, -1]).unwrap();
    let mut out = [0; 16];
    let y = ViewMut::<_, 3, Strided>::new(&mut out, 0, [2, 2, 2], [8, 4, 2]).unwrap();
    assert_eq!(f.call(x, y).unwrap(), 1);
    assert_eq!(out[10], 6);
    // Empty arrays, and axes of one element.
    let none: [i32; 0] = [];
    let x = View::<_, 2, Strided>::new(&none, 0, [0, 3], [3, 1]).unwrap();
    let mut one = [0];
    let y = ViewMut::<_, 3, Strided>::new(&mut one, 0, [1, 1, 1], [isize::MAX, isize::MIN, 0]).unwrap();
    let f = Strides::from_fn(|x, mut y| {
        assert!(x.get([0, 0]).is_none());
        y[[0, 0, 0]] = 9;
        Ok(0)
    });
    f.call(x, y).unwrap();
    assert_eq!(one, [9]);
}

#[test]
fn views_check_their_slices() {
    let data = [0.0; 6];
    assert_eq!(
        View::<f64, 2, C>::new(&data, [2, 4]).unwrap_err().to_string(),
        "a contiguous array of shape [2, 4] needs a slice of 8 elements, found 6"
    );
    assert!(View::<f64, 2, C>::new(&data, [usize::MAX, 2]).is_err());
    assert!(View::<f64, 2, Strided>::new(&data, 0, [2, 3], [3, -1]).is_err());
    assert!(View::<f64, 1, Strided>::new(&data, 5, [2], [1]).is_err());
    assert!(View::<f64, 1, Strided>::new(&data, 5, [6], [-1]).is_ok());
    assert!(View::<f64, 1, Strided>::new(&data, 0, [usize::MAX], [isize::MAX]).is_err());
    // With a stride of 0, or without elements, any shape would lie in the slice; compiled code counts in signed numbers.
    assert_eq!(
        View::<f64, 1, Strided>::new(&data, 0, [usize::MAX], [0]).unwrap_err().to_string(),
        format!("an array of shape [{}] has more elements than can be counted", usize::MAX)
    );
    let half = isize::MAX as usize;
    assert!(View::<f64, 1, Strided>::new(&data, 0, [half], [0]).is_ok());
    assert!(View::<f64, 2, Strided>::new(&data, 0, [half, 2], [0, 0]).is_err());
    assert!(View::<f64, 2, Strided>::new(&data, 0, [0, usize::MAX], [0, 0]).is_err());
    assert!(View::<f64, 3, C>::new(&data[..0], [0, half, 4]).is_err());
    assert!(View::<f64, 2, F>::new(&data[..0], [usize::MAX, 0]).is_err());
    assert!(View::<f64, 2, C>::new(&data[..0], [0, half]).is_ok());
}

#[cfg(feature = "ndarray")]
#[test]
fn ndarray_views_keep_their_strides() {
    use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};
    ringback::callback! { struct Map(x: ArrayView2<'_, f64>, y: ArrayViewMut2<'_, f64>) -> f64; }
    let f = Map::from_fn(|x, mut y| {
        y.assign(&x);
        Ok(x[[0, 1]])
    });
    let x = Array2::from_shape_fn((4, 6), |(i, j)| (10 * i + j) as f64);
    let mut y = Array2::zeros((2, 3));
    let odd = x.slice(s![..;-2, ..;-2]);
    assert_eq!(f.call(odd, y.slice_mut(s![..;-1, ..])).unwrap(), odd[[0, 1]]);
    assert_eq!(y.slice(s![..;-1, ..]), odd);
    assert_eq!(Map::signature().text, "f64([f64; :, :; any], mut [f64; :, :; any])");
}

#[cfg(feature = "complex")]
#[test]
fn complex_numbers_go_by_value_and_in_arrays() {
    use num_complex::Complex;
    ringback::callback! { struct Map(z: Complex<f64>, a: &[Complex<f32>]) -> Complex<f32>; }
    let f = Map::from_fn(|z, a| Ok(a[1] * z.re as f32));
    let a = [Complex::new(1.0, 2.0), Complex::new(3.0, 4.0)];
    assert_eq!(f.call(Complex::new(2.0, 9.0), &a).unwrap(), Complex::new(6.0, 8.0));
    assert_eq!(Map::signature().text, "c64(c128, [c64])");
}

ringback::callback! {
    /// Pairs first, then the pairs with each other.
    struct Groups(a: &[f64], b: &[f64], c: &[f64], d: &[f64]) -> f64
        where len(a) == len(b), len(c) == len(d), len(b) == len(c);
}

#[test]
fn groups_of_lengths_that_are_tied_later_are_one() {
    assert_eq!(Groups::signature().text, "f64([f64; n0], [f64; n0], [f64; n0], [f64; n0])");
    let f = Groups::from_fn(|_, _, _, _| Ok(1.0));
    assert!(f.call(&[1.0], &[1.0], &[1.0], &[1.0]).is_ok());
    assert!(f.call(&[1.0], &[1.0], &[1.0, 2.0], &[1.0, 2.0]).is_err());
}

#[cfg(feature = "ndarray")]
#[test]
fn a_slice_may_lie_between_the_elements_of_a_view() {
    use ndarray::{Array2, ArrayView1, ArrayViewMut1, s};
    ringback::callback! { struct ReadsSlice(x: &[f64], y: ArrayViewMut1<'_, f64>) -> f64; }
    ringback::callback! { struct WritesSlice(x: ArrayView1<'_, f64>, y: &mut [f64]) -> f64; }
    let f = ReadsSlice::from_fn(|x, mut y| {
        y.fill(x[1]);
        Ok(y.sum())
    });
    let g = WritesSlice::from_fn(|x, y| {
        y.fill(x.sum());
        Ok(y[1])
    });
    let mut m = Array2::from_shape_fn((3, 4), |(i, j)| (4 * i + j) as f64);
    let (column, row) = m.multi_slice_mut((s![.., 0], s![1, 1..3]));
    assert_eq!(f.call(row.into_slice().unwrap(), column).unwrap(), 18.0);
    let (column, row) = m.multi_slice_mut((s![..;-1, 0], s![1, 1..3]));
    assert_eq!(g.call(column.view(), row.into_slice().unwrap()).unwrap(), 18.0);
    assert_eq!(m.row(1).to_vec(), [6.0, 18.0, 18.0, 7.0]);
}

#[cfg(feature = "ndarray")]
#[test]
fn ndarray_views_may_be_empty() {
    use ndarray::{Array, ArrayView, ArrayViewMut, Ix1, Ix2, Ix3, Ix4};
    macro_rules! check {
        ($Ix:ident, $($n:expr),*) => {{
            ringback::callback! { struct Empty(x: ArrayView<'_, f64, $Ix>, y: ArrayViewMut<'_, f64, $Ix>) -> f64; }
            let f = Empty::from_fn(|x, mut y| {
                y.assign(&x);
                Ok(x.shape().iter().fold(y.sum(), |number, &n| 10.0 * number + n as f64))
            });
            let shape = [$($n),*];
            // Every choice of the axes that have no elements.
            for empty in 1..1 << shape.len() {
                let mut shape = shape;
                (0..shape.len()).filter(|i| empty >> i & 1 == 1).for_each(|i| shape[i] = 0);
                let (x, mut y) = (Array::<f64, $Ix>::zeros(shape), Array::<f64, $Ix>::zeros(shape));
                let expected = shape.iter().fold(0.0, |number, &n| 10.0 * number + n as f64);
                assert_eq!(f.call(x.view(), y.view_mut()).map_err(|e| e.to_string()), Ok(expected), "{shape:?}");
                assert!(f.call(x.t(), y.view_mut().reversed_axes()).is_ok(), "{shape:?}");
            }
        }};
    }
    check!(Ix1, 2);
    check!(Ix2, 3, 2);
    check!(Ix3, 2, 1, 3);
    check!(Ix4, 2, 3, 2, 3);
    ringback::callback! { struct Wide(x: ArrayViewMut<'_, f64, Ix2>) -> f64; }
    let mut wide = Array::<f64, Ix2>::zeros((0, isize::MAX as usize));
    assert_eq!(Wide::from_fn(|x| Ok(x.ncols() as f64)).call(wide.view_mut()).unwrap(), isize::MAX as f64);
}
