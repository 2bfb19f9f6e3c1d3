"""The loop over points given as arrays: the function's entry called for each, with the point and its results on the stack."""

from __future__ import annotations

import re
from typing import NamedTuple

import llvmlite.binding as llvm

from .machine import target_machine, vector_library
from .objects import emit, internalise, missing, portable
from .stage import ENVIRONMENT, inline, lock, optimise, quoted, resolvable
from .vectormath import prepare, substitute

NAME = "ringback_points"
# The loop's type as an entry: from which point, to which, coordinates, results.
SIGNATURE = "void(u64, u64, [f64], mut [f64])"

# What marks the loop; LLVM's vectoriser hands it on to what it makes of the loop, and adds a mark of its own.
_MARK = "ringback.points"
_VECTORISED = "llvm.loop.isvectorized"
_LOOP = re.compile(r"^!\d+ = distinct !\{([^}\n]*)\}", re.M)
# What LLVM writes to a loop that it has unrolled as far as it wanted while the length was unknown. Here it is known. The
# loop over the points gets it: unrolled, several calls of exp could become one of the vector library, and a value depend on
# where its point is.
_UNROLLED = '!"llvm.loop.unroll.disable"'


class Points(NamedTuple):
    """The code of such a loop: its object, and how it may be called.

    `vectorised` says that several points are done at once. Else they are done one after another, and may be slow.
    `portable` says whether the code would mean the same in another process.
    """

    code: bytes
    vectorised: bool
    portable: bool


def points_of(
    text: str, entry: str, dims: int, outputs: int | None, name: str, vector_math: bool = True
) -> Points | None:
    """The loop over points of `dims` coordinates for a compiled function, or None where there can be none.

    `text` is Numba's LLVM text of the function, `entry` its name in it; `name` is what the loop is to be called. The
    function is of signature `f64([f64])`, or, with `outputs`, `void([f64], mut [f64])`.
    """
    known = vector_library() if vector_math else None
    with lock:
        text, declared = prepare(text.replace(_UNROLLED, '!"ringback.unrolled"'), known)
        module = llvm.parse_assembly(text + declared + source(quoted(entry), dims, outputs))
        internalise(module, {NAME})
        module.get_function(entry).add_function_attribute("alwaysinline")
        optimise(module, target_machine())
        text = str(module)
        if ENVIRONMENT.search(text):
            # An exception with arguments of its own: the environment of this copy of the code is empty.
            return None
        # A function that was not inlined may be slow.
        whole = all(function.is_declaration or function.name == NAME for function in module.functions)
        vectorised = whole and _is_vectorised(text)
        module = llvm.parse_assembly(substitute(text, known))
        inline(module, target_machine())
        module.verify()
        if not resolvable(module):
            return None
        module.get_function(NAME).name = name
        code = emit(module)
    return None if missing(code) else Points(code, vectorised, portable(module))


def _is_vectorised(text: str) -> bool:
    """Whether the loop over the points is one that LLVM has vectorised: any other in the function would not do."""

    def number(mark: str) -> str | None:
        found = re.search(rf'^(!\d+) = !\{{!"{re.escape(mark)}"', text, re.M)
        return found and found[1]

    marks = {number(_MARK), number(_VECTORISED)}
    return any(marks <= set(loop.split(", ")) for loop in _LOOP.findall(text))


def source(entry: str, dims: int, outputs: int | None) -> str:
    """LLVM text of the loop, for a function `f64([f64])`, or, with `outputs`, `void([f64], mut [f64])`.

    It is an entry of the calling convention itself, of `void(u64, u64, [f64], mut [f64])`: the points from the first number
    up to the second of those whose coordinates are in the first array, coordinate by coordinate; the results go to the
    second, result by result. The lengths of what the function sees are constants, which LLVM needs to unroll its loops. A
    result that the function does not write is NaN.
    """
    results = 1 if outputs is None else outputs
    if outputs is None:
        before, passed, value = "", "", "  %value = load double, ptr %ret"
    else:
        before = f"""
  br label %blank
blank:
  %b = phi i64 [ 0, %called ], [ %b.next, %blank ]
  %b.to = getelementptr inbounds double, ptr %out, i64 %b
  store double 0x7FF8000000000000, ptr %b.to
  %b.next = add nuw nsw i64 %b, 1
  %b.more = icmp ult i64 %b.next, {results}
  br i1 %b.more, label %blank, label %ready
ready:"""
        passed = "ptr %out.view, "
        value = "  %from = getelementptr inbounds double, ptr %out, i64 %k\n  %value = load double, ptr %from"
    return f"""
define internal i32 @{NAME}.loop(i64 %n, i64 %first, i64 %end, ptr noalias readonly %x, ptr noalias %y, ptr noalias %error, ptr %env) alwaysinline {{
entry:
  %point = alloca [{dims} x double], align 64
  %out = alloca [{results} x double], align 64
  %ret = alloca i64
  %view = alloca {{ ptr, i64, i64 }}
  %out.view = alloca {{ ptr, i64, i64 }}
  %none = icmp uge i64 %first, %end
  br i1 %none, label %done, label %loop
loop:
  %i = phi i64 [ %first, %entry ], [ %following, %next ]
  br label %load
load:
  %d = phi i64 [ 0, %loop ], [ %d.next, %load ]
  %column = mul nuw nsw i64 %d, %n
  %place = add nuw nsw i64 %column, %i
  %x.from = getelementptr inbounds double, ptr %x, i64 %place
  %coordinate = load double, ptr %x.from
  %x.to = getelementptr inbounds double, ptr %point, i64 %d
  store double %coordinate, ptr %x.to
  %d.next = add nuw nsw i64 %d, 1
  %d.more = icmp ult i64 %d.next, {dims}
  br i1 %d.more, label %load, label %called
called:{before}
{_view("view", "point", dims)}
{_view("out.view", "out", results)}
  %status = call i32 @{entry}(ptr %ret, ptr %error, ptr %view, {passed}ptr %env)
  %failed = icmp ne i32 %status, 0
  br i1 %failed, label %failure, label %store
store:
  %k = phi i64 [ 0, %{"called" if outputs is None else "ready"} ], [ %k.next, %store ]
{value}
  %row = mul nuw nsw i64 %k, %n
  %row.place = add nuw nsw i64 %row, %i
  %to = getelementptr inbounds double, ptr %y, i64 %row.place
  store double %value, ptr %to
  %k.next = add nuw nsw i64 %k, 1
  %k.more = icmp ult i64 %k.next, {results}
  br i1 %k.more, label %store, label %next
next:
  %following = add nuw nsw i64 %i, 1
  %more = icmp ult i64 %following, %end
  br i1 %more, label %loop, label %done, !llvm.loop !900000
failure:
  ret i32 %status
done:
  ret i32 0
}}

define i32 @{NAME}(ptr noalias %ret, ptr noalias %error, i64 %first, i64 %end, ptr noalias readonly %xs, ptr noalias readonly %ys, ptr %env) {{
entry:
  %x = load ptr, ptr %xs
  %x.size = getelementptr inbounds i64, ptr %xs, i64 1
  %x.length = load i64, ptr %x.size
  %y = load ptr, ptr %ys
  %y.size = getelementptr inbounds i64, ptr %ys, i64 1
  %y.length = load i64, ptr %y.size
  %n = udiv i64 %x.length, {dims}
  %room = udiv i64 %y.length, {results}
  %far = icmp ugt i64 %end, %n
  %small = icmp ne i64 %room, %n
  %bad = or i1 %far, %small
  br i1 %bad, label %refuse, label %run
run:
  %status = call i32 @{NAME}.loop(i64 %n, i64 %first, i64 %end, ptr %x, ptr %y, ptr %error, ptr %env)
  ret i32 %status
refuse:
  ret i32 -1
}}

!900000 = distinct !{{!900000, !900001, !900002}}
!900001 = !{{!"{_MARK}"}}
!900002 = !{{{_UNROLLED}}}
"""


def _view(name: str, data: str, length: int) -> str:
    return f"""  store ptr %{data}, ptr %{name}
  %{name}.length = getelementptr inbounds i64, ptr %{name}, i64 1
  store i64 {length}, ptr %{name}.length
  %{name}.stride = getelementptr inbounds i64, ptr %{name}, i64 2
  store i64 8, ptr %{name}.stride"""
