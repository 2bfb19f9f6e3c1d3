"""Random numbers without Python: whether code seeds its generators before it draws, and the generators' states.

Numba's generators, one for `np.random` and one for `random`, have a state in each thread, which the system seeds where nobody
else did. Code that is exported must seed on every path before it draws, in each call: then what it returns depends on its
arguments alone, neither on the thread nor on what was called before. That is told from LLVM's text, in which all that is called
stands too: a state is reached only by the pointer that a function of Numba returns, so every use of such a pointer is a draw,
unless it seeds.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# The functions that give the address of a thread's state, and the names of the generators.
STATES = {"numba_get_np_random_state": "np", "numba_get_py_random_state": "py"}
_SEED = "numba_rnd_init"

_NAME = r'"[^"]*"|[-\w.$]+'
_DEFINE = re.compile(rf"^define [^\n]*?@({_NAME})\(")
_LABEL = re.compile(rf"^({_NAME}):")
_RESULT = re.compile(rf"^  (%(?:{_NAME})) = (.*)")
_LOCAL = re.compile(rf"%(?:{_NAME})")
_TARGET = re.compile(rf"label (%(?:{_NAME}))")
_CALLED = re.compile(rf"\bcall [^@\n]*@({_NAME})\(")
_GLOBAL = re.compile(rf"@({_NAME})")
# Instructions that make an address of addresses, and look at no memory.
_ADDRESS = re.compile(r"(getelementptr|bitcast|phi|select|freeze) ")
_ALL = frozenset(STATES.values())


class _Function(NamedTuple):
    blocks: dict[str, list[str]]
    # Values that are addresses in a state, and of which generators.
    states: dict[str, frozenset[str]]


class _Summary(NamedTuple):
    """What a function asks of whoever calls it: generators that must be seeded; and those that are when it returns."""

    requires: frozenset[str]
    provides: frozenset[str]
    # The instructions that draw unseeded, or call what does.
    draws: tuple[str, ...]


def unseeded(text: str, entry: str) -> list[str]:
    """The instructions that draw, or call what draws, where a call of `entry` may not have seeded yet; the outermost first."""
    functions = _functions(text)
    summaries = {name: _Summary(frozenset(), _ALL, ()) for name in functions}
    while True:
        # Begins with what is best, and takes back what does not hold, until nothing changes: so recursion is covered.
        following = {name: _summary(function, summaries) for name, function in functions.items()}
        if following == summaries:
            break
        summaries = following
    found: list[str] = []
    # A function that is called by its address is called from nobody knows where.
    wanted, seen = [entry, *sorted(_taken(text) & functions.keys())], set()
    for name in wanted:
        if name in seen or name not in summaries:
            continue
        seen.add(name)
        draws = summaries[name].draws
        found += draws
        wanted += [called for line in draws for called in _CALLED.findall(line)]
    return found


def _functions(text: str) -> dict[str, _Function]:
    functions: dict[str, _Function] = {}
    block: list[str] = []
    blocks: dict[str, list[str]] | None = None
    for line in text.splitlines():
        start = _DEFINE.match(line)
        if start:
            block, blocks = [], {}
            blocks[""] = block
            functions[start.group(1)] = _Function(blocks, {})
        elif line == "}":
            blocks = None
        elif blocks is not None:
            label = _LABEL.match(line)
            if label:
                # The first block may be labelled as well.
                block = blocks.setdefault(f"%{label.group(1)}", [])
                if blocks[""] == [] and len(blocks) == 2:
                    blocks[""] = [f"  br label %{label.group(1)}"]
            elif line.startswith("  ") and not line.lstrip().startswith("#dbg"):
                block.append(line)
    return {name: function._replace(states=_addresses(function)) for name, function in functions.items()}


def _addresses(function: _Function) -> dict[str, frozenset[str]]:
    states: dict[str, frozenset[str]] = {}
    results = [r.groups() for lines in function.blocks.values() for line in lines if (r := _RESULT.match(line))]
    changed = True
    while changed:
        changed = False
        for name, made in results:
            called = _CALLED.search(f" {made}")
            if called and called.group(1) in STATES:
                kinds = frozenset({STATES[called.group(1)]})
            elif _ADDRESS.match(made):
                kinds = _kinds(made, states)
            else:
                continue
            if kinds != states.get(name, frozenset()):
                states[name] = kinds
                changed = True
    return states


def _kinds(instruction: str, states: dict[str, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*(states.get(local, frozenset()) for local in _LOCAL.findall(instruction)))


def _summary(function: _Function, known: dict[str, _Summary]) -> _Summary:
    blocks = function.blocks
    before: dict[str, frozenset[str]] = dict.fromkeys(blocks, _ALL)
    before[""] = frozenset()
    after = dict.fromkeys(blocks, _ALL)
    sources: dict[str, list[str]] = {name: [] for name in blocks}
    for name, lines in blocks.items():
        for target in _TARGET.findall("\n".join(lines)):
            sources[target].append(name)
    changed = True
    while changed:
        changed = False
        for name, lines in blocks.items():
            if name:
                before[name] = _ALL.intersection(*(after[source] for source in sources[name]))
            seeded = before[name]
            for line in lines:
                seeded = _step(line, function.states, known, seeded)[1]
            if seeded != after[name]:
                after[name] = seeded
                changed = True
    requires: frozenset[str] = frozenset()
    provides = _ALL
    draws = []
    for name, lines in blocks.items():
        seeded = before[name]
        for line in lines:
            missing, seeded = _step(line, function.states, known, seeded)
            if missing:
                draws.append(line)
            requires |= missing
            if line.startswith("  ret "):
                provides &= seeded
    return _Summary(requires, provides, tuple(draws))


def _step(
    line: str, states: dict[str, frozenset[str]], known: dict[str, _Summary], seeded: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """The generators that an instruction needs and that are not seeded, and those that are seeded after it."""
    match = _RESULT.match(line)
    instruction = match.group(2) if match else line
    found = _CALLED.search(f" {instruction}")
    called = found.group(1) if found else None
    used = frozenset() if match and _ADDRESS.match(instruction) else _kinds(instruction, states)
    if called == _SEED and len(used) == 1:
        return frozenset(), seeded | used
    inside = known.get(called or "", _Summary(frozenset(), frozenset(), ()))
    return (used | inside.requires) - seeded, seeded | inside.provides


def _taken(text: str) -> set[str]:
    """Functions whose address is used otherwise than for a call."""
    taken = set()
    for line in text.splitlines():
        if not line.startswith(("define ", "declare ", "!", ";", "attributes ")):
            taken |= set(_GLOBAL.findall(_CALLED.sub(" ", f" {line}")))
    return taken


def states_text() -> str:
    """LLVM's text for the states, and for the functions that give their addresses."""
    layout = "{ i32, [624 x i32], i32, double, i32 }"
    return "declare ptr @llvm.threadlocal.address.p0(ptr)\n" + "".join(
        f"@{kind}_state = internal thread_local global {layout} zeroinitializer, align 8\n"
        f"define ptr @{name}() {{\n"
        f"  %address = call ptr @llvm.threadlocal.address.p0(ptr @{kind}_state)\n"
        f"  ret ptr %address\n}}\n"
        for name, kind in STATES.items()
    )
