"""Native libraries behind the algorithms of `crypto.signatures`."""

from functools import cache

from crypto.providers.openssl import OpenSSLProvider
from crypto.signatures import SignatureProvider


@cache
def default_provider() -> SignatureProvider:
    """Return the provider that keys use when none is named. Raises ProviderUnavailable."""
    return OpenSSLProvider()


__all__ = ["OpenSSLProvider", "default_provider"]
