"""Verifying the signatures of a request: bytes in, typed values or an error out; no clock, no sockets.

Opening a request needs neither key nor body, so that everything cheap is refused before the database is asked
and before the body is read; verifying needs both. The caller spends the nonces after `verify_request`
returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from crypto.content_digest import verify_content_digest
from crypto.errors import DigestError, FieldSyntaxError, InvalidSignature, ProfileError
from crypto.macs import MacAlgorithm
from crypto.messages import Request
from crypto.profile import Profile
from crypto.signature_base import SignatureInput, parse_signature, parse_signature_input, signature_base
from crypto.signatures import SignatureAlgorithm
from crypto.usual_input import read_usual_input, read_usual_signature

_ALGORITHMS: Final[Mapping[str, SignatureAlgorithm | MacAlgorithm]] = {
    member.value: member for member in (*SignatureAlgorithm, *MacAlgorithm)
}


class VerificationKey(Protocol):
    """A key that a request can be verified under: a `PublicKey`, or a session's `MacKey`."""

    @property
    def algorithm(self) -> SignatureAlgorithm | MacAlgorithm:
        """The one algorithm that the key is for."""

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if the signature is valid for the message. Raises InvalidSignature."""


@dataclass(frozen=True, slots=True)
class SignedLabel:
    """One signature that claims the profile's tag: its input with every parameter present, and its bytes."""

    input: SignatureInput
    signature: bytes
    keyid: str
    algorithm: SignatureAlgorithm | MacAlgorithm
    created: int
    expires: int
    nonce: str

    @property
    def label(self) -> str:
        """The dictionary key of the signature."""
        return self.input.label


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request whose signatures have the form that the profile demands. They are not verified yet."""

    request: Request
    labels: tuple[SignedLabel, ...]


def open_request(request: Request, profile: Profile, now: int) -> SignedRequest:
    """Return the request with its signatures read and held against the profile, `now` in epoch seconds.

    Labels with another tag are somebody else's and are ignored. Raises FieldSyntaxError, ProfileError,
    DigestError.
    """
    input_field = _whole_field(request, b"signature-input", profile)
    usual = read_usual_input(input_field)
    inputs = (
        {usual.label: usual}
        if usual is not None
        else parse_signature_input(input_field, max_labels=profile.max_labels, max_bytes=profile.max_field_bytes)
    )
    ours = [entry for entry in inputs.values() if entry.tag == profile.tag]
    if not ours:
        raise ProfileError("missing-signature", f"no signature has the tag {profile.tag}")
    field = _whole_field(request, b"signature", profile)
    signature = None if usual is None else read_usual_signature(field, usual.label)
    signatures = (
        {usual.label: signature}
        if usual is not None and signature is not None
        else parse_signature(field, max_labels=profile.max_labels, max_bytes=profile.max_field_bytes)
    )
    if inputs.keys() != signatures.keys():
        raise ProfileError("missing-signature", "signature-input and signature do not have the same labels")
    _check_fields(request, profile)
    labels = tuple([_signed_label(entry, signatures, profile, now) for entry in ours])
    if len(labels) > 1 and len({label.keyid for label in labels}) != len(labels):
        raise ProfileError("duplicate-key", "two signatures have one keyid")
    return SignedRequest(request, labels)


def verify_request(signed: SignedRequest, body: bytes, keys: Mapping[str, VerificationKey]) -> None:
    """Return if the body is the one that was digested and every signature is valid under its key.

    Raises DigestError, ProfileError (unknown key, or another algorithm than the key's), InvalidSignature.
    """
    request = signed.request
    verify_content_digest(request.field(b"content-digest") or b"", body)
    if not signed.labels:
        raise ProfileError("missing-signature", "the request holds no signature")
    for label in signed.labels:
        key = keys.get(label.keyid)
        if key is None:
            raise ProfileError("unknown-key", f"{label.label}: no key {label.keyid}")
        if key.algorithm is not label.algorithm:
            raise ProfileError(
                "algorithm-mismatch",
                f"{label.label}: alg is {label.algorithm}, the key's is {key.algorithm}",
            )
        try:
            key.verify(label.signature, signature_base(request, label.input))
        except InvalidSignature as error:
            raise InvalidSignature(detail=f"{label.label}: {error.detail}") from None


def _check_fields(request: Request, profile: Profile) -> None:
    for name in (b"content-type", b"content-digest", b"host"):
        lines = request.field_lines(name)
        if len(lines) > 1:
            raise FieldSyntaxError("duplicate-field", f"{name.decode()} is there {len(lines)} times")
        if lines and len(lines[0]) > profile.max_field_bytes:
            raise FieldSyntaxError("field-too-large", f"{name.decode()} has {len(lines[0])} bytes")
    if not request.field_lines(b"content-digest"):
        raise DigestError("digest-missing", "the request has no content-digest")
    if not request.field_lines(b"content-type"):
        raise ProfileError("coverage", "the request has no content-type")


def _whole_field(request: Request, name: bytes, profile: Profile) -> bytes:
    lines = request.field_lines(name)
    # The cap comes before the lines are joined: what is too large is not even copied.
    if (len(lines[0]) if len(lines) == 1 else sum(map(len, lines))) > profile.max_field_bytes:
        raise FieldSyntaxError("field-too-large", f"{name.decode()} has more than {profile.max_field_bytes} bytes")
    value = request.field(name)
    if value is None:
        raise ProfileError("missing-signature", f"the request has no {name.decode()}")
    return value


def _signed_label(entry: SignatureInput, signatures: Mapping[str, bytes], profile: Profile, now: int) -> SignedLabel:
    label, created, expires, nonce = entry.label, entry.created, entry.expires, entry.nonce
    if entry.unknown:
        raise ProfileError("unknown-parameter", f"{label}: {', '.join(entry.unknown)}")
    if created is None or expires is None or nonce is None or entry.keyid is None or entry.alg is None:
        raise ProfileError("parameter-missing", f"{label}: created, expires, nonce, keyid, alg are all needed")
    components = entry.components
    if components is not profile.components and (
        len(components) != len(profile.covered) or profile.covered != frozenset(components)
    ):
        raise ProfileError("coverage", f"{label}: covers {' '.join(entry.components) or 'nothing'}")
    if created > now + profile.clock_skew:
        raise ProfileError("not-yet-valid", f"{label}: created {created - now} s in the future")
    if now > expires + profile.clock_skew or expires <= created:
        raise ProfileError("expired", f"{label}: created {created}, expired {expires}, now {now}")
    if expires - created > profile.max_window:
        raise ProfileError("window-too-long", f"{label}: valid for {expires - created} s")
    if not profile.nonce_min <= len(nonce) <= profile.nonce_max:
        raise ProfileError("bad-nonce", f"{label}: a nonce of {len(nonce)} characters")
    algorithm = _ALGORITHMS.get(entry.alg)
    if algorithm is None:
        raise ProfileError("unsupported-algorithm", f"{label}: {entry.alg}")
    return SignedLabel(entry, signatures[label], entry.keyid, algorithm, created, expires, nonce)
