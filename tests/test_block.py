"""Block calls: what is vectorised, with which results, and what happens when a point fails."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
from ringback.backend import machine

vectors = pytest.mark.skipif(machine.register_bits() < 256, reason="the CPU has no registers for four doubles")
library = pytest.mark.skipif(machine.vector_library() is None, reason="no vector maths library on this platform")


def compiled(function: Callable[..., float], signature: str = "f64(f64)", **options: object) -> rb.Callback:
    return rb.compile(function, signature, **{"error_model": "numpy", **options})  # type: ignore[arg-type]


@vectors
@pytest.mark.parametrize("n", [0, 1, 3, 7, 8, 21, 24, 1000])
def test_arithmetic_is_that_of_single_calls(n: int) -> None:
    cb = compiled(lambda t: 1.0 + t * (2.0 - t * (3.0 + t)) / (1.0 + t * t))
    points = np.linspace(-2.0, 5.0, n).tolist()
    block, results = rt.block_of_one(cb, points)
    assert block
    assert results == [cb(t) for t in points]


@library
def test_maths_functions_are_within_four_units_of_the_last_place() -> None:
    cb = compiled(lambda t: np.exp(-t) / t**2)
    points = np.geomspace(1e-3, 600.0, 1001)
    block, results = rt.block_of_one(cb, points.tolist())
    assert block
    exact = np.array([cb(t) for t in points])
    assert np.max(np.abs(results - exact) / np.spacing(exact)) <= 6
    assert "_ZGV" in cb._shim.block.llvm()


@library
def test_without_vector_maths_results_are_those_of_single_calls() -> None:
    cb = compiled(lambda t: np.exp(-t) * math.sin(t), vector_math=False)
    points = np.linspace(0.0, 20.0, 101).tolist()
    assert rt.block_of_one(cb, points)[1] == [cb(t) for t in points]


@vectors
def test_captured_and_bound_values() -> None:
    for k in (2.0, 3.0):
        cb = compiled(lambda t, c: k * t + c, "f64(f64, f64)").bind(c=0.5)
        block, results = rt.block_of_one(cb, [1.0, 2.0, 3.0])
        assert block
        assert results == [k + 0.5, 2 * k + 0.5, 3 * k + 0.5]


@vectors
def test_every_parameter_has_its_type() -> None:
    cb = compiled(lambda x, n, single, yes: x * n + single if yes else -x, "f64(f64, i64, f32, bool)")
    x, n, single, yes = [1.5, 2.5, 3.5] * 5, [2, -3, 4] * 5, [0.25, 0.5, 8.0] * 5, [True, False, True] * 5
    _, results = rt.block_of_mixed(cb, x, n, single, yes)
    assert results == [cb(*point) for point in zip(x, n, single, yes, strict=True)]


@vectors
def test_tuples_as_results() -> None:
    cb = compiled(lambda x: (x + 1.0, x * x), "[f64; 2](f64)")
    _, results = rt.block_of_pairs(cb, [float(i) for i in range(20)])
    assert results == [[i + 1.0, i * i] for i in range(20)]


def test_what_raises_is_exact() -> None:
    def root(t: float) -> float:
        if t < 0.0:
            raise ValueError("negative", t)
        return math.sqrt(t)

    cb = rb.compile(root, "f64(f64)")
    assert rt.block_of_one(cb, [4.0, 9.0]) == (False, [2.0, 3.0])
    index, text, before = rt.block_failure(cb, [1.0, 4.0, -2.0, 9.0, -3.0])
    assert (index, before) == (2, [1.0, 2.0])
    assert "ValueError: negative" in text
    with pytest.raises(ValueError, match="negative") as caught:
        rt.block_of_one(cb, [1.0, -5.0, -6.0])
    assert caught.value.args == ("negative", -5.0)


def test_callbacks_in_the_interpreter_and_from_rust_have_blocks_point_by_point() -> None:
    assert rt.block_of_one(rb.interpreted(lambda t: t + 1.0), [1.0, 2.0]) == (False, [2.0, 3.0])
    assert rt.block_of_one(rt.offer_scaled(3.0), [1.0, 2.0]) == (False, [3.0, 6.0])


def test_what_writes_to_its_data_is_called_for_just_the_points_asked_for() -> None:
    def counting(t: float, count: np.ndarray) -> float:
        count[0] += 1.0
        return t

    count = np.zeros(1)
    cb = compiled(counting, "f64(f64, mut [f64])").bind(count=count)
    assert rt.block_of_one(cb, [1.0] * 21)[0] is False
    assert count[0] == 21.0
