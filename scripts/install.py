"""Builds a wheel of a package in this repository and installs it: install.py PYTHON FOLDER."""

import subprocess
import sys
import tempfile
from pathlib import Path

python, folder = sys.argv[1], Path(sys.argv[2])
with tempfile.TemporaryDirectory() as wheels:
    build = ["-m", "maturin", "build", "--release", "--quiet", "--interpreter", python, "--out", wheels]
    subprocess.run([sys.executable, *build], cwd=folder, check=True)
    (wheel,) = Path(wheels).glob("*.whl")
    # Dependencies are in the environment already; forcing replaces an older build of the same version.
    install = ["-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", str(wheel)]
    subprocess.run([python, *install], check=True)
