"""What the packages promise: versions, files, and what works without what is optional."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from ringback import cli, doctor, errors

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ["ringback", "ringback-engines", "ringback-runtime"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def required(name: str, operator: str) -> dict[str, str]:
    """Packages with the versions that a file asks for."""
    return dict(re.findall(rf'^[^#\n]*?["\s]?\b([a-z]+){operator}([\d.]+)', text(name).replace(", ", ",\n"), re.M))


def run(source: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Runs a script in a process of its own, with nothing on disk."""
    command = [sys.executable, *options, "-c", source]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "RINGBACK_CACHE": "0"}, check=False
    )


def test_the_oldest_versions_are_the_same_everywhere():
    project, development = required("pyproject.toml", ">="), required("requirements-dev.txt", ">=")
    oldest = required("requirements-oldest.txt", "==")
    assert {"numba", "numpy", "scipy", "tqdm", "pytest", "hypothesis", "cffi"} <= set(project)
    assert project["numba"] == ".".join(map(str, errors.OLDEST_NUMBA))
    wanted = {name: version for name, version in project.items() if name != "maturin"}
    assert set(wanted) <= set(oldest)
    for name, version in {**development, **wanted}.items():
        # 1.11.0 of SciPy was withdrawn.
        assert f"{oldest[name]}.".startswith(f"{version}."), name
        assert development.get(name, version) == project.get(name, version), name


def test_an_older_numba_is_refused_by_name(folder, capsys, monkeypatch):
    reason = "ringback needs Numba 0.62 or later, found 0.61.2: python -m pip install 'numba>=0.62'"
    for version in ("0.61.2", "0.9.1", "0.61.0rc1"):
        assert errors.too_old(version) == reason.replace("0.61.2", version)
    for version in ("0.62.0", "0.62.0rc1", "0.100.3", "1.0", "0.63.0dev0+12.gabc", "unknown"):
        assert errors.too_old(version) is None
    done = run(
        "import numba, ringback as rb; numba.__version__ = '0.61.2'\n"
        "try: rb.compile(lambda x: x, 'f64(f64)')\n"
        "except RuntimeError as error: print(error)"
    )
    assert done.stdout == reason + "\n", done.stderr
    found = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda package: "0.61.2" if package == "numba" else found(package))
    assert cli.main(["doctor"]) == 1
    assert re.search(rf"^numba: +0\.61\.2\n +→ {re.escape(reason)}$", capsys.readouterr().out, re.M)


def test_importing_warns_of_nothing_and_loads_neither_numba_nor_what_is_optional():
    source = (
        "import json, sys, ringback, ringback.integrate\n"
        "print(json.dumps(sorted({'numba', 'llvmlite', 'scipy', 'tqdm'} & set(sys.modules))))"
    )
    done = run(source, "-W", "error")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


WITHOUT = """
import sys
# Not even to be found: Numba and Ringback look for SciPy.
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("scipy", "tqdm"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())

import numpy as np
import ringback as rb
from ringback.integrate import cubature, monte_carlo, quad, quad_many

assert abs(quad(lambda x: x * x, 0, 3).value - 9) < 1e-12
assert np.allclose(quad_many(lambda x, k: k * x, 0, 1, args=(np.array([2.0, 4.0]),)).value, [1, 2])
assert abs(cubature(lambda x, y: x * y, [0, 0], [1, 1]).value - 0.25) < 1e-12

def refused(call):
    try:
        call()
    except ImportError as error:
        return str(error)

bar = "progress=True needs the package tqdm: pip install tqdm, or leave it out"
assert refused(lambda: quad_many(lambda x: x, 0, np.ones(3), progress=True)) == bar
assert refused(lambda: cubature(lambda x, y: x * y, [0, 0], [1, 1], progress=True)) == bar
assert refused(lambda: monte_carlo(lambda x, y: x * y, [0, 0], [1, 1], progress=True)) == bar
scipys = "low_level_callable() makes an object of SciPy's, which is not installed: pip install scipy"
assert refused(lambda: rb.compile(lambda x: x, "f64(f64)").low_level_callable()) == scipys
try:
    rb.compile(lambda x: x @ x, "f64([f64])")
except rb.CompileError as error:
    assert str(error).endswith("which is not installed: pip install scipy")
else:
    raise AssertionError
"""


def test_without_scipy_and_tqdm_all_works_that_does_not_need_them():
    done = run(WITHOUT, "-W", "error")
    assert done.returncode == 0, done.stderr


def test_what_is_installed():
    files = [str(file) for file in metadata.files("ringback") or () if file.suffix != ".pyc"]
    package = {name for name in files if name.startswith("ringback/")}
    info = {name.partition("/")[2] for name in files if re.match(r"ringback-[^/]+\.dist-info/", name)}
    assert {"ringback/py.typed", "ringback/_ringback.pyi", "ringback/_ringback.abi3.so"} <= package
    assert {f"licenses/{name}" for name in ("LICENSE", "LICENSE-APACHE", "LICENSE-MIT")} <= info
    sources = {path.relative_to(ROOT / "python").as_posix() for path in (ROOT / "python").rglob("*.py*")}
    assert package - {"ringback/_ringback.abi3.so"} == {name for name in sources if not name.endswith(".pyc")} | {
        "ringback/py.typed"
    }
    # The rest: the command, and what pip notes.
    assert all(
        name.startswith(("ringback/", "ringback-")) or name.endswith(("bin/ringback", "Scripts/ringback.exe"))
        for name in files
    )


def workspace() -> dict[str, str]:
    """What the workspace asks for of crates that are not ours."""
    tomllib = pytest.importorskip("tomllib", reason="from Python 3.11 on")
    dependencies = tomllib.loads(text("Cargo.toml"))["workspace"]["dependencies"]
    found = {name: d if isinstance(d, str) else d["version"] for name, d in dependencies.items()}
    return {name: version for name, version in found.items() if not name.startswith("ringback")}


def test_only_what_is_young_is_asked_for_exactly():
    # An exact version of pyo3 or rayon keeps out every crate that needs another: a program has one of them only.
    assert [name for name, version in workspace().items() if version.startswith("=")] == ["pulp"]


def test_the_oldest_crates_are_those_that_are_tested(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import oldest

    asked = {name: version for name, version in workspace().items() if name != "pulp"}
    assert set(oldest.CRATES) == set(asked)
    for name, version in asked.items():
        low = re.match(r"(?:>=)?([\d.]+)", version)
        assert low is not None
        assert f"{oldest.CRATES[name]}.".startswith(f"{low[1]}."), name


@pytest.mark.skipif(shutil.which("cargo") is None, reason="asks cargo")
@pytest.mark.parametrize("crate", PUBLISHED)
def test_what_a_crate_s_package_holds(crate):
    command = ["cargo", "package", "--list", "--allow-dirty", "--offline", "-p", crate]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    files = set(done.stdout.split())
    assert {"Cargo.toml", "README.md", "LICENSE-APACHE", "LICENSE-MIT", "src/lib.rs"} <= files
    described = text(f"crates/{crate}/Cargo.toml")
    for key in ("description", "documentation", "keywords", "categories"):
        assert re.search(rf"^{key} = ", described, re.M), key
    sizes = [(ROOT / "crates" / crate / name) for name in files]
    assert sum(path.stat().st_size for path in sizes if path.exists()) < 1_000_000
    # What a source includes from elsewhere in the repository would be missing, but for pages that are only tests.
    outside = [
        line
        for name in files
        if name.startswith("src/")
        for line in text(f"crates/{crate}/{name}").splitlines()
        if "include" in line and "../../" in line and "doc" not in line
    ]
    assert outside == []
