"""Results are published: what stands in them names no folder of a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.anonymous import without_folders


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/home/bob/lib/liboqs.so cannot be loaded: too short", "liboqs.so cannot be loaded: too short"),
        ("it ended; see '/tmp/run-1/arm.log'", "it ended; see 'arm.log'"),
        ("nothing at /srv", "nothing at srv"),
        ("prefix=/opt/x/y (from /etc/z)", "prefix=y (from z)"),
        ("https://example.org/a/b says and/or 1/2, 5 / 6", "https://example.org/a/b says and/or 1/2, 5 / 6"),
        ("docs/results/run", "docs/results/run"),
        ("no path", "no path"),
    ],
)
def test_of_a_path_its_last_part_is_left(text: str, left: str) -> None:
    assert without_folders(text) == left


@pytest.mark.parametrize("name", ["HOME", "OQS_INSTALL_PATH"])
def test_a_known_folder_may_have_spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    folder = tmp_path / "Bob Smith" / "his files"
    monkeypatch.setenv(name, str(folder))
    assert without_folders(f"{folder}/lib/liboqs.so cannot be loaded") == "liboqs.so cannot be loaded"


def test_the_working_folder_may_have_spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "Bob Smith"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert without_folders(f"no {folder}/run/result.json") == "no result.json"
