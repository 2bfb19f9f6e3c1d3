"""Builds and tests examples/extension as a stranger would: from its own folder, in an environment of its own.

Of this repository it gets the crate `ringback`, through the path in its Cargo.toml, and the wheel that `make` built, which
must be in target/wheels. Cargo's target folder is one of its own too, and is kept for the next time.
"""

import os
import shutil
import subprocess
import sys

from install import ROOT, wheels_of

FOLDER = ROOT / "examples" / "extension"
VENV = ROOT / ".venv-extension"


def main() -> None:
    """Builds, installs, tests."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    # Neither our environment nor our settings: only what the package itself asks for.
    ours = {"CARGO_TARGET_DIR": str(ROOT / "target" / "extension"), "PYO3_PYTHON": str(python)}
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")} | ours

    def run(*command: object) -> None:
        subprocess.run([str(part) for part in command], cwd=FOLDER, env=environment, check=True)

    # `wheels_of` has the name of the last folder only, and tests/extension has that too.
    wheels = ROOT / "target" / "extension" / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    run(python, "-m", "pip", "install", "--quiet", "maturin==1.16.0", "pytest>=8")
    run(python, "-m", "maturin", "build", "--release", "--locked", "--quiet", "--interpreter", python, "--out", wheels)
    (ringback,) = wheels_of(ROOT).glob("*.whl")
    (extension,) = wheels.glob("*.whl")
    # The first line gets what both need from the registry, Numba for one; the second replaces older builds.
    run(python, "-m", "pip", "install", "--quiet", ringback, extension)
    run(python, "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", ringback, extension)
    run(python, "-m", "pytest", "-q")


if __name__ == "__main__":
    main()
