"""Hostile input from Python: a crash there would be the worst of bugs, so it is looked for in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

CASES = Path(__file__).with_name("hostile")


def test_no_hostile_input_crashes_the_interpreter() -> None:
    environment = {**os.environ, "RUST_BACKTRACE": "0"}
    command = [
        sys.executable,
        "-X",
        "faulthandler",
        "-m",
        "pytest",
        "-q",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
        "-o",
        "python_files=case_*.py",
        str(CASES),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, env=environment, cwd=CASES.parent.parent
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
    counted = re.search(r"(\d+) passed", done.stdout)
    assert counted is not None
    assert int(counted[1]) >= 186
    assert "skipped" not in done.stdout
