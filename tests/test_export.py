"""Export: functions in a process without Python give what the JIT gives, bit for bit; what cannot leave is refused."""

import json
import math
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

import ringback as rb

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="export knows x86-64 Linux only"
)

WEIGHTS = np.array([0.25, 0.5, 0.125, 2.0])
TABLE = np.arange(12.0).reshape(3, 4)
SCALE = 1.75
FLAGS = np.array([True, False, True])


def seed(t):
    """The seed integrand."""
    return np.exp(-t) / t**2


def polynomial(x):
    return ((x - 1.5) * x + 0.25) * x - 3.0


def transcendental(x):
    return math.sin(x) * math.cosh(x) + math.log1p(x * x) - math.atan(x) + math.erf(x)


def captured_scalar(x):
    return SCALE * x + 1


def captured_array(x):
    s = 0.0
    for i in range(len(WEIGHTS)):
        s += WEIGHTS[i] * x**i
    return s


def captured_matrix(x):
    return TABLE[1, 2] * x + TABLE.sum()


def captured_flags(x):
    return x if FLAGS[2] and not FLAGS[1] else -x


@numba.njit
def jitted_helper(x, y):
    return math.sqrt(x * x + y * y)


def plain_helper(x):
    return x * x - 0.5


def nested(x):
    return jitted_helper(x, 2.0) + plain_helper(x)


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def gcd(n):
    a, b = n, 360
    while b:
        a, b = b, a % b
    return a


def powers(x, n):
    return x**n


def divide(x, y):
    return x / y


def modulo(x, y):
    return x % y + x // y


def branchy(x, y):
    if x < y:
        return math.exp(x)
    if x > 2 * y:
        return math.log(x)
    return x * y


def raises(x):
    if x < 0:
        raise ValueError("negative start")
    return math.sqrt(x)


def raises_values(x, n):
    if n > 10:
        raise OverflowError("too many", n, x, n > 11)
    return x * n


def raises_class(x):
    if x > 1e3:
        raise RuntimeError
    return x + 1


def catches(x):
    try:
        if x < 0:
            raise ValueError("caught")
        return x
    except Exception:
        return -1.0


def finally_(x):
    s = 0.0
    try:
        if x < 0:
            raise KeyError("gone")
        s = x
    finally:
        s += 1.0
    return s


def halve(n):
    return np.uint8(n // np.uint8(2))


def single(x):
    return np.float32(x * np.float32(1.1) + np.float32(0.3))


def positive(x):
    return x > 0


def square(z):
    return z * z + 1j * z.real


def complex_exp(z):
    return np.exp(z)


def three(x):
    return (x, x * x, math.sin(x))


def constant():
    return 0.1 + 0.2


def total(x):
    return x.sum()


def norm(x):
    s = 0.0
    for v in x:
        s += v * v
    return math.sqrt(s)


def last(x):
    return x[len(x) - 1] + x[-2]


def outside(x):
    return x[7]


def temporary(x):
    y = np.empty_like(x)
    for i in range(len(x)):
        y[i] = x[i] * i
    z = y + 2.0 * x
    return z.max() - z.min() + z.mean()


def sorted_(x):
    y = np.sort(x)
    return y[0] + 10 * y[len(y) // 2]


def argsorted(x):
    return float(np.argsort(x)[0])


def listed(x):
    values = []
    for v in x:
        if v > 0:
            values.append(v * 2)
    return len(values) + sum(values)


def set_(x):
    seen = set()
    for v in x:
        seen.add(int(v))
    return float(len(seen))


def cumulated(x):
    return np.cumsum(x)[-1] + np.var(x) + np.median(x)


def comprehension(x):
    return sum([v * v for v in x])


def masked(x):
    return x[x > 0].sum()


def two_dimensional(x):
    m = np.zeros((len(x), 3))
    for i in range(len(x)):
        m[i, i % 3] = x[i]
    return m.T[1].sum() + m[:, 0].prod()


def allocation_then_raise(x):
    y = x * 2
    if y[0] < 0:
        raise ValueError("the first is negative", y[0])
    return y.sum()


def inner_product(x, y):
    s = 0.0
    for i in range(min(len(x), len(y))):
        s += x[i] * y[i]
    return s


def density(x, grad):
    s = 0.0
    for i in range(len(x)):
        grad[i] = -WEIGHTS[i % 4] * x[i]
        s += grad[i] * x[i]
    return 0.5 * s


def reverse(x):
    for i in range(len(x) // 2):
        x[i], x[-1 - i] = x[-1 - i], x[i]


def matrix_sum(m):
    s = 0.0
    for i in range(m.shape[0]):
        for j in range(m.shape[1]):
            s += (i + 1) * m[i, j] / (j + 1)
    return s


def matrix_whole(m):
    return (m * m).sum() + m[1, 2]


def double_matrix(m):
    m *= 2.0
    m[0, 1] = -1.0


def make_closure(k):
    def closure(x):
        return k * x - 1.0

    return closure


NUMBERS = [0.5, 1.0, 2.75, 30.0, -1.25, 0.0, 1e4, float("nan"), float("inf")]
ARRAYS = [[3.0, -1.0, 2.5, 2.5, -0.125], [1.0, 2.0], [-4.0, 0.5, 1e-3]]
MATRIX = [1.0, 2.5, -3.0, 4.0, 0.125, 6.0]
TWELVE = [float(i * i - 20) for i in range(12)]

f64 = [(x,) for x in NUMBERS]
CASES = [
    *[(f, "f64(f64)", f64) for f in (seed, polynomial, transcendental, captured_scalar, captured_array, captured_matrix,
                                     captured_flags, nested, raises, raises_class, catches, finally_)],
    (make_closure(2.5), "f64(f64)", f64),
    (fibonacci, "i64(i64)", [(0,), (1,), (50,), (92,)]),
    (gcd, "i64(i64)", [(48,), (7,), (-30,), (0,)]),
    (powers, "f64(f64, i64)", [(2.0, 3), (1.5, -2), (0.0, 0)]),
    (raises_values, "f64(f64, i64)", [(2.0, 3), (-1e-7, 11), (1e22, 12)]),
    *[(f, "f64(f64, f64)", [(1.0, 3.0), (7.5, 2.0), (-1.0, 0.0), (4.0, 4.0)]) for f in (divide, modulo, branchy)],
    (halve, "u8(u8)", [(255,), (1,)]),
    (single, "f32(f32)", [(1.5,), (-0.25,)]),
    (positive, "bool(f64)", [(1.0,), (-1.0,), (float("nan"),)]),
    *[(f, "c128(c128)", [(1 + 2j,), (-0.5j,), (3 + 0j,)]) for f in (square, complex_exp)],
    (three, "[f64; 3](f64)", [(0.5,), (-2.0,)]),
    (constant, "f64()", [()]),
    *[(f, "f64([f64])", [(a,) for a in ARRAYS]) for f in (total, norm, last, outside, temporary, sorted_, argsorted, listed,
                                                       set_, cumulated, comprehension, masked, two_dimensional,
                                                       allocation_then_raise)],
    (inner_product, "f64([f64], [f64])", [(ARRAYS[0], ARRAYS[1]), (ARRAYS[2], ARRAYS[0])]),
    (density, "f64([f64], mut [f64])", [(a, [0.0] * len(a)) for a in ARRAYS]),
    (reverse, "void(mut [f64])", [(a,) for a in ARRAYS]),
    (double_matrix, "void(mut [f64; :, :])", [(MATRIX,)]),
]  # fmt: skip
# The same functions again for each layout.
LAYOUTS = [("f64([f64; :, :])", MATRIX), ("f64([f64; :, :; F])", MATRIX), ("f64([f64; :, :; any])", TWELVE)]


def compiled():
    """Every callback by its name, with its arguments."""
    cases = {f.__name__: (rb.compile(f, signature), calls) for f, signature, calls in CASES}
    for name, function in (("matrix_sum", matrix_sum), ("matrix_whole", matrix_whole)):
        for i, (signature, data) in enumerate(LAYOUTS):
            cases[f"{name}{i}"] = (rb.compile(function, signature), [(data,)])
    return cases


@pytest.fixture(scope="session")
def host():
    """Builds the programs that load libraries; the folder that they are in."""
    assert shutil.which("cargo"), "the tests of the export need cargo"
    command = ["cargo", "build", "--quiet", "--release", "--manifest-path", ROOT / "tests/host/Cargo.toml"]
    subprocess.run([*command, "--target-dir", ROOT / "target/host"], check=True)
    return ROOT / "target/host/release"


@pytest.fixture(scope="session")
def callbacks():
    return compiled()


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def bits(value):
    return struct.pack(">d", value).hex()


def words(value):
    if isinstance(value, complex):
        return [bits(value.real), bits(value.imag)]
    if isinstance(value, (list, tuple)):
        return [word for item in value for word in words(item)]
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return [f"{value & (2**64 - 1):016x}"]
    return [f"{int(value):016x}"] if isinstance(value, bool) else [bits(value)]


def expected(callback, arguments):
    """What the JIT gives, as the program writes it; and the exception, as the library describes it."""
    passed, written = [], []
    for parameter, value in zip(callback.code.signature.parameters, arguments, strict=True):
        if parameter.kind == "array":
            value = np.array(value)
            if parameter.ndim == 2:
                if parameter.layout == "any":
                    value = value.reshape(2, 6)[:, 4::-2]
                else:
                    value = value.reshape((2, 3), order=parameter.layout)
            if parameter.mutable:
                written.append(value)
        passed.append(value)
    try:
        result = callback(*passed)
    except Exception as error:
        return error
    result = [] if result is None else words(result)
    return ",".join([*result, *(word for array in written for word in words(array.ravel().tolist()))])


def check_all(callbacks, host, folder, target_cpu):
    made = rb.export({name: cb for name, (cb, _) in callbacks.items()}, folder / "all.so", target_cpu=target_cpu)
    lines, results = [], []
    for name, (callback, calls) in callbacks.items():
        for arguments in calls:
            signature = callback.signature
            lines.append("\t".join([name, signature, *(",".join(words(a)) for a in arguments)]))
            results.append((name, expected(callback, arguments)))
    *found, leaked, python = run(host / "call", made.library, input="\n".join(lines))
    assert len(found) == len(results)
    for (name, wanted), got in zip(results, found, strict=True):
        if isinstance(wanted, Exception):
            said = ", ".join(str(a) for a in wanted.args)
            assert got.startswith(f"error: {type(wanted).__name__}: {said} (in "), (name, wanted, got)
            assert ".py:" in got
        else:
            assert got == wanted, name
    assert leaked == "leaked 0 0"
    assert python == "python false"


def test_there_are_at_least_forty_functions(callbacks):
    assert len(callbacks) >= 40


def test_functions_give_what_the_jit_gives_on_this_cpu(callbacks, host, tmp_path):
    check_all(callbacks, host, tmp_path, "native")


def test_functions_give_what_the_jit_gives_on_every_cpu(callbacks, host, tmp_path):
    check_all(callbacks, host, tmp_path, "generic")
