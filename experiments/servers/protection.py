"""What stands in front of the route."""

import json
from dataclasses import asdict, dataclass
from typing import Literal, Self

from experiments.errors import DefinitionError

Kind = Literal["none", "signature", "session", "handshake", "http-message-signatures", "bearer"]
Store = Literal["file", "memory", "redis", "postgresql"]


@dataclass(frozen=True, slots=True)
class Protection:
    """One way to protect the route, in words that both the server's process and the load generator understand.

    `signature`, `session` and `handshake` are the product; `algorithm` is what the client signs with, for `handshake`
    the key encapsulation (the request is signed with ML-DSA-65). `provider` verifies. `store` is where the product
    spends nonces. `sealed`: bodies are sealed both ways, by HPKE or, within a session, under its keys. `bearer` tokens
    (PyJWT) are RS256 or EdDSA; `once` says whether each is good for one request. `watched`: the product's behavior
    analysis scores every request. Raises DefinitionError.
    """

    kind: Kind
    algorithm: str = "ml-dsa-65"
    provider: Literal["openssl", "oqs"] = "openssl"
    store: Store = "file"
    once: bool = True
    sealed: bool = False
    watched: bool = False

    def __post_init__(self) -> None:
        """Refuse what nobody can serve."""
        if self.sealed and self.kind not in {"signature", "session"}:
            raise DefinitionError(f"a request protected by {self.kind} is not sealed")
        if self.watched and not self.ours:
            raise DefinitionError(f"a request protected by {self.kind} is not watched by the product")

    @property
    def ours(self) -> bool:
        """Whether the product protects the route."""
        return self.kind in {"signature", "session", "handshake"}

    @property
    def shared(self) -> bool:
        """Whether several workers refuse what one of them has let in."""
        return self.kind == "none" or (self.ours and self.store != "memory")

    def to_json(self) -> str:
        """Write it for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read it."""
        return cls(**json.loads(text))
