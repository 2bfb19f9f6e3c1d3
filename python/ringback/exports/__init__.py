"""Export: compiled callbacks as a library for programs without Python.

`errors.py` makes plain text of exceptions, `blas.py` links linear algebra, `seeding.py` sees to it that random numbers are seeded,
`refuse.py` names what cannot leave Python, `data.py` writes records and bound values, `manifest.py`, `header.py` and `rust.py`
what stands beside the code; the code itself comes from `backend/link.py`.
"""

from __future__ import annotations

import os
import platform
import struct
import sys
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .. import _ringback
from ..backend import link
from ..backend.target import Target, target
from ..callback import Callback, native_signature
from . import data, header, manifest, rust, seeding
from .blas import Blas, blas, helpers
from .errors import errors_as_text
from .refuse import ExportError, addresses, refuse

__all__ = ["ExportError", "Exported", "export"]

SYMBOL = "ringback_library_v1"
# Behind a shared library: its manifest, and this: magic, version, checksum of all before it, length of the manifest.
_FOOTER = struct.Struct("<8sIIQQ")
_MAGIC = b"RINGBACK"
_FOOTER_VERSION = 1
# Functions of the runtime that code may ask for by name.
_RUNTIME = frozenset(
    {"NRT_Allocate", "NRT_Reallocate", "NRT_Free", "NRT_MemInfo_alloc", "NRT_MemInfo_alloc_aligned",
     "NRT_MemInfo_alloc_dtor", "NRT_MemInfo_call_dtor", "NRT_MemInfo_new_varsize", "NRT_MemInfo_new_varsize_dtor",
     "NRT_MemInfo_varsize_alloc", "NRT_MemInfo_varsize_realloc", "NRT_MemInfo_varsize_free",
     "numba_attempt_nocopy_reshape", "numba_frexp", "numba_frexpf", "numba_ldexp", "numba_ldexpf", "numba_gamma",
     "numba_gammaf", "numba_nextafter", "numba_nextafterf", "numba_cpow", "numba_cpowf", "numba_rnd_init", "numba_rnd_shuffle",
     "numba_poisson_ptrs", *seeding.STATES}
)  # fmt: skip


class Exported(NamedTuple):
    """The files that an export wrote."""

    library: Path
    header: Path
    rust: Path


def export(
    callbacks: Any,
    path: str | os.PathLike[str],
    *,
    target_cpu: str = "generic",
    max_data: int = 16 << 20,
    link_blas: Any = False,
) -> Exported:
    """Write callbacks to a library that programs without Python load or link.

    Parameters
    ----------
    callbacks
        A callback, several, or a mapping from names to callbacks. Without a mapping, their functions' names are used.
    path
        `model.so` for a shared library, `libmodel.a` for a static one, `model.o` for an object file. A C header, a Rust
        module (`model.h`, `model.rs`) and `ringback.h` are written beside it.
    target_cpu
        `"generic"` runs on every CPU of this kind, `"x86-64-v2"` to `"x86-64-v4"` on those of that level, `"native"` on those
        with the features of this one. Loading on a CPU that lacks them is an error.
    max_data
        The most bytes of bound arrays that are copied into the library.
    link_blas
        Where linear algebra comes from. False: what needs it is refused. True: `np.dot`, `@` and norms of vectors, by
        plain code that is copied into the library, and that other than in Python may differ in the last digits. The name of a
        library (`"openblas"`), its path, or a list of these: all of `np.linalg` that Numba compiles, from BLAS and LAPACK
        there, which the exported library then needs. In a static library they are left open, for the program's linker.

    Returns
    -------
    Exported
        Paths of the library, the header, and the Rust module.

    Raises
    ------
    ExportError
        If a callback needs something that is only in this process; the message names it and the line that needs it.
    LinkError
        If there is no C compiler, or it refuses.
    """
    named = _named(callbacks)
    output = Path(path)
    stem, kind = output.stem, output.suffix
    library = stem.removeprefix("lib") if kind == ".a" else stem
    if kind not in (".so", ".a", ".o"):
        raise ValueError(f"the path of a library ends with .so, .a or .o; found {str(output)!r}")
    if not library.isidentifier() or not library.isascii():
        raise ValueError(f"the name of a library is an identifier, such as model.so; found {str(output)!r}")
    if library == "ringback":
        raise ValueError(
            "a library of the name ringback would overwrite ringback.h with its own header: choose another"
        )
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"):
        raise ExportError(f"export knows x86-64 Linux only, and this is {platform.machine()} {sys.platform}")
    if not output.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(output.parent)!r} to export to")
    cpu = target(target_cpu)
    algebra = blas(link_blas)
    symbol = SYMBOL if kind == ".so" else f"{SYMBOL}_{library}"
    _check(named, max_data)
    # Names that cannot be written are found before anything is compiled.
    static = kind != ".so"
    write = [
        lambda linked: header.header(named, library, symbol, static, linked),
        lambda linked: rust.module(named, library, symbol, static, linked),
    ]
    for text in write:
        text([])
    link.compiler()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        inputs, said, linked = _compile(named, cpu, folder, symbol, algebra)
        if not static:
            link.shared(folder, inputs, symbol, "library", algebra.arguments if algebra and linked else [])
        else:
            link.relocatable(folder, inputs, symbol, "library.o")
            if kind == ".a":
                link.archive(folder, "library.o", "library")
        made = (folder / ("library.o" if kind == ".o" else "library")).read_bytes()
    if kind == ".so":
        made = _with_footer(made, said.encode())
    head, module = output.with_name(f"{library}.h"), output.with_name(f"{library}.rs")
    _replace(output, made)
    for place, text in zip((head, module), write, strict=True):
        _replace(place, text(linked).encode())
    _replace(output.with_name("ringback.h"), _ringback.header().encode())
    return Exported(output, head, module)


def _named(callbacks: Any) -> dict[str, Callback]:
    if isinstance(callbacks, Callback) or not isinstance(callbacks, Iterable):
        callbacks = [callbacks]
    if isinstance(callbacks, Mapping):
        pairs: Iterable[tuple[Any, Any]] = callbacks.items()
    else:
        pairs = [(getattr(callback, "__name__", None), callback) for callback in callbacks]
    named: dict[str, Callback] = {}
    for name, callback in pairs:
        if not isinstance(callback, Callback):
            raise TypeError(
                f"a compiled callback expected, found {type(callback).__name__} {callback!r}: make one with rb.compile or rb.cfunc"
            )
        if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
            shown = (
                "" if name in (None, "", "<lambda>") else f", which {name!r} is not (letters of ASCII, digits and _)"
            )
            raise ValueError(
                f"{callback!r} needs a name to be exported by{shown}: rb.export({{'name': callback}}, path)"
            )
        if name in named:
            raise ValueError(
                f"two callbacks have the name {name!r}: rb.export({{'name': callback}}, path) gives them others"
            )
        named[name] = callback
    if not named:
        raise ValueError("there is no callback to export")
    return named


def _check(named: dict[str, Callback], max_data: int) -> None:
    """Refuses what the code need not be looked at for."""
    size = 0
    for name, callback in named.items():
        if callback._shim is None:
            raise ExportError(
                f"cannot export {name}: it runs in the interpreter (rb.interpreted), which is Python itself: compile it"
            )
        for parameter, bound in callback._bound.items():
            if bound.mutable:
                raise ExportError(
                    f"cannot export {name}: it writes to its bound array {parameter!r}, which all threads of a program would "
                    f"share: make it a parameter"
                )
        if any(isinstance(value, Callback) for value in callback._values):
            raise ExportError(
                f"cannot export {name}: it calls another callback, whose address is one in this process: call its function"
            )
        size += sum(value[0].nbytes for value in callback._values if isinstance(value, tuple))
    if size > max_data:
        raise ExportError(
            f"cannot export {', '.join(named)}: the bound arrays have {size} bytes, more than max_data={max_data}: make them "
            f"parameters, or raise max_data"
        )


def _compile(
    named: dict[str, Callback], cpu: Target, folder: Path, symbol: str, algebra: Blas | None
) -> tuple[list[str], str, list[str]]:
    """Writes object files and data; their names, the manifest, and the libraries for linear algebra that the code needs."""
    tables = data.Tables(folder)
    inputs = ["data.s", "runtime.o"]
    needs: dict[str, str] = {}
    for index, (name, callback) in enumerate(named.items()):
        signature = native_signature(callback)
        shim = callback._shim
        text, unspeakable = errors_as_text(shim.llvm(), callback._function)
        offered = _RUNTIME
        if algebra is not None:
            text, offered = helpers(text), _RUNTIME | algebra.offered
        code = link.entry_object(text, shim.name, f"ringback_entry_{index}", cpu)
        missing = _missing(code, unspeakable, offered)
        random = code.needs & seeding.STATES.keys()
        if not missing and random and seeding.unseeded(code.text, f"ringback_entry_{index}"):
            missing = sorted(random)
        if missing:
            raise refuse(callback, name, missing)
        objects = {f"entry{index}.o": code}
        if random and "random.o" not in inputs:
            (folder / "random.o").write_bytes(link.plain_object(seeding.states_text(), cpu))
            inputs.append("random.o")
        vector_math = callback._options.get("vector_math", True)
        block = link.block_object(text, shim.name, f"ringback_block_{index}", signature, cpu, vector_math)
        if block is not None and not random and not _missing(block, unspeakable, offered):
            objects[f"block{index}.o"] = block
        for file, made in objects.items():
            (folder / file).write_bytes(made.data)
            inputs.append(file)
            needs |= dict.fromkeys(made.needs - _RUNTIME, name)
        tables.add(index, name, signature.text, len(objects) > 1, data.bound_values(callback))
    linked: list[str] = []
    if algebra is not None and not algebra.offered.isdisjoint(needs):
        linked = algebra.said
        user = next(name for helper, name in needs.items() if helper in algebra.offered)
        (folder / "blas.s").write_text(algebra.source(needs, user))
        inputs.append("blas.s")
    (folder / "runtime.o").write_bytes(_ringback.runtime(bool(linked)))
    said = manifest.write(named, cpu, tables.digest(), linked)
    (folder / "data.s").write_text(tables.source(symbol, said))
    return inputs, said, linked


def _missing(code: link.Object, unspeakable: frozenset[str], offered: frozenset[str]) -> list[str]:
    """What the code needs and a library has not."""
    foreign = [
        symbol
        for symbol in code.needs
        if symbol not in offered and not symbol.startswith("ringback_text_") and not link.in_c_library(symbol)
    ]
    return [*foreign, *addresses(code.text), *(symbol for symbol in unspeakable if f"@{symbol}(" in code.text)]


def _with_footer(library: bytes, said: bytes) -> bytes:
    whole = library + said
    return whole + _FOOTER.pack(_MAGIC, _FOOTER_VERSION, zlib.crc32(whole), len(said), len(whole))


def _replace(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all: a program may have the old one loaded."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o755 if path.suffix == ".so" else 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
