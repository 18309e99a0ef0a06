"""Who signed this request: keys, policy, signatures, replay.

The order matters. What needs no key is refused first (`crypto.open_request`, before the body is even read), then keys
are looked up, then every signature is verified, and only then are the nonces spent: a forger can spend nobody's nonce.
Every refusal is one `AuthenticationFailed`, whose reason is for the log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crypto import (
    ALGORITHMS,
    CryptoError,
    MacAlgorithm,
    Profile,
    PublicKey,
    Request,
    SignatureAlgorithm,
    SignedLabel,
    SignedRequest,
    VerificationError,
    open_request,
    verify_request,
)
from secure_api.data.database import Database
from secure_api.data.keys import EnrolledKey, find_key
from secure_api.data.nonces import NonceRefused, NonceStore, NonceUse
from secure_api.domain.caller import Caller
from secure_api.domain.clock import Clock
from secure_api.domain.errors import AuthenticationFailed
from secure_api.domain.signature_policy import SignaturePolicy
from secure_api.services.session_keeper import OpenSession, SessionKeeper


@dataclass(frozen=True, slots=True)
class Authentication:
    """What a verified request proves: its caller (None while enrolling), and possession of the keys it presents.

    `session` is the session that it was signed within, None when keys signed it. `signed` is the request itself.
    """

    caller: Caller | None
    proven: tuple[PublicKey, ...]
    signed: SignedRequest
    session: OpenSession | None = None


@dataclass(frozen=True, slots=True)
class _KnownKey:
    enrolled: EnrolledKey
    public_key: PublicKey
    caller: Caller  # who a request is from that this key alone signed
    alone: bool  # whether the policy lets it sign alone


class Authenticator:
    """Authenticates requests of one server process.

    Keys are cached for as long as the process lives: everything cached is immutable, and whether a key is still
    active is asked of the database together with spending the nonce.
    """

    def __init__(
        self,
        database: Database,
        nonces: NonceStore,
        sessions: SessionKeeper,
        *,
        profile: Profile,
        policy: SignaturePolicy,
        algorithms: frozenset[SignatureAlgorithm],
        authorities: frozenset[str],
        clock: Clock,
        cache_size: int = 10_000,
    ) -> None:
        self._database = database
        self._nonces = nonces
        self._sessions = sessions
        self._profile = profile
        self._policy = policy
        self._algorithms = algorithms
        self._authorities = authorities
        self._clock = clock
        self._cache: dict[str, _KnownKey] = {}
        self._cache_size = cache_size

    def open(self, request: Request) -> SignedRequest:
        """Check everything that needs neither key nor body.

        Raises:
            AuthenticationFailed: the request is not signed as the profile demands.
        """
        if self._authorities and request.authority.lower() not in self._authorities:
            raise AuthenticationFailed("foreign-authority")
        try:
            return open_request(request, self._profile, int(self._clock().timestamp()))
        except VerificationError as error:
            raise AuthenticationFailed(error.reason) from error

    async def authenticate(
        self, signed: SignedRequest, body: bytes, presented: Sequence[PublicKey] = ()
    ) -> Authentication:
        """Verify every signature and spend the nonces.

        `presented` are keys that the body asks to enroll: each must have signed, too.

        Raises:
            AuthenticationFailed: unknown or inactive key, missing signature, wrong signature or digest, replay.
        """
        if isinstance(signed.labels[0].algorithm, MacAlgorithm) and len(signed.labels) == 1 and not presented:
            return await self._within_session(signed, body)
        if len(signed.labels) == 1 and not presented:
            return await self._by_one_key(signed, body)
        fresh = {key.keyid: key for key in presented}
        known: dict[str, _KnownKey] = {}
        for label in signed.labels:
            keyid = label.keyid
            if isinstance(label.algorithm, MacAlgorithm):  # a session stands for keys; it is not one among them
                raise AuthenticationFailed("session-not-allowed")
            if keyid not in fresh:
                known[keyid] = await self._known_key(keyid)
        public_keys = {keyid: key.public_key for keyid, key in known.items()} | fresh
        self._check_policy(known, fresh, {label.keyid for label in signed.labels})
        try:
            verify_request(signed, body, public_keys)
        except VerificationError as error:
            raise AuthenticationFailed(error.reason) from error
        if known:
            await self._spend(signed, known)
        caller = _caller(next(iter(known.values())).enrolled, tuple(known)) if known else None
        return Authentication(caller, tuple(fresh.values()), signed)

    async def _by_one_key(self, signed: SignedRequest, body: bytes) -> Authentication:
        """Do what `authenticate` does for nearly every request: one signature, by a key that is enrolled."""
        label = signed.labels[0]
        known = self._cache.get(label.keyid) or await self._known_key(label.keyid)
        if not known.alone:
            self._check_policy({label.keyid: known}, {}, {label.keyid})
        try:
            verify_request(signed, body, {label.keyid: known.public_key})
        except VerificationError as error:
            raise AuthenticationFailed(error.reason) from error
        await self._spend_uses([self._use(label)])
        return Authentication(known.caller, (), signed)

    async def _within_session(self, signed: SignedRequest, body: bytes) -> Authentication:
        label = signed.labels[0]
        session = await self._sessions.find(label.keyid)
        try:
            verify_request(signed, body, {label.keyid: session.keys.client_mac})
        except VerificationError as error:
            raise AuthenticationFailed(error.reason) from error
        await self._spend_uses([self._use(label, session=True)])
        await self._sessions.charge(session, len(body))
        return Authentication(session.caller, (), signed, session)

    async def _known_key(self, keyid: str) -> _KnownKey:
        cached = self._cache.get(keyid)
        if cached is not None:
            return cached
        async with self._database.read() as session:
            enrolled = await find_key(session, keyid)
        if enrolled is None:
            raise AuthenticationFailed("unknown-key")
        try:
            algorithm = SignatureAlgorithm(enrolled.algorithm)
            public_key = PublicKey.from_raw(algorithm, enrolled.public_key)
        except (ValueError, CryptoError) as error:
            raise AuthenticationFailed("unusable-key") from error
        if public_key.keyid != keyid:
            raise AuthenticationFailed("unusable-key")
        while len(self._cache) >= self._cache_size:
            del self._cache[next(iter(self._cache))]
        known = self._cache[keyid] = _KnownKey(
            enrolled, public_key, _caller(enrolled, (keyid,)), self._alone(enrolled, public_key)
        )
        return known

    def _alone(self, enrolled: EnrolledKey, public_key: PublicKey) -> bool:
        if enrolled.key_set != (public_key.keyid,):
            return False
        try:
            check_key_set([public_key], self._policy, self._algorithms)
        except AuthenticationFailed:
            return False
        return True

    def _check_policy(self, known: Mapping[str, _KnownKey], fresh: Mapping[str, PublicKey], signers: set[str]) -> None:
        if len({key.enrolled.client_id for key in known.values()}) > 1:
            raise AuthenticationFailed("several-clients")
        required = set(fresh).union(*(key.enrolled.key_set for key in known.values()))
        if not required <= signers:
            raise AuthenticationFailed("signature-missing")
        for group in ([key.public_key for key in known.values()], list(fresh.values())):
            if group:
                check_key_set(group, self._policy, self._algorithms)

    async def _spend(self, signed: SignedRequest, known: Mapping[str, _KnownKey]) -> None:
        await self._spend_uses([self._use(label) for label in signed.labels if label.keyid in known])

    def _use(self, label: SignedLabel, *, session: bool = False) -> NonceUse:
        expires = label.expires + self._profile.clock_skew
        return NonceUse(label.keyid, label.nonce, label.created, expires, session)

    async def _spend_uses(self, uses: Sequence[NonceUse]) -> None:
        # Once more: a body may take its time, and an expired nonce is forgotten a while later.
        now = int(self._clock().timestamp())
        if any(use.expires < now for use in uses):
            raise AuthenticationFailed("expired")
        try:
            await self._nonces.spend(uses, now)
        except NonceRefused as error:
            raise AuthenticationFailed("replayed-or-revoked") from error


def check_key_set(
    keys: Sequence[PublicKey], policy: SignaturePolicy, algorithms: frozenset[SignatureAlgorithm]
) -> None:
    """Check that keys which sign together satisfy the server's policy.

    Raises:
        AuthenticationFailed: an algorithm is not allowed, or the policy wants another one beside it.
    """
    used = {key.algorithm for key in keys}
    if not used <= algorithms:
        raise AuthenticationFailed("algorithm-not-allowed")
    post_quantum = {algorithm for algorithm in used if ALGORITHMS[algorithm].post_quantum}
    if policy is not SignaturePolicy.ANY and not post_quantum:
        raise AuthenticationFailed("policy")
    if policy is SignaturePolicy.HYBRID and post_quantum == used:
        raise AuthenticationFailed("policy")


def _caller(enrolled: EnrolledKey, keyids: tuple[str, ...]) -> Caller:
    return Caller(
        client_id=enrolled.client_id,
        organization_id=enrolled.organization_id,
        organization=enrolled.organization,
        role=enrolled.role,
        operator=enrolled.operator,
        keyids=keyids,
    )
