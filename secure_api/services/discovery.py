"""What a client must know before its first request: `/.well-known/secure-api`, but for the sealing keys."""

from collections.abc import Iterable
from typing import Any

from crypto import ALGORITHMS, COMPONENTS, KEM_ALGORITHMS, Profile, PublicKey, SignatureAlgorithm
from secure_api import __version__
from secure_api.domain.limits import Limits
from secure_api.domain.session_terms import SessionTerms
from secure_api.domain.signature_policy import SignaturePolicy


def discovery_document(
    profile: Profile,
    limits: Limits,
    algorithms: Iterable[SignatureAlgorithm],
    policy: SignaturePolicy,
    server_keys: Iterable[PublicKey],
    terms: SessionTerms,
) -> dict[str, Any]:
    """Describe one server: versions, signature profile, algorithms, public keys (JWK) and limits."""
    allowed = frozenset(algorithms)
    return {
        "versions": {"api": "v1", "server": __version__},
        "signatures": {
            "profile": "RFC 9421",
            "algorithms": [algorithm.value for algorithm in ALGORITHMS if algorithm in allowed],
            "policy": policy.value,
            "components": list(COMPONENTS),
            "parameters": ["created", "expires", "nonce", "keyid", "alg", "tag"],
            "tag": profile.tag,
            "max_window": profile.max_window,
            "clock_skew": profile.clock_skew,
            "content_digest": ["sha-256", "sha-512"],
        },
        "sessions": {
            "suites": [suite.value for suite in KEM_ALGORITHMS],
            "lifetime": terms.lifetime,
            "idle_timeout": terms.idle_timeout,
            "max_requests": terms.max_requests,
            "max_bytes": terms.max_bytes,
        },
        "keys": [key.jwk() | {"kid": key.keyid, "use": "sig"} for key in server_keys],
        "limits": {
            "body_bytes": limits.max_body_bytes,
            "header_bytes": limits.max_header_bytes,
            "signature_field_bytes": limits.max_field_bytes,
            "json_depth": limits.max_json_depth,
            "batch_records": limits.max_batch_records,
            "page_records": limits.max_page_records,
        },
    }
