"""Export: functions in a process without Python give what the JIT gives, bit for bit; what cannot leave is refused."""

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


def exponents(x):
    mantissa, exponent = math.frexp(x)
    return math.ldexp(mantissa, exponent + 3)


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
    return z.max() - z.sum()


def sorted_(x):
    y = np.sort(x)
    return y[0] + 10 * y[len(y) // 2]


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
    return np.cumsum(x)[-1]


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
    *[(f, "f64(f64)", f64) for f in (seed, polynomial, transcendental, exponents, captured_scalar, captured_array, captured_matrix,
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
    *[(f, "f64([f64])", [(a,) for a in ARRAYS]) for f in (total, norm, last, outside, temporary, sorted_, listed,
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


def exported(callbacks, folder, target_cpu):
    return rb.export(
        {name: cb for name, (cb, _) in callbacks.items()}, folder / "all.so", target_cpu=target_cpu
    ).library


@pytest.fixture(scope="session")
def generic(callbacks, tmp_path_factory):
    """All functions for every CPU."""
    return exported(callbacks, tmp_path_factory.mktemp("generic"), "generic")


def check_all(callbacks, host, library):
    lines, results = [], []
    for name, (callback, calls) in callbacks.items():
        for arguments in calls:
            signature = callback.signature
            lines.append("\t".join([name, signature, *(",".join(words(a)) for a in arguments)]))
            results.append((name, expected(callback, arguments)))
    *found, leaked, python = run(host / "call", library, input="\n".join(lines))
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
    check_all(callbacks, host, exported(callbacks, tmp_path, "native"))


def test_functions_give_what_the_jit_gives_on_every_cpu(callbacks, host, generic):
    check_all(callbacks, host, generic)


def test_blocks_are_vectorised_and_equal_the_jit(host, tmp_path):
    callback = rb.compile(seed, "f64(f64)", error_model="numpy")
    made = callback.export(tmp_path / "seed.so", target_cpu="native")
    points = np.linspace(1, 30, 101)
    lines = run(host / "blocks", made.library, "seed", input="\n".join(map(bits, points.tolist())))
    in_block, alone = zip(*(line.split() for line in lines), strict=True)
    assert list(alone) == [bits(callback(t)) for t in points.tolist()]
    exact = np.array([struct.unpack(">d", bytes.fromhex(word))[0] for word in in_block])
    np.testing.assert_allclose(exact, np.exp(-points) / points**2, rtol=4e-15)
    # 4 units in the last place where the vector library is used: the block entry is there, and is another code.
    assert list(in_block) != list(alone)


def test_bound_data_are_copied_into_the_library(host, tmp_path):
    data = np.asfortranarray(np.arange(6.0).reshape(2, 3))

    def weighted(x, matrix, row, z, n, flag):
        return x * matrix[1, 2] + row[1] * z.imag + n * flag

    signature = "f64(f64, [f64; :, :; F], [f64; :; any], c128, u16, bool)"
    row = np.arange(10.0)[::-3]
    callback = rb.compile(weighted, signature).bind(matrix=data, row=row, z=1 - 2j, n=65535, flag=True)
    made = callback.export(tmp_path / "bound.so")
    wanted = words(callback(3.0))[0]
    # A copy: what happens here afterwards is not seen there.
    data[:] = 0
    row[:] = 0
    assert run(host / "call", made.library, input=f"weighted\tf64(f64)\t{bits(3.0)}")[0] == wanted
    with pytest.raises(rb.ExportError) as refused:
        callback.export(tmp_path / "bound.so", max_data=79)
    assert str(refused.value) == (
        "cannot export weighted: the bound arrays have 80 bytes, more than max_data=79: make them parameters, or raise max_data"
    )
    callback.export(tmp_path / "bound.so", max_data=80)


def test_messages_have_values_and_places(host, tmp_path):
    made = rb.compile(raises_values, "f64(f64, i64)").export(tmp_path / "m.so")
    line = raises_values.__code__.co_firstlineno + 2
    call = f"raises_values\tf64(f64, i64)\t{bits(1e-7)}\t{words(11)[0]}"
    assert run(host / "call", made.library, input=call)[0] == (
        f"error: OverflowError: too many, 11, 1e-07, False (in raises_values, test_export.py:{line})"
    )


def test_wrong_names_and_types_are_refused_when_a_handle_is_made(host, tmp_path):
    made = rb.compile(polynomial, "f64(f64)").export(tmp_path / "p.so")
    lines = f"other\tf64(f64)\t{bits(1.0)}\npolynomial\tf32(f32)\t{bits(1.0)}\n"
    assert run(host / "call", made.library, input=lines)[:2] == [
        'error: the library has no function "other": it has polynomial',
        'error: the function "polynomial": expected a callback f32(f32), found f64(f64): parameter 1 is f64, not f32 '
        "(another width)",
    ]


def test_files_that_are_no_library_are_typed_errors(host, tmp_path):
    made = rb.compile(polynomial, "f64(f64)").export(tmp_path / "p.so")
    whole = made.library.read_bytes()
    end = len(whole) - 32
    files = {
        "empty.so": b"",
        "text.so": b"not a library at all, but longer than the thirty-two bytes of a footer",
        "cut.so": whole[:-1],
        "stripped.so": whole[: whole.index(b"ringback 0.")],
        "newer.so": whole[: end + 8] + struct.pack("<I", 2) + whole[end + 12 :],
        "longer.so": b"\0" + whole,
        "flipped.so": whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:],
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    found = run(host / "open", "missing.so", *files, "p.so", cwd=tmp_path)
    foreign = "is no library of exported callbacks, or was cut off or stripped: export it again with rb.export"
    assert found[0] == "Io: missing.so cannot be read: No such file or directory (os error 2)"
    assert found[1:5] == [f"Foreign: {name} {foreign}" for name in ("empty.so", "text.so", "cut.so", "stripped.so")]
    assert found[5] == (
        "Version: the library has version 2 of the format, this program reads version 1: update the program's crate "
        "ringback, or export with an older package"
    )
    assert found[6] == (
        f"Damaged: the library is damaged: longer.so: {end} bytes expected, found {end + 1}: export it again"
    )
    assert found[7].startswith("Damaged: the library is damaged: flipped.so: its checksum is ")
    assert found[8] == "polynomial"


def test_damaged_files_are_refused_and_never_crash(host, tmp_path):
    made = rb.compile(polynomial, "f64(f64)").export(tmp_path / "p.so")
    assert run(host / "open", "--damage", made.library, tmp_path) == ["refused 800"]


def with_footer(whole: bytes) -> bytes:
    """A library whose bytes were changed, as an export would have written it."""
    import zlib

    length = len(whole) - whole.rindex(b"ringback 0.")
    return whole + struct.pack("<8sIIQQ", b"RINGBACK", 1, zlib.crc32(whole), length, len(whole))


def test_a_library_for_another_kind_of_processor_is_an_error(host, tmp_path):
    made = rb.compile(polynomial, "f64(f64)").export(tmp_path / "p.so")
    whole = bytearray(made.library.read_bytes()[:-32])
    whole[18:20] = struct.pack("<H", 243)  # what ELF calls RISC-V
    (tmp_path / "riscv.so").write_bytes(with_footer(bytes(whole)))
    assert run(host / "open", "riscv.so", cwd=tmp_path) == [
        "Load: riscv.so cannot be loaded: it was exported for another kind of processor: export it on a machine of this kind"
    ]


def test_a_cpu_that_lacks_a_feature_is_an_error(host, tmp_path):
    made = rb.compile(polynomial, "f64(f64)").export(tmp_path / "p.so", target_cpu="x86-64-v3")
    whole = made.library.read_bytes()[:-32]
    # The same library as a later package would write it for a later CPU.
    changed = whole.replace(b"features avx avx2 ", b"features apx avx2 ")
    assert changed != whole
    (tmp_path / "later.so").write_bytes(with_footer(changed))
    assert run(host / "open", "later.so", cwd=tmp_path) == [
        "Cpu: the library was exported for the CPU x86-64-v3, and this CPU lacks apx: export it with a lower target_cpu"
    ]


def test_a_library_needs_libc_and_libm_only(generic):
    needed = {line.split()[0].split(".")[0] for line in run("ldd", generic)}
    assert needed <= {"linux-vdso", "libc", "libm", "libmvec", "/lib64/ld-linux-x86-64"}
    undefined = [line.split()[-1].split("@")[0] for line in run("nm", "-D", "-u", generic)]
    assert not [name for name in undefined if name.startswith(("Py", "_Py", "numba", "NRT", "ringback"))]
    defined = [line.split()[-1] for line in run("nm", "-D", "--defined-only", generic)]
    assert defined == ["ringback_library_v1"]


def test_the_library_of_the_seed_integrand_is_small(tmp_path):
    made = rb.compile(seed, "f64(f64)", error_model="numpy").export(tmp_path / "seed.so")
    assert made.library.stat().st_size < 40_000


def show(x):
    y = x + 1
    print(y)
    return y


def length(x):
    s = 2.0
    return s * np.linalg.norm(x)


def dice(x):
    y = x * 2
    return y + np.random.random()


def dictionary(x):
    d = {1: x}
    return d[1]


BIG = np.arange(200_000.0)
COSINE = __import__("ctypes").CDLL(None).labs
COSINE.restype = __import__("ctypes").c_long
COSINE.argtypes = (__import__("ctypes").c_long,)


@numba.njit
def reads_big(i):
    return BIG[i]


def large_constant(n):
    return int(reads_big(n))


def foreign_function(n):
    m = n + 1
    return COSINE(m)


def raises_tuple(x):
    if x < 0:
        raise ValueError((x, 2.0))
    return x


@pytest.mark.parametrize(
    ("function", "signature", "reason", "source"),
    [
        (show, "f64(f64)", "the Python interpreter, for printing, text or objects: take that out", "print(y)"),
        (
            length,
            "f64([f64])",
            "BLAS (np.dot, @, norms), which comes from SciPy in this process: export with link_blas=True (--link-blas) for plain code "
            "in its place, or name a library, such as link_blas='openblas'",
            "return s * np.linalg.norm(x)",
        ),
        (
            dice,
            "f64(f64)",
            "random numbers before they are seeded, which this process does: call np.random.seed(n) (random.seed(n) for the module "
            "random) in the function itself, on every path before the first draw, or pass random numbers as arguments",
            "return y + np.random.random()",
        ),
        (
            dictionary,
            "f64(f64)",
            "Numba's dictionaries, typed lists and typed sets, which are part of Numba: use arrays, plain lists or plain sets",
            "d = {1: x}",
        ),
        (
            foreign_function,
            "i64(i64)",
            "an address in this process (an array of more than 1 MB that a jitted function reads, or a C function): pass arrays "
            "as arguments, or bind them",
            "return COSINE(m)",
        ),
        (
            raises_tuple,
            "f64(f64)",
            "an exception with a value that is neither a number nor a text: raise it with those",
            "raise ValueError((x, 2.0))",
        ),
    ],
)
def test_what_cannot_leave_python_is_refused_by_name(tmp_path, function, signature, reason, source):
    with pytest.raises(rb.ExportError) as refused:
        rb.compile(function, signature).export(tmp_path / "m.so")
    first, *_, place, line = str(refused.value).splitlines()
    assert first == f"cannot export {function.__name__}: it needs {reason}"
    assert line == f"    {source}"
    assert f"File {__file__!r}, line " in place
    assert list(tmp_path.iterdir()) == []


def test_an_address_of_a_large_array_is_refused(tmp_path):
    with pytest.raises(rb.ExportError, match="it needs an address in this process"):
        rb.compile(large_constant, "i64(i64)").export(tmp_path / "m.so")


def test_callbacks_that_are_tied_to_this_process_are_refused(tmp_path):
    def scratch(x, work):
        work[0] = x
        return work[0]

    def calls(x):
        return other(x)

    other = rb.compile(polynomial, "f64(f64)")
    bound = rb.compile(scratch, "f64(f64, mut [f64])").bind(work=np.zeros(1))
    for callback, text in [
        (
            rb.interpreted(polynomial, "f64(f64)"),
            "cannot export polynomial: it runs in the interpreter (rb.interpreted), which is Python itself: compile it",
        ),
        (
            bound,
            "cannot export scratch: it writes to its bound array 'work', which all threads of a program would share: make it a "
            "parameter",
        ),
        (
            rb.compile(calls, "f64(f64)"),
            "cannot export calls: it calls another callback, whose address is one in this process: call its function",
        ),
    ]:
        with pytest.raises(rb.ExportError) as refused:
            callback.export(tmp_path / "m.so")
        assert str(refused.value) == text


def test_bad_arguments_are_refused(tmp_path):
    callback = rb.compile(polynomial, "f64(f64)")
    unnamed = rb.compile(lambda x: x, "f64(f64)")
    for callbacks, path, options, error, text in [
        (callback, "m.dll", {}, ValueError, "the path of a library ends with .so, .a or .o; found "),
        (callback, "my-model.so", {}, ValueError, "the name of a library is an identifier, such as model.so; found "),
        (callback, "m.so", {"target_cpu": "z80"}, ValueError,
         "target_cpu is one of generic, x86-64-v2, x86-64-v3, x86-64-v4, native; found 'z80'"),
        ([callback, callback], "m.so", {}, ValueError, "two callbacks have the name 'polynomial': "),
        (unnamed, "m.so", {}, ValueError, "needs a name to be exported by: rb.export({'name': callback}, path)"),
        ({"my-f": callback}, "m.so", {}, ValueError, "exported by, which 'my-f' is not (letters of ASCII, digits and _): "),
        ([], "m.so", {}, ValueError, "there is no callback to export"),
        ({"a_b": callback, "aB": callback}, "m.so", {}, ValueError,
         "the names a_b, aB give the same names of types in Rust: export them by other names"),
        ({"abc": callback, "aBc": callback}, "m.so", {}, ValueError,
         "the names abc, aBc give the same names in C: export them by other names"),
        (callback, "nowhere/m.so", {}, FileNotFoundError, "there is no folder "),
        (polynomial, "m.so", {}, TypeError, "a compiled callback expected, found function "),
    ]:  # fmt: skip
        with pytest.raises(error) as refused:
            rb.export(callbacks, tmp_path / path, **options)
        assert text in str(refused.value)
    rb.export({"first": callback, "second": callback, "third": unnamed}, tmp_path / "m.so")


def test_a_missing_compiler_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    with pytest.raises(RuntimeError) as error:
        rb.compile(polynomial, "f64(f64)").export(tmp_path / "m.so")
    assert str(error.value) == (
        "exporting needs a C compiler to link with, and there is no 'no-such-compiler': install one, or name it in CC"
    )


def test_the_header_serves_a_program_in_c(tmp_path):
    made = rb.export(
        [rb.compile(density, "f64([f64; n], mut [f64; n])"), rb.compile(raises, "f64(f64)")], tmp_path / "libmodel.a"
    )
    assert made.header == tmp_path / "model.h"
    (tmp_path / "main.c").write_text(
        """
        #include <stdio.h>
        #include <string.h>
        #include "model.h"
        int main(void) {
            const struct ringback_callback *f = ringback_library_v1_model.records[DENSITY_INDEX];
            density_entry *entry;
            double x[2] = {1, 2}, grad[2], result;
            void *error = NULL;
            struct ringback_view1 vx = {x, {2}, {8}}, vg = {grad, {2}, {8}};
            memcpy(&entry, &f->entry, sizeof entry);
            if (strcmp(f->signature, DENSITY_SIGNATURE)) return 1;
            if (entry(&result, &error, &vx, &vg, f->env)) return 2;
            printf("%g %g %g\\n", result, grad[0], grad[1]);
            const struct ringback_callback *g = ringback_library_v1_model.records[RAISES_INDEX];
            raises_entry *other;
            char text[100];
            memcpy(&other, &g->entry, sizeof other);
            if (!other(&result, &error, -1.0, g->env)) return 3;
            g->describe(g, error, text, sizeof text);
            g->discard(g, error);
            puts(text);
            return 0;
        }
        """
    )
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    run("cc", *flags, "main.c", "libmodel.a", "-lm", "-o", "main", cwd=tmp_path)
    line = raises.__code__.co_firstlineno + 2
    assert run(tmp_path / "main") == [
        "-1.125 -0.25 -1",
        f"ValueError: negative start (in raises, test_export.py:{line})",
    ]


def test_two_static_libraries_may_be_linked_into_one_program(tmp_path):
    rb.compile(temporary, "f64([f64])").export(tmp_path / "libfirst.a")
    rb.compile(sorted_, "f64([f64])").export(tmp_path / "second.o")
    (tmp_path / "main.c").write_text(
        '#include "first.h"\n#include "second.h"\n'
        "int main(void) { return ringback_library_v1_first.count + ringback_library_v1_second.count - 2; }\n"
    )
    run("cc", "main.c", "libfirst.a", "second.o", "-lm", "-o", "main", cwd=tmp_path)
    run(tmp_path / "main")


def test_the_command_exports(tmp_path):
    (tmp_path / "model.py").write_text(
        "import ringback as rb\n\n@rb.cfunc('float64(float64)')\ndef twice(x):\n    '''Twice x.'''\n    return 2 * x\n"
    )
    command = [sys.executable, "-m", "ringback", "export"]
    out = run(*command, "model:twice", "model:twice=again", "-o", "out.so", "--target-cpu", "x86-64-v2", cwd=tmp_path)
    assert out == ["out.so", "out.h", "out.rs"]
    assert "    /// Twice x.\n    pub struct Twice(x: f64) -> f64;" in (tmp_path / "out.rs").read_text()
    manifest = (tmp_path / "out.so").read_bytes()
    assert b"cpu x86-64-v2\nfeatures cx16 popcnt sse3 sse4.1 sse4.2 ssse3\nfunction twice\n" in manifest
    assert b"doc Twice x.\nplace model.py:3\nsource sha256:" in manifest
    for arguments, text in [
        (["model:missing"], "module 'model' has no attribute 'missing'"),
        (["model"], "module:name expected, found 'model'"),
        (["nowhere:f"], "No module named 'nowhere'"),
    ]:
        done = subprocess.run(
            [*command, *arguments, "-o", "x.so"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert text in done.stderr


def test_the_rust_module_has_every_kind_of_parameter(tmp_path):
    def kinds(type, x, a, b, c):
        """Line one.

        Line two.
        """
        c[0] = a[0, 0]
        return (x.real, b[0] + type)

    signature = "[f64; 2](i32, c64, [f64; n, m; F], [f32; :; any], mut [f64; m])"
    made = rb.compile(kinds, signature).export(tmp_path / "kinds.so")
    assert (
        "ringback::callback! {\n    /// Line one.\n    ///\n    /// Line two.\n"
        "    pub struct Kinds(r#type: i32, x: num_complex::Complex<f32>, a: ringback::view::View<'_, f64, 2, ringback::view::F>, "
        "b: ringback::view::View<'_, f32, 1, ringback::view::Strided>, c: &mut [f64]) -> [f64; 2]\n"
        "        where dim(a, 1) == len(c);\n}"
    ) in made.rust.read_text()
    folder = tmp_path / "check"
    (folder / "src").mkdir(parents=True)
    (folder / "src/lib.rs").write_text(f'mod kinds {{ include!("{made.rust}"); }}\npub use kinds::Kinds;\n')
    host = (ROOT / "tests/host/Cargo.toml").read_text().replace("../../crates", str(ROOT / "crates"))
    (folder / "Cargo.toml").write_text(host)
    shutil.copy(ROOT / "tests/host/Cargo.lock", folder)
    run("cargo", "check", "--quiet", "--offline", "--target-dir", ROOT / "target/host", cwd=folder)


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    run(sys.executable, ROOT / "examples/host/model.py", folder)
    return folder


@pytest.mark.parametrize("variant", ["loaded", "linked"])
def test_the_example_integrates_and_samples_without_python(example, variant):
    command = ["cargo", "build", "--quiet", "--release", "--manifest-path", ROOT / "examples/host/Cargo.toml"]
    features = ["--features", "linked"] if variant == "linked" else []
    target = ROOT / "target/host"
    run(*command, "--target-dir", target, *features, env={**os.environ, "MODEL": str(example)})
    program = target / "release/ringback-host"
    integral, means, error = run(program, example / "loaded/model.so")
    assert integral == "integral 0.148495506776 error 3.9e-10 points 105"
    mean, deviation = float(means.split()[1]), float(means.split()[4])
    # The posterior of the mean is symmetric round that of the observations.
    assert abs(mean - 5.1) < 0.02
    assert abs(deviation - math.log(0.63)) < 0.1
    assert error.startswith("ValueError: the log standard deviation is out of range:, 21.5 (in logp, model.py:")
    needed = {line.split()[0].split(".")[0] for line in run("ldd", program)}
    assert needed <= {"linux-vdso", "libc", "libm", "libmvec", "/lib64/ld-linux-x86-64"}
