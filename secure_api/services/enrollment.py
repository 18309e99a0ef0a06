"""Enrollment and rotation: how a public key comes to stand for a client.

Possession is proven by the request's own signatures: `Authenticator.authenticate` demands one by every key that the
body presents. A token is spent in the transaction that inserts the client, so it is spent exactly once, and the
replay of an enrollment finds it spent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crypto import ALGORITHMS, CryptoError, PublicKey
from secure_api.data.clients import Client, ClientRepository, add_client
from secure_api.data.database import WriteSession
from secure_api.data.keys import KeyRepository, KeySummary, NewKey, add_keys
from secure_api.data.sessions import end_sessions_of_keys
from secure_api.data.tokens import TokenRepository
from secure_api.domain.caller import Caller
from secure_api.domain.clock import Clock
from secure_api.domain.errors import AuthenticationFailed, Conflict, Forbidden, Invalid, NotFound
from secure_api.domain.identifier import new_identifier
from secure_api.domain.key_status import KeyStatus
from secure_api.domain.roles import Permission
from secure_api.domain.strict_json import JsonValue
from secure_api.services import ledger
from secure_api.services.organizations import token_digest
from secure_api.services.work import View, Work

MAX_KEYS = 2  # one, or a hybrid pair


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """A client with its keys, as it sees itself."""

    id: str
    organization: str
    role: str
    keys: list[KeySummary]


def presented_keys(document: JsonValue) -> tuple[PublicKey, ...]:
    """Read the public keys (`{"keys": [JWK, ...]}`) that a request body presents.

    Raises:
        Invalid: no such member, not one or two keys, a malformed JWK, or a pair that is not hybrid.
    """
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list) or not 1 <= len(members) <= MAX_KEYS:
        raise Invalid("keys must be an array of one or two JWKs.", pointer="/keys")
    keys: list[PublicKey] = []
    for index, member in enumerate(members):
        if not isinstance(member, dict):
            raise Invalid("A key must be a JWK object.", pointer=f"/keys/{index}")
        try:
            keys.append(PublicKey.from_jwk(member))
        except CryptoError as error:
            raise Invalid(str(error), pointer=f"/keys/{index}") from error
    if len(keys) == MAX_KEYS and len({ALGORITHMS[key.algorithm].post_quantum for key in keys}) != MAX_KEYS:
        raise Invalid("Two keys must be a hybrid pair: one ML-DSA and one Ed25519.", pointer="/keys")
    return tuple(keys)


async def enroll(
    session: WriteSession, clock: Clock, token: str, name: str | None, keys: Sequence[PublicKey]
) -> ClientProfile:
    """Enroll a client with the keys whose possession its request proved.

    Raises:
        AuthenticationFailed: the token is unknown, spent or expired.
        Conflict: a key is enrolled already; the token stays unspent.
    """
    now = clock()
    grant = await TokenRepository(session).spend(token_digest(token), now)
    if grant is None:
        raise AuthenticationFailed("enrollment-token")
    client = Client(new_identifier(), grant.organization_id, name, grant.role, now)
    await add_client(session, client)
    await _add(session, clock, keys, client.id, client.organization_id)
    await ledger.append(
        session,
        time=now,
        kind="client.enrolled",
        organization_id=client.organization_id,
        actor=client.id,
        payload={
            "client": client.id,
            "role": client.role.value,
            "token": grant.id,
            "keyids": [key.keyid for key in keys],
        },
    )
    caller = Caller(
        client.id,
        grant.organization_id,
        grant.organization,
        grant.role,
        grant.operator,
        tuple(k.keyid for k in keys),
    )
    return await _profile(KeyRepository(session, caller), caller)


async def rotate(work: Work, keys: Sequence[PublicKey]) -> ClientProfile:
    """Replace the keys that signed this request by the new ones that signed it as well.

    Raises:
        AuthenticationFailed: no new key signed; the client would be left without one.
        Conflict: a new key is enrolled already, or another rotation came first.
    """
    if not keys:
        raise AuthenticationFailed("signature-missing")
    repository = KeyRepository(work.session, work.caller)
    old = work.caller.keyids
    if await repository.end(old, KeyStatus.ROTATED, work.clock()) != len(old):
        raise Conflict("The keys are not active any more.")
    ended = await end_sessions_of_keys(work.session, old)
    await _add(work.session, work.clock, keys, work.caller.client_id, work.caller.organization_id)
    await work.ending([*old, *ended])
    await work.record("keys.rotated", {"old": list(old), "new": [key.keyid for key in keys]})
    return await _profile(repository, work.caller)


async def revoke(work: Work, keyid: str) -> None:
    """Take a key out of use from the next request on: one's own, or any of the organization for an admin.

    Raises:
        NotFound: the organization has no such key.
        Forbidden: the key is another client's, and the caller is not an admin.
        Conflict: the key is not active.
    """
    repository = KeyRepository(work.session, work.caller)
    key = await repository.get(keyid)
    if key is None:
        raise NotFound("There is no such key.")
    if key.client_id != work.caller.client_id and not work.caller.may(Permission.MANAGE_CLIENTS):
        raise Forbidden("Only an admin may revoke another client's key.")
    if await repository.end([keyid], KeyStatus.REVOKED, work.clock()) != 1:
        raise Conflict(f"The key is {key.status.value} already.")
    await work.ending([keyid, *await end_sessions_of_keys(work.session, [keyid])])
    await work.record("key.revoked", {"keyid": keyid, "client": key.client_id})


async def own_profile(view: View) -> ClientProfile:
    """Describe the calling client."""
    return await _profile(KeyRepository(view.session, view.caller), view.caller)


async def list_clients(view: View) -> list[tuple[Client, list[KeySummary]]]:
    """List the organization's clients with their keys.

    Raises:
        Forbidden: the caller is not an admin.
    """
    view.caller.require(Permission.MANAGE_CLIENTS)
    keys = await KeyRepository(view.session, view.caller).all()
    clients = await ClientRepository(view.session, view.caller).all()
    return [(client, [key for key in keys if key.client_id == client.id]) for client in clients]


async def _add(
    session: WriteSession, clock: Clock, keys: Sequence[PublicKey], client_id: str, organization_id: str
) -> None:
    await add_keys(
        session,
        [NewKey(key.keyid, key.algorithm.value, key.raw) for key in keys],
        key_set=new_identifier(),
        client_id=client_id,
        organization_id=organization_id,
        created=clock(),
    )


async def _profile(repository: KeyRepository, caller: Caller) -> ClientProfile:
    return ClientProfile(
        caller.client_id, caller.organization, caller.role.value, await repository.all(caller.client_id)
    )
