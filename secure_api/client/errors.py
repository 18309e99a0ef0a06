"""Errors of the client.

    ClientError
    ├── ProfileMissing      there is no profile of that name
    └── ProfileUnreadable   the profile file, or what it names, cannot be used

What concerns keys and signatures is `crypto.CryptoError`.
"""


class ClientError(Exception):
    """Base of every error of the client; `str()` is one line for a person."""


class ProfileMissing(ClientError):
    """There is no profile of that name."""


class ProfileUnreadable(ClientError):
    """The profile file, or a file that it names, cannot be used."""
