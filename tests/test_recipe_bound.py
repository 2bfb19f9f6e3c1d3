"""What is bound and captured by ways other than a number in a cell: by the short way, and never a stale answer."""

from __future__ import annotations

import contextlib
import functools
import gc
import pickle
import random
import sys
import threading
import time
import tracemalloc
import weakref

import numba
import numpy as np
import pytest
import ringback as rb
from ringback import snapshot
from ringback.integrate import IntegrationWarning, quad


@pytest.fixture
def doors(monkeypatch):
    """Counts how often the door is passed."""
    passed = []
    reading = snapshot.Reading

    def counted(*of):
        passed.append(of)
        return reading(*of)

    for name in ("accept", "bind", "compile"):
        monkeypatch.setattr(sys.modules[f"ringback.{name}"], "Reading", counted)
    return passed


def value(f, *args):
    return quad(f, 0.0, 1.0, args=args or None).value


def of_data(t, k, data):
    return k * t + data.sum()


def total(t, a, *, by=1.0):
    return a.sum() + by * t


def wrapped():
    """Functions of one number that stand for `t -> 2.0 * t + 3.0`, in all ways but plain ones."""
    data = np.array([1.0, 2.0])
    tied = numba.njit(of_data)
    return {
        "partial by name": functools.partial(of_data, k=2.0, data=data),
        "partial in front": functools.partial(lambda k, data, t: k * t + data.sum(), 2.0, data),
        "partial of a jitted one": functools.partial(tied, k=2.0, data=data),
        "bind": rb.bind(of_data, k=2.0, data=data),
        "bind of a jitted one": rb.bind(tied, k=2.0, data=data),
        "bind of a partial": rb.bind(functools.partial(of_data, k=2.0), data=data),
        "partial and keyword only": functools.partial(total, a=data, by=2.0),
        "jitted": numba.njit(lambda t: 2.0 * t + data.sum()),
        "a tuple": lambda t, both=(2.0, (data, 1.0)): both[0] * t + both[1][0].sum() * both[1][1],
    }


@pytest.mark.parametrize("how", wrapped())
def test_the_short_way(how, doors):
    f = wrapped()[how]
    assert value(f) == pytest.approx(4.0)
    seen = len(doors)
    assert [value(f), value(f)] == pytest.approx([4.0, 4.0])
    assert len(doors) == seen
    # Another function of the same code, with data of its own.
    assert value(wrapped()[how]) == pytest.approx(4.0)


def test_args_may_be_arrays_and_tuples(doors):
    f = lambda t, pair, data: pair[0] * t + data.sum() * pair[1]  # noqa: E731
    assert value(f, (2.0, 1.0), np.ones(3)) == pytest.approx(4.0)
    seen = len(doors)
    assert value(f, (4.0, 2.0), np.arange(4.0)) == pytest.approx(14.0)
    assert value(f, (4.0, 2.0), np.zeros(0)) == pytest.approx(2.0)
    # Its dtype is an object of its own.
    assert value(f, (4.0, 1.0), pickle.loads(pickle.dumps(np.ones(3)))) == pytest.approx(5.0)
    assert len(doors) == seen
    assert value(f, (4, 2.0), np.ones(2)) == pytest.approx(6.0)
    Pair = type("Pair", (tuple,), {"__getitem__": lambda self, i: 100.0})
    with pytest.raises(TypeError, match="bound data are numbers"):
        value(f, Pair((1.0, 2.0)), np.ones(2))


def test_an_array_may_change_in_place():
    data = np.arange(6.0)
    f = lambda t: data.sum() * t + data.size  # noqa: E731

    def both():
        expected = data.sum() / 2 + data.size
        assert [value(f), value(f)] == pytest.approx([expected, expected])

    both()
    data.shape = (2, 3)
    both()
    data.resize((8,), refcheck=False)
    both()
    data[:] = 7.0
    both()
    data.resize((200_000,), refcheck=False)
    both()
    data.resize((1,), refcheck=False)
    both()
    data.flags.writeable = False
    both()
    data = np.arange(8.0)
    both()
    data.dtype = np.int64
    both()
    data = data[::2]
    both()
    data = np.arange(8.0)[::-1]
    both()
    data = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    both()
    data = np.broadcast_to(np.float64(3.0), (2, 2))
    both()


def test_arrays_that_are_no_plain_ones_pass_the_door(doors):
    class Tenfold(np.ndarray):
        def __array_finalize__(self, _):
            pass

    data = np.arange(4.0)
    f = lambda t: data.sum() * t  # noqa: E731
    assert [value(f), value(f)] == pytest.approx([3.0, 3.0])
    seen = len(doors)
    for other, expected in (
        (np.arange(4.0).view(Tenfold), 3.0),
        (np.array(6.0), 3.0),
        (np.arange(4.0, dtype=np.float32), 3.0),
    ):
        data = other
        if data.ndim:
            assert value(f) == pytest.approx(expected)
        assert len(doors) > seen or not data.ndim
    for other, why in (
        (np.ma.array([1.0], mask=[True]), "a masked array"),
        (np.arange(4.0, dtype=">f8"), "machine's byte order"),
        (np.zeros(33, np.uint8)[1:].view(np.float64), "not aligned"),
        (np.zeros((1, 1, 1, 1, 1)), "5 dimensions"),
        (np.array([None]), "elements must be"),
    ):
        data = other
        with pytest.raises(rb.CompileError, match=why):
            value(f)
    data = np.ones(2)
    assert value(f) == pytest.approx(1.0)


def test_a_partial_may_change(doors):
    p = functools.partial(of_data, k=2.0, data=np.ones(2))
    assert [value(p), value(p)] == pytest.approx([3.0, 3.0])
    seen = len(doors)
    p.keywords["k"] = 4.0
    assert value(p) == pytest.approx(4.0)
    p.keywords["data"] = np.ones(5)
    assert value(p) == pytest.approx(7.0)
    assert len(doors) == seen
    p.keywords["other"] = 1.0
    with pytest.raises(TypeError, match="'other'"):
        value(p)
    del p.keywords["other"], p.keywords["k"]
    p.keywords["t"] = 2.0
    assert value(p) == pytest.approx(6.0)
    del p.keywords["t"]
    with pytest.raises(
        rb.CompileError, match="nothing gives a value for data|cannot be called|nothing gives a value for k"
    ):
        value(p)
    p.keywords["k"] = 2.0
    assert value(p) == pytest.approx(6.0)
    p.__setstate__((total, (), {"a": np.ones(3)}, {}))
    assert [value(p), value(p)] == pytest.approx([3.5, 3.5])
    p.__setstate__((numba.njit(total), (), {"a": np.ones(4), "by": 2.0}, {}))
    assert [value(p), value(p)] == pytest.approx([5.0, 5.0])


def test_classes_derived_from_partial_and_bound_pass_the_door(doors):
    class Late(functools.partial):
        keywords = property(lambda self: {"k": number, "data": np.zeros(1)})

    number = 2.0
    p = Late(of_data, k=1.0, data=np.ones(1))
    assert [value(p), value(p)] == pytest.approx([1.0, 1.0])
    seen = len(doors)
    number = 4.0
    assert value(p) == pytest.approx(2.0)
    assert len(doors) > seen


def test_other_data_bound(doors):
    b = rb.bind(of_data, k=2.0, data=np.ones(2))
    assert value(b) == pytest.approx(3.0)
    seen = len(doors)
    assert value(b.bind(data=np.ones(7))) == pytest.approx(8.0)
    assert value(rb.bind(of_data, data=np.ones(3), k=0.0)) == pytest.approx(3.0)
    assert len(doors) == seen
    assert value(b.bind(k=2)) == pytest.approx(3.0)
    assert value(rb.bind(of_data, data=np.ones(3)), 4.0) == pytest.approx(5.0)


def test_a_jitted_function_may_change(doors):
    k = 1.0
    jitted = numba.njit(lambda t: t / k)
    assert [value(jitted), value(jitted)] == pytest.approx([0.5, 0.5])
    seen = len(doors)
    k = 2.0
    jitted.recompile()
    assert value(jitted) == pytest.approx(0.25)
    assert len(doors) == seen
    k = 0.0
    with pytest.warns(IntegrationWarning):
        assert quad(jitted, 1.0, 2.0).status == 7
    # The options say what division by zero does.
    jitted.targetoptions["error_model"] = "python"
    with pytest.raises(ZeroDivisionError):
        value(jitted)
    jitted.targetoptions["error_model"] = "numpy"
    with pytest.warns(IntegrationWarning):
        assert quad(jitted, 1.0, 2.0).status == 7
    del jitted.targetoptions["error_model"]
    k = 4.0
    assert value(jitted) == pytest.approx(0.125)
    jitted.py_func = lambda t: 3.0 * t
    assert [value(jitted), value(jitted)] == pytest.approx([1.5, 1.5])


def test_what_is_bound_or_captured_is_not_kept_alive():
    data = np.ones(3)
    captured = np.ones(4)
    of = lambda t: captured.sum() + t  # noqa: E731
    gone = [weakref.ref(data), weakref.ref(captured)]
    p, b = functools.partial(of_data, k=1.0, data=data), rb.bind(of_data, k=1.0, data=data)
    for _ in range(3):
        assert [value(p), value(b), value(of_data, 1.0, data), value(of)] == pytest.approx([3.5, 3.5, 3.5, 4.5])
    counts = sys.getrefcount(data), sys.getrefcount(captured)
    for _ in range(100):
        value(p), value(b), value(of_data, 1.0, data), value(of)
    assert (sys.getrefcount(data), sys.getrefcount(captured)) == counts
    del p, b, data, captured, of
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


def test_nothing_is_lost_in_many_calls():
    data = np.ones(3)
    calls = [(functools.partial(of_data, k=1.0, data=data), None), (rb.bind(of_data, k=1.0, data=data), None)]
    calls += [(of_data, (1.0, data)), (numba.njit(lambda t: t * data[0]), None), (lambda t: t * data[0], None)]

    def all_of_them(times):
        for f, args in calls:
            for _ in range(times):
                quad(f, 0.0, 1.0, args)

    all_of_them(50)
    tracemalloc.start()
    try:
        all_of_them(50)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        all_of_them(2000)
        gc.collect()
        # A pointer lost in each call would be 80 kB.
        assert tracemalloc.get_traced_memory()[0] - before < 20_000
    finally:
        tracemalloc.stop()


def test_an_array_that_is_replaced_while_it_is_integrated_stays_alive():
    data = np.ones(1000)

    def slow(t):
        total = 0.0
        for i in range(4_000_000):
            total += data[i % 1000] * t
        return total / 4_000_000

    assert [value(slow), value(slow)] == pytest.approx([0.5, 0.5])
    found = []
    thread = threading.Thread(target=lambda: found.append(value(slow)))
    gone = weakref.ref(data)
    thread.start()
    while not found and sys.getrefcount(data) < 3:
        time.sleep(0.001)
    data = None
    # What would be put in its place if it were gone.
    others = [np.full(1000, np.nan) for _ in range(100)]
    held = gone() is not None
    assert held or not thread.is_alive()
    thread.join()
    assert found == pytest.approx([0.5])
    assert len(others) == 100
    gc.collect()
    assert gone() is None


def test_threads_have_arrays_of_their_own():
    wrong = []

    def work(k):
        data = np.full(10, float(k))
        for i in range(300):
            if i % 50 == 0:
                data = np.full(10 + i, float(k))
            found = quad(lambda t: data.mean() * t, 0.0, 1.0).value
            if abs(found - k / 2) > 1e-9:
                wrong.append((k, found))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_whatever_changes_the_answer_is_that_of_python():
    chance = random.Random(7)
    table, pair, k = np.arange(4.0), (1.0, np.ones(2)), 2.0
    plain = lambda t: table.sum() * t + pair[0] * pair[1].sum() + k  # noqa: E731
    part, tied = functools.partial(total, a=table), rb.bind(of_data, k=1.0, data=table)
    jitted = numba.njit(lambda t: k * t + table.sum())

    def array():
        made = np.array([chance.uniform(-1, 1) for _ in range(chance.randrange(9))])
        return chance.choice([made, made, made[::-1], made.reshape(1, -1)])

    def number():
        return chance.choice([chance.uniform(-1, 1), chance.uniform(-1, 1), np.float64(0.5), 3])

    def replace():
        nonlocal table
        table = array()

    def reshape():
        table.shape = (-1, 1) if table.ndim == 1 and table.size else (table.size,)

    def resize():
        # What is added is 0 only in an array that may be written to.
        if table.flags.owndata and table.flags.c_contiguous and table.flags.writeable:
            table.resize((chance.randrange(1, 9),), refcheck=False)

    def write():
        if table.flags.writeable:
            table[...] = chance.uniform(-1, 1)

    def protect():
        table.flags.writeable = False

    def other_pair():
        nonlocal pair
        pair = (chance.uniform(-1, 1), array())

    def other_number():
        nonlocal k
        k = number()

    def keywords():
        if not part.args:
            part.keywords.update(a=array(), by=number())

    def other_part():
        nonlocal part
        in_front = functools.partial(lambda a, t: a.sum() * t, array())
        part = chance.choice([in_front, functools.partial(total, a=array(), by=number())])

    def other_bound():
        nonlocal tied
        tied = tied.bind(**chance.choice([{"k": number()}, {"data": array()}]))

    def defaults():
        total.__kwdefaults__["by"] = number()

    changes = [
        replace,
        reshape,
        resize,
        write,
        protect,
        other_pair,
        other_number,
        keywords,
        other_part,
        other_bound,
        defaults,
    ]
    try:
        for _ in range(200):
            change = chance.choice(changes)
            with contextlib.suppress(AttributeError, ValueError):
                change()
            for f, python in ((plain, plain), (part, part), (tied, tied), (jitted, jitted.py_func)):
                expected = (python(0.25) + python(0.75)) / 2
                assert value(f) == pytest.approx(float(expected), abs=1e-9), change.__name__
    finally:
        total.__kwdefaults__["by"] = 1.0
