"""What is random by nature in a worked example: drawn once, recorded, and kept as long as it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from crypto import CryptoError, MacAlgorithm, MacKey, PrivateKey, SignatureAlgorithm


@dataclass
class Recordings:
    """What was drawn at random once, as hex by its name; what does not hold any more is drawn anew."""

    old: Mapping[str, str]
    kept: dict[str, str] = field(default_factory=dict)

    def recall(self, name: str, check: Callable[[bytes], None], draw: Callable[[], bytes]) -> bytes:
        """Give the recorded value if `check` does not raise, else a new one."""
        try:
            value = bytes.fromhex(self.old[name])
            check(value)
        except (KeyError, ValueError, CryptoError):
            value = draw()
        self.kept[name] = value.hex()
        return value


@dataclass
class Scribe:
    """A signing key that notes what it signs, and gives the recorded signature where it would draw a new one."""

    key: PrivateKey | MacKey
    name: str
    recordings: Recordings
    signed: list[bytes] = field(default_factory=list)

    @property
    def keyid(self) -> str:
        return self.key.keyid

    @property
    def algorithm(self) -> SignatureAlgorithm | MacAlgorithm:
        return self.key.algorithm

    def sign(self, message: bytes) -> bytes:
        self.signed.append(message)
        if not isinstance(self.key, PrivateKey) or self.key.algorithm is SignatureAlgorithm.ED25519:
            return self.key.sign(message)
        key, name = self.key, f"signature of {self.name}"

        def check(value: bytes) -> None:
            key.public_key.verify(value, message)

        return self.recordings.recall(name, check, lambda: key.sign(message))
