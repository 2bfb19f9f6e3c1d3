"""What a second process does: it compiles nothing, and gives the same; and what is compiled anew."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="objects are kept on disk on Linux only")


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
