"""What the middleware hands over of a finished request, and the event that becomes of it."""

import ipaddress
from typing import Final, NamedTuple

from anomaly.event import NOBODY, ApiEvent, Proof, Pseudonyms

UNKNOWN_NETWORK: Final = b"?"
#: Reasons for which a signature, or the digest that it covers, is simply wrong. Others (an expired request, an unknown
#: key, none at all) happen to honest clients, too, and count as refusals only.
FORGED: Final = frozenset({"invalid-signature", "digest-mismatch"})
#: The reason that stands for a spent nonce and for a revoked key alike; the database tells which.
REPLAYED_OR_REVOKED: Final = "replayed-or-revoked"


class Claim(NamedTuple):
    """A nonce that a refused request wanted to spend: `keyid` names a session if `session` is true."""

    keyid: str
    session: bool


class Refused(NamedTuple):
    """Why a request was not believed, and whose keys it named."""

    reason: str
    claims: tuple[Claim, ...]


class Facts(NamedTuple):
    """One finished request, in clear, for as long as it waits in a queue of this process.

    Attributes:
        time: when the answer was sent, POSIX seconds.
        address: the peer's IP address, or "".
        client_id: who signed; "" when nobody was believed.
        organization_id: whose client that is, or "".
        method: its method.
        route: the template of its route, or "".
        status: HTTP status.
        object: the first parameter of its path, or "".
        agent: the user agent's bytes.
        request_bytes: declared length of the body.
        response_bytes: length of the answer's body as sent.
        latency: seconds from the head of the request to the end of the answer.
        refused: why it was not believed, or None.
    """

    time: float
    address: str
    client_id: str
    organization_id: str
    method: str
    route: str
    status: int
    object: str
    agent: bytes
    request_bytes: int
    response_bytes: int
    latency: float
    refused: Refused | None = None


def network_of(address: str) -> bytes:
    """Give the network of an address: its /24, or /48 in IPv6, and an IPv4 address in IPv6 as itself."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return UNKNOWN_NETWORK
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return parsed.packed[:6]
        parsed = parsed.ipv4_mapped
    return parsed.packed[:3]


def event_of(facts: Facts, names: Pseudonyms, *, replayed: bool = False) -> ApiEvent:
    """Make the event: no identifier, address or path stays in clear.

    An object counts as its organization's own: another's is not found, and that is what tells.
    """
    time = facts.time
    proof = Proof.VALID
    if facts.refused is not None:
        proof = Proof.REPLAYED if replayed else Proof.BAD if facts.refused.reason in FORGED else Proof.ABSENT
    elif not facts.client_id:
        proof = Proof.ABSENT
    route = facts.route or ("refused" if facts.refused is not None else "none")
    thing = f"{facts.organization_id}\0{facts.object}".encode() if facts.object else b""
    return ApiEvent(
        time=time,
        client=names.of(b"client", facts.client_id.encode(), time) if facts.client_id else NOBODY,
        network=names.of(b"network", network_of(facts.address), time),
        route=f"{facts.method} {route}",
        status=facts.status,
        organization=names.of(b"organization", facts.organization_id.encode(), time) if facts.client_id else NOBODY,
        object=names.of(b"object", thing, time) if thing else NOBODY,
        agent=names.of(b"agent", facts.agent, time),
        request_bytes=facts.request_bytes,
        response_bytes=facts.response_bytes,
        latency=facts.latency,
        proof=proof,
    )
