"""Organizations, tokens, clients and their keys, from the operator's first command to a revoked key."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto import read_private_key
from secure_api.client import ProfileStore
from tests.cli.conftest import Consortium
from tests.cli.program import Outcome, Program

Unique = Callable[[str], str]
PASSPHRASE = "correct horse battery"


@pytest.fixture
def program(consortium: Consortium) -> Program:
    """The program in front of the shared server."""
    return consortium.program


def key_file(program: Program, path: Path, algorithm: str = "ed25519", *words: str | Path) -> str:
    """Make a key; gives its keyid."""
    return program("keys", "generate", "-a", algorithm, "-o", path, *(words or ("--no-passphrase",))).ok().out.strip()


def enroll(consortium: Consortium, profile: str, token: str, keys: Sequence[Path], *words: str | Path) -> Outcome:
    """Enroll as a profile."""
    options = [word for key in keys for word in ("--key", key)]
    return consortium.program(
        "enroll", "--url", consortium.url, "--token", token, "--profile", profile, *options, *words
    )


def test_organizations(program: Program, unique: Unique) -> None:
    name = unique("org")
    made = program("organizations", "create", name).ok()
    assert f"--organization {name}" in made.said
    listed = [line.split("\t") for line in program("organizations", "list").ok().out.splitlines()]
    assert [name, made.out.strip()] in [row[:2] for row in listed]
    other = program("organizations", "create", unique("org"), "--json").ok().json()
    assert other in program("organizations", "list", "--json").ok().json()
    program("organizations", "create", name).failed(4, "409")
    program("organizations", "create", "not a name").failed(4, "422", "/name")
    program("organizations", "create", unique("org"), "--profile", "clinic").failed(4, "403")
    program("organizations", "list", "--profile", "nobody").failed(7, "no profile nobody", "admin")


@pytest.mark.parametrize(("given", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604_800), ("60", 60)])
def test_tokens_last_as_long_as_they_are_told_to(program: Program, given: str, seconds: int) -> None:
    words = ("--organization", "clinic", "--role", "analyst", "--expires-in", given, "--json")
    before = datetime.now(UTC)
    issued = program("tokens", "create", *words).ok().json()
    lasts = (datetime.fromisoformat(issued["expires"]) - before).total_seconds()
    assert seconds - 1 <= lasts <= seconds + 60
    assert (issued["organization"], issued["role"]) == ("clinic", "analyst")


def test_a_token_is_data_and_the_rest_is_talk(program: Program) -> None:
    done = program("tokens", "create", "--organization", "clinic", "--role", "auditor").ok()
    assert done.out.startswith("sat_")
    assert len(done.out.splitlines()) == 1
    assert "secure-api enroll" in done.said
    assert done.out.strip() not in done.said


@pytest.mark.parametrize("given", ["", "soon", "-5", "1.5h", "9" * 40, "10w", "٣s"])
def test_what_is_no_duration(program: Program, given: str) -> None:
    program("tokens", "create", "-O", "clinic", "-r", "analyst", "--expires-in", given).failed(2, "duration", "7d")


def test_what_the_server_refuses_of_a_token(program: Program) -> None:
    program("tokens", "create", "-O", "clinic", "-r", "analyst", "--expires-in", "0s").failed(4, "/expires_in")
    program("tokens", "create", "-O", "nowhere", "-r", "analyst").failed(4, "404")
    program("tokens", "create", "-O", "clinic", "-r", "emperor").failed(2, "--role")


def test_enrollment(consortium: Consortium, program: Program, tmp_path: Path, unique: Unique, token: str) -> None:
    profile, keyid = unique("profile"), key_file(program, tmp_path / "key.pem", "ml-dsa-44")
    done = enroll(consortium, profile, token, [tmp_path / "key.pem"], "--name", "ward-3b", "--json").ok()
    assert done.json()["keys"] == [{"keyid": keyid, "algorithm": "ml-dsa-44", "status": "active"}]
    stored = ProfileStore(program.config).get(profile)
    assert (stored.url, stored.organization, stored.role) == (consortium.url, "clinic", "analyst")
    assert stored.keys == (tmp_path / "key.pem",)
    assert stat.S_IMODE((program.config / "profiles.toml").stat().st_mode) == 0o600
    assert program("request", "GET", "/v1/clients/me", "-p", profile).ok().json()["role"] == "analyst"
    listed = program("keys", "list", "-p", profile).ok().out
    assert listed == f"{keyid}\tml-dsa-44\tactive\n"


def test_a_token_works_once(consortium: Consortium, tmp_path: Path, unique: Unique, token: str) -> None:
    for name in ("first.pem", "second.pem"):
        key_file(consortium.program, tmp_path / name)
    enroll(consortium, unique("profile"), token, [tmp_path / "first.pem"]).ok()
    refused = unique("profile")
    enroll(consortium, refused, token, [tmp_path / "second.pem"]).failed(4, "401", "request ", "is the token spent")
    assert refused not in ProfileStore(consortium.program.config).load()


def test_a_token_comes_by_stdin_or_environment(
    consortium: Consortium, program: Program, tmp_path: Path, unique: Unique, token: str
) -> None:
    key_file(program, tmp_path / "key.pem")
    words = ("enroll", "--url", consortium.url, "--key", tmp_path / "key.pem", "--profile", unique("profile"))
    program(*words).failed(2, "token is needed", "SECURE_API_TOKEN")
    program(*words, "--token", "-").failed(2, "token is needed")
    program.spawn(*words, "--token", "-", stdin=token.encode() + b"\n").ok()
    another = program("tokens", "create", "-O", "clinic", "-r", "analyst").ok().out.strip()
    key_file(program, tmp_path / "other.pem")
    words = ("enroll", "--url", consortium.url, "--key", tmp_path / "other.pem", "--profile", unique("profile"))
    program(*words, env={"SECURE_API_TOKEN": another}).ok()


def test_a_profile_is_not_replaced_unasked_nor_a_token_spent(
    consortium: Consortium, tmp_path: Path, unique: Unique, token: str
) -> None:
    key_file(consortium.program, tmp_path / "key.pem")
    enroll(consortium, "clinic", token, [tmp_path / "key.pem"]).failed(7, "there is a profile clinic", "--force")
    enroll(consortium, " ", token, [tmp_path / "key.pem"]).failed(2, "name")
    enroll(consortium, unique("profile"), token, [tmp_path / "absent.pem"]).failed(7, "absent.pem")
    enroll(consortium, unique("profile"), token, [tmp_path / "key.pem"], "--name", "no name!").failed(4, "/name")
    enroll(consortium, unique("profile"), token, [tmp_path / "key.pem"]).ok()


def test_a_config_folder_that_cannot_be_written_spends_no_token(
    consortium: Consortium, tmp_path: Path, unique: Unique, token: str
) -> None:
    key_file(consortium.program, tmp_path / "key.pem")
    for obstacle in (tmp_path / "deep" / "profiles.toml", tmp_path / "locked" / ".profiles.toml.lock"):
        obstacle.mkdir(parents=True)
        config = ("--config", obstacle.parent)
        enroll(consortium, unique("profile"), token, [tmp_path / "key.pem"], *config).failed(7)
    enroll(consortium, unique("profile"), token, [tmp_path / "key.pem"]).ok()


def test_the_same_key_is_no_second_client(consortium: Consortium, tmp_path: Path, unique: Unique, token: str) -> None:
    profile = unique("profile")
    key_file(consortium.program, tmp_path / "key.pem")
    enroll(consortium, profile, token, [tmp_path / "key.pem"]).ok()
    another = consortium.program("tokens", "create", "-O", "clinic", "-r", "analyst").ok().out.strip()
    assert enroll(consortium, unique("profile"), another, [tmp_path / "key.pem"]).status == 4
    words = ("--existing", "--url", consortium.url, "--key", tmp_path / "key.pem", "--profile", profile)
    consortium.program("enroll", *words, "--config", tmp_path / "elsewhere").ok()
    assert ProfileStore(tmp_path / "elsewhere").get(profile).role == "analyst"


def test_a_hybrid_client_with_a_passphrase(
    consortium: Consortium, program: Program, tmp_path: Path, unique: Unique, token: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(PASSPHRASE)
    secret.chmod(0o600)
    keys = [tmp_path / "pq.pem", tmp_path / "classic.pem"]
    keyids = {
        key_file(program, path, algorithm, "--passphrase-file", secret)
        for path, algorithm in zip(keys, ("ml-dsa-65", "ed25519"), strict=True)
    }
    profile = unique("profile")
    enroll(consortium, profile, token, keys).failed(7, "is encrypted")
    enroll(consortium, profile, token, keys, "--passphrase-file", secret).ok()
    done = program("request", "GET", "/v1/clients/me", "-p", profile, "--verbose").ok()
    assert {key["keyid"] for key in done.json()["keys"]} == keyids
    assert "signed as sig1" in done.said
    assert "signed as sig2" in done.said


def test_clients_are_listed_for_admins(consortium: Consortium, program: Program) -> None:
    rows = [line.split("\t") for line in program("clients", "list").ok().out.splitlines()]
    assert [row[1:3] for row in rows] == [["admin", "admin"]]
    assert rows[0][4:] == ["ml-dsa-65", "active"]
    (client,) = program("clients", "list", "--json").ok().json()
    assert client["id"] == rows[0][0]
    program("clients", "list", "--profile", "auditor").failed(4, "403")


def test_rotation_from_one_key_to_two_and_revocation(
    consortium: Consortium, program: Program, tmp_path: Path, unique: Unique, token: str
) -> None:
    profile = unique("profile")
    old = key_file(program, tmp_path / "old.pem")
    enroll(consortium, profile, token, [tmp_path / "old.pem"]).ok()
    new = [key_file(program, tmp_path / "pq.pem", "ml-dsa-87"), key_file(program, tmp_path / "classic.pem")]
    options = ("--key", tmp_path / "pq.pem", "--key", tmp_path / "classic.pem")
    assert program("keys", "rotate", "-p", profile, "--key", tmp_path / "old.pem").status in {2, 4}
    done = program("keys", "rotate", "-p", profile, *options).ok()
    assert [keyid for keyid in new if keyid not in done.said] == []
    assert ProfileStore(program.config).get(profile).keys == (tmp_path / "pq.pem", tmp_path / "classic.pem")
    status = {key["keyid"]: key["status"] for key in program("keys", "list", "-p", profile, "--json").ok().json()}
    assert status == {old: "rotated", new[0]: "active", new[1]: "active"}
    old_profile = ("--existing", "--url", consortium.url, "--key", tmp_path / "old.pem", "--profile", unique("profile"))
    program("enroll", *old_profile).failed(4, "401")
    program("keys", "revoke", new[0], "-p", profile).failed(2, "--yes")
    assert program("keys", "revoke", new[0], "-p", profile, "--yes", "--json").ok().json()["status"] == "revoked"
    program("request", "GET", "/v1/clients/me", "-p", profile).failed(4, "401")


def test_a_keyid_may_begin_with_a_hyphen(program: Program) -> None:
    for keyid in ("-T" + "x" * 41, "-p" + "y" * 41, "--" + "z" * 41):
        program("keys", "revoke", keyid, "-p", "admin").failed(4, "404")
        program("keys", "revoke", "-p", "admin", "--", keyid).failed(4, "404")
    program("keys", "revoke", "--nonsense", "-p", "admin").failed(2, "No such option")


def test_revocation_knows_its_limits(program: Program, tmp_path: Path, unique: Unique) -> None:
    stranger = key_file(program, tmp_path / "stranger.pem")
    program("keys", "revoke", stranger, "-p", "admin").failed(4, "404")
    program("keys", "revoke", "not/a keyid?", "-p", "admin").failed(4)
    own = read_private_key(ProfileStore(program.config).get("clinic").keys[0], None).keyid
    program("keys", "revoke", own, "-p", "auditor").failed(4)
    program("keys", "list", "-p", "clinic").ok()
