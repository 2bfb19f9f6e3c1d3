"""`rb.interpreted`: the explicit fallback, on every thread, with copies of arrays and checked results."""

from __future__ import annotations

import functools
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
from ringback.integrate import quad, quad_many


def test_in_quad_with_what_numba_cannot_compile() -> None:
    def integrand(t: float) -> float:
        return json.loads(f'{{"t": {t!r}}}')["t"] ** 2

    with pytest.raises(rb.CompileError):
        quad(integrand, 0.0, 3.0)
    value, _ = quad(rb.interpreted(integrand), 0.0, 3.0)
    assert value == pytest.approx(9.0, rel=1e-12)


def test_builtin_functions_classes_methods_and_instances() -> None:
    class Line:
        slope = 2.0

        def __call__(self, x: float) -> float:
            return self.slope * x

        def at(self, x: float) -> float:
            return self.slope * x + 1.0

    assert rt.sum_over_threads(rb.interpreted(float), 10, 2) == 45.0
    assert rt.sum_over_threads(rb.interpreted(np.sqrt), 3, 1) == pytest.approx(1 + np.sqrt(2))
    assert rt.sum_over_threads(rb.interpreted(Line()), 10, 2) == 90.0
    assert rt.sum_over_threads(rb.interpreted(Line().at), 10, 2) == 100.0


def test_runs_on_the_worker_threads() -> None:
    seen = set()

    def f(x: float) -> float:
        seen.add(threading.get_ident())
        return x

    assert rt.sum_over_threads(rb.interpreted(f), 4000, 4) == sum(range(4000))
    assert threading.get_ident() not in seen
    assert len(seen) == 4


@pytest.mark.parametrize(
    "run", [lambda f: rt.first_failure(f, 100, 4), lambda f: quad(f, 0.0, 1.0)], ids=["workers", "this thread"]
)
def test_the_exception_is_the_same_object(run: Callable[[Any], Any], capfd: pytest.CaptureFixture[str]) -> None:
    class Mine(Exception):
        pass

    mine = Mine({"not": "picklable", "f": lambda: 1})

    def f(x: float) -> float:
        raise mine

    with pytest.raises(Mine) as caught:
        run(rb.interpreted(f))
    assert caught.value is mine
    last = caught.traceback[-1]
    assert last.name == "f"
    assert str(last.path) == __file__
    assert capfd.readouterr() == ("", "")


def test_keyboard_interrupt_passes() -> None:
    def f(x: float) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quad(rb.interpreted(f), 0.0, 1.0)
    with pytest.raises(KeyboardInterrupt):
        rt.sum_over_threads(rb.interpreted(f), 100, 4)


def test_discarded_exceptions_are_let_go() -> None:
    alive = 0

    class Counted(Exception):
        def __init__(self) -> None:
            nonlocal alive
            alive += 1

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def f(x: float) -> float:
        raise Counted

    assert rt.discard_many(rb.interpreted(f), 300) == 300
    for _ in range(1000):  # what was discarded without the GIL is freed by a pending call
        pass
    assert alive == 0


def test_arrays_are_copies_and_mut_is_copied_back() -> None:
    kept = []

    def f(x, grad):
        kept.append((x, grad))
        grad[:] = 2 * x
        return float(x @ x)

    value, gradient = rt.call_tied(rb.interpreted(f), [1.0, 2.0], 2)
    assert (value, gradient) == (5.0, [2.0, 4.0])
    [(x, grad)] = kept
    rt.call_tied(rb.interpreted(f), [7.0, 8.0], 2)
    assert x.tolist() == [1.0, 2.0]
    assert grad.tolist() == [2.0, 4.0]
    assert not x.flags.writeable


def test_a_read_only_array_is_not_written() -> None:
    def f(x, grad):
        x[0] = 1.0
        return 0.0

    with pytest.raises(ValueError, match="read-only"):
        rt.call_tied(rb.interpreted(f), [1.0, 2.0], 2)


def test_failure_copies_nothing_back() -> None:
    def f(x, grad):
        grad[:] = 9.0
        raise ValueError("after writing")

    callback = rb.interpreted(f, "f64([f64], mut [f64])")
    grad = np.zeros(2)
    with pytest.raises(ValueError, match="after writing"):
        callback(np.ones(2), grad)
    assert grad.tolist() == [0.0, 0.0]


def test_strided_arrays_and_layouts() -> None:
    def f(a, b):
        b[...] = 10 * a
        assert a.shape == (2, 3)

    data = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert rt.call_strided(rb.interpreted(f), data, 2, 3) == [10 * x for x in data]
    assert rt.call_matrix(rb.interpreted(f), data, 2, 3) == [10 * x for x in data]
    assert rt.call_array4(rb.interpreted(lambda a: a[1, 0, 2, 1] + a.size)) == 11.0 + 12.0


def test_other_results() -> None:
    assert rt.call_complex(rb.interpreted(lambda z, a, s: z * a[1] + s), 1.0, 2.0) == (-5.5, 7.5)
    assert rt.call_bools(rb.interpreted(lambda flag, flags: bool(flag and flags.all())), True, [True]) is True
    assert rt.call_result3(rb.interpreted(lambda x: [x, 2 * x, np.float64(3.0)]), 1.0) == [1.0, 2.0, 3.0]
    assert rt.call_void(rb.interpreted(lambda x: "ignored"), 1.0) is None


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "the result of an interpreted function: f64 expected, found NoneType None"),
        ([1.0], "the result of an interpreted function: f64 expected, found list [1.0]"),
        (1j, "the result of an interpreted function: f64 expected, found complex 1j"),
        (
            np.complex64(1j),
            f"the result of an interpreted function: f64 expected, found complex64 {np.complex64(1j)!r}",
        ),
        (b"1", "the result of an interpreted function: f64 expected, found bytes b'1'"),
        ("1.0", "the result of an interpreted function: f64 expected, found str '1.0'"),
        ("x", "the result of an interpreted function: f64 expected, found str 'x'"),
    ],
)
def test_results_are_checked(result: object, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        quad(rb.interpreted(lambda t: result), 0.0, 1.0)
    assert str(caught.value) == message


def test_results_of_other_kinds_are_checked() -> None:
    with pytest.raises(TypeError, match="3 values expected, found 2"):
        rt.call_result3(rb.interpreted(lambda x: (1.0, 2.0)), 1.0)
    with pytest.raises(TypeError, match="bool expected, found int 1"):
        rt.call_bools(rb.interpreted(lambda flag, flags: 1), True, [True])
    with pytest.raises(OverflowError, match="300 does not fit into u8"):
        rb.interpreted(lambda x: 300, "u8(f64)")(1.0)


def test_args_partial_and_reuse() -> None:
    def f(t, k, c):
        return k * t + c

    assert quad(rb.interpreted(f), 0.0, 1.0, args=(2.0, 3.0)).value == pytest.approx(4.0)
    assert quad(functools.partial(rb.interpreted(f), k=2.0, c=5.0), 0.0, 1.0).value == pytest.approx(6.0)
    shared = rb.interpreted(lambda *a: float(len(a)))
    assert rb._callback_for(shared, "f64(f64)")(1.0) == 1.0
    assert rb._callback_for(shared, "f64(f64, f64)")(1.0, 1.0) == 2.0
    assert rb._callback_for(shared, "f64(f64)") is rb._callback_for(shared, "f64(f64)")


def test_refusals() -> None:
    with pytest.raises(TypeError) as caught:
        rb.interpreted(3)
    assert str(caught.value) == "expected a function, found int 3"
    with pytest.raises(TypeError, match="bare pointers, which an interpreted function cannot take: use arrays"):
        rb.interpreted(lambda p: 0.0, "f64(*f64)")
    with pytest.raises(TypeError, match="has no signature of its own"):
        rb.interpreted(float).__ringback_callback__()
    with pytest.raises(TypeError) as caught:
        rt.sum_over_threads(rb.interpreted(float, "f64(f32)"), 1, 1)
    assert "f64(f64)" in str(caught.value)
    assert "f64(f32)" in str(caught.value)
    with pytest.raises(TypeError, match="runs in the interpreter"):
        rb.interpreted(float, "f64(f64)").inspect_llvm()


def test_a_handle_that_outlives_the_interpreter() -> None:
    program = (
        "import ringback as rb, ringback_testing as rt\n"
        "h = rt.Handle(rb.interpreted(lambda x: x))\n"
        "assert h.sum(10, 2) == 45.0\n"
        "import builtins; builtins.kept = h\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


class Stop(BaseException):
    """What the handler of a signal raises; no `Exception`, as KeyboardInterrupt is none."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer of the system")
@pytest.mark.parametrize("engine", [rt.call_forever, rt.reject_forever], ids=["goes on", "goes on after errors"])
def test_a_signal_that_comes_between_two_instructions_is_not_lost(
    engine: Callable[[Any], Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """It may come at the beginning of any function in Python, also of those around the user's own."""

    def handler(*_: Any) -> None:
        raise Stop

    def f(x: float) -> float:
        if engine is rt.reject_forever:
            raise ValueError
        return 5.0

    function = rb.interpreted(f)

    def run(seconds: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        engine(function)

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for i in range(200):
            with pytest.raises(Stop):
                run(0.002 + 1.7e-6 * i)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert capfd.readouterr() == ("", "")


def test_what_ends_the_program_is_no_error_to_go_on_after() -> None:
    for exception, raised in [(ValueError, True), (KeyboardInterrupt, False), (SystemExit, False)]:

        def f(x: float) -> float:
            raise exception

        assert rt.classify(rb.interpreted(f), 1.0)[0] is raised
        with pytest.raises(exception):
            rt.sum_over_threads(rb.interpreted(f), 1, 1)


def test_ctrl_c_is_not_recorded_as_a_failure_of_the_problem() -> None:
    def f(t: float, k: float) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quad_many(rb.interpreted(f), 0, 1, args=(np.arange(3.0),), on_error="record")
