"""Compiles functions, once for each code object, signature, options and types of what they capture."""

from __future__ import annotations

import inspect
import numbers
import threading
import types
from typing import Any, NamedTuple

import numpy as np

from . import _ringback, cache, machinecode
from .callback import Callback, Ties, native_signature
from .capture import Array, Function, Kind, Path, Plan, frozen_key, kind_of, leaves, native
from .errors import CompileError, numba_errors, readable, self_test
from .signature import Signature, to_signature

DEFAULTS: dict[str, Any] = {"boundscheck": True, "fastmath": False, "error_model": "python", "vector_math": True}
# Options of ours, of which Numba knows nothing.
_OWN = frozenset({"vector_math"})
_PASSED_ON = frozenset(
    {"boundscheck", "fastmath", "error_model", "locals", "debug", "nogil", "inline", "no_cpython_wrapper"}
)

# Numba copies constant arrays up to this size, in bytes, into the code.
_FROZEN_COPY = 10**6

_lock = threading.RLock()
_plans: dict[int, Plan] = {}
_compiled: dict[tuple[Any, ...], Compiled] = {}


class Data(NamedTuple):
    """A parameter of the function that is bound: its present value, and what its type is if that is declared."""

    value: Any
    kind: Kind
    mutable: bool


class Compiled(NamedTuple):
    """Compiled code, and what must stay alive for its key to mean what it meant."""

    code: _ringback.Code
    shim: Any
    lifted: list[tuple[Path, Kind]]
    keep: list[Any]


def compile(
    function: Any,
    signature: Any = None,
    *,
    boundscheck: bool | None = None,
    fastmath: Any = None,
    error_model: str | None = None,
    locals: dict[str, Any] | None = None,
    nopython: bool = True,
    vector_math: bool = True,
) -> Callback:
    """Compile a Python function for a signature.

    Parameters
    ----------
    function
        A plain function, or one decorated with `numba.njit`: its options hold where none are given here.
    signature
        Its type: `"f64([f64], mut [f64])"`, Numba's spelling, or Numba's types; without one, the annotations.
    boundscheck
        Whether an index past the end of an array is an `IndexError` (otherwise it corrupts memory). By default it is.
    fastmath
        Numba's option, by default off: floating-point arithmetic may be reordered, nan and inf may be assumed away.
    error_model
        `"python"`, the default: division by zero raises; `"numpy"`: it gives inf or nan.
    locals
        Types of local variables, as Numba takes them.
    nopython
        Must be True: object mode runs in the interpreter, which `rb.interpreted` does.
    vector_math
        Whether calls for a block of points may take exp, sin and the like from the platform's vector library, within 4
        units in the last place; without it they are those of the scalar library, bit for bit.

    Returns
    -------
    Callback
        The typed handle: calling it runs the compiled code.

    Raises
    ------
    CompileError
        If Numba cannot compile the function; the message shows the line and the reason.
    """
    said = {"boundscheck": boundscheck, "fastmath": fastmath, "error_model": error_model, "nopython": nopython}
    options = check_options({key: value for key, value in said.items() if value is not None})
    if not vector_math:
        options["vector_math"] = False
    if locals:
        options["locals"] = locals
    function, own = plain(function)
    try:
        return bind_function(function, to_signature(signature, function), {**own, **options}, {})
    except CompileError as error:
        # The way through this package says nothing that the message does not.
        raise error.with_traceback(None) from None


def check_options(options: dict[str, Any]) -> dict[str, Any]:
    """Numba's options as the compiler is given them."""
    options = dict(options)
    if options.pop("forceobj", False) or not options.pop("nopython", True):
        raise CompileError(
            "object mode runs in the interpreter and cannot be compiled: use rb.interpreted(f) for that, explicitly"
        )
    if options.get("error_model", "python") not in ("python", "numpy"):
        raise TypeError(f"error_model is 'python' or 'numpy', found {options['error_model']!r}")
    unknown = set(options) - _PASSED_ON - _OWN
    if unknown:
        raise TypeError(
            f"unknown option {sorted(unknown)[0]!r}: known are {', '.join(sorted(_PASSED_ON | _OWN | {'nopython'}))}"
        )
    return options


def plain(function: Any) -> tuple[types.FunctionType, dict[str, Any]]:
    """The Python function behind a plain or jitted one, and the options it was decorated with."""
    if isinstance(function, types.FunctionType):
        return function, {}
    inner = getattr(function, "py_func", None)
    if isinstance(inner, types.FunctionType) and hasattr(function, "targetoptions"):
        options = {key: value for key, value in function.targetoptions.items() if key in _PASSED_ON}
        # `None` is how Numba says that nothing was said: bounds are checked then.
        return inner, {key: value for key, value in options.items() if value is not None}
    hint = ""
    if isinstance(function, str):
        hint = ": the function comes first, then the signature; as a decorator there is rb.cfunc"
    elif callable(function):
        hint = "; rb.interpreted(f) takes whatever can be called"
    raise TypeError(f"expected a Python function or one decorated with numba.njit, found {describe(function)}{hint}")


def describe(value: Any) -> str:
    """An object in an error message."""
    try:
        text = repr(value)
    except Exception as error:
        text = f"(whose repr raises {type(error).__name__})"
    return f"{type(value).__name__} {text if len(text) <= 80 else text[:77] + '...'}"


def bind_function(
    function: types.FunctionType,
    signature: Signature,
    options: dict[str, Any],
    data: dict[str, Data],
    ties: Ties = (),
) -> Callback:
    """Code for the function, compiled if need be, with the present values of all that it captures bound to it.

    `data` are parameters that are bound by name; those that are left take the arguments of the signature, in order.
    """
    free, bound = distribute(function, signature, data)
    plan = plan_of(function.__code__)
    captured = plan.values(function)
    options = {**DEFAULTS, **options}
    key, lifted = _key(function, plan, captured, signature, options, free, bound, ties)
    compiled = _compiled.get(key)
    if compiled is None:
        with _lock:
            compiled = _compiled.get(key)
            if compiled is None:
                compiled, key, lifted = _compile(function, plan, captured, signature, options, free, bound, ties)
                present, _ = _key(function, plan, plan.values(function), signature, options, free, bound, ties)
                # Numba has read what was there meanwhile. Kept alive in either case, but not found by a key that may be wrong.
                _compiled[key if key == present else (*key, object())] = compiled
    values = [native(kind, leaf) for kind_, value in lifted for kind, leaf in leaves(kind_, value)]
    return Callback._of(compiled.code, tuple(values), function, compiled.shim, options, bound, ties)


def code_for(
    function: types.FunctionType, captured: list[tuple[Path, Any]], callback: Callback
) -> _ringback.Code | None:
    """The code for a function that captures these values, with the parameters and options of a callback.

    None if it has not been compiled.
    """
    plan, signature, bound = plan_of(function.__code__), native_signature(callback), callback._bound
    free = [name for name in plan.positional if name not in bound][: len(signature.parameters)]
    key, _ = _key(function, plan, captured, signature, callback._options, free, bound, callback._ties)
    compiled = _compiled.get(key)
    return None if compiled is None else compiled.code


def plan_of(code: types.CodeType) -> Plan:
    """The plan of a code object, made once; it keeps the code object, and so its identity, alive."""
    known = _plans.get(id(code))
    if known is None:
        known = _plans.setdefault(id(code), Plan(code))
    return known


def refuse_variadic(function: types.FunctionType) -> None:
    """Raises for `*args` and `**options`."""
    if not plan_of(function.__code__).variadic:
        return
    name = function.__name__
    inner = getattr(function, "__wrapped__", None)
    advice = f", or, of a function that is decorated, pass {name}.__wrapped__" if inner is not None else ""
    raise CompileError(
        f"{name} takes a variable number of arguments: a compiled function has fixed parameters; write them out{advice}"
    )


def no_data(value: Any) -> str:
    """Why a value cannot be bound, and what could be in its place."""
    advice = ""
    if isinstance(value, (list, range)):
        advice = ": make an array of it, with np.array"
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        advice = ": make a plain tuple of it, with tuple"
    elif isinstance(value, (dict, set, frozenset)):
        advice = ": bind what is in it by itself"
    elif isinstance(value, numbers.Number) or hasattr(value, "__float__"):
        advice = ": make a float of it"
    elif isinstance(value, types.FunctionType):
        advice = ": capture it, or make it a callback with rb.compile"
    elif value is None or isinstance(value, (str, bytes, types.ModuleType)):
        advice = ": let the function capture it, which compiles it in"
    elif not callable(value):
        advice = ": bind the numbers and arrays in it by themselves"
    return f"{describe(value)}; bound data are numbers, arrays, callbacks and tuples of them{advice}"


def distribute(
    function: types.FunctionType, signature: Signature, data: dict[str, Data]
) -> tuple[list[str], dict[str, Data]]:
    """Which parameters take the signature's arguments, and which are bound: by name, or by their defaults."""
    plan = plan_of(function.__code__)
    name = function.__name__
    refuse_variadic(function)
    if plan.suspends:
        raise CompileError(f"{name} is a generator or a coroutine: a callback is a function that returns its result")
    parameters = plan.parameters
    unknown = [key for key in data if key not in parameters]
    if unknown:
        raise TypeError(f"{name} has no parameter {unknown[0]!r} to bind: its parameters are {', '.join(parameters)}")
    wanted = len(signature.parameters)
    free = [p for p in plan.positional if p not in data][:wanted]
    if len(free) == wanted == len(parameters):
        return free, {}
    defaults = dict(function.__kwdefaults__ or {})
    given = function.__defaults__ or ()
    defaults.update(zip(plan.positional[len(plan.positional) - len(given) :], given, strict=True))
    rest = [p for p in parameters if p not in data and p not in free]
    missing = [p for p in rest if p not in defaults]
    if len(free) < wanted or missing:
        bound_so_far = f", {len(data)} of them bound" if data else ""
        raise CompileError(
            f"{name} cannot be called as {signature}: it takes {len(parameters)} "
            f"{'parameter' if len(parameters) == 1 else 'parameters'} "
            f"({', '.join(parameters) or 'none'}){bound_so_far}, and the signature passes {wanted}"
            + (
                f"; nothing gives a value for {', '.join(missing)} (as args, by rb.bind, or as a default)"
                if missing
                else ""
            )
        )
    bound = dict(data)
    for p in rest:
        kind = kind_of(defaults[p], f"the default of {p}")
        if kind is None:
            raise CompileError(f"the default of parameter {p} of {name} is {no_data(defaults[p])}")
        bound[p] = Data(defaults[p], kind, False)
    return free, {p: bound[p] for p in parameters if p in bound}


def _key(
    function: types.FunctionType,
    plan: Plan,
    captured: list[tuple[Path, Any]],
    signature: Signature,
    options: dict[str, Any],
    free: list[str],
    bound: dict[str, Data],
    ties: Ties,
) -> tuple[tuple[Any, ...], list[tuple[Kind, Any]]]:
    lifted: list[tuple[Kind, Any]] = [(d.kind, d.value) for d in bound.values()]
    parts: list[Any] = [(name, d.kind, d.mutable) for name, d in bound.items()]
    for path, value in captured:
        kind = None if path in plan.frozen else kind_of(value, ".".join(path))
        if kind is None:
            parts.append((path, *frozen_key(value), *helper_key(value)))
        else:
            parts.append((path, kind))
            lifted.append((kind, value))
    return (id(function.__code__), signature.text, _option_key(options), tuple(free), ties, *parts), lifted


def helper_key(value: Any, keep: list[Any] | None = None, seen: frozenset[int] = frozenset()) -> tuple[Any, ...]:
    """For a function that is called: its code, and by value all that is frozen into it.

    Arrays that jitted functions read are frozen by Numba: small ones as a copy, large ones by their address, so those
    must stay alive (`keep`).
    """
    if isinstance(value, tuple) and any(callable(item) and not isinstance(item, Callback) for item in value):
        raise CompileError("a tuple of functions cannot be compiled in: call the functions by their names")
    function = value if isinstance(value, types.FunctionType) else getattr(value, "py_func", None)
    # Functions of one code may differ in what they capture, so the code does not tell whether all has been seen.
    if not isinstance(function, types.FunctionType) or id(function) in seen:
        return ()
    seen |= {id(function)}
    parts: list[Any] = [id(function.__code__)]
    defaults = [*(function.__defaults__ or ()), *(v for _, v in sorted((function.__kwdefaults__ or {}).items()))]
    refers = [*plan_of(function.__code__).values(function), *((("default", str(i)), v) for i, v in enumerate(defaults))]
    for path, item in refers:
        if isinstance(item, np.ndarray):
            if function is value:
                raise CompileError(
                    f"{function.__name__} reads the array {'.'.join(path)}, which would be frozen into the code of the "
                    f"function that calls it: pass it to {function.__name__} as an argument"
                )
            parts.append(
                (path, repr(item.dtype), item.shape, item.tobytes() if item.nbytes <= _FROZEN_COPY else id(item))
            )
            if keep is not None:
                keep.append(item)
        else:
            parts.append((path, *frozen_key(item), *helper_key(item, keep, seen)))
    return tuple(parts)


def _option_key(options: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(
        (name, options[name] if type(options[name]) in (bool, str) else repr(options[name])) for name in sorted(options)
    )


def _compile(
    function: types.FunctionType,
    plan: Plan,
    captured: list[tuple[Path, Any]],
    signature: Signature,
    options: dict[str, Any],
    free: list[str],
    bound: dict[str, Data],
    ties: Ties,
) -> tuple[Compiled, tuple[Any, ...], list[tuple[Kind, Any]]]:
    """Compiles with everything lifted that can be; freezes what Numba must know when it compiles.

    Where the code is on disk, from an earlier process, it is loaded, and Numba is not even imported.
    """
    first: CompileError | None = None
    frozen_before = set(plan.frozen)
    unsettled: list[str] = []
    while True:
        key, lifted = _key(function, plan, captured, signature, options, free, bound, ties)
        kinds = [(path, kind_of(value, ".".join(path)), value) for path, value in captured if path not in plan.frozen]
        present = [(path, kind, value) for path, kind, value in kinds if kind is not None]
        stored = _stored_key(function, plan, captured, signature, options, free, bound, ties)
        found = machinecode.find(stored) if stored else None
        if isinstance(found, set):
            if found - plan.frozen:
                plan.frozen |= found
                continue
        elif found is not None and found.machine.lifted == [(path, kind) for path, kind, _ in present]:
            break
        escaped: set[str] = set()
        try:
            self_test()
            shim, slots = _build(function, signature, options, free, bound, ties, present, escaped)
        except CompileError as error:
            first = first or error
            whole = {path for path, kind, _ in present if _constant_kind(kind)}
            if not whole:
                plan.frozen.clear()
                plan.frozen |= frozen_before
                raise first from None
            # An axis, the length of a tuple, …: some whole numbers must be known to the compiler.
            plan.frozen |= whole
        else:
            again = {path for path, _, _ in present if path[0] in escaped}
            if not again:
                # What writes to its data must be called for just the points that count, and blocks are padded.
                blocks = not any(d.mutable for d in bound.values())
                kinds_lifted = [(path, kind) for path, kind, _ in present]
                values = plan.values(function)
                if stored != _stored_key(function, plan, values, signature, options, free, bound, ties):
                    # Another thread has changed what Numba may have seen, or compiling has loaded extensions of Numba.
                    stored = None
                found = machinecode.made(shim, slots, kinds_lifted, signature, options, blocks, stored)
                break
            for path, kind, _ in present:
                if path in again and not isinstance(kind, str):
                    raise CompileError(
                        f"{function.__name__}: {'.'.join(path)} is read inside an inner function that is passed on, where "
                        f"it would be a frozen copy: pass it to that function as an argument"
                    )
            plan.frozen |= again
        if stored:
            unsettled.append(stored)
    for earlier in unsettled:
        machinecode.keep_frozen(earlier, plan.frozen.intersection(path for path, _ in captured))
    block = 0 if found.block is None else found.block.address
    errors = numba_errors(function.__code__)
    code = _ringback.Code(signature, tuple(found.slots), found.address, errors, found.exceptions(), found, block)
    keep = [function.__code__, *(value for path, value in captured if path not in {p for p, _, _ in present})]
    for _, value in captured:
        helper_key(value, keep)
    return Compiled(code, found, [(path, kind) for path, kind, _ in present], keep), key, lifted


def _stored_key(function: types.FunctionType, *what: Any) -> str | None:
    """The key of the code on disk; None where nothing is kept there."""
    if cache.disabled():
        return None
    from . import fingerprint

    return fingerprint.key(function, *what)


def _constant_kind(kind: Kind) -> bool:
    if isinstance(kind, (Array, Function)):
        return False
    if isinstance(kind, str):
        return kind[0] in "iub"
    return all(_constant_kind(inner) for inner in kind)


def _build(
    function: types.FunctionType,
    signature: Signature,
    options: dict[str, Any],
    free: list[str],
    bound: dict[str, Data],
    ties: Ties,
    captured: list[tuple[Path, Kind, Any]],
    escaped: set[str],
) -> tuple[Any, list[str]]:
    from . import _numba
    from .shim import shim_source

    extra = {path: (f"__captured_{i}", value) for i, (path, _, value) in enumerate(captured)}
    plan = plan_of(function.__code__)
    parameters = [*plan.positional, *plan.keyword_only]
    # Numba keeps the function that it compiled for ever: what this one closes over must not stay alive with it.
    cells = tuple(types.CellType(cell.cell_contents) for cell in function.__closure__ or ())
    clone = types.FunctionType(function.__code__, function.__globals__, function.__name__, None, cells or None)
    clone.__module__ = function.__module__
    clone.__qualname__ = function.__qualname__
    names = [*parameters, *(name for name, _ in extra.values())]
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    clone.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, positional) for name in names]
    )
    bound_kinds = {name: (d.kind, d.mutable) for name, d in bound.items()}
    captured_kinds = [kind for _, kind, _ in captured]
    source, scope, types_, result, slots = shim_source(signature, parameters, free, bound_kinds, captured_kinds, ties)
    options = {key: value for key, value in options.items() if key not in _OWN}
    callees = _numba.Callees({key: value for key, value in options.items() if key != "locals"})
    pipeline = _numba.lifting_compiler(extra, escaped, callees)
    try:
        expected = signature.result.kind != "void"
        return _numba.compile_shim(clone, source, scope, types_, result, options, pipeline, expected), slots
    except (CompileError, KeyboardInterrupt, MemoryError):
        raise
    except Exception as error:
        raise readable(function, signature.text, error) from None
    finally:
        extra.clear()
        for cell in cells:
            del cell.cell_contents
