"""What a lying server of masked studies gets out of its clients: an error, and not one share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from crypto import (
    MaskingError,
    MaskingFormatError,
    MaskingRefused,
    MaskingTermsError,
    PrivateKey,
    SignatureAlgorithm,
    TooFewClients,
    encode_base64url,
)
from crypto.masking import Survivors
from crypto.masking.boxes import Delivery, Sharing
from crypto.masking.messages import Participants
from secure_api.client import ServerUnusable
from tests.attacks.lying_study_server import Deceived, Liar, lie_to_four, standing
from tests.consortium import make_home
from tests.durability.study_members import Crowd
from tests.services.fixtures.process import ProcessRunner
from tests.services.fixtures.secure_api_server import start_secure_api

Truth = Callable[[], bytes]
SETUP, SHARED, ROW = {"advertisement"}, {"advertisement", "sharing"}, {"advertisement", "sharing", "contribution"}


@pytest.fixture(scope="module")
def deceived(
    tmp_path_factory: pytest.TempPathFactory, run_session_process: ProcessRunner, sqlite_template: Path
) -> Iterator[Deceived]:
    """Four hospitals, and a true server."""
    home = make_home(tmp_path_factory.mktemp("lying") / "home", sqlite_template)
    url = f"sqlite+aiosqlite:///{home / 'secure-api.db'}"
    server = start_secure_api(run_session_process, home, url, env={"SECURE_API_STUDY_INTERVAL": "0.1"})
    with ExitStack() as connections:
        yield Deceived.enroll(server, Crowd(connections))


@pytest.mark.parametrize("told_of", ["all confirmations", "their own half's"])
def test_two_halves_that_are_told_of_different_survivors_reveal_nothing(deceived: Deceived, told_of: str) -> None:
    everybody, without_4 = (1, 2, 3, 4), (1, 2, 3)
    halves = {0: everybody, 1: without_4, 2: without_4, 3: everybody}

    def lies(liar: Liar, number: int, method: str, name: str, truth: Truth) -> bytes | None:
        if name == "survivors":
            return Survivors(halves[number]).encode(liar.study.terms)
        if (method, name) == ("PUT", "confirmation"):
            return b""  # taken, whatever it says
        if name == "masking" and liar.all_sent("confirmation"):
            return standing("reveal")
        if name == "confirmations":
            alike = [one for one in halves if halves[one] == halves[number]] if told_of.startswith("their") else halves
            return liar.confirmations(*alike)
        return None

    liar = Liar(lies)
    caught = lie_to_four(deceived, liar)
    # Of client 4, one half would reveal shares of its mask, the other half of its root: both of its secrets.
    expected = TooFewClients if told_of.startswith("their") else MaskingRefused
    assert {type(error) for error in caught} == {expected}, caught
    assert [liar.stages_of(number) for number in range(4)] == [ROW | {"confirmation"}] * 4


def test_a_survivor_that_is_dropped_for_one_client_alone_is_noticed(deceived: Deceived) -> None:
    def lies(liar: Liar, number: int, method: str, name: str, truth: Truth) -> bytes | None:
        if number == 0 and name == "survivors":
            return Survivors((1, 2, 3)).encode(liar.study.terms)
        if number == 0 and (method, name) == ("PUT", "confirmation"):
            return b""
        if name == "masking" and number == 0 and liar.all_sent("confirmation"):
            return standing("reveal")
        if number == 0 and name == "confirmations":
            return liar.confirmations(0, 1, 2)
        return None

    liar = Liar(lies)
    caught = lie_to_four(deceived, liar)
    assert isinstance(caught[0], MaskingRefused), caught
    assert not any("reveal" in liar.stages_of(number) for number in range(4))


def test_other_keys_than_those_of_the_roster_are_noticed_before_anything_is_sent(deceived: Deceived) -> None:
    own = PrivateKey.generate(SignatureAlgorithm.ML_DSA_44).public_key

    def lies(liar: Liar, number: int, method: str, name: str, truth: Truth) -> bytes | None:
        if name != "roster":
            return None
        roster = json.loads(truth())
        roster["keys"][1] = {"algorithm": own.algorithm.value, "public_key": encode_base64url(own.raw)}
        return json.dumps(roster).encode()

    liar = Liar(lies)
    caught = lie_to_four(deceived, liar)
    assert all(isinstance(error, MaskingTermsError) for error in caught), caught
    assert liar.sent == {}


@pytest.mark.parametrize("member", ["shares_key", "pair_key", "commitment"])
def test_swapped_keys_of_a_participant_are_noticed_before_a_share_is_sealed_to_them(
    deceived: Deceived, member: str
) -> None:
    def lies(liar: Liar, number: int, method: str, name: str, truth: Truth) -> bytes | None:
        if name != "participants":
            return None
        listed = list(Participants.decode(truth(), liar.study.terms).advertisements)
        changed = {field: getattr(listed[1], field) for field in listed[1].__dataclass_fields__}
        listed[1] = type(listed[1])(**changed | {member: getattr(listed[2], member)})
        return Participants(tuple(listed)).encode(liar.study.terms)

    liar = Liar(lies)
    caught = lie_to_four(deceived, liar)
    assert any(isinstance(error, MaskingRefused) for error in caught), caught
    assert all(isinstance(error, MaskingError | ServerUnusable) for error in caught), caught
    assert [liar.stages_of(number) for number in range(4)] == [SETUP] * 4


def test_a_participant_that_is_hidden_from_one_client_alone_is_noticed_before_it_contributes(
    deceived: Deceived,
) -> None:
    def lies(liar: Liar, number: int, method: str, name: str, truth: Truth) -> bytes | None:
        terms = liar.study.terms
        if number == 0 and name == "participants":
            return Participants(Participants.decode(truth(), terms).advertisements[:3]).encode(terms)
        if number == 0 and (method, name) == ("PUT", "sharing"):
            return b""  # the true server would tell at once that there is a box too few
        if number == 0 and name == "masking" and liar.all_sent("sharing"):
            return standing("contribution")
        if number == 0 and name == "delivery":
            shared = [Sharing.decode(liar.sent[other, "sharing"], terms) for other in (1, 2)]
            return Delivery(1, tuple(sharing.box_for(1) for sharing in shared)).encode(terms)
        return None

    liar = Liar(lies)
    caught = lie_to_four(deceived, liar)
    assert isinstance(caught[0], MaskingRefused), caught
    assert [liar.stages_of(number) for number in range(4)] == [SHARED] * 4


def test_another_studys_messages_are_that_studys(deceived: Deceived) -> None:
    """The server hands the participants of one study out in another: whoever replays them gets no boxes."""

    def lies(liar: Liar, number: int, method: str, name: str, truth: Truth) -> bytes | None:
        if name != "participants":
            return None
        content = bytearray(truth())
        content[6:38] = bytes(32)  # the digest of other terms, as in any message of another study
        return bytes(content)

    liar = Liar(lies)
    caught = lie_to_four(deceived, liar)
    assert any(isinstance(error, MaskingFormatError) and "another study" in str(error) for error in caught), caught
    assert [liar.stages_of(number) for number in range(4)] == [SETUP] * 4


def test_another_studys_description_is_not_taken_for_the_one_that_was_asked_for(deceived: Deceived) -> None:
    def lies(liar: Liar, number: int, method: str, name: str, truth: Truth) -> bytes | None:
        if name == liar.study.terms.study:
            return json.dumps(json.loads(truth()) | {"id": liar.other}).encode()
        return None

    liar = Liar(lies)
    caught = lie_to_four(deceived, liar)
    assert all("describes another study" in str(error) for error in caught), caught
    assert liar.sent == {}
