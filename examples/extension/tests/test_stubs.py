"""The stubs say what is there: names, parameters and defaults."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import ergodic
from ergodic import _ergodic

STUBS = ast.parse(Path(ergodic.__file__).with_name("_ergodic.pyi").read_text(encoding="utf-8"))


def parameters(stub: ast.FunctionDef) -> list[tuple[str, bool, object]]:
    """Name, whether it is named in a call, and default."""
    arguments = stub.args
    none = inspect.Parameter.empty
    found = [(a.arg, False, none) for a in arguments.args]
    found += [
        (a.arg, True, none if d is None else ast.literal_eval(d))
        for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    return found


def test_functions() -> None:
    stubs = {node.name: node for node in STUBS.body if isinstance(node, ast.FunctionDef)}
    there = {name for name in dir(_ergodic) if inspect.isbuiltin(getattr(_ergodic, name))}
    assert set(stubs) == there
    for name, stub in stubs.items():
        function = getattr(_ergodic, name)
        assert function.__doc__
        assert parameters(stub) == [
            (p.name, p.kind is p.KEYWORD_ONLY, p.default) for p in inspect.signature(function).parameters.values()
        ]


def test_classes() -> None:
    stubs = {node.name: node for node in STUBS.body if isinstance(node, ast.ClassDef)}
    assert set(stubs) == {name for name in dir(_ergodic) if inspect.isclass(getattr(_ergodic, name))}
    for name, stub in stubs.items():
        said = {node.name for node in stub.body if isinstance(node, ast.FunctionDef)}
        assert said == {member for member in dir(getattr(_ergodic, name)) if not member.startswith("_")}


def test_what_is_public() -> None:
    assert set(ergodic.__all__) < set(dir(_ergodic))
    assert all(hasattr(ergodic, name) for name in ergodic.__all__)
    assert Path(ergodic.__file__).with_name("py.typed").exists()
