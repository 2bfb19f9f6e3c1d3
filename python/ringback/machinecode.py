"""Machine code of a function as bytes: made of what Numba compiled, written to the cache, read from it, loaded."""

from __future__ import annotations

import dataclasses
import itertools
import json
import zlib
from typing import Any

from . import cache
from .capture import Array, Function, Kind, Path
from .signature import Signature

_numbers = itertools.count()
# What is loaded already, by its key: the linker takes each name once.
_loaded: dict[str, Loaded] = {}


@dataclasses.dataclass
class MachineCode:
    """Objects and what has to be known of them."""

    # The entry's name in Numba's LLVM text, which is here compressed.
    name: str
    text: bytes
    # Names in the objects, and the objects; no block is "" and b"".
    entry_symbol: str
    entry: bytes
    block_symbol: str
    block: bytes
    block_text: bytes
    # Kinds of the slots of bound data, and what is captured there.
    slots: list[str]
    lifted: list[tuple[Path, Kind]]
    # One line for each exception, by the bytes of its pickle.
    exceptions: dict[bytes, str]


class Loaded:
    """Code at its place in memory, where it stays, and its texts."""

    def __init__(self, machine: MachineCode, address: int, block: ShownBlock | None) -> None:
        # Under what it is kept on disk, if it is.
        self.key: str | None = None
        # What pointblock.py has made of it.
        self.points: dict[Any, Any] = {}
        self.machine = machine
        self.name = machine.name
        self.slots = machine.slots
        self.address = address
        self.block = block

    def llvm(self) -> str:
        """The optimised LLVM text, as Numba left it."""
        return zlib.decompress(self.machine.text).decode()

    def asm(self) -> str:
        """The assembly text."""
        from .backend.machine import assembly

        return assembly(self.llvm())

    def exceptions(self) -> dict[bytes, str]:
        """One line for each exception that the code can raise, by the bytes of its pickle."""
        return self.machine.exceptions


class ShownBlock:
    """A loaded block entry: its address, and the texts behind it."""

    def __init__(self, address: int, text: bytes) -> None:
        self.address = address
        self._text = text

    def llvm(self) -> str:
        """The optimised LLVM text."""
        return zlib.decompress(self._text).decode()

    def asm(self) -> str:
        """The assembly text."""
        from .backend.machine import assembly

        return assembly(self.llvm())


def made(
    shim: Any,
    slots: list[str],
    lifted: list[tuple[Path, Kind]],
    signature: Signature,
    options: dict[str, Any],
    blocks: bool,
    key: str | None,
) -> Any:
    """Code at its place in memory, of what Numba compiled.

    It is loaded from an object, just as it will be in the next process, and kept under the key if it means the same
    there. What cannot be an object by itself, Numba's own linker loads: code that refers to Numba's objects for Python.
    """
    text = shim.llvm()
    block = None
    if blocks:
        from .backend.stage import block_of

        block = block_of(text, shim.name, signature, _symbol("block", key), options["vector_math"])
    entry = None if options.get("debug") else _entry(text, shim.name, _symbol("entry", key))
    if entry is None:
        shim.slots = slots
        shim.block = None if block is None else _shown(block.code, block.name, _packed(block.text))
        return shim
    machine = MachineCode(shim.name, _packed(text), *entry, "", b"", b"", slots, lifted, shim.exceptions())
    if block is not None:
        machine.block_symbol, machine.block, machine.block_text = block.name, block.code, _packed(block.text)
    loaded = _load(machine)
    if key is not None:
        _loaded[key] = loaded
        if block is None or block.portable:
            loaded.key = key
            cache.write(key, encode(machine))
    return loaded


def _entry(text: str, name: str, symbol: str) -> tuple[str, bytes] | None:
    """The entry's name in its object, and the object, if it can be one by itself."""
    from .backend import objects

    module = objects.isolate(text, [name])
    if not objects.portable(module):
        return None
    module.get_function(name).name = symbol
    code = objects.emit(module)
    return (symbol, code) if objects.missing(code) == set() else None


def _symbol(what: str, key: str | None) -> str:
    """A name that no other object has: of this process by the number, of others by the key, which is compiled only once."""
    return f"ringback_{what}_{key or 'own'}_{next(_numbers)}"


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode(), 1)


def _shown(code: bytes, symbol: str, text: bytes) -> ShownBlock:
    from .backend.objects import load

    return ShownBlock(load(code, symbol), text)


def _load(machine: MachineCode) -> Loaded:
    from .backend.objects import load

    address = load(machine.entry, machine.entry_symbol)
    block = _shown(machine.block, machine.block_symbol, machine.block_text) if machine.block else None
    return Loaded(machine, address, block)


def keep_frozen(key: str, frozen: set[Path]) -> None:
    """Remembers on disk that with this key the names given have to be frozen."""
    cache.write(key, json.dumps({"frozen": sorted(frozen)}).encode() + b"\n")


def find(key: str) -> Loaded | set[Path] | None:
    """The code for a key, loaded, or the names that have to be frozen first; None if neither is known."""
    known = _loaded.get(key)
    if known is not None:
        return known
    data = cache.read(key)
    if data is None:
        return None
    try:
        found = decode(data)
    except (ValueError, KeyError, TypeError):
        # Whole, and yet not what this version writes.
        return None
    if not isinstance(found, MachineCode):
        return found
    if not all(resolvable(code) for code in (found.entry, found.block) if code):
        return None
    _loaded[key] = loaded = _load(found)
    loaded.key = key
    return loaded


def resolvable(code: bytes) -> bool:
    """Whether all that the object needs is here."""
    from .backend import objects, symbols

    names = objects.undefined(code)
    return names is not None and symbols.provide(names) and objects.missing(code) == set()


def encode(machine: MachineCode) -> bytes:
    """As bytes: a line of JSON, then what is bytes already."""
    head: dict[str, Any] = {}
    blobs: list[bytes] = []
    for field in dataclasses.fields(machine):
        value = getattr(machine, field.name)
        if isinstance(value, bytes):
            head[field.name] = len(value)
            blobs.append(value)
        else:
            head[field.name] = value
    head["lifted"] = [(path, _plain(kind)) for path, kind in machine.lifted]
    head["exceptions"] = {pickle.hex(): text for pickle, text in machine.exceptions.items()}
    return b"\n".join([json.dumps(head).encode(), b"".join(blobs)])


def decode(data: bytes) -> MachineCode | set[Path]:
    """What `encode` and `keep_frozen` wrote."""
    line, _, rest = data.partition(b"\n")
    head = json.loads(line)
    if "frozen" in head:
        return {tuple(path) for path in head["frozen"]}
    place = 0
    for field in dataclasses.fields(MachineCode):
        if field.type == "bytes":
            size = head[field.name]
            head[field.name] = rest[place : place + size]
            place += size
    head["lifted"] = [(tuple(path), _kind(kind)) for path, kind in head["lifted"]]
    head["exceptions"] = {bytes.fromhex(pickle): text for pickle, text in head["exceptions"].items()}
    return MachineCode(**head)


def _plain(kind: Kind) -> Any:
    if isinstance(kind, str):
        return kind
    if isinstance(kind, Array):
        return {"array": list(kind)}
    if isinstance(kind, Function):
        return {"function": kind.signature}
    return [_plain(inner) for inner in kind]


def _kind(plain: Any) -> Kind:
    if isinstance(plain, str):
        return plain
    if isinstance(plain, dict):
        return Array(*plain["array"]) if "array" in plain else Function(plain["function"])
    return tuple(_kind(inner) for inner in plain)
