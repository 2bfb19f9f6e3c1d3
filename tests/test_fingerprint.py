"""The key of compiled code on disk: the same for the same code, another for any other, or none."""

import ctypes
import random
import re
import sys
import textwrap
import types
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm
import numpy as np
import pytest
import ringback as rb
from ringback import fingerprint
from ringback.backend import machine
from ringback.compile import DEFAULTS
from ringback.snapshot import Reading, Snapshot


def key(source: str, names: dict | None = None, signature: str = "f64(f64)", **options: object) -> str | None:
    """The key of the function `f` that a source defines."""
    scope: dict = {"np": np, "__name__": "source", **(names or {})}
    exec(compile(textwrap.dedent(source), "source.py", "exec"), scope)
    function = scope["f"]
    assert isinstance(function, types.FunctionType)
    reading = Reading(function)
    free = list(reading.plan.positional)
    given = {**DEFAULTS, **options}
    return fingerprint.key(reading, Snapshot(), rb.Signature(signature), given, free, {}, ())


def nested(inner: str) -> str:
    return f"def g(x):\n    {inner}\ndef f(x):\n    return g(x)\n"


@pytest.mark.usefixtures("released")
def test_the_same_source_has_the_same_key():
    for source in ("def f(x): return np.exp(x)", nested("return np.sin(x)"), "def f(x): return f(x)"):
        assert re.fullmatch(r"[0-9a-f]{64}", key(source) or "")
        assert key(source) == key(source)
    # What is data is no part of it, by whatever value.
    assert key("k = 1.0\ndef f(x): return k * x") == key("k = 2.0\ndef f(x): return k * x")


DIFFERENT = {
    "a constant": ("def f(x): return x + 1.0", "def f(x): return x + 2.0"),
    "a constant's type": ("def f(x): return x + 1", "def f(x): return x + 1.0"),
    "the sign of zero": ("def f(x): return x * 0.0", "def f(x): return x * -0.0"),
    "an operation": ("def f(x): return x + 1", "def f(x): return x - 1"),
    "a function of NumPy": ("def f(x): return np.sin(x)", "def f(x): return np.cos(x)"),
    "its place": ("def f(x): return 1 / x", "\ndef f(x): return 1 / x"),
    "a type of what is captured": ("k = 1.0\ndef f(x): return k * x", "k = 1\ndef f(x): return k * x"),
    "a text": ("k = 'a'\ndef f(x): return x * len(k)", "k = 'ab'\ndef f(x): return x * len(k)"),
    "a helper's constant": (nested("return x + 1.0"), nested("return x + 2.0")),
    "a helper's global": ("k = 1.0\n" + nested("return x + k"), "k = 2.0\n" + nested("return x + k")),
    "a helper's default": ("def g(x, y=1): return x\ndef f(x): return g(x)", "def g(x, y=2): return x\ndef f(x): return g(x)"),
    "a helper's helper": (
        "def h(x): return x\n" + nested("return h(x)"), "def h(x): return -x\n" + nested("return h(x)"),
    ),
    "a lambda inside": ("def f(x): return (lambda y: y + 1.0)(x)", "def f(x): return (lambda y: y + 2.0)(x)"),
}  # fmt: skip


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize("what", DIFFERENT)
def test_another_function_has_another_key(what):
    one, other = (key(source) for source in DIFFERENT[what])
    assert one is not None
    assert other is not None
    assert one != other


@pytest.mark.usefixtures("released")
def test_other_circumstances_give_another_key(monkeypatch):
    source = "def f(x): return np.exp(x)"
    keys = [
        key(source),
        key(source, signature="f32(f32)"),
        *(key(source, **{name: value}) for name, value in (
            ("boundscheck", False), ("fastmath", True), ("fastmath", {"nnan"}), ("error_model", "numpy"), ("vector_math", False),
        )),
    ]  # fmt: skip
    monkeypatch.setenv("NUMBA_OPT", "1")
    keys.append(key(source))
    for part in ("_versions", "_machine"):
        monkeypatch.setattr(fingerprint, part, lambda: "another")
        keys.append(key(source))
    assert None not in keys
    assert len(set(keys)) == len(keys)


@pytest.mark.usefixtures("released")
def test_what_is_not_understood_has_no_key(monkeypatch):
    import math

    import numba

    class Own:
        pass

    assert key("def f(x): return thing(x)", {"thing": numba.njit(lambda x: x)}) is not None
    vectorized = numba.vectorize(lambda x: x)
    foreign = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(abs)
    for thing in (Own, Own(), [1.0], vectorized, foreign, numba.float64, math):
        assert key("def f(x): return thing(x)", {"thing": thing}) is None
    assert key("def f(x):\n    m = np\n    return m.exp(x)") is None
    assert key("def f(x): return np.exp(x)", locals={"y": numba.float64}) is None
    # Somebody's own module that is named like one of Python's: its functions are told by their code.
    for name in ("operator", "numpy.own"):
        own = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, own)
        keys = []
        for factor in (2.0, 3.0):
            exec(f"def double(x): return {factor} * x", own.__dict__)
            keys.append(key("def f(x): return double(x)", {"double": own.double}))
        assert keys[0] != keys[1] or keys == [None, None]
    # A function that was put into the place of NumPy's is told by its code, and not by its name.
    source = "def f(x): return np.exp(x)"
    with monkeypatch.context() as patch:
        before = key(source)
        patch.setattr(np, "exp", lambda x: x)
        assert key(source) not in (before, None)
        patch.setattr(np, "exp", np.frompyfunc(lambda x: x, 1, 1))
        assert key(source) is None


@pytest.mark.usefixtures("released")
def test_functions_of_random_numbers_are_known_and_somebodys_own_generators_are_not():
    keys = [key(f"import random\ndef f(x): return {call}") for call in (
        "np.random.normal()", "np.random.random()", "np.random.seed(3)", "random.gauss(0, x)", "random.random()",
    )]  # fmt: skip
    assert None not in keys
    assert len(set(keys)) == len(keys)
    for own in (np.random.RandomState(3).normal, random.Random(3).gauss, np.random.default_rng(3).normal):
        assert key("def f(x): return draw()", {"draw": own}) is None


@pytest.mark.usefixtures("released")
def test_another_version_or_cpu_has_another_key(monkeypatch):
    source = "def f(x): return np.exp(x)"
    keys = [key(source)]

    def again() -> None:
        fingerprint._versions.cache_clear()
        fingerprint._machine.cache_clear()
        keys.append(key(source))

    read = fingerprint._file_of
    try:
        for package in ("numba", "scipy"):
            with monkeypatch.context() as patch:
                patch.setattr(
                    fingerprint, "_file_of", lambda p, n, new=package: (p, b"9.9") if p == new else read(p, n)
                )
                again()
        for thing, attribute, value in (
            (machine, "features", lambda: "+another"),
            (machine, "vector_library", lambda: None),
            (llvm, "get_host_cpu_name", lambda: "another"),
            (np, "__version__", "9.9"),
            (llvmlite, "__version__", "9.9"),
            (sys, "version", "9.9"),
        ):
            with monkeypatch.context() as patch:
                patch.setattr(thing, attribute, value)
                again()
        assert None not in keys
        assert len(set(keys)) == len(keys)
        # As it was; without SciPy; with something else in its place, or in Numba's.
        again()
        assert keys[-1] == keys[0]
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "scipy", None)
            again()
            patch.setitem(sys.modules, "scipy", types.SimpleNamespace())
            again()
        assert keys[-1] == keys[-2] not in (None, keys[0])
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "numba", types.SimpleNamespace())
            again()
        assert keys[-1] is None
    finally:
        fingerprint._versions.cache_clear()
        fingerprint._machine.cache_clear()


def test_bytecode_that_python_keeps_beside_the_package_does_not_count():
    folder = Path(fingerprint.__file__).parent / "__pycache__"
    before = fingerprint._versions.__wrapped__()
    # What Python writes to before it gives a file its name.
    passing = folder / "fingerprint.cpython-311.pyc.140235467"
    folder.mkdir(exist_ok=True)
    passing.write_bytes(b"")
    try:
        assert fingerprint._versions.__wrapped__() == before
    finally:
        passing.unlink()
