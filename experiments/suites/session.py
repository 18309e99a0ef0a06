"""A session against a signature on every request: when has the handshake paid?"""

from collections.abc import Sequence
from typing import Final

from experiments.experiment import Arm, Experiment, Finding, Plot
from experiments.scale import Scale
from experiments.servers.arm import server_arm
from experiments.servers.protection import Protection

PLAIN: Final = "no protection"
REQUESTS: Final = {
    PLAIN: Protection("none"),
    "ML-DSA-65, OpenSSL": Protection("signature"),
    "ML-DSA-65, liboqs": Protection("signature", provider="oqs"),
    "session, HMAC": Protection("session"),
}
HANDSHAKES: Final = {
    "handshake X-Wing": Protection("handshake", "x-wing"),
    "handshake X-Wing, liboqs": Protection("handshake", "x-wing", provider="oqs"),
    "handshake ML-KEM-768": Protection("handshake", "ml-kem-768"),
    "handshake ML-KEM-1024": Protection("handshake", "ml-kem-1024"),
}
QUICK: Final = (*REQUESTS, "handshake X-Wing")


def arms(scale: Scale) -> Sequence[Arm]:
    """Build the arms; their servers share one load generator."""
    return [
        Arm(name, server_arm(protection), {"step": name, "of": kind})
        for kind, group in (("a request", REQUESTS), ("a handshake", HANDSHAKES))
        for name, protection in group.items()
        if scale.wide or name in QUICK
    ]


EXPERIMENT = Experiment(
    name="session",
    title="A session, or a signature on every request",
    question="After how many requests has the handshake of a session paid for itself?",
    topic=19,
    unit="us of the server's CPU time",
    held_fixed=(
        "the route, server and load of `peers`: 1 KiB of JSON, one process on a core of its own, nonces in LMDB",
        "a handshake is a POST /v1/sessions, signed with ML-DSA-65 and answered with a signature (by OpenSSL, whatever "
        "the provider: it signs); it writes session and ledger entry to SQLite, and the sixty-fifth ends the first",
        "handshakes come one after the other on 16 connections, so commits of the database queue",
        "only the server's CPU time counts, of all its threads; clients save more: signing costs more than verifying",
    ),
    checked=(
        "As in `peers`, within a session and outside it: replays, other bodies, forged signatures, other hosts and "
        "unsigned requests get 401, also as handshakes."
    ),
    baseline=PLAIN,
    arms=arms,
    findings=(
        Finding(
            "request-ratio-openssl",
            lambda r: (r["session, HMAC"] - r[PLAIN]) / (r["ML-DSA-65, OpenSSL"] - r[PLAIN]),
            "A request within a session adds {value} of what one signed with ML-DSA-65 adds, verified by OpenSSL.",
        ),
        Finding(
            "request-ratio-oqs",
            lambda r: (r["session, HMAC"] - r[PLAIN]) / (r["ML-DSA-65, liboqs"] - r[PLAIN]),
            "A request within a session adds {value} of what one signed with ML-DSA-65 adds, verified by liboqs.",
        ),
        Finding(
            "handshake-time",
            lambda r: r["handshake X-Wing"],
            "A handshake with X-Wing takes {value} of the server's CPU time.",
            kind="amount",
            unit="us",
            headline=False,
        ),
        Finding(
            "pays-openssl",
            lambda r: r["handshake X-Wing"] / (r["ML-DSA-65, OpenSSL"] - r["session, HMAC"]),
            "The handshake has paid after {value} requests, where OpenSSL verifies.",
            kind="amount",
            unit="requests",
        ),
        Finding(
            "pays-oqs",
            lambda r: r["handshake X-Wing, liboqs"] / (r["ML-DSA-65, liboqs"] - r["session, HMAC"]),
            "The handshake has paid after {value} requests, where liboqs verifies.",
            kind="amount",
            unit="requests",
            headline=False,  # the two differ by little, so the quotient is wide
        ),
        Finding(
            "bytes-saved",
            lambda r: r["ML-DSA-65, OpenSSL", "sent_bytes"] - r["session, HMAC", "sent_bytes"],
            "A request within a session is {value} shorter.",
            kind="amount",
            unit="B",
        ),
        Finding(
            "bytes-pay",
            lambda r: (
                (r["handshake X-Wing", "sent_bytes"] + r["handshake X-Wing", "received_bytes"])
                / (r["ML-DSA-65, OpenSSL", "sent_bytes"] - r["session, HMAC", "sent_bytes"])
            ),
            "In bytes, the handshake has paid after {value} requests.",
            kind="amount",
            unit="requests",
        ),
    ),
    answer=(
        "In CPU time of the server after {pays-openssl} where OpenSSL verifies. "
        "Where liboqs verifies, after {pays-oqs}. "
        "In bytes after {bytes-pay}: each request within a session is {bytes-saved} shorter. "
        "A handshake takes {handshake-time} of the server's CPU time."
    ),
    plots=(
        Plot("dots", "CPU time of the server for one request", x="step", where={"of": ("a request",)}),
        Plot("dots", "CPU time of the server for one handshake", x="step", where={"of": ("a handshake",)}),
        Plot("dots", "Bytes from client to server", quantity="sent_bytes", x="step", color="of", unit="B"),
    ),
    seconds={"quick": 25, "full": 120},
)
