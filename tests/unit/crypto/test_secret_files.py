from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from crypto import KeyFileError, read_secret_file, write_secret_file
from crypto.secret_files import MAX_SECRET_BYTES, replace_secret_file

CONTENT = b"a secret\n"
AS_ROOT = os.geteuid() == 0


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _descriptors() -> int:
    return len(os.listdir("/dev/fd"))


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777], ids=oct)
def test_a_file_is_its_owners_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    path = tmp_path / "secret"
    before = os.umask(mask)
    try:
        write_secret_file(path, CONTENT)
    finally:
        os.umask(before)
    assert _mode(path) == 0o600
    assert read_secret_file(path) == CONTENT
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


def test_a_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_secret_file(path, CONTENT)
    with pytest.raises(KeyFileError, match="is there already"):
        write_secret_file(path, b"another")
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


def test_force_replaces_the_file_and_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"open to all")
    path.chmod(0o644)
    with path.open("rb") as reader:
        write_secret_file(path, CONTENT, force=True)
        assert reader.read() == b"open to all", "who has the old file open must not see the new secret"
    assert path.read_bytes() == CONTENT
    assert _mode(path) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


@pytest.mark.parametrize("dangling", [True, False])
def test_a_link_in_the_way_is_not_followed(tmp_path: Path, dangling: bool) -> None:
    target, path = tmp_path / "target", tmp_path / "secret"
    if not dangling:
        target.write_bytes(b"somebody's")
    path.symlink_to(target)
    with pytest.raises(KeyFileError, match="is there already"):
        write_secret_file(path, CONTENT)
    assert path.is_symlink()
    write_secret_file(path, CONTENT, force=True)
    assert not path.is_symlink()
    assert path.read_bytes() == CONTENT
    assert target.exists() is not dangling
    if not dangling:
        assert target.read_bytes() == b"somebody's"


def test_a_reader_sees_one_whole_file_or_the_other(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    contents = {letter * 8_192 for letter in (b"a", b"b")}
    write_secret_file(path, b"a" * 8_192)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for content in contents:
                write_secret_file(path, content, force=True)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {read_secret_file(path) for _ in range(300)}
    finally:
        stop.set()
        writer.join()
    assert seen <= contents


@pytest.mark.parametrize("force", [False, True])
def test_a_directory_in_the_way_stays(tmp_path: Path, force: bool) -> None:
    path = tmp_path / "secret"
    path.mkdir()
    with pytest.raises(KeyFileError):
        write_secret_file(path, CONTENT, force=force)
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]
    assert path.is_dir()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"cannot write .*/none/secret: No such file or directory"):
        write_secret_file(tmp_path / "none" / "secret", CONTENT)


@pytest.mark.skipif(AS_ROOT, reason="root writes anywhere")
def test_a_folder_that_is_closed_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(KeyFileError, match="Permission denied"):
            write_secret_file(tmp_path / "secret", CONTENT)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666, 0o777], ids=oct)
def test_a_file_that_others_can_touch_is_not_read(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    write_secret_file(path, CONTENT)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=rf"open to other users \(mode {mode:04o}\): run chmod 600"):
        read_secret_file(path)
    path.chmod(0o400)
    assert read_secret_file(path) == CONTENT


def test_the_file_behind_a_link_is_what_counts(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    write_secret_file(target, CONTENT)
    link.symlink_to(target)
    assert read_secret_file(link) == CONTENT
    target.chmod(0o640)
    with pytest.raises(KeyFileError, match="open to other users"):
        read_secret_file(link)


@pytest.mark.parametrize("kind", ["directory", "pipe", "device", "missing", "link to itself"])
def test_what_is_no_file_is_not_read_and_leaks_nothing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "secret"
    messages = {"missing": "No such file or directory", "link to itself": "symbolic links"}
    match kind:
        case "directory":
            path.mkdir(0o700)
        case "pipe":
            os.mkfifo(path, 0o600)  # nobody writes: opening it must not wait
        case "device":
            path = Path("/dev/null")
        case "link to itself":
            path.symlink_to(path)
    before = _descriptors()
    with pytest.raises(KeyFileError, match=messages.get(kind, "is not a regular file")):
        read_secret_file(path)
    assert _descriptors() == before


@pytest.mark.parametrize("path", [Path("/"), Path("."), Path("a\0b"), Path("\ud800")], ids=repr)
@pytest.mark.parametrize("force", [False, True])
def test_a_path_that_names_no_file_is_refused(path: Path, force: bool) -> None:
    with pytest.raises(KeyFileError, match="is not the path of a file"):
        write_secret_file(path, CONTENT, force=force)
    with pytest.raises(KeyFileError, match=r"is not a regular file|is not the path of a file"):
        read_secret_file(path)


def test_a_file_is_of_limited_size(tmp_path: Path) -> None:
    write_secret_file(tmp_path / "large", bytes(MAX_SECRET_BYTES))
    write_secret_file(tmp_path / "larger", bytes(MAX_SECRET_BYTES + 1))
    assert read_secret_file(tmp_path / "large") == bytes(MAX_SECRET_BYTES)
    with pytest.raises(KeyFileError, match=f"more than {MAX_SECRET_BYTES} bytes"):
        read_secret_file(tmp_path / "larger")


def test_descriptors_are_closed(tmp_path: Path) -> None:
    before = _descriptors()
    write_secret_file(tmp_path / "secret", CONTENT)
    with pytest.raises(KeyFileError):
        write_secret_file(tmp_path / "secret", CONTENT)
    read_secret_file(tmp_path / "secret")
    assert _descriptors() == before


def test_what_was_there_is_overwritten_when_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    replace_secret_file(path, CONTENT)
    before = _descriptors()
    with path.open("rb") as old:
        replace_secret_file(path, b"another")
        assert old.read() == bytes(len(CONTENT))
    assert _descriptors() == before
    assert read_secret_file(path) == b"another"
    assert _mode(path) == 0o600


def test_what_has_another_name_is_not_overwritten(tmp_path: Path) -> None:
    path, kept = tmp_path / "secret", tmp_path / "kept"
    write_secret_file(kept, CONTENT)
    os.link(kept, path)
    replace_secret_file(path, b"another")
    assert read_secret_file(kept) == CONTENT


def test_a_link_is_not_followed_to_what_it_names(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    write_secret_file(kept, CONTENT)
    (tmp_path / "secret").symlink_to(kept)
    with pytest.raises(KeyFileError, match="cannot replace"):
        replace_secret_file(tmp_path / "secret", b"another")
    assert read_secret_file(kept) == CONTENT
