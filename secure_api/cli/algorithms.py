"""`secure-api algorithms`: what the server allows, what is for experiments, and which library carries each here."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from crypto import ALGORITHMS, KEM_ALGORITHMS, KemAlgorithm, ProviderUnavailable, SealingAlgorithm
from crypto.macs import MacAlgorithm
from crypto.providers import OpenSSLProvider, oqs_library
from crypto.providers.openssl_kem import OpenSSLKemProvider
from crypto.research import research_kems, research_signatures
from crypto.sealing import NONCE_BYTES, TAG_BYTES
from crypto.status import Status
from secure_api.cli.console import put_json, put_table, say
from secure_api.cli.options import Json

EXAMPLES = """\
secure-api algorithms
secure-api algorithms --json | jq -r '.[] | select(.use == "server") | .name'
secure-api algorithms --json | jq 'map(select(.kind == "kem")) | sort_by(.output_bytes)'"""

HMAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class Listed:
    """One algorithm. `output_bytes` is the size of its signature (the largest, where it varies) or ciphertext.

    Of what is symmetric, `public_key_bytes` is 0, and `output_bytes` is the MAC, or what a sealed body is longer.
    """

    kind: Literal["signature", "kem", "mac", "sealing"]
    name: str
    use: Literal["server", "research"]
    public_key_bytes: int
    output_bytes: int
    variable_length: bool
    security_level: int
    providers: list[str]
    standard: str
    status: Status


@dataclass(frozen=True, slots=True)
class Liboqs:
    """The native names that liboqs carries here; none without it, and then `missing` says how to get it."""

    names: frozenset[str]
    missing: str | None

    @classmethod
    def found(cls) -> "Liboqs":
        """Load it if it is on this machine."""
        try:
            oqs = oqs_library.load()
        except ProviderUnavailable as error:
            return cls(frozenset(), str(error))
        return cls(frozenset({*oqs.get_enabled_sig_mechanisms(), *oqs.get_enabled_kem_mechanisms()}), None)

    def providers(self, native_name: str) -> list[str]:
        """Return its name if it carries the algorithm."""
        return ["oqs"] if native_name in self.names else []


def algorithms(json: Json = False) -> None:
    """List the algorithms: what the server allows, and what is for experiments.

    The level is the NIST category that the standard claims (of mac and sealing, that of
    keys of their size), 0 for what is not post-quantum. With oqs beside openssl,
    ML-DSA signatures are verified by oqs and made by openssl. The key exchanges that the server allows (kem) open
    sessions; mac and sealing are what protects requests within them, and bodies.
    """
    liboqs = Liboqs.found()
    rows = [*_signatures(liboqs), *_kems(liboqs), *_symmetric()]
    if json:
        put_json([asdict(row) for row in rows])
        return
    put_table(
        ["kind", "algorithm", "use", "public key", "sig. / ct.", "level", "providers here", "standard", "status"],
        [
            [
                row.kind,
                row.name,
                row.use,
                str(row.public_key_bytes),
                f"{'≤ ' if row.variable_length else ''}{row.output_bytes}",
                str(row.security_level),
                ", ".join(row.providers) or "-",
                row.standard,
                row.status.value,
            ]
            for row in rows
        ],
    )
    if liboqs.missing:
        say(f"what is for research needs liboqs; {liboqs.missing}")


def _signatures(liboqs: Liboqs) -> Iterator[Listed]:
    openssl = OpenSSLProvider().algorithms
    for algorithm, info in ALGORITHMS.items():
        # Ed25519 has no name there; the others are called as in JOSE.
        providers = ["openssl"] * (algorithm in openssl) + liboqs.providers(info.jose)
        sizes = info.public_key_bytes, info.signature_bytes, False
        name = algorithm.value
        yield Listed("signature", name, "server", *sizes, info.security_level, providers, info.standard, Status.FINAL)
    for other in research_signatures().values():
        sizes = other.public_key_bytes, other.signature_bytes, other.variable_length
        providers = liboqs.providers(other.native_name)
        yield Listed(
            "signature", other.name, "research", *sizes, other.security_level, providers, other.standard, other.status
        )


def _kems(liboqs: Liboqs) -> Iterator[Listed]:
    openssl = OpenSSLKemProvider().algorithms
    for algorithm, info in KEM_ALGORITHMS.items():
        # X-Wing by oqs is the ML-KEM of liboqs with the X25519 of OpenSSL.
        native_name = "ML-KEM-768" if info.hybrid else algorithm.upper()
        providers = ["openssl"] * (algorithm in openssl) + liboqs.providers(native_name)
        sizes = info.public_key_bytes, info.ciphertext_bytes, False
        name = algorithm.value
        yield Listed("kem", name, "server", *sizes, info.security_level, providers, info.standard, info.status)
    for other in research_kems().values():
        sizes = other.public_key_bytes, other.ciphertext_bytes, False
        providers = liboqs.providers(other.native_name)
        yield Listed(
            "kem", other.name, "research", *sizes, other.security_level, providers, other.standard, other.status
        )


def _symmetric() -> Iterator[Listed]:
    """List what sessions and sealed bodies are made of, beside their key exchange: by openssl, always."""
    x_wing = KEM_ALGORITHMS[KemAlgorithm.X_WING]
    here = ["openssl"]
    yield Listed(
        "mac", MacAlgorithm.HMAC_SHA256.value, "server", 0, HMAC_BYTES, False, 5, here, "FIPS 198-1", Status.FINAL
    )
    aead = NONCE_BYTES + TAG_BYTES
    name = SealingAlgorithm.AES_256_GCM.value
    yield Listed("sealing", name, "server", 0, aead, False, 5, here, "NIST SP 800-38D", Status.FINAL)
    name, sizes = SealingAlgorithm.HPKE_X_WING.value, (x_wing.public_key_bytes, x_wing.ciphertext_bytes + TAG_BYTES)
    yield Listed("sealing", name, "server", *sizes, False, x_wing.security_level, here, "RFC 9180", x_wing.status)
