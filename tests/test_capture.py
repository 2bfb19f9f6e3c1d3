"""What a function captures is bound data: one compilation, and never a stale answer."""

from __future__ import annotations

import gc
import importlib
import math
import threading
import types
import weakref
from collections import namedtuple

import numba
import numpy as np
import pytest
import ringback as rb

compiler = importlib.import_module("ringback.compile")

config = types.ModuleType("a_users_config")
other_config = types.ModuleType("another_config")
GAIN = 2.0
TABLE = np.array([1.0, 2.0, 3.0])
AXIS = 0
WHICH = 1


def callback(f, signature="f64(f64)", **kwargs):
    return rb._callback_for(f, signature, **kwargs)


@pytest.fixture
def compilations():
    """How many times the compiler ran since the test began."""
    start = len(compiler._compiled)
    return lambda: len(compiler._compiled) - start


# Scalars


def test_a_thousand_lambdas_with_other_floats_compile_once(compilations):
    values = [callback(lambda t: t * k)(2.0) for k in np.linspace(0, 1, 1000).tolist()]
    assert values == [2.0 * k for k in np.linspace(0, 1, 1000).tolist()]
    assert compilations() == 1


def test_a_callback_keeps_the_value_it_was_made_with():
    callbacks = [callback(lambda t: t + k) for k in (1.0, 10.0)]
    assert [c(0.0) for c in callbacks] == [1.0, 10.0]


def test_odd_floats_are_themselves(compilations):
    def make(k):
        return callback(lambda t: math.copysign(t, k))

    assert make(0.0)(3.0) == 3.0
    assert make(-0.0)(3.0) == -3.0
    assert make(-math.inf)(3.0) == -3.0
    assert compilations() == 1

    def add(k):
        return callback(lambda t: t + k)

    assert math.isnan(add(math.nan)(1.0))
    assert add(math.inf)(1.0) == math.inf
    assert add(5e-324)(0.0) == 5e-324
    assert compilations() == 2


def test_each_type_of_scalar_has_its_own_code(compilations):
    def make(k):
        return callback(lambda t: t + k)

    captured = [1.5, 3, True, np.float32(0.1), np.int8(-5), np.uint64(2**63), np.bool_(True), np.float64(2.5)]
    for k in captured:
        assert make(k)(1.0) == pytest.approx(1.0 + float(k), abs=0), repr(k)
    # np.float64 is a float, np.bool_ a bool.
    assert compilations() == 6


def test_complex_numbers():
    def make(k):
        return callback(lambda t: (t * k).imag)

    assert make(1 + 2j)(3.0) == 6.0
    assert make(-4j)(3.0) == -12.0
    assert make(np.complex64(1j))(3.0) == 3.0


def test_big_integers():
    def make(k):
        return callback(lambda t: t == k, "bool(u64)")

    assert make(2**64 - 1)(2**64 - 1) is True
    assert make(2**63)(2**64 - 1) is False

    def signed(k):
        return callback(lambda t: t + k, "i64(i64)")

    assert signed(2**63 - 1)(0) == 2**63 - 1
    assert signed(-(2**63))(0) == -(2**63)
    with pytest.raises(rb.CompileError) as error:
        make(2**64)
    assert str(error.value) == "k is 18446744073709551616, which does not fit into 64 bits: make it a float"
    with pytest.raises(rb.CompileError) as error:
        signed(-(2**63) - 1)
    assert str(error.value) == "k is -9223372036854775809, which does not fit into 64 bits: make it a float"


# Where values come from


def test_a_global_that_changes(monkeypatch, compilations):
    def f(t):
        return t * GAIN

    assert callback(f)(3.0) == 6.0
    monkeypatch.setitem(globals(), "GAIN", -1.0)
    assert callback(f)(3.0) == -3.0
    assert compilations() == 1
    monkeypatch.setitem(globals(), "GAIN", np.float32(0.5))
    assert callback(f)(3.0) == 1.5
    assert compilations() == 2


def test_a_global_that_is_deleted(monkeypatch):
    def f(t):
        return t * GAIN

    callback(f)
    monkeypatch.delitem(globals(), "GAIN")
    with pytest.raises(rb.CompileError) as error:
        callback(f)
    assert str(error.value) == "f refers to GAIN, which is not defined"


def test_attributes_of_a_users_module(compilations):
    def f(t):
        return t * config.k + config.table[1]

    config.k, config.table = 2.0, np.array([0.0, 5.0])
    first = callback(f)
    assert first(1.0) == 7.0
    config.k = 3.0
    assert callback(f)(1.0) == 8.0
    config.table = np.array([0.0, 50.0, 500.0])
    assert callback(f)(1.0) == 53.0
    assert first(1.0) == 7.0
    assert compilations() == 1
    del config.k
    with pytest.raises(rb.CompileError) as error:
        callback(f)
    assert str(error.value) == "f refers to config.k, which does not exist"


def test_a_module_behind_a_local_name():
    def f(t):
        settings = config
        return t * settings.k

    config.k = 2.0
    with pytest.raises(rb.CompileError) as error:
        callback(f)
    assert str(error.value) == "f uses the module config as a value: write config.attribute where it is read"


def test_attributes_of_a_module_inside_try():
    # Numba's blocks are single instructions there.
    def f(t):
        try:
            y = t * config.k
        except Exception:
            y = -1.0
        return y

    config.k = 2.0
    assert callback(f)(1.0) == 2.0
    config.k = 3.0
    assert callback(f)(1.0) == 3.0


def test_a_module_that_is_exchanged(monkeypatch):
    def f(t):
        return t * config.k

    config.k, other_config.k = 2.0, 4.0
    assert callback(f)(1.0) == 2.0
    monkeypatch.setitem(globals(), "config", other_config)
    assert callback(f)(1.0) == 4.0


def test_many_names_before_an_attribute():
    # Beyond 255 names, the bytecode has instructions that only extend an operand.
    names = [f"name_{i}" for i in range(300)]
    scope = dict.fromkeys(names, 1.0) | {"config": config}
    exec(f"def f(t):\n    return t * ({' + '.join(names)} + config.late)\n", scope)
    config.late = 1.0
    assert callback(scope["f"])(1.0) == 301.0
    config.late = 11.0
    assert callback(scope["f"])(1.0) == 311.0


def test_nonlocal_rebinding(compilations):
    k = 1.0

    def f(t):
        return t + k

    def set_k(value):
        nonlocal k
        k = value

    first = callback(f)
    set_k(10.0)
    assert callback(f)(0.0) == 10.0
    assert first(0.0) == 1.0
    assert compilations() == 1


def test_assignment_to_a_variable_of_the_function_around_it():
    # Numba compiles it, and the next call still sees the old value.
    total = 1.0

    def adds(t):
        nonlocal total
        total += t
        return total

    @numba.njit
    def jitted(t):
        nonlocal total
        total += t
        return total

    def inside(t):
        def add():
            nonlocal total
            total += t

        add()
        return total

    for f, name in [(adds, "adds"), (lambda t: adds(t), "adds"), (lambda t: jitted(t), "jitted"), (inside, "inside")]:
        with pytest.raises(rb.CompileError) as error:
            callback(f)
        assert str(error.value) == (
            f"{name} assigns to total, a variable of the function around it: compiled code cannot; keep the value in an "
            f"array, and bind it to a parameter that the signature says is `mut [f64]`, or use rb.interpreted({name})"
        )


count = 0


def test_assignment_to_a_global_variable():
    def counts(t):
        global count
        count += 1
        return t

    def forgets(t):
        global count
        del count
        return t

    for f, name in [(counts, "counts"), (lambda t: counts(t), "counts"), (forgets, "forgets")]:
        with pytest.raises(rb.CompileError) as error:
            callback(f)
        assert str(error.value) == (
            f"{name} assigns to count, a global variable: compiled code cannot; keep the value in an array, and bind it to a "
            f"parameter that the signature says is `mut [f64]`, or use rb.interpreted({name})"
        )


def test_an_assert_that_pytest_has_rewritten():
    def asserts(t):
        assert t >= 0
        return t

    for f in (asserts, lambda t: asserts(t)):
        with pytest.raises(
            rb.CompileError, match="^asserts has an `assert` that pytest has rewritten into what cannot be"
        ):
            callback(f)


def test_an_assert_where_nothing_is_rewritten():
    names = {}
    exec("def asserts(t):\n    assert t >= 0, 'negative'\n    return t\n", names)
    f = callback(names["asserts"])
    assert f(2.0) == 2.0
    with pytest.raises(AssertionError, match="^negative$"):
        f(-1.0)


def test_assignment_to_a_variable_of_the_function_itself():
    def f(t):
        total = 1.0

        def add():
            nonlocal total
            total += t

        add()
        add()
        return total

    assert callback(f)(2.0) == f(2.0) == 5.0


def test_the_same_bytes_in_another_unit_of_time():
    def make(step):
        second = np.timedelta64(1, "s")
        return callback(lambda t: t * (step / second))

    assert make(np.timedelta64(1, "s"))(1.0) == 1.0
    assert make(np.timedelta64(1, "m"))(1.0) == 60.0


def test_the_same_bytes_in_fields_of_other_names():
    def record(first, second):
        return np.array([(1.0, 2.0)], dtype=[(first, "f8"), (second, "f8")])

    def make(row):
        return callback(lambda t: t * row.a)

    assert make(record("a", "b")[0])(1.0) == 1.0
    assert make(record("b", "a")[0])(1.0) == 2.0

    rows = record("a", "b")

    @numba.njit
    def jitted(t):
        return t * rows[0].a

    def f(t):
        return jitted(t)

    assert callback(f)(1.0) == 1.0
    rows = record("b", "a")
    assert callback(f)(1.0) == 2.0


def test_a_name_without_a_value_yet():
    def make():
        def f(t):
            return t + later

        with pytest.raises(rb.CompileError) as error:
            callback(f)
        later = 1.0
        return str(error.value), callback(f)(1.0)

    assert make() == ("f refers to later, which has no value yet: define it before", 2.0)


def test_defaults_are_bound_data(compilations):
    functions = [lambda t, k=k: t * k for k in (1.0, 2.0, 3.0)]
    assert [callback(f)(2.0) for f in functions] == [2.0, 4.0, 6.0]
    assert compilations() == 1
    functions[0].__defaults__ = (7.0,)
    assert callback(functions[0])(2.0) == 14.0
    functions[0].__defaults__ = (np.array([1.0, 2.0]).sum,)
    with pytest.raises(rb.CompileError, match="the default of parameter k of <lambda> is builtin_function"):
        callback(functions[0])


def test_keyword_only_defaults(compilations):
    def make(scale, table):
        def f(t, *, scale=scale, table=table):
            return t * scale + table[-1]

        return f

    assert callback(make(2.0, np.array([1.0])))(3.0) == 7.0
    f = make(3.0, np.array([1.0, 5.0]))
    assert callback(f)(3.0) == 14.0
    assert compilations() == 1
    f.__kwdefaults__["scale"] = 4.0
    assert callback(f)(3.0) == 17.0


def test_a_redefined_function():
    scope = {}
    exec("def f(t):\n    return t + 1.0\n", scope)
    assert callback(scope["f"])(1.0) == 2.0
    exec("def f(t):\n    return t + 2.0\n", scope)
    assert callback(scope["f"])(1.0) == 3.0

    def g(t):
        return t

    assert callback(g)(1.0) == 1.0
    g.__code__ = scope["f"].__code__
    assert callback(g)(1.0) == 3.0


def test_another_compiled_function_under_the_same_name():
    def make(helper):
        return callback(lambda t: helper(t))

    double = numba.njit(lambda t: 2 * t)
    triple = numba.njit(lambda t: 3 * t)
    assert [make(double)(1.0), make(triple)(1.0), make(double)(1.0)] == [2.0, 3.0, 2.0]


def test_strings_are_part_of_the_key():
    def make(mode):
        return callback(lambda t: -t if mode == "minus" else t)

    assert [make("minus")(1.0), make("plus")(1.0), make("minus")(1.0)] == [-1.0, 1.0, -1.0]


# Tuples


def test_tuples(compilations):
    def make(p):
        return callback(lambda t: t * p[0] + p[1][0] + p[1][1][0])

    assert make((2.0, (3, np.array([4.0, 5.0]))))(1.0) == 9.0
    assert make((3.0, (-3, np.array([1.0]))))(1.0) == 1.0
    assert compilations() == 1
    # Another type inside: code of its own, and no conversion.
    assert make((2, (0.5, np.array([7], np.int16))))(1.0) == 9.5
    assert compilations() == 2


def test_other_tuples_may_not_hold_arrays():
    # Numba would compile a copy in.
    Point = namedtuple("Point", "k table")

    def make(p):
        return callback(lambda t: t * p[0])

    assert make(Point(2.0, 1))(3.0) == 6.0
    assert make(Point(4.0, 1))(3.0) == 12.0
    for p, name in [(Point(2.0, np.ones(1)), "Point"), ((2.0, ("text", np.ones(1))), "tuple")]:
        with pytest.raises(rb.CompileError, match=rf"is a {name} that holds an array, which would be a frozen copy"):
            make(p)


# Arrays


def test_an_array_changed_in_place():
    table = np.array([1.0, 2.0])
    cb = callback(lambda t: t * table.sum())
    assert cb(1.0) == 3.0
    table[0] = 10.0
    assert cb(1.0) == 12.0


def test_an_array_rebound(monkeypatch, compilations):
    def f(t):
        return t * TABLE.sum()

    assert callback(f)(1.0) == 6.0
    monkeypatch.setitem(globals(), "TABLE", np.ones(1000))
    assert callback(f)(1.0) == 1000.0
    monkeypatch.setitem(globals(), "TABLE", np.ones(0))
    assert callback(f)(1.0) == 0.0
    assert compilations() == 1
    for n, table in enumerate([np.arange(4, dtype=np.int32), np.ones((2, 3)), np.arange(6.0)[::2]], 2):
        monkeypatch.setitem(globals(), "TABLE", table)
        assert callback(f)(1.0) == table.sum()
        assert compilations() == n


def test_an_array_reshaped_in_place():
    table = np.arange(6.0)

    def f(t):
        return t + table.size + table[-1]

    assert callback(f)(0.0) == 11.0
    table.resize(3, refcheck=False)
    assert callback(f)(0.0) == 5.0


def test_an_array_without_dimensions_is_a_scalar(compilations):
    level = np.array(2.0)

    def f(t):
        return t * level

    assert callback(f)(3.0) == 6.0
    level[...] = 5.0
    assert callback(f)(3.0) == 15.0
    assert compilations() == 1


def test_layouts_of_captured_arrays():
    def make(a):
        return callback(lambda t: a[1, 2] + t)

    base = np.arange(24.0).reshape(4, 6)
    for a in (base, np.asfortranarray(base), base[::2, ::2], base.T, base[::-1]):
        assert make(a)(0.5) == a[1, 2] + 0.5


def test_arrays_that_cannot_be_captured():
    def make(a):
        return callback(lambda t: a[0] + t)

    swapped = np.zeros(2, np.dtype(np.float64).newbyteorder())
    records = np.zeros(2, [("a", float)])
    crooked = np.zeros(17, np.uint8)[1:].view(np.float64)
    for array, words in [
        (swapped, "convert it with .astype"),
        (records, "elements must be bool, integers, floats or complex numbers"),
        (np.array([None]), r"a is an array of '\|O'"),
        (crooked, "a is an array that is not aligned in memory: make a copy of it"),
        (np.zeros((1,) * 5), "a is an array of 5 dimensions: 1 to 4 are supported; reshape it"),
    ]:
        with pytest.raises(rb.CompileError, match=words):
            make(array)


def test_writing_to_a_captured_array_is_refused():
    table = np.zeros(3)

    def f(t):
        table[0] = t
        return t

    with pytest.raises(rb.CompileError) as error:
        callback(f)
    text = str(error.value)
    assert text.startswith("cannot compile f for f64(f64):\n")
    assert "table[0] = t" in text
    assert "Hint: the array is read-only: captured and bound data always are" in text
    assert "rb.compile(f, 'f64([f64], mut [f64])').bind(scratch=array)" in text
    assert table[0] == 0


def test_an_index_past_the_end_of_a_captured_array():
    cb = callback(lambda t: TABLE[int(t)])
    assert cb(2.0) == 3.0
    with pytest.raises(IndexError):
        cb(3.0)


# Whole numbers that the compiler must know


def test_an_axis(monkeypatch):
    def f(x):
        return x.sum(axis=AXIS)[0]

    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert callback(f, "f64([f64; :, :])")(x) == 4.0
    monkeypatch.setitem(globals(), "AXIS", 1)
    assert callback(f, "f64([f64; :, :])")(x) == 3.0


def test_the_index_of_a_mixed_tuple(monkeypatch):
    mixed = (1.5, 7, True)

    def f(t):
        return t + mixed[WHICH]

    assert callback(f)(0.0) == 7.0
    monkeypatch.setitem(globals(), "WHICH", 0)
    assert callback(f)(0.0) == 1.5


def test_a_failure_does_not_make_whole_numbers_constants(monkeypatch, compilations):
    scope = {"n": 1, "helper": math.sqrt}
    exec("def f(t):\n    return helper(t) * n\n", scope)
    scope["helper"] = object()
    with pytest.raises(rb.CompileError):
        callback(scope["f"])
    scope["helper"] = math.sqrt
    for n in (1, 2, 3):
        scope["n"] = n
        assert callback(scope["f"])(4.0) == 2.0 * n
    assert compilations() == 1


# Inner functions and comprehensions (code of their own before CPython 3.12)


def test_comprehensions_read_captured_values(monkeypatch):
    weights = np.array([1.0, 2.0])
    shift = 0.5

    def f(t):
        terms = [w * GAIN + shift + config.k for w in weights]
        return t + sum(terms)

    config.k = 1.0
    assert callback(f)(0.0) == 9.0
    shift = 1.5
    assert callback(f)(0.0) == 11.0
    monkeypatch.setitem(globals(), "GAIN", 0.0)
    assert callback(f)(0.0) == 5.0
    weights = np.array([1.0])
    config.k = 2.0
    assert callback(f)(0.0) == 3.5


def test_inner_functions_read_captured_values(monkeypatch):
    shift = 0.5

    def f(t):
        def inner(u):
            return u * GAIN + shift

        return inner(t) + inner(2 * t)

    assert callback(f)(1.0) == 7.0
    shift = -1.0
    assert callback(f)(1.0) == 4.0
    monkeypatch.setitem(globals(), "GAIN", 1)
    assert callback(f)(1.0) == 1.0


def test_inner_functions_that_are_passed_on(monkeypatch):
    apply = numba.njit(lambda g, t: g(t))

    def f(t):
        def inner(u):
            return u * GAIN

        return apply(inner, t)

    assert callback(f)(3.0) == 6.0
    monkeypatch.setitem(globals(), "GAIN", 5.0)
    assert callback(f)(3.0) == 15.0


def test_an_array_in_an_inner_function_that_is_passed_on():
    apply = numba.njit(lambda g, t: g(t))

    def f(t):
        def inner(u):
            return u * TABLE[0]

        return apply(inner, t)

    with pytest.raises(rb.CompileError) as error:
        callback(f)
    assert str(error.value) == (
        "f: TABLE is read inside an inner function that is passed on, where it would be a frozen copy: pass it to that "
        "function as an argument"
    )


# Lifetimes


def test_arrays_are_released_with_the_last_callback():
    def make():
        table = np.arange(1000.0)
        return weakref.ref(table), callback(lambda t: table[int(t)])

    first, cb = make()
    second, another = make()
    gc.collect()
    assert (cb(7.0), another(8.0)) == (7.0, 8.0)
    del another
    gc.collect()
    assert second() is None
    assert cb(7.0) == 7.0
    del cb
    gc.collect()
    assert first() is None


def test_an_array_lives_as_long_as_its_callback():
    def make():
        table = np.full(250_000, 3.0)
        return callback(lambda t: table[int(t)])

    cb = make()
    gc.collect()
    assert cb(249_999.0) == 3.0


def test_ten_thousand_lambdas_leave_nothing_behind(compilations):
    def with_default(k):
        return lambda t, k=k: t + k

    def with_closure(k):
        return lambda t: t + k

    for make in (with_default, with_closure):
        callbacks, functions = weakref.WeakSet(), weakref.WeakSet()
        for i in range(5_000):
            f = make(float(i))
            functions.add(f)
            callbacks.add(callback(f))
        del f
        gc.collect()
        # The last one may be remembered, in case it is asked for again.
        assert len(callbacks) <= 1
        assert len(functions) <= 1
    assert compilations() == 2


def test_threads_share_one_compilation(compilations):
    results = []

    def make(k):
        return lambda t: t * k + 0.25

    barrier = threading.Barrier(4)

    def work(k):
        barrier.wait()
        results.append((k, callback(make(k))(1.0)))

    threads = [threading.Thread(target=work, args=(float(k),)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [(float(k), k + 0.25) for k in range(4)]
    assert compilations() == 1


# What other functions and modules hold


def test_what_a_jitted_helper_reads():
    """Numba freezes it into the helper, so the helper is compiled anew when it changes."""
    names = {"numba": numba, "K": 1.0, "T": np.array([1.0, 2.0])}
    exec(
        "@numba.njit\ndef helper(x): return x * K + T[0]\n"
        "@numba.njit\ndef outer(x): return helper(x)\n"
        "def f(t): return outer(t)",
        names,
    )
    f = names["f"]
    assert callback(f)(2.0) == 3.0
    names["K"] = 10.0
    assert callback(f)(2.0) == 21.0
    names["T"][0] = 5.0
    assert callback(f)(2.0) == 25.0


def test_a_users_module_named_like_one_of_the_standard_library():
    profile = types.ModuleType("profile")
    profile.k = 1.0

    def f(t):
        return t * profile.k

    assert callback(f)(1.0) == 1.0
    profile.k = 5.0
    assert callback(f)(1.0) == 5.0


def test_a_module_that_makes_its_attributes_up():
    fresh = types.ModuleType("fresh")

    def make(name):
        if name == "k":
            return 2.0 * len(name)
        raise AttributeError(name)

    fresh.__getattr__ = make
    f = lambda t: t * fresh.k + fresh.k  # noqa: E731
    assert callback(f)(3.0) == f(3.0) == 8.0


def test_masked_arrays_are_refused():
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    with pytest.raises(rb.CompileError, match="masked is a masked array, whose mask compiled code would ignore"):
        callback(lambda t: t * masked.sum())


def test_generators_and_coroutines_are_refused():
    def generator(t):
        yield t

    async def coroutine(t):
        return t

    for f in (generator, coroutine):
        with pytest.raises(rb.CompileError, match=f"{f.__name__} is a generator or a coroutine"):
            callback(f)
