"""Nothing is read from the user's cache, nor left in it; and a cache for the tests that want one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

os.environ["RINGBACK_CACHE"] = "0"


ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def host() -> Path:
    """Builds the programs that load exported libraries; the folder that they are in."""
    assert shutil.which("cargo"), "the tests of the export need cargo"
    command = ["cargo", "build", "--quiet", "--release", "--manifest-path", ROOT / "tests/host/Cargo.toml"]
    subprocess.run([*command, "--target-dir", ROOT / "target/host"], check=True)
    return ROOT / "target/host/release"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache's files, in which there is nothing yet."""
    monkeypatch.delenv("RINGBACK_CACHE")
    monkeypatch.setenv("RINGBACK_CACHE_DIR", str(tmp_path))
    return tmp_path / "objects"


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba counts as just imported: other tests may have taught it something."""
    from ringback import fingerprint

    monkeypatch.setattr(fingerprint, "as_released", lambda: True)
