"""Where a worker keeps what its detector has learned: a signed file in a slot that no other worker has."""

from __future__ import annotations

import fcntl
import hmac
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from anomaly.errors import AnomalyError
from anomaly.persistence import MAX_BYTES, dump, load
from crypto import CryptoError, write_secret_file

if TYPE_CHECKING:
    from anomaly.watch import Watch

SCHEMA: Final = "secure-api behavior"
SLOTS: Final = 64

log = structlog.get_logger("secure_api.behavior")


class StateFile:
    """One worker's file `behavior-N.state`, N the first that no other worker holds; locked until `close`.

    HMAC-SHA256 signs it: whoever can write to the folder, and has no storage key, can make no state.

    Args:
        folder: the server's home.
        key: 32 bytes, derived from the storage key.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._key = key
        self._path: Path | None = None
        self._lock: int | None = None

    def open(self) -> None:
        """Take a slot; without one (the folder cannot be written, 64 workers) nothing is kept, and a line says so."""
        try:
            for slot in range(SLOTS):
                lock = os.open(self._folder / f"behavior-{slot}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    os.close(lock)
                    continue
                self._lock, self._path = lock, self._folder / f"behavior-{slot}.state"
                return
            log.warning("behavior state is not kept", reason="no free slot")
        except OSError as error:
            log.warning("behavior state is not kept", reason=error.strerror)

    def restore(self, watch: Watch, fresh: Watch) -> Watch:
        """Give `watch` as the file says, or `fresh` when there is none that can be believed; one line says why."""
        if self._path is None:
            return fresh
        try:
            if self._path.stat().st_size > 2 * MAX_BYTES:
                log.warning("behavior analysis starts cold", reason="the saved state is too large")
                return fresh
            watch.restore(load(self._path.read_bytes(), SCHEMA, self._verify))
        except FileNotFoundError:
            return fresh
        except OSError as error:
            log.warning("behavior analysis starts cold", reason=error.strerror)
        except AnomalyError as error:
            log.warning("behavior analysis starts cold", reason=str(error))
        except Exception as error:  # of a state that was signed: ours, and in no form that we know
            log.warning("behavior analysis starts cold", reason=f"{type(error).__name__} in a saved state")
        else:
            return watch
        return fresh

    def save(self, watch: Watch) -> None:
        """Write the state, in place of the one before; called in the thread that owns `watch`."""
        if self._path is None:
            return
        try:
            data = dump(watch.state(), SCHEMA, self._sign)
            partial = self._path.with_suffix(".new")
            write_secret_file(partial, data, force=True)
            partial.replace(self._path)
        except (OSError, AnomalyError, CryptoError) as error:
            log.warning("behavior state could not be saved", reason=str(error))

    def close(self) -> None:
        """Give the slot back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _sign(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, "sha256")

    def _verify(self, data: bytes, signature: bytes) -> None:
        if not hmac.compare_digest(self._sign(data), signature):
            raise AnomalyError("The state was signed by another key.")
