"""Optimises LLVM text for this machine, and generates code for blocks of points."""

from __future__ import annotations

import re
import threading
from typing import Any, NamedTuple

import llvmlite.binding as llvm

from ..signature import Signature
from . import block
from .machine import target_machine, vector_library
from .objects import emit, internalise, missing, portable
from .vectormath import Library, prepare, substitute

# One at a time: LLVM is not asked from several threads at once.
lock = threading.Lock()


def optimise(module: llvm.ModuleRef, machine: llvm.TargetMachine) -> None:
    """Runs LLVM's passes of the highest level."""
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = True
    tuning.slp_vectorization = True
    builder = llvm.create_pass_builder(machine, tuning)
    builder.getModulePassManager().run(module, builder)


def inline(module: llvm.ModuleRef, machine: llvm.TargetMachine) -> None:
    """Inlines what is marked to be inlined in any case, and does nothing else."""
    tuning = llvm.create_pipeline_tuning_options(speed_level=0)
    builder = llvm.create_pass_builder(machine, tuning)
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.run(module, builder)


class Block(NamedTuple):
    """The code of a block entry: its name in the object, the object, and the optimised LLVM text behind it.

    `portable` says whether it would mean the same in another process.
    """

    name: str
    code: bytes
    text: str
    portable: bool


_FUNCTION = re.compile(rf"^define [^\n]*@{block.NAME}\(.*?^}}", re.M | re.S)
_VECTOR = re.compile(r"<\d+ x (?:double|float|i\d+)>")
# What reads Numba's environment, or, where LLVM has seen that this copy of it is empty, the complaint that is left of it.
ENVIRONMENT = re.compile(r"@_ZN08NumbaEnv|missing Environment")


def block_of(text: str, entry: str, signature: Signature, name: str, vector_math: bool = True) -> Block | None:
    """The block entry for a compiled function, or None where it would be no better than calls one by one.

    `text` is Numba's LLVM text of the function, `entry` its name in it; `name` is what the block entry is to be called. With
    `vector_math`, exp and the like come from the platform's vector library (4 units in the last place); without, from
    its scalar one, exactly.
    """
    if not block.expressible(signature):
        return None
    with lock:
        module = vectorised(text, entry, signature, vector_library() if vector_math else None, target_machine())
        if module is None or not resolvable(module):
            return None
        module.get_function(block.NAME).name = name
        code = emit(module)
    # A symbol that the code generator has put in: where none of an object can be told, the module's have to do.
    return None if missing(code) else Block(name, code, str(module), portable(module))


def vectorised(
    text: str, entry: str, signature: Signature, known: Library | None, machine: llvm.TargetMachine
) -> llvm.ModuleRef | None:
    """The module of a block entry, by the name of `block.NAME`; None where its loop was not vectorised."""
    text, declared = prepare(text, known)
    module = llvm.parse_assembly(text + declared + block.source(signature, quoted(entry)))
    internalise(module, {block.NAME})
    module.get_function(entry).add_function_attribute("alwaysinline")
    optimise(module, machine)
    text = str(module)
    body = _FUNCTION.search(text)
    # Not in the loop itself only: an exception made before it reads the environment too, when it is raised, and that of
    # this copy of the code is empty.
    if body is None or not _VECTOR.search(body.group(0)) or ENVIRONMENT.search(text):
        return None
    module = llvm.parse_assembly(substitute(text, known))
    inline(module, machine)
    module.verify()
    return module


def quoted(name: str) -> str:
    """A name in LLVM text."""
    return name if re.fullmatch(r"[\w.$-]+", name) else f'"{name}"'


def resolvable(module: llvm.ModuleRef) -> bool:
    """Whether every symbol that the code needs is in this process: LLVM's linker ends the process over one that is not."""
    needed: list[Any] = [*module.functions, *module.global_variables]
    return all(
        not symbol.is_declaration or symbol.name.startswith("llvm.") or llvm.address_of_symbol(symbol.name)
        for symbol in needed
    )
