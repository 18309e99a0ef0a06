"""The README's demo is what the demo prints, and the pages' commands and Python are what the program takes."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def masked(text: str) -> list[str]:
    """Lines without what differs from run to run and from machine to machine: figures, keyids, the provider."""
    for pattern, name in (
        (r"ml-dsa-65 \S+", "ml-dsa-65 KEYID"),
        (r"ML-DSA-65, [a-z+]+", "PROVIDER"),
        (r"B [0-9a-f]{12}\.\.\.", "B CIPHERTEXT"),
        (r"[\d.,]+", "N"),
    ):
        text = re.sub(pattern, name, text)
    return [line.rstrip() for line in text.splitlines()]


def commands() -> list[tuple[str, str]]:
    """Every `$ secure-api ...` of the pages, with its continuation lines."""
    found = []
    for page in PAGES:
        text = page.read_text().replace("\\\n", " ")
        found += [(page.name, line) for line in re.findall(r"^\$ (secure-api .*)$", text, re.MULTILINE)]
    return found


def test_the_readme_shows_what_the_demo_prints() -> None:
    shown = (ROOT / "README.md").read_text().partition("$ make demo\n")[2].partition("$ make test\n")[0]
    done = subprocess.run(
        [sys.executable, "-m", "secure_api", "demo"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert masked(done.stdout) == masked(shown)
    assert len(done.stdout.splitlines()) <= 32
    assert max(map(len, done.stdout.splitlines())) <= 100


def described(path: list[str]) -> subprocess.CompletedProcess[str]:
    """What `--help` says of a command."""
    return subprocess.run(
        [sys.executable, "-m", "secure_api", *path, "--help"],
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "200", "NO_COLOR": "1", "PATH": "", "TERM": "dumb"},
    )


@pytest.mark.parametrize(("page", "line"), commands())
def test_every_command_of_the_pages_exists_with_its_options(page: str, line: str) -> None:
    words = shlex.split(line)[1:]
    path = [word for word in words if re.fullmatch(r"[a-z]+", word)][:2]
    done = described(path)
    if done.returncode != 0 or "COMMAND" in done.stdout.split("Options")[0]:
        done = described(path[:1])
    assert done.returncode == 0, f"{page}: {line}\n{done.stderr}"
    for option in (word for word in words if word.startswith("--")):
        assert option in done.stdout, f"{page}: {line} has no {option}"


def test_the_python_of_the_pages_compiles_and_its_imports_exist() -> None:
    blocks = [
        (page.name, block)
        for page in PAGES
        for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    assert blocks
    for name, block in blocks:
        code = compile(block, name, "exec")
        imports = "\n".join(line for line in block.splitlines() if re.match(r"(from|import) ", line))
        exec(compile(imports, name, "exec"), {})
        assert code.co_names


def test_every_link_between_the_pages_leads_somewhere() -> None:
    for page in [*PAGES, *(ROOT / "docs" / "decisions").glob("*.md"), ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
