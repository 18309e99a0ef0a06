from __future__ import annotations

import httpx
import pytest

from secure_api.cli import mpc
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode


def test_a_server_that_restarts_is_asked_again_and_one_that_refuses_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mpc, "LOOK_SECONDS", 0.0)
    ends = [CliError("no answer", ExitCode.UNREACHABLE)] * 3

    def send() -> httpx.Response:
        if ends:
            raise ends.pop()
        return httpx.Response(200)

    assert mpc._patiently(send).status_code == 200
    ends[:] = [CliError("not you", ExitCode.CLIENT_ERROR)] * 2
    with pytest.raises(CliError, match="not you"):
        mpc._patiently(send)
    assert len(ends) == 1
    ends[:] = [CliError("no answer", ExitCode.UNREACHABLE)] * (mpc.PATIENCE + 2)
    with pytest.raises(CliError, match="no answer"):
        mpc._patiently(send)
    assert len(ends) == 1
