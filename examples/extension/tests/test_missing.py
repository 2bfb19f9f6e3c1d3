"""Without the package ringback, importing works, functions written in Rust work, and the rest says what to install."""

import subprocess
import sys

SCRIPT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "ringback":
            raise ModuleNotFoundError("No module named 'ringback'", name="ringback")

sys.meta_path.insert(0, Missing())

import ergodic

draws = ergodic.metropolis(ergodic.gaussian([0.0], [1.0]), [0.0], draws=10)
assert draws.x.shape == (4, 10, 1)
try:
    ergodic.metropolis(lambda x: 0.0, [0.0])
except ImportError as error:
    print(error)
    print(type(error.__cause__).__name__, error.__cause__)
"""


def test_the_error_says_what_to_install() -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    first, second = ran.stdout.splitlines()
    assert first == (
        "a callback f64([f64]) was asked for, and to compile a Python function for it the package `ringback` is needed, which "
        "could not be imported: pip install ringback"
    )
    assert second == "ModuleNotFoundError No module named 'ringback'"
