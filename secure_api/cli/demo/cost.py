"""What the protection costs on this machine, measured while you wait: a taste, not an experiment."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import httpx

from crypto import PrivateKey, Profile, PublicKey, SignatureAlgorithm, open_request, verify_request
from crypto.providers import select_provider
from secure_api.cli.demo.stage import Stage
from secure_api.client import REPORT, Session, SignatureAuth
from secure_api.client.exchange import signable

ROUNDS, HANDSHAKES = 60, 11
ROUTE = "/v1/clients/me"


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians: whole calls in milliseconds, the client's work included; signing and verifying in microseconds.

    In a session `signed` means a MAC. Sealed calls are signed, too.
    """

    provider: str  # the library that verifies, here as in the server
    sign_us: float
    verify_us: float
    open_ms: float
    signed_ms: float
    sealed_ms: float
    session_ms: float
    session_sealed_ms: float
    handshake_ms: float


def measure(stage: Stage) -> Cost:
    """Measure calls of a public route and of a signed one in turn, then signing and verifying alone."""
    provider = select_provider("auto").name
    key = PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)
    mine, public = SignatureAuth(key), {key.keyid: key.public_key}
    sessions = [Session(stage.held(stage.admin)) for _ in range(HANDSHAKES)]
    auths = (
        stage.held(stage.admin),
        stage.held(stage.admin, seal=True),
        sessions[0],
        Session(stage.held(stage.admin), seal=True),
    )
    handshakes = [
        made.seconds
        for auth in (*auths, *sessions)  # the first call of each brings a handshake, or the key to seal to
        if (made := stage.http.get(ROUTE, auth=auth).extensions[REPORT].handshake) is not None
    ]
    open_, sign, verify = [], [], []
    calls: list[list[float]] = [[] for _ in auths]
    for _ in range(ROUNDS):
        open_.append(_timed(partial(stage.http.get, "/healthz")))
        for auth, times in zip(auths, calls, strict=True):
            times.append(_timed(partial(stage.http.get, ROUTE, auth=auth)))
        sign.append(_timed(lambda: stage.request("GET", ROUTE, mine)))
        verify.append(_timed(partial(_verify, stage.request("GET", ROUTE, mine), public)))
    signed, sealed, session, session_sealed = (statistics.median(times) * 1e3 for times in calls)
    return Cost(
        provider=provider,
        sign_us=statistics.median(sign) * 1e6,
        verify_us=statistics.median(verify) * 1e6,
        open_ms=statistics.median(open_) * 1e3,
        signed_ms=signed,
        sealed_ms=sealed,
        session_ms=session,
        session_sealed_ms=session_sealed,
        handshake_ms=statistics.median(handshakes) * 1e3,
    )


def _verify(request: httpx.Request, keys: dict[str, PublicKey]) -> None:
    verify_request(open_request(signable(request), Profile(), int(time.time())), request.content, keys)


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
