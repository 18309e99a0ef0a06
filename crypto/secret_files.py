"""Files that only their owner may read: written whole or not at all, refused when others could read them."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from crypto.errors import KeyFileError

MAX_SECRET_BYTES: Final = 16_384


def write_secret_file(path: Path, content: bytes, *, force: bool = False) -> None:
    """Write a file with mode 0600, atomically, and make it durable.

    Raises KeyFileError if the file is there already (unless `force`) or cannot be written.
    """
    try:
        # The name is unpredictable and O_EXCL refuses symbolic links, so nobody can put a file in its way.
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                os.fchmod(stream.fileno(), 0o600)
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            if force:
                os.replace(draft, path)
            else:
                os.link(draft, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(draft)
        _sync_directory(path.parent)
    except FileExistsError:
        raise KeyFileError(f"{path} is there already") from None
    except OSError as error:
        raise KeyFileError(f"cannot write {path}: {error.strerror}") from error
    except ValueError as error:
        raise KeyFileError(f"{str(path)!r} is not the path of a file") from error


def replace_secret_file(path: Path, content: bytes) -> None:
    """Write a file as `write_secret_file` does, and overwrite with zeros what was there under this name.

    Where the file system writes in place, that is gone from the disk; journals, snapshots and worn cells of flash
    memory may have it still. Raises KeyFileError.
    """
    before = None
    try:
        with suppress(FileNotFoundError):
            before = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            write_secret_file(path, content, force=True)
            if before is not None and os.fstat(before).st_nlink == 0:
                with os.fdopen(before, "wb", closefd=False) as stream:
                    stream.write(bytes(os.fstat(before).st_size))
                os.fsync(before)
        finally:
            if before is not None:
                os.close(before)
    except OSError as error:
        raise KeyFileError(f"cannot replace {path}: {error.strerror}") from error


def read_secret_file(path: Path, limit: int = MAX_SECRET_BYTES) -> bytes:
    """Return the content of a regular file that group and others cannot touch, of at most `limit` bytes.

    Raises KeyFileError.
    """
    try:
        # O_NONBLOCK: opening a pipe must not wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise KeyFileError(f"{path} is not a regular file")
            if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                mode = stat.S_IMODE(status.st_mode)
                raise KeyFileError(f"{path} is open to other users (mode {mode:04o}): run chmod 600 on it")
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                content = stream.read(limit + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise KeyFileError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise KeyFileError(f"{str(path)!r} is not the path of a file") from error
    if len(content) > limit:
        raise KeyFileError(f"{path} has more than {limit} bytes")
    return content


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
