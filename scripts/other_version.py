"""Builds the test extension against a copy of the crate that is of another version: other_version.py next|major.

`next` is a later minor version: the record has one more field at its end. `major` is a later major version: the number
and the name of the capsule are others. Cargo's target folder is the repository's own, so that dependencies are not built
again; the copies stay there too, and are built again only where the sources changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

Edits = dict[str, list[tuple[str, str]]]

FIELD = "    /// The producer's own.\n    pub private_data: *mut c_void,\n"
NEXT: Edits = {
    "Cargo.toml": [('version = "0.1.0"', 'version = "0.2.0"')],
    "crates/ringback/src/abi.rs": [(FIELD, FIELD + "    /// Appended since.\n    pub appended: u64,\n")],
    "crates/ringback/src/raw.rs": [
        ("private_data: Box::into_raw(owner).cast(),", "private_data: Box::into_raw(owner).cast(), appended: 4711,"),
        (
            "    /// Code, its block form or null, and bound data.\n",
            "    pub(crate) fn appended(&self) -> u64 { self.record.appended }\n",
        ),
    ],
    "crates/ringback/src/callback.rs": [
        (
            "    fn of(shared: Arc<Shared>) -> Self {",
            "    /// What was appended, or 0.\n    pub fn appended(&self) -> u64 { self.shared.appended() }\n"
            "    fn of(shared: Arc<Shared>) -> Self {",
        )
    ],
    "tests/extension/src/offers.rs": [
        (
            "/// A normal log density.",
            "/// What a newer producer says, 0 for an older one.\n#[pyfunction]\n"
            "pub(crate) fn appended(callback: ringback::Callback<(f64,), f64>) -> u64 { callback.appended() }\n\n"
            "/// A normal log density.",
        )
    ],
    "tests/extension/src/lib.rs": [("super::offers::{", "super::offers::{appended, ")],
}
MAJOR: Edits = {
    "Cargo.toml": [('version = "0.1.0"', 'version = "2.0.0"')],
    "crates/ringback/src/abi.rs": [("ABI_VERSION: u32 = 1;", "ABI_VERSION: u32 = 2;")],
    "crates/ringback/src/python/capsule.rs": [('c"ringback.callback.v1"', 'c"ringback.callback.v2"')],
}
VERSIONS = {"next": NEXT, "major": MAJOR}


def edited(path: str, text: str, version: str) -> str:
    """A source file as it is in the other version."""
    edits = list(VERSIONS[version].get(path, []))
    name = f"ringback_testing_{version}"
    if path == "Cargo.toml":
        start = text.index("members = [")
        members = text[start : text.index("]", start) + 1]
        edits.append((members, 'members = ["crates/ringback", "tests/extension"]'))
    if path in ("tests/extension/Cargo.toml", "tests/extension/pyproject.toml", "tests/extension/src/lib.rs"):
        assert "ringback_testing" in text or "ringback-testing" in text, path
        text = text.replace("ringback_testing", name).replace("ringback-testing", name.replace("_", "-"))
    for old, new in edits:
        assert old in text, f"{path} has no {old!r}: scripts/other_version.py is behind the sources"
        text = text.replace(old, new)
    return text


def build(version: str) -> Path:
    """Copies, builds if need be, and returns the folder that has the extension module `ringback_testing_<version>`."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    folder = target / "other_version" / version
    sources = [ROOT / "Cargo.toml", ROOT / "Cargo.lock"]
    for package in ("crates/ringback", "tests/extension"):
        here = ROOT / package
        sources += [here / "Cargo.toml", *sorted((here / "src").rglob("*.rs")), *here.glob("pyproject.toml")]
    modules = folder / "modules"
    changed = not list(modules.glob("*.so")) and not list(modules.glob("*.pyd"))
    for source in sources:
        path = source.relative_to(ROOT).as_posix()
        copy = folder / path
        # Cargo leaves out of its lock file what the copy does not need, so that file differs from ours for good.
        if path == "Cargo.lock" and copy.exists() and not changed:
            continue
        text = edited(path, source.read_text(encoding="utf-8"), version)
        if not copy.exists() or copy.read_text(encoding="utf-8") != text:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text, encoding="utf-8")
            changed = True
    if changed:
        modules.mkdir(parents=True, exist_ok=True)
        # The interpreter that the other modules were built with: another one would build the dependencies anew.
        python = os.environ.get("PYO3_PYTHON", sys.executable)
        wheels = folder / "wheels"
        for old in [*wheels.glob("*.whl"), *modules.glob("ringback_testing_*")]:
            old.unlink()
        maturin = shutil.which("maturin", path=str(Path(sys.executable).parent)) or shutil.which("maturin")
        if maturin is None:
            raise SystemExit("no maturin: pip install -r requirements-dev.txt")
        command = [maturin, "build", "--release", "--quiet", "--interpreter", python, "--out", str(wheels)]
        environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
        subprocess.run(command, cwd=folder / "tests/extension", env=environment, check=True)
        (wheel,) = wheels.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith((".so", ".pyd")):
                    (modules / Path(name).name).write_bytes(archive.read(name))
    return modules


if __name__ == "__main__":
    print(build(sys.argv[1]))
