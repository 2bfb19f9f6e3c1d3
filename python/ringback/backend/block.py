"""The block entry: a loop over points, with the function's entry called in it."""

from __future__ import annotations

from ..signature import Signature

NAME = "ringback_block"

# By LLVM's name; a bool is passed as a byte.
_TYPES = {"bool": "i8", "f32": "float", "f64": "double"}


def element(kind: str) -> str:
    """LLVM's type of a scalar."""
    return _TYPES.get(kind) or f"i{kind[1:]}"


def expressible(signature: Signature) -> bool:
    """Whether a signature has a block form here: numbers in, numbers out."""
    result = signature.result.element
    return (
        bool(signature.parameters)
        and all(p.kind == "scalar" and p.element[0] != "c" for p in signature.parameters)
        and result is not None
        and result[0] != "c"
    )


def source(signature: Signature, entry: str) -> str:
    """LLVM text of the loop. Inlined and without a `raise` in it, it is what LLVM's vectoriser takes.

    `int32_t block(size_t n, size_t *failed_at, void **error, const A0 *a0, ..., R *ret, const void *env)`
    """
    types = [element(p.element) for p in signature.parameters]
    result = element(signature.result.element or "")
    one = f"[{signature.result.length} x {result}]" if signature.result.kind != "scalar" else result
    pointers = "".join(f"ptr noalias readonly %a{i}, " for i in range(len(types)))
    loads = "\n".join(
        f"  %p{i} = getelementptr inbounds {t}, ptr %a{i}, i64 %i\n  %x{i} = load {t}, ptr %p{i}"
        for i, t in enumerate(types)
    )
    passed = "".join(f"{t} %x{i}, " for i, t in enumerate(types))
    return f"""
define i32 @{NAME}(i64 %n, ptr noalias %failed_at, ptr noalias %error, {pointers}ptr noalias %ret, ptr %env) {{
entry:
  %none = icmp eq i64 %n, 0
  br i1 %none, label %done, label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %following, %next ]
{loads}
  %r = getelementptr inbounds {one}, ptr %ret, i64 %i
  %status = call i32 @{entry}(ptr %r, ptr %error, {passed}ptr %env)
  %failed = icmp ne i32 %status, 0
  br i1 %failed, label %failure, label %next
next:
  %following = add nuw nsw i64 %i, 1
  %more = icmp ult i64 %following, %n
  br i1 %more, label %loop, label %done
failure:
  store i64 %i, ptr %failed_at
  ret i32 %status
done:
  ret i32 0
}}
"""
