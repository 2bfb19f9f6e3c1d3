"""The door: from anything that stands for a function to a callback of the signature asked for."""

from __future__ import annotations

import functools
import types
from typing import Any

import numpy as np

from . import _ringback, foreign
from .bind import Bound, compile_bound
from .callback import Callback, native_signature
from .capture import Recent, plan_of
from .compile import bind_function, describe
from .hints import SPECIAL
from .interpreted import Interpreted
from .signature import Signature
from .snapshot import Reading

_signature = functools.lru_cache(1024)(Signature)


def callback_for(
    obj: Any, signature: Signature | str, error_model: str | None = None, args: tuple[Any, ...] = ()
) -> Any:
    """An object with `__ringback_callback__` for the signature.

    Plain functions are compiled for just that signature; `args` are bound behind its parameters. `error_model` is for
    functions that do not say theirs.

    Raises
    ------
    TypeError
        If the object is no callback, or one of another signature: both are named.
    CompileError
        If a function does not compile.
    """
    text = signature if isinstance(signature, str) else signature.text
    reading = None
    if type(obj) is types.FunctionType and not args:
        reading = Reading(obj)
        recent = reading.plan.recent.get((text, error_model))
        if recent is not None and recent.still_holds(reading.values):
            return recent.callback
    if isinstance(signature, str):
        signature = _signature(signature)
    options: dict[str, Any] = {} if error_model is None else {"error_model": error_model}
    if reading is not None:
        callback = bind_function(obj, signature, options, {}, reading=reading)
        # An array may get other memory (resize) or another shape in place, and a helper may capture something else by now.
        if not callback._bound and not any(
            isinstance(value, (tuple, np.ndarray, np.void, types.FunctionType)) or hasattr(value, "py_func")
            for _, value in reading.values
        ):
            reading.plan.recent[text, error_model] = Recent(reading.values, callback)
        return callback
    # No class can derive from it, so what else claims to be one is not.
    if type(obj) is types.FunctionType:
        return compile_bound(obj, (), {}, args, signature, options)
    if isinstance(obj, _ringback.Callback):
        return _fitting(obj, signature, args)
    if isinstance(obj, Interpreted):
        return obj.callback(signature, args)
    if isinstance(obj, functools.partial):
        if isinstance(obj.func, Interpreted):
            return Interpreted(functools.partial(obj.func._function, *obj.args, **obj.keywords)).callback(
                signature, args
            )
        if isinstance(obj.func, Bound):
            inner = obj.func
            whole = Bound(inner._function, (*inner._leading, *obj.args), {**inner._data, **obj.keywords})
            return callback_for(whole, signature, error_model, args)
        if isinstance(obj.func, Callback):
            return _fitting(_partial(obj.func, obj.args, obj.keywords), signature, args)
        if isinstance(obj.func, types.MethodType):
            raise TypeError(refusal(obj.func, signature))
        return compile_bound(obj.func, obj.args, obj.keywords, args, signature, options)
    if isinstance(obj, Bound):
        return compile_bound(obj._function, obj._leading, obj._data, args, signature, options)
    if hasattr(obj, "py_func") and hasattr(obj, "targetoptions"):
        return compile_bound(obj, (), {}, args, signature, options)
    if hasattr(obj, "_pyfunc") and hasattr(obj, "_sig"):
        return _from_numba_cfunc(obj, signature, args)
    found = foreign.find(obj)
    if isinstance(found, foreign.CFunction):
        return _from_c(found, signature, args)
    if found is not None:
        return callback_for(found, signature, error_model, args)
    if hasattr(obj, "__ringback_callback__") and not isinstance(obj, type):
        if args:
            raise TypeError(f"{describe(obj)} cannot take args: bind them where it is made")
        return obj
    raise TypeError(refusal(obj, signature))


def _fitting(callback: _ringback.Callback, signature: Signature, args: tuple[Any, ...]) -> Any:
    if args:
        parameters = native_signature(callback).parameters
        function = getattr(callback, "_function", None)
        names = [] if function is None else list(plan_of(function.__code__).parameters)
        bound = set(getattr(callback, "_bound", ()))
        free = [name for name in names if name not in bound][: len(parameters)]
        behind = free[len(signature.parameters) :]
        if len(behind) != len(args):
            raise TypeError(f"expected a callback {signature} with {len(args)} further arguments, found {callback!r}")
        callback = callback.bind(**dict(zip(behind, args, strict=True)))  # type: ignore[attr-defined]
    why = signature.mismatch(native_signature(callback))
    if why is not None:
        raise TypeError(why)
    return callback


def _partial(callback: Callback, leading: tuple[Any, ...], data: dict[str, Any]) -> Callback:
    """A callback with values bound to its first free parameters and by name, as `functools.partial` has it."""
    function = callback._function
    if not leading or callback._shim is None:
        return callback.bind(**data)
    free = [name for name in plan_of(function.__code__).parameters if name not in callback._bound]
    free = free[: len(native_signature(callback).parameters)]
    if len(leading) > len(free):
        raise TypeError(f"{callback!r} takes {len(free)} arguments, found {len(leading)} bound to it")
    first = dict(zip(free, leading, strict=False))
    twice = [name for name in first if name in data]
    if twice:
        raise TypeError(f"{callback!r} got two values for its parameter {twice[0]!r}")
    return callback.bind(**first, **data)


def _from_numba_cfunc(obj: Any, signature: Signature, args: tuple[Any, ...]) -> Any:
    """A callback compiled anew from what `numba.cfunc` compiled, if it was compiled for the same types."""
    from .signature import to_signature

    why = None if args else signature.mismatch(to_signature(obj._sig))
    if why is not None:
        # Written for pointers and lengths, as C has them, it may fit as a C function.
        try:
            return callback_for(obj.ctypes, signature)
        except TypeError:
            raise TypeError(why) from None
    return compile_bound(obj._pyfunc, (), {}, args, signature, {})


def _from_c(found: foreign.CFunction, signature: Signature, args: tuple[Any, ...]) -> Any:
    """A callback that calls a C function; `args` are numbers behind the others, as SciPy passes them."""
    from .foreigncall import callback_of

    if not args:
        return callback_of(found, signature)
    text = signature.text
    behind = ", ".join(["f64"] * len(args))
    whole = Signature(f"{text[:-1]}{', ' if signature.parameters else ''}{behind})")
    return _fitting(callback_of(found, whole), signature, args)


def refusal(obj: Any, signature: Signature) -> str:
    """Why an object is no callback, and what would be."""
    if isinstance(obj, int):
        return (
            f"expected a callback {signature}, found the number {obj}: an address has no type and is never taken; pass the "
            f"function itself"
        )
    accepted = (
        "a Python function, functools.partial or rb.bind of one, rb.cfunc, rb.compile, a numba.njit or numba.cfunc "
        "function, a C function (scipy.LowLevelCallable, ctypes, cffi, a capsule), or rb.interpreted(f) for anything else"
    )
    hint = ""
    owner = getattr(obj, "__self__", None) if isinstance(obj, types.BuiltinFunctionType) else None
    if isinstance(obj, types.MethodType) or not isinstance(owner, (types.NoneType, types.ModuleType)):
        hint = "; a method would need its object compiled: pass a function, and bind the object's data with rb.bind"
    elif isinstance(obj, np.ufunc) and getattr(np, obj.__name__, None) is obj:
        hint = f"; write lambda x: np.{obj.__name__}(x)"
    elif isinstance(obj, np.ufunc):
        hint = f"; {SPECIAL}"
    elif isinstance(getattr(obj, "__wrapped__", None), types.FunctionType):
        hint = "; pass the function that it wraps, which is its attribute __wrapped__"
    elif type(obj).__module__.startswith("sympy."):
        hint = "; make a function of the expression: sympy.lambdify(x, expression, 'math')"
    elif isinstance(obj, np.ndarray):
        hint = "; numbers that are the function's values at some points are for scipy.integrate.simpson"
    elif isinstance(obj, types.BuiltinFunctionType):
        module = "" if obj.__module__ in (None, "builtins") else f"{obj.__module__.lstrip('_')}."
        hint = f"; write lambda x: {module}{obj.__name__}(x)"
    elif callable(obj) and not isinstance(obj, type):
        hint = "; an object that can be called is no function: pass a function, and bind its data with rb.bind"
    return f"expected a callback {signature}, found {describe(obj)}{hint}. Accepted: {accepted}"
