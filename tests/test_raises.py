"""What `raise` and `try` leave behind: no memory of an error that is raised or discarded, and the right exception."""

from __future__ import annotations

import gc

import numba
import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
from numba.core.runtime import _nrt_python, rtsys

_nrt_python.memsys_enable_stats()
TABLE = np.arange(5.0)


def outstanding() -> int:
    for _ in range(1000):  # discards that waited for the GIL run between two instructions of the main thread
        pass
    stats = rtsys.get_allocation_stats()
    return stats.alloc - stats.free


def one(x):
    if x > 0:
        raise ValueError("x=" + str(int(x)))
    return x


def two(x):
    if x > 0:
        raise ValueError("x=" + str(int(x)), "y=" + str(int(x)), x)
    return x


def formatted(x):
    if x > 0:
        raise ValueError(f"x={int(x)}")
    return x


def nested(x):
    t = (1, ("a" + str(int(x)), x))
    if x > 0:
        raise ValueError(t, "b")
    return x + len(t[1][0])


def twice(x):
    s = "x=" + str(int(x))
    if x > 0:
        raise ValueError(s, s)
    return x


def two_variables(x):
    s = "x=" + str(int(x))
    t = s
    if x > 0:
        raise ValueError(s, t)
    return x + len(t)


def held_elsewhere(x):
    s = "x=" + str(int(x))
    pair = (s, x)
    if x > 0:
        raise ValueError(s)
    return x + len(pair[0])


def part(x):
    s = "x=" + str(int(x))
    if x > 0:
        raise ValueError(s[1:], s)
    return x


def constant(x):
    s = "k"
    if x > 0:
        raise ValueError(s, x)
    return x


def maybe(x):
    o = None
    if x > 1:
        o = "x" + str(int(x))
    if x > 0:
        raise ValueError(o)
    return x


@numba.njit
def helper(x):
    if x > 0:
        raise ValueError("deep " + str(int(x)))
    return x


def callee(x):
    return helper(x) + 1


def loop(x):
    for i in range(10):
        s = "i" + str(i)
        if i == 5 and x > 0:
            raise ValueError(s)
    return x


def grows_in_a_loop(x):
    s = "a"
    for i in range(3):
        s = s + str(i)
        if i == 2:
            if x > 5:
                raise KeyError(s, i)
            if x > 0:
                raise ValueError(i, s)
    return x + len(s)


@numba.njit
def numbers(x):
    s = "g" + str(int(x))
    yield 1
    if x > 0:
        raise ValueError(s)
    yield len(s)


def generator(x):
    total = 0
    for i in numbers(x):
        total += i
    return x + total


def a_list(x):
    if x > 0:
        raise ValueError([x, 2 * x], ["a" + str(int(x))])
    return x


def a_set(x):
    if x > 0:
        raise ValueError({x})
    return x


def local_array(x):
    a = np.zeros(1000) + x
    if a.sum() > 0:
        raise ValueError(a[3], "a" + str(int(a[3])))
    return a[0]


CASES = [
    (one, ("x=3",)), (two, ("x=3", "y=3", 3.0)), (formatted, ("x=3",)), (nested, ((1, ("a3", 3.0)), "b")),
    (twice, ("x=3", "x=3")), (two_variables, ("x=3", "x=3")), (held_elsewhere, ("x=3",)), (part, ("=3", "x=3")),
    (constant, ("k", 3.0)), (maybe, ("x3",)), (callee, ("deep 3",)), (loop, ("i5",)), (grows_in_a_loop, (2, "a012")),
    (generator, ("g3",)), (a_list, ([3.0, 6.0], ["a3"])), (a_set, ({3.0},)), (local_array, (3.0, "a3")),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments"), CASES, ids=[function.__name__ for function, _ in CASES])
def test_no_memory_is_kept(function, arguments):
    callback = rb.compile(function, "f64(f64)")

    def raised(n):
        kept = []
        for _ in range(n):
            with pytest.raises(ValueError) as caught:  # noqa: PT011 - the arguments are compared
                callback(3.0)
            kept.append(caught.value.args)
            del caught
        return kept

    raised(3)
    before = outstanding()
    found = raised(1000)
    assert outstanding() == before
    gc.collect()
    # Texts that were freed too early would by now be others.
    assert found == [arguments] * 1000
    rt.discard_many(callback, 10)
    before = outstanding()
    assert rt.discard_many(callback, 1001) >= 1000
    assert outstanding() == before


def test_what_is_owned_elsewhere_stays():
    captured = "captured " + "text"
    texts = ("first", "second")

    def f(x, a):
        s = captured
        t = texts[int(a[1])]
        u = "own" + str(int(a[2]))
        if x > 0:
            raise ValueError(s, t, u, a[3], (t, u, u))
        return a.sum() + len(s) + len(t) + len(u)

    data = np.arange(4.0)
    callback = rb._callback_for(rb.bind(f, a=data), "f64(f64)")
    good = callback(-1.0)
    for _ in range(1000):
        with pytest.raises(ValueError, match="captured") as caught:
            callback(1.0)
        assert caught.value.args == ("captured text", "second", "own2", 3.0, ("second", "own2", "own2"))
        assert callback(-1.0) == good
    assert data.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_the_callers_text_outlives_the_error_of_its_callee():
    @numba.njit
    def check(s, x):
        if x > 0:
            raise ValueError(s, x)
        return len(s)

    def f(x):
        s = "text of the caller " + str(int(x))
        n = 0
        for i in range(3):
            try:
                n += check(s, x if i == 1 else -x)
            except Exception:
                n += 100
        return n + len(s)

    callback = rb.compile(f, "f64(f64)")
    assert [callback(3.0) for _ in range(1000)] == [100 + 3 * len("text of the caller 3")] * 1000


# try


@numba.njit
def fails_first(i):
    y = 1.0
    try:
        y = 1.0 + i
    except Exception:
        y = -1000.0
    if i == 0:
        raise ValueError("zero")
    return y


def caught_before(x):
    t = x
    for i in range(3):
        try:
            t += fails_first(i)
        except Exception:
            t += 100
    return t


def through_finally(x):
    try:
        if x > 0:
            raise ValueError("a")
    finally:
        x = 1.0
    return x


def through_finally_with_numbers(x):
    try:
        if x > 0:
            raise ValueError("a", x, "t" + str(int(x)))
    finally:
        x = 1.0
    return x


def through_finally_in_a_loop(x):
    for i in range(3):
        try:
            if i < 2:
                continue
            if x > 0:
                raise ValueError(i, "t" + str(i))
        finally:
            x += 1
    return x


def out_of_except(x):
    try:
        y = 1 / (x - x)
    except Exception:
        raise KeyError("k" + str(int(x)), x)  # noqa: B904 - Numba knows no `from`
    return y


def out_of_except_and_finally(x):
    try:
        try:
            if x > 0:
                raise ValueError("inner", x)
        except Exception:
            raise KeyError("outer", x)  # noqa: B904 - Numba knows no `from`
    finally:
        x += 1
    return -1.0


def index_through_finally(x):
    a = np.zeros(3)
    try:
        return a[int(x) + 7]
    finally:
        x += 1


def index_in_except(x):
    try:
        return helper(x)
    except Exception:
        a = np.zeros(2)
        return a[int(x)]


def finally_and_caught(x):
    try:
        try:
            raise ValueError("inner", x)
        finally:
            x += 1
    except Exception:
        return x
    return -1.0


def finally_without_error(x):
    try:
        if x < 0:
            raise ValueError("r" + str(int(x)))
    finally:
        x += 1
    return x


@pytest.mark.parametrize(
    "function",
    [
        caught_before, through_finally, through_finally_with_numbers, through_finally_in_a_loop, out_of_except,
        out_of_except_and_finally, finally_and_caught, finally_without_error,
    ],
)  # fmt: skip
def test_try_does_what_it_does_in_python(function):
    def outcome(f):
        try:
            return f(3.0)
        except Exception as error:
            return type(error), error.args

    callback = rb.compile(function, "f64(f64)")
    assert outcome(callback) == outcome(function)
    assert outcome(callback) == outcome(function)


@pytest.mark.parametrize("function", [index_through_finally, index_in_except])
def test_a_failed_check_goes_through_finally(function):
    with pytest.raises(IndexError):
        rb.compile(function, "f64(f64)")(3.0)


def second_of_two(x):
    try:
        helper(x)
    except Exception:
        x += 1
    a = np.zeros(2)
    try:
        y = a[int(x)]
    finally:
        x += 1
    return y


def test_the_error_is_that_of_the_try_that_failed_last():
    """The first one was caught, and is not to be seen again."""
    with pytest.raises(IndexError):
        rb.compile(second_of_two, "f64(f64)")(3.0)


N = -1


def by_name(x):
    return x * 2**N


def in_place(x):
    k = 3
    k **= N
    return x * k


def by_pow(x):
    return x * pow(2, N)


def of_nothing(x):
    return x * 0 ** (N * 1)


def in_a_helper(x):
    return x * cube_of(N)


def cube_of(n):
    return n**3 * 3**n


@pytest.mark.parametrize("error_model", ["python", "numpy"])
@pytest.mark.parametrize("f", [by_name, in_place, by_pow, of_nothing, in_a_helper])
def test_a_whole_number_to_a_negative_power(f, error_model):
    # Numba makes 0 of 2**-1, and -2**63 of 0**-1; in Python they are 0.5 and an error.
    with pytest.raises(ValueError, match="a whole number to a negative power") as error:
        rb.compile(f, "f64(f64)", error_model=error_model)(1.0)
    assert str(error.value) == (
        "a whole number to a negative power is no whole number, which compiled code would make of it: make the base a float, "
        "as in 2.0**n"
    )
    assert error.traceback[-1].frame.code.raw.co_name == ("cube_of" if f is in_a_helper else f.__name__)


def test_powers_that_are_whole_numbers():
    power = rb.compile(lambda a, n: a**n, "i64(i64, i64)")
    for a in range(-3, 4):
        for n in range(6):
            assert power(a, n) == a**n
    for n in (-1, -2, -(2**62)):
        assert (power(1, n), power(-1, n)) == (1, 1 if n % 2 == 0 else -1)
    assert rb.compile(lambda a, n: a**n, "u64(u64, u8)")(2, 63) == 2**63
    with pytest.raises(ValueError, match="to a negative power"):
        rb.compile(lambda a, n: a**n, "i64(i8, i8)")(2, -1)


def test_powers_of_floats_and_constant_powers_stay():
    assert rb.compile(lambda x, n: x**n, "f64(f64, i64)")(2.0, -1) == 0.5
    assert rb.compile(lambda x: x * 2**-1, "f64(f64)")(1.0) == 0.5
    assert rb.compile(lambda x, n: x * 2.0**n, "f64(f64, i64)")(1.0, -1) == 0.5


def test_a_negative_power_is_caught():
    def f(x, n):
        try:
            return x * 2**n
        except Exception:
            return -1.0

    compiled = rb.compile(f, "f64(f64, i64)")
    assert (compiled(1.0, 2), compiled(1.0, -2)) == (4.0, -1.0)
