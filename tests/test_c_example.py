"""examples/c: a consumer and a producer of callback records in C, and a consumer in C++, compiled here with every warning."""

from __future__ import annotations

import functools
import importlib.util
import math
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
from ringback.integrate import quad

ROOT = Path(__file__).resolve().parent.parent
HEADERS = Path(sysconfig.get_path("include"), "Python.h")

pytestmark = pytest.mark.skipif(
    shutil.which(os.environ.get("CC", "cc")) is None or not HEADERS.exists(),
    reason="needs a C compiler and Python's headers",
)


def load(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("example_c")
    names = load("example_c_build", ROOT / "examples" / "c" / "build.py").build(folder)
    return {name: load(name, folder / f"{name}.abi3.so") for name in names}


@pytest.fixture(scope="session")
def c(built: dict[str, Any]) -> Any:
    return built["example_c"]


@pytest.fixture(scope="session")
def cpp(built: dict[str, Any]) -> Any:
    if "example_cpp" not in built:
        pytest.skip("no C++ compiler")
    return built["example_cpp"]


def oscillator(t, y, dy):
    dy[0] = y[1]
    dy[1] = -y[0]


def test_a_plain_function_in_a_solver_in_c(c: Any) -> None:
    y = c.rk4(oscillator, [1.0, 0.0], 0.0, 1.0, 1000)
    assert y == pytest.approx([math.cos(1.0), -math.sin(1.0)], abs=1e-12)
    # Of order 4: half the step, a sixteenth of the error.
    errors = [abs(c.rk4(oscillator, [1.0, 0.0], 0.0, 1.0, n)[0] - math.cos(1.0)) for n in (20, 40)]
    assert errors[0] / errors[1] == pytest.approx(16.0, rel=0.1)


def test_bound_data_and_time(c: Any) -> None:
    rates = np.array([0.5, 2.0])

    def decay(t, y, dy, rates):
        dy[:] = -rates * y + 0.0 * t

    for bound in (rb.bind(decay, rates=rates), functools.partial(decay, rates=rates)):
        assert c.rk4(bound, [1.0, 1.0], 0.0, 1.0, 200) == pytest.approx(np.exp(-rates), rel=1e-9)
    rates[:] = 0.0  # by reference
    assert c.rk4(rb.bind(decay, rates=rates), [1.0, 3.0], 0.0, 1.0, 5) == [1.0, 3.0]


def test_every_kind_of_function(c: Any) -> None:
    def total(x):
        return x.sum()

    made = [
        total,
        rb.compile(total, "f64([f64])"),
        rb.compile(total, "f64([f64; n])"),  # the name of a length does not decide
        rb.cfunc(rb.Signature("f64([f64])"))(total),
        rb.interpreted(total),
    ]
    for f in made:
        assert c.weighted_sum(f, [1.0, 2.0, 3.0, 4.0], [1.0, 10.0]) == 73.0


class Odd(Exception):
    pass


def test_exceptions_pass_as_themselves(c: Any) -> None:
    def steep(t, y, dy):
        if t > 0.5:
            raise Odd("too late", t)
        dy[:] = y

    for f in (steep, rb.interpreted(steep)):
        with pytest.raises(Odd) as caught:
            c.rk4(f, [1.0], 0.0, 1.0, 10)
        assert caught.value.args == ("too late", pytest.approx(0.55))
    with pytest.raises(IndexError):
        c.rk4(oscillator, [1.0], 0.0, 1.0, 10)

    def stop(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        c.weighted_sum(rb.interpreted(stop), [1.0], [1.0])


def test_what_is_no_callback_is_refused(c: Any) -> None:
    with pytest.raises(TypeError, match="found the number 140000: an address has no type"):
        c.weighted_sum(140_000, [1.0], [1.0])
    with pytest.raises(rb.CompileError):
        c.weighted_sum(lambda x, y: x, [1.0], [1.0])
    for other in (rb.compile(lambda x: x, "f64(f64)"), c.polynomial([1.0], 0.0, 1.0), rt.offer_scaled(1.0)):
        with pytest.raises(TypeError) as caught:
            c.weighted_sum(other, [1.0], [1.0])
        assert "f64([f64])" in str(caught.value)
        assert "f64(f64)" in str(caught.value)

    class Offers:
        def __init__(self, result: Any) -> None:
            self.result = result

        def __ringback_callback__(self, signature: str) -> Any:
            return self.result

    with pytest.raises(TypeError, match=r"must return a PyCapsule named ringback\.callback\.v1"):
        c.weighted_sum(Offers(7), [1.0], [1.0])
    capsule = rb.compile(lambda x: x[0], "f64([f64])").__ringback_callback__()
    assert c.weighted_sum(Offers(capsule), [2.0], [3.0]) == 6.0
    with pytest.raises(TypeError, match="the callback record was given away or released already"):
        c.weighted_sum(Offers(capsule), [2.0], [3.0])
    with pytest.raises(TypeError, match=r"expected a callback f64\(\[f64\]\), found f64\(f64\)"):
        c.weighted_sum(Offers(rt.offer_scaled(1.0).__ringback_callback__()), [2.0], [3.0])


def test_callbacks_made_in_c(c: Any) -> None:
    polynomial = c.polynomial([1.0, 2.0, 3.0], -1.0, 1.0)
    assert quad(polynomial, -1.0, 1.0).value == pytest.approx(4.0, rel=1e-14)
    assert rt.sum_over_threads(c.polynomial([0.0, 1.0], 0.0, 1000.0), 1000, 4) == 499_500.0
    assert rt.log_density(c.normal([1.0, 2.0]), [0.0, 0.0]) == (-2.5, [1.0, 2.0])
    assert rt.sum_over_threads(rt.pass_on(polynomial), 2, 1) == 7.0
    for capsule in (polynomial.__ringback_callback__(), polynomial.__ringback_callback__(None)):
        assert "ringback.callback.v1" in repr(capsule)
        del capsule
    with pytest.raises(TypeError, match=r"expected a callback f64\(f64\), found f64\(\[f64\], mut \[f64\]\)"):
        quad(c.normal([0.0]), 0.0, 1.0)


def test_errors_made_in_c(c: Any) -> None:
    polynomial = c.polynomial([1.0], 0.0, 10.0)
    message = "^x = 11 is not in the domain, which ends at 10$"
    for passed in (polynomial, rt.pass_on(polynomial), rt.relay(polynomial)):
        with pytest.raises(ValueError, match=message):
            rt.sum_over_threads(passed, 12, 1)
        with pytest.raises(ValueError, match="is not in the domain"):
            rt.first_failure(passed, 4000, 4)
        assert rt.discard_many(passed, 1000) == 989
        assert rt.rejecting_sampler(passed, 100) == (11, 89)
    raised = (True, "ValueError", "ValueError: x = 11 is not in the domain, which ends at 10")
    assert rt.classify(polynomial, 11.0) == raised
    with pytest.raises(ValueError, match="^2 coordinates expected, found 3$"):
        rt.log_density(c.normal([1.0, 2.0]), [0.0, 0.0, 0.0])


def test_threads_in_cpp(cpp: Any, c: Any) -> None:
    def bowl(x, gradient):
        gradient[:] = 2.0 * (x - 3.0)
        return ((x - 3.0) ** 2).sum()

    starts = [[0.0, 1.0], [5.0, 6.0], [], [-1.0]]
    for f in (bowl, rb.interpreted(bowl)):
        ends = cpp.descend(f, starts, 0.1, 200)
        assert [len(end) for end in ends] == [2, 2, 0, 1]
        assert [x for end in ends for x in end] == pytest.approx([3.0] * 5)
    assert cpp.descend(c.normal([1.0, -1.0]), [[0.0, 0.0]], -0.1, 300)[0] == pytest.approx([1.0, -1.0])


def test_errors_in_cpp(cpp: Any, c: Any) -> None:
    def bowl(x, gradient):
        gradient[:] = x
        if x[0] > 2.0:
            raise Odd("out", x[0])
        return x[0]

    with pytest.raises(Odd) as caught:
        cpp.descend(bowl, [[1.0]] + [[1.5]] * 7, -0.1, 100)
    assert caught.value.args[0] == "out"
    assert cpp.describe(c.polynomial([1.0], 0.0, 1.0), 0.5) is None
    assert cpp.describe(c.polynomial([1.0], 0.0, 1.0), 3.0) == (
        True,
        "ValueError: x = 3 is not in the domain, which ends at 1",
    )
    assert cpp.describe(rt.offer_panic(), 1.0) == (False, "a callback in Rust panicked: no value at 1")
    with pytest.raises(TypeError, match=r"f64\(\[f64\], mut \[f64\]\)"):
        cpp.descend(c.polynomial([1.0], 0.0, 1.0), [[1.0]], 0.1, 1)
    with pytest.raises(TypeError, match="starts must be a list of lists of numbers"):
        cpp.descend(bowl, [1.0], 0.1, 1)


def test_nothing_is_kept(c: Any) -> None:
    def f(x, data):
        return x[0] * data[0]

    data = np.ones(1000)
    before = sys.getrefcount(data)
    for _ in range(50):
        assert c.weighted_sum(rb.bind(f, data=data), [2.0], [1.0]) == 2.0
        capsule = c.polynomial([1.0], 0.0, 1.0).__ringback_callback__("f64(f64)")
        del capsule
    assert sys.getrefcount(data) == before
