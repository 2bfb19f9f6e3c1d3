"""Tests the package that `make` built with the oldest versions of everything that we say will do (requirements-oldest.txt).

What is given on the command line goes to pytest. With `--crates` the crates are built with the oldest of theirs instead.
"""

import os
import shutil
import subprocess
import sys

from install import ROOT, wheels_of
from other_pythons import interpreters

VENV = ROOT / ".venv-oldest"
# The oldest of each range in Cargo.toml, as far as they have not been withdrawn.
CRATES = {
    "pyo3": "0.28.2",
    "ndarray": "0.17.1",
    "num-complex": "0.4.6",
    "libloading": "0.9.0",
    "crc32fast": "1.5.0",
    "rayon": "1.10.0",
    "rand_chacha": "0.10.0",
}
# It takes a library away, which LD_LIBRARY_PATH brings back.
WITHOUT = "tests/test_export_blas.py::test_a_machine_without_the_library_is_a_typed_error"


def package(arguments: list[str]) -> int:
    """Runs the Python tests, on the oldest CPython that is here."""
    # The running one is not among the others.
    here = (f"python{sys.version_info[0]}.{sys.version_info[1]}", sys.executable)
    _, path = min([here, *interpreters()], key=lambda found: int(found[0].rpartition(".")[2]))
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([path, "-m", "venv", VENV], check=True)
    pip = [python, "-m", "pip", "install", "--quiet"]
    wheels = [next(wheels_of(ROOT / folder).glob("*.whl")) for folder in (".", "examples/demo", "tests/extension")]
    # The first line has pip look whether the wheel agrees to these versions.
    subprocess.run([*pip, "-r", ROOT / "requirements-oldest.txt", wheels[0]], check=True)
    subprocess.run([*pip, "--force-reinstall", "--no-deps", *wheels], check=True)
    (site,) = VENV.glob("lib/python3*/site-packages")
    # Older wheels have an OpenBLAS that does not find Fortran's library beside it.
    libraries = ":".join(str(site / name) for name in ("scipy.libs", "numpy.libs"))
    command = [python, "-m", "pytest", "-q", "--deselect", WITHOUT, *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "LD_LIBRARY_PATH": libraries}, check=False).returncode


def crates() -> int:
    """Builds all crates, and tests `ringback`, in a copy: Cargo.lock stays as it is."""
    copy = ROOT / "target" / "oldest" / "sources"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    for name in ("crates", "examples/demo", "tests/extension", "benches/peers", "include", "docs"):
        shutil.copytree(ROOT / name, copy / name, symlinks=True)
    for name in ("Cargo.toml", "Cargo.lock", "README.md", "LICENSE-MIT", "LICENSE-APACHE"):
        shutil.copy(ROOT / name, copy / name)
    # What the oldest pyo3 was about to change need not be heard of.
    ours = {"CARGO_TARGET_DIR": str(ROOT / "target" / "oldest" / "built"), "RUSTFLAGS": "-A deprecated"}
    environment = {**os.environ, **ours}

    def cargo(*arguments: str) -> int:
        return subprocess.run(["cargo", *arguments], cwd=copy, env=environment, check=False).returncode

    steps = [("update", "--quiet", "-p", name, "--precise", version) for name, version in CRATES.items()]
    steps += [("check", "--quiet", "--workspace"), ("check", "--quiet", "-p", "ringback", "--all-features")]
    steps += [("test", "--quiet", "-p", "ringback", "--features", "ndarray,complex,loader", "--tests")]
    return next((code for step in steps if (code := cargo(*step))), 0)


if __name__ == "__main__":
    sys.exit(crates() if sys.argv[1:] == ["--crates"] else package(sys.argv[1:]))
