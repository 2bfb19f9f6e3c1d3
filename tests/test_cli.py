"""The command `ringback`: the cache, and the doctor."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ringback import cache, cli

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="objects are kept on disk on Linux only")

KEY = "0" * 64


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


def test_doctor_names_vector_functions_that_an_older_library_lacks(folder, capsys, monkeypatch):
    from ringback.backend import machine, vectormath

    few = {(name, bits): [] for name in ("exp", "log", "pow", "sin", "cos") for bits in (32, 64)}
    monkeypatch.setattr(machine, "vector_library", lambda: vectormath.Library("libmvec.so.1", few))
    cli.main(["doctor"])
    text = capsys.readouterr().out
    assert "libmvec.so.1, 5 functions\n" in text
    assert "→ without exp2, exp10, log2," in text
    assert "atanh, which are called a point at a time; glibc 2.35 and later has them" in text


def test_doctor_says_that_the_cache_cannot_be_used(tmp_path, capsys, monkeypatch):
    # Nobody, root neither, makes a folder below a file; nor in /proc, where what is missing is "not found".
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file" / "cache", Path("/proc/nowhere")):
        monkeypatch.setenv("RINGBACK_CACHE_DIR", str(folder))
        assert cli.main(["doctor"]) == 0
        assert re.search(
            r"^cache: .*not used: .*\n +→ each process compiles anew until then$", capsys.readouterr().out, re.M
        )


def test_the_command_is_installed():
    command = Path(sys.executable).with_name("ringback")
    done = subprocess.run([command, "cache", "dir"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{cache.folder()}\n"
    done = subprocess.run([sys.executable, "-m", "ringback", "nonsense"], capture_output=True, text=True)
    assert done.returncode == 2
