"""Functions that a compiled function calls: whatever way they come in, they are checked, and never stale."""

from __future__ import annotations

import gc
import operator
import subprocess
import sys
import types
import weakref
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
import ringback as rb
from numba import get_num_threads
from numba.extending import register_jitable
from numpy import isscalar
from ringback.integrate import quad

factor = 1.0


@numba.njit
def scaled(x: float) -> float:
    return factor * x


@numba.njit(inline="always")
def inlined(x: float) -> float:
    return scaled(x)


@register_jitable
def registered(x: float) -> float:
    return factor * x


@pytest.mark.parametrize("helper", [inlined, registered])
def test_what_helpers_read_is_never_stale(helper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scaled(1.0)  # Numba has compiled it, with that factor
    for value in (2.0, 3.0, 2.0):
        monkeypatch.setitem(globals(), "factor", value)
        assert quad(lambda t: helper(t), 0, 1).value == value / 2


@numba.njit
def element(a: Any, i: int) -> float:
    return a[i]


@numba.njit(inline="always")
def inlined_element(a: Any, i: int) -> float:
    return element(a, i)


@register_jitable
def registered_element(a: Any, i: int) -> float:
    return a[i]


@pytest.mark.parametrize("helper", [inlined_element, registered_element])
def test_indices_are_checked_in_helpers(helper: Any) -> None:
    callback = rb.compile(lambda a, i: helper(a, i), "f64([f64], i64)")
    numbers = np.arange(3.0)
    assert callback(numbers, 2) == 2.0
    with pytest.raises(IndexError):
        callback(numbers, 3)


def test_code_with_an_inlined_helper_is_kept_under_the_right_key(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, numba\n"
        "from ringback.integrate import quad\n"
        "K = float(sys.argv[1])\n"
        "@numba.njit\n"
        "def inner(x): return K * x\n"
        "@numba.njit(inline='always')\n"
        "def outer(x): return inner(x)\n"
        "inner(1.0)\n"
        "K = 2.0\n"
        "def f(t): return outer(t)\n"
        "print(quad(f, 0, 1).value)\n"
    )
    environment = {"PATH": "", "RINGBACK_CACHE_DIR": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    for first in ("1", "2"):
        command = [sys.executable, str(script), first]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
        assert done.stdout == "1.0\n"


@numba.njit("int64(float64)")
def whole(x: float) -> int:
    return x  # type: ignore[return-value]


@numba.njit("float64(float64)")
def ten_to_the_thirtieth(x: float) -> float:
    result = x
    for _ in range(30):
        result *= 10
    return result


@numba.njit(locals={"n": numba.int64})
def truncated(x: float) -> float:
    n = x
    return n * 1.0


@numba.njit("float64(float64[:])")
def first(a: Any) -> float:
    return a[0]


def test_signatures_and_types_of_variables_of_jitted_helpers_hold() -> None:
    assert rb.compile(lambda x: whole(x) * 0.5, "f64(f64)")(3.7) == 1.5
    assert rb.compile(lambda x: x * ten_to_the_thirtieth(1), "f64(f64)")(1.0) == pytest.approx(1e30)
    assert rb.compile(lambda x: truncated(x), "f64(f64)")(2.7) == 2.0
    # One with arrays would fit none of those that are bound, which are read-only.
    assert quad(rb.bind(lambda t, a: t * first(a), a=np.array([2.0])), 0, 1).value == 1.0


def test_what_numba_and_numpy_bring_is_theirs_to_compile() -> None:
    assert rb.compile(lambda x: x if isscalar(x) else 0.0, "f64(f64)")(2.0) == 2.0
    assert rb.compile(lambda x: x + 0 * get_num_threads(), "f64(f64)")(2.0) == 2.0
    kinds = ((np.float64,), 2)
    assert rb.compile(lambda x: x + np.zeros(2, kinds[0][0])[1], "f64(f64)")(2.0) == 2.0


def test_whole_numbers_to_negative_powers_raise_by_any_name() -> None:
    for f in (lambda n: 2**n, lambda n: pow(2, n), lambda n: operator.pow(2, n)):
        callback = rb.compile(f, "i64(i64)")
        assert callback(3) == 8
        with pytest.raises(ValueError, match="negative power"):
            callback(-1)


def test_a_name_that_is_two_things_is_refused() -> None:
    namespace: dict[str, Any] = {"factor": 5.0}
    exec(
        "def make():\n"
        "    factor = 1.0\n"
        "    def f(t):\n"
        "        def inner(y):\n"
        "            global factor\n"
        "            return y * factor\n"
        "        return factor + inner(t)\n"
        "    return f\n",
        namespace,
    )
    with pytest.raises(rb.CompileError, match="f reads factor as a global variable and as a variable of the function"):
        rb.compile(namespace["make"](), "f64(f64)")


def test_arrays_that_are_read_through_a_module_are_let_go() -> None:
    module = types.ModuleType("holder")
    array = np.ones(3)
    module.array = array  # type: ignore[attr-defined]
    f = eval("lambda t: module.array[0] * t", {"module": module})
    assert quad(f, 0, 1).value == 0.5
    alive = weakref.ref(array)
    del array
    # The last callback of a function is remembered, so there is another one.
    module.array = np.full(3, 2.0)  # type: ignore[attr-defined]
    assert quad(f, 0, 1).value == 1.0
    gc.collect()
    assert alive() is None
