"""The revision in a result is that of the sources, and whatever differs from it shows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from experiments import checkout
from experiments.checkout import git_dirty, git_revision
from experiments.environment import collect


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the sources are looked for in."""
    monkeypatch.setattr(checkout, "_SOURCES", tmp_path)
    return tmp_path


def commit(folder: Path) -> str:
    """Make a repository with one commit; returns it."""
    run = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*run, "init", "-q"], check=True)
    (folder / "experiments").mkdir()
    (folder / "experiments" / "known.py").write_text("1")
    (folder / ".gitignore").write_text("*.pyc\n")
    subprocess.run([*run, "add", "."], check=True)
    subprocess.run([*run, "commit", "-qm", "one"], check=True)
    return subprocess.run([*run, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def test_sources_outside_a_checkout_have_no_revision(sources: Path) -> None:
    assert git_revision() is None
    found = collect({})
    assert (found.revision, found.dirty) == (None, None)


def test_the_revision_is_that_of_the_sources_and_changes_show(sources: Path) -> None:
    revision = commit(sources)
    found = collect({})
    assert (found.revision, found.dirty) == (revision, False)
    (sources / "experiments" / "known.py").write_text("2")
    assert collect({}).dirty is True


@pytest.mark.parametrize(
    ("name", "dirty"), [("experiments/suite.py", True), ("experiments/suite.pyc", False), ("notes.txt", False)]
)
def test_a_file_that_git_does_not_know_counts_where_it_could_take_part(sources: Path, name: str, dirty: bool) -> None:
    commit(sources)
    (sources / name).write_text("")
    assert git_dirty() is dirty


def test_a_hook_of_another_repository_changes_nothing(
    sources: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = commit(sources)
    other = tmp_path_factory.mktemp("other")
    (other / "more").write_text("")
    subprocess.run(["git", "-C", str(other), "init", "-q"], check=True)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert (git_revision(), git_dirty()) == (revision, False)


def test_a_checkout_that_git_cannot_read_is_not_called_clean(sources: Path) -> None:
    commit(sources)
    (sources / ".git" / "index").write_bytes(b"broken")
    assert git_dirty() is None
    (sources / ".git" / "HEAD").write_text("nowhere")
    assert git_revision() is None


def test_without_git_there_is_no_revision(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(sources)
    monkeypatch.setenv("PATH", str(sources))
    assert (git_revision(), git_dirty()) == (None, None)
