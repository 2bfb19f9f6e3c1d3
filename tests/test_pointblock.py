"""Blocks of points for functions of arrays: what is vectorised, with which results, what happens when a point fails."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import ringback as rb
from ringback import pointblock
from ringback.backend import machine
from ringback.callback import Callback
from ringback.integrate import cubature, monte_carlo
from ringback.pointblock import point_block

vectors = pytest.mark.skipif(machine.register_bits() < 256, reason="the CPU has no registers for four doubles")
library = pytest.mark.skipif(machine.vector_library() is None, reason="no vector maths library on this platform")


def compiled(function, outputs=None, **options):
    signature = "f64([f64])" if outputs is None else "void([f64], mut [f64])"
    return rb.compile(function, signature, **{"error_model": "numpy", **options})


def loop(callback, dims, outputs=None):
    """What runs a block, and whether it is vectorised."""
    found = point_block(callback, dims, outputs)
    assert found is not None
    native, vectorised = found
    shown = Callback._of(native.code, callback._values, callback._function, callback._shim, callback._options, {})

    def run(x, first=0, end=None):
        """`x` is an array of `dims` by points; what is returned is of `outputs` by points."""
        y = np.full((outputs or 1) * x.shape[1], 7.0)
        shown(first, x.shape[1] if end is None else end, np.ascontiguousarray(x).ravel(), y)
        return y.reshape(outputs or 1, -1)

    return run, vectorised


def some(dims, count, seed=1):
    return np.random.default_rng(seed).uniform(0.1, 2.0, (dims, count))


def by_index(x):
    return x[0] * x[1] - x[2] / (1.0 + x[0] * x[0])


def by_loop(x):
    total = 0.0
    for i in range(len(x)):
        total += x[i] * x[i] * (i + 1)
    return total


def by_items(x):
    total = 1.0
    for value in x:
        total *= value
    return total


def by_sum(x):
    return x.sum() + x.shape[0]


@vectors
@pytest.mark.parametrize("f", [by_index, by_loop, by_items, by_sum], ids=lambda f: f.__name__)
@pytest.mark.parametrize("count", [1, 7, 8, 264, 1001])
def test_arithmetic_is_vectorised_and_that_of_single_calls(f, count):
    cb = compiled(f)
    run, vectorised = loop(cb, 3)
    assert vectorised
    x = some(3, count)
    assert run(x)[0].tolist() == [cb(point) for point in x.T.copy()]


@vectors
@pytest.mark.parametrize("dims", [1, 2, 8, 10])
def test_any_number_of_coordinates(dims):
    for f in (by_loop, by_items):
        cb = compiled(f)
        run, vectorised = loop(cb, dims)
        assert vectorised
        x = some(dims, 40)
        assert run(x)[0].tolist() == [cb(point) for point in x.T.copy()]


def test_what_is_not_vectorised_is_right_too():
    data = np.array([2.0, 3.0])

    def makes_arrays(x):
        return np.sqrt((x * x).sum()) + data @ data + np.sort(x)[0]

    def is_long(x):
        total = 0.0
        for i in range(int(x[0] * 20)):
            total += math.sin(i * x[1])
        return total

    for f in (makes_arrays, is_long, by_loop):
        dims = 64 if f is by_loop else 3
        cb = compiled(f)
        run, vectorised = loop(cb, dims)
        assert not vectorised or f is by_loop
        x = some(dims, 50)
        assert run(x)[0].tolist() == [cb(point) for point in x.T.copy()]


@library
def test_maths_functions_come_from_the_vector_library():
    cb = compiled(lambda x: np.exp(-x[0]) * np.cos(x[1]))
    run, vectorised = loop(cb, 2)
    assert vectorised
    x = some(2, 1000)
    exact = np.array([cb(point) for point in x.T.copy()])
    assert np.max(np.abs(run(x)[0] - exact) / np.spacing(np.abs(np.exp(-x[0])))) <= 8
    exactly = compiled(lambda x: np.exp(-x[0]) * np.cos(x[1]), vector_math=False)
    assert loop(exactly, 2)[0](x)[0].tolist() == exact.tolist()


@vectors
def test_several_results():
    def f(x, out):
        out[0] = x[0] + x[1]
        out[1] = x[0] - x[1]
        if x[0] > 1.0:
            out[2] = x[0]

    cb = compiled(f, 3)
    run, vectorised = loop(cb, 2, 3)
    assert vectorised
    x = some(2, 100)
    y = run(x)
    assert np.array_equal(y[:2], [x[0] + x[1], x[0] - x[1]])
    # What was not written is no number, and not what was there for the point before.
    assert np.array_equal(y[2], np.where(x[0] > 1.0, x[0], np.nan), equal_nan=True)


def test_many_results():
    def f(x, out):
        for i in range(len(out)):
            out[i] = i * x[0]

    run, _ = loop(compiled(f, 1000), 2, 1000)
    x = some(2, 5)
    assert np.array_equal(run(x), np.arange(1000.0)[:, None] * x[0])


def test_a_part_of_the_points():
    for f in (by_index, lambda x: np.sort(x)[0]):
        run, _ = loop(compiled(f), 3)
        x = some(3, 30)
        whole = run(x)[0]
        part = run(x, 5, 21)[0]
        assert part[5:21].tolist() == whole[5:21].tolist()
        assert set(part[:5]) == set(part[21:]) == {7.0}
        assert set(run(x, 4, 4)[0]) == {7.0}


def test_without_vectors_a_value_does_not_depend_on_where_its_point_is():
    # How many points are evaluated between two looks for signals is a matter of the clock.
    def raises(x):
        if x[0] > 100.0:
            raise ValueError("far")
        return np.exp(-x[0]) * np.sin(x[1]) + np.exp(-x[1] * x[2])

    def is_long(x):
        total = 0.0
        for i in range(int(x[0] * 20)):
            total += np.exp(-i * x[1])
        return total

    for f in (raises, is_long):
        run, vectorised = loop(compiled(f), 3)
        assert not vectorised
        x = some(3, 64)
        whole = run(x)[0].tolist()
        for size in (1, 2, 3, 5, 17):
            for i in range(0, 64, size):
                assert run(x, i, min(i + size, 64))[0, i : i + size].tolist() == whole[i : i + size]


def test_points_that_are_not_there_are_refused():
    run, _ = loop(compiled(by_index), 3)
    with pytest.raises(RuntimeError):
        run(some(3, 30), 0, 31)
    native, _ = point_block(compiled(by_index), 3, None)
    cb = compiled(by_index)
    shown = Callback._of(native.code, cb._values, cb._function, cb._shim, cb._options, {})
    with pytest.raises(RuntimeError):
        shown(0, 10, np.zeros(30), np.zeros(9))


def test_captured_and_bound_values():
    for k in (2.0, 3.0):
        weights = np.array([k, 1.0])
        cb = compiled(lambda x: k * x[0] + weights[1] * x[1])
        run, _ = loop(cb, 2)
        x = some(2, 20)
        assert np.array_equal(run(x)[0], k * x[0] + x[1])
        weights[1] = 5.0
        assert np.array_equal(run(x)[0], k * x[0] + 5.0 * x[1])


def test_the_first_point_that_raises_ends_the_block_with_its_exception():
    class TooFar(Exception):
        pass

    def raises(x):
        if x[0] > 0.7:
            raise TooFar("at", "the end")
        return x[1]

    def tells(x):
        if x[0] > 0.7:
            raise ValueError("too far", x[0])
        return x[1]

    x = np.stack([np.linspace(0, 1, 101), np.ones(101)])
    run, vectorised = loop(compiled(raises), 2)
    assert not vectorised
    with pytest.raises(TooFar, match="end") as caught:
        run(x)
    assert caught.traceback[-1].name == "raises"
    assert run(x, 0, 70)[0, 69] == 1.0
    # An exception with values of the call needs what only the function's own code has.
    assert point_block(compiled(tells), 2, None) is None
    for f, expected in [(raises, TooFar), (tells, ValueError)]:
        with pytest.raises(expected):
            cubature(f, [0, 0], [1, 1])
        with pytest.raises(expected):
            monte_carlo(f, [0, 0], [1, 1], n=1000)


def test_indices_are_checked():
    for f in (lambda x: x[3], lambda x: x[int(x[0]) + 3], lambda x: x[-4]):
        with pytest.raises(IndexError):
            cubature(f, [0, 0, 0], [1, 1, 1])

    def writes(x, out):
        out[len(x)] = 1.0

    with pytest.raises(IndexError):
        cubature(writes, [0, 0], [1, 1], outputs=2)


def test_where_there_is_no_block():
    counts = np.zeros(1)

    def f(x, calls):
        calls[0] += 1
        return x[0]

    assert point_block(rb.compile(f, "f64([f64], mut [f64])").bind(calls=counts), 2, None) is None
    assert point_block(rb.interpreted(lambda x: x[0]), 2, None) is None
    assert point_block(object(), 2, None) is None


def test_made_once_for_a_code_and_a_number_of_coordinates():
    def made(k):
        return compiled(lambda x: k * x[0])

    one, two = made(1.0), made(2.0)
    assert point_block(one, 2, None) is point_block(one, 2, None)
    assert point_block(one, 2, None)[0].code is point_block(two, 2, None)[0].code
    assert point_block(one, 3, None)[0].code is not point_block(one, 2, None)[0].code


def test_all_forms_take_blocks(monkeypatch):
    """A function is not called point by point where it need not be."""

    def forbidden(*_):
        raise AssertionError("called point by point")

    asked = []
    real = pointblock.point_block

    def watched(callback, dims, outputs):
        asked.append((dims, outputs))
        found = real(callback, dims, outputs)
        assert found is not None
        return found

    from ringback.integrate import _fields

    monkeypatch.setattr(_fields, "point_block", watched)
    k = 2.0

    def written(x, out, c):
        out[0] = c * x[0]
        out[1] = k * x[1]

    assert cubature(lambda x: k * x[0] * x[1], [0, 0], [1, 1]).value == pytest.approx(0.5)
    assert cubature(written, [0, 0], [1, 1], outputs=2, args=(3.0,)).value == pytest.approx([1.5, 1.0])
    assert cubature(rb.compile(by_loop, "f64([f64])"), [0] * 3, [1] * 3).value == pytest.approx(2.0)
    assert monte_carlo(lambda x: x.sum(), [0] * 20, [1] * 20, n=2000).value == pytest.approx(10, rel=1e-2)
    assert asked == [(2, None), (2, 2), (3, None), (20, None)]


SECOND = """
import sys
import numpy as np
from ringback.integrate import cubature
from ringback.backend import points, stage

made = []
real = points.points_of
points.points_of = lambda *a: made.append(1) or real(*a)
k = 2.0
def f(x):
    return np.exp(-k * x[0]) * x[1]
def g(x, out):
    out[0] = x[0]
    out[1] = np.sort(x)[1]
for _ in range(2):
    print(cubature(f, [0, 0], [1, 1]).value, cubature(g, [0, 0], [1, 1], outputs=2).value, file=sys.stderr)
print(len(made), "numba" in sys.modules)
"""


def test_kept_on_disk(folder, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SECOND)
    runs = [subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True) for _ in range(2)]
    assert runs[0].stdout.split()[0] == "2"
    # What makes arrays has Numba's allocator, which is loaded without the package.
    assert runs[1].stdout.split() == ["0", "False"]
    assert runs[0].stderr == runs[1].stderr
