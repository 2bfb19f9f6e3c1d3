"""From Numba's LLVM text to object files for a library, and from those to the library: the C compiler's driver links."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import llvmlite.binding as llvm

from ..signature import Signature
from . import block, stage, vectormath
from .objects import internalise
from .target import Target

_ENVIRONMENT = re.compile(r"^(@_ZN08NumbaEnv\S+) = common (?:local_unnamed_addr )?global ptr null", re.M)


class Object(NamedTuple):
    """Code for a function: the object file, the optimised LLVM text, and the symbols that it leaves open."""

    data: bytes
    text: str
    needs: frozenset[str]


def entry_object(text: str, entry: str, name: str, target: Target) -> Object:
    """The function alone, by another name: what is round it in Numba's text, Python's part of it, is optimised away."""
    # Code looks whether its Python environment is there before it uses it; where it does not use it, nothing is left.
    text, found = _ENVIRONMENT.subn(r"\1 = internal constant ptr @ringback.environment", text)
    if found:
        text += "\n@ringback.environment = internal constant i8 0\n"
    with stage.lock:
        module = llvm.parse_assembly(text)
        internalise(module, {entry})
        machine = target.machine()
        stage.optimise(module, machine)
        return _object(module, entry, name, machine)


def block_object(
    text: str, entry: str, name: str, signature: Signature, target: Target, vector_math: bool
) -> Object | None:
    """The block entry, or None where it would be no better than calls one by one."""
    if not block.expressible(signature):
        return None
    known = vectormath.library(target.register_bits) if vector_math else None
    with stage.lock:
        machine = target.machine()
        module = stage.vectorised(text, entry, signature, known, machine)
        return None if module is None else _object(module, block.NAME, name, machine)


def plain_object(text: str, target: Target) -> bytes:
    """An object file of LLVM's text as it is, with all its functions."""
    with stage.lock:
        return target.machine().emit_object(llvm.parse_assembly(text))


def _object(module: llvm.ModuleRef, function: str, name: str, machine: llvm.TargetMachine) -> Object:
    module.get_function(function).name = name
    module.verify()
    open_ = [*module.functions, *module.global_variables]
    needs = frozenset(s.name for s in open_ if s.is_declaration and not s.name.startswith("llvm."))
    return Object(machine.emit_object(module), str(module), needs)


@functools.cache
def _c_libraries() -> list[ctypes.CDLL]:
    found = []
    for name in ("libm.so.6", "libmvec.so.1"):
        with contextlib.suppress(OSError):
            found.append(ctypes.CDLL(name))
    return found


def in_c_library(symbol: str) -> bool:
    """Whether every program has the symbol: from the C library, its maths, or its vector maths."""
    return any(hasattr(library, symbol) for library in _c_libraries())


class LinkError(RuntimeError):
    """The C compiler's driver is missing, or refused; the message has what it said."""


def compiler() -> list[str]:
    """The command that links: `$CC`, or `cc`."""
    command = shlex.split(os.environ.get("CC", "")) or ["cc"]
    if shutil.which(command[0]) is None:
        raise LinkError(
            f"exporting needs a C compiler to link with, and there is no {command[0]!r}: install one, or name it in CC"
        )
    return command


def run(command: list[str], folder: Path) -> None:
    """Runs a tool in a folder; a LinkError with its words if it fails."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise LinkError(f"exporting needs {command[0]!r}, which cannot be run: {error}") from None
    if done.returncode:
        raise LinkError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")


def shared(folder: Path, inputs: list[str], symbol: str, output: str, libraries: Sequence[str] = ()) -> None:
    """Links a shared library in which only `symbol` is seen. What is open after libc, libm and `libraries` is an error."""
    (folder / "exports.map").write_text(f"{{ global: {symbol}; local: *; }};\n")
    flags = [
        "-shared", "-nostartfiles", "-s", "-Wl,--version-script=exports.map", "-Wl,--gc-sections", "-Wl,-z,defs",
        "-Wl,-z,relro,-z,now", "-Wl,-z,noexecstack", "-Wl,--as-needed", "-Wl,--build-id=none",
    ]  # fmt: skip
    run([*compiler(), *flags, "-o", output, *inputs, *libraries, "-lm"], folder)


def probe(folder: Path, symbols: Sequence[str], libraries: Sequence[str]) -> None:
    """Links a library that needs some symbols, and throws it away; a LinkError if they are not to be found."""
    lines = ['    .section .data.rel.ro,"aw",@progbits', *(f"    .quad {symbol}" for symbol in symbols)]
    source = "\n".join([*lines, '    .section .note.GNU-stack,"",@progbits'])
    (folder / "probe.s").write_text(source + "\n")
    flags = ["-shared", "-nostartfiles", "-Wl,-z,defs"]
    run([*compiler(), *flags, "-o", "probe", "probe.s", *libraries], folder)


def links(folder: Path, symbols: Sequence[str], libraries: Sequence[str]) -> bool:
    """Whether the linker finds symbols in libraries."""
    try:
        probe(folder, symbols, libraries)
    except LinkError:
        return False
    return True


def relocatable(folder: Path, inputs: list[str], symbol: str, output: str) -> None:
    """Joins object files to one in which only `symbol` is seen: several such may be linked into one program."""
    run([*compiler(), "-r", "-nostdlib", "-o", output, *inputs], folder)
    run([os.environ.get("OBJCOPY") or "objcopy", f"--keep-global-symbol={symbol}", output], folder)


def archive(folder: Path, member: str, output: str) -> None:
    """A static library with one member."""
    run([os.environ.get("AR") or "ar", "rcsD", output, member], folder)
