"""C functions of other people: what stands for one in Python, with its type, its address, and what keeps it alive."""

from __future__ import annotations

import ctypes
import datetime
import os
import sys
import types
import weakref
from typing import Any, NamedTuple

from . import _ringback
from .ctext import CSignature, CType, NoCType, from_ctypes, parse_signature, parse_type
from .giveback import lent_at

RECORD = "ringback.callback.v1"
_USER_DATA = b"ringback.user_data.v1"
_PyCapsule = type(datetime.datetime_CAPI)  # pyright: ignore[reportAttributeAccessIssue]
_CFuncPtr: Any = ctypes._CFuncPtr  # pyright: ignore[reportAttributeAccessIssue]


class CFunction(NamedTuple):
    """A C function that may be called from any thread, without the GIL.

    `data` is passed where its last parameter is a `void *`. `one_is_success` says that an int it returns is 0 for failure,
    as SciPy has it, and not 0 for success.
    """

    signature: CSignature
    address: int
    data: int
    owner: Any
    one_is_success: bool = False


class Capsule:
    """A capsule with a callback record, as an object that offers it: once, since a record is moved out of its capsule."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __ringback_callback__(self, signature: str | None = None) -> Any:
        """The capsule; whoever takes the record compares signatures."""
        return self._capsule


def find(obj: Any) -> CFunction | Any | None:
    """The C function that an object stands for; an object with `__ringback_callback__` if it stands for that; else None.

    Raises
    ------
    TypeError
        If it stands for a C function that cannot be called; the message says why.
    """
    # By its very type: an object may say anything of its class.
    if type(obj) is _PyCapsule:
        return _capsule(obj)
    if issubclass(type(obj), _CFuncPtr):
        return _ctypes(obj)
    if type(obj).__module__ == "_cffi_backend":
        return _cffi(obj)
    if type(obj) is types.BuiltinFunctionType and type(obj.__self__).__module__ == "_cffi_backend":
        return _cffi_built_in(obj)
    if _is_low_level_callable(obj):
        return _low_level(obj)
    return None


def refuse(obj: Any, why: str) -> TypeError:
    """A C function that cannot be called."""
    return TypeError(f"the C function {_shown(obj)} cannot be called: {why}")


def _shown(obj: Any) -> str:
    try:
        text = repr(obj)
    except Exception as error:
        text = f"{type(obj).__name__} (whose repr raises {type(error).__name__})"
    return text if len(text) <= 120 else text[:117] + "..."


def _is_low_level_callable(obj: Any) -> bool:
    # Who has such an object has imported SciPy.
    module = sys.modules.get("scipy._lib._ccallback")
    known = getattr(module, "LowLevelCallable", None)
    return known is not None and issubclass(type(obj), known)


# -- capsules ----------------------------------------------------------------------------------------------------------


def _api(name: str, result: Any, *parameters: Any) -> Any:
    return ctypes.PYFUNCTYPE(result, ctypes.py_object, *parameters)((name, ctypes.pythonapi))


_name_of = _api("PyCapsule_GetName", ctypes.c_char_p)
_pointer_of = _api("PyCapsule_GetPointer", ctypes.c_void_p, ctypes.c_char_p)
_context_of = _api("PyCapsule_GetContext", ctypes.c_void_p)


def _capsule(obj: Any, owner: Any = None) -> CFunction | Capsule:
    """What a capsule's name says that it holds: a callback record, or a C function of the type that is its name."""
    raw = _name_of(obj)
    try:
        name = (raw or b"").decode()
    except UnicodeDecodeError:
        name = ""
    if name == RECORD:
        return Capsule(obj)
    if "(" not in name:
        raise TypeError(
            f"expected a capsule named {RECORD!r}, or with the type of a C function as its name, found "
            + (f"one named {raw.decode(errors='replace')!r}" if raw else "one without a name")
        )
    signature = _read(obj, name)
    address = _pointer_of(obj, raw)
    return CFunction(signature, _callable(obj, address), _context_of(obj) or 0, obj if owner is None else owner)


def _read(obj: Any, text: str) -> CSignature:
    try:
        return parse_signature(text)
    except NoCType as error:
        raise refuse(obj, f"its type is {text!r}, and {error}") from None


def _callable(obj: Any, address: int | None) -> int:
    if not address:
        raise refuse(obj, "it is a null pointer")
    return address


# -- SciPy -------------------------------------------------------------------------------------------------------------


def _low_level(obj: Any) -> CFunction | Any:
    """A `scipy.LowLevelCallable`: SciPy keeps a capsule whose name is the type and whose context is the user data."""
    parts = tuple(tuple.__iter__(obj))
    if len(parts) != 3 or type(parts[0]) is not _PyCapsule:
        raise refuse(obj, "it was not made by scipy.LowLevelCallable")
    inner, function, data = parts
    if type(data) is _PyCapsule and _name_of(data) == _USER_DATA:
        # One of ours: the callback itself can report errors.
        context = _context_of(data)
        if not context:
            raise refuse(obj, "it was not made by scipy.LowLevelCallable")
        return ctypes.cast(context, ctypes.py_object).value.callback()
    if issubclass(type(function), _CFuncPtr):
        callback = _better(function)
        if callback is not None and data is None:
            return callback
    owner = obj
    if type(function).__module__ == "_cffi_backend":
        address = _cffi_address(function)
        lent = lent_at.get(address or 0)
        if lent is not None:
            return lent.callback()
        owner = (obj, _library_of(address or 0))
    made = _capsule(inner, owner)
    if isinstance(made, CFunction) and _address_of(function) not in (None, made.address):
        # It would be kept alive in place of the one that is called.
        raise refuse(obj, "it was not made by scipy.LowLevelCallable")
    return made._replace(one_is_success=True) if isinstance(made, CFunction) else made


def _address_of(function: Any) -> int | None:
    """Where a function is that SciPy was given; None if it is of a kind that is not known here."""
    if type(function) is _PyCapsule:
        return _pointer_of(function, _name_of(function))
    if issubclass(type(function), _CFuncPtr):
        return _ctypes_address(function)
    return _cffi_address(function) if type(function).__module__ == "_cffi_backend" else None


# -- ctypes ------------------------------------------------------------------------------------------------------------


def _ctypes(obj: Any) -> CFunction | Any:
    callback = _better(obj)
    if callback is not None:
        return callback
    if obj.argtypes is None:
        raise refuse(obj, "its parameters are not known: set its argtypes and its restype")
    restype = obj.restype
    if restype is not None and not isinstance(restype, type):
        raise refuse(obj, f"its restype {_shown(restype)} is Python code, which would not run: set a ctypes type")
    if getattr(obj, "errcheck", None) is not None:
        raise refuse(obj, "its errcheck is Python code, which would not run: delete it, and check the results")
    try:
        signature = CSignature(from_ctypes(restype), tuple(map(from_ctypes, obj.argtypes)))
    except NoCType as error:
        raise refuse(obj, str(error)) from None
    return CFunction(signature, _callable(obj, _ctypes_address(obj)), 0, obj)


def _ctypes_address(obj: Any) -> int:
    """By `ctypes.cast` the function would get into a cycle with itself, which only the garbage collector ends."""
    return ctypes.c_size_t.from_buffer(obj).value


_NEEDS_GIL = 4  # FUNCFLAG_PYTHONAPI


def _better(obj: Any) -> Any:
    """The callback that a ctypes function was made by: it can report errors, and needs no GIL. None for others."""
    callback = getattr(obj, "_ringback_callback", None)
    if isinstance(callback, weakref.ref):
        callback = callback()
    if isinstance(callback, _ringback.Callback):
        return callback
    if type(obj)._flags_ & _NEEDS_GIL:
        raise refuse(
            obj, "it needs the GIL (PYFUNCTYPE, PyDLL), which no callback has; use CFUNCTYPE, or rb.interpreted(f)"
        )
    return None


# -- cffi --------------------------------------------------------------------------------------------------------------


def _cffi(obj: Any) -> CFunction | Any | None:
    import _cffi_backend as backend  # pyright: ignore[reportMissingImports]

    if not issubclass(type(obj), backend._CDataBase):
        return None
    kind = backend.typeof(obj)
    if kind.kind == "pointer" and kind.item.kind == "function":
        kind = kind.item
    if kind.kind != "function":
        raise TypeError(f"expected a function pointer, found {_shown(obj)}")
    address = _cffi_address(obj)
    assert address is not None
    lent = lent_at.get(address)
    if lent is not None:
        return lent.callback()
    if kind.ellipsis:
        raise refuse(obj, "functions with a variable number of arguments are called in another way")
    try:
        parameters = tuple(parse_type(parameter.cname) for parameter in kind.args)
        signature = CSignature(parse_type(kind.result.cname), parameters)
    except NoCType as error:
        raise refuse(obj, str(error)) from None
    return CFunction(signature, _callable(obj, address), 0, (obj, _library_of(address)))


def _cffi_address(obj: Any) -> int | None:
    """Where a pointer of cffi points to; None for what is no data of cffi."""
    import _cffi_backend as backend  # pyright: ignore[reportMissingImports]

    if not issubclass(type(obj), backend._CDataBase) or backend.typeof(obj).kind not in ("pointer", "function"):
        return None
    return int(backend.cast(backend.new_primitive_type("uintptr_t"), obj))


def _cffi_built_in(obj: Any) -> CFunction | Any | None:
    """A function of a module that cffi compiled: Python sees a built-in function, behind which is a pointer."""
    import _cffi_backend as backend  # pyright: ignore[reportMissingImports]

    try:
        pointer = backend.FFI().addressof(obj.__self__, obj.__name__)
    except (TypeError, AttributeError):
        # A method of something else that cffi has.
        return None
    return _cffi(pointer)


class _Place(ctypes.Structure):
    """`Dl_info`, which `dladdr` fills: in which file an address is."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("at", ctypes.c_void_p),
    )


def _library_of(address: int) -> Any:
    """The library that holds a function, opened once more; None for what is in no library.

    cffi closes it with the object that opened it, which a pointer to a function does not keep.
    """
    if sys.platform == "win32":
        return None
    find = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Place))(("dladdr", ctypes.CDLL(None)))
    place = _Place()
    if not find(address, ctypes.byref(place)) or not place.file:
        return None
    try:
        # Only if it is loaded; ctypes never closes it.
        return ctypes.CDLL(os.fsdecode(place.file), mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
    except OSError:
        # The program itself, which nobody closes.
        return None


VOID_POINTER = CType("void", True)
