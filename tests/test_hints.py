"""What a `CompileError` says to do; and that it can be done."""

from __future__ import annotations

import fractions
import functools
import math
import os
import traceback

import numpy as np
import pytest
import ringback as rb
import scipy.special
from ringback.integrate import cubature, monte_carlo, quad, quad_many


class Model:
    def __init__(self):
        self.k = 2.0


MODEL = Model()
TABLE = {"k": 2.0}
HALF = fractions.Fraction(1, 2)
RANDOM = np.random.default_rng(0)
INTERPRETED = rb.interpreted(math.sin)


def square(x):
    return x * x


def message_of(function) -> str:
    with pytest.raises(rb.CompileError) as error:
        rb.compile(function, "f64(f64)")
    return str(error.value)


def of_x(expression):
    names = {"np": np, "math": math, "special": scipy.special, "gammaln": scipy.special.gammaln}
    return eval(f"lambda x: {expression}", names)


def captured(value):
    return lambda x: value.k * x


@pytest.mark.parametrize(
    ("f", "reason", "hint"),
    [
        (lambda x: MODEL.k * x, "Cannot determine Numba type", "compiled code knows nothing of MODEL: capture the numbers"),
        (captured(MODEL), "Cannot determine Numba type", "compiled code knows nothing of value: capture the numbers and"),
        (lambda x: TABLE["k"] * x, "Cannot determine Numba type", "read from TABLE before what the function needs, and"),
        (lambda x: HALF * x, "<class 'fractions.Fraction'>", "make a float of it before: float(HALF)"),
        (lambda x: RANDOM.normal() * x, "of such a type: NumPyRandomGenerator", "a generator of random numbers cannot be"),
        (lambda x: INTERPRETED(x), "Cannot determine Numba type", "INTERPRETED runs in the interpreter, and compiled code"),
        (lambda x: quad(lambda y: x * y, 0, 1)[0], "may escape", "of an integral within an integral, run the outer function"),
        (lambda x: quad(square, 0, x)[0], "Untyped global name 'quad'", "of an integral within an integral, run the outer"),
        (lambda x: sum(x**i for i in range(3)), "yield in a closure", "write a list in place of the generator, sum([...])"),
        (lambda x: np.where(x > 0, x, 0.0), "array(float64, 0d, C)", "write `a if condition else b`, or take the number, "),
        (lambda x: np.array([x]), "it returns array(float64, 1d, C)", "one number is expected: return an element of it"),
        (lambda x: (x, x), "it returns UniTuple(float64 x 2)", "one number is expected: return an element of it"),
        (lambda x: 1j * x, "it returns complex128", "quad integrates a complex function with complex_func=True"),
        (lambda x: len(f"{x:.3f}"), "format spec", "Numba does not compile this; rb.interpreted(f) runs the function"),
        (of_x("math.factorial(3) * x"), "Numba does not compile math.factorial", "write math.gamma(n + 1)"),
        (of_x("math.ulp(x)"), "Numba does not compile math.ulp", "Numba does not compile this; rb.interpreted(f) runs"),
        (of_x("math.log(x, 2)"), "No implementation of function log found", "write math.log(x) / math.log(base)"),
        (of_x("np.clip(x, 0.0, 1.0)"), "No implementation of function clip found", "write min(max(x, low), high)"),
        (of_x("np.heaviside(x, 0.5)"), "'numpy.heaviside'", "write 1.0 if x > 0 else 0.0"),
        (of_x("np.polyval(np.ones(3), x)"), "'numpy.polyval'", "write a loop: p = p * x + c"),
        (of_x("any([x > 0])"), "Untyped global name 'any'", "write a loop, or np.any of an array"),
        (of_x("reversed([x])"), "Untyped global name 'reversed'", "Numba does not compile reversed: use numbers and arrays"),
        (of_x("special.jv(0, x)"), "Numba does not compile scipy.special.jv", 'docs/guide.md says under "Special functions"'),
        (of_x("special.erf(x)"), "Numba does not compile scipy.special.erf", "write math.erf(x)"),
        (of_x("gammaln(x)"), "<class 'numpy.ufunc'>", "write math.lgamma(x)"),
    ],
)  # fmt: skip
def test_what_to_do(f, reason, hint):
    text = message_of(f)
    assert reason in text
    assert hint in text.partition("\n  Hint: ")[2]
    assert " at 0x" not in text
    assert "site-packages" not in text
    assert ".so" not in text


def keyed(x, k=2.0, *, m=1.0):
    return x * k * m


def test_an_import_and_a_parameter_behind_a_star():
    def imports(x):
        import math

        return math.sin(x)

    assert message_of(imports).endswith("\n  Hint: put the import at the top of the module")
    assert message_of(lambda x: keyed(x, m=3.0)).endswith(
        "\n  Hint: Numba cannot call a function with parameters behind a `*`: take the `*` out of its definition"
    )


def test_a_chosen_class_of_exceptions():
    def f(x):
        try:
            return 1 / x
        except ZeroDivisionError:
            return 0.0

    assert message_of(f).splitlines()[-1] == (
        "  Hint: Numba compiles `except Exception` and bare `except`, but no chosen classes; rb.interpreted(f) runs the "
        "function in the interpreter"
    )


def test_what_a_decorator_hides():
    def decorated(f):
        @functools.wraps(f)
        def wrapper(*args, **options):
            return f(*args, **options)

        return wrapper

    @decorated
    def f(x):
        return x

    assert message_of(f) == (
        "f takes a variable number of arguments: a compiled function has fixed parameters; write them out, or, of a function "
        "that is decorated, pass f.__wrapped__"
    )
    assert rb.compile(f.__wrapped__, "f64(f64)")(2.0) == 2.0


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("math.gamma(x + 1)", 6.0),
        ("math.gamma(5 + 1) / (math.gamma(2 + 1) * math.gamma(5 - 2 + 1)) * x", 30.0),
        ("np.fmod(x, 2.0)", 1.0),
        ("np.cbrt(x * 9)", 3.0),
        ("sum([x, x])", 6.0),
        ("1.0 if np.isclose(x, 3.0) else 0.0", 1.0),
        ("np.prod(np.array([x, 2.0]))", 6.0),
        ("min(max(x, 0.0), 1.0)", 1.0),
        ("np.trunc(x + 0.5)", 3.0),
        ("np.any(np.array([x > 0]))", 1.0),
        ("np.all(np.array([x > 4]))", 0.0),
        ("math.log(x) / math.log(3)", 1.0),
        ("math.lgamma(x)", math.log(2.0)),
        ("math.erf(x) + math.erfc(x)", 1.0),
        ("np.where(x > 0, x, 0.0).item()", 3.0),
    ],
)
def test_what_is_advised_compiles(expression, expected):
    assert rb.compile(of_x(expression), "f64(f64)")(3.0) == pytest.approx(expected, rel=1e-12)


def test_an_integral_within_an_integral():
    # As the hints say.
    outer = rb.interpreted(lambda x: quad(lambda y: x * y, 0, x)[0])
    assert quad(outer, 0, 1).value == pytest.approx(1 / 8, rel=1e-14)


@pytest.mark.parametrize(
    ("enter", "frames"),
    [
        (lambda f: quad(f, 0, 1), 0),
        (lambda f: quad(f, 0, 1, complex_func=True), 0),
        (lambda f: quad(lambda x, k: f(x), 0, 1, args=(1.0,)), 0),
        (lambda f: quad_many(f, 0, 1), 1),
        (lambda f: cubature(lambda x, y: f(x), [0, 0], [1, 1]), 0),
        (lambda f: monte_carlo(f, [0], [1]), 0),
        (lambda f: rb.compile(f, "f64(f64)"), 1),
        (lambda f: rb.cfunc("f64(f64)")(f), 1),
    ],
)
def test_the_traceback_ends_where_the_call_is(enter, frames):
    with pytest.raises(rb.CompileError) as error:
        enter(lambda x: math.ulp(x))
    package = os.path.dirname(rb.__file__)
    files = [entry.filename for entry in traceback.extract_tb(error.value.__traceback__)]
    assert sum(file.startswith(package) for file in files) == frames
    assert __file__ in files
    assert error.value.original is not None
