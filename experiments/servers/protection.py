"""What stands in front of the route."""

import json
from dataclasses import asdict, dataclass
from typing import Literal, Self

Kind = Literal["none", "signature", "session", "handshake", "http-message-signatures", "bearer"]
Store = Literal["file", "memory", "redis", "postgresql"]


@dataclass(frozen=True, slots=True)
class Protection:
    """One way to protect the route, in words that both the server's process and the load generator understand.

    `signature`, `session` and `handshake` are the product; `algorithm` is what the client signs with, for `handshake`
    the key encapsulation (the request is signed with ML-DSA-65). `provider` verifies. `store` is where the product
    spends nonces. `bearer` tokens (PyJWT) are RS256 or EdDSA; `once` says whether each is good for one request.
    """

    kind: Kind
    algorithm: str = "ml-dsa-65"
    provider: Literal["openssl", "oqs"] = "openssl"
    store: Store = "file"
    once: bool = True

    @property
    def ours(self) -> bool:
        """Whether the product protects the route."""
        return self.kind in {"signature", "session", "handshake"}

    @property
    def signer(self) -> str:
        """The algorithm of the key that the client is enrolled with."""
        return self.algorithm if self.kind == "signature" else "ml-dsa-65"

    def to_json(self) -> str:
        """Write it for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read it."""
        return cls(**json.loads(text))
