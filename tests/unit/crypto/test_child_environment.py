from __future__ import annotations

import pytest

from crypto.child_environment import child_environment


def test_a_child_inherits_no_setting_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_API_STORAGE_KEY", "secret")
    monkeypatch.setenv("MPYC_MAXWORKERS", "9")
    monkeypatch.setenv("LANG", "C.UTF-8")
    inherited = child_environment()
    assert inherited["LANG"] == "C.UTF-8"
    assert not {"SECURE_API_STORAGE_KEY", "MPYC_MAXWORKERS"} & set(inherited)
