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
from secure_api.client import SignatureAuth
from secure_api.client.exchange import signable

ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians: round trips in milliseconds, operations of the client and of the server in microseconds."""

    provider: str  # the library that verifies, here as in the server
    open_ms: float
    signed_ms: float
    sign_us: float
    verify_us: float


def measure(stage: Stage) -> Cost:
    """Measure round trips of a public and a signed route in turn, then signing and verifying alone."""
    provider = select_provider("auto").name
    key = PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)
    auth, public = SignatureAuth(key), {key.keyid: key.public_key}
    open_, signed, sign, verify = [], [], [], []
    for _ in range(ROUNDS):
        plain = stage.http.build_request("GET", "/healthz")
        open_.append(_timed(partial(stage.http.send, plain)))
        ready = stage.request("GET", "/v1/clients/me", stage.admin)
        signed.append(_timed(partial(stage.http.send, ready)))
        sign.append(_timed(lambda: stage.request("GET", "/v1/clients/me", auth)))
        mine = stage.request("GET", "/v1/clients/me", auth)
        verify.append(_timed(partial(_verify, mine, public)))
    return Cost(
        provider=provider,
        open_ms=statistics.median(open_) * 1e3,
        signed_ms=statistics.median(signed) * 1e3,
        sign_us=statistics.median(sign) * 1e6,
        verify_us=statistics.median(verify) * 1e6,
    )


def _verify(request: httpx.Request, keys: dict[str, PublicKey]) -> None:
    verify_request(open_request(signable(request), Profile(), int(time.time())), request.content, keys)


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
