"""From `python script.py` to the result: with nothing on disk, and with the code there; and what the time goes to.

Usage: startup.py [--write]. Each figure is the least of several processes; `--write` puts the tables into docs/startup.md.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import resource
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

# What functions do, beyond numbers: its name in the table, and a script that ends with a call.
KINDS = {
    "numbers only": "quad(lambda t: np.exp(-t) / t**2, 1, np.inf)",
    "temporary arrays": """
def f(a):
    return (a * a + 1).sum() + np.sort(a)[0]
rb.compile(f, "f64([f64])")(np.ones(9))
""",
    "an exception with values of the call, caught": """
def f(x):
    if x > 1:
        raise ValueError("too large", x)
    return x
try:
    rb.compile(f, "f64(f64)")(2.0)
except ValueError:
    pass
""",
    "lists, dictionaries, text": """
def f(x):
    known = {"a": x, "b": 2 * x}
    return sum([known["ab"[i]] for i in range(2)]) + len(str(int(x)))
rb.compile(f, "f64(f64)")(2.0)
""",
    "random numbers": """
def f(x):
    return x + np.random.normal()
rb.compile(f, "f64(f64)")(2.0)
""",
    "`@`, `np.dot`, `np.linalg`": """
def f(m, x):
    return x @ (m @ x)
rb.compile(f, "f64([f64; :, :], [f64])")(np.eye(3), np.ones(3))
""",
    "prints text": """
def f(x):
    print("x is", x)
    return x
rb.compile(f, "f64(f64)")(2.0)
""",
}
KIND = """
import sys
import numpy as np
import ringback as rb
from ringback.integrate import quad
{}
print(", ".join(name for name in ("Numba", "SciPy") if name.lower() in sys.modules) or "neither")
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


def kind(folder: str, source: str) -> tuple[float, float, str]:
    """Processor time in seconds of the first process and of the second, and what the second imports."""
    taken = []
    for _ in range(9):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        _, _, output = run(folder, KIND.format(source))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        taken.append((seconds, output.splitlines()[-1]))
    return taken[0][0], *min(taken[1:])


def replaced(text: str, heading: str, table: str) -> str:
    """The page with another table under the heading of the one that it has."""
    return re.sub(re.escape(heading) + r"\n(\|.*\n)+", lambda _: table + "\n", text)


def main() -> None:
    """Prints the tables."""
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
    heading = "| | ms |"
    table = "\n".join([heading, "|---|---:|", *(f"| {name} | {seconds * 1e3:.0f} |" for name, seconds in rows)])
    kinds_heading = "| a function with | first process, ms | second process, ms | which imports |"
    lines = [kinds_heading, "|---|---:|---:|---|"]
    with tempfile.TemporaryDirectory() as folder:
        for name, source in KINDS.items():
            before, after, imported = kind(folder, source)
            lines.append(f"| {name} | {before * 1e3:.0f} | {after * 1e3:.0f} | {imported} |")
    kinds = "\n".join(lines)
    print(table, kinds, sep="\n\n")
    if "--write" in sys.argv[1:]:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(replaced(replaced(text, heading, table), kinds_heading, kinds), encoding="utf-8")


if __name__ == "__main__":
    main()
