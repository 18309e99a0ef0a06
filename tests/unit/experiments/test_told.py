"""Whatever goes wrong in an experiment is one line, and an exit status."""

from __future__ import annotations

import errno
import os

import pytest

from experiments import CheckFailed, DefinitionError, Unavailable
from experiments.commands.told import INSTALL, told
from secure_api.cli.errors import CliError


@pytest.mark.parametrize(
    ("error", "code", "hint"),
    [
        (CheckFailed("so it is"), 1, None),
        (DefinitionError("so it is"), 2, None),
        (Unavailable("so it is"), 1, INSTALL),
        (ModuleNotFoundError("no module", name="scipy.stats"), 1, INSTALL),
    ],
)
def test_an_error_becomes_a_line(error: Exception, code: int, hint: str | None) -> None:
    with pytest.raises(CliError) as caught, told():
        raise error
    assert (caught.value.code, caught.value.hint) == (code, hint)
    assert str(caught.value) in ("so it is", "this needs scipy.stats, which is not installed")


def test_a_full_disk_is_told_with_what_to_do() -> None:
    with pytest.raises(CliError, match="No space left on device") as caught, told():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "journal.jsonl")
    assert "--resume" in str(caught.value.hint)
    with pytest.raises(CliError) as caught, told():
        raise OSError(errno.EACCES, "Permission denied", "journal.jsonl")
    assert caught.value.hint is None


@pytest.mark.parametrize("error", [ModuleNotFoundError("no module", name="experiments.nothing"), ValueError("odd")])
def test_a_defect_stays_a_defect(error: Exception) -> None:
    with pytest.raises(type(error)), told():
        raise error
