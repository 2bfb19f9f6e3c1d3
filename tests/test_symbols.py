"""What objects need beside themselves: from disk it is there without Numba, and it is Numba's own."""

import sys

import pytest
import ringback as rb
from ringback import machinecode
from ringback.backend import symbols
from test_startup import files, run, written

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="objects are kept on disk on Linux only")

KINDS = """
    import json, math, random, sys, traceback
    import numpy as np
    import ringback as rb
    import ringback.errors
    import ringback_testing
    from ringback.integrate import cubature, monte_carlo, quad, quad_many

    found = {}
    imported = {}
    sys.stdout = sys.stderr

    def plain(value):
        return [v.hex() if isinstance(v, float) else repr(v) for v in np.atleast_1d(value).tolist()]

    def record(name, call):
        before = set(sys.modules)
        try:
            found[name] = plain(call())
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            found[name] = [type(error).__name__, repr(error.args), last.name, last.lineno, getattr(error, "__notes__", [])]
        new = sorted({"numba", "scipy"} & (set(sys.modules) - before))
        if new:
            imported[name] = new

    a = np.linspace(0.5, 2.0, 7)
    square = np.arange(9.0).reshape(3, 3)

    def one(f, *arguments, signature="f64([f64])"):
        record(f.__name__, lambda: rb.compile(f, signature)(*(arguments or (a,))))

    def number(f, x=2.5):
        one(f, x, signature="f64(f64)")

    def temporaries(a): return (a * a + 1).sum() + np.zeros(a.size)[0] + a[a > 1].sum()
    def ordered(a): return np.sort(a)[2]
    def reshaped(m): return m.T.copy().reshape(9)[3] + m.reshape((1, 9))[0, 2]
    def lists(x):
        many = [x * i for i in range(5)]
        many.append(x)
        return sum(many) + len({x, 2 * x, x})
    def dictionary(x):
        by_name = {"a": x, "b": 2 * x}
        return by_name["ab"[int(x) - 1]]
    def special(x): return math.gamma(x) + math.lgamma(x) + math.frexp(x)[0] + math.ldexp(x, 3) + np.nextafter(x, 3.0)
    def power(z): return z ** (1.5 + 1j)

    one(temporaries)
    one(ordered)
    one(reshaped, square, signature="f64([f64; :, :])")
    for f in (lists, dictionary, special):
        number(f)
    one(power, 2.5 + 1j, signature="c128(c128)")

    def told_kinds(x):
        if x > 1:
            raise KeyError("bad", x, int(x), x > 2, complex(x, 1), np.float32(x), None)
        return x
    def told_text(x):
        if x > 1:
            raise ValueError(f"bad {int(x)}")
        return x
    def told_list(x):
        if x > 1:
            raise ValueError([x, 2 * x], (1, x))
        return x
    def told_finally(x):
        scratch = np.zeros(3)
        try:
            if x > 1:
                raise ValueError("bad", x)
        finally:
            scratch[0] = 1
        return x
    def told_asserts(x):
        assert x < 1, "too large"
        return x

    for f in (told_kinds, told_text, told_list, told_finally, told_asserts):
        number(f)
    inner = rb.compile(told_kinds, "f64(f64)")
    record("told inside", lambda: rb.compile(lambda x: inner(x) + 1, "f64(f64)")(2.5))

    def seeded(x):
        np.random.seed(int(x))
        return np.random.normal() + np.random.random()
    def seeded_as_python(x):
        random.seed(int(x))
        return random.gauss(0.0, x)

    number(seeded)
    number(seeded_as_python)

    def logp(x, grad):
        grad[:] = -x
        return -0.5 * (x * x).sum()
    record("to Rust", lambda: ringback_testing.log_density(rb.compile(logp, "f64([f64], mut [f64])"), a.tolist())[0])
    def scratched(x, scratch):
        scratch[0] = x
        return (scratch * x).sum()
    mine = np.zeros(3)
    record("scratch", lambda: rb.compile(scratched, "f64(f64, mut [f64])").bind(scratch=mine)(2.0))
    record("bound", lambda: quad(rb.bind(lambda x, t: (t * x).sum(), t=a), 0, 1).value)
    record("weight", lambda: quad(lambda t: np.exp(-t), 0, 1, weight="sin", wvar=3.0).value)
    record("many", lambda: quad_many(lambda t, k: np.exp(-k * t), 0, 1, args=(a,)).value)
    record("box", lambda: cubature(lambda x, y: np.exp(-x * y), [0, 0], [1, 1]).value)
    record("sampled", lambda: monte_carlo(lambda x: np.exp(-x[0]), [0, 0], [1, 1], seed=1).value)
    record("interpreted", lambda: quad(rb.interpreted(lambda t: 1 / t), -1, 1).value)

    found["numba by then"] = "numba" in sys.modules
    def products(a, m): return (m @ a[:3].copy())[0]
    one(products, a, square, signature="f64([f64], [f64; :, :])")
    def number_printed(x):
        print(x)
        return x
    number(number_printed)
    def text_printed(x):
        print("x is", x)
        return x
    number(text_printed)
    found["compiled"] = ringback.errors.self_test.cache_info().currsize == 1
    found["imported"] = imported
    print(json.dumps(found), file=sys.__stdout__)
"""


def test_the_second_process_needs_numba_for_nothing_but_printing_text(tmp_path):
    script = written(tmp_path / "kinds.py", KINDS)
    first = run(script, tmp_path)
    kept = {path.name: path.read_bytes() for path in files(tmp_path)}
    # Other hashes of text, and an allocator that ends the process if what one has allocated is freed by another.
    second = run(script, tmp_path, PYTHONHASHSEED="7", PYTHONMALLOC="debug")
    assert (first.pop("numba by then"), second.pop("numba by then")) == (True, False)
    assert (first.pop("compiled"), second.pop("compiled")) == (True, False)
    assert first.pop("imported")["temporaries"] == ["numba", "scipy"]
    assert second.pop("imported") == {"products": ["scipy"], "text_printed": ["numba"]}
    assert second == first
    assert {path.name: path.read_bytes() for path in files(tmp_path)} == kept
    # And they are what they should be.
    kinds = "('bad', 2.5, 2, True, (2.5+1j), 2.5, None)"
    assert first["told_kinds"][:3] == ["KeyError", kinds, "told_kinds"]
    assert first["told inside"][:3] == first["told_kinds"][:3]
    assert first["told_text"][:3] == ["ValueError", "('bad 2',)", "told_text"]
    assert first["told_list"][:3] == ["ValueError", "([2.5, 5.0], (1, 2.5))", "told_list"]
    assert first["told_finally"][:3] == ["ValueError", "('bad', 2.5)", "told_finally"]
    assert first["dictionary"] == [(5.0).hex()]
    assert first["interpreted"][0] == "ZeroDivisionError"


LATER = """
    import json, sys
    import numpy as np
    import ringback as rb

    def told(x):
        scratch = np.zeros(3) + x
        if x > 3:
            raise ValueError("large", x, str(int(x)))
        return scratch.sum()

    def draw(x):
        if x >= 0:
            np.random.seed(int(x))
        return np.random.normal()

    told, draw = rb.compile(told, "f64(f64)"), rb.compile(draw, "f64(f64)")
    drawn = [draw(3.0)]
    found = ["numba" in sys.modules]

    import numba
    import numba._helperlib

    found.append(len(numba._helperlib.c_helpers) > 0)

    @numba.njit
    def calls(f, x):
        return f(x)

    @numba.njit
    def draws():
        return np.random.normal()

    def said(call):
        try:
            return call()
        except ValueError as error:
            return list(error.args)

    found += [said(lambda: calls(told, 5.0)), said(lambda: told(6.0)), said(lambda: calls(told, 1.0))]
    # One generator for what was loaded before Numba, for Numba, and for what is compiled after.
    drawn += [draws(), draw(-1.0), rb.compile(lambda x: np.random.normal() + 0 * x, "f64(f64)")(0.0)]
    expected = np.random.RandomState(3)
    print(json.dumps([*found, drawn == [expected.normal() for _ in drawn]]))
"""


def test_what_was_loaded_without_numba_gets_on_with_numba(tmp_path):
    script = written(tmp_path / "later.py", LATER)
    expected = [True, True, ["large", 5.0, "5"], ["large", 6.0, "6"], 3.0, True]
    assert run(script, tmp_path) == expected
    assert run(script, tmp_path, PYTHONMALLOC="debug") == [False, *expected[1:]]


def test_names_have_the_addresses_that_numba_gives_them():
    import llvmlite.binding as llvm
    from numba.core.runtime import _nrt_python
    from ringback import _numba

    _numba.provide_symbols()
    assert symbols._address("NRT_Allocate") == _nrt_python.c_helpers["Allocate"]
    for name in ("NRT_MemInfo_call_dtor", "numba_cpow", "numba_dict_insert", "numba_xxdot", "PyExc_TypeError"):
        assert symbols._address(name) == llvm.address_of_symbol(name) != 0
    for name in ("numba_nowhere", "NRT_nowhere", "PyExc_Nowhere", "_ZN5numba", "_numba_hashsecret_other"):
        assert symbols._address(name) is None
    hidden = {name: symbols._address(name) for name in symbols._SECRETS}
    import ctypes

    for name, address in hidden.items():
        theirs = llvm.address_of_symbol(name)
        assert address is not None
        assert ctypes.string_at(address, 8) == ctypes.string_at(theirs, 8)


@pytest.mark.usefixtures("released", "folder")
def test_without_scipy_what_calls_it_is_not_loaded(monkeypatch):
    def product(x):
        return x @ x

    compiled = rb.compile(product, "f64([f64])")
    code = compiled._shim.machine.entry
    assert machinecode.resolvable(code)
    for name in ("scipy.linalg.cython_blas", "scipy.linalg.cython_lapack"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)
            assert not machinecode.resolvable(code)


def test_where_numbas_functions_do_not_load_alone_numba_is_imported(monkeypatch):
    asked = []
    monkeypatch.setattr(symbols, "_with_numba", lambda: asked.append(True))
    assert symbols.provide({"exp", "PyTuple_Pack", "Py_IncRef", "_Py_NoneStruct", "NRT_Free", "PyExc_KeyError"})
    assert asked == []
    assert symbols.provide({"numba_nowhere"})
    assert asked == [True]
    monkeypatch.setattr(symbols, "_helpers", lambda name: {})
    assert symbols.provide({"NRT_Free"})
    assert asked == [True, True]
    monkeypatch.undo()

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(symbols, "_extension", missing)
    assert symbols._helpers.__wrapped__("numba._helperlib") == {}
