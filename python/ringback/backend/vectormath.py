"""The platform's vector maths: glibc's libmvec, whose functions take 2 to 16 numbers at once.

Its accuracy is 4 units in the last place. Names follow the vector function ABI of x86-64: `_ZGVdN4v_exp` is `exp` of
four doubles in an AVX2 register.
"""

from __future__ import annotations

import ctypes
import functools
import math
import platform
import re
import struct
import sys
from typing import NamedTuple

# Letter of the instruction set, and the bits of its registers.
_REGISTERS = {"b": 128, "d": 256, "e": 512}
# Functions that LLVM has intrinsics for, by which its vectoriser knows them.
INTRINSICS = {
    "exp": 1, "exp2": 1, "exp10": 1, "log": 1, "log2": 1, "log10": 1, "sin": 1, "cos": 1, "tan": 1, "asin": 1,
    "acos": 1, "atan": 1, "sinh": 1, "cosh": 1, "tanh": 1, "pow": 2, "atan2": 2,
}  # fmt: skip
# The others are told to it call by call.
OTHERS = {"expm1": 1, "log1p": 1, "cbrt": 1, "erf": 1, "erfc": 1, "hypot": 2, "asinh": 1, "acosh": 1, "atanh": 1}
_LLVM_TYPE = {32: "float", 64: "double"}
# For both widths of numbers: up to the first in size the library does all numbers of a vector at once, others one by one, and
# the tail of a Gaussian is full of these. Below the second the result is 0, above the third it is infinite.
_LIMITS = {
    ("exp", 64): (707.0, -745.14, 709.79), ("exp2", 64): (1020.0, -1075.5, 1024.0), ("exp10", 64): (307.0, -323.7, 308.26),
    ("exp", 32): (86.0, -104.0, 88.73), ("exp2", 32): (125.0, -150.5, 128.0), ("exp10", 32): (37.0, -45.5, 38.54),
}  # fmt: skip


class VectorFunction(NamedTuple):
    """One function of the library: its name there, and the lanes that it takes."""

    name: str
    lanes: int


class Library(NamedTuple):
    """What there is: for a function's name and width of its numbers, its vector forms, the narrowest first."""

    path: str
    functions: dict[tuple[str, int], list[VectorFunction]]


@functools.cache
def library(widest: int) -> Library | None:
    """The functions for registers of up to `widest` bits; None without such a library. It stays loaded."""
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64") or not widest:
        return None
    try:
        # Global: LLVM's linker looks the functions up by their names.
        loaded = ctypes.CDLL("libmvec.so.1", mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return None
    functions: dict[tuple[str, int], list[VectorFunction]] = {}
    for function, arguments in {**INTRINSICS, **OTHERS}.items():
        for bits in (32, 64):
            for letter, register in _REGISTERS.items():
                lanes = register // bits
                name = f"_ZGV{letter}N{lanes}{'v' * arguments}_{function}{'f' if bits == 32 else ''}"
                if register <= widest and hasattr(loaded, name):
                    functions.setdefault((function, bits), []).append(VectorFunction(name, lanes))
    return Library("libmvec.so.1", functions)


_SCALAR_CALL = re.compile(r"(call (?:[a-z]+ )*)(double|float) @(\w+)\(((?:double|float)[^()]*)\)")


def prepare(text: str, known: Library | None) -> tuple[str, str]:
    """Makes calls of maths functions such that LLVM's vectoriser knows them; also what must be declared for that."""
    if known is None:
        return text, ""
    declared: dict[str, str] = {}
    kept: set[str] = set()

    def rewrite(match: re.Match[str]) -> str:
        call, result, name, arguments = match.groups()
        bits = 64 if result == "double" else 32
        function = name[:-1] if bits == 32 and name.endswith("f") and name not in ("erf",) else name
        count = arguments.count(",") + 1
        if (function, bits) not in known.functions or count != {**INTRINSICS, **OTHERS}[function]:
            return match.group(0)
        if function in INTRINSICS:
            intrinsic = f"llvm.{function}.f{bits}"
            declared[intrinsic] = f"declare {result} @{intrinsic}({', '.join([result] * count)})"
            return f"{call}{result} @{intrinsic}({arguments})"
        variants = known.functions[function, bits]
        for variant in variants:
            vector = f"<{variant.lanes} x {result}>"
            declared[variant.name] = f"declare {vector} @{variant.name}({', '.join([vector] * count)})"
            kept.add(variant.name)
        names = ",".join(v.name if bits == 64 else f"{v.name}({v.name})" for v in variants)
        # Its errno is read by nobody.
        return (
            f"{call}{result} @{name}({arguments}) nounwind willreturn memory(none) "
            f'"vector-function-abi-variant"="{names}"'
        )

    text = _SCALAR_CALL.sub(rewrite, text)
    lines = [line for name, line in declared.items() if f"@{name}(" not in _declarations(text)]
    if kept:
        pointers = ", ".join(f"ptr @{name}" for name in sorted(kept))
        lines.append(
            f'@llvm.compiler.used = appending global [{len(kept)} x ptr] [{pointers}], section "llvm.metadata"'
        )
    return text, "\n".join(lines) + "\n"


def _declarations(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.startswith(("declare", "define")))


_VECTOR_INTRINSIC = re.compile(r"@llvm\.(\w+)\.v(\d+)f(32|64)\b")


def substitute(text: str, known: Library | None) -> str:
    """Puts the library's functions in the place of vector intrinsics that LLVM would take apart into scalar calls."""
    if known is None:
        return text
    wrappers: dict[str, str] = {}
    declared: dict[str, str] = {}

    def rewrite(match: re.Match[str]) -> str:
        function, lanes, bits = match[1], int(match[2]), int(match[3])
        fitting = [v for v in known.functions.get((function, bits), ()) if lanes % v.lanes == 0]
        if not fitting:
            return match.group(0)
        best = fitting[-1]
        arguments = INTRINSICS[function]
        scalar = _LLVM_TYPE[bits]
        vector = f"<{best.lanes} x {scalar}>"
        declared[best.name] = f"declare {vector} @{best.name}({', '.join([vector] * arguments)}) nounwind memory(none)"
        called = best.name
        if (function, bits) in _LIMITS:
            called = f"ringback.{function}.within.v{best.lanes}f{bits}"
            wrappers.setdefault(called, _within_limits(called, scalar, best, *_LIMITS[function, bits]))
            absolute = f"llvm.fabs.v{best.lanes}f{bits}"
            declared[absolute] = f"declare {vector} @{absolute}({vector})"
        if lanes == best.lanes:
            return f"@{called}"
        name = f"ringback.{function}.v{lanes}f{bits}"
        wrappers.setdefault(name, _split(name, scalar, lanes, VectorFunction(called, best.lanes), arguments))
        return f"@{name}"

    body = "\n".join(
        line
        for line in _VECTOR_INTRINSIC.sub(rewrite, text).splitlines()
        # What was declared under the intrinsic's name.
        if not (line.startswith("declare") and any(f"@{name}(" in line for name in [*declared, *wrappers]))
    )
    return "\n".join([body, *declared.values(), *wrappers.values()]) + "\n"


def _split(name: str, scalar: str, lanes: int, best: VectorFunction, arguments: int) -> str:
    """A function of wide vectors that calls the library's once for each part."""
    wide, narrow = f"<{lanes} x {scalar}>", f"<{best.lanes} x {scalar}>"
    parameters = ", ".join(f"{wide} %x{i}" for i in range(arguments))
    lines = [f"define internal {wide} @{name}({parameters}) alwaysinline nounwind {{"]
    parts = []
    for part in range(lanes // best.lanes):
        mask = ", ".join(f"i32 {part * best.lanes + lane}" for lane in range(best.lanes))
        for i in range(arguments):
            lines.append(f"  %p{part}.{i} = shufflevector {wide} %x{i}, {wide} poison, <{best.lanes} x i32> <{mask}>")
        passed = ", ".join(f"{narrow} %p{part}.{i}" for i in range(arguments))
        lines.append(f"  %r{part} = call {narrow} @{best.name}({passed})")
        parts.append((f"%r{part}", best.lanes))
    joined = 0
    while len(parts) > 1:
        (a, width), (b, _) = parts[:2]
        mask = ", ".join(f"i32 {lane}" for lane in range(2 * width))
        kind = f"<{width} x {scalar}>"
        lines.append(f"  %j{joined} = shufflevector {kind} {a}, {kind} {b}, <{2 * width} x i32> <{mask}>")
        parts = [*parts[2:], (f"%j{joined}", 2 * width)]
        joined += 1
    lines += [f"  ret {wide} {parts[0][0]}", "}"]
    return "\n".join(lines)


def _within_limits(name: str, scalar: str, function: VectorFunction, usual: float, low: float, high: float) -> str:
    """A function that asks the library for the numbers between both limits only.

    Whether there are others is one comparison and a branch: masks that are kept across the call would cost more.
    """
    lanes = function.lanes
    vector, mask = f"<{lanes} x {scalar}>", f"<{lanes} x i1>"
    absolute = f"llvm.fabs.v{lanes}f{32 if scalar == 'float' else 64}"

    def all_lanes(number: float) -> str:
        # As LLVM writes numbers of both widths: the bits of the double.
        bits = struct.unpack("<Q", struct.pack("<d", _rounded(number, scalar)))[0]
        return f"<{', '.join([f'{scalar} 0x{bits:016X}'] * lanes)}>"

    return f"""define internal {vector} @{name}({vector} %x) alwaysinline nounwind {{
  %size = call {vector} @{absolute}({vector} %x)
  %unusual = fcmp ogt {vector} %size, {all_lanes(usual)}
  %bits = bitcast {mask} %unusual to i{lanes}
  %any = icmp ne i{lanes} %bits, 0
  br i1 %any, label %some, label %none
none:
  %direct = call {vector} @{function.name}({vector} %x)
  ret {vector} %direct
some:
  %low = fcmp olt {vector} %x, {all_lanes(low)}
  %high = fcmp ogt {vector} %x, {all_lanes(high)}
  %outside = or {mask} %low, %high
  %inside = select {mask} %outside, {vector} zeroinitializer, {vector} %x
  %found = call {vector} @{function.name}({vector} %inside)
  %positive = select {mask} %low, {vector} zeroinitializer, {vector} %found
  %all = select {mask} %high, {vector} {all_lanes(math.inf)}, {vector} %positive
  ret {vector} %all
}}"""


def _rounded(number: float, scalar: str) -> float:
    return number if scalar == "double" else struct.unpack("<f", struct.pack("<f", number))[0]
