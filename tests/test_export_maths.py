"""Functions of `math` and NumPy that Numba has its own for: in an exported library they have the bits of the JIT."""

import math

import numba
import numpy as np
import pytest
import ringback as rb
from test_export import pytestmark as only_here
from test_export import run, words

pytestmark = only_here


def gammas(x, y):
    return math.gamma(x) + np.float64(math.gamma(np.float32(y)))


def log_gammas(x, y):
    return math.lgamma(x) + np.float64(math.lgamma(np.float32(y)))


def neighbours(x, y):
    return np.nextafter(x, y) + np.spacing(y) + np.float64(np.nextafter(np.float32(x), np.float32(y)))


def parts(x, y):
    mantissa, exponent = math.frexp(np.float32(x))
    return np.float64(math.ldexp(np.float32(y), exponent)) + mantissa


def power(z):
    return z ** (0.5 - 1.25j)


def whole_power(z):
    return z**3 + z**-2.0 + (1 + 2j) ** z


def single_power(z):
    return np.complex128(np.complex64(z) ** np.complex64(1.5 + 0.5j))


REAL = [(0.5, 3.25), (-1.5, 0.75), (171.0, 5.0), (7.0, -2.5), (1e-300, 33.0), (float("inf"), 1.0)]
COMPLEX = [1 + 2j, -0.5j, 3 + 0j, -2 + 0j, 0j, 1e-200 + 1e200j, complex(1e308, -1e308), complex(-0.0, 4)]


def test_results_are_those_of_the_jit(host, tmp_path):
    real = {f.__name__: rb.compile(f, "f64(f64, f64)") for f in (gammas, log_gammas, neighbours, parts)}
    plane = {f.__name__: rb.compile(f, "c128(c128)") for f in (power, whole_power, single_power)}
    made = rb.export({**real, **plane}, tmp_path / "m.so")
    lines, wanted = [], []
    for callbacks, calls in ((real, REAL), (plane, [(z,) for z in COMPLEX])):
        for name, callback in callbacks.items():
            for arguments in calls:
                lines.append("\t".join([name, callback.signature, *(",".join(words(a)) for a in arguments)]))
                try:
                    wanted.append(",".join(words(callback(*arguments))))
                except Exception as error:
                    wanted.append(error)
    found = run(host / "call", made.library, input="\n".join(lines))[:-2]
    assert len(found) == len(wanted)
    for line, got, value in zip(lines, found, wanted, strict=True):
        if isinstance(value, Exception):
            assert got.startswith(f"error: {type(value).__name__}: "), line
        else:
            assert unsigned(got) == unsigned(value), line


def unsigned(words):
    """Without the sign of a NaN, which nothing defines: CPython's own power has changed it between versions."""
    return words.replace("fff8000000000000", "7ff8000000000000")


def typed_list(x):
    values = numba.typed.List()
    values.append(x)
    return values[0]


def test_typed_lists_are_refused_by_name(tmp_path):
    with pytest.raises(rb.ExportError) as refused:
        rb.compile(typed_list, "f64(f64)").export(tmp_path / "m.so")
    first, *_, line = str(refused.value).splitlines()
    assert first == (
        "cannot export typed_list: it needs Numba's dictionaries, typed lists and typed sets, which are part of Numba: use arrays, "
        "plain lists or plain sets"
    )
    assert line == "    values = numba.typed.List()"
