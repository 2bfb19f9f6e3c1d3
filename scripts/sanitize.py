"""Runs the core crate's tests under Miri, else under AddressSanitizer, else under valgrind; says which."""

import os
import shutil
import subprocess
import sys

TARGET = "x86_64-unknown-linux-gnu"
TESTS = ["-p", "ringback", "--features", "ndarray,complex", "--lib", "--tests"]
# It calls the C library, which Miri does not know.
RUNTIME = ["-p", "ringback-runtime", "--tests"]


def succeeds(*command: str, **env: str) -> bool:
    """Whether a command can be run at all here."""
    try:
        probe = subprocess.run(command, capture_output=True, check=False, env={**os.environ, **env})
    except OSError:
        return False
    return probe.returncode == 0


def main() -> int:
    """The exit code of the tests."""
    if succeeds("cargo", "+nightly", "miri", "--version"):
        print("== core tests under Miri", flush=True)
        env = {**os.environ, "MIRIFLAGS": "-Zmiri-disable-isolation"}
        return subprocess.run(["cargo", "+nightly", "miri", "test", *TESTS], env=env, check=False).returncode
    sanitized = {
        **os.environ,
        "RUSTC_BOOTSTRAP": "1",
        "RUSTFLAGS": "-Zsanitizer=address",
        "CARGO_TARGET_DIR": "target/asan",
        # The tests ask for more memory than there is.
        "ASAN_OPTIONS": "allocator_may_return_null=1",
    }
    host = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    if f"host: {TARGET}" in host:
        print("== core tests under AddressSanitizer", flush=True)
        command = ["cargo", "test", "--target", TARGET]
        codes = [
            subprocess.run([*command, *tests], env=sanitized, check=False).returncode for tests in (TESTS, RUNTIME)
        ]
        return max(codes)
    if shutil.which("valgrind"):
        print("== core tests under valgrind", flush=True)
        runner = "CARGO_TARGET_" + TARGET.upper().replace("-", "_") + "_RUNNER"
        env = {**os.environ, runner: "valgrind --error-exitcode=9 --leak-check=full -q"}
        return max(subprocess.run(["cargo", "test", *t], env=env, check=False).returncode for t in (TESTS, RUNTIME))
    print("neither Miri nor AddressSanitizer nor valgrind is here: the memory checks did not run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
