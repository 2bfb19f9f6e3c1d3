"""From LLVM text to an object, and from an object to addresses: what is loaded is what may be kept on disk."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import re
import struct
import threading
from collections.abc import Iterable

import llvmlite.binding as llvm

from .machine import new_target_machine, target_machine

# Numba keeps Python objects for its wrappers behind variables of this name, which its JIT fills in.
_ENVIRONMENT = re.compile(r'^(@"?_ZN08NumbaEnv[^ ]+) = [^\n]*\bglobal ptr null[^\n]*', re.M)
_MENTIONED = re.compile(r'@"?_ZN08NumbaEnv')
_FETCHED = re.compile(r'(%[\w.]+) = load ptr, ptr @"?_ZN08NumbaEnv')
_FUNCTION = re.compile(r"^define .*?^}", re.M | re.S)
# An address of this process, or what may be one: those of user space lie between 2^32 and 2^48.
_NUMBER = re.compile(r"(?<=[ ,(\[])\d{10,15}(?=[\s,)\]])")
_ADDRESS = re.compile(r"inttoptr \(|numba\.dynamic\.globals")

_lock = threading.Lock()


def internalise(module: llvm.ModuleRef, keep: set[str]) -> None:
    """Makes all functions but those named private to the module, so that what they do not need goes away."""
    for function in module.functions:
        if not function.is_declaration and function.name not in keep:
            function.linkage = "internal"
    for variable in module.global_variables:
        if not variable.is_declaration and not variable.name.startswith("llvm."):
            variable.linkage = "internal"


def isolate(text: str, keep: Iterable[str]) -> llvm.ModuleRef:
    """A module with the functions named, what they need, and nothing else: no wrappers, no symbols of Python."""
    module = llvm.parse_assembly(text)
    internalise(module, set(keep))
    tuning = llvm.create_pipeline_tuning_options(speed_level=0)
    builder = llvm.create_pass_builder(target_machine(), tuning)
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.add_strip_dead_prototype_pass()
    passes.run(module, builder)
    text = str(module)
    if _ENVIRONMENT.search(text) and _only_tested(text):
        # It has to be there, and is not looked at: any address will do.
        module = llvm.parse_assembly(_ENVIRONMENT.sub(r"\1 = internal constant ptr \1", text))
    return module


def _only_tested(text: str) -> bool:
    """Whether Numba's objects are compared with null, and nothing else is done with them.

    So it is where the arguments of an exception become Python's.
    """
    for body in _FUNCTION.findall(text):
        fetched = _FETCHED.findall(body)
        if len(fetched) != len(_MENTIONED.findall(body)):
            return False
        for name in fetched:
            tests = len(re.findall(rf"icmp eq ptr {re.escape(name)}, null", body))
            if len(re.findall(rf"{re.escape(name)}(?![\w.])", body)) != tests + 1:
                return False
    return True


def portable(module: llvm.ModuleRef) -> bool:
    """Whether the code would mean the same in another process: no addresses of this one in it, nothing that a JIT fills in."""
    text = str(module)
    return (
        _ENVIRONMENT.search(text) is None
        and _ADDRESS.search(text) is None
        and not any(2**32 < int(number) < 2**48 for number in _NUMBER.findall(text))
    )


def emit(module: llvm.ModuleRef) -> bytes:
    """The object of a module, for this CPU."""
    return target_machine().emit_object(module)


def undefined(code: bytes) -> set[str] | None:
    """The symbols that an object needs from elsewhere; None if it is no 64-bit little-endian ELF file."""
    if code[:6] != b"\x7fELF\x02\x01":
        return None
    (sections,) = struct.unpack_from("<Q", code, 40)
    size, count = struct.unpack_from("<HH", code, 58)
    # Of each section: type, offset, size, and the section with the names.
    table = [struct.unpack_from("<4xI16xQQI", code, sections + i * size) for i in range(count)]
    found = set()
    for kind, offset, length, link in table:
        if kind != 2:
            continue
        names = table[link][1]
        for place in range(offset + 24, offset + length, 24):
            name, section = struct.unpack_from("<I2xH", code, place)
            if section == 0 and name:
                end = code.index(b"\0", names + name)
                found.add(code[names + name : end].decode())
    return found - {"_GLOBAL_OFFSET_TABLE_"}


def missing(code: bytes) -> set[str] | None:
    """Those symbols that are not in this process: LLVM's linker ends the process over one that it does not find.

    None if that cannot be told.
    """
    _engine()
    needed = undefined(code)
    return None if needed is None else {name for name in needed if not llvm.address_of_symbol(name)}


def load(code: bytes, name: str) -> int:
    """Loads an object: the address of the function of that name, which must be nobody else's.

    All that `missing` looks for must be there.
    """
    with _lock:
        engine = _engine()
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        address = engine.get_function_address(name)
    if not address:
        raise RuntimeError(f"the object that was loaded has no function {name}")
    return address


@functools.cache
def _engine() -> llvm.ExecutionEngine:
    # Python need not have loaded it for all to see. Where it has another name, it is a part of the C library.
    with contextlib.suppress(OSError):
        ctypes.CDLL("libm.so.6", mode=ctypes.RTLD_GLOBAL)
    # Never freed, as Numba's is not: addresses of code stay valid. It takes its target machine for itself.
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), new_target_machine())
