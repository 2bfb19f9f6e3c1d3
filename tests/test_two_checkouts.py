"""Extension modules built from different checkouts of the crate meet only in the callback record."""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import ringback as rb
import ringback_testing as now
from ringback.integrate import quad

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from other_version import build


def load(version: str) -> Any:
    name = f"ringback_testing_{version}"
    (path,) = (path for path in build(version).iterdir() if path.name.startswith(name))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def later() -> Any:
    """Of a later minor version: its records have one more field."""
    return load("next")


@pytest.fixture(scope="session")
def major() -> Any:
    return load("major")


@pytest.fixture(params=["now to later", "later to now"])
def pair(request: pytest.FixtureRequest, later: Any) -> tuple[Any, Any]:
    """A producer and a consumer."""
    return (now, later) if request.param == "now to later" else (later, now)


def size_of(capsule: Any) -> int:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_size_t, [ctypes.py_object, ctypes.c_char_p]
    return ctypes.c_uint32.from_address(get(capsule, b"ringback.callback.v1") + 4).value


def test_the_two_really_differ(later: Any) -> None:
    assert size_of(now.offer_scaled(1.0).__ringback_callback__()) == 80
    assert size_of(later.offer_scaled(1.0).__ringback_callback__()) == 88
    assert now.__file__ != later.__file__
    assert type(now.offer_scaled(1.0)) is not type(later.offer_scaled(1.0))


def test_what_was_appended_is_read_where_it_is_and_zero_where_it_is_not(later: Any) -> None:
    assert later.appended(later.offer_scaled(1.0)) == 4711
    assert later.appended(later.pass_on(later.offer_scaled(1.0))) == 4711
    assert later.appended(now.offer_scaled(1.0)) == 0
    assert later.appended(rb.compile(lambda x: x, "f64(f64)")) == 0
    # The copy of an older consumer does not pass on what it does not know.
    assert later.appended(now.pass_on(later.offer_scaled(1.0))) == 0


def test_numbers(pair: tuple[Any, Any]) -> None:
    producer, consumer = pair
    assert consumer.sum_over_threads(producer.offer_scaled(3.0), 1000, 4) == 3.0 * 499_500
    handle = consumer.Handle(producer.offer_scaled(2.0))
    assert handle.sum(10, 2) == 90.0
    handle.drop_elsewhere(False)
    assert quad(producer.pass_on(consumer.pass_on(producer.offer_scaled(2.0))), 0.0, 1.0).value == pytest.approx(1.0)


def test_arrays(pair: tuple[Any, Any]) -> None:
    producer, consumer = pair
    assert consumer.log_density(producer.offer_normal(), [0.5, -2.0, 1.0]) == (-2.625, [-0.5, 2.0, -1.0])
    assert consumer.log_density(producer.offer_normal(), []) == (0.0, [])


def test_compiled_python_functions(pair: tuple[Any, Any]) -> None:
    first, second = pair
    mean = np.array([1.0, 2.0])

    def normal(x, grad):
        grad[:] = mean - x
        return -0.5 * ((x - mean) ** 2).sum()

    for made in (normal, rb.compile(normal, "f64([f64; n], mut [f64; n])")):
        assert first.log_density(made, [0.0, 0.0]) == second.log_density(made, [0.0, 0.0]) == (-2.5, [1.0, 2.0])
    relayed = second.relay(first.pass_on(second.pass_on(lambda x: x * mean[1])))
    assert first.sum_over_threads(relayed, 10, 2) == 90.0


class Odd(Exception):
    pass


def test_errors_pass_as_themselves(pair: tuple[Any, Any]) -> None:
    producer, consumer = pair

    def odd(x):
        if x >= 5.0:
            raise Odd("from", x)
        return x

    for made in (odd, producer.pass_on(odd), producer.relay(consumer.relay(producer.relay(odd)))):
        with pytest.raises(Odd) as caught:
            consumer.sum_over_threads(made, 6, 1)
        assert caught.value.args == ("from", 5.0)
        assert consumer.discard_many(made, 100) == 95
    mine = KeyError("kept")

    def interpreted(x):
        raise mine

    with pytest.raises(KeyError) as kept:
        consumer.sum_over_threads(producer.relay(rb.interpreted(interpreted)), 1, 1)
    assert kept.value is mine
    negative = producer.offer_scaled(1.0)
    assert consumer.classify(negative, -1.0) == (True, "ValueError", "ValueError: negative")
    with pytest.raises(ValueError, match="^negative$"):
        quad(consumer.relay(negative), -1.0, 0.0)
    with pytest.raises(RuntimeError, match="^a callback in Rust panicked: no value at 0$"):
        consumer.sum_over_threads(producer.offer_panic(), 1, 1)


def test_signatures_are_compared(pair: tuple[Any, Any]) -> None:
    producer, consumer = pair
    with pytest.raises(TypeError) as caught:
        consumer.sum_over_threads(producer.offer_normal(), 1, 1)
    assert str(caught.value).startswith("expected a callback f64(f64), found f64([f64], mut [f64]): ")


def test_a_later_major_version_is_refused_in_clear_words(major: Any) -> None:
    assert major.sum_over_threads(major.offer_scaled(2.0), 4, 2) == 12.0  # among themselves they are fine
    text = (
        'expected a PyCapsule named "ringback.callback.v{}", found one named "ringback.callback.v{}": its producer speaks '
        "another protocol, or another version of this one"
    )
    for producer, consumer, names in ((major, now, (1, 2)), (now, major, (2, 1)), (rb, major, (2, 1))):
        made = rb.compile(lambda x: x, "f64(f64)") if producer is rb else producer.offer_scaled(1.0)
        with pytest.raises(TypeError) as caught:
            consumer.sum_over_threads(made, 1, 1)
        assert str(caught.value) == text.format(*names)


def test_a_major_version_that_kept_the_name_is_refused_by_its_number(major: Any) -> None:
    names = {now: b"ringback.callback.v1", major: b"ringback.callback.v2"}
    rename = ctypes.pythonapi.PyCapsule_SetName
    rename.argtypes = [ctypes.py_object, ctypes.c_char_p]
    for producer, consumer, versions in ((major, now, (2, 1)), (now, major, (1, 2))):
        capsule = producer.offer_scaled(1.0).__ringback_callback__()
        assert rename(capsule, names[consumer]) == 0
        with pytest.raises(TypeError) as caught:
            consumer.Handle(SimpleNamespace(__ringback_callback__=lambda signature, capsule=capsule: capsule))
        assert str(caught.value) == (
            "the callback record has version {}, this library reads version {}: update the older of the two packages"
        ).format(*versions)
        assert rename(capsule, names[producer]) == 0
