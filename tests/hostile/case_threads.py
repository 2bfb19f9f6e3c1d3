"""Hostile input from several threads at once. Run by test_hostile.py, in a process that may crash."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest
import ringback_testing as rt
from stranger import Offers, Stranger, refused, status

# Threads


def at_once(work: Any, count: int = 8) -> list[Any]:
    """What each of several threads returned or raised; all start together."""
    gate, results = threading.Barrier(count), [None] * count

    def run(i: int) -> None:
        gate.wait()
        try:
            results[i] = work(i)
        except BaseException as error:
            results[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_one_capsule_and_several_threads() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(100):
            stranger = Stranger()
            capsule = stranger.capsule()
            results = at_once(lambda i, capsule=capsule: rt.sum_over_threads(Offers(capsule), 3, 1))
            assert results.count(6.0) == 1
            assert sum(isinstance(result, TypeError) for result in results) == 7
            assert stranger.released == 1
    finally:
        sys.setswitchinterval(interval)


def test_everything_from_several_threads() -> None:
    error = ValueError("thread")

    def work(i: int) -> int:
        for _ in range(30):
            assert rt.sum_over_threads(Stranger(), 3, 1) == 6.0
            refused(Stranger(abi_version=2 + i))
            with pytest.raises(TypeError, match="the record's signature"):
                rt.Handle(Stranger(b"f64("))
            refused(Stranger(name=b"no"))
            refused(Offers(i))
            refused(Offers(error), ValueError)
            refused(float(i))
            stranger = Stranger(function=status(1, 64))
            assert rt.discard_many(stranger, 10) == 10
            assert (stranger.discarded, stranger.released) == (10, 1)
        return i

    assert at_once(work, 4) == list(range(4))
