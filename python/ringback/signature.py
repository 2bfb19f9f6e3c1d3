"""From everything that people write as a signature to the one grammar."""

from __future__ import annotations

import inspect
from typing import Any

from ._ringback import Parameter, Return, Signature, SignatureError

__all__ = ["Parameter", "Return", "Signature", "SignatureError", "from_annotations", "to_signature"]

_ANNOTATIONS: dict[Any, str] = {
    float: "f64",
    int: "i64",
    bool: "bool",
    complex: "c128",
    None: "void",
    type(None): "void",
}
_STRINGS = {"float": "f64", "int": "i64", "complex": "c128", "None": "void"}


def to_signature(spec: Any, function: Any = None) -> Signature:
    """A signature from text (Ringback's or Numba's), a Numba signature or call of types, or a function's annotations."""
    if isinstance(spec, Signature):
        return spec
    if isinstance(spec, str):
        return Signature(spec)
    if spec is None:
        if function is None:
            raise TypeError("expected a signature, such as 'f64(f64)'; found None")
        return from_annotations(function)
    # Numba's own objects, without importing Numba: a Signature has these two, a bare tuple of types has not.
    if hasattr(spec, "return_type") and hasattr(spec, "args"):
        if spec.return_type is None:
            raise TypeError(f"the signature {spec} has no result type: write it as float64(float64)")
        return Signature(f"{spec.return_type}({', '.join(map(str, spec.args))})")
    raise TypeError(
        f"expected a signature: text such as 'f64(f64)' or 'float64(float64)', or a Numba signature such as "
        f"float64(float64); found {spec!r}"
    )


def from_annotations(function: Any) -> Signature:
    """The signature that a function's annotations spell out."""
    try:
        described = inspect.signature(function, eval_str=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{function!r} has no annotations to take a signature from: {error}") from None
    name = getattr(function, "__name__", repr(function))
    parameters = [_annotation(name, p.name, p.annotation, function) for p in described.parameters.values()]
    result = _annotation(name, "return", described.return_annotation, function)
    return Signature(f"{result}({', '.join(parameters)})")


def _annotation(function: str, name: str, annotation: Any, owner: Any) -> str:
    what = "the result" if name == "return" else f"parameter {name!r}"
    if annotation is inspect.Parameter.empty:
        raise TypeError(
            f"no signature was given for {function}, and {what} has no annotation: pass a signature such as "
            f"'f64(f64)', or annotate every parameter and the result"
        )
    if isinstance(annotation, str):
        text = annotation.strip("'\" ")
        if text in _STRINGS:
            return _STRINGS[text]
        # `from __future__ import annotations` makes texts of them all: np.float32, types.float64.
        first, *attributes = text.split(".")
        value = getattr(owner, "__globals__", {}).get(first)
        for attribute in attributes:
            value = getattr(value, attribute, None)
        if value is None or isinstance(value, str):
            return text
        annotation = value
    try:
        if annotation in _ANNOTATIONS:
            return _ANNOTATIONS[annotation]
    except TypeError:
        pass
    import numpy as np

    if isinstance(annotation, type) and issubclass(annotation, np.generic):
        return np.dtype(annotation).name
    if type(annotation).__module__.partition(".")[0] == "numba":
        return str(annotation)
    raise TypeError(
        f"{what} of {function} is annotated {annotation!r}, which does not say what to compile for: write its type as "
        f"text, such as '[f64]' or 'mut [f64]' for an array"
    )
