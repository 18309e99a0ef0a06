"""A compute party's TLS certificate: self-signed, and believed by the SHA-256 that the study's parameters pin."""

from __future__ import annotations

import hashlib
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from crypto.errors import KeyFileError, MpcFormatError

VALIDITY: Final = timedelta(days=3_653)
MAX_CERTIFICATE_BYTES: Final = 4_096
_NAME: Final = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "secure-api compute party")])


def make_certificate(now: datetime) -> tuple[bytes, bytes]:
    """Return private key and certificate as PEM: ECDSA on P-256, ten years. Who is meant is said by the pin alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(_NAME, _NAME, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + VALIDITY)
    certificate = builder.sign(key, hashes.SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem, certificate.public_bytes(Encoding.PEM)


def certificate_der(pem: bytes) -> bytes:
    """Return a certificate's DER. Raises MpcFormatError."""
    try:
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    except ValueError as error:
        raise MpcFormatError(f"not a certificate: {error}") from None


def pin_of(der: bytes) -> bytes:
    """Return what pins a certificate: the SHA-256 of its DER."""
    return hashlib.sha256(der).digest()


def tls_context(key_file: Path, certificate_file: Path, peer: bytes, *, listening: bool) -> ssl.SSLContext:
    """Return a TLS 1.3 context that trusts one peer's certificate (DER) and nothing else, on either side.

    Raises KeyFileError (own key), MpcFormatError (the peer's certificate).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if listening else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # a pin says who it is; a name could not say more
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a leaf as the anchor
    if listening:
        context.num_tickets = 0
    try:
        context.load_cert_chain(certificate_file, key_file)
    except (OSError, ssl.SSLError) as error:
        raise KeyFileError(f"cannot use {key_file} with {certificate_file}: {error}") from None
    try:
        context.load_verify_locations(cadata=peer)
    except ssl.SSLError as error:
        raise MpcFormatError(f"the peer's certificate is none: {error.reason}") from None
    return context
