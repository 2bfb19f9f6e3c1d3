"""The door: what is refused where a callback is wanted, and in which words."""

from __future__ import annotations

import functools
import math
import operator
from typing import Any

import numba
import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
import scipy.special

WANTED = "expected a callback f64(f64), found "
ACCEPTED = (
    ". Accepted: a Python function, functools.partial or rb.bind of one, rb.cfunc, rb.compile, a numba.njit or numba.cfunc "
    "function, a C function (scipy.LowLevelCallable, ctypes, cffi, a capsule), or rb.interpreted(f) for anything else"
)


class Callable:
    def __call__(self, x: float) -> float:
        return x

    def method(self, x: float) -> float:
        return x

    def __repr__(self) -> str:
        return "<it>"


def refused(obj: Any) -> str:
    """The message is the same from Rust, from Python's door, and from an engine."""
    with pytest.raises(TypeError) as from_rust:
        rt.sum_over_threads(obj, 1, 1)
    with pytest.raises(TypeError) as from_door:
        rb._callback_for(obj, "f64(f64)")
    with pytest.raises(TypeError) as from_quad:
        rb.integrate.quad(obj, 0.0, 1.0)
    assert str(from_rust.value) == str(from_door.value) == str(from_quad.value)
    return str(from_rust.value)


def test_numbers_are_no_addresses() -> None:
    for number in (0, 140_000_000, True):
        assert refused(number) == (
            f"{WANTED}the number {number}: an address has no type and is never taken; pass the function itself"
        )


def test_addresses_in_other_clothes() -> None:
    address = numba.cfunc("float64(float64)")(lambda x: x).address
    assert "the number" in refused(address)
    assert "np.int64" in refused(np.int64(5)) or "int64" in refused(np.int64(5))


@pytest.mark.parametrize(
    ("obj", "found"),
    [
        ("math.sin", "str 'math.sin'"),
        (None, "NoneType None"),
        (1.5, "float 1.5"),
        ([1], "list [1]"),
        (Callable, f"type {Callable!r}"),
        (float, "type <class 'float'>"),
    ],
)
def test_what_is_no_function(obj: Any, found: str) -> None:
    assert refused(obj) == WANTED + found + ACCEPTED


def test_builtin_functions_and_ufuncs() -> None:
    assert refused(math.sin) == (
        f"{WANTED}builtin_function_or_method <built-in function sin>; write lambda x: math.sin(x){ACCEPTED}"
    )
    assert refused(np.sin) == f"{WANTED}ufunc <ufunc 'sin'>; write lambda x: np.sin(x){ACCEPTED}"
    # No function of NumPy, whatever its name is.
    assert refused(scipy.special.jv) == (
        f"{WANTED}ufunc <ufunc 'jv'>; math.erf, math.erfc, math.gamma and math.lgamma are compiled; how to call other functions "
        f'of scipy.special from compiled code, docs/guide.md says under "Special functions"{ACCEPTED}'
    )
    for method in ("text".count, np.ones(3).dot):
        assert "; a method would need its object compiled: pass a function, and bind" in refused(method)


def test_methods_and_instances() -> None:
    it = Callable()
    text = refused(it.method)
    assert text.startswith(
        f"{WANTED}method <bound method Callable.method of <it>>; a method would need its object compiled"
    )
    assert text.endswith(ACCEPTED)
    assert refused(functools.partial(it.method)) == text
    assert refused(it) == (
        f"{WANTED}Callable <it>; an object that can be called is no function: pass a function, and bind its data with "
        f"rb.bind{ACCEPTED}"
    )
    assert refused(operator.itemgetter(0)).endswith(ACCEPTED)


def test_functions_that_are_wrapped() -> None:
    @functools.lru_cache
    def cached(x: float) -> float:
        return 2 * x

    assert f"; pass the function that it wraps, which is its attribute __wrapped__{ACCEPTED}" in refused(cached)
    assert rt.sum_over_threads(cached.__wrapped__, 4, 2) == 12.0


def test_expressions_of_sympy_are_no_function() -> None:
    expression = type("exp", (), {"__module__": "sympy.functions", "__repr__": lambda self: "exp(-x)"})()
    assert refused(expression) == (
        f"{WANTED}exp exp(-x); make a function of the expression: sympy.lambdify(x, expression, 'math'){ACCEPTED}"
    )


def test_samples_are_no_function() -> None:
    assert refused(np.ones(2)) == (
        f"{WANTED}ndarray array([1., 1.]); numbers that are the function's values at some points are for "
        f"scipy.integrate.simpson{ACCEPTED}"
    )


def test_long_reprs_are_cut() -> None:
    text = refused("x" * 10_000)
    assert len(text) < 500
    assert "xxx..." in text


def test_numba_cfunc_of_another_signature() -> None:
    other = numba.cfunc("float32(float64)")(lambda x: np.float32(x))
    assert "f64(f64)" in refused(other)
    assert "f32(f64)" in refused(other)
    fitting = numba.cfunc("float64(float64)")(lambda x: 2 * x)
    assert rt.sum_over_threads(fitting, 4, 2) == 12.0


def test_callbacks_of_another_signature() -> None:
    made = rb.compile(lambda x: np.float32(1.0), "f32(f64)")
    for callback in (made, rb.cfunc("float32(float64)")(lambda x: np.float32(1.0))):
        assert refused(callback).startswith("expected a callback f64(f64), found f32(f64)")


def test_classes_of_callbacks() -> None:
    for cls in (rb.Callback, rb.CFunc):
        assert refused(cls).startswith(f"{WANTED}type <class")


def offers(result: Any) -> Any:
    class Producer:
        def __ringback_callback__(self, signature: str | None = None) -> Any:
            if isinstance(result, BaseException):
                raise result
            return result

    return Producer()


def test_a_producer_that_raises() -> None:
    error = LookupError("nothing for you")
    with pytest.raises(LookupError) as caught:
        rt.sum_over_threads(offers(error), 1, 1)
    assert caught.value is error


@pytest.mark.parametrize("junk", [None, 7, "capsule", object])
def test_a_producer_that_returns_junk(junk: Any) -> None:
    with pytest.raises(TypeError) as caught:
        rt.sum_over_threads(offers(junk), 1, 1)
    assert str(caught.value) == (
        f'__ringback_callback__ must return a PyCapsule named "ringback.callback.v1", found an object of type '
        f"{type(junk).__name__}"
    )


def test_a_producer_of_another_capsule() -> None:
    from datetime import datetime_CAPI

    with pytest.raises(TypeError) as caught:
        rt.sum_over_threads(offers(datetime_CAPI), 1, 1)
    text = str(caught.value)
    assert text.startswith('expected a PyCapsule named "ringback.callback.v1", found one named ')
    assert "datetime.datetime_CAPI" in text
    assert text.endswith("its producer speaks another protocol, or another version of this one")


def test_a_producer_that_ignores_the_signature() -> None:
    with pytest.raises(TypeError) as caught:
        rt.sum_over_threads(offers(rb.compile(lambda x: x, "f32(f32)").__ringback_callback__()), 1, 1)
    assert "f64(f64)" in str(caught.value)
    assert "f32(f32)" in str(caught.value)


def test_a_capsule_is_taken_once() -> None:
    capsule = rb.compile(lambda x: x + 1, "f64(f64)").__ringback_callback__("f64(f64)")
    assert rt.sum_over_threads(offers(capsule), 3, 1) == 6.0
    with pytest.raises(TypeError):
        rt.sum_over_threads(offers(capsule), 3, 1)


def test_a_producer_of_ours_in_other_clothes() -> None:
    made = rb.compile(lambda x: 3 * x, "f64(f64)")

    class Wrapper:
        __ringback_callback__ = staticmethod(made.__ringback_callback__)

    assert rt.sum_over_threads(Wrapper(), 3, 2) == 9.0
    assert rb.integrate.quad(Wrapper(), 0.0, 2.0).value == pytest.approx(6.0)
    with pytest.raises(TypeError, match="cannot take args: bind them where it is made"):
        rb._callback_for(Wrapper(), "f64(f64)", args=(1.0,))


def test_signatures_that_do_not_count_up() -> None:
    with pytest.raises(rb.CompileError) as caught:
        rt.sum_over_threads(lambda x, y: x, 1, 1)
    assert str(caught.value) == (
        "<lambda> cannot be called as f64(f64): it takes 2 parameters (x, y), and the signature passes 1; nothing gives a "
        "value for y (as args, by rb.bind, or as a default)"
    )
    with pytest.raises(rb.CompileError, match="it takes 0 parameters"):
        rt.sum_over_threads(lambda: 1.0, 1, 1)
    with pytest.raises(rb.CompileError, match="variable number of arguments"):
        rt.sum_over_threads(lambda *x: 1.0, 1, 1)
