"""Opening, rekeying, listing and ending sessions.

The handshake is that of `crypto.sessions`: the request brings an ephemeral public key, the answer the ciphertext. The
body of the answer is part of the transcript, so it is made here, to the byte.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from crypto import (
    CryptoError,
    KemAlgorithm,
    KemPublicKey,
    SessionKeys,
    StorageKey,
    encode_base64url,
    session_secret,
    session_transcript,
)
from secure_api.data.sessions import Session, SessionRepository, SessionSummary
from secure_api.domain import strict_json
from secure_api.domain.errors import AuthenticationFailed, Forbidden, Invalid, NotFound
from secure_api.domain.roles import Permission
from secure_api.domain.session_terms import SessionTerms
from secure_api.services.session_keeper import secret_purpose
from secure_api.services.work import View, Work

ID_BYTES = 24  # 32 characters of base64url: shorter than a keyid, so the two cannot be taken for each other
DRAIN = 10  # seconds that a session still takes requests after it was rekeyed: those that were on the way


@dataclass(frozen=True, slots=True)
class Offer:
    """What the client sent: the suite's mechanism, its ephemeral public key, the body and its signatures' bases."""

    suite: KemAlgorithm
    public_key: bytes
    body: bytes
    bases: tuple[bytes, ...]


class SessionOffice:
    """Opens sessions on the terms of one server; `server_keyid` is the key that signs the answers to handshakes."""

    def __init__(self, terms: SessionTerms, storage_key: StorageKey, server_keyid: str) -> None:
        self.terms = terms
        self._storage_key = storage_key
        self._server_keyid = server_keyid

    async def open(self, work: Work, offer: Offer) -> bytes:
        """Open a session for the caller; returns the body of the answer.

        Raises:
            Invalid: the public key is none of the suite's.
            AuthenticationFailed: a key that signed was revoked in this moment.
        """
        repository = SessionRepository(work.session, work.caller)
        key_set = await repository.lock_key_set()
        if key_set is None:
            raise AuthenticationFailed("replayed-or-revoked")
        now = int(work.clock().timestamp())
        active = await repository.active(now, work.caller.client_id)
        for summary in active[self.terms.max_per_client - 1 :]:  # the oldest make room
            await _end(work, repository, summary.id, now)
        session, answer = self._answer(work, offer, key_set, now, now + self.terms.lifetime, self._server_keyid, b"")
        await repository.add(session)
        await work.record(
            "session.opened",
            {
                "session": session.id,
                "suite": session.suite,
                "expires": session.expires,
                "keyids": list(work.caller.keyids),
            },
        )
        return answer

    async def rekey(self, work: Work, keys: SessionKeys, offer: Offer) -> bytes:
        """Replace a session by one with fresh keys, whose end is the old one's; returns the body of the answer.

        The old session takes requests for `DRAIN` seconds more.

        Raises:
            Invalid: the public key is none of the suite's.
            AuthenticationFailed: the session ended in this moment, or was rekeyed before, or has no more time than
                `DRAIN`; or a key that opened it was revoked in this moment.
        """
        repository = SessionRepository(work.session, work.caller)
        # The keys before the session, as whoever revokes them does: what is made here must not escape that.
        if await repository.lock_key_set() is None:
            raise AuthenticationFailed("replayed-or-revoked")
        old = await repository.lock(keys.session, int(work.clock().timestamp()))
        if old is None:
            raise AuthenticationFailed("replayed-or-revoked")
        now = int(work.clock().timestamp())
        if old.expires <= now + DRAIN:
            raise AuthenticationFailed("session-replaced")
        session, answer = self._answer(work, offer, old.key_set, now, old.expires, keys.session, keys.rekey)
        await repository.add(session)
        await repository.retire(old, now + DRAIN)
        await work.record(
            "session.rekeyed",
            {"old": keys.session, "new": session.id, "suite": session.suite, "expires": session.expires},
        )
        return answer

    def _answer(
        self, work: Work, offer: Offer, key_set: str, now: int, expires: int, signer: str, previous: bytes
    ) -> tuple[Session, bytes]:
        try:
            encapsulation = KemPublicKey(offer.suite, offer.public_key).encapsulate()
        except CryptoError as error:
            raise Invalid(str(error), pointer="/public_key") from error
        session = Session(
            id=secrets.token_urlsafe(ID_BYTES),
            client_id=work.caller.client_id,
            key_set=key_set,
            suite=offer.suite.value,
            secret=b"",
            created=now,
            expires=expires,
            idle_timeout=self.terms.idle_timeout,
            max_requests=self.terms.max_requests,
            max_bytes=self.terms.max_bytes,
        )
        answer = strict_json.dumps(
            {
                "id": session.id,
                "suite": session.suite,
                "ciphertext": encode_base64url(encapsulation.ciphertext),
                "created": session.created,
                "expires": session.expires,
                "idle_timeout": session.idle_timeout,
                "max_requests": session.max_requests,
                "max_bytes": session.max_bytes,
            }
        )
        transcript = session_transcript(
            server_keyid=signer, request_body=offer.body, response_body=answer, request_bases=offer.bases
        )
        secret = session_secret(encapsulation.shared_secret, transcript, previous)
        encrypted = self._storage_key.encrypt(secret, secret_purpose(session.id))
        return replace(session, secret=encrypted), answer


async def list_sessions(view: View) -> Sequence[SessionSummary]:
    """List the active sessions of the calling client, newest first."""
    now = int(view.clock().timestamp())
    return await SessionRepository(view.session, view.caller).active(now, view.caller.client_id)


async def end_session(work: Work, id: str) -> None:
    """End a session from the next request on: one's own, or any of the organization for an admin.

    Raises:
        NotFound: the organization has no such active session.
        Forbidden: it is another client's, and the caller is not an admin.
    """
    now = int(work.clock().timestamp())
    await _end(work, SessionRepository(work.session, work.caller), id, now)


async def _end(work: Work, repository: SessionRepository, id: str, now: int) -> None:
    row = await repository.lock(id, now)
    if row is None:
        raise NotFound("There is no such session.")
    if row.client_id != work.caller.client_id and not work.caller.may(Permission.MANAGE_CLIENTS):
        raise Forbidden("Only an admin may end another client's session.")
    await repository.end(row)
    await work.ending([id])
    await work.record("session.ended", {"session": id, "client": row.client_id})
