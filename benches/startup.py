"""From `python script.py` to the result: with nothing on disk, and with the code there; and what the time goes to.

Usage: startup.py [--write]. Each figure is the least of several processes; `--write` puts the table into docs/startup.md.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "startup.md"

SCRIPT = """
import numpy as np
from ringback.integrate import quad

print(quad(lambda t: np.exp(-t) / t**2, 1, np.inf).value)
"""

# The same, a step at a time. What a step imports, the next one has. All processes have the same clock on Linux.
STEPS = """
import json, time
marks = []
def mark(name):
    marks.append((name, time.perf_counter()))
mark("Python")
import numpy as np
mark("`import numpy`")
from ringback.integrate import quad
mark("`import ringback`")
import llvmlite.binding
mark("`import llvmlite`")
from ringback import fingerprint
fingerprint._environment()
mark("versions, CPU, vector library: what the key is made of")
from ringback.backend import objects
objects._engine()
mark("LLVM's linker")
quad(lambda t: np.exp(-t) / t**2, 1, np.inf)
mark("the key, the file, loading it, the integral")
print(json.dumps(marks))
"""


def run(folder: str, source: str) -> tuple[float, float, str]:
    """When a process with this source began and ended, in seconds, and what it printed."""
    script = Path(folder) / "script.py"
    script.write_text(source)
    environment = {**os.environ, "RINGBACK_CACHE": "1", "RINGBACK_CACHE_DIR": folder}
    began = time.perf_counter()
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)
    return began, time.perf_counter(), done.stdout


def whole(folder: str) -> float:
    """Seconds from start to end."""
    began, ended, _ = run(folder, SCRIPT)
    return ended - began


def taken(folder: str) -> list[tuple[str, float]]:
    """Seconds that each step takes."""
    began, ended, output = run(folder, STEPS)
    marks = [("", began), *json.loads(output), ("the end of the process", ended)]
    return [(name, after - before) for (_, before), (name, after) in itertools.pairwise(marks)]


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        first = []
        for _ in range(3):
            for file in Path(folder).glob("objects/*.code"):
                file.unlink()
            first.append(whole(folder))
        second = min(whole(folder) for _ in range(9))
        steps = [taken(folder) for _ in range(10)][1:]
    rows = [("first process", min(first)), ("second process", second)]
    for each in zip(*steps, strict=True):
        rows.append((f"of it: {each[0][0]}", min(seconds for _, seconds in each)))
    table = "\n".join(["| | ms |", "|---|---:|", *(f"| {name} | {seconds * 1e3:.0f} |" for name, seconds in rows)])
    print(table)
    if "--write" in sys.argv[1:]:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(re.sub(r"\| \| ms \|\n(\|.*\n)+", table + "\n", text), encoding="utf-8")


if __name__ == "__main__":
    main()
