"""The keys that bodies are sealed to: made, published, rotated and destroyed here.

Time is cut into generations of one lifetime, with one key each; any worker makes the key of the present generation, and
whoever is first wins. A key is published until a little after its generation, opens a while longer, and is then
deleted: what was sealed to it cannot be opened any more by anybody (forward secrecy, one lifetime at a time).
"""

import secrets
from typing import Any, Final

from crypto import (
    KEM_ALGORITHMS,
    CryptoError,
    KemAlgorithm,
    PrivateKey,
    SealingAlgorithm,
    SealingPrivateKey,
    StorageKey,
    encode_base64url,
    sealing_key_statement,
    sealing_kid,
)
from secure_api.data.database import Database
from secure_api.data.sealing_keys import (
    StoredSealingKey,
    add_sealing_key,
    drop_sealing_keys,
    is_sealing_key_expired,
    sealing_keys,
)
from secure_api.domain.clock import Clock
from secure_api.domain.errors import ConfigurationError

OVERLAP: Final = 300  # seconds that a key is published beyond its generation: the next one must have been made by then
GRACE: Final = 3_600  # seconds that a key still opens after it retired: clients keep what they fetched
RELOAD: Final = 2  # seconds between two looks into the database for keys that nobody knows here


class SealingKeyring:
    """The sealing keys of one worker, out of the database that all workers share; `lifetime` in seconds."""

    def __init__(
        self, database: Database, storage_key: StorageKey, server_key: PrivateKey, *, clock: Clock, lifetime: int
    ) -> None:
        self._database = database
        self._storage_key = storage_key
        self._server_key = server_key
        self._clock = clock
        self._lifetime = lifetime
        self._keys: dict[str, tuple[SealingPrivateKey, int]] = {}
        self._published: list[StoredSealingKey] = []
        self._loaded = 0

    async def refresh(self) -> None:
        """Make the present generation's key if nobody has, delete expired ones, and load the rest.

        Raises:
            ConfigurationError: the stored keys are encrypted under another storage key.
            DatabaseUnavailable: the database cannot be reached.
        """
        now = self._now()
        async with self._database.read() as view:
            stored, expired = await sealing_keys(view, now), await is_sealing_key_expired(view, now)
        newest = stored[0] if stored else None
        due = newest is None or newest.generation < now // self._lifetime or newest.keyid != self._server_key.keyid
        if due or expired:
            async with self._database.write() as session:
                await drop_sealing_keys(session, before=now, keyid=self._server_key.keyid)
                if due:
                    await add_sealing_key(session, self._new_key(now))
                stored = await sealing_keys(session, now)
        self._load(stored, now)

    async def find(self, kid: str) -> SealingPrivateKey | None:
        """Give the key of this name while it can open; None when there is none any more, or never was."""
        now = self._now()
        found = self._keys.get(kid)
        if found is None and now - self._loaded >= RELOAD:  # another worker may have made it just now
            await self.refresh()
            found = self._keys.get(kid)
        return found[0] if found is not None and found[1] >= now else None

    def published(self) -> list[dict[str, Any]]:
        """Give the keys to seal to, newest first, each with the server's signature over its statement."""
        now = self._now()
        return [
            {
                "alg": SealingAlgorithm.HPKE_X_WING.value,
                "kid": key.kid,
                "public_key": encode_base64url(key.public_key),
                "created": key.created,
                "retires": key.retires,
                "expires": key.expires,
                "signature": {"keyid": key.keyid, "value": encode_base64url(key.signature)},
            }
            for key in self._published
            if key.retires >= now
        ]

    def _new_key(self, now: int) -> StoredSealingKey:
        generation = now // self._lifetime
        retires = (generation + 1) * self._lifetime + OVERLAP
        seed = secrets.token_bytes(KEM_ALGORITHMS[KemAlgorithm.X_WING].seed_bytes)
        public_key = SealingPrivateKey(seed).public_key
        statement = sealing_key_statement(public_key, created=now, retires=retires, expires=retires + GRACE)
        return StoredSealingKey(
            generation=generation,
            kid=sealing_kid(public_key),
            public_key=public_key,
            seed=self._storage_key.encrypt(seed, seed_purpose(generation)),
            created=now,
            retires=retires,
            expires=retires + GRACE,
            keyid=self._server_key.keyid,
            signature=self._server_key.sign(statement),
        )

    def _load(self, stored: list[StoredSealingKey], now: int) -> None:
        keys = {}
        for key in stored:
            opened = self._keys.get(key.kid)
            if opened is None:
                try:
                    seed = self._storage_key.decrypt(key.seed, seed_purpose(key.generation))
                except CryptoError as error:
                    raise ConfigurationError(
                        "The storage key is not the one that the database's secrets are encrypted under."
                    ) from error
                opened = SealingPrivateKey(seed), key.expires
            keys[key.kid] = opened
        self._keys, self._published, self._loaded = keys, stored, now

    def _now(self) -> int:
        return int(self._clock().timestamp())


def seed_purpose(generation: int) -> str:
    """Name what a sealing key's seed is encrypted for: it cannot pass for another generation's."""
    return f"secure-api sealing key v1 {generation}"
