"""The LMDB file of nonces, and since when it remembers every one of them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import lmdb

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
MAP_SIZE: Final = 1 << 34  # bytes of address space, not of disk: the file grows with what lies in it
_ORIGIN_BYTES: Final = 128


@dataclass(slots=True)
class NonceEnvironment:
    """An open file of nonces, and the moment (POSIX seconds) since which no spent nonce can be missing."""

    environment: lmdb.Environment
    since: int
    users: int = 0


#: LMDB must not open a file twice in one process.
_open: dict[Path, NonceEnvironment] = {}


@contextmanager
def shared_environment(path: Path, now: int) -> Iterator[NonceEnvironment]:
    """Open the file of nonces, or share it with whoever has it open in this process.

    Raises:
        lmdb.Error, OSError: it cannot be opened.
    """
    path = path.resolve()
    file = _open.get(path)
    if file is None:
        file = _open[path] = _open_file(path, now)
    file.users += 1
    try:
        yield file
    finally:
        file.users -= 1
        if file.users == 0:
            del _open[path]
            file.environment.close()


def _open_file(path: Path, now: int) -> NonceEnvironment:
    boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
    lock = path.with_name(path.name + "-lock")
    with ExitStack() as held:
        # Beside the file, not in it: what another boot left may be torn, and must not even be opened.
        origin = os.open(path.with_name(path.name + "-origin"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        held.callback(os.close, origin)
        fcntl.flock(origin, fcntl.LOCK_EX)
        known_boot, _, known_since = os.pread(origin, _ORIGIN_BYTES, 0).decode("ascii", "replace").partition("\n")
        if known_boot == boot and known_since.strip().isdigit() and path.exists():
            since = int(known_since)
        else:
            since = now
            for stale in (path, lock, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))):
                stale.unlink(missing_ok=True)
            os.ftruncate(origin, 0)
            os.pwrite(origin, f"{boot}\n{since}\n".encode("ascii"), 0)
        environment = lmdb.open(
            str(path),
            subdir=False,
            map_size=MAP_SIZE,
            mode=0o600,
            # Without a boot id nobody could tell what a crash lost: then every commit waits for the disk.
            sync=not boot,
            metasync=not boot,
        )
    return NonceEnvironment(environment, since)
