"""Signatures of the years before quantum computers, by `cryptography`: what the others are measured against."""

from cryptography import exceptions
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from crypto import InvalidSignature
from experiments.schemes.signature_scheme import Sign, Verify

EXPONENT = 65537
SALT_BYTES = 64  # as rsa-pss-sha512 of RFC 9421 §3.3.1 has it


class EcdsaP256:
    """ECDSA on P-256 with SHA-256, signatures in DER; public keys are uncompressed points."""

    def generate(self) -> tuple[bytes, ec.EllipticCurvePrivateKey]:
        """Return a fresh key pair."""
        secret = ec.generate_private_key(ec.SECP256R1())
        return secret.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint), secret

    def signer(self, secret: ec.EllipticCurvePrivateKey) -> Sign:
        """Return the signer of a private key."""
        algorithm = ec.ECDSA(SHA256())
        return lambda message: secret.sign(message, algorithm)

    def verifier(self, public_key: bytes) -> Verify:
        """Return the verifier of a public key."""
        key, algorithm = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key), ec.ECDSA(SHA256())

        def verify(signature: bytes, message: bytes) -> None:
            try:
                key.verify(signature, message, algorithm)
            except exceptions.InvalidSignature:
                raise InvalidSignature from None

        return verify


class RsaPss:
    """RSASSA-PSS with SHA-512; public keys are RSAPublicKey of RFC 8017 in DER."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._padding = padding.PSS(padding.MGF1(SHA512()), SALT_BYTES)
        self._hash = SHA512()

    def generate(self) -> tuple[bytes, rsa.RSAPrivateKey]:
        """Return a fresh key pair."""
        secret = rsa.generate_private_key(EXPONENT, self._bits)
        return secret.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1), secret

    def signer(self, secret: rsa.RSAPrivateKey) -> Sign:
        """Return the signer of a private key."""
        return lambda message: secret.sign(message, self._padding, self._hash)

    def verifier(self, public_key: bytes) -> Verify:
        """Return the verifier of a public key."""
        key = load_der_public_key(public_key)
        assert isinstance(key, rsa.RSAPublicKey)  # noqa: S101 - of our own making

        def verify(signature: bytes, message: bytes) -> None:
            try:
                key.verify(signature, message, self._padding, self._hash)
            except exceptions.InvalidSignature:
                raise InvalidSignature from None

        return verify
