"""How long from `python script.py` to the result?"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from common import Table, report

NUMPY = "import numpy as np\n"
FUNCTION = "def f(t):\n    return np.exp(-t) / t**2\n"
OURS = f"{NUMPY}from ringback.integrate import quad\n{FUNCTION}assert abs(quad(f, 1, np.inf).value - 0.148495506775922) < 1e-8\n"

SCRIPTS = {
    "`ringback.integrate.quad` of a plain function, cached by an earlier process": OURS,
    "an empty script": "",
    "`import numpy`": NUMPY,
    "`import ringback`": "import ringback\n",
    "`import llvmlite.binding`": "import llvmlite.binding\n",
    "`import numba`": "import numba\n",
    "`numba.njit` of the function, one call": f"{NUMPY}import numba\n{FUNCTION}numba.njit(f)(1.0)\n",
    "`scipy.integrate.quad` of the plain function": f"{NUMPY}from scipy.integrate import quad\n{FUNCTION}quad(f, 1, np.inf)\n",
}


def run(script: str, **environment: str) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, **environment})
    return (time.perf_counter() - start) * 1e3


def tables() -> list[Table]:
    table = Table("From starting Python to the end of a script", "ms")
    with tempfile.TemporaryDirectory() as folder:
        for name, script in SCRIPTS.items():
            # The first run puts the code into the cache, where there is any.
            run(script, RINGBACK_CACHE_DIR=folder)
            table.add(name, min(run(script, RINGBACK_CACHE_DIR=folder) for _ in range(5)))
    table.add("`ringback.integrate.quad`, nothing cached", min(run(OURS, RINGBACK_CACHE="0") for _ in range(5)))
    return [table]


if __name__ == "__main__":
    report(tables())
