"""Draws from densities that are known, with data bound in each of the ways there are."""

from __future__ import annotations

import functools

import ergodic
import numpy as np
import pytest
import ringback as rb
from exact import exactly

MEAN = np.array([1.0, -2.0, 0.5])
PRECISION = np.array([1.0, 4.0, 0.25])


def normal(x, mean, precision):
    total = 0.0
    for i in range(x.size):
        away = x[i] - mean[i]
        total += away * (away * precision[i])
    return -0.5 * total


def normal_with_gradient(x, grad, mean, precision):
    total = 0.0
    for i in range(x.size):
        away = x[i] - mean[i]
        pull = away * precision[i]
        total += away * pull
        grad[i] = -pull
    return -0.5 * total


def independent(draws: ergodic.Draws) -> float:
    """About how many independent draws these are worth: batch means over all chains, for the worst direction."""
    chains, length, dim = draws.x.shape
    batch = 100
    means = draws.x[:, : length // batch * batch].reshape(chains, -1, batch, dim).mean(axis=2).reshape(-1, dim)
    return float(np.min(chains * length * draws.x.reshape(-1, dim).var(axis=0) / (batch * means.var(axis=0))))


def check_moments(draws: ergodic.Draws) -> None:
    """Mean and variance within 5 standard errors."""
    x = draws.x.reshape(-1, MEAN.size)
    count = independent(draws)
    assert count > 300
    variance = 1 / PRECISION
    assert np.all(np.abs(x.mean(axis=0) - MEAN) < 5 * np.sqrt(variance / count))
    assert np.all(np.abs(x.var(axis=0) / variance - 1) < 5 * np.sqrt(2 / count))


def test_metropolis_finds_the_moments() -> None:
    density = rb.bind(normal, mean=MEAN, precision=PRECISION)
    draws = ergodic.metropolis(density, MEAN, draws=20_000, step=1.0, seed=1)
    assert draws.x.shape == (4, 20_000, 3)
    assert draws.logp.shape == (4, 20_000)
    assert 0.3 < draws.accepted.mean() < 0.7
    check_moments(draws)
    assert np.array_equal(draws.logp[1, 7], density_of(draws.x[1, 7]))


def density_of(x):
    return normal(x, MEAN, PRECISION)


def test_hmc_finds_the_moments() -> None:
    def density(x, grad):
        return normal_with_gradient(x, grad, MEAN, PRECISION)

    draws = ergodic.hmc(density, [0.0, 0.0, 0.0], draws=3000, step=0.4, leapfrog=6, seed=2)
    assert 0.8 < draws.accepted.mean() < 1.0
    check_moments(draws)


def test_a_posterior_with_data() -> None:
    # Normal data of known variance 1 and a flat prior: the posterior of the mean is normal, about the data's mean.
    data = np.random.default_rng(3).normal(5.0, 1.0, size=50)

    def posterior(x, grad, data):
        r = data - x[0]
        grad[0] = r.sum()
        return -0.5 * (r * r).sum()

    draws = ergodic.hmc(rb.bind(posterior, data=data), [data.mean()], draws=4000, step=0.1, leapfrog=8, seed=4)
    count = independent(draws)
    assert count > 300
    assert abs(draws.x.mean() - data.mean()) < 5 / np.sqrt(50 * count)
    assert abs(draws.x.var() * 50 - 1) < 5 * np.sqrt(2 / count)


def test_the_same_draws_from_rust_and_from_compiled_python() -> None:
    given = {"mean": MEAN, "precision": PRECISION}
    run = functools.partial(ergodic.metropolis, start=MEAN, draws=2000, step=0.7, seed=5)
    rust = run(ergodic.gaussian(MEAN.tolist(), PRECISION.tolist()))
    python = run(rb.bind(normal, **given))
    assert np.array_equal(rust.x, python.x)
    assert np.array_equal(rust.logp, python.logp)
    assert len(np.unique(rust.x[:, :, 0])) > 1000

    run = functools.partial(ergodic.hmc, start=MEAN, draws=500, step=0.3, leapfrog=7, seed=6)
    rust = run(ergodic.gaussian_with_gradient(MEAN.tolist(), PRECISION.tolist()))
    python = run(rb.bind(normal_with_gradient, **given))
    assert np.array_equal(rust.x, python.x)
    assert np.array_equal(rust.logp, python.logp)
    assert len(np.unique(rust.x[:, :, 0])) > 1000


def test_the_same_draws_where_loops_are_long() -> None:
    rng = np.random.default_rng(10)
    mean, precision = rng.normal(size=101), rng.uniform(0.5, 2.0, size=101)
    rust = ergodic.gaussian_with_gradient(mean.tolist(), precision.tolist())
    python = rb.bind(normal_with_gradient, mean=mean, precision=precision)
    first, second = (ergodic.hmc(f, mean, draws=100, warmup=0, step=0.1, seed=11) for f in (rust, python))
    assert np.array_equal(first.x, second.x)
    assert np.array_equal(first.logp, second.logp)
    assert first.accepted.min() > 0.5


def test_every_way_to_bind_data_gives_the_same_draws() -> None:
    def closure(x):
        return normal(x, MEAN, PRECISION)

    ways = [
        rb.bind(normal, mean=MEAN, precision=PRECISION),
        functools.partial(normal, mean=MEAN, precision=PRECISION),
        rb.compile(normal, "f64([f64], [f64], [f64])").bind(mean=MEAN, precision=PRECISION),
        closure,
        lambda x: normal(x, MEAN, PRECISION),
        rb.interpreted(closure),
    ]
    draws = [ergodic.metropolis(way, MEAN, draws=200, chains=3, seed=7).x for way in ways]
    for other in draws[1:]:
        assert np.array_equal(draws[0], other)


def test_a_seed_is_all_that_decides() -> None:
    density = ergodic.gaussian(MEAN.tolist(), PRECISION.tolist())

    def draw(seed: int, chains: int, workers: int | None) -> np.ndarray:
        return ergodic.metropolis(density, MEAN, draws=500, seed=seed, chains=chains, workers=workers).x

    first = draw(8, 8, 1)
    for workers in (2, 5, 8, None):
        assert np.array_equal(first, draw(8, 8, workers))
    assert np.array_equal(first[:3], draw(8, 3, 2))  # a chain does not depend on how many others there are
    assert not np.array_equal(first, draw(9, 8, 1))
    assert len(np.unique(first[:, -1, 0])) == 8  # each chain goes its own way


def test_chains_start_where_they_are_told() -> None:
    density = ergodic.gaussian([0.0, 0.0], [1.0, 1.0])
    starts = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    x = ergodic.metropolis(density, starts, draws=1, warmup=0, step=1e-9, chains=3).x
    assert np.allclose(x[:, 0], starts, atol=1e-6)


def test_nothing_to_draw() -> None:
    draws = ergodic.metropolis(lambda x: 0.0, [0.0], draws=0, warmup=0, chains=2)
    assert draws.x.shape == (2, 0, 1)
    assert repr(draws) == "Draws(chains=2, draws=0, dim=1, accepted=0.00, raised=0)"


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (
            {"start": [[0.0], [0.0]]},
            "start is one point or one row for each of the 4 chains, found an array of shape [2, 1]",
        ),
        ({"start": []}, "start is one point or one row for each of the 4 chains, found an array of shape [0]"),
        ({"start": 1.0}, "start is one point or one row for each of the 4 chains, found an array of shape []"),
        ({"start": [np.nan]}, "start must be finite, found NaN"),
        ({"chains": 0}, "start is one point or one row for each of the 0 chains, found an array of shape [1]"),
        ({"step": 0.0}, "step must be a positive number, found 0"),
        ({"step": np.inf}, "step must be a positive number, found inf"),
        ({"workers": 0}, "workers must be at least 1, found 0"),
        ({"on_error": "ignore"}, "on_error is 'raise' or 'reject', found 'ignore'"),
    ],
)
def test_bad_arguments(changed: dict, text: str) -> None:
    density = ergodic.gaussian([0.0], [1.0])
    with pytest.raises(ValueError, match=exactly(text)):
        ergodic.metropolis(density, **{"start": [0.0], **changed})


@pytest.mark.parametrize("size", [{"draws": 2**62}, {"chains": 2**62}, {"chains": 2**62, "draws": 0}])
def test_more_draws_than_memory(size: dict) -> None:
    with pytest.raises(MemoryError):
        ergodic.metropolis(ergodic.gaussian([0.0], [1.0]), [0.0], **size)


def test_no_leapfrog_step() -> None:
    with pytest.raises(ValueError, match=exactly("leapfrog must be at least 1, found 0")):
        ergodic.hmc(ergodic.gaussian_with_gradient([0.0], [1.0]), [0.0], leapfrog=0)
