"""The present state as the ledger's entries make it, to be held against the tables.

    server.initialized     an organization (the operator's), a client (its admin), a key
    organization.created   an organization
    token.issued           an enrollment token
    client.enrolled        a client and its keys; spends the token
    keys.rotated           keys; ends those before
    key.revoked            ends a key
    dataset.created        a dataset

Entries of other kinds change none of these tables. What no entry tells cannot be checked: names of clients, times,
the expiry of a token.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from secure_api.domain.discrepancy import Discrepancy
from secure_api.domain.errors import LedgerTampered
from secure_api.domain.key_status import KeyStatus
from secure_api.domain.roles import Role

#: The tables that entries make, and what one row of each is called.
NOUNS: Final = {
    "organizations": "Organization",
    "clients": "Client",
    "keys": "Key",
    "datasets": "Dataset",
    "enrollment_tokens": "Enrollment token",
}
MAX_ECHO: Final = 80  # characters of a value that a finding repeats

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a row must hold, and the sequence of the entry that said so last."""

    sequence: int
    values: Values


class LedgerState:
    """Takes every entry of an intact ledger in order: `feed` each one, then `compare` each table."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, Vouched]] = {table: {} for table in NOUNS}
        #: Entries that speak of what no entry before them made.
        self.discrepancies: list[Discrepancy] = []

    def feed(
        self, sequence: int, kind: str, organization_id: str | None, actor: str | None, payload: Mapping[str, Any]
    ) -> None:
        """Take the next entry.

        Raises:
            LedgerTampered: the payload does not have the form of its kind.
        """
        apply = _KINDS.get(kind)
        if apply is None:
            return
        try:
            apply(self, sequence, organization_id, actor, payload)
        except (KeyError, TypeError) as error:
            detail = f"Ledger entry {sequence} does not have the form of {kind}."
            raise LedgerTampered(sequence, "changed", detail) from error

    def compare(self, table: str, rows: Mapping[str, Values]) -> Iterator[Discrepancy]:
        """Hold the rows of a table, by id, against what the entries said of them."""
        noun, vouched = NOUNS[table], self._tables[table]
        for row, values in rows.items():
            expected = vouched.get(row)
            if expected is None:
                detail = f"{noun} {_shown(row)} is in the database, and no ledger entry made it."
                yield Discrepancy(table, row, None, detail)
                continue
            for member, value in expected.values.items():
                if values[member] != value:
                    said = f"ledger entry {expected.sequence} says {_shown(value)}"
                    detail = f"{noun} {row} has {member} {_shown(values[member])}; {said}."
                    yield Discrepancy(table, row, expected.sequence, detail)
        for row in vouched.keys() - rows.keys():
            sequence = vouched[row].sequence
            detail = f"{noun} {row}, of which ledger entry {sequence} tells, is not in the database."
            yield Discrepancy(table, row, sequence, detail)

    def _put(self, table: str, row: str, sequence: int, values: Values) -> None:
        self._tables[table][row] = Vouched(sequence, values)

    def _initialize(self, sequence: int, _organization: str | None, _actor: str | None, said: Values) -> None:
        organization, admin, keyid = _text(said, "organization"), _text(said, "admin"), _text(said, "keyid")
        self._put("organizations", organization, sequence, {"name": _text(said, "name"), "operator": True})
        self._put("clients", admin, sequence, {"organization_id": organization, "role": Role.ADMIN.value})
        self._put_keys(sequence, organization, admin, [keyid])

    def _create_organization(self, sequence: int, _organization: str | None, _actor: str | None, said: Values) -> None:
        values = {"name": _text(said, "name"), "operator": False}
        self._put("organizations", _text(said, "organization"), sequence, values)

    def _create_dataset(self, sequence: int, organization: str | None, _actor: str | None, said: Values) -> None:
        values = {"organization_id": organization, "name": _text(said, "name")}
        self._put("datasets", _text(said, "dataset"), sequence, values)

    def _issue_token(self, sequence: int, _organization: str | None, _actor: str | None, said: Values) -> None:
        values = {"organization_id": _text(said, "organization"), "role": _text(said, "role"), "spent": False}
        self._put("enrollment_tokens", _text(said, "token"), sequence, values)

    def _enroll(self, sequence: int, organization: str | None, _actor: str | None, said: Values) -> None:
        client, token, role = _text(said, "client"), _text(said, "token"), _text(said, "role")
        grant = {"organization_id": organization, "role": role}
        issued = self._tables["enrollment_tokens"].get(token)
        if issued is None or issued.values != {**grant, "spent": False}:
            self._doubt(
                "clients", client, sequence, f"enrolled it with token {_shown(token)}, which grants no such thing"
            )
        self._put("enrollment_tokens", token, sequence, {**grant, "spent": True})
        self._put("clients", client, sequence, grant)
        self._put_keys(sequence, organization, client, _texts(said, "keyids"))

    def _rotate(self, sequence: int, organization: str | None, actor: str | None, said: Values) -> None:
        for keyid in _texts(said, "old"):
            self._end(sequence, keyid, KeyStatus.ROTATED)
        self._put_keys(sequence, organization, actor, _texts(said, "new"))

    def _revoke(self, sequence: int, _organization: str | None, _actor: str | None, said: Values) -> None:
        self._end(sequence, _text(said, "keyid"), KeyStatus.REVOKED)

    def _put_keys(self, sequence: int, organization: str | None, client: str | None, keyids: list[str]) -> None:
        for keyid in keyids:
            values = {
                "organization_id": organization,
                "client_id": client,
                "status": KeyStatus.ACTIVE.value,
                "signs_with": sorted(keyids),
            }
            self._put("keys", keyid, sequence, values)

    def _end(self, sequence: int, keyid: str, status: KeyStatus) -> None:
        key = self._tables["keys"].get(keyid)
        if key is None or key.values["status"] != KeyStatus.ACTIVE.value:
            self._doubt("keys", keyid, sequence, f"calls it {status.value}, and it was not active")
        if key is not None:
            self._put("keys", keyid, sequence, {**key.values, "status": status.value})

    def _doubt(self, table: str, row: str, sequence: int, what: str) -> None:
        detail = f"{NOUNS[table]} {row}: ledger entry {sequence} {what}."
        self.discrepancies.append(Discrepancy(table, row, sequence, detail))


_KINDS: Final[dict[str, Callable[[LedgerState, int, str | None, str | None, Values], None]]] = {
    "server.initialized": LedgerState._initialize,
    "organization.created": LedgerState._create_organization,
    "token.issued": LedgerState._issue_token,
    "client.enrolled": LedgerState._enroll,
    "keys.rotated": LedgerState._rotate,
    "key.revoked": LedgerState._revoke,
    "dataset.created": LedgerState._create_dataset,
}


def _text(payload: Values, member: str) -> str:
    value = payload[member]
    if not isinstance(value, str):
        raise TypeError(member)
    return value


def _texts(payload: Values, member: str) -> list[str]:
    value = payload[member]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError(member)
    return value


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else ", ".join(value) if isinstance(value, list) else str(value)
    return text if len(text) <= MAX_ECHO else text[:MAX_ECHO] + "..."
