"""The particle filter, against the Kalman filter's exact answer."""

from __future__ import annotations

import ergodic
import numpy as np
import pytest
import ringback as rb
from exact import exactly

A = np.array([[0.9, 0.2], [-0.1, 0.8]])
NOISE = 0.5
MEASURED = 0.7


def advance(particles, noise, moved):
    for i in range(particles.shape[0]):
        for j in range(2):
            moved[i, j] = A[j, 0] * particles[i, 0] + A[j, 1] * particles[i, 1] + NOISE * noise[i, j]


def weigh(particles, observation, log_weights):
    away = (particles[:, 0] - observation[0]) / MEASURED
    log_weights[:] = -0.5 * away**2 - np.log(MEASURED) - 0.5 * np.log(2 * np.pi)


def kalman(observations):
    """Means after each observation, and the log density of all; the state starts at 0, known."""
    mean, covariance, evidence, means = np.zeros(2), np.zeros((2, 2)), 0.0, []
    for y in observations[:, 0]:
        mean = A @ mean
        covariance = A @ covariance @ A.T + NOISE**2 * np.eye(2)
        variance = covariance[0, 0] + MEASURED**2
        evidence -= 0.5 * ((y - mean[0]) ** 2 / variance + np.log(2 * np.pi * variance))
        gain = covariance[:, 0] / variance
        mean = mean + gain * (y - mean[0])
        covariance = covariance - np.outer(gain, covariance[0])
        means.append(mean)
    return np.array(means), evidence


def observed(steps: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    state, seen = np.zeros(2), []
    for _ in range(steps):
        state = A @ state + NOISE * rng.normal(size=2)
        seen.append([state[0] + MEASURED * rng.normal()])
    return np.array(seen)


def test_as_kalman_has_it() -> None:
    observations = observed(40)
    count = 20_000
    found = ergodic.particle_filter(advance, weigh, np.zeros((count, 2)), observations, seed=2)
    means, evidence = kalman(observations)
    assert found.mean.shape == (40, 2)
    assert np.abs(found.mean - means).max() < 0.05
    assert abs(found.evidence - evidence) < 0.1
    assert np.all((found.effective > 0.2 * count) & (found.effective <= count))
    again = ergodic.particle_filter(advance, weigh, np.zeros((count, 2)), observations, seed=2)
    assert np.array_equal(found.mean, again.mean)
    assert repr(found) == f"Filtered(observations=40, dim=2, evidence={found.evidence:.6f})"


def test_more_particles_come_closer() -> None:
    observations = observed(20)
    exact = kalman(observations)[1]

    def spread(count: int) -> float:
        runs = [ergodic.particle_filter(advance, weigh, np.zeros((count, 2)), observations, seed=s) for s in range(30)]
        return float(np.sqrt(np.mean([(run.evidence - exact) ** 2 for run in runs])))

    # The error goes with one over the root of the number: 5 times between these, give or take.
    assert 2.5 < spread(100) / spread(2500) < 10.0


def test_arrays_of_any_strides_are_taken() -> None:
    observations = observed(5)
    start = np.zeros((2, 1000)).T
    wide = np.zeros((5, 4))
    wide[:, 2:3] = observations
    plain = ergodic.particle_filter(advance, weigh, np.zeros((1000, 2)), observations)
    assert np.array_equal(ergodic.particle_filter(advance, weigh, start, wide[:, 2:3]).mean, plain.mean)


def test_an_exception_comes_through() -> None:
    def failing(particles, observation, log_weights):
        if observation[0] > 2.0:
            raise RuntimeError("beyond the scale", observation[0])
        log_weights[:] = 0.0

    with pytest.raises(RuntimeError) as caught:
        ergodic.particle_filter(advance, failing, np.zeros((10, 2)), [[1.0], [3.5]])
    assert caught.value.args == ("beyond the scale", 3.5)


def test_what_was_not_written_is_an_error() -> None:
    def lazy(particles, noise, moved):
        moved[1:] = particles[1:]

    def idle(particles, observation, log_weights):
        pass

    text = "particle 0 moved to [NaN, NaN] at observation 0: advance must write a number to each element of moved"
    with pytest.raises(ValueError, match=exactly(text)):
        ergodic.particle_filter(lazy, weigh, np.zeros((10, 2)), [[1.0]])
    text = "the log weight of particle 0 at observation 0 is NaN: it must be a number, or -inf for weight zero"
    with pytest.raises(ValueError, match=exactly(text)):
        ergodic.particle_filter(advance, idle, np.zeros((10, 2)), [[1.0]])


def test_weights_that_are_all_zero() -> None:
    def impossible(particles, observation, log_weights):
        log_weights[:] = -np.inf

    text = "every particle has weight zero at observation 0: use more particles, or a model that allows for it"
    with pytest.raises(ValueError, match=exactly(text)):
        ergodic.particle_filter(advance, impossible, np.zeros((10, 2)), [[1.0]])


def test_no_particles() -> None:
    text = "start has a row for each particle, found an array of shape [0, 2]"
    with pytest.raises(ValueError, match=exactly(text)):
        ergodic.particle_filter(advance, weigh, np.zeros((0, 2)), [[1.0]])


def test_functions_of_another_type_are_refused_with_both_signatures() -> None:
    other = rb.compile(lambda x: 0.0, "f64([f64; :, :])")
    with pytest.raises(TypeError) as caught:
        ergodic.particle_filter(advance, other, np.zeros((10, 2)), [[1.0]])
    text = str(caught.value)
    assert "expected a callback void([f64; n0, :; any], [f64; :; any], mut [f64; n0; any])" in text
    assert "found f64([f64; :, :])" in text
