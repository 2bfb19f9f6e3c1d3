"""Callback records made by hand with ctypes, as any stranger's library would make them in C."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import pytest
import ringback_testing as rt
from ringback.integrate import quad

NAME = b"ringback.callback.v1"

_new = ctypes.pythonapi.PyCapsule_New
_new.restype, _new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]

ENTRY = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_size_t), ctypes.c_double, ctypes.c_size_t
)
# With the GIL held, so that it may set an exception.
RAISE = ctypes.PYFUNCTYPE(None, ctypes.c_size_t, ctypes.c_size_t)
DESCRIBE = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t)
DISCARD = ctypes.CFUNCTYPE(None, ctypes.c_size_t, ctypes.c_size_t)
RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_size_t)


class Record(ctypes.Structure):
    """`struct ringback_callback` of include/ringback.h."""

    _fields_ = [
        ("abi_version", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("signature", ctypes.c_size_t),
        ("entry", ctypes.c_size_t),
        ("block", ctypes.c_size_t),
        ("env", ctypes.c_size_t),
        ("raise_", ctypes.c_size_t),
        ("describe", ctypes.c_size_t),
        ("discard", ctypes.c_size_t),
        ("release", ctypes.c_size_t),
        ("private_data", ctypes.c_size_t),
    ]


SIZE = ctypes.sizeof(Record)


def address(function: Any) -> int:
    """Of a ctypes function."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0


class Stranger:
    """A producer of one record. Counts what is done with it, and can be passed as a callback.

    `function` returns a number, or `(status, error)` to fail; `raised` is called for `raise`, and cannot raise; `text` is what
    `describe` says. Other keywords replace fields of the record.
    """

    def __init__(
        self,
        signature: bytes | None = b"f64(f64)",
        function: Callable[[float], Any] = lambda x: 2.0 * x,
        raised: Callable[[int], None] | None = None,
        text: bytes = b"LookupError: by hand",
        said: int | None = None,
        name: bytes | None = NAME,
        **fields: int,
    ) -> None:
        self.released = self.discarded = self.raised = self.described = 0
        self.name = name
        self._text = None if signature is None else ctypes.create_string_buffer(signature)

        def entry(ret: Any, error: Any, x: float, env: int) -> int:
            value = function(x)
            if isinstance(value, tuple):
                status, error[0] = value
                return status
            ret[0] = value
            return 0

        def raise_(record: int, error: int) -> None:
            self.raised += 1
            assert raised is not None
            raised(error)

        def describe(record: int, error: int, buffer: int, size: int) -> int:
            self.described += 1
            if size:
                part = text[: size - 1]
                ctypes.memmove(buffer, part + b"\0", len(part) + 1)
            return len(text) if said is None else said

        def discard(record: int, error: int) -> None:
            self.discarded += 1

        def release(record: int) -> None:
            self.released += 1
            Record.from_address(record).release = 0

        self._functions = (ENTRY(entry), RAISE(raise_), DESCRIBE(describe), DISCARD(discard), RELEASE(release))
        entry_, raise__, describe_, discard_, release_ = map(address, self._functions)
        made = {
            "abi_version": 1,
            "size": ctypes.sizeof(Record),
            "signature": 0 if self._text is None else ctypes.addressof(self._text),
            "entry": entry_,
            "raise_": raise__ if raised else 0,
            "describe": describe_,
            "discard": discard_,
            "release": release_,
        }
        self.record = Record(**{**made, **fields})

    def capsule(self, at: int | None = None) -> Any:
        """A capsule round the record, without a destructor: what is not taken out stays with this object."""
        return _new(ctypes.addressof(self.record) if at is None else at, self.name, None)

    def __ringback_callback__(self, signature: str | None = None) -> Any:
        return self.capsule()


class Offers:
    """A producer that returns one thing always, or raises it."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def __ringback_callback__(self, signature: str | None = None) -> Any:
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


def status(value: int, error: int = 0) -> Any:
    """A function that always fails."""
    return lambda x: (value, error)


def refused(producer: Any, kind: type[BaseException] = TypeError) -> str:
    """The text with which every door refuses it: a native one, an engine's, and one that keeps the handle."""
    texts = set()
    for door in (lambda c: rt.sum_over_threads(c, 1, 1), lambda c: quad(c, 0.0, 1.0), rt.Handle):
        with pytest.raises(kind) as caught:
            door(producer)
        assert type(caught.value) is kind
        texts.add(str(caught.value))
    (text,) = texts
    return text
