"""`monte_carlo` against exact values: honest errors, reproducible whatever the threads, failures."""

from __future__ import annotations

import functools
import math
import sys
import types
import warnings

import numpy as np
import pytest
import ringback as rb
from boxes import BOXES
from ringback.integrate import IntegrationWarning, MonteCarloResult, monte_carlo


def ours(f, a, b, **options) -> MonteCarloResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IntegrationWarning)
        return monte_carlo(f, a, b, **options)


def bell(x):
    return np.exp(-(x @ x))


def test_the_table_of_boxes():
    pulls = {}
    for box in BOXES:
        result = monte_carlo(box.f, box.a, box.b, n=5000)
        assert result.status == 0
        pulls[box.name] = (result.value - box.exact) / result.error
    # Its square is not integrable: there is no standard deviation.
    pulls.pop("root corner")
    assert len(pulls) >= 20
    assert max(map(abs, pulls.values())) < 4.5, pulls
    assert 0.4 < np.mean([abs(pull) < 1 for pull in pulls.values()]) < 0.95, pulls


@pytest.mark.parametrize("dims", [10, 20])
def test_many_dimensions(dims):
    result = monte_carlo(bell, [-np.inf] * dims, [np.inf] * dims, n=20_000)
    assert abs(result.value - math.pi ** (dims / 2)) < 4 * result.error
    assert result.error < 0.02 * result.value


# The first is (e - 1) times the entire exponential integral of 1.
@pytest.mark.parametrize(
    ("f", "exact"),
    [
        (lambda x, y, z: np.exp(x - y * z), (math.e - 1) * 0.7965995992970531),
        (lambda x, y, z: 1.0 if x * y > z else 0.0, 0.25),
    ],
)
def test_errors_are_standard_deviations(f, exact):
    results = [monte_carlo(f, [0] * 3, [1] * 3, n=1000, iterations=5, warmup=3, seed=seed) for seed in range(100)]
    pulls = np.array([(r.value - exact) / r.error for r in results])
    # 68.3 ± 4.7 and 95.4 ± 2.1 are expected of 100.
    assert 52 <= np.sum(abs(pulls) < 1) <= 84
    assert np.sum(abs(pulls) < 2) >= 87
    assert abs(pulls.mean()) < 0.4
    chi2 = np.array([r.chi2 for r in results])
    assert {r.dof for r in results} == {4}
    assert 3 < chi2.mean() < 5


def test_same_seed_same_bits_with_any_number_of_workers():
    def f(x, y, z, w):
        return np.exp(-50 * ((x - 0.3) ** 2 + (y - 0.6) ** 2)) + z * w

    def many(x):
        return np.exp(-np.abs(x).sum())

    for g, dims in [(f, 4), (many, 15)]:
        runs = [monte_carlo(g, [0] * dims, [1] * dims, n=40_000, seed=3, workers=w) for w in (1, 2, 3, None)]
        assert all(run == runs[0] for run in runs)
        assert monte_carlo(g, [0] * dims, [1] * dims, n=40_000, seed=4).value != runs[0].value


def test_forms_of_functions():
    def separate(x, y, k):
        return k * x * y

    def array(x, k):
        return k * x[0] * x[1]

    k = 4.0
    functions = [
        (lambda x, y: k * x * y, ()),
        (lambda x: k * x[0] * x[1], ()),
        (separate, (4.0,)),
        (array, (4.0,)),
        (array, 4.0),
        (functools.partial(separate, k=4.0), ()),
        (rb.bind(array, k=4.0), ()),
        (rb.interpreted(lambda x, y: 4 * x * y), ()),
        (rb.compile(array, "f64([f64], f64)").bind(k=4.0), ()),
    ]
    values = [monte_carlo(f, [0, 0], [1, 1], n=500, args=args).value for f, args in functions]
    assert values == pytest.approx([values[0]] * len(values), rel=1e-12)
    assert values[0] == pytest.approx(1.0, abs=0.01)
    line = monte_carlo(lambda x: x * x, [0], [1], n=1000)
    assert abs(line.value - 1 / 3) < 5 * line.error


def test_result_reads_well_and_is_frozen():
    result = monte_carlo(lambda x, y: x * y, [0, 0], [1, 1], n=1000)
    value, error = result
    assert (value, error) == (result.value, result.error) == (result[0], result[1])
    assert len(result) == 2
    assert (result.status, result.success, result.dof) == (0, True, 9)
    assert 14_970 < result.neval <= 15_000
    assert result.message == "finished: the error is a standard deviation, no bound"
    assert repr(result).startswith("MonteCarloResult(value=0.2")
    with pytest.raises(AttributeError):
        result.value = 1.0


def test_ends_early_where_the_tolerance_is_reached():
    early = monte_carlo(lambda x, y: x * y, [0, 0], [1, 1], n=1000, rtol=0.1)
    assert (early.status, early.dof) == (0, 1)
    with pytest.warns(IntegrationWarning, match="larger than the tolerance") as caught:
        late = monte_carlo(lambda x, y: x * y, [0, 0], [1, 1], n=1000, atol=1e-12)
    assert caught[0].filename == __file__
    assert (late.status, late.success, late.dof) == (1, False, 9)


def test_a_function_that_changes_is_noticed():
    calls = 0

    def f(x, y):
        nonlocal calls
        calls += 1
        return calls // 100 + x * y

    assert ours(rb.interpreted(f), [0, 0], [1, 1], n=100).status == 2


def test_progress_is_told_to_tqdm(monkeypatch):
    made = []

    class Bar:
        def __init__(self, total, unit, unit_scale):
            self.total, self.n, self.told, self.closed = total, 0, [], False
            made.append(self)

        def set_postfix_str(self, text, refresh):
            self.told.append(text)

        def update(self, points):
            self.n += points

        def refresh(self):
            pass

        def close(self):
            self.closed = True

    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Bar))
    result = monte_carlo(lambda x, y: x * y, [0, 0], [1, 1], n=200_000, progress=True)
    (bar,) = made
    assert (bar.total, bar.n, bar.closed) == (3_000_000, result.neval, True)
    assert bar.told[-1] == f"error {result.error:.1e}"
    assert result == monte_carlo(lambda x, y: x * y, [0, 0], [1, 1], n=200_000)
    early = monte_carlo(lambda x, y: x * y, [0, 0], [1, 1], n=1000, atol=0.5, progress=True)
    assert made[1].n == early.neval
    assert made[1].told[-1] == f"error {early.error:.1e}, to be 5.0e-01"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("end", [1, math.inf])
def test_a_value_that_is_not_finite_is_never_passed_over(bad, end):
    result = ours(lambda x, y: bad if x > 0.4 else math.exp(-x * y), [0, 0], [end, end], n=1000)
    assert result.status == 7
    assert math.isnan(result.value)
    assert result.error == math.inf
    assert str(bad) in result.message.replace("NaN", "nan")


@pytest.mark.parametrize("workers", [1, 3])
def test_exceptions_come_out_as_themselves(workers):
    def f(x):
        if x[3] > 0.999:
            raise ValueError("too far", x[3])
        return x[0]

    with pytest.raises(ValueError, match="too far") as caught:
        monte_carlo(f, [0] * 10, [1] * 10, workers=workers)
    assert caught.value.args[1] > 0.999


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"a": [], "b": []}, "monte_carlo is for boxes of 1 to 64 dimensions, found 0; integrate over some by hand"),
        (
            {"a": [0]},
            "expected as many lower as upper limits, found 1 in `a` and 2 in `b`; give both for every dimension",
        ),
        ({"n": 15}, "expected `n` of at least 16, found 15"),
        ({"iterations": 1}, "expected `iterations` of at least 2, found 1"),
        ({"warmup": -1}, "expected `warmup` of at least 0, found -1"),
        ({"workers": 0}, "expected `workers` of at least 1, found 0"),
        ({"rtol": -1.0}, "expected tolerances of 0 or more, found rtol = -1.0, atol = 0.0; 0 does all iterations"),
        ({"seed": -1}, "expected a whole number from 0 to 2**64 - 1 as seed, found -1"),
        ({"seed": 2**64}, "expected a whole number from 0 to 2**64 - 1 as seed, found 18446744073709551616"),
    ],
)
def test_bad_input_says_what_is_wrong(arguments, text):
    arguments = {"a": [0, 0], "b": [1, 1], **arguments}
    with pytest.raises(ValueError, match="^") as caught:
        monte_carlo(rb.interpreted(lambda *x: 0.0), **arguments)
    assert str(caught.value) == text


def test_what_is_no_integrand_is_refused():
    with pytest.raises(TypeError, match="expected a function of one array of 9, found .* with 2 parameters"):
        monte_carlo(lambda x, y: x, [0] * 9, [1] * 9)
    with pytest.raises(TypeError, match=r"expected a function of one array of 9 numbers, f64\(\[f64\]\), found"):
        monte_carlo(3, [0] * 9, [1] * 9)
    with pytest.raises(TypeError, match="unexpected keyword argument 'outputs'"):
        monte_carlo(lambda x: x, [0], [1], outputs=2)  # pyright: ignore[reportCallIssue]
