"""How a `raise` with arguments known only at run time is compiled, so that nothing it refers to is kept for ever.

Beside `_numba.py` and `_refusals.py`, the third file that touches Numba's internals.
"""

from __future__ import annotations

from typing import Any

from numba.core import ir
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import BaseNativeLowering


class DroppingLower(Lower):
    """Numba's code generator, but for the variables that a `raise` names.

    Numba deletes a variable where it is not needed any more, but never one that the last statement of a block names:
    what `return` names goes to the caller. What `raise` names does not. The error gets a reference of its own, and
    the variable's was never given back.
    """

    def lower_dynamic_raise(self, inst: Any) -> None:
        """Gives the error a reference to each argument, then drops those of the variables, each once."""
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
        for name in {argument.name: None for argument in inst.exc_args if isinstance(argument, ir.Var)}:
            self.delvar(name)
        self.return_dynamic_exception(inst.exc_class, tuple(arguments), tuple(types), loc=self.loc)


@register_pass(mutates_CFG=True, analysis_only=False)
class DroppingLowering(BaseNativeLowering):
    """The pass that generates code, in place of Numba's `NativeLowering`."""

    _name = "ringback_native_lowering"

    @property
    def lowering_class(self) -> type[Lower]:
        """Which code generator it runs."""
        return DroppingLower


def use(manager: Any) -> None:
    """Puts the code generator into a pipeline; one for parallel loops keeps its own."""
    manager.passes = [
        (DroppingLowering, text) if getattr(stage, "_name", None) == "native_lowering" else (stage, text)
        for stage, text in manager.passes
    ]
