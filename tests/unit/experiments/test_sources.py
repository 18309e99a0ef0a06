"""A run knows the sources that it was measured with."""

from __future__ import annotations

from pathlib import Path

from experiments.sources import digest


def test_the_digest_depends_on_every_file(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("1")
    two.write_text("2")
    digests = [digest(), digest([one]), digest([one, two])]
    assert digest([two, one]) == digests[2]
    one.write_text("3")
    digests += [digest([one]), digest([one, two])]
    assert len(set(digests)) == 5
