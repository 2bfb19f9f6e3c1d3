"""How `raise` is compiled: nothing that an error refers to is kept for ever, and none is lost on its way.

And one error that Numba does not raise: whole numbers to negative powers.

Beside `_numba.py` and `_refusals.py`, the third file that touches Numba's internals.
"""

from __future__ import annotations

import operator
from typing import Any

from numba import version_info
from numba.core import cgutils, ir, ir_utils, types
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import BaseNativeLowering
from numba.core.unsafe import eh
from numba.core.untyped_passes import RewriteDynamicRaises

_POWERS = (pow, operator.pow, operator.ipow)
_NEGATIVE_POWER = (
    "a whole number to a negative power is no whole number, which compiled code would make of it: make the base a float, "
    "as in 2.0**n"
)
# How Numba's message begins where it has lost an exception that passes through `finally` or leaves `except`.
_LOST = "Unreachable condition reached (op code RERAISE"


class RaisingLower(Lower):
    """Numba's code generator, but for `raise`, and for what is raised inside `try` and not caught.

    Numba deletes a variable where it is not needed any more, but never one that the last statement of a block names:
    what `return` names goes to the caller. What `raise` names does not. The error gets a reference of its own, and
    the variable's was never given back.

    Numba also forgets the exception at the end of `try`. Where one has to go on after `finally`, or is raised in an
    `except` block, Numba raises an AssertionError in its place. Here the exception is remembered.
    And Numba takes an error that was caught in an earlier call for one of the present call.
    """

    _remembered: Any = None

    def lower_inst(self, inst: Any) -> None:
        """Around the marks that Numba sets at both ends of `try`."""
        call = inst.value if isinstance(inst, ir.Assign) else None
        mark = None
        if isinstance(call, ir.Expr) and call.op == "call":
            mark = getattr(ir_utils.guard(ir_utils.get_definition, self.func_ir, call.func), "value", None)
        if mark is eh.end_try_block:
            self._remember()
        super().lower_inst(inst)
        if mark is eh.mark_try_block:
            self._begin()

    def lower_static_raise(self, inst: Any) -> None:
        """Where Numba says that it has lost the exception, it goes on its way."""
        if inst.exc_class is AssertionError and inst.exc_args and str(inst.exc_args[0]).startswith(_LOST):
            self._restore()
            # The status of what a function raises.
            self.builder.ret(self.function.function_type.return_type(1))
        else:
            super().lower_static_raise(inst)

    def lower_static_try_raise(self, inst: Any) -> None:
        """The same inside a further `try`."""
        if inst.exc_class is None:
            self._restore()
        else:
            super().lower_static_try_raise(inst)

    def lower_try_dynamic_raise(self, inst: Any) -> None:
        """Inside `try`: the values of the arguments, where Numba takes the names of its variables."""
        arguments, types = self._taken(inst)
        self.call_conv.set_dynamic_user_exc(
            self.builder, inst.exc_class, arguments, types, loc=self.loc, func_name=self.func_ir.func_id.func_name
        )

    def lower_binop(self, resty: Any, expr: Any, op: Any) -> Any:
        """`a ** b`, but of whole numbers only where the result is one."""
        if op in _POWERS and expr.static_rhs is ir.UNDEFINED:
            self._check_power(expr, expr.lhs, expr.rhs)
        return super().lower_binop(resty, expr, op)

    def lower_call(self, resty: Any, expr: Any) -> Any:
        """`pow(a, b)` and `operator.pow(a, b)`, in the same way."""
        function = getattr(self.typeof(expr.func.name), "typing_key", None)
        if any(function is power for power in _POWERS) and len(expr.args) == 2:
            base, exponent = expr.args
            self._check_power(expr, base, exponent)
        return super().lower_call(resty, expr)

    def _check_power(self, expr: Any, base: ir.Var, exponent: ir.Var) -> None:
        """Raises where Numba has 0, and -2**63 for a base of 0: Python has a float, and NumPy this error."""
        signature, builder = self.fndesc.calltypes[expr], self.builder
        if not isinstance(signature.return_type, types.Integer) or not getattr(signature.args[1], "signed", False):
            return
        a, b = (
            self.context.cast(builder, self.loadvar(variable.name), self.typeof(variable.name), ty)
            for variable, ty in zip((base, exponent), signature.args, strict=True)
        )
        # The powers of 1 and -1 are whole numbers.
        bad: Any = builder.icmp_signed("<", b, b.type(0))
        for unit in (1, -1):
            bad = builder.and_(bad, builder.icmp_unsigned("!=", a, a.type(unit)))
        with builder.if_then(bad, likely=False):
            self.return_exception(ValueError, (_NEGATIVE_POWER,), loc=self.loc)

    def _error(self) -> Any:
        return self.function.args[1]

    def _slot(self) -> Any:
        if self._remembered is None or self._remembered.function is not self.function:
            self._remembered = cgutils.alloca_once(self.builder, self._error().type.pointee, name="remembered")
        return self._remembered

    def _begin(self) -> None:
        """Forgets what an earlier call left in the caller's variable: Numba would take it for an error of this `try`."""
        in_try = self.builder.load(self.call_conv._get_try_state(self.builder))
        with self.builder.if_then(self.builder.icmp_unsigned("==", in_try, in_try.type(1))):
            self.builder.store(self._error().type.pointee(None), self._error())

    def _remember(self) -> None:
        error = self.builder.load(self._error())
        with self.builder.if_then(cgutils.is_not_null(self.builder, error)):
            self.builder.store(error, self._slot())

    def _restore(self) -> None:
        """Puts back what was remembered. CPython 3.10's `finally` comes without the end of `try`: nothing was forgotten."""
        with self.builder.if_then(cgutils.is_null(self.builder, self.builder.load(self._error()))):
            self.builder.store(self.builder.load(self._slot()), self._error())

    def _taken(self, inst: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The values of the arguments and their types, with a reference to each for the error."""
        arguments, types = [], []
        for argument in inst.exc_args:
            if isinstance(argument, ir.Var):
                ty = self.typeof(argument.name)
                value = self.loadvar(argument.name)
                self.incref(ty, value)
            else:
                ty, value = None, argument
            arguments.append(value)
            types.append(ty)
        return tuple(arguments), tuple(types)

    def lower_dynamic_raise(self, inst: Any) -> None:
        """Gives the error a reference to each argument, then drops those of the variables, each once."""
        arguments, types = self._taken(inst)
        for name in {argument.name: None for argument in inst.exc_args if isinstance(argument, ir.Var)}:
            self.delvar(name)
        self.return_dynamic_exception(inst.exc_class, arguments, types, loc=self.loc)


@register_pass(mutates_CFG=True, analysis_only=False)
class RaisingLowering(BaseNativeLowering):
    """The pass that generates code, in place of Numba's `NativeLowering`."""

    _name = "ringback_native_lowering"

    @property
    def lowering_class(self) -> type[Lower]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Which code generator it runs (Numba declares it without a type)."""
        return RaisingLower


@register_pass(mutates_CFG=False, analysis_only=False)
class NameRaised(FunctionPass):
    """What an error is raised with gets a variable of its own.

    Numba before 0.67 forgets the arguments of `raise` where it tells the values of a variable apart: the error had the first
    value that the variable ever had.
    """

    _name = "ringback_name_raised"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> Any:
        """Puts an assignment before each `raise`; those Numba does not forget."""
        changed = False
        for block in state.func_ir.blocks.values():
            body: list[Any] = []
            for statement in block.body:
                if isinstance(statement, (ir.DynamicRaise, ir.DynamicTryRaise)) and statement.exc_args:
                    statement.exc_args = tuple(_named(argument, block.scope, body) for argument in statement.exc_args)
                    changed = True
                body.append(statement)
            block.body[:] = body
        return changed


def _named(argument: Any, scope: Any, body: list[Any]) -> Any:
    if not isinstance(argument, ir.Var):
        return argument
    variable = scope.redefine("$raised", argument.loc)
    body.append(ir.Assign(argument, variable, argument.loc))
    return variable


def use(manager: Any) -> None:
    """Puts the code generator into a pipeline; one for parallel loops keeps its own."""
    if version_info.major == 0 and version_info.minor < 67:
        manager.add_pass_after(NameRaised, RewriteDynamicRaises)
    manager.passes = [
        (RaisingLowering, text) if getattr(stage, "_name", None) == "native_lowering" else (stage, text)
        for stage, text in manager.passes
    ]
