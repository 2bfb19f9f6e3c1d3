"""Compiles functions, once for each code object, signature, options and types of what they capture."""

from __future__ import annotations

import inspect
import numbers
import threading
import types
from typing import Any, NamedTuple

from . import _ringback, cache, machinecode
from .callback import Callback, Ties, native_signature
from .capture import Array, Function, Kind, Path, frozen_key, kind_of, leaves, native
from .errors import CompileError, numba_errors, readable, self_test
from .signature import Signature, to_signature
from .snapshot import Reading, Snapshot, clear

DEFAULTS: dict[str, Any] = {"boundscheck": True, "fastmath": False, "error_model": "python", "vector_math": True}
# Options of ours, of which Numba knows nothing.
_OWN = frozenset({"vector_math"})
_PASSED_ON = frozenset(
    {"boundscheck", "fastmath", "error_model", "locals", "debug", "nogil", "inline", "no_cpython_wrapper"}
)

_lock = threading.RLock()
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
        return inner, own_options(function.targetoptions)
    hint = ""
    if isinstance(function, str):
        hint = ": the function comes first, then the signature; as a decorator there is rb.cfunc"
    elif callable(function):
        hint = "; rb.interpreted(f) takes whatever can be called"
    raise TypeError(f"expected a Python function or one decorated with numba.njit, found {describe(function)}{hint}")


def own_options(given: dict[str, Any]) -> dict[str, Any]:
    """What `numba.njit` was given that decides how a function is compiled here."""
    # `None` is how Numba says that nothing was said: bounds are checked then.
    return {key: value for key, value in given.items() if key in _PASSED_ON and value is not None}


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
    reading: Reading | None = None,
) -> Callback:
    """Code for the function, compiled if need be, with the values of all that it captures bound to it.

    `data` are parameters that are bound by name; those that are left take the arguments of the signature, in order.
    The values are the present ones, or those of a reading.
    """
    reading = reading or Reading(function)
    snapshot = Snapshot()
    free, bound = distribute(reading, signature, data)
    options = {**DEFAULTS, **options}
    key, lifted = _key(reading, snapshot, signature, options, free, bound, ties)
    compiled = _compiled.get(key)
    if compiled is None:
        with _lock:
            compiled = _compiled.get(key)
            if compiled is None:
                compiled, key, lifted = _compile(reading, snapshot, signature, options, free, bound, ties)
                _compiled[key] = compiled
    values = [native(kind, leaf) for kind_, value in lifted for kind, leaf in leaves(kind_, value)]
    return Callback._of(compiled.code, tuple(values), function, compiled.shim, options, bound, ties)


def code_for(reading: Reading, snapshot: Snapshot, callback: Callback) -> _ringback.Code | None:
    """The code for a function as it was read, with the parameters and options of a callback.

    None if it has not been compiled.
    """
    signature, bound = native_signature(callback), callback._bound
    free = [name for name in reading.plan.positional if name not in bound][: len(signature.parameters)]
    key, _ = _key(reading, snapshot, signature, callback._options, free, bound, callback._ties)
    compiled = _compiled.get(key)
    return None if compiled is None else compiled.code


def refuse_variadic(reading: Reading) -> None:
    """Raises for `*args` and `**options`."""
    if not reading.plan.variadic:
        return
    function = reading.function
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


def distribute(reading: Reading, signature: Signature, data: dict[str, Data]) -> tuple[list[str], dict[str, Data]]:
    """Which parameters take the signature's arguments, and which are bound: by name, or by their defaults."""
    plan = reading.plan
    name = reading.function.__name__
    refuse_variadic(reading)
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
    defaults = dict(reading.kwdefaults)
    given = reading.defaults
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
    reading: Reading,
    snapshot: Snapshot,
    signature: Signature,
    options: dict[str, Any],
    free: list[str],
    bound: dict[str, Data],
    ties: Ties,
) -> tuple[tuple[Any, ...], list[tuple[Kind, Any]]]:
    lifted: list[tuple[Kind, Any]] = [(d.kind, d.value) for d in bound.values()]
    parts: list[Any] = [(name, d.kind, d.mutable) for name, d in bound.items()]
    seen: dict[int, int] = {}
    for path, value in reading.values:
        kind = None if path in reading.plan.frozen else kind_of(value, ".".join(path))
        if kind is None:
            parts.append((path, *frozen_key(value), *snapshot.key(value, seen)))
        else:
            parts.append((path, kind))
            lifted.append((kind, value))
    return (id(reading.code), signature.text, _option_key(options), tuple(free), ties, *parts), lifted


def _option_key(options: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(
        (name, options[name] if type(options[name]) in (bool, str) else repr(options[name])) for name in sorted(options)
    )


def _compile(
    reading: Reading,
    snapshot: Snapshot,
    signature: Signature,
    options: dict[str, Any],
    free: list[str],
    bound: dict[str, Data],
    ties: Ties,
) -> tuple[Compiled, tuple[Any, ...], list[tuple[Kind, Any]]]:
    """Compiles with everything lifted that can be; freezes what Numba must know when it compiles.

    Where the code is on disk, from an earlier process, it is loaded, and Numba is not even imported.
    """
    plan, captured, name = reading.plan, reading.values, reading.function.__name__
    first: CompileError | None = None
    frozen_before = set(plan.frozen)
    unsettled: list[str] = []
    while True:
        key, lifted = _key(reading, snapshot, signature, options, free, bound, ties)
        kinds = [(path, kind_of(value, ".".join(path))) for path, value in captured if path not in plan.frozen]
        present = [(path, kind) for path, kind in kinds if kind is not None]
        stored = _stored_key(reading, snapshot, signature, options, free, bound, ties)
        found = machinecode.find(stored) if stored else None
        if isinstance(found, set):
            if found - plan.frozen:
                plan.frozen |= found
                continue
        elif found is not None and found.machine.lifted == present:
            break
        escaped: set[str] = set()
        try:
            self_test()
            shim, slots = _build(reading, snapshot, signature, options, free, bound, ties, present, escaped)
        except CompileError as error:
            first = first or error
            whole = {path for path, kind in present if _constant_kind(kind)}
            if not whole:
                plan.frozen.clear()
                plan.frozen |= frozen_before
                raise first from None
            # An axis, the length of a tuple, …: some whole numbers must be known to the compiler.
            plan.frozen |= whole
        else:
            again = {path for path, _ in present if path[0] in escaped}
            if not again:
                # What writes to its data must be called for just the points that count, and blocks are padded.
                blocks = not any(d.mutable for d in bound.values())
                if stored != _stored_key(reading, snapshot, signature, options, free, bound, ties):
                    # Compiling has loaded extensions of Numba, or somebody has put something into NumPy.
                    stored = None
                found = machinecode.made(shim, slots, present, signature, options, blocks, stored)
                break
            for path, kind in present:
                if path in again and not isinstance(kind, str):
                    raise CompileError(
                        f"{name}: {'.'.join(path)} is read inside an inner function that is passed on, where "
                        f"it would be a frozen copy: pass it to that function as an argument"
                    )
            plan.frozen |= again
        if stored:
            unsettled.append(stored)
    for earlier in unsettled:
        machinecode.keep_frozen(earlier, plan.frozen.intersection(path for path, _ in captured))
    block = 0 if found.block is None else found.block.address
    errors = numba_errors(reading.code)
    code = _ringback.Code(signature, tuple(found.slots), found.address, errors, found.exceptions(), found, block)
    # The identities in the key stay those of these objects, and large arrays that are compiled in stay where they are.
    keep = [reading.code, snapshot, *(value for path, value in captured if path not in {p for p, _ in present})]
    return Compiled(code, found, present, keep), key, lifted


def _stored_key(reading: Reading, *what: Any) -> str | None:
    """The key of the code on disk; None where nothing is kept there."""
    if cache.disabled():
        return None
    from . import fingerprint

    return fingerprint.key(reading, *what)


def _constant_kind(kind: Kind) -> bool:
    if isinstance(kind, (Array, Function)):
        return False
    if isinstance(kind, str):
        return kind[0] in "iub"
    return all(_constant_kind(inner) for inner in kind)


def _build(
    reading: Reading,
    snapshot: Snapshot,
    signature: Signature,
    options: dict[str, Any],
    free: list[str],
    bound: dict[str, Data],
    ties: Ties,
    captured: list[tuple[Path, Kind]],
    escaped: set[str],
) -> tuple[Any, list[str]]:
    from . import _numba
    from .shim import shim_source

    extra = {path: f"__captured_{i}" for i, (path, _) in enumerate(captured)}
    parameters = list(reading.plan.parameters)
    copy = reading.copy()
    copy.__defaults__ = copy.__kwdefaults__ = None
    names = [*parameters, *extra.values()]
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    copy.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, positional) for name in names]
    )
    bound_kinds = {name: (d.kind, d.mutable) for name, d in bound.items()}
    captured_kinds = [kind for _, kind in captured]
    source, scope, types_, result, slots = shim_source(signature, parameters, free, bound_kinds, captured_kinds, ties)
    options = {key: value for key, value in options.items() if key not in _OWN}
    callees = _numba.Callees({key: value for key, value in options.items() if key != "locals"}, snapshot)
    pipeline = _numba.lifting_compiler(extra, escaped, callees)
    try:
        expected = signature.result.kind != "void"
        return _numba.compile_shim(copy, source, scope, types_, result, options, pipeline, expected), slots
    except (CompileError, KeyboardInterrupt, MemoryError):
        raise
    except Exception as error:
        raise readable(reading.function, signature.text, error) from None
    finally:
        callees.clear()
        clear(copy)
