"""What a contributor to masked studies keeps on disk, so that one that was ended in the middle can go on.

One file a study and key, in a folder of the owner's: mode 0600, replaced atomically, encrypted under the private key.
It is written **before** what a step returned is sent (docs/masked-sums.md), and goes forwards only. When the study is
over, the secrets in it are overwritten; a file without secrets stays, for nobody takes part in one study twice.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from crypto import CryptoError, KeyFileError, MaskingClient, MaskingRoster, PrivateKey, StorageKey, read_secret_file
from crypto.secret_files import replace_secret_file
from secure_api.client.errors import MaskedMemoryUnusable

LABEL: Final = "secure-api masked contributor v1"
FOLDER: Final = "masked"  # in that of the profiles
MAX_BYTES: Final = 16 << 20
_MAGIC: Final = b"SAMR\x01"
_HEAD: Final = struct.Struct(">5s?32sI")  # magic, over, pinned, length of the message


@dataclass(slots=True)
class MaskedRecord:
    """What is kept of one study: the client's state, and the last message that another signature would change.

    `pinned` is the digest of terms and roster under which it was begun.
    Without a `path` it is kept in memory alone. `over`: this contributor has done, or lost, its part.
    """

    study: str
    path: Path | None = None
    key: StorageKey | None = field(default=None, repr=False)
    pinned: bytes = b""
    state: bytes = field(default=b"", repr=False)
    message: bytes = field(default=b"", repr=False)
    over: bool = False

    def client(self, roster: MaskingRoster) -> MaskingClient | None:
        """Return the client as it was kept; None when there is none yet. Raises MaskedMemoryUnusable."""
        if not self.state:
            return None
        try:
            return MaskingClient.from_bytes(self.state, roster)
        except CryptoError as error:
            raise self._unusable(str(error)) from error

    def keep(self, client: MaskingClient, message: bytes = b"") -> None:
        """Keep a client before the message of its last step is sent. Raises MaskedMemoryUnusable."""
        self.state, self.message = client.to_bytes(), message
        self._write()

    def end(self) -> None:
        """Forget every secret. Raises MaskedMemoryUnusable."""
        self.state, self.message, self.over = b"", b"", True
        self._write()

    def read(self) -> None:
        """Read what is kept, if there is any. Raises MaskedMemoryUnusable: it is damaged, or another key's."""
        if self.path is None or self.key is None or not self.path.exists():
            return
        try:
            plain = self.key.decrypt(read_secret_file(self.path, MAX_BYTES), self._purpose)
        except KeyFileError as error:
            raise self._unusable(str(error)) from error
        except CryptoError as error:
            raise self._unusable("it is damaged, or was not written under this key") from error
        magic, over, pinned, length = _HEAD.unpack_from(plain.ljust(_HEAD.size))
        at = _HEAD.size + length
        if magic != _MAGIC or len(plain) < at:
            raise self._unusable("it is of another version")
        self.over, self.pinned, self.message, self.state = over, pinned, plain[_HEAD.size : at], plain[at:]

    @property
    def _purpose(self) -> str:
        return f"{LABEL}\n{self.study}"

    def _write(self) -> None:
        if self.path is None or self.key is None:
            return
        plain = _HEAD.pack(_MAGIC, self.over, self.pinned, len(self.message)) + self.message + self.state
        try:
            replace_secret_file(self.path, self.key.encrypt(plain, self._purpose))
        except CryptoError as error:
            raise MaskedMemoryUnusable(str(error)) from error

    def _unusable(self, why: str) -> MaskedMemoryUnusable:
        return MaskedMemoryUnusable(
            f"what is kept of the study in {self.path} cannot be gone on from: {why}; "
            "this contributor has dropped out, and does not begin again"
        )


@contextmanager
def hold(study: str, key: PrivateKey, folder: Path | None) -> Iterator[MaskedRecord]:
    """Give what a key's holder keeps of a study in a folder, which nobody else goes on with meanwhile.

    Without a folder, nothing is kept. Raises MaskedMemoryUnusable: it is in use, damaged, or cannot be read.
    """
    if folder is None:
        yield MaskedRecord(study)
        return
    # The study's name is the server's word: no part of a path.
    name = hashlib.sha256(f"{LABEL}\n{key.keyid}\n{study}".encode()).hexdigest()[:40]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / f".{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise MaskedMemoryUnusable(f"cannot write in {folder}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MaskedMemoryUnusable("another process takes part in this study with this key") from None
        record = MaskedRecord(study, folder / name, StorageKey.under(key, LABEL))
        record.read()
        yield record
    finally:
        os.close(descriptor)
