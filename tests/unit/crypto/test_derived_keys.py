"""Keys that are derived from the storage key: each purpose its own, by RFC 5869."""

from __future__ import annotations

import hmac

from crypto import StorageKey

KEY = bytes(range(32))


def test_a_derived_key_is_one_block_of_hkdf_expand() -> None:
    expected = hmac.digest(KEY, b"secure-api derived key v1 states\x01", "sha256")
    assert StorageKey(KEY).derive("states") == expected


def test_purposes_and_keys_have_nothing_in_common() -> None:
    derived = {StorageKey(key).derive(purpose) for key in (KEY, KEY[::-1]) for purpose in ("states", "pseudonyms", "")}
    assert len(derived) == 6
    assert KEY not in derived
