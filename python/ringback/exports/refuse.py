"""What cannot leave Python, by name, and the line that needs it."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterable

from ..callback import Callback, native_signature
from ..compile import bind_function
from ..errors import CompileError
from . import seeding


class ExportError(TypeError):
    """A callback cannot be exported; the message says what it needs, and which line needs it."""


# What a symbol stands for, and what to do. Where a function needs several, the first of these is said.
_MEANINGS = [
    (r"numba_ez_|numba_raw_|numba_x(?!x(dot|gemv|gemm|nrm2)$)",
     "LAPACK (np.linalg), which comes from SciPy in this process: name a library that has it, such as link_blas='openblas' "
     "(--link-blas openblas)"),
    (r"numba_xx",
     "BLAS (np.dot, @, norms), which comes from SciPy in this process: export with link_blas=True (--link-blas) for plain code in "
     "its place, or name a library, such as link_blas='openblas'"),
    (r"\.numba\.unresolved",
     "recursion that only Numba can link (jitted functions that call each other, or one that is called with a constant): write "
     "a loop, or give the function a signature"),
    (r"numba_get_internal_random_state", "hashes of floats, which are random for NaN: use a sorted array (np.unique), or whole "
     "numbers"),
    (r"numba_.*(rnd|random|poisson)", "random numbers before they are seeded, which this process does: call np.random.seed(n) "
     "(random.seed(n) for the module random) in the function itself, on every path before the first draw, or pass random "
     "numbers as arguments"),
    (r"numba_(dict|list|set|hash)", "Numba's dictionaries, typed lists and typed sets, which are part of Numba: use arrays, "
     "plain lists or plain sets"),
    (r"address:", "an address in this process (an array of more than 1 MB that a jitted function reads, or a C function): "
     "pass arrays as arguments, or bind them"),
    (r"__excinfo_unwrap", "an exception with a value that is neither a number nor a text: raise it with those"),
    (r"numba_(gil|unpickle|recreate|unpack|extract)|Py|_Py|_ZN08NumbaEnv",
     "the Python interpreter, for printing, text or objects: take that out"),
    (r"numba_|NRT_", "a function that is part of Numba: take it out"),
    (r"", "a function that is only in this process: take it out"),
]  # fmt: skip
_UNRESOLVED = ".numba.unresolved"
_ADDRESS = re.compile(r"inttoptr \(i64 (\d+) to ptr\)|inttoptr i64 (\d+) to ptr")
_DEFINE = re.compile(r'^define [^\n]*?@("[^"]*"|[\w.$-]+)\(')
_LOCATION = re.compile(r"^(!\d+) = (?:distinct )?!(\w+)\((.*)\)$", re.M)
_FIELD = re.compile(r"(\w+): (\"(?:[^\"\\]|\\.)*\"|[^,]+)")


def addresses(text: str) -> list[str]:
    """Addresses of this process in optimised LLVM text, as symbols for `refuse`."""
    return [f"address:{a or b}" for a, b in _ADDRESS.findall(text)]


def refuse(callback: Callback, name: str, symbols: Iterable[str]) -> ExportError:
    """The error for the symbols that a library cannot have."""
    needed = sorted(symbols)
    meaning, these = next(
        (meaning, these) for pattern, meaning in _MEANINGS if (these := [s for s in needed if re.match(pattern, s)])
    )
    shown = ", ".join(s for s in these[:3] if not s.startswith(("address:", "__excinfo")))
    text = f"cannot export {name}: it needs {meaning}" + (f"\n  needed: {shown}" if shown else "")
    return ExportError(f"{text}\n  {_line_of(callback, these)}")


def _line_of(callback: Callback, symbols: list[str]) -> str:
    """The line of the Python function that needs one of the symbols: it is compiled once more, with lines."""
    function = callback._function
    code = function.__code__
    line, file = code.co_firstlineno, code.co_filename
    try:
        options = {**callback._options, "debug": True}
        again = bind_function(function, native_signature(callback), options, callback._bound, callback._ties)
        compiled = again._shim.llvm()
        found = None
        if symbols[0] in seeding.STATES:
            # The first line with such a symbol may be the one that seeds.
            nodes = _locations(compiled)
            draws = seeding.unseeded(compiled, again._shim.name)
            found = next(filter(None, (_line_at(draw, nodes, file) for draw in draws)), None)
        found = found or _search(compiled, symbols, file)
        if found is not None:
            line = found
    except CompileError:
        pass
    source = linecache.getline(file, line).strip()
    return f"File {file!r}, line {line}, in {function.__name__}" + (f"\n    {source}" if source else "")


def _search(text: str, symbols: list[str], file: str) -> int | None:
    """The first line in `file` that leads to a symbol, through functions that have no lines of their own."""
    nodes = _locations(text)
    bodies = _bodies(text)
    wanted, seen = [w for symbol in symbols for w in _written(symbol, text)], set(symbols)
    while wanted:
        following = []
        for function, lines in bodies.items():
            for instruction in lines:
                if not any(w in instruction for w in wanted):
                    continue
                line = _line_at(instruction, nodes, file)
                if line:
                    return line
                if function not in seen:
                    seen.add(function)
                    following.append(f"@{function}(")
        wanted = following
    return None


def _written(symbol: str, text: str) -> list[str]:
    """How instructions refer to a symbol: an address stands in them, or in a variable."""
    if symbol.startswith(_UNRESOLVED):
        # The name has a number in it, which is another one now.
        return [f'@"{_UNRESOLVED}']
    if not symbol.startswith("address:"):
        return [f"@{symbol}"]
    address = symbol.removeprefix("address:")
    return [f"i64 {address} to ptr", *re.findall(rf"^(@\S+) = [^\n]*i64 {address} to ptr", text, re.M)]


def _bodies(text: str) -> dict[str, list[str]]:
    bodies: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        start = _DEFINE.match(line)
        if start:
            current = bodies.setdefault(start.group(1), [])
        elif line.startswith("  "):
            current.append(line)
    # The function for Python, which calls the other one, is no place where anything is needed.
    return {name: lines for name, lines in bodies.items() if not re.match(r'"?(_ZN7cpython|cfunc\.)', name)}


_Nodes = dict[str, tuple[str, dict[str, str]]]


def _locations(text: str) -> _Nodes:
    return {key: (kind, dict(_FIELD.findall(fields))) for key, kind, fields in _LOCATION.findall(text)}


def _line_at(instruction: str, nodes: _Nodes, file: str) -> int | None:
    at = re.search(r"!dbg (!\d+)", instruction)
    return _user_line(at.group(1), nodes, file) if at else None


def _user_line(key: str, nodes: _Nodes, file: str) -> int | None:
    """The line of a location, or of where it was inlined, that lies in the user's file."""
    while key in nodes:
        _, location = nodes[key]
        scope = location.get("scope", "")
        while scope in nodes and "file" not in nodes[scope][1]:
            scope = nodes[scope][1].get("scope", "")
        source = nodes.get(nodes[scope][1]["file"], ("", {}))[1] if scope in nodes else {}
        if source.get("filename", "").strip('"') == file.rsplit("/", 1)[-1] and location.get("line", "0") != "0":
            return int(location["line"])
        key = location.get("inlinedAt", "")
    return None
