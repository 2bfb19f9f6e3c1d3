"""Everything that people write as a signature becomes one canonical text."""

from __future__ import annotations

import numba
import numpy as np
import pytest
import ringback as rb
from numba import types
from ringback._ringback import Signature as NativeSignature
from ringback.signature import from_annotations, to_signature


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("f64(f64)", "f64(f64)"),
        (" void ( [f64] , mut[f64 ; : , : ; F] ) ", "void([f64], mut [f64; :, :; F])"),
        ("float64(float64, intc)", "f64(f64, i32)"),
        ("float64(float64[::1], float64[:, :])", "f64(mut [f64], mut [f64; :, :; any])"),
        ("void(CPointer(float64), voidptr, uintp)", "void(*f64, *void, u64)"),
        ("UniTuple(float64, 3)(float64)", "[f64; 3](f64)"),
        (rb.Signature("f32(c128)"), "f32(c128)"),
        (types.float64(types.intc, types.boolean), "f64(i32, bool)"),
        (types.void(types.CPointer(types.float64), types.voidptr), "void(*f64, *void)"),
        (types.float64(types.float32[:, ::1]), "f64(mut [f32; :, :])"),
        (types.float64(types.float32[::1, :]), "f64(mut [f32; :, :; F])"),
        (types.float64(types.Array(types.complex64, 3, "A", readonly=True)), "f64([c64; :, :, :; any])"),
        (types.UniTuple(types.float64, 2)(types.uint8), "[f64; 2](u8)"),
        (types.none(types.complex128), "void(c128)"),
        (numba.float64(), "f64()"),
    ],
)
def test_one_canonical_text(spec, text):
    assert to_signature(spec).text == text
    assert to_signature(text).text == text


SCALARS = {
    "bool": types.boolean, "i8": types.int8, "i16": types.int16, "i32": types.int32, "i64": types.int64,
    "u8": types.uint8, "u16": types.uint16, "u32": types.uint32, "u64": types.uint64, "f32": types.float32,
    "f64": types.float64, "c64": types.complex64, "c128": types.complex128,
}  # fmt: skip


@pytest.mark.parametrize("name", SCALARS)
def test_numba_types_agree_with_their_texts(name):
    """What Numba prints for a type is read as just that type."""
    numba_type = SCALARS[name]
    assert to_signature(numba_type(numba_type)).text == f"{name}({name})"
    for ndim, layout, own in [(1, "C", ""), (2, "C", "; :, :"), (2, "F", "; :, :; F"), (1, "A", "; :; any")]:
        for readonly in (False, True):
            array = types.Array(numba_type, ndim, layout, readonly=readonly)
            expected = f"void({'' if readonly else 'mut '}[{name}{own}])"
            assert to_signature(types.void(array)).text == expected


def test_equal_by_width_and_hashable():
    a, b = rb.Signature("float64(intc)"), rb.Signature("f64(i32)")
    assert a == b
    assert hash(a) == hash(b)
    assert rb.Signature("f64(i64)") != a
    assert repr(a) == "Signature('f64(i32)')"
    assert str(a) == a.text == "f64(i32)"


def test_parts():
    signature = rb.Signature("[f64; 2](f64, mut [i32; n, :; F], [c64; n; any], *void)")
    kinds = [(p.kind, p.element, p.ndim, p.layout, p.mutable, p.text) for p in signature.parameters]
    assert kinds == [
        ("scalar", "f64", 0, None, False, "f64"),
        ("array", "i32", 2, "F", True, "mut [i32; n, :; F]"),
        ("array", "c64", 1, "any", False, "[c64; n; any]"),
        ("pointer", "void", 0, None, False, "*void"),
    ]
    assert (signature.result.kind, signature.result.element, signature.result.length) == ("array", "f64", 2)
    assert signature.ties == (((1, 0), (2, 0)),)
    nothing = rb.Signature("void()").result
    assert (nothing.kind, nothing.element, nothing.length) == ("void", None, 0)


def test_mismatch_names_both():
    wanted, found = rb.Signature("f64(u64)"), rb.Signature("f64(i32)")
    message = wanted.mismatch(found)
    assert message is not None
    assert "f64(u64)" in message
    assert "f64(i32)" in message
    # Names of lengths do not decide.
    assert rb.Signature("f64([f64; n], [f64; n])").mismatch(rb.Signature("f64([f64], [f64])")) is None


@pytest.mark.parametrize(
    "text",
    ["", "f64", "(f64)", "f65(f64)", "f64(f64", "f64(mut f64)", "[f64](f64)", "float64[:](f64)", "f64([f64; 3])", "é"],
)
def test_no_signature(text):
    with pytest.raises(rb.SignatureError) as raised:
        to_signature(text)
    assert isinstance(raised.value, ValueError)
    assert "no signature" in str(raised.value)


@pytest.mark.parametrize("spec", [3, object(), (types.float64, types.float64), [], float])
def test_no_specification(spec):
    with pytest.raises(TypeError, match="expected a signature"):
        to_signature(spec)


def test_a_result_is_needed():
    with pytest.raises(TypeError, match="signature"):
        to_signature(None)
    with pytest.raises(rb.SignatureError, match="result is missing"):
        to_signature("(float64, float64)")


def test_annotations():
    def python(x: float, n: int, b: bool, z: complex) -> float: ...
    def strings(x: "[f64]", out: "mut [f64]") -> None: ...  # noqa: UP037
    def widths(x: np.float32, n: np.uint8) -> np.complex64: ...
    def numba_types(x: types.float64) -> types.int32: ...

    assert from_annotations(python).text == "f64(f64, i64, bool, c128)"
    assert from_annotations(strings).text.replace("'", "") == "void([f64], mut [f64])"
    assert from_annotations(widths).text == "c64(f32, u8)"
    assert from_annotations(numba_types).text == "i32(f64)"


def test_annotations_that_do_not_say():
    def missing(x, y: float) -> float: ...
    def no_result(x: float): ...
    def array(x: np.ndarray) -> float: ...

    with pytest.raises(TypeError, match="no signature was given for missing, and parameter 'x' has no annotation"):
        from_annotations(missing)
    with pytest.raises(TypeError, match="and the result has no annotation"):
        from_annotations(no_result)
    with pytest.raises(TypeError, match=r"parameter 'x' of array .* such as '\[f64\]' or 'mut \[f64\]' for an array"):
        from_annotations(array)


def test_native_type_is_the_public_one():
    assert rb.Signature is NativeSignature
