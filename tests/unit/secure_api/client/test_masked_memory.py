"""What is kept of a masked study: whose it is, that it is whole, and that it is gone when the study is over."""

from __future__ import annotations

import hmac
import os
import shutil
from pathlib import Path

import pytest

from crypto import MaskingClient, PrivateKey, SignatureAlgorithm, StorageKey
from secure_api.client.errors import MaskedMemoryUnusable
from secure_api.client.masked_memory import LABEL, MaskedRecord, hold
from tests.unit.crypto.masking.consortium import roster, terms

KEY = PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(32))
TERMS = terms(3)
ROSTER = roster(TERMS)


@pytest.fixture
def kept(tmp_path: Path) -> bytes:
    """The state of a client that is kept in `tmp_path`."""
    client = MaskingClient.join(TERMS, ROSTER, 1)
    with hold("study", KEY, tmp_path) as record:
        record.pinned = b"p" * 32
        record.keep(client, b"message")
    return client.to_bytes()


def file_of(folder: Path) -> Path:
    (found,) = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return found


def test_what_was_kept_is_there_again_encrypted_and_for_its_owner_alone(tmp_path: Path, kept: bytes) -> None:
    with hold("study", KEY, tmp_path) as record:
        assert (record.message, record.pinned, record.over) == (b"message", b"p" * 32, False)
        client = record.client(ROSTER)
        assert client is not None
        assert client.to_bytes() == kept
    file = file_of(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    secret = kept[-200:-100]
    assert secret not in file.read_bytes()
    assert "study" not in file.name


@pytest.mark.parametrize("place", [0, 20, 60, -1])
def test_a_changed_byte_is_noticed(tmp_path: Path, kept: bytes, place: int) -> None:
    content = bytearray(file_of(tmp_path).read_bytes())
    content[place] ^= 1
    file_of(tmp_path).write_bytes(content)
    with pytest.raises(MaskedMemoryUnusable, match="damaged"), hold("study", KEY, tmp_path):
        pass


def test_a_truncated_file_and_one_that_others_may_read_are_refused(tmp_path: Path, kept: bytes) -> None:
    file = file_of(tmp_path)
    file.chmod(0o640)
    with pytest.raises(MaskedMemoryUnusable, match="chmod 600"), hold("study", KEY, tmp_path):
        pass
    file.chmod(0o600)
    os.truncate(file, 10)
    with pytest.raises(MaskedMemoryUnusable, match="does not begin again"), hold("study", KEY, tmp_path):
        pass


def test_the_state_of_one_study_is_not_that_of_another(tmp_path: Path, kept: bytes) -> None:
    before = file_of(tmp_path)
    with hold("other", KEY, tmp_path) as record:
        assert record.client(ROSTER) is None
        record.keep(MaskingClient.join(TERMS, ROSTER, 1))
    (other,) = [path for path in tmp_path.iterdir() if not path.name.startswith(".") and path != before]
    other.write_bytes(before.read_bytes())
    with pytest.raises(MaskedMemoryUnusable, match="damaged"), hold("other", KEY, tmp_path):
        pass


def test_two_processes_do_not_take_part_at_once(tmp_path: Path) -> None:
    with (
        hold("study", KEY, tmp_path),
        pytest.raises(MaskedMemoryUnusable, match="another process"),
        hold("study", KEY, tmp_path),
    ):
        pass


def test_secrets_are_overwritten_in_the_file_that_held_them(tmp_path: Path, kept: bytes) -> None:
    with file_of(tmp_path).open("rb") as before:
        length = len(before.read())
        with hold("study", KEY, tmp_path) as record:
            record.end()
        before.seek(0)
        assert before.read() == bytes(length), "the file that was replaced"
    with hold("study", KEY, tmp_path) as record:
        assert record.over
        assert record.client(ROSTER) is None
    assert file_of(tmp_path).stat().st_size < 100


def test_a_state_of_other_secrets_than_a_client_has_is_refused(tmp_path: Path, kept: bytes) -> None:
    with hold("study", KEY, tmp_path) as record:
        record.state = record.state[:-1]
        with pytest.raises(MaskedMemoryUnusable, match="cannot be gone on from"):
            record.client(ROSTER)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MaskedMemoryUnusable, match="cannot write"), hold("study", KEY, tmp_path / "file" / "folder"):
        pass


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with hold("study", KEY, None) as record:
        assert isinstance(record, MaskedRecord)
        record.keep(MaskingClient.join(TERMS, ROSTER, 1))
        record.end()
    assert list(tmp_path.iterdir()) == []


def test_the_key_that_files_are_encrypted_under_is_hkdf_of_the_private_keys_seed(tmp_path: Path, kept: bytes) -> None:
    # RFC 5869 by hand: extract with a salt of zeros, expand one block under the label as info.
    pseudorandom = hmac.digest(bytes(32), KEY.seed, "sha256")
    expected = hmac.digest(pseudorandom, LABEL.encode() + b"\x01", "sha256")
    plain = StorageKey(expected).decrypt(file_of(tmp_path).read_bytes(), f"{LABEL}\nstudy")
    assert plain.endswith(kept)


def test_a_folder_that_is_gone_meanwhile_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    with hold("study", KEY, tmp_path / "folder") as record:
        shutil.rmtree(tmp_path / "folder")
        with pytest.raises(MaskedMemoryUnusable, match="cannot write"):
            record.keep(MaskingClient.join(TERMS, ROSTER, 1))


def test_a_file_of_another_version_is_refused(tmp_path: Path, kept: bytes) -> None:
    file_of(tmp_path).write_bytes(StorageKey.under(KEY, LABEL).encrypt(b"SAMR\x02", f"{LABEL}\nstudy"))
    with pytest.raises(MaskedMemoryUnusable, match="another version"), hold("study", KEY, tmp_path):
        pass
