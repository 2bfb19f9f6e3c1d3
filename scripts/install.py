"""Builds a wheel of a package in this repository, for every CPython from 3.10 on, and installs it: install.py PYTHON FOLDER."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def wheels_of(folder: Path) -> Path:
    """Where the wheel of a package is kept, for the other interpreters to install."""
    return ROOT / "target" / "wheels" / (folder.resolve().name if folder.resolve() != ROOT else "package")


def main() -> None:
    """Builds and installs."""
    python, folder = sys.argv[1], Path(sys.argv[2])
    wheels = wheels_of(folder)
    shutil.rmtree(wheels, ignore_errors=True)
    build = ["-m", "maturin", "build", "--release", "--quiet", "--interpreter", python, "--out", str(wheels)]
    subprocess.run([sys.executable, *build], cwd=folder, check=True)
    (wheel,) = wheels.glob("*.whl")
    # Dependencies are in the environment already; forcing replaces an older build of the same version.
    install = ["-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", str(wheel)]
    subprocess.run([python, *install], check=True)


if __name__ == "__main__":
    main()
