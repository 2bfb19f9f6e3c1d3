"""Machine code as bytes: what an object needs, what must not be kept."""

import ctypes
import os
import sys
import textwrap

import numpy as np
import pytest
import ringback as rb
from ringback import cache, machinecode
from ringback.backend import objects
from ringback.capture import Array, Function

# The function of that name hides the module.
compiling = sys.modules["ringback.compile"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="objects are kept on disk on Linux only")


def test_machine_code_survives_as_bytes():
    machine = machinecode.MachineCode(
        "name", b"\n\0text", "entry", b"\x7fELF\n", "block", b"object\n\n", b"", ["f64", "array2", "function"],
        [(("np", "pi"), "f64"), (("t",), ("i64", Array("f64", 2, "C"), (Function("f64(f64)"),)))],
        {b"\x80\x04\n": "ValueError: ü (in f, g.py:3)"},
    )  # fmt: skip
    assert machinecode.decode(machinecode.encode(machine)) == machine


@pytest.mark.parametrize("data", [b"", b"text", b"[]\n", b"{}\n", b'{"name": "f"}\n', b"\xff\n", b'{"frozen": 1}\n'])
@pytest.mark.usefixtures("folder")
def test_what_is_whole_and_yet_not_ours_is_not_there(data):
    cache.write("0" * 64, data)
    assert cache.read("0" * 64) == data
    assert machinecode.find("0" * 64) is None


def test_objects_need_what_their_symbol_table_says():
    text = """
    declare double @exp(double)
    declare double @ringback_nowhere(double)
    define double @ringback_test_needs(double %x) {
      %y = call double @exp(double %x)
      %z = call double @ringback_nowhere(double %y)
      ret double %z
    }
    define double @ringback_test_unused(double %x) {
      %y = call double @ringback_unused(double %x)
      ret double %y
    }
    declare double @ringback_unused(double)
    """
    code = objects.emit(objects.isolate(text, ["ringback_test_needs"]))
    assert objects.undefined(code) == {"exp", "ringback_nowhere"}
    assert objects.missing(code) == {"ringback_nowhere"}
    assert objects.undefined(b"MZ" + code) is None


@pytest.mark.parametrize(
    "body",
    [
        "ret ptr inttoptr (i64 140737488355327 to ptr)",
        "%y = add i64 %x, 94105847562240\n  %p = inttoptr i64 %y to ptr\n  ret ptr %p",
        "%p = load ptr, ptr @_ZN08NumbaEnv4test\n  ret ptr %p",
        "%p = load ptr, ptr @_ZN08NumbaEnv4test\n  %c = icmp eq ptr %p, null\n  %q = load ptr, ptr %p\n  ret ptr %q",
        "ret ptr @_ZN08NumbaEnv4test",
        "ret ptr @numba.dynamic.globals.55",
    ],
)
def test_code_with_addresses_of_this_process_is_not_portable(body):
    names = "@_ZN08NumbaEnv4test = common global ptr null\n@numba.dynamic.globals.55 = linkonce global ptr null\n"
    text = f"{names}define ptr @f(i64 %x) {{\n  {body}\n}}\n"
    assert not objects.portable(objects.isolate(text, ["f"]))
    assert objects.portable(objects.isolate(f"{names}define ptr @f(i64 %x) {{\n  ret ptr null\n}}\n", ["f"]))


def test_numbas_objects_that_only_have_to_be_there_are_there():
    name = f"ringback_test_{os.getpid()}"
    text = f"""
    @_ZN08NumbaEnv4test = common local_unnamed_addr global ptr null
    define i32 @{name}() {{
      %p = load ptr, ptr @_ZN08NumbaEnv4test, align 8
      %c = icmp eq ptr %p, null
      %r = select i1 %c, i32 0, i32 1
      ret i32 %r
    }}
    """
    module = objects.isolate(textwrap.dedent(text), [name])
    assert objects.portable(module)
    assert ctypes.CFUNCTYPE(ctypes.c_int)(objects.load(objects.emit(module), name))() == 1


def defined(source, **names):
    scope: dict = {"__name__": "source", **names}
    exec(compile(source, "source.py", "exec"), scope)
    return scope


@pytest.mark.usefixtures("released", "folder")
def test_what_changes_while_it_is_compiled_is_kept_as_it_was(monkeypatch):
    build = compiling._build
    source = "def f(x): return x + len(word)\n"
    scope = defined(source, word="a")

    def changing(*arguments):
        scope["word"] = "longer"
        return build(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(compiling, "_build", changing)
        assert rb.compile(scope["f"], "f64(f64)")(1.0) == 2.0
    assert cache.state().files == 1
    assert rb.compile(scope["f"], "f64(f64)")(1.0) == 7.0
    assert cache.state().files == 2
    # As another process would find it.
    monkeypatch.setattr(machinecode, "_loaded", {})
    monkeypatch.delattr(compiling, "_build")
    for word, result in (("a", 2.0), ("longer", 7.0)):
        assert rb.compile(defined(source, word=word)["f"], "f64(f64)")(1.0) == result


@pytest.mark.usefixtures("released", "folder")
def test_what_is_put_into_numpy_while_something_is_compiled_is_not_kept(monkeypatch):
    build = compiling._build
    scope = defined("def f(x): return np.cos(x)\n", np=np)
    with monkeypatch.context() as patch:

        def changing(*arguments):
            made = build(*arguments)
            patch.setattr(np, "cos", lambda x: x)
            return made

        patch.setattr(compiling, "_build", changing)
        assert rb.compile(scope["f"], "f64(f64)")(0.0) == 1.0
    assert cache.state().files == 0


@pytest.mark.usefixtures("released", "folder")
def test_code_that_is_not_kept_may_be_compiled_twice():
    source = "def f(x):\n    return float(int(x) ^ 94105847562240)\n"
    made = []
    for _ in range(2):
        scope: dict = {"__name__": "source"}
        exec(compile(source, "source.py", "exec"), scope)
        made.append(rb.compile(scope["f"], "f64(f64)", error_model="numpy"))
    assert made[0].code is not made[1].code
    assert [cb(3.0) for cb in made] == [float(3 ^ 94105847562240)] * 2
    # What could be an address keeps it in the process, the form for blocks of points too.
    assert cache.state().files == 0
    assert made[0]._shim.block.address != made[1]._shim.block.address
