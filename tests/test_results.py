"""What the engines return, as others use it: pickled, copied, and gathered in arrays of NumPy."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import warnings

import numpy as np
import pytest
from ringback.integrate import IntegrationWarning, cubature, monte_carlo, quad, quad_many

SQUARE = [0.0, 0.0], [1.0, 1.0]


def pole(x):
    return 1.0 / (x - 0.5)


def never_finite(x, y):
    return np.sqrt(-1.0 - x * y)


def two(x, out):
    out[0] = x[0]
    out[1] = x[0] * x[1]


RESULTS = {
    "quad": lambda: quad(lambda t: np.exp(-t), 0, np.inf),
    "quad: limit": lambda: quad(lambda t: np.sin(1 / t), 0, 1, limit=3),
    "quad: divergent": lambda: quad(lambda t: 1 / t**2, 0, 1),
    "quad: not finite": lambda: quad(pole, 0, 1),
    "quad: weight": lambda: quad(lambda t: np.exp(-t), 0, np.inf, weight="cos", wvar=3.0),
    "quad: few cycles": lambda: quad(lambda t: 1 / np.sqrt(t + 1), 0, np.inf, weight="cos", wvar=1.0, limlst=3),
    "quad: bad cycle": lambda: quad(lambda t: np.sin(1 / (t - 1)), 0, np.inf, weight="sin", wvar=1.0, limit=2),
    "quad: complex": lambda: quad(lambda t: np.exp(1j * t), 0, 1, complex_func=True),
    "quad: complex, not finite": lambda: quad(lambda t: 1j * pole(t), 0, 1, complex_func=True),
    "quad_many": lambda: quad_many(lambda t, k: np.exp(-k * t), 0, np.inf, args=(np.array([1.0, 2.0]),)),
    "cubature": lambda: cubature(lambda x, y: np.exp(x * y), *SQUARE),
    "cubature: limit": lambda: cubature(lambda x, y: np.sin(50 * x * y), *SQUARE, max_subdivisions=3),
    "cubature: not finite": lambda: cubature(never_finite, *SQUARE),
    "cubature: several": lambda: cubature(two, *SQUARE, outputs=2),
    "monte_carlo": lambda: monte_carlo(lambda x, y: x * y, *SQUARE, n=1000),
    "monte_carlo: limit": lambda: monte_carlo(lambda x, y: x * y, *SQUARE, n=1000, rtol=1e-9),
    "monte_carlo: not finite": lambda: monte_carlo(never_finite, *SQUARE, n=1000),
}


@pytest.fixture(params=RESULTS)
def result(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IntegrationWarning)
        return RESULTS[request.param]()


def test_there_are_results_of_all_kinds():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IntegrationWarning)
        found = {name: RESULTS[name]().status for name in RESULTS if name.startswith("quad: ")}
    assert set(found.values()) >= {0, 1, 7, 8}
    assert any(status in (3, 4, 5) for status in found.values())


def same(a, b) -> bool:
    """Equal, NaN to NaN as well."""
    return type(a) is type(b) and (np.array_equal(a, b, equal_nan=True) if not isinstance(a, str) else a == b)


def attributes(result) -> dict[str, object]:
    return {name: getattr(result, name) for name in dir(result) if not name.startswith("_")}


@pytest.mark.parametrize("again", [lambda x: pickle.loads(pickle.dumps(x)), copy.copy, copy.deepcopy])
def test_results_are_pickled_and_copied(result, again):
    made = again(result)
    assert type(made) is type(result)
    before, after = attributes(result), attributes(made)
    assert before.keys() == after.keys()
    for name, value in before.items():
        if not callable(value) and name not in ("real", "imag", "failures"):
            assert same(value, after[name]), name
    assert repr(made) == repr(result)


def test_a_complex_result_keeps_its_parts():
    result = pickle.loads(pickle.dumps(RESULTS["quad: complex"]()))
    assert result == RESULTS["quad: complex"]()
    assert result.imag == RESULTS["quad: complex"]().imag


def test_a_status_of_another_version():
    restore, arguments = RESULTS["quad"]().__reduce__()
    assert restore(*arguments) == RESULTS["quad"]()
    with pytest.raises(ValueError, match='the status "Strange", which this version of ringback does not know'):
        restore(*arguments[:4], ("Strange", []), False)
    with pytest.raises(ValueError, match='the status "NonFinite", which'):
        restore(*arguments[:4], ("NonFinite", [1.0]), False)


def decay(t, k):
    return np.exp(-k * t)


def of_rate(k):
    return quad(decay, 0, np.inf, args=(k,))


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_results_come_from_other_processes(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        (result,) = pool.map(of_rate, [2.0])
    assert result == of_rate(2.0)


@pytest.mark.parametrize("name", ["quad", "quad: complex", "cubature", "monte_carlo"])
def test_pairs_in_an_array(name):
    # As one does with the tuples of SciPy's `quad`.
    result = RESULTS[name]()
    table = np.array([result, result])
    assert table.shape == (2, 2)
    assert table[:, 0].tolist() == [result.value, result.value]
    assert table[0, 1] == result.error
    assert result[-1] == result.error
    assert result[:] == tuple(result)
    with pytest.raises(IndexError):
        result[2]
