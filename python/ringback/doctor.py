"""`ringback doctor`: what there is on this machine, what is missing, and what to do about it."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from . import cache
from .errors import too_old


class Finding(NamedTuple):
    """One line: what, what was found, and what to do (empty if nothing). `broken` makes the exit code 1."""

    what: str
    found: str
    remedy: str = ""
    broken: bool = False


def add_command(commands: Any) -> None:
    """Adds `doctor` to the command line."""
    text = "what there is on this machine, what is missing, and what to do about it"
    commands.add_parser("doctor", help=text, description=text).set_defaults(run=_run)


def _run(_: argparse.Namespace) -> int:
    broken = False
    for finding in examine():
        print(f"{finding.what + ':':<16}{finding.found}")
        if finding.remedy:
            print(f"{'':<16}→ {finding.remedy}")
        broken |= finding.broken
    return int(broken)


def examine() -> Iterator[Finding]:
    """The findings, in order."""
    yield Finding("ringback", _version("ringback"))
    yield Finding("Python", f"{platform.python_version()} ({sys.implementation.name}, {platform.platform()})")
    for package in ("numpy", "numba", "llvmlite"):
        found = _version(package)
        remedy = f"python -m pip install {package}" if found == _ABSENT else ""
        if package == "numba" and found != _ABSENT:
            remedy = too_old(found) or ""
        yield Finding(package, found, remedy, bool(remedy))
    found = _version("scipy")
    yield Finding("scipy", found, "only for low_level_callable() and np.linalg" if found == _ABSENT else "")
    try:
        yield from _machine()
    except ImportError as error:
        yield Finding("CPU", f"cannot be told: {error}", "install llvmlite", True)
    why = cache.disabled()
    make = why is None
    why = why or cache.state(make).refused
    yield Finding("cache", cache.summary(make), "each process compiles anew until then" if why else "")
    yield from _compilers()
    yield _self_test()


_ABSENT = "not installed"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return _ABSENT


def _machine() -> Iterator[Finding]:
    import llvmlite.binding as llvm

    from .backend.machine import register_bits, vector_library
    from .backend.vectormath import INTRINSICS, OTHERS

    bits = register_bits()
    vectors = f", vector registers of {bits} bits" if bits else ""
    yield Finding("LLVM", ".".join(map(str, llvm.llvm_version_info)))
    yield Finding("CPU", f"{llvm.get_host_cpu_name()} ({platform.machine()}){vectors}")
    known = vector_library()
    if known is not None:
        found = {name for name, _ in known.functions}
        lacking = [name for name in (*INTRINSICS, *OTHERS) if name not in found]
        remedy = f"without {', '.join(lacking)}, which are called a point at a time; glibc 2.35 and later has them"
        yield Finding("vector maths", f"{known.path}, {len(found)} functions", remedy if lacking else "")
    elif sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64"):
        yield Finding(
            "vector maths",
            "libmvec.so.1 is missing: exp, sin and the like are called a point at a time",
            "install glibc's libmvec (it comes with glibc 2.22 and later; musl has none)",
        )
    else:
        yield Finding(
            "vector maths",
            "there is none for this platform (it is for Linux on x86-64): exp, sin and the like are called a point at a "
            "time; arithmetic is vectorised all the same",
        )


def _compilers() -> Iterator[Finding]:
    """They are for those who build extensions; the package itself needs none."""
    cc = os.environ.get("CC", "").split()[:1] or ["cc", "gcc", "clang"]
    yield _tool("C compiler", [(name, ["--version"]) for name in cc], "only to build programs in C")
    yield _tool("Rust", [("rustc", ["--version"])], "only to build extensions in Rust, 1.89 or later")


def _tool(what: str, commands: list[tuple[str, list[str]]], purpose: str) -> Finding:
    for name, arguments in commands:
        path = shutil.which(name)
        if path is None:
            continue
        try:
            done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.SubprocessError):
            continue
        if done.returncode == 0 and done.stdout:
            return Finding(what, f"{path}, {done.stdout.splitlines()[0]}")
    return Finding(what, "not found", f"needed {purpose}")


def _self_test() -> Finding:
    """Compiles, integrates and raises."""
    try:
        from .errors import self_test
        from .integrate import quad

        self_test()
        scale = float(os.getpid())
        found = quad(lambda t: scale * t**2, 0.0, 3.0)
        if abs(found.value - 9.0 * scale) > 1e-12 * scale:
            return Finding("self-test", f"an integral is {found.value / scale}, and should be 9", "report this", True)
    except Exception as error:
        text = " ".join(str(error).split())
        return Finding("self-test", f"failed: {type(error).__name__}: {text}", "reinstall ringback and numba", True)
    return Finding("self-test", "passed")
