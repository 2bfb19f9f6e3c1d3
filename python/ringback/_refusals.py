"""What Numba would compile, and what is not safe: refused once the types are known, in callees too.

Beside `_numba.py`, the other file that touches Numba's internals.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba.core import ir, types
from numba.core.compiler_machinery import AnalysisPass, register_pass

from .errors import CompileError

# Numba's implementations of these do not check their indices.
_UNCHECKED = {
    np.take_along_axis: "a loop over a[i, j]",
    np.bincount: "a loop that counts",
    np.lib.stride_tricks.as_strided: "slices",
}
# Numba's implementations of these give a writable array for a read-only one, or write to it.
_WRITABLE = (np.ascontiguousarray, np.asfortranarray, np.fill_diagonal, np.nditer)

# Where a function returns None, if it does, in the metadata of its compilation.
RETURNS_NOTHING = "ringback_returns_nothing"


@register_pass(mutates_CFG=False, analysis_only=True)
class Refuse(AnalysisPass):
    """Looks at every statement of a function whose types are inferred."""

    _name = "ringback_refuse_unsafe"

    def __init__(self) -> None:
        AnalysisPass.__init__(self)

    def run_pass(self, state: Any) -> Any:
        """Raises a CompileError for the first thing that is not safe."""
        for block in state.func_ir.blocks.values():
            for statement in block.body:
                reason = _raised(statement, state.typemap) or _flat(statement, state) or _called(statement, state)
                place = f"{statement.loc.filename}:{statement.loc.line}"
                if _returns_nothing(statement, state):
                    state.metadata[RETURNS_NOTHING] = place
                if reason:
                    raise CompileError(f"cannot compile {state.func_id.func_name} ({place}): {reason}")
        return False


def _arrays(ty: Any) -> Iterator[types.Array]:
    if isinstance(ty, types.Array):
        yield ty
    elif isinstance(ty, types.BaseTuple):
        for inner in ty.types:  # pyright: ignore[reportAttributeAccessIssue] - all tuples have it
            yield from _arrays(inner)


def _raised(statement: Any, typemap: Any) -> str | None:
    """Arrays as arguments of exceptions would outlive the memory that they are views of."""
    arguments = getattr(statement, "exc_args", None)
    if not isinstance(statement, (ir.DynamicRaise, ir.DynamicTryRaise)) or not arguments:
        return None
    if any(isinstance(a, ir.Var) and any(True for _ in _arrays(typemap[a.name])) for a in arguments):
        return "an exception cannot carry an array, whose memory may be gone when it arrives: pass numbers from it"
    return None


def _returns_nothing(statement: Any, state: Any) -> bool:
    """What a helper returns its caller may look at; whether it is refused is for whoever knows what is expected."""
    return (
        isinstance(statement, ir.Assign)
        and isinstance(statement.value, ir.Expr)
        and statement.value.op == "cast"
        and any(state.typemap.get(name) == types.none for name in _sources(statement.value.value, state, set()))
    )


def _sources(variable: ir.Var, state: Any, seen: set[str]) -> Iterator[str]:
    """The variables whose values one may have, where paths meet within an expression: `None if x > 0 else x`.

    Variables with a name may be None for a while, and nobody can tell whether they still are.
    """
    if variable.name in seen or not variable.name.startswith("$"):
        return
    seen.add(variable.name)
    yield variable.name
    for value in state.func_ir._definitions.get(variable.name, ()):
        joined = value.incoming_values if isinstance(value, ir.Expr) and value.op == "phi" else [value]
        for source in joined:
            if isinstance(source, ir.Var):
                yield from _sources(source, state, seen)


def _flat(statement: Any, state: Any) -> str | None:
    """Neither the bounds nor the read-only flag of an array are looked at through its `.flat`."""
    place = None
    if isinstance(statement, (ir.SetItem, ir.StaticSetItem)):
        place = statement.target
    elif (
        isinstance(statement, ir.Assign)
        and isinstance(statement.value, ir.Expr)
        and statement.value.op in ("getitem", "static_getitem")
    ):
        place = statement.value.value
    if place is None or not isinstance(state.typemap.get(place.name), types.NumpyFlatType):
        return None
    writes = isinstance(statement, (ir.SetItem, ir.StaticSetItem))
    if state.flags.boundscheck or (writes and not state.typemap[place.name].array_type.mutable):
        return "an index into .flat is not checked: use a.ravel() or several indices"
    return None


def _called(statement: Any, state: Any) -> str | None:
    if not (isinstance(statement, ir.Assign) and isinstance(statement.value, ir.Expr) and statement.value.op == "call"):
        return None
    call = statement.value
    function = getattr(state.typemap.get(call.func.name), "typing_key", None)
    if state.flags.boundscheck:
        for unchecked, instead in _UNCHECKED.items():
            if function is unchecked:
                return f"np.{unchecked.__name__} does not check its indices when compiled: write {instead}"
    if function is not None and function in _WRITABLE:
        arguments = [*call.args, *(value for _, value in call.kws)]
        if any(not array.mutable for a in arguments for array in _arrays(state.typemap.get(a.name))):
            return f"np.{function.__name__} of a read-only array could be written to: use a copy, a.copy()"
    return None
