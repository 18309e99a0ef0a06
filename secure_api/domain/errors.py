"""Everything that can go wrong in the product, as one tree.

Each class carries a `slug`. The API's error map turns classes into HTTP statuses; nothing here knows one.

    DomainError                   anything below
    ├── NotFound                  no such thing, or none that this caller may know of
    ├── Conflict                  it exists already, or changed meanwhile
    ├── Forbidden                 known caller, not allowed
    ├── Invalid                   the input breaks a rule; `pointer` names the member when there is one
    │   ├── JsonRejected          the bytes are not JSON that both ends would read alike
    │   └── BadCursor             the cursor is not one that this service gave out
    ├── PayloadTooLarge           the body is over the limit
    ├── HeadersTooLarge           the header fields are over the limit
    ├── UnsupportedMediaType      the body's content type is not one that is taken here
    ├── SealedBodyRejected        the sealed body is malformed, or for another key or another request
    ├── RequestTimeout            the request did not arrive in time
    ├── AuthenticationFailed      `reason` is for the log; the peer reads one opaque sentence
    ├── FreshSignatureRequired    a session is not enough at the moment: the client's keys must sign
    ├── Throttled                 the client sends too much at the moment
    ├── NotReady                  something that the service stands on is missing for now
    ├── LedgerTampered            an entry of the ledger was changed, removed, reordered or duplicated
    ├── StateTampered             the tables are not what the ledger's entries made them
    └── ConfigurationError        the operator's settings make no sense, or no safe sense
        ├── BehaviorMissing       behavior analysis is asked for and not installed
        └── KeyUnusable           a key or its passphrase is not the one that is wanted
"""

from __future__ import annotations

from typing import ClassVar

from secure_api.domain.discrepancy import Discrepancy


class DomainError(Exception):
    """Base of every error that leaves the domain. `detail` (also `str()`) may be shown to the peer."""

    slug: ClassVar[str] = "internal"
    default_detail: ClassVar[str] = "The request could not be served."

    def __init__(self, detail: str | None = None) -> None:
        """Take the sentence to show; without one, the class's own."""
        self.detail = self.default_detail if detail is None else detail
        super().__init__(self.detail)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by state: subclasses take other arguments than `Exception.args` holds."""
        return _restore, (type(self), self.args, dict(self.__dict__))


def _restore(kind: type[DomainError], args: tuple[object, ...], state: dict[str, object]) -> DomainError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class NotFound(DomainError):
    """There is no such thing, or none that this caller may know of (the two look alike on purpose)."""

    slug = "not-found"
    default_detail = "There is no such resource."


class Conflict(DomainError):
    """The thing exists already, or changed while the caller looked away."""

    slug = "conflict"
    default_detail = "The request conflicts with the present state."


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    slug = "forbidden"
    default_detail = "This client may not do that."


class Invalid(DomainError):
    """The input breaks a rule. `pointer` is the RFC 6901 pointer of the offending member, or None."""

    slug = "validation-failed"
    default_detail = "The input is not valid."

    def __init__(self, detail: str | None = None, *, pointer: str | None = None) -> None:
        """Take the sentence to show and, when one member is at fault, its pointer."""
        super().__init__(detail)
        self.pointer = pointer


class JsonRejected(Invalid):
    """The bytes are not I-JSON (RFC 7493); the place is exact.

    `reason` is a slug of `strict_json`, `pointer` an RFC 6901 pointer ("" is the whole document), `line` and
    `column` count from 1, `column` in characters.
    """

    slug = "json-rejected"
    default_detail = "The body is not acceptable JSON."
    pointer: str

    def __init__(self, reason: str, pointer: str, line: int, column: int, detail: str) -> None:
        """Take the reason, the place and the sentence to show."""
        super().__init__(detail, pointer=pointer)
        self.reason = reason
        self.line = line
        self.column = column


class BadCursor(Invalid):
    """The cursor is not one that this service gave out, or it belongs to another query."""

    slug = "bad-cursor"
    default_detail = "The cursor is not one that this query gave out."


class PayloadTooLarge(DomainError):
    """The body is over the limit; it was not decoded."""

    slug = "payload-too-large"
    default_detail = "The body is larger than this service takes."


class HeadersTooLarge(DomainError):
    """The header fields, one or all, are over the limit; they were not decoded."""

    slug = "header-fields-too-large"
    default_detail = "The header fields are larger than this service takes."


class UnsupportedMediaType(DomainError):
    """The body's content type or coding is not one that is taken here."""

    slug = "unsupported-media-type"
    default_detail = "The body's content type is not taken here."


class SealedBodyRejected(DomainError):
    """The sealed body cannot be opened: malformed, to a key that is not here (any more), or for another request."""

    slug = "sealed-body-rejected"
    default_detail = "The sealed body cannot be opened."


class RequestTimeout(DomainError):
    """The request did not arrive whole in the time that it had."""

    slug = "request-timeout"
    default_detail = "The request did not arrive in time."


class AuthenticationFailed(DomainError):
    """The request is not believed.

    `reason` is a slug for the log alone: `detail` and `str()` are one sentence, the same for every reason.
    """

    slug = "authentication-failed"
    default_detail = "The request could not be authenticated."

    def __init__(self, reason: str) -> None:
        """Take the reason for the log."""
        super().__init__()
        self.reason = reason


class FreshSignatureRequired(DomainError):
    """Requests within a session are refused for a while; those that the client's keys sign are not."""

    slug = "fresh-signature-required"
    default_detail = "For now this client must sign its requests with its keys; a session is not enough."


class Throttled(DomainError):
    """The client sends more requests than it is granted for a while."""

    slug = "too-many-requests"
    default_detail = "This client sends too many requests; it has one a second for a while."


class NotReady(DomainError):
    """Something that the service stands on (its database, its keys) is missing for now."""

    slug = "not-ready"
    default_detail = "The service is not ready."


class LedgerTampered(DomainError):
    """An entry of the ledger is not what was appended.

    `sequence` is the entry that is named; `what` says what befell it: "changed", "removed", "reordered" or
    "duplicated" (see `domain.ledger_verifier`).
    """

    slug = "ledger-tampered"

    def __init__(self, sequence: int, what: str, detail: str | None = None) -> None:
        """Take the entry, what befell it and, when more is known, the whole sentence."""
        super().__init__(f"Ledger entry {sequence} was {what}." if detail is None else detail)
        self.sequence = sequence
        self.what = what


class StateTampered(DomainError):
    """The tables are not what the entries of an intact ledger made them; `detail` is of the first discrepancy."""

    slug = "state-tampered"

    def __init__(self, discrepancies: tuple[Discrepancy, ...]) -> None:
        """Take what does not fit: one or more."""
        super().__init__(discrepancies[0].detail)
        self.discrepancies = discrepancies


class ConfigurationError(DomainError):
    """The operator's settings make no sense, or no safe one."""

    slug = "configuration-error"
    default_detail = "The configuration is not valid."


class BehaviorMissing(ConfigurationError):
    """Behavior analysis stands on libraries that are not installed."""

    slug = "behavior-missing"
    default_detail = "Behavior analysis needs the extra secure-api[behavior]."


class KeyUnusable(ConfigurationError):
    """A key of the operator's, or the passphrase of one, is not the one that is wanted."""

    slug = "key-unusable"
    default_detail = "The key cannot be used."
