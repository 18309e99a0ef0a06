"""Printing: nothing that others wrote commands the terminal, and scripts read plain text."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure_api.cli import console

HOSTILE = "a\x1b[2Jb\x07\x9b1m\r\u202ec\ud800"


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_printed_holds_no_control_character(text: str) -> None:
    shown = console.printable(text)
    assert not any(ord(character) < 32 and character not in "\n\t" for character in shown)
    assert not any(0x7F <= ord(character) <= 0x9F or 0xD800 <= ord(character) <= 0xDFFF for character in shown)


def test_plain_text_is_left_alone() -> None:
    assert console.printable("Größe: 7 €\n\t[bold]x[/] 日本") == "Größe: 7 €\n\t[bold]x[/] 日本"


def test_json_stays_the_same_document(capsys: pytest.CaptureFixture[str]) -> None:
    console.put_json({"a": HOSTILE, "ü": [1, None]})
    out = capsys.readouterr().out
    assert json.loads(out) == {"a": HOSTILE, "ü": [1, None]}
    assert console.printable(out) == out


def test_tables_are_tab_separated_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    console.put_table(["a", "b"], [["1", "x\ty\nz"], ["[red]2", HOSTILE]])
    first, second = capsys.readouterr().out.splitlines()
    assert first == "1\tx y z"
    assert second.startswith("[red]2\ta\\u001b[2Jb")


def test_markup_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    console.complain("[bold]no[/bold]", "[link=x]")
    assert capsys.readouterr().err == "error: [bold]no[/bold]\nhint: [link=x]\n"


@pytest.mark.parametrize(("variables", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colors_are_for_terminals_that_want_them(variables: dict[str, str], colored: bool) -> None:
    script = (
        "from secure_api.cli import console\n"
        "console.put_json({'a': [1]}); console.put_table(['column'], [['[red]cell', ]]); console.complain('oh', 'do')\n"
        "console.put_bytes(b'raw \\x1b[2J\\xff\\n')"
    )
    program = (
        "import os, pty, sys\n"
        "os.environ.update(TERM='xterm-256color', COLUMNS='80')\n"
        f"os.environ.update({variables!r})\n"
        f"sys.exit(os.waitstatus_to_exitcode(pty.spawn([sys.executable, '-c', {script!r}])))"
    )
    done = subprocess.run([sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    assert (b"\x1b[" in done.stdout) is colored
    assert (b"\x1b[3" in done.stdout) is colored
    for text in (b"column", b"[red]cell", b"raw \\u001b[2J\\xff"):
        assert text in done.stdout
    assert b"\x1b[2J" not in done.stdout
