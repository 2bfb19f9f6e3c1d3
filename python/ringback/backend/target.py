"""The CPUs that code can be made for, beside the one that this process runs on."""

from __future__ import annotations

import functools

import llvmlite.binding as llvm

# Features that code generation can make use of and that a loader can ask the CPU for. LLVM's names.
_V2 = ("cx16", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3")
_V3 = (*_V2, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")
_V4 = (*_V3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl")
_FURTHER = (
    "adx", "aes", "avx512bitalg", "avx512ifma", "avx512vbmi", "avx512vbmi2", "avx512vnni", "avx512vpopcntdq",
    "gfni", "pclmul", "sha", "vaes", "vpclmulqdq",
)  # fmt: skip
LEVELS = {"generic": (), "x86-64-v2": _V2, "x86-64-v3": _V3, "x86-64-v4": _V4}
# What every x86-64 CPU has.
_BASE = frozenset({"64bit", "cmov", "cx8", "fxsr", "mmx", "sse", "sse2", "x87"})


class Target:
    """A CPU to make code for: by name, its LLVM target machine, what a CPU must have, and its widest vectors."""

    def __init__(self, name: str, cpu: str, flags: str, needs: tuple[str, ...]) -> None:
        self.name = name
        # Sorted: it stands in files that are compared.
        self.needs = tuple(sorted(needs))
        self._cpu = cpu
        self._flags = flags

    def machine(self) -> llvm.TargetMachine:
        """A new target machine, for code that may be loaded at any address."""
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        target = llvm.Target.from_default_triple()
        return target.create_target_machine(
            cpu=self._cpu, features=self._flags, opt=3, reloc="pic", codemodel="default"
        )

    @property
    def register_bits(self) -> int:
        """The widest vector registers."""
        needs = set(self.needs)
        return 512 if {"avx512f", "avx512dq"} <= needs else 256 if "avx2" in needs else 128


@functools.cache
def target(name: str) -> Target:
    """The target of a name: `generic` (every x86-64 CPU), `native` (this one), `x86-64-v2`, `-v3` or `-v4`."""
    if name == "native":
        host = llvm.get_host_cpu_features()
        usable = {*_V4, *_FURTHER}
        needs = tuple(feature for feature, present in host.items() if present and feature in usable)
        # What no loader could ask for is turned off, so that nothing comes from it.
        flags = [("+" if f in needs else "-") + f for f in sorted(host) if f not in _BASE]
        return Target(name, llvm.get_host_cpu_name(), ",".join(flags), needs)
    if name not in LEVELS:
        raise ValueError(f"target_cpu is one of {', '.join([*LEVELS, 'native'])}; found {name!r}")
    return Target(name, "x86-64" if name == "generic" else name, "", LEVELS[name])
