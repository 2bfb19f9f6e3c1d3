"""`rb.compile`: signatures, options, arguments, results and refusals."""

from __future__ import annotations

import math
import subprocess
import sys

import numba
import numpy as np
import pytest
import ringback as rb
from numba import types
from ringback.integrate import quad

SCALARS = ["bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "c64", "c128"]
HERE = __file__


def undecorated(x):
    return x


# Signatures


@pytest.mark.parametrize(
    ("spelt", "text"),
    [
        ("f64(f64, i32)", "f64(f64, i32)"),
        ("float64(float64, intc)", "f64(f64, i32)"),
        (types.float64(types.float64, types.int32), "f64(f64, i32)"),
        (types.double(types.double, types.intc), "f64(f64, i32)"),
        (rb.Signature("f64(f64, i32)"), "f64(f64, i32)"),
    ],
)
def test_spellings(spelt, text):
    cb = rb.compile(power, spelt)
    assert cb.signature == text
    assert cb(2.0, 3) == 8.0


def power(x, n):
    return x**n


def test_numbas_array_types():
    def f(x, y):
        y[0] = x[0, 1]

    readonly = types.Array(types.float64, 2, "F", readonly=True)
    cb = rb.compile(f, types.void(readonly, types.float64[::1]))
    assert cb.signature == rb.compile(f, "void([f64; :, :; F], mut [f64])").signature
    y = np.zeros(1)
    assert cb(np.asfortranarray([[1.0, 2.0]]), y) is None
    assert y[0] == 2.0


def test_annotations():
    def f(x: float, n: int, flip: bool, table: [f64], out: mut[f64], z: complex) -> float:
        out[0] = z.imag
        return -x * n if flip else x * n + table[0]

    cb = rb.compile(f)
    assert cb.signature == "f64(f64, i64, bool, [f64], mut [f64], c128)"
    out = np.zeros(1)
    assert cb(2.0, 3, True, np.ones(1), out, 5j) == -6.0
    assert cb(2.0, 3, False, np.ones(1), out, 5j) == 7.0
    assert out[0] == 5.0


def test_annotations_that_do_not_say_enough():
    def none(x):
        return x

    def array(x: np.ndarray) -> float:
        return x[0]

    array.__annotations__ = {"x": np.ndarray, "return": float}
    with pytest.raises(TypeError) as error:
        rb.compile(none)
    assert str(error.value) == (
        "no signature was given for none, and parameter 'x' has no annotation: pass a signature such as 'f64(f64)', or "
        "annotate every parameter and the result"
    )
    with pytest.raises(TypeError) as error:
        rb.compile(array)
    assert str(error.value) == (
        "parameter 'x' of array is annotated <class 'numpy.ndarray'>, which does not say what to compile for: write its type "
        "as text, such as '[f64]' or 'mut [f64]' for an array"
    )


@pytest.mark.parametrize("bad", ["f64(", "f65(f64)", "", "f64(f64))", "f64 f64"])
def test_text_that_is_no_signature(bad):
    with pytest.raises(rb.SignatureError):
        rb.compile(undecorated, bad)


def test_objects_that_are_no_signature():
    with pytest.raises(TypeError) as error:
        rb.compile(undecorated, 3)
    assert str(error.value) == (
        "expected a signature: text such as 'f64(f64)' or 'float64(float64)', or a Numba signature such as "
        "float64(float64); found 3"
    )


# Options


def test_error_models():
    def f(x):
        return 1.0 / x

    with pytest.raises(ZeroDivisionError):
        rb.compile(f, "f64(f64)")(0.0)
    assert rb.compile(f, "f64(f64)", error_model="numpy")(0.0) == math.inf


def test_fastmath_and_locals():
    def f(x):
        y = x + 0.25
        return y

    assert "fadd fast" in rb.compile(f, "f64(f64)", fastmath=True).inspect_llvm()
    assert "fadd fast" not in rb.compile(f, "f64(f64)").inspect_llvm()
    assert rb.compile(f, "f64(f64)", locals={"y": types.int64})(1.0) == 1.0
    assert rb.compile(f, "f64(f64)")(1.0) == 1.25


def test_options_that_are_refused():
    with pytest.raises(TypeError) as error:
        rb.compile(undecorated, "f64(f64)", error_model="ieee")
    assert str(error.value) == "error_model is 'python' or 'numpy', found 'ieee'"
    with pytest.raises(rb.CompileError) as error:
        rb.compile(undecorated, "f64(f64)", nopython=False)
    assert str(error.value) == (
        "object mode runs in the interpreter and cannot be compiled: use rb.interpreted(f) for that, explicitly"
    )


# What cannot be compiled


def first_line(function):
    return function.__code__.co_firstlineno


def message_of(function, signature="f64(f64)"):
    with pytest.raises(rb.CompileError) as error:
        rb.compile(function, signature)
    assert isinstance(error.value, TypeError)
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return str(error.value)


def test_an_undecorated_helper():
    def f(x):
        y = x + 1
        return undecorated(y)

    assert rb.compile(f, "f64(f64)")(1.0) == undecorated(2.0)


def test_what_a_helper_captures_is_never_stale():
    scope = {"factor": 2.0}
    exec("def helper(x):\n    return factor * x\n\ndef f(x):\n    return helper(x) + factor\n", scope)
    for factor in (2.0, 3.0, -1.0):
        scope["factor"] = factor
        assert rb.compile(scope["f"], "f64(f64)")(10.0) == 11 * factor
        assert rb._callback_for(scope["f"], "f64(f64)")(10.0) == 11 * factor


def test_what_a_jitted_helper_captures_is_never_stale():
    scope = {"factor": 2.0, "table": np.array([1.0, 2.0]), "njit": numba.njit}
    exec("@njit\ndef helper(x):\n    return factor * x + table[0]\n\ndef f(x):\n    return helper(x)\n", scope)
    for factor in (2.0, 3.0):
        scope["factor"] = factor
        assert rb._callback_for(scope["f"], "f64(f64)")(10.0) == 10 * factor + 1
    scope["table"][0] = 5.0
    assert rb._callback_for(scope["f"], "f64(f64)")(10.0) == 35.0


def test_a_large_array_of_a_jitted_helper_stays_alive():
    scope = {"table": np.arange(250_000.0), "njit": numba.njit}
    exec("@njit\ndef helper(x):\n    return table[int(x)]\n\ndef f(x):\n    return helper(x)\n", scope)
    callback = rb._callback_for(scope["f"], "f64(f64)")
    scope["table"] = np.zeros(3)
    churn = [np.full(250_000, -1.0) for _ in range(20)]
    assert callback(249_999.0) == 249_999.0
    assert len(churn) == 20


def test_a_recursive_helper():
    def factorial(n):
        return 1.0 if n <= 1 else n * factorial(n - 1)

    assert rb.compile(lambda x: factorial(5) + x, "f64(f64)")(0.5) == 120.5


def test_an_array_that_a_helper_reads_is_refused():
    scope = {"table": np.arange(3.0)}
    exec("def helper(i):\n    return table[i]\n\ndef f(x):\n    return helper(1) + x\n", scope)
    with pytest.raises(rb.CompileError, match="helper reads the array table, which would be frozen"):
        rb.compile(scope["f"], "f64(f64)")


def test_objmode_blocks_are_refused():
    def f(x):
        with numba.objmode(y="float64"):
            y = float(str(x))
        return y

    with pytest.raises(rb.CompileError, match=r"a `with objmode` block .* runs in the interpreter"):
        rb.compile(f, "f64(f64)")


def test_an_unsupported_feature():
    def f(x):
        class Inner:
            pass

        return x

    text = message_of(f)
    assert text.startswith(
        f"cannot compile f for f64(f64):\n"
        f"  File {HERE!r}, line {first_line(f) + 1}, in f\n"
        f"    class Inner:\n"
        f"  Use of unsupported opcode (LOAD_BUILD_CLASS) found"
    )
    assert len(text.splitlines()) <= 5


def test_an_unknown_attribute():
    def f(x):
        return x.nothing

    assert message_of(f, "f64([f64])") == (
        f"cannot compile f for f64([f64]):\n"
        f"  File {HERE!r}, line {first_line(f) + 1}, in f\n"
        f"    return x.nothing\n"
        f"  Unknown attribute 'nothing' of type readonly array(float64, 1d, C)\n"
        f"  Hint: Numba does not know this attribute; rb.interpreted(f) runs the function in the interpreter"
    )


def test_linear_algebra_without_scipy():
    # In a process of its own: Numba remembers what it compiled with SciPy.
    script = """
import sys

sys.modules["scipy"] = None
import ringback as rb

try:
    rb.compile(lambda x: x @ x, "f64([f64])")
except rb.CompileError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-2:] == [
        "  scipy 0.16+ is required for linear algebra",
        "  Hint: Numba takes `@`, np.dot and np.linalg from SciPy, which is not installed: pip install scipy",
    ]


def test_writing_to_a_read_only_array():
    def f(x):
        x[0] = 1.0
        return 0.0

    text = message_of(f, "f64([f64])")
    assert text.startswith(
        f"cannot compile f for f64([f64]):\n  File {HERE!r}, line {first_line(f) + 1}, in f\n    x[0] = 1.0\n"
    )
    assert text.endswith(
        "Hint: the array is read-only: captured and bound data always are, parameters unless the signature says `mut [f64]`. "
        "Declare it so: rb.compile(f, 'f64([f64], mut [f64])').bind(scratch=array)"
    )


def test_changing_a_read_only_array_in_place():
    def f(x):
        x += 1.0
        return 0.0

    text = message_of(f, "f64([f64])")
    assert "an operation such as `x += y` changes it in place\n  Hint: the array is read-only" in text


def test_the_wrong_number_of_parameters():
    def f(x, y):
        return x + y

    assert message_of(f) == (
        "f cannot be called as f64(f64): it takes 2 parameters (x, y), and the signature passes 1; nothing gives a value "
        "for y (as args, by rb.bind, or as a default)"
    )
    assert message_of(f, "f64(f64, f64, f64)") == (
        "f cannot be called as f64(f64, f64, f64): it takes 2 parameters (x, y), and the signature passes 3"
    )
    assert message_of(lambda x: x, "f64(f64, f64)") == (
        "<lambda> cannot be called as f64(f64, f64): it takes 1 parameter (x), and the signature passes 2"
    )


def test_a_variable_number_of_parameters():
    def f(*x):
        return x[0]

    def g(x, **options):
        return x

    for function in (f, g):
        assert message_of(function) == (
            f"{function.__name__} takes a variable number of arguments: a compiled function has fixed parameters; write them "
            f"out"
        )


def test_an_undefined_name():
    def f(x):
        return x + nowhere

    assert message_of(f) == "f refers to nowhere, which is not defined"


def test_results_of_another_type():
    def text(x):
        return "text"

    def pair(x):
        return x, x

    def wrong_length(x):
        return x, x, x

    assert "the result is to be float64: it returns Literal[str](text)" in message_of(text)
    for function, signature in [(pair, "f64(f64)"), (wrong_length, "[f64; 2](f64)")]:
        message = message_of(function, signature)
        assert message.startswith(f"cannot compile {function.__name__} for {signature}:\n")
        assert ": it returns UniTuple" in message
        assert len(message.splitlines()) <= 5


def test_objects_that_are_no_function():
    with pytest.raises(TypeError) as error:
        rb.compile(math.sin, "f64(f64)")
    assert str(error.value) == (
        "expected a Python function or one decorated with numba.njit, found builtin_function_or_method <built-in function "
        "sin>; rb.interpreted(f) takes whatever can be called"
    )
    with pytest.raises(
        TypeError, match=r"found str 'f64\(f64\)': the function comes first, then the signature; as a decorator"
    ):
        rb.compile("f64(f64)")


# Results


@pytest.mark.parametrize("element", SCALARS)
def test_scalars_go_through(element):
    # A negation shows that it is a number of the type, and that no byte is lost.
    cb = rb.compile(lambda x: x, f"{element}({element})")
    extremes = {
        "b": [False, True],
        "i": [-(2 ** (int(element[1:]) - 1)), 2 ** (int(element[1:]) - 1) - 1] if element[0] == "i" else [],
        "u": [0, 2 ** int(element[1:]) - 1] if element[0] == "u" else [],
        "f": [-1.5, 2.0**100, -0.0, math.inf],
        "c": [1.5 - 2j, complex(-math.inf, 0.25)],
    }[element[0]]
    for value in extremes:
        result = cb(value)
        assert result == value
        assert type(result) is type(value)
        if element[0] == "f":
            assert math.copysign(1, result) == math.copysign(1, value)
    with pytest.raises(TypeError, match=f"argument 1: {element} expected, found str 'x'"):
        cb("x")


def test_integers_that_do_not_fit():
    cb = rb.compile(lambda x: x, "u8(u8)")
    for value in (-1, 256):
        with pytest.raises(OverflowError) as error:
            cb(value)
        assert str(error.value) == f"argument 1: {value} does not fit into u8"


def test_nothing():
    def f(x):
        x[0] += 1.0

    x = np.zeros(2)
    assert rb.compile(f, "void(mut [f64])")(x) is None
    assert x.tolist() == [1.0, 0.0]


def test_several_results():
    assert rb.compile(lambda x: (x, 2 * x, 3), "[f64; 3](f64)")(1.5) == (1.5, 3.0, 3.0)
    assert rb.compile(lambda x: (x, -x), "[c128; 2](c128)")(1 + 2j) == (1 + 2j, -1 - 2j)
    assert rb.compile(lambda x: (x, not x), "[bool; 2](bool)")(True) == (True, False)


def test_results_are_converted():
    assert rb.compile(lambda n: n, "f64(i32)")(3) == 3.0
    assert rb.compile(lambda n: n + 1.5, "f32(i32)")(3) == 4.5


# Arrays


@pytest.mark.parametrize("ndim", [1, 2, 3, 4])
def test_arrays_of_each_layout(ndim):
    base = np.arange(float(np.prod(range(3, 3 + ndim)))).reshape(tuple(range(3, 3 + ndim)))
    colons = ", ".join([":"] * ndim)
    index = tuple(range(ndim))
    scope = {}
    exec(f"def f(x, out):\n    out[0] = x[{', '.join(map(str, index))}]\n    return x.sum()\n", scope)
    strided = np.repeat(base, 2, axis=-1)[..., ::2]
    for layout, array in [("C", base), ("F", np.asfortranarray(base)), ("any", strided), ("any", base[::-1])]:
        kind = {"C": "", "F": "; F", "any": "; any"}[layout]
        wanted = f"[f64; {colons}{kind}]"
        cb = rb.compile(scope["f"], f"f64({wanted}, mut [f64])")
        out = np.zeros(1)
        assert cb(array, out) == base.sum()
        assert out[0] == array[index]
    if ndim > 1:
        with pytest.raises(TypeError, match="found an array of another layout: use np.ascontiguousarray"):
            rb.compile(scope["f"], f"f64([f64; {colons}], mut [f64])")(np.asfortranarray(base), out)


@pytest.mark.parametrize("element", SCALARS)
def test_arrays_of_each_type(element):
    def swap(x):
        x[0], x[-1] = x[-1], x[0]

    cb = rb.compile(swap, f"void(mut [{element}])")
    x = np.array([0, 1, 1]).astype(
        element
        if element == "bool"
        else {"i": "i", "u": "u", "f": "f", "c": "c"}[element[0]] + str(int(element[1:]) // 8)
    )
    expected = x[::-1].copy()
    cb(x)
    assert x.tolist() == expected.tolist()


def test_arguments_word_for_word():
    cb = rb.compile(lambda x, y: x[0], "f64([f64], mut [f64])")
    x = np.zeros(2)
    for args, message in [
        ((x,), "<ringback callback <lambda>: f64([f64], mut [f64])> takes 2 arguments, found 1"),
        (([1.0], x), "argument 1: an array [f64] expected, found list"),
        ((x.astype(np.float32), x), "argument 1: [f64] expected, found an array of float32: convert it with .astype"),
        ((np.zeros((1, 1)), x), "argument 1: [f64] expected, found an array of 2 dimensions"),
        (
            (np.zeros(4)[::2], x),
            "argument 1: [f64] expected, found an array of another layout: use np.ascontiguousarray",
        ),
        ((x, np.frombuffer(bytes(16))), "argument 2: mut [f64] expected, found a read-only array"),
    ]:
        with pytest.raises(TypeError) as error:
            cb(*args)
        assert str(error.value) == message


# Bounds


def test_an_index_past_the_end_of_a_vector():
    cb = rb.compile(lambda x, i: x[i], "f64([f64], i64)")
    x = np.array([1.0, 2.0, 3.0])
    assert [cb(x, i) for i in (-3, -1, 0, 2)] == [1.0, 3.0, 1.0, 3.0]
    for i in (3, -4, 2**62, -(2**62)):
        with pytest.raises(IndexError):
            cb(x, i)
    with pytest.raises(IndexError):
        cb(np.zeros(0), 0)


def test_an_index_past_the_end_of_a_matrix():
    def f(x, i, j):
        x[i, j] = 7.0

    cb = rb.compile(f, "void(mut [f64; :, :], i64, i64)")
    x = np.zeros((2, 3))
    cb(x, 1, -3)
    assert x[1, 0] == 7.0
    # (0, 3) lies within the memory of the matrix, but not within its row.
    for i, j in [(2, 0), (0, 3), (-3, 0), (0, -4)]:
        with pytest.raises(IndexError):
            cb(x, i, j)
    assert x.sum() == 7.0


def test_bounds_checks_can_be_left_out():
    def f(x, i):
        return x[i]

    unchecked = rb.compile(f, "f64([f64], i64)", boundscheck=False)
    assert unchecked(np.array([1.0, 2.0]), -1) == 2.0
    assert "IndexError" not in unchecked.inspect_llvm()
    # Another option is other code.
    with pytest.raises(IndexError):
        rb.compile(f, "f64([f64], i64)")(np.zeros(2), 2)


def test_tied_lengths():
    def f(x, y):
        return (x * y).sum()

    cb = rb.compile(f, "f64([f64; n], [f64; n])")
    assert cb(np.ones(3), np.full(3, 2.0)) == 6.0
    for n in (0, 2, 4):
        with pytest.raises(ValueError, match="the length of y along axis 0 must be that of x along axis 0") as error:
            cb(np.ones(3), np.ones(n))
        assert error.value.args == (
            "the length of y along axis 0 must be that of x along axis 0; found, expected:",
            n,
            3,
        )


def test_tied_matrix_and_vector():
    cb = rb.compile(lambda a, x: (a @ x).sum(), "f64([f64; m, n], [f64; n])")
    assert cb(np.ones((4, 2)), np.ones(2)) == 8.0
    with pytest.raises(ValueError, match="the length of x along axis 0 must be that of a along axis 1"):
        cb(np.ones((2, 4)), np.ones(2))


# Jitted functions


def test_jitted_functions():
    @numba.njit
    def f(x):
        return 1.0 / x

    assert rb.compile(f, "f64(f64)")(4.0) == 0.25
    with pytest.raises(ZeroDivisionError):
        rb.compile(f, "f64(f64)")(0.0)
    assert quad(f, 1, 2).value == pytest.approx(math.log(2))


def test_options_of_a_jitted_function_are_kept():
    @numba.njit(error_model="numpy")
    def f(x):
        return 1.0 / x

    assert rb._callback_for(f, "f64(f64)")(0.0) == math.inf
    assert rb.compile(f, "f64(f64)")(0.0) == math.inf


def test_bounds_are_checked_in_a_jitted_function():
    def f(x):
        return x[5]

    for checked in (numba.njit(f), numba.njit(boundscheck=True)(f)):
        for cb in (rb._callback_for(checked, "f64([f64])"), rb.compile(checked, "f64([f64])")):
            with pytest.raises(IndexError):
                cb(np.zeros(3))
    assert "IndexError" not in rb._callback_for(numba.njit(boundscheck=False)(f), "f64([f64])").inspect_llvm()


def test_bounds_are_checked_in_a_jitted_helper():
    @numba.njit
    def helper(x):
        return x[5]

    with pytest.raises(IndexError):
        rb.compile(lambda x: helper(x), "f64([f64])")(np.zeros(3))


@numba.njit
def sixth(x):
    return x[5]


factor = 2.0


@numba.njit
def times(x):
    return factor * x


def apply(g, x):
    return g(x)


def test_bounds_are_checked_in_functions_that_are_passed_on():
    def by_default(x, g=sixth):
        return g(x)

    for f in (
        lambda x: apply(lambda y: y[5], x),
        lambda x: apply(lambda y: sixth(y), x),
        lambda x: apply(lambda y: (lambda z: z[5])(y), x),
        lambda x: apply(sixth, x),
        lambda x: by_default(x),
    ):
        cb = rb.compile(f, "f64([f64])")
        assert cb(np.arange(6.0)) == 5.0
        with pytest.raises(IndexError):
            cb(np.zeros(3))
    sixths = ((sixth,),)
    with pytest.raises(rb.CompileError, match="a tuple of functions cannot be compiled in"):
        rb.compile(lambda x: sixths[0][0](x), "f64([f64])")
    by_default.__defaults__ = (by_default,)
    with pytest.raises(rb.CompileError, match="by_default is the default of one of its own parameters"):
        rb.compile(lambda x: by_default(x), "f64([f64])")


def test_what_functions_that_are_passed_on_capture_is_never_stale(monkeypatch):
    def by_default(x, g=times):
        return g(x)

    for k in (2.0, 3.0, 2.0):
        monkeypatch.setitem(globals(), "factor", k)
        for f in (lambda x: apply(lambda y: times(y), x), lambda x: by_default(x)):
            assert rb.compile(f, "f64(f64)")(1.0) == k


def test_a_jitted_helper():
    @numba.njit
    def helper(x):
        return x * 3

    assert rb.compile(lambda x: helper(x) + 1, "f64(f64)")(2.0) == 7.0


# What Numba compiles and is not safe


@pytest.mark.parametrize(
    ("function", "signature", "reason"),
    [
        (lambda a, i: a.flat[i], "f64([f64], i64)", "an index into .flat is not checked"),
        (lambda a, i: np.take_along_axis(a, np.array([i]), 0)[0], "f64([f64], i64)", "take_along_axis does not check"),
        (lambda a, i: float(np.bincount(np.array([i]))[0]), "f64([f64], i64)", "bincount does not check"),
        (
            lambda a, i: np.lib.stride_tricks.as_strided(a, (i,), (8,))[-1],
            "f64([f64], i64)",
            "as_strided does not check",
        ),
        (lambda a, i: np.ascontiguousarray(a)[i], "f64([f64], i64)", "read-only array could be written to"),
    ],
)
def test_what_is_not_safe_is_refused(function, signature, reason):
    with pytest.raises(rb.CompileError, match=reason):
        rb.compile(function, signature)
    helper = numba.njit(function)
    with pytest.raises(rb.CompileError, match=reason):
        rb.compile(lambda a, i: helper(a, i), signature)


def test_exceptions_cannot_carry_arrays():
    def f(a):
        if a[0] > 0:
            raise ValueError(a)
        return 1.0

    def g(a):
        if a[0] > 0:
            raise ValueError(a[0], a.size)
        return 1.0

    with pytest.raises(rb.CompileError, match="an exception cannot carry an array"):
        rb.compile(f, "f64([f64])")
    with pytest.raises(ValueError, match="3"):
        rb.compile(g, "f64([f64])")(np.full(4, 3.0))


def test_a_subclass_cannot_lie_about_its_memory():
    class Liar(np.ndarray):
        @property
        def shape(self):
            return (10**9,)

        @property
        def __array_interface__(self):
            return {"data": (8, False), "shape": (10**9,), "typestr": "<f8", "version": 3}

    liar = np.arange(3.0).view(Liar)
    assert rb.compile(lambda a: float(a.size) + a[2], "f64([f64])")(liar) == 5.0
    assert quad(lambda t, a: a[2] + a.size, 0, 1, args=(liar,)).value == 5.0


def test_defaults_of_a_helper_are_never_stale():
    scope = {}
    exec("def helper(x, k=2.0):\n    return k * x\n\ndef f(x):\n    return helper(x)\n", scope)
    assert rb.compile(scope["f"], "f64(f64)")(1.0) == 2.0
    scope["helper"].__defaults__ = (5.0,)
    assert rb.compile(scope["f"], "f64(f64)")(1.0) == 5.0


def test_a_function_that_only_raises_is_told_so():
    def f(x):
        raise ValueError("always")

    with pytest.raises(rb.CompileError, match="the result is to be float64: it returns nothing, or only raises"):
        rb.compile(f, "f64(f64)")


# Results on some paths only


def sometimes_nothing(x):
    if x > 0.0:
        return x


def sometimes_none(x):
    if x > 0.0:
        return None
    return x


def none_on_one_side(x):
    return None if x > 0.0 else x


@pytest.mark.parametrize("function", [sometimes_nothing, sometimes_none, none_on_one_side])
def test_a_result_on_some_paths_only_is_refused_when_compiled(function):
    with pytest.raises(
        rb.CompileError, match=rf"{function.__name__} \(.*test_compile.py:\d+\): it returns nothing here, and"
    ):
        rb.compile(function, "f64(f64)")
    with pytest.raises(rb.CompileError, match="let every path return one, or raise"):
        quad(function, 0.0, 1.0)


def test_where_no_result_is_expected_any_is_dropped():
    assert rb.compile(sometimes_none, "void(f64)")(1.0) is None
    assert rb.compile(sometimes_nothing, "void(f64)")(1.0) is None


def test_a_helper_may_return_none_where_its_caller_looks():
    def caller(x):
        found = sometimes_nothing(x)
        return 0.0 if found is None else found

    callback = rb.compile(caller, "f64(f64)")
    assert (callback(2.0), callback(-2.0)) == (2.0, 0.0)


def test_a_variable_may_be_none_for_a_while():
    def largest(x):
        best = None
        for i in range(3):
            value = math.sin(x + i)
            if best is None or value > best:
                best = value
        return best

    assert rb.compile(largest, "f64(f64)")(0.5) == largest(0.5)


def test_an_option_that_is_given_counts_more_than_the_decorator():
    @numba.njit(boundscheck=False, error_model="numpy")
    def tenth(x):
        return x[10] / x[0]

    with pytest.raises(IndexError):
        rb.compile(tenth, "f64([f64])", boundscheck=True)(np.zeros(3))
    assert math.isnan(rb.compile(tenth, "f64([f64])")(np.zeros(11)))
    with pytest.raises(ZeroDivisionError):
        rb.compile(tenth, "f64([f64])", error_model="python")(np.zeros(11))


def test_captured_objects_that_are_no_data():
    items = [1.0, 2.0]

    @numba.experimental.jitclass([("k", numba.float64)])
    class Scale:
        def __init__(self, k):
            self.k = k

    scale = Scale(2.0)
    for f, hint in [
        (lambda t: t * items[0], "Hint: a list that is captured cannot be compiled: capture an array or a tuple"),
        (
            lambda t: t * scale.k,
            "Hint: an instance of a jitclass cannot be captured: capture the numbers and arrays in it",
        ),
    ]:
        with pytest.raises(rb.CompileError) as refused:
            rb.compile(f, "f64(f64)")
        assert hint in str(refused.value)
        assert "object at 0x" not in str(refused.value)
