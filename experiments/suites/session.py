"""A session against a signature on every request: when has the handshake paid?"""

from collections.abc import Callable, Sequence
from typing import Final

from experiments.experiment import Arm, Experiment, Finding, Plot, Round
from experiments.scale import Scale
from experiments.servers.arm import server_arm
from experiments.servers.protection import Protection

PLAIN: Final = "no protection"
REQUESTS: Final = {
    PLAIN: Protection("none"),
    "ML-DSA-65, OpenSSL": Protection("signature"),
    "ML-DSA-65, liboqs": Protection("signature", provider="oqs"),
    "session, HMAC": Protection("session"),
    "session, sealed both ways": Protection("session", sealed=True),
    "HPKE both ways, ML-DSA-65, OpenSSL": Protection("signature", sealed=True),
}
HANDSHAKES: Final = {
    "handshake X-Wing": Protection("handshake", "x-wing"),
    "handshake X-Wing, liboqs": Protection("handshake", "x-wing", provider="oqs"),
    "handshake ML-KEM-768": Protection("handshake", "ml-kem-768"),
    "handshake ML-KEM-1024": Protection("handshake", "ml-kem-1024"),
}
QUICK: Final = (PLAIN, "ML-DSA-65, OpenSSL", "ML-DSA-65, liboqs", "session, HMAC", "handshake X-Wing")


def arms(scale: Scale) -> Sequence[Arm]:
    """Build the arms; their servers share one load generator."""
    return [
        Arm(name, server_arm(protection), {"step": name, "of": kind})
        for kind, group in (("a request", REQUESTS), ("a handshake", HANDSHAKES))
        for name, protection in group.items()
        if scale.wide or name in QUICK
    ]


def handshake(name: str) -> Callable[[Round], float]:
    """What a handshake takes."""
    return lambda r: r[name]


EXPERIMENT = Experiment(
    name="session",
    title="A session, or a signature on every request",
    question="After how many requests has the handshake of a session paid for itself?",
    topic=19,
    unit="us of the server's CPU time",
    held_fixed=(
        "the route, server and load of `peers`: 1 KiB of JSON, one process on a core of its own, nonces in LMDB",
        "a handshake is a POST /v1/sessions, signed with ML-DSA-65 and answered with a signature (by OpenSSL, whatever "
        "the provider: it signs); it writes session and ledger entry to SQLite",
        "handshakes come from 32 clients in turn, each with few sessions at a time: none ends another; they come on 16 "
        "connections, so commits of the database queue",
        "only the server's CPU time counts, of all its threads; clients save more: signing costs more than verifying",
    ),
    checked=(
        "As in `peers`, within a session and outside it: replays, other bodies, forged signatures, other hosts and "
        "unsigned requests get 401, also as handshakes. The product's client opens a session and uses it; the answer "
        "to a sealed request opens with the client's key."
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
        *(
            Finding(
                f"{kem}-time",
                handshake(name),
                f"A handshake with {name.removeprefix('handshake ')} takes {{value}} of the server's CPU time.",
                kind="amount",
                unit="us",
                headline=False,
            )
            for kem, name in (("ml-kem-768", "handshake ML-KEM-768"), ("ml-kem-1024", "handshake ML-KEM-1024"))
        ),
        Finding(
            "seal-session",
            lambda r: r["session, sealed both ways"] - r["session, HMAC"],
            "Sealing request and answer adds {value} to a request within a session.",
            kind="amount",
            unit="us",
            headline=False,
        ),
        Finding(
            "seal-hpke",
            lambda r: r["HPKE both ways, ML-DSA-65, OpenSSL"] - r["ML-DSA-65, OpenSSL"],
            "Sealing request and answer by HPKE adds {value} to a signed one.",
            kind="amount",
            unit="us",
            headline=False,
        ),
        Finding(
            "pays-openssl",
            lambda r: r["handshake X-Wing"] / (r["ML-DSA-65, OpenSSL"] - r["session, HMAC"]),
            "The handshake has paid after {value}, where OpenSSL verifies.",
            kind="amount",
            unit="requests",
        ),
        Finding(
            "pays-oqs",
            lambda r: r["handshake X-Wing, liboqs"] / (r["ML-DSA-65, liboqs"] - r["session, HMAC"]),
            "The handshake has paid after {value}, where liboqs verifies.",
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
            "In bytes, the handshake has paid after {value}.",
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
    seconds={"quick": 25, "full": 150},
)
