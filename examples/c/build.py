"""Compiles the two extension modules into a folder: build.py FOLDER. Needs a C compiler; C++ is left out if there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include"
# The limited API: one build for every CPython from 3.10 on.
COMMON = ["-O2", "-g", "-fPIC", "-shared", "-Wall", "-Wextra", "-pedantic", "-Werror", "-DPy_LIMITED_API=0x030a0000"]


def compile_module(compiler: str, standard: str, name: str, sources: list[str], folder: Path, *flags: str) -> Path:
    """One extension module; returns its file."""
    target = folder / f"{name}.abi3.so"
    # System headers, for the compiler: no warnings about what is not ours.
    headers = ["-I", str(INCLUDE), "-isystem", sysconfig.get_path("include")]
    undefined = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    command = [compiler, standard, *COMMON, *headers, *undefined, *flags, "-o", str(target)]
    subprocess.run([*command, *(str(HERE / source) for source in sources)], check=True)
    return target


def build(folder: Path, *flags: str) -> list[str]:
    """Compiles what there are compilers for; the names of the modules."""
    folder.mkdir(parents=True, exist_ok=True)
    cc, cxx = (shutil.which(os.environ.get(v) or v.lower().replace("cxx", "c++")) for v in ("CC", "CXX"))
    if cc is None:
        raise SystemExit("no C compiler: install one as `cc`, or name it in CC")
    # take.c is C; the C++ module links it as such.
    compile_module(cc, "-std=c11", "example_c", ["module.c", "offer.c", "solvers.c", "take.c"], folder, *flags)
    if cxx is None:
        return ["example_c"]
    objects = folder / "take.o"
    compile = [cc, "-std=c11", *(f for f in COMMON if f != "-shared"), *flags, "-I", str(INCLUDE)]
    compile += ["-isystem", sysconfig.get_path("include"), "-c", str(HERE / "take.c"), "-o", str(objects)]
    subprocess.run(compile, check=True)
    compile_module(cxx, "-std=c++17", "example_cpp", ["module.cpp", str(objects)], folder, "-pthread", *flags)
    return ["example_c", "example_cpp"]


if __name__ == "__main__":
    print("built", ", ".join(build(Path(sys.argv[1]), *sys.argv[2:])))
