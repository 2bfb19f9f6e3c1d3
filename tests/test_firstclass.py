"""Callbacks as values in compiled code: called by jitted functions, and by other callbacks."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
from numba.core.errors import TypingError
from ringback.compile import _compiled
from ringback.integrate import quad


def decay(t):
    return np.exp(-t)


def raises(t):
    if t > 0.5:
        raise ValueError("too large", t)
    return t


@numba.njit
def call(callback, x):
    return callback(x)


@numba.njit
def call2(callback, x, y):
    return callback(x, y)


def test_as_an_argument() -> None:
    @numba.njit
    def g(cb, x):
        return cb(x) + 1

    f, h = rb.compile(decay, "f64(f64)"), rb.compile(lambda x: 2.0 * x, "f64(f64)")
    assert g(f, 0.0) == 2.0
    assert g(h, 3.0) == 7.0
    # Whole numbers become floating-point numbers, as they do in Python.
    assert g(h, 3) == 7.0
    assert len(g.signatures) == 2
    assert g(rb.cfunc("float64(float64)")(decay), 0.0) == 2.0


def test_as_a_captured_value_and_a_global() -> None:
    f = rb.compile(decay, "f64(f64)")

    @numba.njit
    def g(x):
        return f(x) + LINE(x)

    assert g(0.0) == 2.0
    assert g(1.0) == pytest.approx(np.exp(-1.0) + 3.0)


LINE = rb.compile(lambda x: 2.0 * x + 1.0, "f64(f64)")


@pytest.mark.parametrize(
    ("signature", "function", "arguments", "expected"),
    [
        ("c128(c128)", lambda z: z * 1j, (1 + 2j,), -2 + 1j),
        ("c64(c64)", lambda z: z * np.complex64(1j), (np.complex64(1 + 2j),), -2 + 1j),
        ("[f64; 2](f64)", lambda x: (x, x + 1.0), (1.5,), (1.5, 2.5)),
        ("bool(f64)", lambda x: x > 0.0, (1.0,), True),
        ("bool(bool)", lambda b: not b, (True,), False),
        ("i8(i8)", lambda n: -n, (np.int8(5),), -5),
        ("u64(u64)", lambda n: n + np.uint64(1), (np.uint64(2**63),), 2**63 + 1),
        ("f32(f32)", lambda x: x / np.float32(3.0), (np.float32(1.0),), float(np.float32(1) / np.float32(3))),
    ],
)
def test_types_of_values(signature: str, function: Any, arguments: tuple[Any, ...], expected: Any) -> None:
    made = rb.compile(function, signature)
    found = call(made, *arguments)
    assert found == expected
    assert found == made(*arguments)


def test_no_arguments_and_no_result() -> None:
    out = np.zeros(2)

    def fill(x):
        x[:] = 7.0

    assert call(rb.compile(fill, "void(mut [f64])"), out) is None
    assert out.tolist() == [7.0, 7.0]
    assert numba.njit(lambda cb: cb())(rb.compile(lambda: 5, "i64()")) == 5


def copy_rows(a, out):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            out[i, j] = 10.0 * a[i, j]
    return float(a.shape[0] * 100 + a.shape[1])


def test_arrays_of_all_layouts() -> None:
    a = np.arange(12.0).reshape(3, 4)
    for layout, of in [("C", np.ascontiguousarray), ("F", np.asfortranarray)]:
        made = rb.compile(copy_rows, f"f64([f64; :, :; {layout}], mut [f64; :, :; {layout}])")
        x, out = of(a), of(np.zeros((3, 4)))
        assert call2(made, x, out) == 304.0
        assert (out == 10.0 * a).all()
    made = rb.compile(copy_rows, "f64([f64; :, :; any], mut [f64; :, :; any])")
    x = np.arange(120.0).reshape(10, 12)[9:0:-3, 1::3]
    y = np.zeros((6, 8))[::-2, ::2]
    assert call2(made, x, y) == 304.0
    assert (y == 10.0 * x).all()
    # A read-only array where it is only read.
    frozen = a.copy()
    frozen.flags.writeable = False
    out = np.zeros((3, 4))
    made = rb.compile(copy_rows, "f64([f64; :, :], mut [f64; :, :])")
    assert call2(made, frozen, out) == 304.0


def test_what_does_not_fit_is_refused() -> None:
    f = rb.compile(decay, "f64(f64)")
    rows = rb.compile(copy_rows, "f64([f64; :, :], mut [f64; :, :])")
    a, frozen = np.zeros((2, 2)), np.zeros((2, 2))
    frozen.flags.writeable = False
    name = "a ringback callback f64([f64; :, :], mut [f64; :, :])"
    for arguments, text in [
        ((f, "a"), "argument 1 of a ringback callback f64(f64): f64 expected, found unicode_type"),
        ((f, 1j), "argument 1 of a ringback callback f64(f64): f64 expected, found complex128"),
        ((rb.compile(lambda n: n, "i32(i32)"), 1.5), "callback i32(i32): i32 expected, found float64"),
        ((rb.compile(lambda n: n, "i32(i32)"), 1), "callback i32(i32): i32 expected, found int64"),
        ((f, 1.0, 2.0), "a ringback callback f64(f64) takes 1 arguments, found 2"),
        (
            (rows, a, np.zeros((2, 2), np.float32)),
            f"argument 2 of {name}: mut [f64; :, :] expected, found array(float32",
        ),
        ((rows, a, frozen), f"argument 2 of {name}: mut [f64; :, :] expected, found readonly array(float64, 2d, C)"),
        (
            (rows, np.zeros((4, 4))[::2, ::2], a),
            f"argument 1 of {name}: [f64; :, :] expected, found array(float64, 2d, A)",
        ),
        ((rows, a[0], a), f"argument 1 of {name}: [f64; :, :] expected, found array(float64, 1d, C)"),
    ]:
        with pytest.raises(TypingError) as caught:
            (call if len(arguments) == 2 else call2)(*arguments)
        assert text in str(caught.value)
    with pytest.raises(TypingError, match=r"a ringback callback f64\(f64\) takes no keyword arguments"):
        numba.njit(lambda cb: cb(x=1.0))(f)


def test_exceptions_pass_as_they_are() -> None:
    f = rb.compile(raises, "f64(f64)")
    assert call(f, 0.25) == 0.25
    with pytest.raises(ValueError, match="too large") as caught:
        call(f, 0.75)
    assert caught.value.args == ("too large", 0.75)
    assert caught.traceback[-1].name == "raises"
    with pytest.raises(IndexError):
        call(rb.compile(lambda x: x[5], "f64([f64])"), np.zeros(3))

    @numba.njit
    def caught_inside(cb, x):
        try:
            return cb(x)
        except Exception:
            return -1.0

    assert caught_inside(f, 0.25) == 0.25
    assert caught_inside(f, 0.75) == -1.0


def test_callbacks_without_compiled_code_are_refused() -> None:
    interpreted = rb.interpreted(lambda x: x, "f64(f64)")
    text = (
        "<ringback callback <lambda>: f64(f64)> runs in the interpreter, which compiled functions do not enter: compile the "
        "function, or call it outside of them"
    )
    for attempt in (lambda: call(interpreted, 1.0), lambda: numba.njit(lambda x: interpreted(x))(1.0)):
        with pytest.raises(TypingError) as caught:
            attempt()
        assert text in str(caught.value)
    with pytest.raises(rb.CompileError) as refused:
        rb.compile(lambda x: interpreted(x), "f64(f64)")
    assert str(refused.value) == (
        "interpreted is <ringback callback <lambda>: f64(f64)>, which runs in the interpreter: compiled functions call "
        "compiled callbacks only"
    )
    # Of what Rust offers Numba knows nothing.
    with pytest.raises(TypingError, match="Cannot determine Numba type of <class 'ringback.RustCallback'>"):
        call(rt.offer_scaled(1.0), 1.0)


def bound(k: float) -> Any:
    """A callback whose bound array nobody else holds, and a weak reference to that."""
    data = np.full(300_000, k)
    return rb.compile(lambda x, data: x * data[7], "f64(f64, [f64])").bind(data=data), weakref.ref(data)


def settle() -> None:
    """What was dropped without the GIL goes when Ringback next passes with it."""
    gc.collect()
    rb.compile(decay, "f64(f64)")


def test_references_are_counted() -> None:
    callback, data = bound(2.0)
    identity = numba.njit(lambda cb: cb)
    before = sys.getrefcount(callback)
    for _ in range(100):
        assert identity(callback) is callback
        assert call(callback, 1.5) == 3.0
    assert sys.getrefcount(callback) == before
    del callback
    settle()
    assert data() is None


def test_a_list_of_them_keeps_them_alive() -> None:
    callbacks = numba.typed.List()
    watched = []
    for k in (1.0, 2.0, 3.0):
        callback, data = bound(k)
        callbacks.append(callback)
        watched.append(data)
    del callback
    settle()

    @numba.njit
    def total(callbacks, x):
        result = 0.0
        for callback in callbacks:
            result += callback(x)
        return result

    assert total(callbacks, 0.5) == 3.0
    assert numba.njit(lambda pair, x: pair[0](x) - pair[1](x))((callbacks[2], callbacks[0]), 1.0) == 2.0
    del callbacks
    settle()
    assert [data() is None for data in watched] == [True] * 3


def test_frozen_into_a_jitted_function_it_stays_alive() -> None:
    def make() -> Any:
        callback, data = bound(4.0)
        return numba.njit(lambda x: callback(x)), data

    g, data = make()
    assert g(1.0) == 4.0
    g.py_func.__closure__[0].cell_contents = None
    settle()
    assert g(2.0) == 8.0
    assert data() is not None


def test_threads_and_parallel_loops() -> None:
    f = rb.compile(decay, "f64(f64)")

    @numba.njit(nogil=True)
    def total(cb, n):
        result = 0.0
        for i in range(n):
            result += cb(float(i))
        return result

    found: list[float] = []
    threads = [threading.Thread(target=lambda: found.append(total(f, 10_000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [total(f, 10_000)] * 4

    @numba.njit(parallel=True)
    def parallel(cb, out):
        for i in numba.prange(len(out)):
            out[i] = cb(float(i))

    out = np.zeros(1000)
    parallel(f, out)
    assert out == pytest.approx(np.exp(-np.arange(1000.0)), rel=1e-15)


PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from module import g, h, f
print(g(f, 2.0), h(2.0), sum(g.stats.cache_hits.values()), sum(h.stats.cache_hits.values()))
"""


def test_numbas_cache_on_disk(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(
        "import numba\nimport ringback as rb\n\nf = rb.compile(lambda x: x + 1.0, 'f64(f64)')\n\n"
        "@numba.njit(cache=True)\ndef g(cb, x):\n    return cb(x)\n\n"
        "@numba.njit(cache=True)\ndef h(x):\n    return f(x)\n"
    )
    found = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROGRAM.format(folder=str(tmp_path))],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        found.append(done.stdout.split())
    # The callback as an argument is no part of the code. As a global it is, by its address, and Numba keeps such code out.
    assert found == [["3.0", "3.0", "0", "0"], ["3.0", "3.0", "1", "0"]]


def test_callbacks_call_callbacks() -> None:
    inner = rb.compile(raises, "f64(f64)")

    def outer(x):
        return 2.0 * inner(x)

    made = rb.compile(outer, "f64(f64)")
    assert made(0.25) == 0.5
    with pytest.raises(ValueError, match="too large") as caught:
        made(0.75)
    assert caught.value.args == ("too large", 0.75)
    assert caught.traceback[-1].name == "raises"
    assert quad(outer, 0.0, 0.5).value == pytest.approx(0.25)
    with pytest.raises(ValueError, match="too large"):
        quad(outer, 0.0, 1.0)
    with pytest.raises(ValueError, match="too large"):
        rt.sum_over_threads(made, 10, 4)


def test_other_callbacks_of_the_same_signature_need_no_other_code() -> None:
    declared = rb.compile(lambda x, k: k * x, "f64(f64, f64)")
    made = []
    for k in range(1, 6):
        inner = declared.bind(k=float(k))
        made.append(rb.compile(lambda x: inner(x) + 1.0, "f64(f64)"))
        if k == 1:
            count = len(_compiled)
    assert [f(1.0) for f in made] == [2.0, 3.0, 4.0, 5.0, 6.0]
    assert len(_compiled) == count


def test_the_outer_callback_keeps_the_inner_one_alive() -> None:
    def make() -> Any:
        inner, data = bound(3.0)
        return rb.compile(lambda x: inner(x) + 1.0, "f64(f64)"), data

    outer, data = make()
    twice = rb.compile(lambda x: 2.0 * outer(x), "f64(f64)")
    capsule = twice.__ringback_callback__("f64(f64)")
    # A closure keeps what it captures, and a callback its function; the capsule has neither.
    assert twice(1.0) == 8.0
    del outer, twice
    settle()
    assert data() is not None

    class Holder:
        def __ringback_callback__(self, signature: str | None = None) -> Any:
            return capsule

    assert rt.sum_over_threads(Holder(), 2, 1) == 2.0 * (1.0 + 4.0)
    del capsule, make
    settle()
    assert data() is None


def test_callbacks_are_bound_as_data() -> None:
    f, g = rb.compile(decay, "f64(f64)"), rb.compile(lambda x: 3.0 * x, "f64(f64)")

    def twice(x, fn):
        return 2.0 * fn(x)

    assert quad(rb.bind(twice, fn=f), 0.0, 1.0).value == pytest.approx(2.0 * (1.0 - np.exp(-1.0)))
    assert quad(rb.bind(twice, fn=f).bind(fn=g), 0.0, 1.0).value == pytest.approx(3.0)
    assert quad(twice, 0.0, 1.0, args=(g,)).value == pytest.approx(3.0)
    # In the interpreter it is the same.
    assert rb.bind(twice, fn=g)(1.0) == twice(1.0, g) == 6.0
    pair = (f, g)
    assert rb.compile(lambda x: pair[0](x) + pair[1](x), "f64(f64)")(0.0) == 1.0
    assert rb.compile(lambda x: sum([g(t) for t in (x, 2.0 * x)]), "f64(f64)")(1.0) == 9.0


def test_through_a_helper_function() -> None:
    inner = rb.compile(lambda x: 5.0 * x, "f64(f64)")

    def plain(x):
        return inner(x)

    @numba.njit
    def jitted(x):
        return plain_jitted(x)

    plain_jitted = numba.njit(plain)
    assert rb.compile(lambda x: plain(x) + jitted(x), "f64(f64)")(1.0) == 10.0


def test_the_plain_c_function_of_rb_cfunc_calls_them_too() -> None:
    inner = rb.compile(lambda x: 5.0 * x, "f64(f64)")
    made = rb.cfunc("float64(float64)")(lambda x: inner(x) + 1.0)
    assert made(1.0) == made.ctypes(1.0) == 6.0
