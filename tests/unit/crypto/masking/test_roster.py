"""Who may be invited, and under which keys."""

from __future__ import annotations

import pytest

from crypto import MacKey, PublicKey
from crypto.errors import MaskingRefused, MaskingTermsError
from crypto.masking import EnrolledKey, MaskingClient, MaskingRoster
from tests.unit.crypto.masking.consortium import key, roster, terms

TERMS = terms(5)
KEYS: dict[int, PublicKey] = {index: key(index).public_key for index in range(1, 6)}


def test_a_roster_is_in_the_order_of_the_indices() -> None:
    found = MaskingRoster(TERMS, dict(reversed(KEYS.items())))
    assert list(found.items()) == list(KEYS.items())


def test_fewer_may_be_invited_than_the_terms_allow() -> None:
    assert len(MaskingRoster(TERMS, {index: KEYS[index] for index in (1, 2, 4, 5)})) == 4


@pytest.mark.parametrize("invited", [(), (1, 2, 3), (1, 2, 3, 4, 5, 6)])
def test_too_few_or_too_many_are_refused(invited: tuple[int, ...]) -> None:
    with pytest.raises(MaskingTermsError, match="4 to 5 clients can be invited"):
        MaskingRoster(TERMS, {index: key(index).public_key for index in invited})


@pytest.mark.parametrize("index", [0, 6, -1])
def test_indices_out_of_range_are_refused(index: int) -> None:
    with pytest.raises(MaskingTermsError, match="from 1 to 5"):
        MaskingRoster(TERMS, {**{at: KEYS[at] for at in (1, 2, 3)}, index: key(9).public_key})


def test_one_key_for_two_clients_is_refused() -> None:
    with pytest.raises(MaskingTermsError, match="invited twice"):
        MaskingRoster(TERMS, {**KEYS, 5: KEYS[1]})


def test_a_key_that_the_server_has_too_is_refused() -> None:
    """Whoever verifies a MAC could have made it: the server would confirm in the name of its clients."""
    shared = MacKey("session-1", bytes(32))
    keys: dict[int, EnrolledKey] = {**KEYS, 5: shared}
    with pytest.raises(MaskingTermsError, match="a signature key, not one of hmac-sha256"):
        MaskingRoster(TERMS, keys)
    with pytest.raises(MaskingTermsError, match="a signature key, not one of hmac-sha256"):
        MaskingClient.join(TERMS, roster(TERMS), 1).advertise(shared)


def test_a_client_signs_with_its_own_key() -> None:
    client = MaskingClient.join(TERMS, roster(TERMS), 1)
    with pytest.raises(MaskingTermsError, match="not the key under which client 1 is invited"):
        client.advertise(key(2))


def test_who_is_not_invited_cannot_join() -> None:
    invited = MaskingRoster(TERMS, {index: KEYS[index] for index in (1, 2, 4, 5)})
    with pytest.raises(MaskingTermsError, match="client 3 is not invited"):
        MaskingClient.join(TERMS, invited, 3)
    with pytest.raises(MaskingRefused, match="client 3 is not invited"):
        invited.verify(3, b"", b"", "anything")
