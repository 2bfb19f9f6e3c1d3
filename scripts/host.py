"""Builds and runs examples/host in both variants, with functions that are exported already: host.py FOLDER."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "target" / "host"
MANIFEST = ["--manifest-path", str(ROOT / "examples/host/Cargo.toml")]


def run(*command: str, **env: str) -> str:
    """What a command prints; ends the script if it fails."""
    done = subprocess.run(command, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}")
    return done.stdout


def main() -> None:
    """Builds, runs, and runs under valgrind where there is one."""
    model = Path(sys.argv[1]).resolve()
    tree = run("cargo", "tree", "--quiet", *MANIFEST)
    if "pyo3" in tree:
        sys.exit(f"Python is in the tree of examples/host:\n{tree}")
    for features in ([], ["--features", "linked"]):
        run(
            "cargo",
            "build",
            "--quiet",
            "--release",
            *MANIFEST,
            "--target-dir",
            str(TARGET),
            *features,
            MODEL=str(model),
        )
        program = [str(TARGET / "release/ringback-host"), str(model / "loaded/model.so")]
        start = time.perf_counter()
        said = run(*program)
        print(f"{'linked' if features else 'loaded'}: {1e3 * (time.perf_counter() - start):.1f} ms\n{said}", end="")
        if not said.startswith("integral 0.148495506776 "):
            sys.exit("the integral is wrong")
        if shutil.which("valgrind"):
            # Texts of signatures are kept for ever, in a table that valgrind takes for a possible leak.
            check = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"]
            run(*check, "--show-leak-kinds=definite", *program)
            print("valgrind: clean")


if __name__ == "__main__":
    main()
