"""The receiving end of HPKE, base mode, written from RFC 9180 on `hmac` and an AEAD: what a stranger would have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from tests.vectors import hkdf

KEY_BYTES = {1: 16, 2: 32, 3: 32}  # §7.3: AES-128-GCM, AES-256-GCM, ChaCha20Poly1305
NONCE_BYTES = 12


class Aead(Protocol):
    """A cipher with its key."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...


@dataclass(frozen=True)
class Receiver:
    """KeySchedule of §5.1 with `mode_base`, over a shared secret that the KEM has already given."""

    kem: int
    aead: int
    shared_secret: bytes
    info: bytes
    kdf: int = 1  # HKDF-SHA256

    @property
    def suite(self) -> bytes:
        """`suite_id` of §5.1."""
        return b"HPKE" + b"".join(number.to_bytes(2) for number in (self.kem, self.kdf, self.aead))

    def labeled_extract(self, salt: bytes, label: bytes, material: bytes) -> bytes:
        """LabeledExtract, §4."""
        return hkdf.extract(salt, b"HPKE-v1" + self.suite + label + material)

    def labeled_expand(self, secret: bytes, label: bytes, info: bytes, length: int) -> bytes:
        """LabeledExpand, §4."""
        return hkdf.expand(secret, length.to_bytes(2) + b"HPKE-v1" + self.suite + label + info, length)

    @property
    def schedule(self) -> bytes:
        """`key_schedule_context`: the mode, and hashes of an empty psk_id and of info."""
        psk_id_hash = self.labeled_extract(b"", b"psk_id_hash", b"")
        return b"\x00" + psk_id_hash + self.labeled_extract(b"", b"info_hash", self.info)

    @property
    def secret(self) -> bytes:
        """`secret`, with an empty psk."""
        return self.labeled_extract(self.shared_secret, b"secret", b"")

    @property
    def key(self) -> bytes:
        """`key`."""
        return self.labeled_expand(self.secret, b"key", self.schedule, KEY_BYTES[self.aead])

    @property
    def base_nonce(self) -> bytes:
        """`base_nonce`."""
        return self.labeled_expand(self.secret, b"base_nonce", self.schedule, NONCE_BYTES)

    @property
    def exporter_secret(self) -> bytes:
        """`exporter_secret`."""
        return self.labeled_expand(self.secret, b"exp", self.schedule, 32)

    def export(self, context: bytes, length: int) -> bytes:
        """Context.Export, §5.3."""
        return self.labeled_expand(self.exporter_secret, b"sec", context, length)

    def nonce(self, sequence: int) -> bytes:
        """ComputeNonce, §5.2."""
        return (int.from_bytes(self.base_nonce) ^ sequence).to_bytes(NONCE_BYTES)

    def cipher(self) -> Aead:
        """The AEAD under `key`."""
        return ChaCha20Poly1305(self.key) if self.aead == 3 else AESGCM(self.key)

    def open(self, ciphertext: bytes, aad: bytes = b"", sequence: int = 0) -> bytes:
        """Context.Open, §5.2."""
        return self.cipher().decrypt(self.nonce(sequence), ciphertext, aad)
