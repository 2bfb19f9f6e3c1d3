"""Builds and runs examples/host in both variants, with functions that are exported already: host.py FOLDER."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "target" / "host"
# What a program and a library may need: the C library, its maths and vector maths, and what the system itself puts there.
ALLOWED = {"linux-vdso", "ld-linux-x86-64", "libc", "libm", "libmvec"}
MANIFEST = ["--manifest-path", str(ROOT / "examples/host/Cargo.toml")]


def run(*command: str, **env: str) -> str:
    """What a command prints; ends the script if it fails."""
    done = subprocess.run(command, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}")
    return done.stdout


def check_needs(file: Path) -> None:
    """Ends the script if a file needs more shared libraries than it may."""
    needed = {Path(line.split()[0]).name.split(".")[0] for line in run("ldd", str(file)).splitlines()}
    if not needed <= ALLOWED:
        sys.exit(f"{file} needs {', '.join(sorted(needed - ALLOWED))}")


def build(model: Path, *options: str) -> None:
    """Builds the program for the model in a folder."""
    run("cargo", "build", "--quiet", "--release", *MANIFEST, "--target-dir", str(TARGET), *options, MODEL=str(model))


def main() -> None:
    """Builds, runs, looks at what the program needs, and runs under valgrind where there is one."""
    model = Path(sys.argv[1]).resolve()
    tree = run("cargo", "tree", "--quiet", *MANIFEST)
    if "pyo3" in tree:
        sys.exit(f"Python is in the tree of examples/host:\n{tree}")
    for features in ([], ["--features", "linked"]):
        build(model, *features)
        program = [str(TARGET / "release/ringback-host"), str(model / "loaded/model.so")]
        start = time.perf_counter()
        said = run(*program)
        print(f"{'linked' if features else 'loaded'}: {1e3 * (time.perf_counter() - start):.1f} ms\n{said}", end="")
        if not said.startswith("integral 0.148495506776 "):
            sys.exit("the integral is wrong")
        check_needs(TARGET / "release/ringback-host")
        check_needs(model / "loaded/model.so")
        if shutil.which("valgrind"):
            # It does not know every instruction of AVX2 and AVX-512.
            build(model, "--no-default-features", *features)
            # Texts of signatures are kept for ever, in a table that valgrind takes for a possible leak.
            check = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"]
            run(*check, "--show-leak-kinds=definite", *program)
            print("valgrind: clean")


if __name__ == "__main__":
    main()
