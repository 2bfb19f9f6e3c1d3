"""Capsules and records that are not what they should be. Run by test_hostile.py, in a process that may crash."""

from __future__ import annotations

import ctypes
import gc
import types

import pytest
import ringback as rb
import ringback_testing as rt
from ringback.integrate import quad
from stranger import SIZE, Stranger, refused


def test_a_whole_record_by_hand() -> None:
    stranger = Stranger()
    assert rt.sum_over_threads(stranger, 5, 1) == 20.0
    assert (stranger.released, stranger.record.release) == (1, 0)
    stranger = Stranger(b" f64 ( f64 , ) ")  # not canonical, and yet it says the same
    assert quad(stranger, 0.0, 1.0).value == pytest.approx(1.0)
    assert stranger.released == 1
    stranger = Stranger()
    handle = rt.Handle(stranger)
    assert handle.sum(4, 4) == 12.0
    handle.drop_elsewhere(False)
    assert stranger.released == 1


@pytest.mark.parametrize("version", [0, 2, 3, 257, 2**32 - 1])
def test_versions(version: int) -> None:
    stranger = Stranger(abi_version=version)
    assert refused(stranger) == (
        f"the callback record has version {version}, this library reads version 1: update the older of the two packages"
    )
    assert stranger.released == 0


@pytest.mark.parametrize("size", [0, 1, 8, 64, SIZE - 1])
def test_sizes_too_small(size: int) -> None:
    stranger = Stranger(size=size)
    assert refused(stranger) == f"the callback record says it has {size} bytes, version 1 has {SIZE}"
    assert stranger.released == 0


@pytest.mark.parametrize("size", [SIZE + 1, SIZE + 3, SIZE + 8, 2**32 - 1])
def test_sizes_of_later_versions(size: int) -> None:
    stranger = Stranger(size=size)
    assert rt.sum_over_threads(stranger, 3, 1) == 6.0
    assert stranger.released == 1


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("release", "it was given away or released already"),
        ("entry", "it has no entry point"),
        ("signature", "it has no signature"),
        ("describe", "it cannot describe or discard errors"),
        ("discard", "it cannot describe or discard errors"),
    ],
)
def test_null_fields(field: str, why: str) -> None:
    stranger = Stranger(None) if field == "signature" else Stranger(**{field: 0})
    assert refused(stranger) == f"the callback record cannot be used: {why}"
    assert stranger.released == 0


@pytest.mark.parametrize("offset", [1, 2, 4, 7])
def test_records_at_odd_addresses(offset: int) -> None:
    stranger = Stranger()
    room = ctypes.create_string_buffer(SIZE + 16)
    start = (ctypes.addressof(room) + 7) // 8 * 8 + offset
    ctypes.memmove(start, ctypes.addressof(stranger.record), SIZE)
    stranger.capsule = lambda at=None: Stranger.capsule(stranger, start)  # type: ignore[method-assign]
    assert refused(stranger) == (
        f"there is no callback record at the address {start:#x}: it is null or not a multiple of 8"
    )
    assert stranger.released == 0


TRUNCATED = "f64([f64; n], mut [f64; n, m; any])"


@pytest.mark.parametrize("length", range(len(TRUNCATED)))
def test_truncated_signatures(length: int) -> None:
    stranger = Stranger(TRUNCATED[:length].encode())
    with pytest.raises(TypeError) as caught:
        rt.sum_over_threads(stranger, 1, 1)
    assert str(caught.value).startswith("the record's signature: ")
    assert stranger.released == 1


@pytest.mark.parametrize(
    ("signature", "why"),
    [
        (b"\xff(f64)", 'the signature of the callback record is not UTF-8 at byte 0: "\ufffd(f64)"'),
        (b"f64(f64)\xc3", 'the signature of the callback record is not UTF-8 at byte 8: "f64(f64)\ufffd"'),
        (b"f64(" + b" " * 4092 + b")", "does not end: a signature has at most 4096 bytes"),
        (b"x" * 10_000_000, "does not end: a signature has at most 4096 bytes"),
        (b"f64(" + b"f64, " * 64 + b"f64)", "64"),
        (b"[f64; 99999999999999999999](f64)", "is no signature"),
        (b"[f64; 18446744073709551615](f64)", "the record's signature"),
        ("f64(f64)\u202e".encode(), "is no signature"),
        (b"f64(" * 1000, "is no signature"),
        (b"f64([f64; :, :, :, :, :])", "the record's signature"),
    ],
)
def test_other_signatures_that_are_none(signature: bytes, why: str) -> None:
    stranger = Stranger(signature)
    with pytest.raises(TypeError) as caught:
        rt.sum_over_threads(stranger, 1, 1)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 10_000
    assert stranger.released == 1


def test_the_longest_signature_that_is_one() -> None:
    stranger = Stranger(b"f64(f64" + b" " * 4088 + b")")
    assert rt.sum_over_threads(stranger, 3, 1) == 6.0
    assert stranger.released == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (None, "nothing"),
        (b"", '""'),
        (b"ringback.callback.v2", '"ringback.callback.v2"'),
        (b"ringback.callback.v1 ", '"ringback.callback.v1 "'),
        (b"RINGBACK.CALLBACK.V1", '"RINGBACK.CALLBACK.V1"'),
        (b"\xff\n", '"\ufffd\\n"'),
        (b"n" * 100_000, '"' + "n" * 77 + '..."'),
    ],
)
def test_capsule_names(name: bytes | None, shown: str) -> None:
    stranger = Stranger(name=name)
    assert refused(stranger) == (
        f'expected a PyCapsule named "ringback.callback.v1", found one named {shown}: its producer speaks another '
        f"protocol, or another version of this one"
    )
    assert stranger.released == 0


def test_one_record_in_two_capsules() -> None:
    stranger = Stranger()
    first, second = stranger.capsule(), stranger.capsule()
    wrap = lambda capsule: types.SimpleNamespace(__ringback_callback__=lambda signature: capsule)  # noqa: E731
    handle = rt.Handle(wrap(first))
    gone = "the callback record cannot be used: it was given away or released already"
    assert refused(wrap(first)) == refused(wrap(second)) == gone
    assert handle.sum(3, 1) == 6.0
    assert stranger.released == 0
    del handle
    assert stranger.released == 1
    assert refused(wrap(second)) == gone
    assert stranger.released == 1


def test_a_record_released_by_its_own_producer() -> None:
    stranger = Stranger()
    ctypes.CFUNCTYPE(None, ctypes.c_size_t)(stranger.record.release)(ctypes.addressof(stranger.record))
    assert refused(stranger) == "the callback record cannot be used: it was given away or released already"
    assert stranger.released == 1


def test_our_own_capsules_renamed_and_dropped_while_an_exception_is_on_its_way() -> None:
    set_name = ctypes.pythonapi.PyCapsule_SetName
    set_name.argtypes = [ctypes.py_object, ctypes.c_char_p]
    other = b"something else"

    def drop() -> None:
        capsule = rb.compile(lambda x: x, "f64(f64)").__ringback_callback__()
        assert set_name(capsule, other) == 0
        raise LookupError("on its way", capsule.__class__)

    with pytest.raises(LookupError, match="on its way"):
        drop()
    gc.collect()
    capsule = rt.offer_scaled(2.0).__ringback_callback__()
    assert set_name(capsule, other) == 0
    with pytest.raises(TypeError, match='found one named "something else"'):
        rt.Handle(types.SimpleNamespace(__ringback_callback__=lambda signature: capsule))
