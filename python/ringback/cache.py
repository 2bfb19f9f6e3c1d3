"""Compiled code on disk: one file a key, in a folder that nobody else can write to.

What is read is run. So the folder has to be the user's own and closed to all others, and so has each file; what is not is
not read. A file that is cut short or damaged does not have the contents that its hash says, and is compiled anew.
Nothing that goes wrong here is an error: without the cache, functions are compiled.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

# The largest size of all files together, in bytes. Beyond it those go that were not used for longest.
LIMIT = 256 * 2**20
# What starts a file: the layout, then the hash of what follows.
_MAGIC = b"ringback code 1\n"
_NAME = re.compile(r"[0-9a-f]{64}\.code")
_TEMPORARY = re.compile(r"\.new-[0-9a-f]+")
# A temporary file older than this, in seconds, belongs to a process that ended while it wrote.
_ABANDONED = 3600


class State(NamedTuple):
    """What there is on disk: the folder, why it is not used if it is not, the number of files and their size in bytes."""

    folder: str
    refused: str | None
    files: int
    size: int


def folder() -> str:
    """The folder of the files: `objects` in `RINGBACK_CACHE_DIR`, else in `ringback` in the user's folder for caches."""
    # Where no shell has seen it, `~` is still there.
    given = os.path.expanduser(os.environ.get("RINGBACK_CACHE_DIR", ""))
    if not given:
        base = os.environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(base):
            base = os.path.expanduser("~/.cache")
        given = os.path.join(base, "ringback")
    with contextlib.suppress(OSError):
        # Of a relative one the folder may be gone that it is relative to. Nothing is found there then, nor written.
        given = os.path.abspath(given)
    return os.path.join(given, "objects")


def disabled() -> str | None:
    """Why nothing is kept on disk, or None."""
    if os.environ.get("RINGBACK_CACHE", "").strip().lower() in ("0", "off", "false", "no"):
        return "RINGBACK_CACHE turns it off"
    return _unsupported()


def _unsupported() -> str | None:
    if sys.platform != "linux":
        # What an object needs is read from it (`backend/objects.py`), and who may write to it asked in POSIX's way.
        return "code is kept on disk on Linux only"
    given = os.environ.get("RINGBACK_CACHE_DIR", "")
    if given:
        if given.startswith("~") and not os.path.isabs(os.path.expanduser(given)):
            return f"RINGBACK_CACHE_DIR is {given}, and there is no such home folder"
        return None
    home = os.path.expanduser("~")
    try:
        # Without a home it is still `~`, which may be a folder of that name.
        if not os.path.isabs(home):
            raise FileNotFoundError
        if os.stat(home).st_uid != os.geteuid():
            # As with sudo: what root leaves there the user could not use.
            return f"{home} belongs to another user: set RINGBACK_CACHE_DIR"
    except OSError:
        return "there is no home folder: set RINGBACK_CACHE_DIR"
    return None


class _Refused(OSError):
    """The folder is not the user's alone."""


@contextlib.contextmanager
def _opened(make: bool) -> Iterator[int]:
    """A descriptor of the folder, which stays the one that was looked at."""
    why = _unsupported()
    if why:
        raise _Refused(why)
    path = folder()
    if make:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
    if os.path.islink(path):
        raise _Refused("it is a symbolic link: remove it")
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid():
            raise _Refused("it belongs to another user: set RINGBACK_CACHE_DIR to a folder of yours")
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise _Refused(f"other users may enter it: chmod 700 {path}")
        yield descriptor
    finally:
        os.close(descriptor)


def read(key: str) -> bytes | None:
    """What was written under a key; None if there is nothing, or nothing that can be trusted."""
    if disabled():
        return None
    try:
        with _opened(False) as place:
            descriptor = os.open(
                f"{key}.code", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place
            )
            with open(descriptor, "rb") as file:
                found = os.fstat(descriptor)
                if (
                    not stat.S_ISREG(found.st_mode)
                    or found.st_uid != os.geteuid()
                    or stat.S_IMODE(found.st_mode) & 0o022
                    or found.st_size > LIMIT
                ):
                    return None
                data = file.read()
                with contextlib.suppress(OSError):
                    # So that it counts as used; the time of reading is not kept on every file system.
                    os.utime(descriptor)
    except OSError:
        return None
    head = len(_MAGIC) + 32
    if data[:head] != _MAGIC + _hash(key, data[head:]):
        return None
    return data[head:]


def write(key: str, data: bytes) -> None:
    """Keeps data under a key: the whole file, or none."""
    if disabled():
        return
    with contextlib.suppress(OSError), _opened(True) as place:
        temporary = f".new-{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o600, dir_fd=place)
        try:
            with open(descriptor, "wb") as file:
                file.write(_MAGIC + _hash(key, data) + data)
            os.rename(temporary, f"{key}.code", src_dir_fd=place, dst_dir_fd=place)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=place)
            raise
        _tidy(place)


def _hash(key: str, data: bytes) -> bytes:
    return hashlib.sha256(key.encode() + data).digest()


class _File(NamedTuple):
    name: str
    used: float
    size: int


def _files(place: int) -> list[_File]:
    """The files of ours in the folder, and no others."""
    found = []
    with os.scandir(place) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name) or _TEMPORARY.fullmatch(entry.name):
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    found.append(_File(entry.name, status.st_mtime, status.st_size))
    return found


def _remove(place: int, file: _File) -> bool:
    with contextlib.suppress(OSError):
        os.unlink(file.name, dir_fd=place)
        return True
    return False


def _tidy(place: int) -> None:
    files = _files(place)
    long_ago = time.time() - _ABANDONED
    for file in files:
        if file.name.startswith(".") and file.used < long_ago:
            _remove(place, file)
    kept = [file for file in files if not file.name.startswith(".")]
    size = sum(file.size for file in kept)
    if size <= LIMIT:
        return
    for file in sorted(kept, key=lambda file: file.used):
        if size <= LIMIT * 3 // 4:
            break
        if _remove(place, file):
            size -= file.size


def clear() -> tuple[int, int]:
    """Removes the files: their number, and their size in bytes.

    Raises
    ------
    OSError
        If the folder is not the user's own.
    """
    count = size = 0
    try:
        with _opened(False) as place:
            for file in _files(place):
                if _remove(place, file):
                    size += file.size
                    count += 1
    except FileNotFoundError:
        pass
    return count, size


def state(make: bool = False) -> State:
    """What there is on disk; with `make` the folder is made, to see whether it can be."""
    try:
        with _opened(make) as place:
            files = _files(place)
    except OSError as error:
        nothing_yet = isinstance(error, FileNotFoundError) and not make
        return State(folder(), None if nothing_yet else str(error), 0, 0)
    return State(folder(), None, len(files), sum(file.size for file in files))


def summary(make: bool = False) -> str:
    """The state in one line."""
    found = state(make)
    why = disabled() or found.refused
    return f"{found.folder}, " + (f"not used: {why}" if why else f"{found.files} files, {megabytes(found.size)}")


def megabytes(size: int) -> str:
    """A size in bytes, for people."""
    return f"{size / 1e6:.3g} MB"
