"""The data of a library: records, bound values, names and the manifest, as text for the assembler."""

from __future__ import annotations

import ctypes
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from ..callback import Callback

# `struct ringback_library` and the callback record, by include/ringback.h.
LIBRARY_VERSION, LIBRARY_SIZE = 1, 56
_RECORD_VERSION, _RECORD_SIZE = 1, 80


class Tables:
    """Collects what a library's data are made of; `source` is the whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._constant = ['    .section .rodata,"a",@progbits']
        # Pointers: written once by the loader, read-only afterwards.
        self._pointing = ['    .section .data.rel.ro,"aw",@progbits', "    .balign 8"]
        self._names: list[str] = []
        self._records: list[str] = []
        self._files = 0

    def add(self, index: int, name: str, signature: str, has_block: bool, env: list[Any]) -> None:
        """A function: its code has the symbols `ringback_entry_<index>` and `ringback_block_<index>`."""
        self._text(f".Lname{index}", name)
        self._text(f".Lsignature{index}", signature)
        self._names.append(f".Lname{index}")
        self._records.append(f".Lrecord{index}")
        block = f"ringback_block_{index}" if has_block else "0"
        self._pointing += [
            f".Lrecord{index}:", f"    .long {_RECORD_VERSION}, {_RECORD_SIZE}",
            f"    .quad .Lsignature{index}, ringback_entry_{index}, {block}, .Lenv{index}, 0",
            "    .quad ringback_describe, ringback_discard, ringback_release, 0",
        ]  # fmt: skip
        slots = [self._slot(f"{index}_{i}", value) for i, value in enumerate(env)]
        self._pointing += [f".Lenv{index}:", f"    .quad {', '.join(slots) or '0'}"]

    def _slot(self, name: str, value: Any) -> str:
        if isinstance(value, int):
            return str(value)
        if isinstance(value, bytes):
            self._bytes(f".Lparts{name}", value)
            return f".Lparts{name}"
        self._bytes(f".Ldata{name}", value.tobytes("A"))
        numbers = ", ".join(map(str, [*value.shape, *value.strides]))
        self._pointing += [f".Lview{name}:", f"    .quad .Ldata{name}, {numbers}"]
        return f".Lview{name}"

    def _bytes(self, label: str, data: bytes) -> None:
        file = f"data{self._files}"
        self._files += 1
        (self._folder / file).write_bytes(data)
        self._constant += ["    .balign 64", f"{label}:", f'    .incbin "{file}"', "    .byte 0"]

    def _text(self, label: str, text: str) -> None:
        numbers = ", ".join(map(str, [*text.encode(), 0]))
        self._constant += [f"{label}:", f"    .byte {numbers}"]

    def digest(self) -> str:
        """A hash of all that was collected, and of the object files in the folder."""
        whole = hashlib.sha256("\n".join(self._constant + self._pointing).encode())
        for file in sorted(self._folder.iterdir()):
            content = file.read_bytes()
            whole.update(f"{file.name} {len(content)}\n".encode() + content)
        return whole.hexdigest()

    def source(self, symbol: str, manifest: str) -> str:
        """Text for the assembler."""
        raw = manifest.encode()
        self._bytes(".Lmanifest", raw)
        self._pointing += [
            ".Lnames:", f"    .quad {', '.join(self._names)}", ".Lrecords:", f"    .quad {', '.join(self._records)}",
            f"    .globl {symbol}", f"    .type {symbol}, @object", f"    .size {symbol}, {LIBRARY_SIZE}",
            f"{symbol}:", f"    .long {LIBRARY_VERSION}, {LIBRARY_SIZE}",
            f"    .quad .Lmanifest, {len(raw)}, {len(self._names)}, .Lnames, .Lrecords, ringback_runtime_statistics",
        ]  # fmt: skip
        note = '    .section .note.GNU-stack,"",@progbits'
        return "\n".join([*self._constant, *self._pointing, note]) + "\n"


def bound_values(callback: Callback) -> list[Any]:
    """The slots of a callback's bound data: a whole number for the 8 bytes of a scalar, bytes for a complex number, an array.

    The scalars are read where the code reads them, so that they are what it sees; arrays are copied, in their layout.
    """
    values: list[Any] = []
    for i, value in enumerate(callback._values):
        address = callback.env + 8 * i
        word = ctypes.c_uint64.from_address(address).value
        if isinstance(value, tuple):
            values.append(_copy(value))
        elif isinstance(value, (complex, np.complexfloating)):
            values.append(ctypes.string_at(word, 16))
        else:
            values.append(word)
    return values


def _copy(value: tuple[Any, ...]) -> np.ndarray:
    array = value[0]
    return array.copy(order="F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C")
