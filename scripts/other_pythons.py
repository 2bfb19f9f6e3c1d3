"""Runs the Python tests on each other CPython that is found here and that Numba supports, with the same abi3 wheels."""

import shutil
import subprocess
import sys
from pathlib import Path

from install import wheels_of

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = [(3, minor) for minor in range(10, 14)]


def works(python: str, version: tuple[int, int]) -> bool:
    """Whether the name on the PATH is an interpreter of that version (it may be an inactive version manager's shim)."""
    code = "import sys, venv, ensurepip; print(sys.version_info[:2])"
    probe = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return probe.returncode == 0 and probe.stdout.strip() == str(version)


def interpreters() -> list[tuple[str, str]]:
    """Name and path of each interpreter to test beside the one that runs this."""
    found = []
    for version in SUPPORTED:
        name = f"python{version[0]}.{version[1]}"
        versions = Path.home() / ".pyenv" / "versions"
        candidates = [shutil.which(name), *sorted(map(str, versions.glob(f"{version[0]}.{version[1]}.*/bin/{name}")))]
        path = next((c for c in candidates if c and works(c, version)), None)
        if path and version != sys.version_info[:2]:
            found.append((name, path))
    return found


def main() -> int:
    """Tests each; the exit code is the first failure's."""
    others = interpreters()
    if not others:
        print("no other CPython from 3.10 to 3.13 found: tested on this one only")
    for name, path in others:
        venv = ROOT / f".venv-{name}"
        python = venv / "bin" / "python"
        if not python.exists():
            subprocess.run([path, "-m", "venv", venv], check=True)
        pip = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "-r", ROOT / "requirements-dev.txt"], check=True)
        wheels = [next(wheels_of(ROOT / folder).glob("*.whl")) for folder in (".", "examples/demo", "tests/extension")]
        subprocess.run([*pip, "--force-reinstall", "--no-deps", *wheels], check=True)
        print(f"== {name}", flush=True)
        code = subprocess.run([python, "-m", "pytest", "-q"], cwd=ROOT, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
