"""Errors of the client.

    ClientError
    ├── MaskedMemoryUnusable  what is kept of a masked study is not to be gone on from
    ├── ProfileMissing        there is no profile of that name
    ├── ProfileUnreadable     the profile file, or what it names, cannot be used
    ├── ResponseRefused       the answer is not the server's own answer to this request
    └── ServerUnusable        the server does not offer what was asked of it
        └── SealingKeyRefused   it publishes sealing keys, and its known signing key vouches for none

What concerns keys and signatures is `crypto.CryptoError`.
"""


class ClientError(Exception):
    """Base of every error of the client; `str()` is one line for a person."""


class ProfileMissing(ClientError):
    """There is no profile of that name."""


class ProfileUnreadable(ClientError):
    """The profile file, or a file that it names, cannot be used."""


class ResponseRefused(ClientError):
    """The answer is not signed by the server, is not to this request, or cannot be opened."""


class MaskedMemoryUnusable(ClientError):
    """What this contributor keeps of a masked study cannot be gone on from: nothing was sent."""


class ServerUnusable(ClientError):
    """The server does not offer what was asked of it; `status` when an HTTP status said so."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class SealingKeyRefused(ServerUnusable):
    """The server publishes sealing keys, and the signing key that is known of it vouches for none: nothing was sent."""
