"""The files on disk: whole or not read, the user's own or not read."""

import os
import sys
import tempfile
import time
from pathlib import Path

import pytest
from ringback import cache

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="objects are kept on disk on Linux only")

KEY = "0" * 64


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


def test_a_disk_that_fills_up_leaves_nothing_behind(folder):
    import resource

    cache.write(KEY, b"contents")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Part of the file is written, then the system refuses.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        cache.write(KEY, bytes(100_000))
        cache.write("1" * 64, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in folder.iterdir()] == [f"{KEY}.code"]
    assert cache.read(KEY) == b"contents"


def test_a_folder_that_cannot_be_written_to_is_read(monkeypatch):
    # In a folder that every user may enter: root, who may write anywhere, becomes another user for a while.
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        monkeypatch.delenv("RINGBACK_CACHE")
        monkeypatch.setenv("RINGBACK_CACHE_DIR", place)
        cache.write(KEY, b"contents")
        folder = Path(place, "objects")
        folder.chmod(0o500)
        me = os.geteuid()
        if me == 0:
            for path in (folder, *folder.iterdir()):
                os.chown(path, 12345, -1)
            os.seteuid(12345)
        try:
            cache.write("1" * 64, b"others")
            cache.write(KEY, b"others")
            assert cache.read(KEY) == b"contents"
            assert cache.state()[1:3] == (None, 1)
            assert cache.clear() == (0, 0)
            assert [path.name for path in folder.iterdir()] == [f"{KEY}.code"]
        finally:
            os.seteuid(me)
            folder.chmod(0o700)


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


def test_a_folder_may_be_named_as_a_shell_would_take_it(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for given, meant in (("~/mine", "mine"), ("~", ""), ("mine", "mine"), ("./mine/../other", "other")):
        monkeypatch.setenv("RINGBACK_CACHE_DIR", given)
        assert cache.folder() == os.path.join(os.path.normpath(tmp_path / meant), "objects")
        assert cache.disabled() is None
    (tmp_path / "~").mkdir()
    monkeypatch.setenv("RINGBACK_CACHE_DIR", "~nobody-of-this-name/mine")
    assert cache.disabled() == "RINGBACK_CACHE_DIR is ~nobody-of-this-name/mine, and there is no such home folder"
    # A user without a home, in a folder with a folder of that name.
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.setenv("RINGBACK_CACHE_DIR", "~/mine")
    assert cache.disabled() == "RINGBACK_CACHE_DIR is ~/mine, and there is no such home folder"
    monkeypatch.delenv("RINGBACK_CACHE_DIR")
    assert cache.disabled() == "there is no home folder: set RINGBACK_CACHE_DIR"
    cache.write(KEY, b"contents")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["~"]
    assert list((tmp_path / "~").iterdir()) == []


@pytest.mark.usefixtures("folder")
def test_a_folder_that_is_relative_to_none_is_no_error(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setenv("RINGBACK_CACHE_DIR", "mine")
    gone.rmdir()
    cache.write(KEY, b"contents")
    assert cache.read(KEY) is None
    assert cache.summary() == "mine/objects, 0 files, 0 MB"
    assert cache.clear() == (0, 0)


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
