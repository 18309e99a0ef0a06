"""One entry of the ledger and the bytes that its hash covers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from secure_api.domain.errors import Invalid, LedgerTampered
from secure_api.domain.frozen_json import FrozenObject
from secure_api.domain.instant import as_utc, format_instant, parse_instant
from secure_api.domain.json_number import INTEGER_MAX
from secure_api.domain.strict_json import canonical

#: `previous_hash` of the first entry, and the hash of the head of an empty ledger.
GENESIS_HASH: Final = "0" * 64
#: Version of the hashed object.
ENTRY_VERSION: Final = 1


def _read_time(value: object) -> object:
    return parse_instant(value) if isinstance(value, str) else value


Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Time = Annotated[
    datetime,
    BeforeValidator(_read_time),
    AfterValidator(as_utc),
    PlainSerializer(format_instant, return_type=str, when_used="json"),
]
Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*$", max_length=63)]
Name = Annotated[str, Field(pattern=r"^[^\x00]+$", max_length=255)]


class EntryContent(BaseModel):
    """Everything that an entry's hash covers; immutable at every depth.

    `time` is aware UTC to the microsecond (RFC 3339 text is read too); `organization_id` and `actor` (a
    client's id) say whose change it was and who made it, None for the service itself.

    Raises:
        pydantic.ValidationError: a field is missing, too much, or not of its form.
        Invalid: the time or the payload cannot be kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, revalidate_instances="always")

    sequence: Annotated[int, Field(ge=1, le=INTEGER_MAX)]
    previous_hash: Hash
    time: Time
    kind: Kind
    organization_id: Name | None
    actor: Name | None
    payload: FrozenObject

    def hashed_bytes(self) -> bytes:
        """Give the bytes whose SHA-256 is the entry's hash (`domain.ledger` describes them)."""
        return canonical(
            {
                "version": ENTRY_VERSION,
                "sequence": self.sequence,
                "previous_hash": self.previous_hash,
                "time": format_instant(self.time),
                "kind": self.kind,
                "organization_id": self.organization_id,
                "actor": self.actor,
                "payload": self.payload.thaw(),
            }
        )

    def payload_json(self) -> str:
        """Give the payload as RFC 8785 text, which `strict_json.loads` reads back as an equal payload."""
        return canonical(self.payload.thaw()).decode()


class LedgerEntry(EntryContent):
    """One entry; it cannot be made with a hash that is not its own.

    Raises:
        LedgerTampered: `hash` is not the hash of the other fields.
    """

    hash: Hash

    @model_validator(mode="after")
    def _is_intact(self) -> Self:
        if sha256(self.hashed_bytes()).hexdigest() != self.hash:
            raise LedgerTampered(self.sequence, "changed")
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy through validation: Pydantic's own takes `update` unchecked and would make an edited entry.

        Raises:
            LedgerTampered: the update changes what was hashed.
            Invalid: the update is not of a field's form.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        try:
            return type(self).model_validate({**fields, **(update or {})})
        except ValidationError as error:
            raise _invalid(error) from None


def next_entry(
    previous_sequence: int,
    previous_hash: str,
    *,
    time: datetime,
    kind: str,
    organization_id: str | None,
    actor: str | None,
    payload: Mapping[str, object],
) -> LedgerEntry:
    """Make the entry that follows another; the first one follows sequence 0 and `GENESIS_HASH`.

    Raises:
        Invalid: a field is not of its form; the pointer names it.
    """
    try:
        content = EntryContent.model_validate(
            {
                "sequence": previous_sequence + 1,
                "previous_hash": previous_hash,
                "time": time,
                "kind": kind,
                "organization_id": organization_id,
                "actor": actor,
                "payload": FrozenObject(payload),
            }
        )
    except ValidationError as error:
        raise _invalid(error) from None
    fields = {name: getattr(content, name) for name in EntryContent.model_fields}
    return LedgerEntry.model_validate({**fields, "hash": sha256(content.hashed_bytes()).hexdigest()})


def _invalid(error: ValidationError) -> Invalid:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    pointer = "".join(f"/{segment}" for segment in first["loc"])
    return Invalid(f"The ledger entry is not valid: {first['msg']}.", pointer=pointer)
