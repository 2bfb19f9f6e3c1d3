"""The machine that code is made for: this CPU, its vector registers, its vector library."""

from __future__ import annotations

import functools

import llvmlite.binding as llvm

from .vectormath import Library, library


@functools.cache
def target_machine() -> llvm.TargetMachine:
    """Makes code for just this CPU."""
    return new_target_machine()


def new_target_machine() -> llvm.TargetMachine:
    """One of one's own, for who takes it for good."""
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


def assembly(text: str) -> str:
    """The assembly text of LLVM text."""
    return target_machine().emit_assembly(llvm.parse_assembly(text))
