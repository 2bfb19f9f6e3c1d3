"""C functions as callbacks: which types fit which signatures, how they are called, what keeps them alive."""

from __future__ import annotations

import ctypes
import gc
import math
import sys
import weakref
from pathlib import Path
from typing import Any

import cffi
import numba
import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
import scipy.integrate
from foreign_library import COMPILER, as_capsule, as_ctypes, build, capsule
from ringback.ctext import NoCType, parse_signature
from ringback.integrate import quad
from scipy import LowLevelCallable
from scipy.special import cython_special

pytestmark = pytest.mark.skipif(COMPILER is None, reason="needs a C compiler")

D, I, P = ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double)  # noqa: E741
LONG = f"i{8 * ctypes.sizeof(ctypes.c_long)}(i{8 * ctypes.sizeof(ctypes.c_long)})"
SWAPPED: Any = D.__ctype_be__ if sys.byteorder == "little" else D.__ctype_le__
SIZE, VOID = ctypes.c_size_t, ctypes.c_void_p


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("foreign"))


def of(obj: Any, signature: str) -> Any:
    return rb._callback_for(obj, signature)


def test_text_is_read_by_width() -> None:
    for text, expected in {
        "double(double)": "double (double)",
        "double  ( double  x , void*user )": "double (double, void *)",
        "int (const double *, size_t, unsigned long int)": "int32_t (const double *, uint64_t, uint64_t)",
        "long (long long, unsigned, short, signed char)": "int64_t (int64_t, uint32_t, int16_t, int8_t)",
        "void (npy_intp *, double[], Py_ssize_t n)": "void (int64_t *, double *, int64_t)",
        "float (_Bool, double const *restrict x)": "float (bool, const double *)",
        "double (*)(int, double *)": "double (int32_t, double *)",
        "double (double *const x, double const *)": "double (double *, const double *)",
        "void (void)": "void (void)",
        "void ()": "void (void)",
    }.items():
        assert parse_signature(text).text == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("double", "'double' is not the type of a function in C, such as 'double (double)'"),
        ("double (char)", "'char': C does not say whether it is signed"),
        ("double (double, ...)", "'...': functions with a variable number of arguments are called in another way"),
        ("long double (double)", "'long double': it has no counterpart in compiled Python"),
        ("double (double **)", "'double **': pointers to pointers are not passed"),
        ("double (struct point)", "'struct point': no such number is known"),
        ("double * (double)", "'double *': results are numbers or nothing"),
        ("double (double, void)", "argument 2 is void"),
        ("double (double (*f)(double))", "'double (double (*f)(double))' is not the type of a function in C, such as 'double (double)'"),
        ("double (double complex)", "'double complex': no such number is known"),
        ("double (unsigned __int128)", "'unsigned __int128': no such number is known"),
        ("float _Complex (float)", "'float _Complex': no such number is known"),
        ("double (double 5)", "'double 5': no such number is known"),
        ("double f (double)", "'double f': results are numbers or nothing"),
        (f"double ({' ' * 4096})", "the type of a function has at most 4096 characters, found 4105"),
        ("", "'' is not the type of a function in C, such as 'double (double)'"),
    ],
)  # fmt: skip
def test_types_that_are_not_passed(text: str, why: str) -> None:
    with pytest.raises(NoCType) as refused:
        parse_signature(text)
    assert str(refused.value) == why


def test_ctypes_functions_in_quad(path: Path) -> None:
    twice = as_ctypes(path, "twice", D, D)
    assert quad(twice, 0, 3).value == pytest.approx(9.0, rel=1e-14)
    assert rt.sum_over_threads(twice, 100, 4) == 9900.0
    # Numbers behind the first, as SciPy has them.
    assert quad(as_ctypes(path, "both", D, D, D), 0, 1, args=(2.0,)).value == pytest.approx(-1.5, rel=1e-14)
    with pytest.raises(
        TypeError, match=r"expected a callback f64\(f64, f64\), found the C function 'double \(double\)'"
    ):
        quad(twice, 0, 1, args=(2.0,))


@pytest.mark.parametrize("text", [None, "double (double)", "double (double, void *)"])
def test_scipys_conventions(path: Path, text: str | None) -> None:
    data = D(5.0)
    user = ctypes.cast(ctypes.byref(data), VOID)
    simple = LowLevelCallable(as_ctypes(path, "scaled", D, D, VOID), user, signature=text and "double (double, void *)")
    expected = scipy.integrate.quad(simple, 0, 1)
    assert tuple(quad(simple, 0, 1)) == expected
    # By reference, as SciPy has it.
    data.value = 7.0
    assert quad(simple, 0, 1).value == pytest.approx(3.5)
    for name, types, given in [
        ("product", (I, P), None), ("weighted", (I, P, VOID), None), ("weighted", (I, P, VOID), user),
    ]:  # fmt: skip
        several = LowLevelCallable(as_ctypes(path, name, D, *types), given)
        for args in ((), (2.0,), (2.0, 4.0)):
            assert tuple(quad(several, 0, 1, args)) == scipy.integrate.quad(several, 0, 1, args)


def test_user_data_is_null_where_there_is_none(path: Path) -> None:
    assert of(as_ctypes(path, "scaled", D, D, VOID), "f64(f64)")(3.0) == -3.0
    assert of(LowLevelCallable(as_ctypes(path, "scaled", D, D, VOID)), "f64(f64)")(3.0) == -3.0


def test_an_int_that_scipy_calls_success(path: Path) -> None:
    """1 for success in what SciPy filters with, 0 for success everywhere else."""
    function = as_ctypes(path, "filter", I, P, ctypes.c_ssize_t, P, VOID)
    accepted = of(LowLevelCallable(function), "f64([f64])")
    assert accepted(np.array([1.0, 2.5])) == 3.5
    with pytest.raises(RuntimeError) as failed:
        accepted(np.array([]))
    assert failed.value.args == ("the C function failed with status", 0)
    with pytest.raises(RuntimeError, match="failed with status', 1"):
        of(function, "f64([f64])")(np.array([1.0]))


X, M = np.array([1.0, 2.0, 3.0]), np.arange(12.0).reshape(3, 4)
FITS = [
    ("both", (D, D, D), "f64(f64, f64)", (5.0, 3.0), 2.0),
    ("product", (D, I, P), "f64(f64, f64, f64)", (2.0, 3.0, 4.0), 24.0),
    ("product", (D, I, P), "f64([f64])", (X,), 6.0),
    ("sum", (D, P, SIZE), "f64([f64])", (X,), 6.0),
    ("sum_after", (D, ctypes.c_ssize_t, P), "f64([f64])", (X,), 6.0),
    ("trace", (D, P, ctypes.c_ssize_t, ctypes.c_ssize_t), "f64([f64; :, :])", (M,), 15.0),
    ("checked_root", (I, D, P), "f64(f64)", (3.0,), 9.0),
    ("checked", (I, D), "void(f64)", (1.0,), None),
    ("checked", (I, D), "i32(f64)", (-1.0,), 5),
    ("next", (ctypes.c_int64, ctypes.c_int64), "i64(i64)", (2**40,), 2**40 + 1),
    ("long_next", (ctypes.c_long, ctypes.c_long), LONG, (6,), 7),
    ("small", (ctypes.c_int8, ctypes.c_int8, ctypes.c_uint8, ctypes.c_int16, ctypes.c_uint16), "i8(i8, u8, i16, u16)", (-100, 200, -300, 190), -10),
    ("unsigned_small", (ctypes.c_uint16, ctypes.c_uint16), "u16(u16)", (65_535,), 0),
    ("positive", (ctypes.c_bool, D), "bool(f64)", (1.0,), True),
    ("positive", (ctypes.c_bool, D), "bool(f64)", (-1.0,), False),
    ("chosen", (D, ctypes.c_bool), "f64(bool)", (True,), 1.0),
    ("many", (D, ctypes.c_bool, ctypes.c_int8, ctypes.c_uint8, ctypes.c_int16, ctypes.c_uint16, ctypes.c_bool, ctypes.c_int8, ctypes.c_uint8, ctypes.c_int16, ctypes.c_bool, ctypes.c_uint16), "f64(bool, i8, u8, i16, u16, bool, i8, u8, i16, bool, u16)", (True, -2, 200, -300, 60_000, True, -1, 255, -7, True, 65_535), 1_022_268.0),
    ("half", (ctypes.c_float, ctypes.c_float), "f32(f32)", (3.0,), 1.5),
    ("nothing", (None,), "void()", (), None),
    ("answer", (D,), "f64()", (), 42.0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "types", "signature", "arguments", "expected"), FITS)
def test_what_fits(
    path: Path, name: str, types: tuple[Any, ...], signature: str, arguments: Any, expected: Any
) -> None:
    callback = of(as_ctypes(path, name, *types), signature)
    assert callback(*arguments) == expected
    assert callback.signature == rb.Signature(signature).text


def test_arrays_that_are_written_to(path: Path) -> None:
    density = as_ctypes(path, "density", D, P, SIZE, P, SIZE)
    assert rt.log_density(density, [3.0, -4.0]) == (-12.5, [-3.0, 4.0])
    doubled = of(as_ctypes(path, "doubled", None, P, SIZE, P, SIZE), "void([f64], mut [f64])")
    out = np.zeros(3)
    doubled(X, out)
    assert (out == 2 * X).all()


def test_a_status_is_an_error(path: Path) -> None:
    root = as_ctypes(path, "checked_root", I, D, P)
    with pytest.raises(RuntimeError) as failed:
        quad(root, -1, 1)
    assert failed.value.args == ("the C function failed with status", 7)
    with pytest.raises(RuntimeError, match="failed with status', 5"):
        of(as_ctypes(path, "checked", I, D), "void(f64)")(-1.0)
    assert rt.classify(root, -1.0)[:2] == (True, "RuntimeError")


def test_lengths_that_an_int_does_not_hold(path: Path) -> None:
    long = np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 31,), (0,))
    product = of(as_ctypes(path, "product", D, I, P), "f64([f64])")
    # The check is on the length, before any call; the array is contiguous only in name.
    view = (ctypes.c_ssize_t * 3)(long.__array_interface__["data"][0], 1 << 31, 8)
    error, result = VOID(), D()
    status = product._caller(ctypes.byref(result), ctypes.byref(error), ctypes.addressof(view), product.env)
    raised = product._raise(status, error.value or 0)
    assert (type(raised), raised.args) == (OverflowError, ("the C function takes lengths below 2**31; found", 1 << 31))


REFUSED = [
    ("twice", (D, D), "f64(f32)", "argument 1 is f32, its own double"),
    ("twice", (D, D), "f64(i64)", "argument 1 is i64, its own double"),
    ("twice", (D, D), "f32(f64)", "it returns double where f32 is expected"),
    ("twice", (D, D), "f64(f64, f64)", "it takes 1 arguments, and has none for argument 2 (f64)"),
    ("twice", (D, D), "f64()", "it takes 1 arguments, 1 of them (double) too many"),
    ("twice", (D, D), "[f64; 2](f64)", "C functions return one real number, or nothing"),
    ("twice", (D, D), "c128(f64)", "C functions return one real number, or nothing"),
    ("twice", (D, D), "f64(c128)", "argument 1 is c128: C compilers differ in how they pass complex numbers"),
    ("twice", (D, D), "f64([f64])", "it takes 1 arguments, and has none for argument 1 ([f64])"),
    ("next", (ctypes.c_int64, ctypes.c_int32), "i64(i64)", "argument 1 is i64, its own int32_t"),
    ("sum", (D, P, D), "f64([f64])", "argument 1 is [f64]: a length was expected, found double"),
    ("sum", (D, P, ctypes.c_int8), "f64([f64])", "argument 1 is [f64]: a length was expected, found int8_t"),
    ("sum", (D, ctypes.POINTER(ctypes.c_float), SIZE), "f64([f64])", "argument 1 is [f64], its own float *"),
    ("trace", (D, P, SIZE, SIZE), "f64([f64; :, :; F])", "argument 1 is [f64; :, :; F]: a pointer and lengths tell of C order only"),
    ("checked", (I, D), "f64(f64)", "it returns int where f64 is expected, and no pointer to a result stands behind its arguments (int is what ctypes takes for granted where no restype is set)"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "types", "signature", "why"), REFUSED)
def test_what_does_not_fit_is_refused(path: Path, name: str, types: tuple[Any, ...], signature: str, why: str) -> None:
    function = as_ctypes(path, name, *types)
    with pytest.raises(TypeError) as refused:
        of(function, signature)
    text = str(refused.value)
    assert text.startswith(f"expected a callback {rb.Signature(signature).text}, found the C function '")
    assert text.endswith(f": {why}")


def test_const_is_looked_at_where_it_is_known(path: Path) -> None:
    assert of(as_capsule(path, "sum", "double (const double *, size_t)"), "f64([f64])")(X) == 6.0
    assert of(as_capsule(path, "sum", "double (double *, size_t)"), "f64([f64])")(X) == 6.0
    with pytest.raises(TypeError) as refused:
        of(
            as_capsule(path, "density", "double (const double *, size_t, const double *, size_t)"),
            "f64([f64], mut [f64])",
        )
    assert str(refused.value).endswith(
        "argument 2 is mut [f64], which the function is to write to, its own const double *"
    )
    with pytest.raises(TypeError, match=r"its last argument 'const double \*' would be the result, and is const"):
        of(as_capsule(path, "checked_root", "int (double, const double *)"), "f64(f64)")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: ctypes.CDLL(None).abs, "its parameters are not known: set its argtypes and its restype"),
        (lambda: ctypes.CFUNCTYPE(D, D)(0), "it is a null pointer"),
        (
            lambda: ctypes.PYFUNCTYPE(D, D)(lambda x: x),
            "it needs the GIL (PYFUNCTYPE, PyDLL), which no callback has; use CFUNCTYPE, or rb.interpreted(f)",
        ),
        (lambda: ctypes.CFUNCTYPE(D, ctypes.c_char_p)(0), "c_char_p: only numbers and pointers to them are passed"),
        (
            lambda: ctypes.CFUNCTYPE(D, ctypes.c_longdouble)(0),
            "c_longdouble: only numbers and pointers to them are passed",
        ),
        (lambda: ctypes.CFUNCTYPE(D, ctypes.POINTER(P))(0), "LP_LP_c_double: pointers to pointers are not passed"),
        (
            lambda: ctypes.CFUNCTYPE(D, SWAPPED)(1),
            f"{SWAPPED.__name__} in another byte order than the machine's",
        ),
        (
            lambda: ctypes.CFUNCTYPE(D, np.ctypeslib.ndpointer(np.float64, 2, flags="F"), SIZE, SIZE)(1),
            "ndpointer_<f8_2d_F: arrays are passed in C order only",
        ),
        (lambda: cffi.FFI().cast("double (*)(double)", 0), "it is a null pointer"),
        (
            lambda: cffi.FFI().cast("double (*)(double, ...)", 1),
            "functions with a variable number of arguments are called in another way",
        ),
        (lambda: cffi.FFI().cast("double (*)(double *(*)(int))", 1), "'double *(*)(int)': no such number is known"),
        (
            lambda: capsule(1, "double (PyObject *)"),
            "its type is 'double (PyObject *)', and 'PyObject *': no such number is known",
        ),
    ],
)
def test_functions_that_cannot_be_called(make: Any, why: str) -> None:
    with pytest.raises(TypeError) as refused:
        of(make(), "f64(f64)")
    assert str(refused.value).startswith("the C function <")
    assert str(refused.value).endswith(f" cannot be called: {why}")


def test_python_code_that_would_not_run(path: Path) -> None:
    library = ctypes.CDLL(str(path))
    library.twice.argtypes = [D]
    library.twice.restype = lambda status: status
    with pytest.raises(TypeError, match="is Python code, which would not run: set a ctypes type"):
        quad(library.twice, 0, 1)
    library.twice.restype = D
    library.twice.errcheck = lambda result, function, arguments: result
    with pytest.raises(TypeError, match="its errcheck is Python code, which would not run"):
        quad(library.twice, 0, 1)


def test_capsules_of_other_kinds() -> None:
    with pytest.raises(TypeError) as refused:
        of(capsule(1, "datetime.datetime_CAPI"), "f64(f64)")
    assert str(refused.value) == (
        "expected a capsule named 'ringback.callback.v1', or with the type of a C function as its name, found one named "
        "'datetime.datetime_CAPI'"
    )
    with pytest.raises(TypeError, match="there is no callback record at the address 0x1"):
        rt.sum_over_threads(capsule(1, "ringback.callback.v1"), 1, 1)


def test_a_record_in_a_capsule_is_taken_once() -> None:
    record = rb.compile(lambda x: x * x, "f64(f64)").__ringback_callback__()
    assert rt.sum_over_threads(record, 3, 1) == 5.0
    with pytest.raises(TypeError, match="it was given away or released already"):
        rt.sum_over_threads(record, 3, 1)
    other = rb.compile(lambda x: x[0], "f64([f64])").__ringback_callback__()
    with pytest.raises(TypeError, match=r"expected a callback f64\(f64\), found f64\(\[f64\]\)"):
        quad(other, 0, 1)


def test_objects_that_lie_about_their_class(path: Path) -> None:
    for known in (LowLevelCallable, type(as_ctypes(path, "twice", D, D)), cffi.FFI.CData):

        class Liar:
            __class__ = known  # type: ignore[assignment]

            def __repr__(self) -> str:
                return "<liar>"

        with pytest.raises(TypeError, match="found Liar <liar>"):
            of(Liar(), "f64(f64)")

    class PyCapsule:
        pass

    with pytest.raises(TypeError, match="found PyCapsule"):
        of(PyCapsule(), "f64(f64)")


def test_cython_functions() -> None:
    """Those of SciPy: their capsules say that Cython's own argument is behind the others."""
    j0 = cython_special.__pyx_capi__["j0"]
    gamma = cython_special.__pyx_capi__["__pyx_fuse_1gamma"]
    expected = scipy.integrate.quad(scipy.special.j0, 0, 5)
    for function in (j0, LowLevelCallable.from_cython(cython_special, "j0")):
        result = quad(function, 0, 5)
        assert result.value == pytest.approx(expected[0], rel=1e-14)
    assert of(gamma, "f64(f64)")(4.5) == scipy.special.gamma(4.5)
    with pytest.raises(TypeError, match="'__pyx_t_double_complex': no such number is known"):
        quad(cython_special.__pyx_capi__["__pyx_fuse_0gamma"], 1, 2)


def test_cffi_functions(path: Path) -> None:
    ffi = cffi.FFI()
    ffi.cdef("double twice(double); double sum(const double *, size_t); long long_next(long);")
    library = ffi.dlopen(str(path))
    assert quad(library.twice, 0, 3).value == pytest.approx(9.0, rel=1e-14)
    assert of(ffi.addressof(library, "sum"), "f64([f64])")(X) == 6.0
    assert of(library.long_next, LONG)(1) == 2
    with pytest.raises(TypeError, match=r"found the C function 'double \(double\)': argument 1 is f32"):
        of(library.twice, "f64(f32)")
    with pytest.raises(TypeError, match=r"expected a function pointer, found <cdata 'double \*'"):
        of(ffi.new("double *"), "f64(f64)")
    # SciPy takes a pointer without a type, if the type is named.
    bare = ffi.cast("void *", ffi.addressof(library, "twice"))
    assert quad(LowLevelCallable(bare, signature="double (double)"), 0, 3).value == pytest.approx(9.0)
    python = ffi.callback("double(double)", lambda x: x + 1.0)
    assert rt.sum_over_threads(python, 10, 3) == 55.0


def test_numba_cfuncs_for_pointers() -> None:
    @numba.cfunc("float64(int32, CPointer(float64))")
    def first(n, x):
        return x[0] + n

    assert quad(first, 0, 1).value == pytest.approx(1.5, rel=1e-14)
    assert quad(LowLevelCallable(first.ctypes), 0, 1, args=(1.0,)).value == pytest.approx(2.5, rel=1e-14)
    with pytest.raises(TypeError, match=r"expected a callback f64\(i32\), found"):
        of(first, "f64(i32)")


def test_functions_of_ctypes_that_run_python(path: Path) -> None:
    """They take the GIL for themselves; what they raise is printed by ctypes, and lost."""
    function = ctypes.CFUNCTYPE(D, D)(lambda x: x * x)
    assert rt.sum_over_threads(function, 100, 4) == sum(i * i for i in range(100))


def test_a_callback_in_other_clothes_is_itself() -> None:
    def picky(x):
        if x > 0.5:
            raise ValueError("too large", x)
        return x

    callback = rb.compile(picky, "f64(f64)")
    others = [callback.low_level_callable(), callback.low_level_callable("double (double)")]
    others += [callback.cffi, LowLevelCallable(callback.cffi), rb.cfunc("f64(f64)")(picky).low_level_callable()]
    for passed in (callback.ctypes, LowLevelCallable(callback.ctypes)):
        assert of(passed, "f64(f64)") is callback
        others.append(passed)
    made = rb.cfunc("f64(f64)")(picky)
    for passed in (*others, made.ctypes, LowLevelCallable(made.ctypes)):
        with pytest.raises(ValueError, match="too large"):
            quad(passed, 0, 1)
        assert rt.classify(passed, 0.75)[1] == "ValueError"
        with pytest.raises(TypeError, match=r"expected a callback f32\(f64\), found f64\(f64\)"):
            rt.takes("f32(f64)", passed)
    # Also when nobody else holds the callback.
    assert quad(rb.compile(lambda x: x, "f64(f64)").cffi, 0, 1).value == pytest.approx(0.5)
    both = rb.compile(lambda x, y: x - y, "f64(f64, f64)").low_level_callable()
    assert quad(both, 0, 1, args=(2.0,)).value == pytest.approx(-1.5)
    assert quad(rb.compile(lambda x: x, "f64(f64)").low_level_callable(), 0, 1).value == pytest.approx(0.5)


def test_one_compilation_for_all_functions_of_a_type(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = of(as_ctypes(path, "twice", D, D), "f64(f64)")
    monkeypatch.setattr("ringback._numba.compile_shim", None)
    second = of(ctypes.CFUNCTYPE(D, D)(math.sin), "f64(f64)")
    assert (first(1.0), second(1.0)) == (2.0, math.sin(1.0))
    assert hex(ctypes.cast(as_ctypes(path, "twice", D, D), VOID).value or 0)[2:] not in first.inspect_llvm()
    assert repr(first) == "<ringback callback C function double (double): f64(f64)>"


def test_the_handle_keeps_the_function_alive() -> None:
    function = ctypes.CFUNCTYPE(D, D)(lambda x: x + 1.0)
    alive = weakref.ref(function)
    handle = rt.Handle(function)
    del function
    gc.collect()
    assert alive() is not None
    assert rt.sum_over_threads(rt.pass_on(of(alive(), "f64(f64)")), 4, 2) == 10.0
    del handle
    gc.collect()
    # References that were dropped without the GIL are released when the main thread next takes it.
    quad(lambda x: x, 0, 1)
    gc.collect()
    assert alive() is None


def test_they_are_callbacks_for_everybody(path: Path) -> None:
    """For Numba's functions, for SciPy, for other callbacks."""
    twice = of(as_ctypes(path, "twice", D, D), "f64(f64)")

    @numba.njit
    def apply(f, x):
        return f(x) + 1.0

    assert apply(twice, 2.0) == 5.0
    assert quad(lambda t: twice(t) * t, 0, 1).value == pytest.approx(2 / 3)
    assert scipy.integrate.quad(twice.low_level_callable(), 0, 3)[0] == pytest.approx(9.0)
