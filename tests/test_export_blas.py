"""Linear algebra in exported libraries: with a library that is named, with plain products, and refused without either."""

import ctypes
import glob
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import ringback as rb
import scipy
from numba import _helperlib
from ringback import _ringback
from ringback.backend import link
from ringback.exports.blas import _FACTORISATIONS, _PRODUCTS, blas

pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux" or os.uname().machine != "x86_64", reason="export knows x86-64 Linux only"
    ),
    pytest.mark.filterwarnings("ignore:.*is faster on contiguous arrays"),
]

TYPES = {"f32": np.float32, "f64": np.float64, "c64": np.complex64, "c128": np.complex128}


def bundled(package, pattern):
    """The library that a wheel brings along; whole numbers have 32 bits in SciPy's, 64 in NumPy's."""
    (found,) = glob.glob(f"{Path(package.__file__).parent}.libs/{pattern}")
    return found


SCIPY = bundled(scipy, "libscipy_openblas-*.so")
NUMPY = bundled(np, "libscipy_openblas64_-*.so")


# The runtime's functions against Numba's own, for all kinds of numbers.


def helpers(folder, library):
    """The functions of ringback-runtime by the names of Numba's, linked to a library."""
    folder.mkdir()
    algebra = blas(library)
    (folder / "runtime.o").write_bytes(_ringback.runtime(True))
    (folder / "blas.s").write_text(algebra.source([*_PRODUCTS, *_FACTORISATIONS], "test"))
    whole = ["-Wl,--whole-archive", "runtime.o", "-Wl,--no-whole-archive", "blas.s"]
    link.run([*link.compiler(), "-shared", "-nostartfiles", "-o", "all.so", *whole, *algebra.arguments, "-lm"], folder)
    loaded = ctypes.CDLL(str(folder / "all.so"))
    for name in _PRODUCTS:
        getattr(loaded, name).restype = None
    return {name.removeprefix("numba_").removeprefix("ringback_"): getattr(loaded, name) for name in (*_PRODUCTS, *_FACTORISATIONS)}


def numbas(name):
    return ctypes.CFUNCTYPE(ctypes.c_int)(_helperlib.c_helpers[name])


def call(function, kind, arguments):
    """The status, and all arrays as the function leaves them."""
    passed, arrays = [ctypes.c_char(kind.encode())], []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            # What lies behind an array is no number: who reads it shows.
            memory = np.full(2 * argument.nbytes + 64, 0xFF, np.uint8)
            arrays.append(memory[: argument.nbytes].view(argument.dtype).reshape(argument.shape, order="F"))
            arrays[-1][...] = argument
            passed.append(ctypes.c_void_p(arrays[-1].ctypes.data))
        elif isinstance(argument, str):
            passed.append(ctypes.c_char(argument.encode()))
        elif isinstance(argument, float):
            passed.append(ctypes.c_double(argument))
        else:
            passed.append(ctypes.c_ssize_t(argument))
    function.argtypes = [type(argument) for argument in passed]
    return function(*passed) or 0, arrays


def calls(kind):
    """Names of functions, and arguments for them: matrices by columns, 5 by 4."""
    dtype = {"s": np.float32, "d": np.float64, "c": np.complex64, "z": np.complex128}[kind]
    real = np.zeros(0, dtype).real.dtype
    rng = np.random.default_rng(5)

    def random(*shape):
        values = rng.normal(size=shape) + (1j * rng.normal(size=shape) if kind in "cz" else 0)
        return np.asfortranarray(values.astype(dtype))

    def zeros(*shape, of=dtype):
        return np.zeros(shape, of, order="F")

    a, square, x, one = random(5, 4), random(4, 4), random(4), np.ones(1, dtype)
    singular = square.copy()
    singular[:, 1] = 0
    positive = np.asfortranarray(square @ square.conj().T + np.eye(4, dtype=dtype))
    pivots = np.zeros(4, np.int32)
    _, (factors, pivots) = call(numbas("xxgetrf"), kind, [4, 4, square, 4, pivots])
    _, (reflected, tau) = call(numbas("ez_geqrf"), kind, [5, 4, a, 5, zeros(4)])
    yield "xxdot", ["\0", 4, x, square, zeros(1)]
    yield "xxdot", ["\1", 4, x, square, zeros(1)]
    for letter, n in [("n", 4), ("t", 5)]:
        yield "xxgemv", [letter, 5, 4, one, a, 5, random(n), one * 0, zeros(9 - n)]
    yield "xxgemm", ["n", "t", 5, 3, 4, one, a, 5, random(3, 4), 3, one * 0, zeros(5, 3), 5]
    yield "xxgemm", ["t", "n", 4, 3, 5, one, a, 5, random(5, 3), 5, one * 0, zeros(4, 3), 4]
    yield "xxnrm2", [20, a, 1, zeros(1, of=real)]
    yield "xxgetrf", [5, 4, a, 5, pivots]
    yield "xxgetrf", [4, 4, singular, 4, pivots]
    yield "ez_xxgetri", [4, factors, 4, pivots]
    yield "xxpotrf", ["L", 4, positive, 4]
    yield "xxpotrf", ["L", 4, -positive, 4]
    if kind in "sd":
        yield "ez_rgeev", ["N", "V", 4, square, 4, zeros(4), zeros(4), zeros(1), 1, zeros(4, 4), 4]
    else:
        yield "ez_cgeev", ["N", "V", 4, square, 4, zeros(4), zeros(1), 1, zeros(4, 4), 4]
    yield "ez_xxxevd", ["V", "L", 4, positive, 4, zeros(4, of=real)]
    for letter in "AN":
        yield "ez_gesdd", [letter, 5, 4, a, 5, zeros(4, of=real), zeros(5, 5), 5, zeros(4, 4), 4]
    yield "ez_geqrf", [5, 4, a, 5, zeros(4)]
    yield "ez_xxgqr", [5, 4, 4, reflected, 5, tau]
    # Numba writes 8 bytes for the rank.
    yield "ez_gelsd", [5, 4, 2, a, 5, random(5, 2), 5, zeros(4, of=real), 1e-5, np.zeros(2, np.int32)]
    yield "xgesv", [4, 2, square, 4, np.zeros(4, np.int32), random(4, 2), 4]
    yield "xgesv", [4, 2, singular, 4, np.zeros(4, np.int32), random(4, 2), 4]


@pytest.mark.parametrize("library", [SCIPY, NUMPY], ids=["32 bits", "64 bits"])
@pytest.mark.parametrize("kind", list("sdcz"))
def test_the_runtime_does_what_numba_does(tmp_path, kind, library):
    ours = helpers(tmp_path / "linked", library)
    seen = set()
    for name, arguments in calls(kind):
        status, arrays = call(numbas(name), kind, arguments)
        found, got = call(ours[name], kind, arguments)
        assert found == status, name
        seen.add(name)
        if name == "xgesv":
            # The pivots, which nobody reads.
            del arrays[1], got[1]
        for array, other in zip(arrays, got, strict=True):
            if library == SCIPY and not (name == "xxdot" and kind in "cz"):
                np.testing.assert_array_equal(other, array, name)
            else:
                scale = 1e3 * np.finfo(np.float32 if kind in "sc" else np.float64).eps
                np.testing.assert_allclose(other, array, rtol=scale, atol=scale, err_msg=name)
    assert seen | {"ez_rgeev", "ez_cgeev", "fatal_error"} == set(ours)
