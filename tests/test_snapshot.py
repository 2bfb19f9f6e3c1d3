"""What changes while a function is compiled: code is never found for values that it was not made of."""

from __future__ import annotations

import gc
import sys
import threading
import time
import types
import weakref

import numba
import numpy as np
import pytest
import ringback as rb
from ringback import accept, capture
from ringback import recipe as recipes
from ringback.integrate import quad

compiler = sys.modules["ringback.compile"]

tools = types.ModuleType("tools")
here: types.ModuleType = sys.modules[__name__]


def one(t):
    return 1.0 * t


def two(t):
    return 2.0 * t


def through(t):
    return helper(t)


def by_default(t, factor=1.0):
    return factor * t


@numba.njit
def reads_small(t):
    return small[0] * t


@numba.njit
def reads_large(t):
    return large[0] * t


class Ones:
    pass


jitted_one, jitted_two = numba.njit(one), numba.njit(two)
large_one, large_two = np.full(200_000, 1.0), np.full(200_000, 2.0)


def become(k):
    """Everything that the functions below read becomes what makes them `t -> k * t`."""
    first = k == 1
    here.helper = tools.helper = one if first else two
    here.jitted = jitted_one if first else jitted_two
    here.axis = here.number = k
    here.word = "x" * k
    here.large = large_one if first else large_two
    tools.names = ("a",) * k
    small[0] = k
    by_default.__defaults__ = (float(k),)


small = np.ones(2)
become(1)

FUNCTIONS = {
    "a helper": "lambda t: helper(t)",
    "a helper's helper": "lambda t: through(t)",
    "a helper's default": "lambda t: by_default(t)",
    "a helper in a module": "lambda t: tools.helper(t)",
    "a jitted helper": "lambda t: jitted(t)",
    "a jitted helper's array": "lambda t: reads_small(t)",
    "a jitted helper's large array": "lambda t: reads_large(t)",
    "a number": "lambda t: number * t",
    "a number that has to be known": "lambda t: np.zeros((axis, 2)).shape[0] * t",
    "a text": "lambda t: len(word) * t",
    "a tuple in a module": "lambda t: len(tools.names) * t",
    "a comprehension": "lambda t: sum([helper(t) for _ in range(1)])",
}


@pytest.mark.parametrize("what", FUNCTIONS)
def test_what_changes_and_changes_back_while_it_is_compiled(what, monkeypatch):
    monkeypatch.setenv("RINGBACK_CACHE", "0")
    become(1)
    build = compiler._build

    def meanwhile(*args):
        become(2)
        try:
            return build(*args)
        finally:
            become(1)

    monkeypatch.setattr(compiler, "_build", meanwhile)
    f = eval(FUNCTIONS[what])
    try:
        assert rb.compile(f, "f64(f64)")(3.0) == 3.0
        monkeypatch.setattr(compiler, "_build", build)
        for k in (1, 2, 1):
            become(k)
            assert rb.compile(f, "f64(f64)")(3.0) == 3.0 * k
    finally:
        become(1)


def test_what_another_thread_changes_all_the_time(monkeypatch):
    monkeypatch.setenv("RINGBACK_CACHE", "0")
    over = threading.Event()

    def change():
        k = 1
        while not over.is_set():
            k = 3 - k
            become(k)
            time.sleep(0.001)

    thread = threading.Thread(target=change)
    thread.start()
    made = []
    try:
        for what, source in FUNCTIONS.items():
            f = eval(source)
            made.append((what, f))
            assert rb.compile(f, "f64(f64)")(3.0) in (3.0, 6.0), what
            assert quad(f, 0.0, 1.0).value in (pytest.approx(0.5), pytest.approx(1.0)), what
    finally:
        over.set()
        thread.join()
        become(1)
    for k in (2, 1):
        become(k)
        for what, f in made:
            assert rb.compile(f, "f64(f64)")(3.0) == 3.0 * k, what
            assert quad(f, 0.0, 1.0).value == pytest.approx(k / 2), what


def test_the_last_callback_is_remembered_for_what_it_was_made_of(monkeypatch):
    first, second = np.float32(2.0), np.float32(3.0)
    k = first
    f = lambda t: k * t  # noqa: E731
    distribute = compiler.distribute

    def meanwhile(*args):
        nonlocal k
        k = second
        return distribute(*args)

    monkeypatch.setattr(compiler, "distribute", meanwhile)
    accept.callback_for(f, "f64(f64)", "numpy")
    monkeypatch.undo()
    for number, expected in ((first, 2.0), (second, 3.0), (first, 2.0)):
        k = number
        assert accept.callback_for(f, "f64(f64)", "numpy")(1.0) == expected


def test_a_recipe_is_of_the_very_objects_that_the_callback_was_made_of():
    numbers = np.float32(2.0), np.float32(3.0)
    callbacks = rb.compile(one, "f64(f64)"), rb.compile(two, "f64(f64)")
    for first, second, of in ((*numbers, lambda t: k * t), (*callbacks, lambda t: k(t))):
        k = first
        made = rb.compile(of, "f64(f64)", error_model="numpy")
        given = (of, of.__code__, (), {}, None, (), "numpy", made)
        assert recipes.recipe(*given)
        k = second
        assert recipes.recipe(*given) is None


def test_each_name_is_read_once():
    # A module's attribute that is another one each time.
    counted = types.ModuleType("counted")
    counts = []

    def count(name):
        if name != "k":
            raise AttributeError(name)
        counts.append(name)
        return float(len(counts))

    counted.__getattr__ = count
    f = lambda t: counted.k * t + counted.k + np.zeros(2)[0]  # noqa: E731
    for k in (1, 2, 3):
        assert rb.compile(f, "f64(f64)")(1.0) == 2.0 * k


def test_the_code_of_a_function_may_change_while_it_is_compiled(monkeypatch):
    monkeypatch.setenv("RINGBACK_CACHE", "0")
    f = lambda t: 1.0 * t  # noqa: E731
    build, code = compiler._build, f.__code__

    def meanwhile(*args):
        f.__code__ = (lambda t: 2.0 * t).__code__
        return build(*args)

    monkeypatch.setattr(compiler, "_build", meanwhile)
    assert rb.compile(f, "f64(f64)")(3.0) == 3.0
    assert rb.compile(f, "f64(f64)")(3.0) == 6.0
    f.__code__ = code
    assert rb.compile(f, "f64(f64)")(3.0) == 3.0


def test_functions_that_call_one_another_have_a_short_key():
    # Each calls the one before twice: there are a million ways from the last to the first.
    scope = {"f0": one}
    for i in range(20):
        exec(f"def f{i + 1}(t):\n    return 0.5 * (f{i}(t) + f{i}(t)) + 0.0 * f{max(i - 1, 0)}(t)", scope)
    f = scope["f20"]
    assert rb.compile(f, "f64(f64)")(3.0) == 3.0


def test_modules_that_are_gone_are_forgotten():
    for name in ("settings", "math", "numpy"):
        module = types.ModuleType(name)
        assert capture.is_constant_module(module) == (name == "numpy")
        gone, identity = weakref.ref(module), id(module)
        assert identity in capture._constant
        del module
        gc.collect()
        assert gone() is None
        assert identity not in capture._constant
    assert capture.is_constant_module(np)
    # Compiled for the types of what it reads, which is all that is left of the module.
    settings = types.ModuleType("settings")
    settings.k = 2.0
    f = lambda t: settings.k * t  # noqa: E731
    assert [quad(f, 0, 1).value, quad(f, 0, 1).value] == pytest.approx([1.0, 1.0])
    gone = weakref.ref(settings)
    del settings
    gc.collect()
    assert gone() is None
