"""A compute party's own keys in a folder: TLS key and certificate, and the seed that its boxes are sealed to."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from crypto.base64url import decode_base64url, encode_base64url
from crypto.errors import CryptoError, KeyFileError, MpcTermsError
from crypto.mpc.certificates import certificate_der, make_certificate, pin_of
from crypto.sealing import SealingPrivateKey
from crypto.secret_files import read_secret_file, write_secret_file

KEY_FILE: Final = "party.key"
CERTIFICATE_FILE: Final = "party.crt"
SEALING_FILE: Final = "sealing.seed"
SEED_BYTES: Final = 32
_ADDRESS: Final = re.compile(r"\S{1,253}:[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class PartyIdentity:
    """The files of a party (mode 0600) and what the others need to know of it."""

    folder: Path
    certificate: bytes
    sealing_key: SealingPrivateKey

    @classmethod
    def create(cls, folder: Path, now: datetime) -> PartyIdentity:
        """Make fresh keys in a folder. Raises KeyFileError: there are some already, or they cannot be written."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise KeyFileError(f"cannot make {folder}: {error.strerror}") from error
        if found := [name for name in (KEY_FILE, CERTIFICATE_FILE, SEALING_FILE) if (folder / name).exists()]:
            raise KeyFileError(f"{folder / found[0]} is there already: a party keeps its keys")
        key, certificate = make_certificate(now)
        seed = secrets.token_bytes(SEED_BYTES)
        write_secret_file(folder / SEALING_FILE, encode_base64url(seed).encode() + b"\n")
        write_secret_file(folder / CERTIFICATE_FILE, certificate)
        write_secret_file(folder / KEY_FILE, key)
        return cls(folder, pin_of(certificate_der(certificate)), SealingPrivateKey(seed))

    @classmethod
    def read(cls, folder: Path) -> PartyIdentity:
        """Read what `create` made. Raises KeyFileError: a file is missing, open to others, or holds something else."""
        read_secret_file(folder / KEY_FILE)
        try:
            pin = pin_of(certificate_der(read_secret_file(folder / CERTIFICATE_FILE)))
            seed = decode_base64url(read_secret_file(folder / SEALING_FILE).decode("ascii", "replace").strip())
            return cls(folder, pin, SealingPrivateKey(seed))
        except KeyFileError:
            raise
        except CryptoError as error:
            raise KeyFileError(f"{folder} holds no compute party's keys: {error}") from None

    @property
    def key_file(self) -> str:
        """Where the TLS key is."""
        return str(self.folder / KEY_FILE)

    @property
    def certificate_file(self) -> str:
        """Where the certificate is."""
        return str(self.folder / CERTIFICATE_FILE)

    def description(self, organization: str, address: str) -> dict[str, str]:
        """Return what a study's creator puts into `parameters.parties`. Raises MpcTermsError: no host:port."""
        if _ADDRESS.fullmatch(address) is None:
            raise MpcTermsError(f"{address!r:.80} is not host:port")
        return {
            "organization": organization,
            "address": address,
            "certificate": self.certificate.hex(),
            "sealing_key": encode_base64url(self.sealing_key.public_key),
        }
