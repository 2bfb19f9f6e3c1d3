"""An exception raised in compiled code arrives as itself: from every thread, silently, and without a leak."""

from __future__ import annotations

import linecache
import os
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
from numba.core.runtime import _nrt_python, rtsys
from ringback.integrate import quad


class ModuleError(ValueError):
    """A user's own class, at module level."""


class Refusing(Exception):
    """A class that refuses what it is raised with."""

    def __init__(self, code: float) -> None:
        if code != 0:
            raise RuntimeError("no such code")
        super().__init__(code)


def static(x: float) -> float:
    if x >= 3.0:
        raise ValueError("x is too large", 3)
    return x


def dynamic(x: float) -> float:
    if x >= 3.0:
        raise ValueError("x is too large", x)
    return x


def own(x: float) -> float:
    if x >= 3.0:
        raise ModuleError("mine", x)
    return x


def refusing(x: float) -> float:
    if x > -1.0:
        raise Refusing(x)
    return x


def line_of(function: Callable[..., Any], text: str) -> int:
    first = function.__code__.co_firstlineno
    for line in range(first, first + 30):
        if text in linecache.getline(__file__, line):
            return line
    raise AssertionError(text)


def called(function: Any, x: float) -> float:
    return rb._callback_for(function, "f64(f64)")(x)


def in_quad(function: Any, x: float) -> float:
    return quad(function, x, x + 1.0).value


def on_workers(function: Any, x: float) -> float:
    return rt.first_failure(function, 400, 4)


def with_gil(function: Any, x: float) -> float:
    return rt.fail_with_gil_held(function, 4)


EVERYWHERE = pytest.mark.parametrize("run", [called, in_quad, on_workers, with_gil])


@EVERYWHERE
def test_static_arguments(run: Callable[..., float], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="too large") as caught:
        run(static, 5.0)
    assert type(caught.value) is ValueError
    assert caught.value.args == ("x is too large", 3)
    assert capfd.readouterr() == ("", "")


@EVERYWHERE
def test_arguments_known_only_at_run_time(run: Callable[..., float], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="too large") as caught:
        run(dynamic, 5.0)
    assert type(caught.value) is ValueError
    text, x = caught.value.args
    assert text == "x is too large"
    assert type(x) is float
    assert x == 5.0 if run is called else x >= 3.0
    assert capfd.readouterr() == ("", "")


@EVERYWHERE
def test_the_users_class_is_the_same_object(run: Callable[..., float]) -> None:
    with pytest.raises(ModuleError) as caught:
        run(own, 5.0)
    assert type(caught.value) is ModuleError
    assert caught.value.args[0] == "mine"


@EVERYWHERE
def test_the_users_class_defined_in_a_function(run: Callable[..., float]) -> None:
    class LocalError(Exception):
        def code(self) -> float:
            return self.args[1]

    def f(x: float) -> float:
        if x >= 3.0:
            raise LocalError("local", x)
        return x

    with pytest.raises(LocalError) as caught:
        run(f, 5.0)
    assert type(caught.value) is LocalError
    assert caught.value.code() >= 3.0


def test_classes_of_the_same_name_are_kept_apart() -> None:
    def make() -> tuple[type[Exception], Callable[[float], float]]:
        class Twin(Exception):
            pass

        def f(x: float) -> float:
            if x > 0.0:
                raise Twin("twin")
            return x

        return Twin, f

    (one, f), (two, g) = make(), make()
    with pytest.raises(one) as caught:
        called(f, 1.0)
    assert type(caught.value) is one
    with pytest.raises(two) as caught:
        called(g, 1.0)
    assert type(caught.value) is two
    with pytest.raises(one):
        called(f, 1.0)


def test_a_class_that_refuses_its_arguments() -> None:
    with pytest.raises(RuntimeError) as caught:
        called(refusing, 2.5)
    assert str(caught.value) == (
        "Refusing(2.5,) was raised in compiled code, but cannot be made: RuntimeError('no such code')"
    )
    assert caught.traceback[-1].name == "refusing"
    with pytest.raises(Refusing) as right:
        called(refusing, 0.0)
    assert right.value.args == (0.0,)


@EVERYWHERE
@pytest.mark.parametrize("function", [static, dynamic, own])
def test_the_traceback_ends_at_the_raise_statement(run: Callable[..., float], function: Any) -> None:
    with pytest.raises(ValueError, match=r"x is too large|mine") as caught:
        run(function, 5.0)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    line = line_of(function, "raise ")
    assert (last.filename, last.lineno, last.name) == (__file__, line, function.__name__)
    assert last.line == linecache.getline(__file__, line).strip()
    assert last.line.startswith("raise ")


def test_a_raise_in_a_function_that_is_called() -> None:
    @numba.njit
    def helper(x):
        if x > 1.0:
            raise KeyError("deep", x)
        return x

    def f(x: float) -> float:
        return helper(x) + 1.0

    with pytest.raises(KeyError) as caught:
        called(f, 2.0)
    assert caught.value.args == ("deep", 2.0)
    assert caught.traceback[-1].name == "helper"


def test_errors_of_the_language_itself() -> None:
    def index(x: float) -> float:
        return np.zeros(3)[int(x)]

    def divide(x: float) -> float:
        return 1.0 / x

    def check(x: float) -> float:
        if not x > 1.0:
            raise AssertionError("x must be large")
        return x

    with pytest.raises(IndexError):
        called(index, 7.0)
    with pytest.raises(ZeroDivisionError):
        called(divide, 0.0)
    with pytest.raises(AssertionError, match="x must be large"):
        called(check, 0.0)
    assert called(index, 2.0) == 0.0


def test_errors_of_the_language_itself_name_the_function() -> None:
    def index(x: float) -> float:
        return np.zeros(3)[int(x)]

    def divide(x: float) -> float:
        return 1.0 / x

    for function, x, error in ((index, 7.0, IndexError), (divide, 0.0, ZeroDivisionError)):
        with pytest.raises(error) as caught:
            called(function, x)
        last = traceback.extract_tb(caught.value.__traceback__)[-1]
        first = function.__code__.co_firstlineno
        assert (last.filename, last.name) == (__file__, function.__name__)
        # Numba does not tell the line of these.
        assert last.lineno in (first, first + 1)


def test_the_next_call_is_unharmed() -> None:
    callback = rb.compile(dynamic, "f64(f64)")
    for _ in range(3):
        with pytest.raises(ValueError, match="too large"):
            callback(4.0)
        assert callback(2.0) == 2.0


def test_several_threads_fail_and_one_is_raised() -> None:
    def f(x: float) -> float:
        if x >= 0.0:
            raise ValueError("thread", x)
        return x

    for _ in range(50):
        with pytest.raises(ValueError, match="thread") as caught:
            rt.first_failure(f, 800, 8)
        assert caught.value.args[1] in [100.0 * i for i in range(8)]
        assert caught.value.__context__ is None


def test_nothing_deadlocks_and_nothing_is_printed() -> None:
    program = textwrap.dedent(
        """
        import ringback as rb, ringback_testing as rt
        from ringback.integrate import quad

        def f(x):
            if x >= 0.0:
                raise ValueError("run time", x)
            return x

        def g(x):
            if x >= 0.0:
                raise RuntimeError("static")
            return x

        def h(x):
            raise LookupError(x)

        for function in (f, g):
            for _ in range(50):
                for fail in (rt.fail_with_gil_held, lambda f, n: rt.first_failure(f, 100, n)):
                    try:
                        fail(function, 4)
                    except (ValueError, RuntimeError):
                        continue
                    raise SystemExit("nothing was raised")
        for function in (f, g, rb.interpreted(h)):
            assert rt.discard_many(function, 500) == 500
        print("done")
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_errors_pending_at_exit() -> None:
    program = (
        "import ringback_testing as rt\n"
        "def f(x):\n    if x >= 0.0:\n        raise ValueError('run time', x)\n    return x\n"
        "import atexit\n"
        "atexit.register(lambda: rt.discard_many(f, 100))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(scope="module", autouse=True)
def _statistics() -> None:
    _nrt_python.memsys_enable_stats()


def outstanding() -> int:
    stats = rtsys.get_allocation_stats()
    return stats.alloc - stats.free


def settle() -> None:
    for _ in range(1000):  # discards that waited for the GIL run between two instructions of the main thread
        pass


@pytest.mark.parametrize("function", [static, dynamic])
@pytest.mark.parametrize("way", ["discarded", "raised", "one of several"])
def test_nothing_leaks(function: Any, way: str) -> None:
    callback = rb._callback_for(function, "f64(f64)")

    def run(n: int) -> None:
        if way == "discarded":
            assert rt.discard_many(callback, n + 3) >= n
        for _ in range(n if way == "raised" else 0):
            with pytest.raises(ValueError, match="too large"):
                callback(5.0)
        for _ in range(n // 4 if way == "one of several" else 0):
            with pytest.raises(ValueError, match="too large"):
                rt.first_failure(callback, 400, 4)
        settle()

    run(10)
    before = outstanding()
    run(1000)
    assert outstanding() == before


def test_arguments_on_the_heap_leak_no_more_than_in_numba() -> None:
    # Numba 0.68 keeps one reference too many on each text made at run time that an error is raised with.
    def f(x: float) -> float:
        if x >= 0.0:
            raise ValueError("a", str(int(x)))
        return x

    def growth(function: Callable[[float], float]) -> int:
        before = 0
        for n in (2, 20):
            before = outstanding()
            for _ in range(n):
                with pytest.raises(ValueError, match="a") as caught:
                    function(2.0)
                assert caught.value.args[1] == "2"
                del caught
        return outstanding() - before

    callback = rb.compile(f, "f64(f64)")
    numbas = growth(numba.njit(f))
    assert growth(callback) <= numbas
    before = outstanding()
    assert rt.discard_many(callback, 20) == 20
    settle()
    assert outstanding() - before <= numbas


def test_classify_without_the_gil() -> None:
    assert rt.classify(static, 1.0) is None
    raised, cls, message = rt.classify(static, 5.0)
    line = line_of(static, "raise ")
    assert (raised, cls) == (True, "ValueError")
    assert message == f"ValueError: x is too large, 3 (in static, test_errors.py:{line})"
    raised, cls, message = rt.classify(own, 5.0)
    assert (raised, cls) == (True, "ModuleError")
    assert message.startswith("ModuleError: mine, ")
    assert message.endswith(f" (in own, test_errors.py:{line_of(own, 'raise ')})")


def test_classify_knows_builtin_failures() -> None:
    def divide(x: float) -> float:
        return 1.0 / x

    raised, cls, message = rt.classify(divide, 0.0)
    assert (raised, cls) == (True, "ZeroDivisionError")
    assert message == "ZeroDivisionError: division by zero"


def test_the_parts_of_an_error_can_be_read_without_python() -> None:
    def far(x: float) -> float:
        if x < 0:
            raise ValueError("negative (in some way):", x)
        return 1.0 / x

    line = line_of(far, "raise ")
    said = "negative (in some way):, …"
    assert rt.parts(far, -1.0) == ("ValueError", said, "far", "test_errors.py", line)
    assert rt.parts(far, 0.0) == ("ZeroDivisionError", "division by zero", None, None, None)
    assert rt.parts(far, 2.0) is None


def test_classify_interpreted() -> None:
    def f(x: float) -> float:
        raise ValueError("interpreted")

    raised, _, message = rt.classify(rb.interpreted(f), 5.0)
    assert raised is True
    assert message


def test_a_sampler_goes_on_where_the_function_raised() -> None:
    def f(x: float) -> float:
        if int(x) % 3 == 0:
            raise ValueError("outside of the support", x)
        return x

    before = outstanding()
    assert rt.rejecting_sampler(f, 300) == (200, 100)
    settle()
    assert outstanding() == before


def test_a_panic_in_the_engine_is_an_exception() -> None:
    with pytest.raises(BaseException, match="the engine broke its own invariant") as caught:
        rt.panics_in_engine(lambda x: x)
    assert type(caught.value).__name__ == "PanicException"
    assert np.isnan(rt.panics_in_engine(lambda x: x + np.nan))


def test_errors_in_sequence_have_their_own_arguments() -> None:
    callback = rb.compile(dynamic, "f64(f64)")
    kept = []
    for x in range(3, 50):
        with pytest.raises(ValueError, match="too large") as caught:
            callback(float(x))
        kept.append(caught.value)
    assert [error.args[1] for error in kept] == [float(x) for x in range(3, 50)]


def test_a_file_whose_name_is_not_utf_8_is_named_as_well_as_can_be():
    scope: dict = {}
    source = "def f(x):\n    if x > 1:\n        raise ValueError('too large')\n    return x\n"
    exec(compile(source, os.fsdecode(b"/caf\xe9.py"), "exec"), scope)
    cb = rb.compile(scope["f"], "f64(f64)")
    assert "ValueError: too large (in f, caf?.py:3)" in cb._shim.exceptions().values()
    with pytest.raises(ValueError, match="too large"):
        cb(2.0)
