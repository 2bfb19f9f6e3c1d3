"""Bound data: parameters that have their values before the call."""

from __future__ import annotations

import fractions
import functools
import gc
import importlib
import re
import weakref
from typing import NamedTuple

import numba
import numpy as np
import pytest
import ringback as rb
from ringback.integrate import quad

compiler = importlib.import_module("ringback.compile")


def callback(f, signature="f64(f64)", **kwargs):
    return rb._callback_for(f, signature, **kwargs)


@pytest.fixture
def compilations():
    """How many times the compiler ran since the test began."""
    start = len(compiler._compiled)
    return lambda: len(compiler._compiled) - start


def power(t, k, shift=0.0):
    return t**k + shift


def weighted(t, table, k):
    return t * k + table.sum()


def variadic(t, *k):
    return t * k[0]


class Thing:
    def __repr__(self):
        return "a thing"


class Pair(NamedTuple):
    a: float
    b: float


# rb.bind


def test_bind_by_name(compilations):
    f = rb.bind(weighted, table=np.array([1.0, 2.0]), k=2.0)
    assert callback(f)(3.0) == 9.0
    assert callback(f.bind(k=10.0))(3.0) == 33.0
    assert callback(f.bind(table=np.zeros(100)))(3.0) == 6.0
    assert callback(f)(3.0) == 9.0
    assert compilations() == 1


def test_bound_functions_can_be_shown_and_called():
    f = rb.bind(weighted, table=np.array([1.0, 2.0])).bind(k=2.0)
    assert repr(f) == "<ringback bound weighted: table, k>"
    assert f(3.0) == 9.0


def test_data_may_be_bound_to_the_first_parameter():
    assert callback(rb.bind(power, t=2.0))(5.0) == 32.0
    assert callback(rb.bind(power, k=3.0), "f64(f64, f64)")(2.0, 1.0) == 9.0


def test_bound_arrays_go_by_reference():
    table = np.array([1.0, 2.0])
    cb = callback(rb.bind(weighted, table=table, k=0.0))
    assert cb(1.0) == 3.0
    table[:] = 50.0
    assert cb(1.0) == 100.0


def test_bound_arrays_are_released():
    table = np.zeros(1000)
    seen = weakref.ref(table)
    cb = callback(rb.bind(weighted, table=table, k=0.0))
    del table
    gc.collect()
    assert cb(0.0) == 0.0
    del cb
    gc.collect()
    assert seen() is None


def test_bound_arrays_are_read_only():
    def f(t, scratch):
        scratch[0] = t
        return t

    with pytest.raises(rb.CompileError, match="the array is read-only: captured and bound data always are"):
        callback(rb.bind(f, scratch=np.zeros(3)))


def test_bound_tuples_of_numbers_and_arrays(compilations):
    def f(t, p):
        return t * p[0] + p[1][0]

    assert callback(rb.bind(f, p=(2.0, np.array([1.0]))))(1.0) == 3.0
    assert callback(rb.bind(f, p=(4.0, np.array([5.0, 6.0]))))(1.0) == 9.0
    assert compilations() == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: rb.bind(weighted, missing=1.0),
            "weighted has no parameter 'missing' to bind: its parameters are t, table, k",
        ),
        (
            lambda: rb.bind(weighted, k=1.0).bind(missing=1.0),
            "weighted has no parameter 'missing' to bind: its parameters are t, table, k",
        ),
        (lambda: rb.bind(3, k=1.0), "expected a Python function or one decorated with numba.njit, found int 3"),
        (
            lambda: callback(rb.bind(weighted, k=1.0)),
            "weighted cannot be called as f64(f64): it takes 3 parameters (t, table, k), 1 of them bound, and the signature "
            "passes 1; nothing gives a value for table (as args, by rb.bind, or as a default)",
        ),
        (
            lambda: callback(rb.bind(weighted, t=1.0, k=1.0, table=np.zeros(1))),
            "weighted cannot be called as f64(f64): it takes 3 parameters (t, table, k), 3 of them bound, and the signature "
            "passes 1",
        ),
        (
            lambda: callback(rb.bind(power, k="two")),
            "parameter 'k' of power is bound to str 'two'; bound data are numbers, arrays, callbacks and tuples of them: "
            "let the function capture it, which compiles it in",
        ),
        (
            lambda: callback(rb.bind(power, k=[2.0])),
            "parameter 'k' of power is bound to list [2.0]; bound data are numbers, arrays, callbacks and tuples of them: "
            "make an array of it, with np.array",
        ),
        (
            lambda: callback(rb.bind(power, k=Pair(1.0, 2.0))),
            "parameter 'k' of power is bound to Pair Pair(a=1.0, b=2.0); bound data are numbers, arrays, callbacks and tuples "
            "of them: make a plain tuple of it, with tuple",
        ),
        (
            lambda: callback(rb.bind(power, k={"k": 2.0})),
            "parameter 'k' of power is bound to dict {'k': 2.0}; bound data are numbers, arrays, callbacks and tuples of "
            "them: bind what is in it by itself",
        ),
        (
            lambda: callback(rb.bind(power, k=Thing())),
            "parameter 'k' of power is bound to Thing a thing; bound data are numbers, arrays, callbacks and tuples of them: "
            "bind the numbers and arrays in it by themselves",
        ),
        (
            lambda: callback(rb.bind(power, k=fractions.Fraction(1, 2))),
            "parameter 'k' of power is bound to Fraction Fraction(1, 2); bound data are numbers, arrays, callbacks and tuples "
            "of them: make a float of it",
        ),
        (
            lambda: callback(functools.partial(variadic, 1.0)),
            "variadic takes a variable number of arguments: a compiled function has fixed parameters; write them out",
        ),
        (
            lambda: callback(functools.partial(power, 1.0, 2.0, 3.0, 4.0)),
            "power takes 3 arguments, found 4 bound to it",
        ),
        (
            lambda: callback(functools.partial(power, 1.0, t=2.0)),
            "power got two values for its parameter 't'",
        ),
        (
            lambda: callback(power, args=(1.0, 2.0, 3.0)),
            "power takes 3 parameters (t, k, shift): 1 of them are passed by the signature f64(f64), and args has 3 values for "
            "the other 2",
        ),
    ],
)
def test_errors_word_for_word(make, message):
    with pytest.raises(TypeError) as error:
        make()
    assert str(error.value) == message


# functools.partial


def test_partial(compilations):
    def power(t, k, shift=0.0):
        return t**k + shift

    assert callback(functools.partial(power, 2.0))(3.0) == 8.0
    assert callback(functools.partial(power, 3.0))(3.0) == 27.0
    assert compilations() == 1
    assert callback(functools.partial(power, k=2.0))(3.0) == 9.0
    assert callback(functools.partial(power, k=2.0, shift=1.0))(3.0) == 10.0
    assert callback(functools.partial(functools.partial(power, 2.0), shift=1.0))(3.0) == 9.0
    assert callback(rb.bind(functools.partial(power, 2.0), shift=2.0))(3.0) == 10.0


def test_partial_of_what_is_bound_or_compiled_already():
    assert callback(functools.partial(rb.bind(power, shift=1.0), 2.0))(3.0) == 9.0
    assert callback(functools.partial(rb.bind(power, t=2.0), shift=1.0, k=3.0), "f64()")() == 9.0
    compiled = rb.compile(power, "f64(f64, f64)")
    assert callback(functools.partial(compiled, 2.0))(3.0) == 8.0
    assert callback(functools.partial(compiled, k=2.0))(3.0) == 9.0
    assert callback(functools.partial(functools.partial(compiled.bind(k=2.0)), 3.0), "f64()")() == 9.0
    assert callback(functools.partial(compiled), args=(2.0,))(3.0) == 9.0
    for wrong, text in [
        (functools.partial(compiled, 1.0, 2.0, 3.0), "takes 2 arguments, found 3 bound to it"),
        (functools.partial(compiled, 1.0, t=2.0), "got two values for its parameter 't'"),
        (functools.partial(compiled, z=2.0), "has no free parameter 'z': free are t, k"),
        (functools.partial(rb.interpreted(power, "f64(f64)"), 1.0), "runs in the interpreter: bind the data to the"),
        (functools.partial(compiled, 1.0, 2.0), "expected a callback f64(f64), found f64()"),
    ]:
        with pytest.raises(TypeError, match=re.escape(text)):
            callback(wrong)


def test_partial_of_a_jitted_function():
    assert callback(functools.partial(numba.njit(power), k=2.0))(3.0) == 9.0


# args


def test_args_of_quad(compilations):
    for k in (0.5, 1.0, 2.0):
        assert quad(lambda t, k: np.exp(-k * t), 0, np.inf, args=(k,)).value == pytest.approx(1 / k)
    assert compilations() == 1
    assert quad(lambda t, k: k * t, 0, 1, args=4.0).value == pytest.approx(2.0)
    assert quad(power, 0, 1, args=(2.0, 1.0)).value == pytest.approx(4 / 3)
    # An argument that is not given keeps its default.
    assert quad(power, 0, 1, args=(2.0,)).value == pytest.approx(1 / 3)


def test_args_of_quad_may_be_arrays():
    table = np.array([1.0, 2.0])
    assert quad(weighted, 0, 1, args=(table, 2)).value == pytest.approx(4.0)
    assert quad(weighted, 0, 1, args=(table[:1], 2)).value == pytest.approx(2.0)


def test_args_behind_what_is_bound():
    assert callback(rb.bind(power, k=2.0), args=(10.0,))(3.0) == 19.0
    assert callback(functools.partial(power, shift=5.0), args=(2.0,))(3.0) == 14.0
    assert callback(rb.compile(power, "f64(f64, f64, f64)"), args=(2.0, 1.0))(3.0) == 10.0


# Callback.bind: declared types


@pytest.fixture(scope="module")
def logp():
    def logp(x, grad, data, scale):
        r = x - data.mean()
        grad[:] = -r * scale
        return -0.5 * (r @ r) * scale

    return rb.compile(logp, "f64([f64], mut [f64], [f64], f64)")


def test_declared_data(logp, compilations):
    g = logp.bind(data=np.array([1.0, 3.0]), scale=2)
    assert g.signature == "f64([f64], mut [f64])"
    assert repr(g) == "<ringback callback logp: f64([f64], mut [f64]), bound: data, scale>"
    grad = np.zeros(2)
    assert g(np.array([2.0, 5.0]), grad) == -9.0
    assert grad.tolist() == [0.0, -6.0]
    assert logp.bind(data=np.ones(7), scale=np.float32(0.5))(np.array([2.0]), grad[:1]) == -0.25
    assert compilations() == 1


def test_declared_data_in_two_steps(logp):
    x, grad = np.array([2.0]), np.zeros(1)
    assert logp.bind(scale=1.0).bind(data=np.zeros(3))(x, grad) == -2.0
    assert rb.bind(logp, data=np.zeros(3), scale=1.0)(x, grad) == -2.0


def test_scratch_arrays():
    def f(x, scratch):
        scratch[:] = x * 2
        return scratch.sum()

    scratch = np.zeros(2)
    cb = rb.compile(f, "f64(f64, mut [f64])").bind(scratch=scratch)
    assert cb.signature == "f64(f64)"
    assert cb(3.0) == 12.0
    assert scratch.tolist() == [6.0, 6.0]


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (
            {"data": np.zeros(2, np.float32)},
            TypeError,
            "parameter 'data' of logp: [f64] expected, found an array of float32: convert it with .astype",
        ),
        (
            {"data": np.zeros((2, 2))},
            TypeError,
            "parameter 'data' of logp: [f64] expected, found an array of 2 dimensions",
        ),
        (
            {"data": np.zeros(4)[::2]},
            TypeError,
            "parameter 'data' of logp: [f64] expected, found an array of another layout: use np.ascontiguousarray",
        ),
        ({"data": [1.0]}, TypeError, "parameter 'data' of logp: an array [f64] expected, found list"),
        ({"scale": "2"}, TypeError, "parameter 'scale' of logp: f64 expected, found str '2'"),
        ({"scale": 1j}, TypeError, "parameter 'scale' of logp: f64 expected, found complex 1j"),
        (
            {"grad": np.frombuffer(bytes(16))},
            TypeError,
            "parameter 'grad' of logp: mut [f64] expected, found a read-only array",
        ),
        (
            {"other": 1.0},
            TypeError,
            "<ringback callback logp: f64([f64], mut [f64], [f64], f64)> has no free parameter 'other': free are x, grad, data, "
            "scale",
        ),
    ],
)
def test_declared_types_word_for_word(logp, data, kind, message):
    with pytest.raises(kind) as error:
        logp.bind(**data)
    assert str(error.value) == message


def test_declared_integers():
    cb = rb.compile(lambda t, n: t + n, "f64(f64, i8)")
    assert cb.bind(n=np.int64(-128))(0.5) == -127.5
    with pytest.raises(OverflowError) as error:
        cb.bind(n=128)
    assert str(error.value) == "parameter 'n' of <lambda>: 128 does not fit into i8"
    with pytest.raises(TypeError) as wrong:
        cb.bind(n=1.0)
    assert str(wrong.value) == "parameter 'n' of <lambda>: i8 expected, found float 1.0"


def test_a_tie_to_a_bound_array_is_still_checked():
    def dot(x, y):
        s = 0.0
        for i in range(x.size):
            s += x[i] * y[i]
        return s

    cb = rb.compile(dot, "f64([f64; n], [f64; n])").bind(y=np.ones(3))
    assert cb(np.ones(3)) == 3.0
    for n in (2, 4):
        with pytest.raises(ValueError, match="the length of y along axis 0 must be that of x along axis 0"):
            cb(np.ones(n))


def test_pointers_and_interpreted_functions_are_refused():
    with pytest.raises(TypeError) as pointer:
        rb.compile(lambda n, p: p[n], "f64(i32, *f64)").bind(p=np.zeros(1))
    assert str(pointer.value) == (
        "parameter 'p' of <lambda> is the bare pointer *f64: bind an array to an array parameter instead"
    )
    with pytest.raises(TypeError) as interpreted:
        rb.interpreted(lambda t, k: t, "f64(f64, f64)").bind(k=1.0)
    assert str(interpreted.value) == (
        "<ringback callback <lambda>: f64(f64, f64)> runs in the interpreter: bind the data to the function, "
        "rb.interpreted(partial(f, …))"
    )
