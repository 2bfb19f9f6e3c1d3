"""Optimises LLVM text for this machine, generates code, and loads it."""

from __future__ import annotations

import functools
import itertools
import re
import threading
from typing import Any

import llvmlite.binding as llvm

from ..signature import Signature
from . import block
from .vectormath import Library, library, prepare, substitute

_lock = threading.Lock()


@functools.cache
def target_machine() -> llvm.TargetMachine:
    """Makes code for just this CPU."""
    return _new_target_machine()


def _new_target_machine() -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features(), opt=3, reloc="default", codemodel="jitdefault", jit=True
    )


@functools.cache
def features() -> str:
    """The CPU's features, as LLVM writes them."""
    return llvm.get_host_cpu_features().flatten()


@functools.cache
def register_bits() -> int:
    """The widest vector registers of this CPU, on platforms with a vector library; 0 elsewhere."""
    known = set(features().split(","))
    if {"+avx512f", "+avx512dq"} <= known:
        return 512
    return 256 if "+avx2" in known else 128 if "+sse2" in known else 0


@functools.cache
def vector_library() -> Library | None:
    """The vector maths for this CPU."""
    return library(register_bits())


@functools.cache
def _engine() -> llvm.ExecutionEngine:
    # Never freed, as Numba's is not: addresses of code stay valid. It takes its target machine for itself.
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), _new_target_machine())


def load(module: llvm.ModuleRef, name: str) -> int:
    """Generates code and loads it: the address of the function of that name, which must be nobody else's."""
    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(target_machine().emit_object(module)))
    engine.finalize_object()
    return engine.get_function_address(name)


def _optimise(module: llvm.ModuleRef) -> None:
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = True
    tuning.slp_vectorization = True
    builder = llvm.create_pass_builder(target_machine(), tuning)
    builder.getModulePassManager().run(module, builder)


def _inline(module: llvm.ModuleRef) -> None:
    tuning = llvm.create_pipeline_tuning_options(speed_level=0)
    builder = llvm.create_pass_builder(target_machine(), tuning)
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.run(module, builder)


class Block:
    """A loaded block entry: its address, and the texts behind it."""

    def __init__(self, address: int, module: llvm.ModuleRef) -> None:
        self.address = address
        self._module = str(module)

    def llvm(self) -> str:
        """The optimised LLVM text."""
        return self._module

    def asm(self) -> str:
        """The assembly text."""
        return target_machine().emit_assembly(llvm.parse_assembly(self._module))


_FUNCTION = re.compile(rf"^define [^\n]*@{block.NAME}\(.*?^}}", re.M | re.S)
_VECTOR = re.compile(r"<\d+ x (?:double|float|i\d+)>")
# What reads Numba's environment, or, where LLVM has seen that this copy of it is empty, the complaint that is left of it.
_ENVIRONMENT = re.compile(r"@_ZN08NumbaEnv|missing Environment")


def block_of(text: str, entry: str, signature: Signature, vector_math: bool = True) -> Block | None:
    """The block entry for a compiled function, or None where it would be no better than calls one by one.

    `text` is Numba's LLVM text of the function, `entry` its name in it. With `vector_math`, exp and the like come from the
    platform's vector library (4 units in the last place); without, from its scalar one, exactly.
    """
    if not block.expressible(signature):
        return None
    with _lock:
        module = _vectorised(text, entry, signature, vector_library() if vector_math else None)
        if module is None or not _resolvable(module):
            return None
        name = f"{block.NAME}_{next(_numbers)}"
        module.get_function(block.NAME).name = name
        return Block(load(module, name), module)


_numbers = itertools.count()


def _vectorised(text: str, entry: str, signature: Signature, known: Library | None) -> llvm.ModuleRef | None:
    text, declared = prepare(text, known)
    module = llvm.parse_assembly(text + declared + block.source(signature, _quoted(entry)))
    for function in module.functions:
        if not function.is_declaration and function.name != block.NAME:
            function.linkage = "internal"
    for variable in module.global_variables:
        if not variable.is_declaration and not variable.name.startswith("llvm."):
            variable.linkage = "internal"
    module.get_function(entry).add_function_attribute("alwaysinline")
    _optimise(module)
    text = str(module)
    body = _FUNCTION.search(text)
    # Not in the loop itself only: an exception made before it reads the environment too, when it is raised, and that of
    # this copy of the code is empty.
    if body is None or not _VECTOR.search(body.group(0)) or _ENVIRONMENT.search(text):
        return None
    module = llvm.parse_assembly(substitute(text, known))
    _inline(module)
    module.verify()
    return module


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w.$-]+", name) else f'"{name}"'


def _resolvable(module: llvm.ModuleRef) -> bool:
    """Whether every symbol that the code needs is in this process: LLVM's linker ends the process over one that is not."""
    needed: list[Any] = [*module.functions, *module.global_variables]
    return all(
        not symbol.is_declaration or symbol.name.startswith("llvm.") or llvm.address_of_symbol(symbol.name)
        for symbol in needed
    )
