"""Profiles: what is written is read back, nothing is lost, and what is broken is named in one line."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from crypto import KeyFileError, PassphraseError, PrivateKey, SignatureAlgorithm, write_private_key
from secure_api.client import ClientError, ClientProfile, ProfileMissing, ProfileStore, ProfileUnreadable

KEY = PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(32))
PASSPHRASE = b"correct horse battery"


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    return ProfileStore(tmp_path / "config")


def profile(name: str = "clinic-a", **members: object) -> ClientProfile:
    return replace(ClientProfile(name, "https://api.example", (Path("/keys/a.pem"),)), **members)  # type: ignore[arg-type]


def test_there_are_none_at_first(store: ProfileStore) -> None:
    assert store.load() == {}
    with pytest.raises(ProfileMissing, match=r"no profile clinic-a in .*profiles\.toml \(there: none\)"):
        store.get("clinic-a")


def test_what_is_put_is_got(store: ProfileStore) -> None:
    whole = profile(
        keys=(Path("/keys/pq.pem"), Path("/keys/classic.pem")),
        passphrase_file=Path("/keys/secret"),
        organization="clinic-a",
        role="contributor",
    )
    store.put(whole)
    store.put(profile("lab"))
    assert store.get("clinic-a") == whole
    assert store.get("lab") == profile("lab")
    with pytest.raises(ProfileMissing, match=r"there: clinic-a, lab"):
        store.get("nobody")


@pytest.mark.parametrize("name", ["with space", "dot.ted", 'quo"ted', "ünï", "[table]", "#comment"])
def test_any_name_and_path_survives(store: ProfileStore, name: str) -> None:
    odd = profile(name, keys=(Path('/k "e"\\y/ü.pem'),))
    store.put(odd)
    assert store.load() == {name: odd}


def test_relative_paths_are_relative_to_the_file(store: ProfileStore) -> None:
    store.folder.mkdir()
    store.file.write_text('[a]\nurl = "u"\nkeys = ["keys/a.pem"]\npassphrase_file = "secret"\n')
    assert store.get("a").keys == (store.folder / "keys/a.pem",)
    assert store.get("a").passphrase_file == store.folder / "secret"


def test_comments_and_other_profiles_are_kept(store: ProfileStore) -> None:
    store.folder.mkdir()
    store.file.write_text('# mine\n[old]\nurl = "u"  # why\nkeys = ["/k"]\n')
    store.put(profile())
    store.put(profile(url="https://new.example"))
    text = store.file.read_text()
    assert text.startswith('# mine\n[old]\nurl = "u"  # why\n')
    assert store.get("clinic-a").url == "https://new.example"


def test_what_a_person_wrote_into_a_profile_is_kept(store: ProfileStore) -> None:
    store.folder.mkdir()
    store.file.write_text('[a]  # the first\nurl = "u"  # old\nkeys = ["/k"]\nnote = "mine"\nrole = "analyst"\n')
    store.put(profile("a"))
    text = store.file.read_text()
    assert "[a]  # the first\n" in text
    assert 'note = "mine"' in text
    assert "analyst" not in text
    assert store.get("a") == profile("a")


def test_a_file_that_is_kept_elsewhere_stays_there(store: ProfileStore, tmp_path: Path) -> None:
    store.folder.mkdir()
    (tmp_path / "dotfiles").mkdir()
    store.file.symlink_to(tmp_path / "dotfiles" / "profiles.toml")
    store.put(profile())
    assert store.file.is_symlink()
    assert "clinic-a" in (tmp_path / "dotfiles" / "profiles.toml").read_text()


def test_a_folder_that_cannot_be_written_is_found_before(store: ProfileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.prepare()
    assert store.load() == {}
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with pytest.raises(ClientError, match="read-only"):
        store.prepare()


def test_file_and_folder_are_private(store: ProfileStore) -> None:
    store.put(profile())
    assert stat.S_IMODE(store.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_the_users_own_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_API_CONFIG", str(tmp_path / "named"))
    assert ProfileStore().folder == tmp_path / "named"
    assert ProfileStore(tmp_path / "given").folder == tmp_path / "given"
    monkeypatch.delenv("SECURE_API_CONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert tmp_path in ProfileStore().file.parents


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[a", "cannot be read"),
        ('url = "u"', "url stands outside a profile"),
        ("[a]", "the profile a needs url and keys"),
        ('[a]\nurl = "u"\nkeys = []', "the profile a needs url and keys"),
        ('[a]\nurl = "u"\nkeys = "/k"', "the profile a needs url and keys"),
        ('[a]\nurl = 7\nkeys = ["/k"]', "the profile a needs url and keys"),
        ('[a]\nurl = "u"\nkeys = ["/k", 1]', "has a member that is not text"),
        ('[a]\nurl = "u"\nkeys = ["/k"]\nrole = []', "has a member that is not text"),
        ('[a]\nurl = "u"\nkeys = ["/k\\u0000"]', "has a member that is not text"),
        ('[a]\nurl = "u"\nkeys = ["/k"]\nhome = "\\u0000"', "has a member that is not text"),
        ("a = " + "[" * 5_000, "cannot be read"),
        ("a = " + "9" * 5_000, "cannot be read"),
        ("#" * (1 << 20) + "#", "has more than 1048576 bytes"),
        ('[a]\nurl = "u"\nkeys = ["/k"]\npassphrase_file = 1', "has a member that is not text"),
    ],
)
def test_broken_files_are_named_and_not_touched(store: ProfileStore, text: str, reason: str) -> None:
    store.folder.mkdir()
    store.file.write_text(text)
    with pytest.raises(ProfileUnreadable, match=reason) as caught:
        store.get("a")
    assert str(store.file) in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(ProfileUnreadable):
        store.put(profile())
    assert store.file.read_text() == text


def test_a_file_that_is_not_text_is_named(store: ProfileStore) -> None:
    store.folder.mkdir()
    store.file.write_bytes(b"\xff\xfe")
    with pytest.raises(ProfileUnreadable, match="cannot be read"):
        store.load()


def test_a_folder_in_the_files_place_is_named(store: ProfileStore) -> None:
    store.file.mkdir(parents=True)
    with pytest.raises(ProfileUnreadable, match="cannot be read"):
        store.load()


def test_a_file_in_the_folders_place_is_named(store: ProfileStore) -> None:
    store.folder.write_text("")
    with pytest.raises(ClientError, match="cannot"):
        store.put(profile())


def test_a_failed_write_is_named_and_leaves_the_old_file(store: ProfileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(profile())
    before = store.file.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ClientError, match="No space left on device"):
        store.put(profile("lab"))
    assert store.file.read_bytes() == before
    assert [path.name for path in store.folder.iterdir() if not path.name.endswith(".lock")] == [store.file.name]


def test_processes_that_write_at_once_lose_nothing(store: ProfileStore) -> None:
    script = (
        "import sys; from pathlib import Path; from secure_api.client import ClientProfile, ProfileStore\n"
        "store = ProfileStore(Path(sys.argv[1]))\n"
        "for number in range(10):\n"
        "    store.put(ClientProfile(f'{sys.argv[2]}-{number}', 'https://api.example', (Path('/k'),)))\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(store.folder), name], stdin=subprocess.DEVNULL)
        for name in ("a", "b", "c")
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert set(store.load()) == {f"{name}-{number}" for name in "abc" for number in range(10)}


def test_plain_keys_need_no_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_private_key(tmp_path / "key.pem", KEY, None)
    monkeypatch.setenv("SECURE_API_PASSPHRASE", "not wanted here")
    (key,) = profile(keys=(tmp_path / "key.pem",)).read_keys()
    assert key.keyid == KEY.keyid


def test_where_the_passphrase_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_private_key(tmp_path / "key.pem", KEY, PASSPHRASE)
    secret = tmp_path / "secret"
    secret.write_bytes(PASSPHRASE + b"\n")
    secret.chmod(0o600)
    plain = profile(keys=(tmp_path / "key.pem",))
    with pytest.raises(PassphraseError, match="a passphrase is needed"):
        plain.read_keys()
    assert plain.read_keys(PASSPHRASE)[0].keyid == KEY.keyid
    assert replace(plain, passphrase_file=secret).read_keys()[0].keyid == KEY.keyid
    monkeypatch.setenv("SECURE_API_PASSPHRASE", PASSPHRASE.decode())
    assert plain.read_keys()[0].keyid == KEY.keyid
    monkeypatch.setenv("SECURE_API_PASSPHRASE", "wrong horse battery")
    with pytest.raises(PassphraseError, match="wrong"):
        plain.read_keys()


def test_a_passphrase_that_is_not_utf_8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_private_key(tmp_path / "key.pem", KEY, b"correct \xff battery")
    monkeypatch.setenv("SECURE_API_PASSPHRASE", os.fsdecode(b"correct \xff battery"))
    assert profile(keys=(tmp_path / "key.pem",)).read_keys()[0].keyid == KEY.keyid


def test_keys_and_passphrases_that_others_can_read_are_refused(tmp_path: Path) -> None:
    write_private_key(tmp_path / "key.pem", KEY, PASSPHRASE)
    (tmp_path / "secret").write_bytes(PASSPHRASE)
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(KeyFileError, match="open to other users"):
        profile(keys=(tmp_path / "key.pem",), passphrase_file=tmp_path / "secret").read_keys()
    with pytest.raises(KeyFileError, match="cannot read"):
        profile(keys=(tmp_path / "absent.pem",)).read_keys()
