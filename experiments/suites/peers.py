"""What our protection adds to a request, beside what people use today and what else there is."""

from collections.abc import Callable, Sequence
from typing import Final

from experiments.experiment import Arm, Experiment, Finding, Plot, Round
from experiments.scale import Scale
from experiments.servers.arm import server_arm
from experiments.servers.protection import Protection

PLAIN: Final = "no protection"
ARMS: Final = {
    PLAIN: ("none", Protection("none")),
    "ML-DSA-65, liboqs": ("secure-api", Protection("signature", provider="oqs")),
    "ML-DSA-65, OpenSSL": ("secure-api", Protection("signature")),
    "ML-DSA-44, liboqs": ("secure-api", Protection("signature", "ml-dsa-44", provider="oqs")),
    "Ed25519": ("secure-api", Protection("signature", "ed25519")),
    "session, HMAC": ("secure-api", Protection("session")),
    "http-message-signatures, liboqs": ("peer", Protection("http-message-signatures", provider="oqs")),
    "http-message-signatures, OpenSSL": ("peer", Protection("http-message-signatures")),
    "PyJWT RS256": ("peer", Protection("bearer", "RS256")),
    "PyJWT EdDSA": ("peer", Protection("bearer", "EdDSA")),
    "PyJWT RS256, one token for all": ("peer", Protection("bearer", "RS256", once=False)),
}
QUICK: Final = (
    PLAIN,
    "ML-DSA-65, liboqs",
    "ML-DSA-65, OpenSSL",
    "session, HMAC",
    "http-message-signatures, OpenSSL",
    "PyJWT RS256",
)

#: What the summary tells.
HEADLINES: Final = ("ML-DSA-65, liboqs", "ML-DSA-65, OpenSSL", "session, HMAC")
NAMES: Final = {
    "ML-DSA-65, liboqs": "oqs",
    "ML-DSA-65, OpenSSL": "openssl",
    "ML-DSA-44, liboqs": "ml-dsa-44",
    "Ed25519": "ed25519",
    "session, HMAC": "session",
    "http-message-signatures, liboqs": "hms-oqs",
    "http-message-signatures, OpenSSL": "hms-openssl",
    "PyJWT RS256": "rs256",
    "PyJWT EdDSA": "eddsa",
    "PyJWT RS256, one token for all": "reused",
}


def arms(scale: Scale) -> Sequence[Arm]:
    """Build the arms; their servers share one load generator."""
    return [
        Arm(name, server_arm(protection), {"protection": name, "by": by})
        for name, (by, protection) in ARMS.items()
        if scale.wide or name in QUICK
    ]


def added(arm: str) -> Callable[[Round], float]:
    """What an arm takes more than the same route without protection."""
    return lambda r: r[arm] - r[PLAIN]


def rate(arm: str) -> Callable[[Round], float]:
    """Requests that a server with a core to itself serves, as a part of those without protection: CPU time decides."""
    return lambda r: r[PLAIN] / r[arm]


def findings() -> tuple[Finding, ...]:
    """Two findings for each protection, and how we stand to the peers."""
    made = []
    for arm, name in NAMES.items():
        made += [
            Finding(
                f"{name}-added",
                added(arm),
                f"{arm} adds {{value}} to a request.",
                kind="amount",
                unit="us",
                headline=arm in HEADLINES,
            ),
            Finding(
                f"{name}-rate",
                rate(arm),
                f"With {arm}, a core serves {{value}} of the requests that it serves without protection.",
                headline=arm in HEADLINES,
            ),
        ]
    return (
        Finding(
            "plain-time",
            lambda r: r[PLAIN],
            "The route without protection takes {value}.",
            kind="amount",
            unit="us",
            headline=False,
        ),
        *made,
        Finding(
            "peer-openssl",
            lambda r: added("ML-DSA-65, OpenSSL")(r) / added("http-message-signatures, OpenSSL")(r),
            "Ours adds {value} of what http-message-signatures adds, with the same OpenSSL.",
        ),
        Finding(
            "peer-oqs",
            lambda r: added("ML-DSA-65, liboqs")(r) / added("http-message-signatures, liboqs")(r),
            "Ours adds {value} of what http-message-signatures adds, with the same liboqs.",
            headline=False,  # a quick run has no such peer
        ),
        Finding(
            "session-to-bearer",
            lambda r: added("session, HMAC")(r) / added("PyJWT RS256")(r),
            "A session adds {value} of what a bearer token (RS256) adds that is good for one request.",
        ),
        Finding(
            "oqs-to-bearer",
            lambda r: added("ML-DSA-65, liboqs")(r) / added("PyJWT RS256")(r),
            "ML-DSA-65 by liboqs adds {value} of what a bearer token (RS256) adds that is good for one request.",
        ),
    )


EXPERIMENT = Experiment(
    name="peers",
    title="Beside its peers",
    question="What does protection add to the cost of a request, and how does ours stand beside its peers?",
    topic=19,
    unit="us of the server's CPU time a request",
    held_fixed=(
        "one FastAPI route that reads 1 KiB of JSON; uvicorn with httptools and uvloop where they are installed; one "
        "process, on a core of its own, its load on another; 16 keep-alive connections, one request in flight on each",
        "each request has a signature or a token, and a nonce, of its own, made beforehand; answers are unsigned",
        "ours: the middleware that the product itself puts there, with its authenticator, its key and nonce stores "
        "(LMDB, which survives restarts and is shared by workers); without its access log, metrics and request ids",
        "peers: plain ASGI, a key object made once, nonces or token names in the process's memory, no revocation, no "
        "limits; a bearer token says nothing about body, path or method",
    ),
    checked=(
        "A good request gets the route's answer. The same again, another body, host, query or nonce, a forged "
        "signature and none get 401, and a forged, changed or missing token; then the request that was spoilt gets in. "
        "Before the first round and after the last."
    ),
    baseline=PLAIN,
    arms=arms,
    findings=findings(),
    answer=(
        "To a request of {plain-time}, a post-quantum signature (ML-DSA-65) adds {openssl-added} where OpenSSL "
        "verifies, the HMAC of a session {session-added}. "
        "Where liboqs verifies, ML-DSA-65 adds {oqs-added}. "
        "A bearer token (RS256) good for one request adds {rs256-added} and says nothing of the body; "
        "http-message-signatures adds {hms-openssl-added} for ML-DSA-65 by OpenSSL."
    ),
    plots=(
        Plot("dots", "CPU time of the server for one request", color="by"),
        Plot("dots", "Bytes of one request", quantity="sent_bytes", color="by", unit="B"),
        Plot("dots", "Requests a second on one core", quantity="rate", color="by", unit="/s"),
    ),
    seconds={"quick": 25, "full": 180},
)
