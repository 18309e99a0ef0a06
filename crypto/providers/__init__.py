"""Native libraries behind the algorithms of `crypto.signatures`, and the choice between them."""

from crypto.errors import ProviderUnavailable
from crypto.providers.fastest import FastestProvider
from crypto.providers.openssl import OpenSSLProvider
from crypto.signatures import SignatureProvider

__all__ = ["PROVIDER_NAMES", "FastestProvider", "OpenSSLProvider", "default_provider", "select_provider"]

PROVIDER_NAMES = ("auto", "openssl", "oqs")

_default: SignatureProvider = OpenSSLProvider()


def default_provider() -> SignatureProvider:
    """Return the provider of keys: OpenSSL, until `select_provider` says otherwise."""
    return _default


def select_provider(name: str) -> SignatureProvider:
    """Choose the provider of every key that this process makes from now on, and return it.

    `openssl` is always there; `oqs` verifies ML-DSA by liboqs, and Ed25519, which liboqs has not, by OpenSSL;
    `auto` is `oqs` where liboqs is there and `openssl` elsewhere. Raises ProviderUnavailable.
    """
    global _default
    if name not in PROVIDER_NAMES:
        raise ProviderUnavailable(f"there is no provider {name!r} (one of {', '.join(PROVIDER_NAMES)})")
    openssl = OpenSSLProvider()
    _default = openssl
    if name != "openssl":
        from crypto.providers.oqs import OqsProvider

        try:
            _default = FastestProvider([OqsProvider(), openssl])
        except ProviderUnavailable:
            if name == "oqs":
                raise
    return _default
