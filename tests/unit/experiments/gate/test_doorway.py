"""The product in this process: shared by the arms of one provider, and untouched by the user's environment."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.providers import oqs_library
from experiments import QUICK, DefinitionError, Setting, Unavailable
from experiments.gate.doorway import HMAC, Doorway
from experiments.gate.doorways import enter, leave
from experiments.gate.part_arms import part_arms, prepare


@pytest.fixture
def no_liboqs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(oqs_library.INSTALL_PATH, str(tmp_path))
    oqs_library.load.cache_clear()
    yield
    oqs_library.load.cache_clear()


def test_arms_share_one_until_the_last_of_them_ends(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    one, two = enter(first, "openssl"), enter(second, "openssl")
    assert one is two
    with pytest.raises(DefinitionError, match="processes of their own"):
        enter(tmp_path, "oqs")
    leave(one)
    assert one.run(one.keeper.find(one.session.session)) is not None
    leave(two)
    too_late = one.keeper.find(one.session.session)
    with pytest.raises(RuntimeError, match="closed"):
        one.run(too_late)
    too_late.close()
    second.mkdir()
    three = enter(second, "openssl")
    assert three is not one
    leave(three)


def test_no_variable_of_the_users_reaches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_API_DATABASE_URL", "postgresql+asyncpg://nobody@192.0.2.1/none")
    monkeypatch.setenv("SECURE_API_SIGNATURE_POLICY", "hybrid")
    door = Doorway(tmp_path, "openssl")
    try:
        assert door.server.database.path == tmp_path / "home" / "secure-api.db"
        assert door.signing_key(HMAC).keyid == door.session.session
    finally:
        door.close()


@pytest.mark.usefixtures("no_liboqs")
def test_without_liboqs_its_arms_are_unavailable_and_nothing_stays_open(tmp_path: Path) -> None:
    setting = Setting(QUICK, tmp_path, random.Random(1))
    with pytest.raises(Unavailable, match="liboqs"):
        prepare("verify", "ml-dsa-65", "oqs", 64, setting)
    (tmp_path / "again").mkdir()
    leave(enter(tmp_path / "again", "openssl"))


def test_arms_of_two_providers_never_share_a_process() -> None:
    assert {(arm.process, arm.factors["provider"]) for arm in part_arms(QUICK)} == {
        ("openssl", "openssl"),
        ("oqs", "oqs"),
    }


def test_an_arm_is_prepared_checked_measured_and_leaves_nothing_open(tmp_path: Path) -> None:
    arm = next(arm for arm in part_arms(QUICK) if arm.name == "nonce ed25519 openssl 1024")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        subject = arm.prepare(Setting(QUICK, tmp_path / name, random.Random(1)))
        subject.check()
        assert subject.measure(3).loops == 3
        subject.close()
    assert (tmp_path / "second" / "home" / "secure-api.db").exists()  # so the first was closed


def test_an_unknown_part_is_no_arm_and_leaves_nothing_open(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        prepare("dreaming", "ed25519", "openssl", 64, Setting(QUICK, tmp_path, random.Random(1)))
    (tmp_path / "again").mkdir()
    leave(enter(tmp_path / "again", "openssl"))
    assert (tmp_path / "again" / "home").exists()
