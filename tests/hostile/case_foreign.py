"""C functions that are none, or not what they say. Run by test_hostile.py, in a process that may crash."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import cffi
import pytest
import ringback as rb
import ringback_testing as rt
from ringback.integrate import quad
from scipy import LowLevelCallable

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from foreign_library import COMPILER, capsule
from foreign_library import _names as names
from foreign_library import _new_capsule as new_capsule

D = ctypes.c_double
TWICE = ctypes.CFUNCTYPE(D, D)(lambda x: 2.0 * x)
ADDRESS = ctypes.cast(TWICE, ctypes.c_void_p).value or 0
DOORS = [rt.Handle, lambda c: quad(c, 0.0, 1.0), lambda c: quad(c, 0.0, 1.0, args=(1.0,))]


def refused(obj: Any) -> None:
    for door in DOORS:
        with pytest.raises(TypeError):
            door(obj)


NAMES = [
    None, b"", b"(", b"()", b"double", b"double (", b"double )double(", b"double (double", b"\xff (double)",
    b"double (double))", b"double (*)", b"double (double,)", b"double (,double)", b"void", b"double (double) junk",
    b"double (double complex)", b"double (*(*)(double))(double)", b"ringback.callback.v2", b"ringback.user_data.v1",
    b"double (double, double)(double)", b"struct x (double)", b"double (double" + b" " * 10_000 + b")",
    b"double (" + b"double, " * 5_000 + b"double)", b"%s%n (double)", b"double (unsigned __int128)", b"double (auto)",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_capsules_whose_names_are_no_c_functions(name: bytes | None) -> None:
    names.append(name)  # type: ignore[arg-type]
    made = new_capsule(1, name, None)
    refused(made)
    refused(tuple.__new__(LowLevelCallable, (made, None, None)))


@pytest.mark.parametrize(
    "text", ["float (double)", "double (float)", "double (int64_t)", "double (int)", "long (long)", "void (double)"]
)
def test_functions_of_another_type_are_never_called(text: str) -> None:
    """At address 1: a call would be the end."""
    refused(capsule(1, text))
    refused(LowLevelCallable(capsule(1, text)))
    refused(cffi.FFI().cast(text.replace("(", "(*)(", 1), 1))


def test_null_pointers() -> None:
    refused(ctypes.CFUNCTYPE(D, D)(0))
    refused(ctypes.CFUNCTYPE(D, D)())
    refused(cffi.FFI().cast("double (*)(double)", 0))
    refused(cffi.FFI().NULL)


PARTS: list[Any] = [
    (), (1,), (1, 2, 3), (None, None, None), ("double (double)", TWICE, None), (TWICE, TWICE, None),
    (capsule(1, "double (double)"), TWICE, None), (capsule(1, "double (double)"), capsule(2, "double (double)"), None),
    (capsule(1, "ringback.user_data.v1"), None, None), (capsule(1, "ringback.callback.v1"), None, None),
    (capsule(ADDRESS, "double (double)"), TWICE, capsule(1, "ringback.user_data.v1")),
    (capsule(ADDRESS, "double (double)"), TWICE), (capsule(ADDRESS, "double (double)"), TWICE, None, None),
]  # fmt: skip


@pytest.mark.parametrize("parts", PARTS, ids=range(len(PARTS)))
def test_low_level_callables_whose_parts_were_altered(parts: Any) -> None:
    refused(tuple.__new__(LowLevelCallable, parts))


def test_low_level_callables_that_lie_through_properties() -> None:
    class Liar(LowLevelCallable):
        function = property(lambda self: 1 / 0)
        user_data = property(lambda self: 1 / 0)

        def __getitem__(self, index: Any) -> Any:
            raise RuntimeError

        def __iter__(self) -> Any:
            raise RuntimeError

        def __len__(self) -> int:
            raise RuntimeError

    assert quad(Liar(TWICE), 0, 1).value == pytest.approx(1.0)


class Junk:
    def from_param(self, value: Any) -> Any:
        return value

    def __getattr__(self, name: str) -> Any:
        raise LookupError(name)

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("kind", [ctypes.c_char_p, ctypes.py_object, ctypes.Structure, ctypes.POINTER(ctypes.c_char_p)])
def test_types_of_ctypes_that_are_no_numbers(kind: Any) -> None:
    refused(ctypes.CFUNCTYPE(D, kind)(1))


def test_argument_types_that_are_no_types() -> None:
    function = ctypes.CFUNCTYPE(D, D)(1)
    function.argtypes = [Junk()]
    for door in DOORS:
        with pytest.raises((TypeError, LookupError)):
            door(function)


def test_ctypes_functions_that_claim_to_be_of_a_callback() -> None:
    for claimed in (1, "x", rb.Callback, rb.compile(lambda x, y: x, "f64(f64, f64)")):
        function = ctypes.PYFUNCTYPE(D, D)(1)
        function._ringback_callback = claimed
        with pytest.raises(TypeError):
            rt.Handle(function)


def test_functions_that_are_dropped_at_once() -> None:
    for make in (
        lambda: ctypes.CFUNCTYPE(D, D)(lambda x: x + 1.0),
        lambda: LowLevelCallable(ctypes.CFUNCTYPE(D, D)(lambda x: x + 1.0)),
        lambda: cffi.FFI().callback("double(double)", lambda x: x + 1.0),
        lambda: rb.compile(lambda x: x + 1.0, "f64(f64)").low_level_callable(),
        lambda: rb.compile(lambda x: x + 1.0, "f64(f64)").low_level_callable("double (double)"),
        lambda: rb.compile(lambda x: x + 1.0, "f64(f64)").cffi,
        lambda: rb.compile(lambda x: x + 1.0, "f64(f64)").ctypes,
    ):
        callback = rb._callback_for(make(), "f64(f64)")
        gc.collect()
        assert rt.sum_over_threads(callback, 10, 2) == 55.0


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_library_that_only_cffi_had_open(tmp_path: Path, wrapped: bool) -> None:
    """cffi closes it with the object that opened it, and the code would be gone."""
    assert COMPILER is not None
    (tmp_path / "only.c").write_text("double only(double x) { return x + 1.0; }\n")
    library = tmp_path / f"only{wrapped}.so"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", str(library), str(tmp_path / "only.c")], check=True)
    ffi = cffi.FFI()
    ffi.cdef("double only(double);")
    opened = ffi.dlopen(str(library))
    function = LowLevelCallable(opened.only) if wrapped else opened.only
    callback = rb._callback_for(function, "f64(f64)")
    del ffi, opened, function
    gc.collect()
    assert rt.sum_over_threads(callback, 10, 2) == 55.0
