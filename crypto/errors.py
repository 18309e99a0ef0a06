"""Every error that leaves the `crypto` package.

    CryptoError
    ├── KeyFormatError              a key, JWK, PEM or key file is not what it must be
    │   ├── PassphraseError         the passphrase is missing, wrong, or not wanted
    │   └── KeyFileError            the file is missing, in the way, or open to other users
    ├── UnsupportedAlgorithm        no such algorithm on the allow-list, or not for this key
    ├── ProviderUnavailable         the native library cannot do what its provider needs
    ├── SigningError                a request cannot be signed as it stands
    ├── CiphertextError             what was to be decapsulated cannot be a ciphertext
    ├── SealingError                a body cannot be sealed as asked
    ├── UnsealingError              a sealed body is malformed, or for another key or message
    ├── LibraryMissing              a library of an extra is not installed
    ├── SharingError                a secret cannot be split as asked, or the shares make none
    ├── MaskingError                a masked sum cannot go on, or came out wrong
    │   ├── MaskingTermsError       such a sum must not be made: too few clients, too many values, an overflow
    │   ├── QuantizationError       the values are not what the terms say
    │   ├── MaskingFormatError      a message or a stored state is malformed, or of another sum
    │   ├── MaskingOrderError       not now, not by this client, or not a second time
    │   ├── MaskingRefused          forged, swapped, or in contradiction to what was said before
    │   └── TooFewClients           fewer than the threshold are left
    ├── MpcError                    a multi-party computation cannot be made, or came to no result
    │   ├── MpcTermsError           such a computation must not be made: parties, bounds, or an overflow of the field
    │   ├── MpcInputError           the values are not what the terms say
    │   ├── MpcFormatError          shares, boxes, a job or a message are malformed, or of another computation
    │   └── MpcAborted              a session of the compute parties ended without a result; `.reason` says why
    ├── HomomorphicError            something about homomorphic encryption cannot be used
    │   ├── ContextRefused          a public context is none of ours: parameters, a secret key within, too many bytes
    │   ├── CiphertextRefused       the bytes are no sum of ciphertexts of the study's context
    │   ├── CapacityExceeded        values, bounds or contributors whose sum could wrap around the modulus
    │   ├── ForeignCiphertext       another key's ciphertext is in the sum, or it is damaged
    │   ├── DecryptionsExhausted    the key has decrypted as many results as it may
    │   └── InspectionFailed        the process that looks at contexts died or did not answer in time
    ├── PrivacyError                such differential privacy cannot be given: no room, or numbers that make no sense
    └── VerificationError           a request is not to be believed; `.reason` says why
        ├── FieldSyntaxError        a header field is malformed, repeated or too large
        ├── ProfileError            well-formed, but not what the signature profile demands
        ├── DigestError             Content-Digest is missing, malformed, or of another body
        └── InvalidSignature        the cryptographic check failed

The reason of a `VerificationError` is a slug for logs and metrics, one of `VERIFICATION_REASONS`. It is never
for the peer, who gets one opaque answer for all of them.
"""

from typing import Final

_MAX_DETAIL: Final = 240

VERIFICATION_REASONS: Final = frozenset(
    {
        "algorithm-mismatch",
        "bad-nonce",
        "coverage",
        "digest-mismatch",
        "digest-missing",
        "duplicate-field",
        "duplicate-key",
        "duplicate-label",
        "expired",
        "field-too-large",
        "invalid-signature",
        "malformed-field",
        "missing-signature",
        "not-yet-valid",
        "parameter-missing",
        "policy",
        "too-many-labels",
        "unknown-key",
        "unknown-parameter",
        "unsupported-algorithm",
        "window-too-long",
    }
)


class CryptoError(Exception):
    """Root of the package's errors."""


class KeyFormatError(CryptoError):
    """A key, JWK, PEM or key file is not what it must be."""


class PassphraseError(KeyFormatError):
    """The passphrase is missing, wrong, or given for a key that is not encrypted."""


class KeyFileError(KeyFormatError):
    """A key file is missing, already there, too large, or readable by other users."""


class UnsupportedAlgorithm(CryptoError):
    """The algorithm is not on the allow-list, or the provider does not carry it."""


class ProviderUnavailable(CryptoError):
    """The native library behind a provider is absent or too old."""


class SigningError(CryptoError):
    """A request cannot be signed as it stands."""


class CiphertextError(CryptoError):
    """What was to be decapsulated cannot be a ciphertext: another length, or a point of small order."""


class SealingError(CryptoError):
    """A body cannot be sealed as asked."""


class UnsealingError(CryptoError):
    """A sealed body is malformed, or was sealed for another key or another message."""


class LibraryMissing(CryptoError):
    """A library that belongs to an extra of secure-api is not installed."""


class SharingError(CryptoError):
    """A secret cannot be split as asked, or the shares are of no one secret."""


class MaskingError(CryptoError):
    """A masked sum cannot go on, or did not come out."""


class MaskingTermsError(MaskingError):
    """Such a masked sum must not be made: its threshold protects nobody, or its values could overflow."""


class QuantizationError(MaskingError):
    """The values are not as many, or not of the kind, that the terms say."""


class MaskingFormatError(MaskingError):
    """A message or a stored state is malformed, or belongs to another sum."""


class MaskingOrderError(MaskingError):
    """It is not the time for this step, the client has no part in it, or it was done before and differently."""


class MaskingRefused(MaskingError):
    """A message is not to be believed: forged, swapped, or in contradiction to what was said before."""


class TooFewClients(MaskingError):
    """Fewer clients than the threshold are left: the sum cannot, and must not, be revealed."""


class MpcError(CryptoError):
    """A multi-party computation cannot be made as asked, or came to no result."""


class MpcTermsError(MpcError):
    """Such a computation must not be made: too few parties, senseless bounds, or a sum that the field cannot hold."""


class MpcInputError(MpcError):
    """The values to contribute are not as many, or not of the kind, that the terms say."""


class MpcFormatError(MpcError):
    """Shares, boxes, a job or a message are malformed, or belong to another computation."""


class MpcAborted(MpcError):
    """A session of the compute parties ended without a result, and may be run again.

    `reason` is a value of `crypto.mpc.AbortReason`. `party` is the index of the party that it is about (None: nobody's
    fault that is known), `told_by` that of the party that said so (None: seen here), `detail` is for the log.
    """

    def __init__(self, reason: str, party: int | None = None, told_by: int | None = None, detail: str = "") -> None:
        if len(detail) > _MAX_DETAIL:
            detail = f"{detail[:_MAX_DETAIL]}..."
        super().__init__(reason, party, told_by, detail)
        self.reason = reason
        self.party = party
        self.told_by = told_by
        self.detail = detail

    def __str__(self) -> str:
        """Say what happened in one line."""
        about = "" if self.party is None else f", party {self.party}"
        told = "" if self.told_by is None else f", as party {self.told_by} tells"
        return f"the session was aborted: {self.reason}{about}{told}" + (f" ({self.detail})" if self.detail else "")


class HomomorphicError(CryptoError):
    """Something about homomorphic encryption cannot be used; each kind of it is below."""


class ContextRefused(HomomorphicError):
    """A public context is none of ours: other parameters, a secret key within, too many bytes, or no context at all."""


class CiphertextRefused(HomomorphicError):
    """The bytes are no sum of ciphertexts of the study's context: another length, or a residue that is none."""


class CapacityExceeded(HomomorphicError):
    """Values, bounds or contributors whose sum could wrap around the modulus."""


class ForeignCiphertext(HomomorphicError):
    """The decrypted canary is not what contributors put there: another key's ciphertext is in the sum, or damage."""


class DecryptionsExhausted(HomomorphicError):
    """The key has decrypted as many results as it may; make another one."""


class InspectionFailed(HomomorphicError):
    """The process that looks at contexts died or did not answer in time."""


class PrivacyError(CryptoError):
    """Such differential privacy cannot be given: there is no room for the noise, or numbers that make no sense."""


class VerificationError(CryptoError):
    """A request is not to be believed.

    `reason` is a slug of `VERIFICATION_REASONS`; `detail` is for the log, and cut because a peer wrote parts of it.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        if len(detail) > _MAX_DETAIL:
            detail = f"{detail[:_MAX_DETAIL]}..."
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        """Reason and detail in one line."""
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


class FieldSyntaxError(VerificationError):
    """A header field is malformed, repeated or too large."""


class ProfileError(VerificationError):
    """The signature is well-formed but is not what the profile demands."""


class DigestError(VerificationError):
    """Content-Digest is missing, malformed, or of another body."""


class InvalidSignature(VerificationError):
    """The cryptographic check failed."""

    def __init__(self, reason: str = "invalid-signature", detail: str = "") -> None:
        super().__init__(reason, detail)
