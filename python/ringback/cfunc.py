"""`rb.cfunc`: a drop-in for `numba.cfunc`, checked and with exceptions."""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable
from typing import Any

from . import _ringback
from .callback import Callback, native_signature
from .compile import DEFAULTS, bind_function, check_options, plain
from .errors import CompileError
from .signature import Signature, to_signature


class CFunc(Callback):
    """A callback that also has a plain C address, as `numba.cfunc` makes it.

    The plain C function (`address`, `ctypes`, `cffi`, `native_name`) has no way to report an exception: as with Numba, it is
    then printed and the result is 0. Wherever a Ringback callback is asked for, pass the object itself.
    """

    _cache: bool
    _numba: Any
    _snapshot: types.FunctionType

    @property
    def _plain(self) -> Any:
        made = self.__dict__.get("_made_plain")
        if made is None:
            import numba

            options = {
                k: v
                for k, v in self._options.items()
                if k in ("fastmath", "error_model", "boundscheck", "nogil", "debug")
            }
            decorate = numba.cfunc(
                self._numba, cache=self._cache, locals=self._options.get("locals", {}), **options
            )  # fmt: skip
            made = self.__dict__["_made_plain"] = decorate(self._snapshot)
        return made

    @property
    def address(self) -> int:
        """Address of the plain C function."""
        return self._plain.address

    @property
    def native_name(self) -> str:
        """Symbol of the plain C function in the process's JIT."""
        return self._plain.native_name

    @property
    def ctypes(self) -> Any:
        """The plain C function as a ctypes function."""
        made = self._plain.ctypes
        if not any(p.kind == "pointer" for p in native_signature(self).parameters):
            # Who takes callbacks then takes this one, which reports errors; not held, since it holds the function.
            made._ringback_callback = weakref.ref(self)
        return made

    @property
    def cffi(self) -> Any:
        """The plain C function as a cffi pointer."""
        return self._plain.cffi

    @property
    def cache_hits(self) -> int:
        """How often the plain C function was found on disk (`cache=True`)."""
        return self._plain.cache_hits

    def inspect_llvm(self) -> str:
        """The optimised LLVM text of the plain C function."""
        return self._plain.inspect_llvm()

    def low_level_callable(self, signature: str | None = None) -> Any:
        """A `scipy.LowLevelCallable`, as of any callback; of the plain C function where that is written for pointers."""
        if signature is None and any(p.kind == "pointer" for p in native_signature(self).parameters):
            from .giveback import scipys_class

            return scipys_class()(self.ctypes)
        return super().low_level_callable(signature)


def cfunc(
    signature: Any, locals: dict[str, Any] | None = None, cache: bool = False, **options: Any
) -> Callable[[Any], CFunc]:  # fmt: skip
    """Compile a function for a signature: a drop-in for `numba.cfunc`.

    Parameters
    ----------
    signature
        Numba's types or spelling, or Ringback's text: `"float64(float64)"`, `"f64([f64])"`.
    locals
        Types of local variables.
    cache
        Keep the plain C function's code on disk, as Numba does.
    options
        Numba's: `nopython`, `nogil`, `fastmath`, `error_model`, `boundscheck` (here True by default), `debug`.

    Returns
    -------
    decorator
        Takes a plain or jitted function, gives a `CFunc`.
    """
    checked = check_options(options)
    if locals:
        checked["locals"] = locals
    if isinstance(signature, types.FunctionType):
        raise TypeError(
            f"expected a signature, found a function: write @rb.cfunc('f64(f64)') above {signature.__name__}"
        )
    given = None if signature is None else to_signature(signature)

    def decorate(function: Any) -> CFunc:
        inner, own = plain(function)
        wanted = given or to_signature(None, inner)
        try:
            made = bind_function(inner, wanted, {**DEFAULTS, **own, **checked}, {})
        except CompileError as error:
            # The way through this package says nothing that the message does not.
            raise error.with_traceback(None) from None
        values = made._values
        self = CFunc._of(made.code, values, inner, made._shim, made._options, made._bound)
        assert isinstance(self, CFunc)
        self._cache = cache
        self._snapshot = _snapshot(inner)
        self._numba = signature if not isinstance(signature, (str, Signature)) else _numba_types(wanted)
        self.__doc__ = inner.__doc__
        return self

    return decorate


def _snapshot(function: types.FunctionType) -> types.FunctionType:
    """The function with the values that it refers to now: its C function is made later, and must not see others."""
    from . import _numba

    code, scope = function.__code__, function.__globals__
    names = _numba.all_names(code) | {"__name__", "__file__", "__builtins__"}
    cells = tuple(types.CellType(cell.cell_contents) for cell in function.__closure__ or ())
    made = types.FunctionType(
        code, {name: scope[name] for name in names if name in scope}, function.__name__, function.__defaults__, cells
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__module__, made.__qualname__ = function.__module__, function.__qualname__
    return made


def _numba_types(signature: _ringback.Signature) -> Any:
    """The signature as Numba's own types."""
    from . import _numba

    def parameter(p: _ringback.Parameter) -> Any:
        if p.kind == "scalar":
            return _numba.SCALARS[p.element]
        if p.kind == "pointer":
            return _numba.pointer_type(p.element)
        return _numba.array_type(p.element, p.ndim, p.layout or "C", p.mutable)

    result: Any = _numba.types.void
    if signature.result.element is not None:
        result = _numba.SCALARS[signature.result.element]
        if signature.result.kind == "array":
            result = _numba.types.UniTuple(result, signature.result.length)
    return result(*map(parameter, signature.parameters))
