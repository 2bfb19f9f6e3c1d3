"""Linear algebra in exported libraries: BLAS and LAPACK from a library that the user names, or plain products of our own.

Numba's code calls helpers, and `ringback-runtime` has these. They call BLAS and LAPACK by tables of addresses, one for each
routine with an entry for each kind of numbers. The tables are written here, so a library may name its routines as it likes.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .. import _numba
from ..backend import link
from .refuse import ExportError

# What the runtime's tables hold: BLAS's names, in the order of the table.
_TABLES = {
    "sdot": ["sdot"], "ddot": ["ddot"], "snrm2": ["snrm2", "scnrm2"], "dnrm2": ["dnrm2", "dznrm2"],
    **{name: [kind + name for kind in "sdcz"] for name in ("gemv", "gemm", "getrf", "getri", "potrf", "geqrf", "gesv")},
    "gqr": ["sorgqr", "dorgqr", "cungqr", "zungqr"], "syevd": ["ssyevd", "dsyevd"], "heevd": ["cheevd", "zheevd"],
    "rgeev": ["sgeev", "dgeev"], "cgeev": ["cgeev", "zgeev"], "rgesdd": ["sgesdd", "dgesdd"],
    "cgesdd": ["cgesdd", "zgesdd"], "rgelsd": ["sgelsd", "dgelsd"], "cgelsd": ["cgelsd", "zgelsd"],
}  # fmt: skip
# The runtime's helpers, and the tables that they read.
_PRODUCTS = {
    "ringback_xxdot": ["sdot", "ddot", "gemv"], "ringback_xxgemv": ["gemv"], "ringback_xxgemm": ["gemm"],
    "ringback_xxnrm2": ["snrm2", "dnrm2"],
}  # fmt: skip
_FACTORISATIONS = {
    "numba_xxgetrf": ["getrf"], "numba_ez_xxgetri": ["getri", "getrf"], "numba_xxpotrf": ["potrf"],
    "numba_ez_rgeev": ["rgeev"], "numba_ez_cgeev": ["cgeev"], "numba_ez_xxxevd": ["syevd", "heevd"],
    "numba_ez_gesdd": ["rgesdd", "cgesdd"], "numba_ez_geqrf": ["geqrf"], "numba_ez_xxgqr": ["gqr"],
    "numba_ez_gelsd": ["rgelsd", "cgelsd"], "numba_xgesv": ["gesv"], "numba_fatal_error": [],
}  # fmt: skip
# Numba's helpers that cannot fail here. Numba's code ends the process if they do, and asks Python to do so.
_CANNOT_FAIL = ("xxdot", "xxgemv", "xxgemm", "xxnrm2")
_DECLARED = re.compile(r"^declare (\S+) @(numba_(?:x\w+|ez_\w+|fatal_error))\(([^)\n]*)\)[^\n]*$", re.M)
# What the runtime takes: a letter for i8, a whole number for i64, an address, a double.
_TAKEN = {
    "numba_xxdot": "llnaaa", "numba_xxgemv": "llnnaanaaa", "numba_xxgemm": "lllnnnaananaan", "numba_xxnrm2": "lnana",
    "numba_xxgetrf": "lnnana", "numba_ez_xxgetri": "lnana", "numba_xxpotrf": "llnan", "numba_ez_rgeev": "lllnanaaanan",
    "numba_ez_cgeev": "lllnanaanan", "numba_ez_xxxevd": "lllnana", "numba_ez_gesdd": "llnnanaanan",
    "numba_ez_geqrf": "lnnana", "numba_ez_xxgqr": "lnnnana", "numba_ez_gelsd": "lnnnananada", "numba_xgesv": "lnnanaan",
    "numba_fatal_error": "",
}  # fmt: skip
_LETTERS = {"i8": "l", "i64": "n", "ptr": "a", "double": "d"}
# How libraries write `dgemm`: Fortran's compilers, the wheels of NumPy and SciPy, with whole numbers of 64 bits.
_SPELLINGS = ("{}_", "scipy_{}_", "{}", "{}_64_", "{}64_", "scipy_{}_64_", "scipy_{}64_")
_NAME = re.compile(r":?[A-Za-z0-9_][\w.+-]*", re.ASCII)


class Blas(NamedTuple):
    """Where linear algebra comes from: `libraries`, by name or path, or none: the runtime's own products."""

    libraries: tuple[str, ...]

    @property
    def offered(self) -> frozenset[str]:
        """The helpers that code may ask for."""
        return frozenset({*_PRODUCTS, *_FACTORISATIONS} if self.libraries else {*_PRODUCTS, "numba_fatal_error"})

    @property
    def said(self) -> list[str]:
        """The libraries as a manifest names them: without folders."""
        return [library.rsplit("/", 1)[-1] for library in self.libraries] or ["builtin"]

    @property
    def arguments(self) -> list[str]:
        """What the linker is told. The library is looked for beside the exported one first."""
        folders = [
            "$ORIGIN",
            *dict.fromkeys(library.rpartition("/")[0] for library in self.libraries if "/" in library),
        ]
        found = [library if "/" in library else f"-l{library}" for library in self.libraries]
        return [*(f"-Wl,-rpath,{folder}" for folder in folders), "-Wl,--enable-new-dtags", *found] if found else []

    def source(self, helpers: Iterable[str], function: str) -> str:
        """The tables that some helpers read, for the assembler; those that none of them reads have no addresses."""
        offered = {**_PRODUCTS, **_FACTORISATIONS}
        wanted = {table for helper in helpers for table in offered.get(helper, ())}
        spelling = self._spelling(sorted(wanted), function) if self.libraries else "ringback_{}"
        lines = ['    .section .data.rel.ro,"aw",@progbits', "    .balign 8"]
        for table, routines in _TABLES.items():
            symbol = f"ringback_blas_{table}"
            entries = [spelling.format(routine) if table in wanted else "0" for routine in routines]
            lines += [f"    .globl {symbol}", f"    .hidden {symbol}", f"{symbol}:", f"    .quad {', '.join(entries)}"]
        return "\n".join([*lines, '    .section .note.GNU-stack,"",@progbits']) + "\n"

    def _spelling(self, tables: Sequence[str], function: str) -> str:
        """How the libraries spell the names of the routines: the linker knows."""
        routines = [routine for table in tables for routine in _TABLES[table]]
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            for spelling in _SPELLINGS:
                if link.links(folder, [spelling.format(routine) for routine in routines], self.arguments):
                    return spelling
            # Which one it is that it lacks; or what is wrong with the libraries themselves.
            link.probe(folder, [], self.arguments)
            lacking = [
                routine
                for routine in routines
                if not any(link.links(folder, [spelling.format(routine)], self.arguments) for spelling in _SPELLINGS)
            ]
        where = ", ".join(self.libraries)
        tried = ", ".join(spelling.format(routines[0]) for spelling in _SPELLINGS)
        raise ExportError(
            f"cannot export {function}: {where} lacks {', '.join(lacking) or 'routines'} (names tried: {tried}, ...): name a "
            f"library that has them, or several"
        )


def blas(link_blas: Any) -> Blas | None:
    """What `link_blas` asks for; None for no linear algebra."""
    if link_blas is False or link_blas is None:
        return None
    if link_blas is True:
        return Blas(())
    given = [link_blas] if isinstance(link_blas, (str, os.PathLike)) else link_blas
    if not isinstance(given, (list, tuple)) or not given:
        raise TypeError(
            f"link_blas is True, the name of a library, its path, or a list of these; found {type(link_blas).__name__} "
            f"{link_blas!r}"
        )
    return Blas(tuple(map(_library, given)))


def _library(given: Any) -> str:
    if isinstance(given, os.PathLike) or (isinstance(given, str) and "/" in given):
        path = os.path.abspath(given)
        if not os.path.isfile(path):
            raise FileNotFoundError(f"there is no library {path!r} to link")
        # The linker and the loader cut lists of paths there, and the manifest a list of names.
        if re.search(r"[\s:,$]", path):
            raise ValueError(f"the path of a library to link has no blanks, colons, commas or $; found {path!r}")
        return path
    if isinstance(given, str) and _NAME.fullmatch(given):
        return given
    raise ValueError(
        f"a library is named as the linker knows it, such as 'openblas', or by a path with a slash; found {given!r}"
    )


def helpers(text: str) -> str:
    """LLVM text in which Numba's products are calls of the runtime's, which do not fail.

    An ExportError if this Numba calls its helpers otherwise than the runtime expects: memory would be corrupted.
    """
    return _DECLARED.sub(_definition, text)


def _definition(match: re.Match[str]) -> str:
    result, name, parameters = match.groups()
    types = [part.split()[0] for part in parameters.split(",")] if parameters else []
    found = "".join(_LETTERS.get(type_, "?") for type_ in types)
    if result != "i32" or found != _TAKEN.get(name) or _numba.lapack_bits() != 32:
        raise ExportError(
            f"this version of Numba calls its linear algebra ({name}) in a way that exports do not know: export without link_blas"
        )
    short = name.removeprefix("numba_")
    if short not in _CANNOT_FAIL:
        return match.group(0)
    named = ", ".join(f"{type_} %a{i}" for i, type_ in enumerate(types))
    return (
        f"define internal i32 @{name}({named}) alwaysinline {{\n"
        f"  call void @ringback_{short}({named})\n  ret i32 0\n}}\ndeclare void @ringback_{short}({', '.join(types)})"
    )
