"""Compiled code on disk: a second process compiles nothing, and nothing stale or foreign is ever run."""

import ctypes
import json
import os
import re
import subprocess
import sys
import textwrap
import time
import types
from pathlib import Path

import numpy as np
import pytest
import ringback as rb
from ringback import cache, cli, fingerprint, machinecode
from ringback.backend import objects
from ringback.capture import Array, Function
from ringback.compile import DEFAULTS, plan_of

# The function of that name hides the module.
compiling = sys.modules["ringback.compile"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="objects are kept on disk on Linux only")

KEY = "0" * 64


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The folder of the files, in which there is nothing yet."""
    monkeypatch.delenv("RINGBACK_CACHE")
    monkeypatch.setenv("RINGBACK_CACHE_DIR", str(tmp_path))
    return tmp_path / "objects"


def start(script: Path, folder: Path, **settings: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "RINGBACK_CACHE": "1", "RINGBACK_CACHE_DIR": str(folder), **settings}
    return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment)


def finish(process: "subprocess.Popen[str]") -> dict:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return json.loads(output)


def run(script: Path, folder: Path, **settings: str) -> dict:
    """What a script prints, run in a process of its own."""
    return finish(start(script, folder, **settings))


def written(path: Path, text: str) -> Path:
    path.write_text(textwrap.dedent(text))
    return path


def files(folder: Path) -> list[Path]:
    return sorted((folder / "objects").glob("*.code"))


# ---------------------------------------------------------------------------------------------------- whole scripts

EVERYTHING = """
    import json, sys, traceback
    import numpy as np
    import ringback as rb
    import ringback.errors
    from ringback.integrate import quad

    found = {}

    def record(name, value):
        found[name] = [v.hex() if isinstance(v, float) else repr(v) for v in np.atleast_1d(value).tolist()]

    def integral(f, *args, **kwargs):
        result = quad(f, *args, **kwargs)
        return [result.value, result.error, float(result.neval)]

    record("exp", integral(lambda t: np.exp(-t) / t**2, 1, np.inf))
    for k in (1.0, 2.0):
        record(f"captured {k}", integral(lambda t: np.exp(-k * t), 0, np.inf))
    record("args", integral(lambda t, k, n: np.sin(k * t) ** n, 0, 1, args=(3.0, 2)))

    def helper(x, twice=2.0):
        return twice * x

    record("helper", integral(lambda t: helper(t), 0, 1))
    table = np.linspace(0.0, 1.0, 7)
    record("array", integral(lambda t: table[int(t * 6)], 0, 1, limit=3))

    def second(x, i):
        if x[0] < 0:
            raise ValueError("negative start")
        return x[i]

    cb = rb.compile(second, "f64([f64], i64)")
    record("indexed", cb(table, 3))
    record("complex", complex(rb.compile(lambda z: z * z + 1j, "c128(c128)")(2 - 3j)))
    record("pair", rb.compile(lambda x: (x, x * x), "[f64; 2](f64)")(1.5))

    found["numba before"] = "numba" in sys.modules
    found["scipy before"] = "scipy" in sys.modules

    def lines(call):
        try:
            call()
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            notes = getattr(error, "__notes__", [])
            return [type(error).__name__, repr(error.args), last.name, last.lineno, notes]

    found["raised"] = lines(lambda: cb(-table - 1, 0))
    found["index"] = lines(lambda: cb(table, 7))
    found["division"] = lines(lambda: rb.compile(lambda x: 1 / x, "f64(f64)")(0.0))

    def told(x):
        if x > 1:
            raise ValueError("too large", x)
        return x

    found["told"] = lines(lambda: rb.compile(told, "f64(f64)")(2.5))

    def allocates(x):
        y = np.zeros(x.shape[0])
        y += x
        return (y - y.mean()) @ y

    record("allocates", rb.compile(allocates, "f64([f64])")(table))
    # The axis has to be known to the compiler, the factor has not.
    factor, axis = 3, 0
    record("frozen", rb.compile(lambda x: factor * x.sum(axis)[1], "f64([f64; :, :])")(np.arange(6.0).reshape(2, 3)))
    axis = 1
    record("frozen 1", rb.compile(lambda x: factor * x.sum(axis)[1], "f64([f64; :, :])")(np.arange(6.0).reshape(2, 3)))
    # It runs before the first compilation.
    found["compiled"] = ringback.errors.self_test.cache_info().currsize == 1
    found["texts"] = sorted(cb._shim.exceptions().values())
    found["llvm"] = "define" in cb.inspect_llvm() and "ret" in cb.inspect_asm()
    print(json.dumps(found))
"""


def test_the_second_process_imports_neither_numba_nor_scipy_and_gives_the_same(tmp_path):
    script = written(tmp_path / "everything.py", EVERYTHING)
    first = run(script, tmp_path)
    kept = {path.name: path.read_bytes() for path in files(tmp_path)}
    second = run(script, tmp_path)
    assert (first.pop("numba before"), first.pop("scipy before")) == (True, True)
    assert (second.pop("numba before"), second.pop("scipy before")) == (False, False)
    assert (first.pop("compiled"), second.pop("compiled")) == (True, False)
    assert second == first
    assert first["frozen"] != first["frozen 1"]
    assert {path.name: path.read_bytes() for path in files(tmp_path)} == kept
    # Line for line what is raised without any cache.
    third = run(script, tmp_path, RINGBACK_CACHE="0")
    for name in ("numba before", "scipy before", "compiled"):
        assert third.pop(name)
    assert third == first
    assert first["raised"][:3] == ["ValueError", "('negative start',)", "second"]
    assert first["index"][:3] == ["IndexError", "('index is out of bounds',)", "second"]
    assert first["told"][:3] == ["ValueError", "('too large', 2.5)", "told"]


CHANGING = """
    import json, sys
    import numpy as np
    import ringback as rb
    from ringback.integrate import quad
    import changing_helper

    word = "{word}"

    def helper(x):
        return {factor} * x

    f = rb.compile(lambda x: helper(changing_helper.part(x)) + len(word), "f64(f64)", {options})
    print(json.dumps([f(3.0), "numba" in sys.modules]))
"""


def test_a_change_of_the_script_or_of_what_it_calls_is_seen(tmp_path):
    def outcome(word="a", factor=2.0, power=1, options="") -> list:
        text = textwrap.dedent(CHANGING).format(word=word, factor=factor, options=options)
        # Times and sizes of files do not count, nor does what Python has cached of them.
        written(tmp_path / "changing_helper.py", f"def part(x):\n    return x**{power}\n")
        return run(written(tmp_path / "changing.py", text), tmp_path, PYTHONDONTWRITEBYTECODE="1")

    assert outcome() == [7.0, True]
    assert outcome() == [7.0, False]
    assert outcome(word="abc") == [9.0, True]
    assert outcome(factor=4.0) == [13.0, True]
    assert outcome(power=2) == [19.0, True]
    assert outcome(options="fastmath=True") == [7.0, True]
    assert outcome() == [7.0, False]


SHORT = """
    import json, sys
    import numpy as np
    from ringback.integrate import quad

    value = quad(lambda t: np.exp(-t) / t**2, 1, np.inf).value
    print(json.dumps([value.hex(), "numba" in sys.modules]))
"""


def test_damaged_files_are_compiled_anew_and_several_processes_may_write_at_once(tmp_path):
    script = written(tmp_path / "short.py", SHORT)
    together = [start(script, tmp_path) for _ in range(3)]
    answers = [finish(process) for process in together]
    value = answers[0][0]
    assert [answer[0] for answer in answers] == [value] * 3
    (file,) = files(tmp_path)
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    good = file.read_bytes()
    assert run(script, tmp_path) == [value, False]
    file.write_bytes(good[: len(good) // 2])
    assert run(script, tmp_path) == [value, True]
    assert file.read_bytes() == good
    # Off, it neither reads nor writes.
    file.unlink()
    assert run(script, tmp_path, RINGBACK_CACHE="0") == [value, True]
    assert files(tmp_path) == []


UNKNOWN = """
    import json, sys
    import numba
    import numpy as np
    import ringback as rb

    class Own(Exception):
        pass

    large = np.arange(200_000.0)

    @numba.njit
    def of_large(i):
        return large[i]

    def raises(x):
        if x > 1:
            raise Own("mine")
        return x

    found = [rb.compile(raises, "f64(f64)")(0.5), rb.compile(lambda i: of_large(i), "f64(i64)")(7)]
    try:
        rb.compile(raises, "f64(f64)")(2.0)
    except Own as error:
        found.append(str(error))
    numba.config.BOUNDSCHECK = 1
    found.append(rb.compile(lambda x: x + 1, "f64(f64)")(1.0))
    numba.config.BOUNDSCHECK = None

    @numba.extending.overload(np.may_share_memory)
    def _(a, b):
        return lambda a, b: True

    found.append(rb.compile(lambda x: x + 2, "f64(f64)")(1.0))
    print(json.dumps(found))
"""


def test_what_has_no_meaning_in_another_process_is_not_kept(tmp_path):
    script = written(tmp_path / "unknown.py", UNKNOWN)
    assert run(script, tmp_path) == [0.5, 7.0, "mine", 2.0, 3.0]
    assert files(tmp_path) == []


# ------------------------------------------------------------------------------------------------------------- keys


def key(source: str, names: dict | None = None, signature: str = "f64(f64)", **options: object) -> str | None:
    """The key of the function `f` that a source defines."""
    scope: dict = {"np": np, "__name__": "source", **(names or {})}
    exec(compile(textwrap.dedent(source), "source.py", "exec"), scope)
    function = scope["f"]
    assert isinstance(function, types.FunctionType)
    plan = plan_of(function.__code__)
    captured = plan.values(function)
    given = {**DEFAULTS, **options}
    return fingerprint.key(function, plan, captured, rb.Signature(signature), given, list(plan.positional), {}, ())


@pytest.fixture
def released(monkeypatch):
    """Other tests may have taught Numba something."""
    monkeypatch.setattr(fingerprint, "as_released", lambda: True)


def nested(inner: str) -> str:
    return f"def g(x):\n    {inner}\ndef f(x):\n    return g(x)\n"


@pytest.mark.usefixtures("released")
def test_the_same_source_has_the_same_key():
    for source in ("def f(x): return np.exp(x)", nested("return np.sin(x)"), "def f(x): return f(x)"):
        assert re.fullmatch(r"[0-9a-f]{64}", key(source) or "")
        assert key(source) == key(source)
    # What is data is no part of it, by whatever value.
    assert key("k = 1.0\ndef f(x): return k * x") == key("k = 2.0\ndef f(x): return k * x")


DIFFERENT = {
    "a constant": ("def f(x): return x + 1.0", "def f(x): return x + 2.0"),
    "a constant's type": ("def f(x): return x + 1", "def f(x): return x + 1.0"),
    "the sign of zero": ("def f(x): return x * 0.0", "def f(x): return x * -0.0"),
    "an operation": ("def f(x): return x + 1", "def f(x): return x - 1"),
    "a function of NumPy": ("def f(x): return np.sin(x)", "def f(x): return np.cos(x)"),
    "its place": ("def f(x): return 1 / x", "\ndef f(x): return 1 / x"),
    "a type of what is captured": ("k = 1.0\ndef f(x): return k * x", "k = 1\ndef f(x): return k * x"),
    "a text": ("k = 'a'\ndef f(x): return x * len(k)", "k = 'ab'\ndef f(x): return x * len(k)"),
    "a helper's constant": (nested("return x + 1.0"), nested("return x + 2.0")),
    "a helper's global": ("k = 1.0\n" + nested("return x + k"), "k = 2.0\n" + nested("return x + k")),
    "a helper's default": ("def g(x, y=1): return x\ndef f(x): return g(x)", "def g(x, y=2): return x\ndef f(x): return g(x)"),
    "a helper's helper": (
        "def h(x): return x\n" + nested("return h(x)"), "def h(x): return -x\n" + nested("return h(x)"),
    ),
    "a lambda inside": ("def f(x): return (lambda y: y + 1.0)(x)", "def f(x): return (lambda y: y + 2.0)(x)"),
}  # fmt: skip


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize("what", DIFFERENT)
def test_another_function_has_another_key(what):
    one, other = (key(source) for source in DIFFERENT[what])
    assert one is not None
    assert other is not None
    assert one != other


@pytest.mark.usefixtures("released")
def test_other_circumstances_give_another_key(monkeypatch):
    source = "def f(x): return np.exp(x)"
    keys = [
        key(source),
        key(source, signature="f32(f32)"),
        *(key(source, **{name: value}) for name, value in (
            ("boundscheck", False), ("fastmath", True), ("fastmath", {"nnan"}), ("error_model", "numpy"), ("vector_math", False),
        )),
    ]  # fmt: skip
    monkeypatch.setenv("NUMBA_OPT", "1")
    keys.append(key(source))
    for part in ("_versions", "_machine"):
        monkeypatch.setattr(fingerprint, part, lambda: "another")
        keys.append(key(source))
    assert None not in keys
    assert len(set(keys)) == len(keys)


@pytest.mark.usefixtures("released")
def test_what_is_not_understood_has_no_key(monkeypatch):
    import math

    import numba

    class Own:
        pass

    assert key("def f(x): return thing(x)", {"thing": numba.njit(lambda x: x)}) is not None
    vectorized = numba.vectorize(lambda x: x)
    foreign = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(abs)
    for thing in (Own, Own(), [1.0], vectorized, foreign, np.random.normal, numba.float64, math):
        assert key("def f(x): return thing(x)", {"thing": thing}) is None
    assert key("def f(x):\n    m = np\n    return m.exp(x)") is None
    assert key("def f(x): return np.exp(x)", locals={"y": numba.float64}) is None
    # Somebody's own module that is named like one of Python's: its functions are told by their code.
    for name in ("operator", "numpy.own"):
        own = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, own)
        keys = []
        for factor in (2.0, 3.0):
            exec(f"def double(x): return {factor} * x", own.__dict__)
            keys.append(key("def f(x): return double(x)", {"double": own.double}))
        assert keys[0] != keys[1] or keys == [None, None]
    # A function that was put into the place of NumPy's is told by its code, and not by its name.
    source = "def f(x): return np.exp(x)"
    with monkeypatch.context() as patch:
        before = key(source)
        patch.setattr(np, "exp", lambda x: x)
        assert key(source) not in (before, None)
        patch.setattr(np, "exp", np.frompyfunc(lambda x: x, 1, 1))
        assert key(source) is None


# ------------------------------------------------------------------------------------------------------------ files


def test_files_are_read_back_and_are_private(folder):
    assert cache.read(KEY) is None
    old = os.umask(0)
    try:
        cache.write(KEY, b"contents")
    finally:
        os.umask(old)
    assert cache.read(KEY) == b"contents"
    assert folder.stat().st_mode & 0o777 == 0o700
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    cache.write(KEY, b"others")
    assert cache.read(KEY) == b"others"
    assert cache.state() == cache.State(str(folder), None, 1, file.stat().st_size)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
        lambda data: data.replace(b"code 1", b"code 2"),
        lambda data: os.urandom(len(data)),
    ],
)
def test_damaged_contents_are_not_read(folder, damage):
    cache.write(KEY, b"contents" * 20)
    (file,) = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert cache.read(KEY) is None
    cache.write(KEY, b"contents")
    assert cache.read(KEY) == b"contents"


def test_a_file_under_another_name_is_not_read(folder):
    cache.write(KEY, b"contents")
    other = "1" * 64
    (folder / f"{KEY}.code").rename(folder / f"{other}.code")
    assert cache.read(other) is None


def test_what_others_could_have_written_is_not_read(folder, tmp_path, monkeypatch):
    cache.write(KEY, b"contents")
    file = folder / f"{KEY}.code"
    for mode in (0o620, 0o602, 0o666):
        file.chmod(mode)
        assert cache.read(KEY) is None
    file.chmod(0o600)
    assert cache.read(KEY) == b"contents"
    for mode in (0o710, 0o701, 0o720, 0o777):
        folder.chmod(mode)
        assert cache.read(KEY) is None
        assert cache.state().refused == f"other users may enter it: chmod 700 {folder}"
        with pytest.raises(OSError, match="other users may enter it"):
            cache.clear()
        # And nothing is put there.
        cache.write("1" * 64, b"contents")
        assert [path.name for path in folder.iterdir()] == [file.name]
    folder.chmod(0o700)
    with monkeypatch.context() as patch:
        me = os.geteuid()
        patch.setattr(os, "geteuid", lambda: me + 1)
        assert cache.read(KEY) is None
        assert cache.state().refused == "it belongs to another user: set RINGBACK_CACHE_DIR to a folder of yours"
    # A link in the place of the file, and of the folder.
    elsewhere = tmp_path / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert cache.read(KEY) is None
    file.unlink()
    elsewhere.rename(file)
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    assert cache.read(KEY) is None
    assert cache.state().refused == "it is a symbolic link: remove it"
    folder.unlink()
    elsewhere.rename(folder)
    assert cache.read(KEY) == b"contents"
    # Neither waits for a writer nor reads a folder.
    file.unlink()
    os.mkfifo(file, 0o600)
    assert cache.read(KEY) is None
    file.unlink()
    file.mkdir()
    assert cache.read(KEY) is None


def test_where_nothing_can_be_written_nothing_fails(folder, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", full)
        cache.write(KEY, b"contents")
    assert list(folder.iterdir()) == []
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", Path("/proc/nowhere")):
        monkeypatch.setenv("RINGBACK_CACHE_DIR", str(place))
        cache.write(KEY, b"contents")
        assert cache.read(KEY) is None
    monkeypatch.setenv("RINGBACK_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("RINGBACK_CACHE", "0")
    cache.write(KEY, b"contents")
    assert list(folder.iterdir()) == []


def test_the_folder_is_that_of_the_environment_or_the_home(folder, tmp_path, monkeypatch):
    assert cache.folder() == str(folder)
    monkeypatch.delenv("RINGBACK_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.folder() == str(tmp_path / ".cache" / "ringback" / "objects")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert cache.folder() == str(tmp_path / ".cache" / "ringback" / "objects")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder() == str(tmp_path / "xdg" / "ringback" / "objects")
    assert cache.disabled() is None
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    assert cache.disabled() == "there is no home folder: set RINGBACK_CACHE_DIR"
    # As with sudo.
    monkeypatch.setenv("HOME", str(tmp_path))
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    assert cache.disabled() == f"{tmp_path} belongs to another user: set RINGBACK_CACHE_DIR"


def test_the_files_not_used_for_longest_go(folder, monkeypatch):
    keys = [f"{number:064x}" for number in range(8)]
    now = time.time()
    for age, one in enumerate(reversed(keys)):
        cache.write(one, bytes(1000))
        os.utime(folder / f"{one}.code", (now, now - 100 - age))
    each = (folder / f"{KEY}.code").stat().st_size
    left = folder / ".new-0123456789abcdef"
    left.write_bytes(b"of a process that ended")
    os.utime(left, (0, 0))
    (folder / "notes.txt").write_text("not ours")
    # Reading counts as use.
    assert cache.read(keys[1]) == bytes(1000)
    monkeypatch.setattr(cache, "LIMIT", 8 * each)
    cache.write("f" * 64, bytes(1000))
    kept = sorted(path.stem for path in folder.glob("*.code"))
    assert kept == [keys[1], *keys[4:], "f" * 64]
    assert not left.exists()
    assert (folder / "notes.txt").exists()


# ------------------------------------------------------------------------------------------------- what is in a file


def test_machine_code_survives_as_bytes():
    machine = machinecode.MachineCode(
        "name", b"\n\0text", "entry", b"\x7fELF\n", "block", b"object\n\n", b"", ["f64", "array2", "function"],
        [(("np", "pi"), "f64"), (("t",), ("i64", Array("f64", 2, "C"), (Function("f64(f64)"),)))],
        {b"\x80\x04\n": "ValueError: ü (in f, g.py:3)"},
    )  # fmt: skip
    assert machinecode.decode(machinecode.encode(machine)) == machine


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


# ---------------------------------------------------------------------------------------------------- command line


@pytest.mark.usefixtures("released", "folder")
def test_what_changes_while_it_is_compiled_is_not_kept(monkeypatch):
    build = compiling._build
    scope: dict = {"__name__": "source"}

    def changing(*arguments):
        made = build(*arguments)
        scope["word"] = "longer"
        return made

    source = "word = 'a'\ndef f(x): return x + len(word)\n"
    exec(compile(source, "source.py", "exec"), scope)
    with monkeypatch.context() as patch:
        patch.setattr(compiling, "_build", changing)
        rb.compile(scope["f"], "f64(f64)")
    assert cache.state().files == 0
    assert rb.compile(scope["f"], "f64(f64)")(1.0) == 7.0
    assert cache.state().files == 1


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


def test_the_command_line_shows_and_clears(folder, tmp_path, capsys, monkeypatch):
    def said(*arguments: str) -> tuple[int, str]:
        code = cli.main(arguments)
        return code, capsys.readouterr().out

    assert said("cache", "dir") == (0, f"{folder}\n")
    assert said("cache", "info") == (0, f"{folder}, 0 files, 0 MB\n")
    assert said("cache", "clear") == (0, "0 files removed, 0 MB\n")
    cache.write(KEY, bytes(2000))
    size = folder.joinpath(f"{KEY}.code").stat().st_size
    assert said("cache", "info") == (0, f"{folder}, 1 files, {size / 1e6:.3g} MB\n")
    monkeypatch.setenv("RINGBACK_CACHE", "0")
    assert said("cache", "info") == (0, f"{folder}, not used: RINGBACK_CACHE turns it off\n")
    # What is there may be removed all the same.
    assert said("cache", "clear") == (0, f"1 files removed, {size / 1e6:.3g} MB\n")
    folder.chmod(0o755)
    refused = f"{folder} is not used, and nothing is removed: other users may enter it: chmod 700 {folder}\n"
    assert said("cache", "clear") == (1, refused)


def test_doctor_says_what_there_is_and_what_is_missing(folder, capsys, monkeypatch):
    import numba
    from ringback import doctor, errors
    from ringback.backend import machine

    assert cli.main(["doctor"]) == 0
    lines = dict(re.findall(r"^([\w -]+): +(.*)$", capsys.readouterr().out, re.M))
    assert lines["numba"] == numba.__version__
    assert lines["numpy"] == np.__version__
    assert lines["cache"] == f"{folder}, 0 files, 0 MB" or lines["cache"].startswith(f"{folder}, 1 files")
    assert lines["self-test"] == "passed"
    assert {"ringback", "Python", "llvmlite", "LLVM", "CPU", "vector maths", "C compiler", "Rust"} <= set(lines)

    def broken() -> None:
        raise RuntimeError("Numba reports exceptions\nin another way")

    monkeypatch.setattr(errors, "self_test", broken)
    monkeypatch.setattr(machine, "vector_library", lambda: None)
    monkeypatch.setattr(doctor.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    monkeypatch.setenv("RINGBACK_CACHE", "0")
    assert cli.main(["doctor"]) == 1
    text = capsys.readouterr().out
    assert "libmvec.so.1 is missing" in text
    assert "install glibc's libmvec" in text
    assert "not used: RINGBACK_CACHE turns it off" in text
    assert "failed: RuntimeError: Numba reports exceptions in another way" in text
    assert text.count("not found") == 2


def test_the_command_is_installed():
    command = Path(sys.executable).with_name("ringback")
    done = subprocess.run([command, "cache", "dir"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{cache.folder()}\n"
    done = subprocess.run([sys.executable, "-m", "ringback", "nonsense"], capture_output=True, text=True)
    assert done.returncode == 2
