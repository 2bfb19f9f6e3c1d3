"""The platform's vector maths: each function over its whole range against mpmath, and at special values against libm."""

from __future__ import annotations

import ctypes
import itertools
import math
from collections.abc import Callable

import llvmlite.binding as llvm
import mpmath
import numpy as np
import pytest
from ringback.backend import machine, objects, vectormath

KNOWN = machine.vector_library()
ARGUMENTS = {**vectormath.INTRINSICS, **vectormath.OTHERS}
FUNCTIONS = [] if KNOWN is None else sorted(KNOWN.functions)
library = pytest.mark.skipif(KNOWN is None, reason="no vector maths library on this platform")

POINTS = 512
EXACT: dict[str, Callable[..., mpmath.mpf]] = {
    "pow": mpmath.power, "exp2": lambda x: mpmath.power(2, x), "exp10": lambda x: mpmath.power(10, x),
    "log2": lambda x: mpmath.log(x, 2), "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
}  # fmt: skip


def samples(name: str, kind: type[np.floating]) -> tuple[np.ndarray, np.ndarray]:
    """Points all over the range in which the result is a normal number; the second argument for those that take two."""
    rng = np.random.default_rng(3)
    tiny, huge = float(np.finfo(kind).tiny), float(np.finfo(kind).max)
    double = kind is np.float64
    half = POINTS // 2

    def spread(low: float, high: float, signed: bool = False, n: int = POINTS) -> np.ndarray:
        """Over all magnitudes alike."""
        return np.exp(rng.uniform(math.log(low), math.log(high), n)) * (rng.choice([-1.0, 1.0], n) if signed else 1.0)

    def even(low: float, high: float, n: int = POINTS) -> np.ndarray:
        return rng.uniform(low, high, n)

    ranges: dict[str, Callable[[], np.ndarray]] = {
        "exp": lambda: even(math.log(tiny), math.log(huge)),
        "exp2": lambda: even(math.log2(tiny), math.log2(huge)),
        "exp10": lambda: even(math.log10(tiny), math.log10(huge)),
        "expm1": lambda: np.concatenate([spread(1e-10, 30, True, half), even(-40, math.log(huge), half)]),
        "log": lambda: spread(tiny, 0.99 * huge),
        "log2": lambda: spread(tiny, 0.99 * huge),
        "log10": lambda: spread(tiny, 0.99 * huge),
        "log1p": lambda: np.concatenate([spread(1e-10, 0.9 * huge, n=half), -spread(1e-10, 0.9999, n=half)]),
        "asin": lambda: even(-1, 1),
        "acos": lambda: even(-1, 1),
        "atanh": lambda: even(-0.99999, 0.99999),
        "acosh": lambda: 1 + spread(1e-5, 1e10),
        "sinh": lambda: spread(1e-10, 0.99 * math.log(huge), True),
        "cosh": lambda: spread(1e-10, 0.99 * math.log(huge), True),
        "tanh": lambda: spread(1e-10, 30, True),
        "erf": lambda: spread(1e-10, 6 if double else 4, True),
        "erfc": lambda: even(-6, 26 if double else 9),
        "pow": lambda: spread(1e-3, 1e3),
        "hypot": lambda: spread(1e-5, 1e5, True),
        "atan2": lambda: spread(1e-5, 1e5, True),
    }  # fmt: skip
    # Those of all real numbers, angles too.
    x = ranges.get(name, lambda: spread(1e-10, 1e300 if double else 1e30, True))()
    y = even(-90, 90) if name == "pow" and double else even(-10, 10) if name == "pow" else spread(1e-5, 1e5, True)
    return x.astype(kind), y.astype(kind)


@library
@pytest.mark.parametrize(("name", "bits"), FUNCTIONS)
def test_within_four_units_of_the_last_place(name: str, bits: int) -> None:
    assert KNOWN is not None
    kind = np.float64 if bits == 64 else np.float32
    x, y = samples(name, kind)
    points = zip(x, y, strict=True) if ARGUMENTS[name] == 2 else zip(x, strict=True)
    # A large angle has as many digits before its point as it is large.
    with mpmath.workprec(1400 if name in ("sin", "cos", "tan") else 200):
        function = EXACT.get(name) or getattr(mpmath, name)
        exact = [function(*(mpmath.mpf(float(argument)) for argument in point)) for point in points]
        for variant in KNOWN.functions[name, bits]:
            found = call_vector(variant, bits, x, y)
            for argument, value, truth in zip(x, found, exact, strict=True):
                unit = float(np.spacing(np.abs(kind(float(truth)))))
                assert abs(mpmath.mpf(float(value)) - truth) <= 4 * unit, (variant, argument, value, truth)


SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    math.inf,
    -math.inf,
    math.nan,
    5e-324,
    -5e-324,
    1e308,
    -1e308,
    2.0,
    -2.0,
    0.5,
    -750.0,
    750.0,
]


@library
@pytest.mark.parametrize(("name", "bits"), [function for function in FUNCTIONS if function[1] == 64])
def test_special_values_are_those_of_the_scalar_library(name: str, bits: int) -> None:
    assert KNOWN is not None
    libm = ctypes.CDLL("libm.so.6")
    scalar = getattr(libm, name)
    scalar.restype, scalar.argtypes = ctypes.c_double, [ctypes.c_double] * ARGUMENTS[name]
    pairs = list(itertools.product(SPECIAL, SPECIAL) if ARGUMENTS[name] == 2 else zip(SPECIAL, SPECIAL, strict=True))
    x, y = np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])
    for variant in KNOWN.functions[name, bits]:
        for a, b, found in zip(x, y, call_vector(variant, bits, x, y), strict=True):
            truth = scalar(a, b) if ARGUMENTS[name] == 2 else scalar(a)
            if math.isfinite(truth):
                assert abs(found - truth) <= 4 * np.spacing(abs(truth)), (variant, a, b, found, truth)
            else:
                assert found == truth or (math.isnan(found) and math.isnan(truth)), (variant, a, b, found, truth)


# Around where the library does numbers one by one, where results are subnormal, and where they are 0 or infinite.
EDGES = {
    "exp": (707, 708.4, 709.782712893384, 709.79, 710, -707, -708.4, -745.1, -745.1332191019412, -745.14, -746),
    "exp2": (1020, 1023.999, 1024, 1025, -1020, -1022, -1074, -1074.9, -1075, -1075.5, -1076),
    "exp10": (307, 308.2547, 308.26, 309, -307, -308.3, -323.3, -323.607, -323.7, -324),
}
EDGES32 = {
    "exp": (86, 88.72, 88.7228, 88.73, 89, -86, -87.4, -103.2, -103.972, -104, -105),
    "exp2": (125, 127.99, 128, 129, -125, -126, -149, -149.9, -150, -150.5, -151),
    "exp10": (37, 38.53, 38.54, 39, -37, -38, -45, -45.15, -45.5, -46),
}


@library
@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("name", sorted(EDGES))
def test_numbers_out_of_range_give_what_the_scalar_library_gives(name: str, bits: int) -> None:
    assert KNOWN is not None
    kind, scalar = (np.float64, "double") if bits == 64 else (np.float32, "float")
    edges = np.array((EDGES if bits == 64 else EDGES32)[name], kind)
    near = np.concatenate([edges, np.nextafter(edges, kind(-np.inf)), np.nextafter(edges, kind(np.inf))])
    # Each beside usual ones, and among its like.
    usual = np.linspace(-3, 3, len(near), dtype=kind)
    x = np.concatenate(
        [near, np.stack([near, usual], 1).ravel(), np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1e30], kind)]
    )
    libm = getattr(ctypes.CDLL("libm.so.6"), name if bits == 64 else f"{name}f")
    libm.restype = ctypes.c_double if bits == 64 else ctypes.c_float
    libm.argtypes = [libm.restype]
    truth = np.array([libm(number) for number in x.tolist()], kind)
    for lanes in (2, 4, 8, 16):
        padded = np.concatenate([x, np.zeros(-len(x) % lanes, kind)])
        found = np.empty_like(padded)
        vector = f"<{lanes} x {scalar}>"
        entry = f"call_{name}_{next(_numbers)}"
        text = vectormath.substitute(
            f"""
declare {vector} @llvm.{name}.v{lanes}f{bits}({vector})
define void @{entry}(ptr %x, ptr %y) {{
  %a = load {vector}, ptr %x, align 4
  %b = call {vector} @llvm.{name}.v{lanes}f{bits}({vector} %a)
  store {vector} %b, ptr %y, align 4
  ret void
}}
""",
            KNOWN,
        )
        function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 2)(
            objects.load(objects.emit(llvm.parse_assembly(text)), entry)
        )
        for start in range(0, len(padded), lanes):
            function(padded[start:].ctypes.data, found[start:].ctypes.data)
        for argument, value, expected in zip(x, found, truth, strict=False):
            if not np.isfinite(expected) or expected == 0:
                assert value == expected or (np.isnan(value) and np.isnan(expected)), (lanes, argument, value)
            else:
                assert abs(float(value) - float(expected)) <= 4 * np.spacing(expected), (lanes, argument, value)


def call_vector(variant: vectormath.VectorFunction, bits: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """One function of the library, called from a loop over whole vectors."""
    vector = f"<{variant.lanes} x {'double' if bits == 64 else 'float'}>"
    both = "vv_" in variant.name
    name = f"call_{variant.name}_{next(_numbers)}"
    text = f"""
declare {vector} @{variant.name}({", ".join([vector] * (2 if both else 1))})
define void @{name}(ptr %x, ptr %y, ptr %z) {{
  %a = load {vector}, ptr %x, align 4
  %b = load {vector}, ptr %y, align 4
  %c = call {vector} @{variant.name}({vector} %a{f", {vector} %b" if both else ""})
  store {vector} %c, ptr %z, align 4
  ret void
}}
"""
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3)(
        objects.load(objects.emit(llvm.parse_assembly(text)), name)
    )
    z = np.empty_like(x)
    for start in range(0, len(x), variant.lanes):
        function(*(array[start:].ctypes.data for array in (x, y, z)))
    return z


_numbers = itertools.count()
