"""The typed handle: what is extracted as what, how long it lives, and what it passes."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
import time
import weakref
from typing import Any

import numba
import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt

RESULTS = {"f64": "1.0", "f32": "1.0", "i64": "1", "void": "None", "[f64; 3]": "(1.0, 1.0, 1.0)"}


def constant(signature: str) -> Any:
    """A callback of the signature that ignores its arguments."""
    parsed = rb.Signature(signature)
    names = ", ".join(f"a{i}" for i in range(len(parsed.parameters)))
    scope: dict[str, Any] = {}
    exec(f"def f({names}):\n    return {RESULTS[signature[: signature.index('(')]]}\n", scope)
    return rb.compile(scope["f"], signature)


@pytest.fixture(scope="module")
def callbacks() -> dict[str, Any]:
    return {kind: constant(kind) for kind in dict.fromkeys(rt.kinds())}


def settle() -> None:
    """What waits for the GIL runs when the main thread next takes it; no call into Ringback is needed."""
    for _ in range(2):
        time.sleep(0.001)
        gc.collect()


def test_the_table_of_pairs(callbacks: dict[str, Any]) -> None:
    pairs = matches = 0
    for wanted in callbacks:
        for found, callback in callbacks.items():
            pairs += 1
            if wanted == found:
                assert rt.takes(wanted, callback) is None
                matches += 1
                continue
            with pytest.raises(TypeError) as caught:
                rt.takes(wanted, callback)
            assert str(caught.value).startswith(f"expected a callback {wanted}, found {found}: "), (wanted, found)
    assert pairs >= 200
    assert matches == len(callbacks)
    assert pairs == matches**2


def test_the_table_covers_every_kind_of_difference(callbacks: dict[str, Any]) -> None:
    kinds = set(callbacks)
    assert {"f64(i32)", "f64(i64)", "f64(u32)", "f64(u64)", "f64(f32)", "f64(bool)", "f64(c128)"} <= kinds
    assert {"void(f64)", "f64()", "f64(f64, f64)", "[f64; 3](f64)", "f32(f64)"} <= kinds
    arrays = {kind for kind in kinds if "[" in kind and kind.startswith("f64(")}
    assert len(arrays) >= 8


@pytest.mark.parametrize(
    ("wanted", "found", "why"),
    [
        ("f64(u64)", "float64(intc)", "parameter 1 is i32, not u64"),
        ("f64(u64)", "float64(intp)", "parameter 1 is i64, not u64 (signed and unsigned differ)"),
        ("f64(i64)", "float64(int32)", "parameter 1 is i32, not i64 (another width)"),
        ("f64(i32)", "float64(int64)", "parameter 1 is i64, not i32 (another width)"),
        ("f64(f64)", "float64(float32)", "parameter 1 is f32, not f64 (another width)"),
        ("f64(f64)", "float64(float64, float64)", "it takes 2 parameters, not 1"),
        ("f64(f64)", "void(float64)", "the result is void, not f64"),
        ("void(f64)", "float64(float64)", "the result is f64, not void"),
    ],
)
def test_what_the_message_says(wanted: str, found: str, why: str) -> None:
    callback = constant(str(rb.Signature(found)))
    with pytest.raises(TypeError) as caught:
        rt.takes(wanted, callback)
    assert str(caught.value).startswith(f"expected a callback {wanted}, found {callback.signature}: {why}")


def test_usize_takes_uintp() -> None:
    assert rt.takes("f64(u64)", rb.cfunc("float64(uintp)")(lambda n: float(n))) is None
    with pytest.raises(TypeError, match=r"expected a callback f64\(u64\), found f64\(i32\)"):
        rt.takes("f64(u64)", rb.cfunc("float64(intc)")(lambda n: float(n)))


def test_numba_cfunc_is_checked_too() -> None:
    f = numba.cfunc("float64(intc)")(lambda n: float(n))
    assert rt.takes("f64(i32)", f) is None
    with pytest.raises(TypeError) as caught:
        rt.takes("f64(u64)", f)
    assert str(caught.value).startswith("expected a callback f64(u64), found f64(i32): ")


def test_keep_alive_of_a_captured_array() -> None:
    def make() -> tuple[rt.Handle, Any]:
        data = np.arange(250_000, dtype=np.float64)  # 2 MB

        def f(x: float) -> float:
            return data[int(x)] + data[-1]

        return rt.Handle(f), weakref.ref(data)

    handle, array = make()
    gc.collect()
    assert array() is not None
    junk = [np.full(250_000, np.nan) for _ in range(8)]  # would overwrite the array, were it freed
    n = 100_000
    assert handle.sum(n, 4) == n * (n - 1) / 2 + n * 249_999.0
    del handle, junk
    settle()
    assert array() is None


def test_keep_alive_of_bound_data() -> None:
    def f(x: float, data, k) -> float:
        return data[int(x)] * k

    handle = rt.Handle(rb.bind(f, data=np.arange(1000.0), k=2.0))
    gc.collect()
    assert handle.sum(1000, 4) == 999_000.0


def test_arrays_are_bound_by_reference() -> None:
    data = np.ones(10)
    handle = rt.Handle(lambda x: data[int(x)])
    assert handle.sum(10, 2) == 10.0
    data[:] = 3.0
    assert handle.sum(10, 2) == 30.0


@pytest.mark.parametrize("with_gil", [True, False])
@pytest.mark.parametrize("interpreted", [True, False])
def test_dropped_on_another_thread(with_gil: bool, interpreted: bool) -> None:
    def make() -> tuple[rt.Handle, Any]:
        data = np.arange(1000.0)

        def f(x: float) -> float:
            return data[int(x)]

        return rt.Handle(rb.interpreted(f) if interpreted else f), weakref.ref(data)

    for _ in range(6):
        handle, array = make()
        assert handle.sum(10, 2) == 45.0
        handle.drop_elsewhere(with_gil)
        settle()
        assert array() is None
        assert np.isnan(handle.sum(10, 2))


def test_live_handles_at_exit() -> None:
    program = textwrap.dedent(
        """
        import builtins
        import numpy as np, ringback as rb, ringback_testing as rt

        data = np.arange(100.0)
        compiled = rt.Handle(lambda x: data[int(x)])
        interpreted = rt.Handle(rb.interpreted(lambda x: data[int(x)]))
        made = rb.cfunc("float64(float64)")(lambda x: x + data[0])
        assert made.address and compiled.sum(100, 4) == interpreted.sum(100, 4) == 4950.0
        builtins.kept = [compiled, interpreted, made, rt.Handle(made)]
        cycle = [rt.Handle(lambda x: data[int(x)])]
        cycle.append(cycle)
        """
    )
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def weights(m, out):
    for i in range(m.shape[0]):
        out[i] = m[i].sum()


def test_call_weights() -> None:
    expected = np.arange(6.0).reshape(2, 3)
    assert rt.call_weights(weights, 2, 3, False, 2) == expected.sum(axis=1).tolist()
    assert rt.call_weights(weights, 2, 3, True, 3) == expected.sum(axis=0).tolist()
    with pytest.raises(ValueError, match="same length, found"):
        rt.call_weights(weights, 2, 3, False, 3)


def test_call_matrix() -> None:
    def f(a, b):
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                b[i, j] = 10.0 * i + j + a[i, j]

    assert rt.call_matrix(f, [100.0] * 6, 2, 3) == [100.0, 101.0, 102.0, 110.0, 111.0, 112.0]


def test_call_strided() -> None:
    def f(a, b):
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                b[i, j] = a[i, j] + 100.0 * i

    # Both are reversed: row 0 of the views is the last of the data.
    assert rt.call_strided(f, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 2, 3) == [100.0, 101.0, 102.0, 3.0, 4.0, 5.0]


def test_call_array4() -> None:
    def f(a):
        total = 0.0
        for i in range(a.shape[0]):
            for k in range(a.shape[2]):
                total += a[i, 0, k, 1] * (1 + i)
        return total + 1000.0 * a.shape[2]

    a = np.arange(12.0).reshape(2, 1, 3, 2)
    assert rt.call_array4(f) == a[0, 0, :, 1].sum() + 2 * a[1, 0, :, 1].sum() + 3000.0


def test_call_complex() -> None:
    assert rt.call_complex(lambda z, a, s: z * a[1] + s, 1.0, 2.0) == (-5.5, 7.5)
    assert rt.call_complex(lambda z, a, s: z.real, 1.0, 2.0) == (1.0, 0.0)


def test_call_bools() -> None:
    def f(flag, flags):
        return flag and flags.any()

    for flag in (True, False):
        for flags in ([True, False], [False, False], []):
            assert rt.call_bools(f, flag, flags) is (flag and any(flags))


def test_call_void() -> None:
    seen = np.zeros(3)

    def refuse(x):
        if x < 0:
            raise ValueError("negative")

    assert rt.call_void(refuse, 1.0) is None
    with pytest.raises(ValueError, match="negative"):
        rt.call_void(refuse, -1.0)

    def write(x):
        seen[0] = x

    with pytest.raises(rb.CompileError):  # captured arrays are read-only
        rt.call_void(write, 1.0)
    assert seen.tolist() == [0.0, 0.0, 0.0]


def test_call_result3() -> None:
    assert rt.call_result3(lambda x: (x, 2.0 * x, 3.0 * x), 2.0) == [2.0, 4.0, 6.0]
    assert rt.call_result3(lambda x: (x, 1, x > 1), 2.0) == [2.0, 1.0, 1.0]
    with pytest.raises(rb.CompileError):
        rt.call_result3(lambda x: (x, x), 2.0)


def test_call_tied() -> None:
    def f(x, grad):
        grad[:] = 2.0 * x
        return (x * x).sum()

    assert rt.call_tied(f, [1.0, 2.0], 2) == (5.0, [2.0, 4.0])
    assert rt.call_tied(f, [], 0) == (0.0, [])
    for wrong in (0, 1, 3):
        with pytest.raises(ValueError, match=f"`x` and `grad` must have the same length, found 2 and {wrong}"):
            rt.call_tied(f, [1.0, 2.0], wrong)


def test_bounds_are_checked() -> None:
    def f(x, grad):
        return x[5]

    with pytest.raises(IndexError):
        rt.call_tied(f, [1.0, 2.0], 2)

    def g(x, grad):
        grad[7] = 1.0
        return 0.0

    with pytest.raises(IndexError):
        rt.call_tied(g, [1.0, 2.0], 2)
