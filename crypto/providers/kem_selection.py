"""The choice between the native libraries behind the mechanisms of `crypto.kem`."""

from __future__ import annotations

from crypto.errors import ProviderUnavailable
from crypto.kem import KemProvider
from crypto.providers import PROVIDER_NAMES
from crypto.providers.openssl_kem import OpenSSLKemProvider

_default: KemProvider = OpenSSLKemProvider()


def default_kem_provider() -> KemProvider:
    """Return the provider of encapsulation keys: OpenSSL, until `select_kem_provider` says otherwise."""
    return _default


def select_kem_provider(name: str) -> KemProvider:
    """Choose the provider of every encapsulation key that this process makes from now on, and return it.

    The names are those of `select_provider`: `openssl`, always there; `oqs`; `auto`, which is `oqs` where liboqs is
    there and `openssl` elsewhere. Raises ProviderUnavailable.
    """
    global _default
    if name not in PROVIDER_NAMES:
        raise ProviderUnavailable(f"there is no provider {name!r} (one of {', '.join(PROVIDER_NAMES)})")
    _default = OpenSSLKemProvider()
    if name != "openssl":
        from crypto.providers.oqs_kem import OqsKemProvider

        try:
            _default = OqsKemProvider()
        except ProviderUnavailable:
            if name == "oqs":
                raise
    return _default
