"""One call for many points, for functions that take a point as an array: compiled when it is asked for, and kept on disk."""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
from typing import Any, NamedTuple

from . import _ringback, cache, machinecode
from .callback import Callback
from .errors import numba_errors
from .signature import Signature

_lock = threading.Lock()
_numbers = itertools.count()


class _Made(NamedTuple):
    """The code of a loop over points for one function, number of coordinates and number of results."""

    code: _ringback.Code
    vectorised: bool


def point_block(callback: Any, dims: int, outputs: int | None) -> tuple[_ringback.Callback, bool] | None:
    """The callback over many points of `dims` coordinates, and whether it does several at once; None if there is none.

    `callback` is one of `f64([f64])`, or, with `outputs`, of `void([f64], mut [f64])`. What is returned is of the signature
    that `backend/points.py` describes, with the same bound data.
    """
    if not isinstance(callback, Callback) or callback._shim is None or callback._options.get("debug"):
        return None
    # What writes to its data must be called for just the points that count, and vectorised blocks are padded.
    if any(data.mutable for data in callback._bound.values()):
        return None
    known = callback.__dict__.setdefault("_made_points", {})
    if (dims, outputs) not in known:
        made = _made(callback, dims, outputs)
        known[dims, outputs] = made and (_ringback.Callback(made.code, callback._values), made.vectorised)
    return known[dims, outputs]


def _made(callback: Callback, dims: int, outputs: int | None) -> _Made | None:
    shim = callback._shim
    with _lock:
        if (dims, outputs) not in shim.points:
            shim.points[dims, outputs] = _loaded(callback, dims, outputs)
        return shim.points[dims, outputs]


def _loaded(callback: Callback, dims: int, outputs: int | None) -> _Made | None:
    """The code, from disk or compiled, at its place in memory."""
    from .backend import objects, points

    shim = callback._shim
    key = shim.key and hashlib.sha256(f"{shim.key} points {dims} {outputs}".encode()).hexdigest()
    found = _stored(key) if key else None
    if found is None:
        name = f"ringback_points_{key or 'own'}_{next(_numbers)}"
        made = points.points_of(shim.llvm(), shim.name, dims, outputs, name, callback._options["vector_math"])
        if made is None or not machinecode.resolvable(made.code):
            return None
        found = name, made.vectorised, made.code
        if key and made.portable:
            head = json.dumps({"points": name, "vectorised": made.vectorised}).encode()
            cache.write(key, head + b"\n" + made.code)
    name, vectorised, code = found
    address = objects.load(code, name)
    errors = numba_errors(callback._function.__code__)
    signature = Signature(points.SIGNATURE)
    return _Made(_ringback.Code(signature, tuple(shim.slots), address, errors, shim.exceptions(), shim), vectorised)


def _stored(key: str) -> tuple[str, bool, bytes] | None:
    data = cache.read(key)
    if data is None:
        return None
    line, _, code = data.partition(b"\n")
    head = json.loads(line)
    if not machinecode.resolvable(code):
        return None
    return head["points"], head["vectorised"], code
