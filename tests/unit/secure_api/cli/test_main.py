"""The program as a whole: help, exit statuses, and one line for whatever goes wrong."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from crypto import PassphraseError, SigningError
from secure_api import __version__
from secure_api.cli import command_group, main
from secure_api.cli.catalog import CATALOG
from secure_api.cli.command import folded
from secure_api.cli.command_group import load
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.client import ProfileMissing
from secure_api.domain.errors import ConfigurationError
from tests.cli.program import Program

PROGRAM = [sys.executable, "-m", "secure_api"]


def test_version(program: Program) -> None:
    assert program("--version").ok().out == f"secure-api {__version__}\n"


def test_the_top_level_help_lists_every_command_in_its_group(program: Program) -> None:
    text = program("--help").ok().out
    assert "believes only signed requests, with post-quantum signatures." in " ".join(text.split())
    assert program("-h").ok().out == text
    for entry in CATALOG:
        assert re.search(rf"│ {entry.name} ", text), entry.name
        assert entry.panel in text
    assert "Try first: secure-api demo" in text


def test_no_argument_is_a_request_for_help(program: Program) -> None:
    for arguments in ((), ("keys",), ("ledger",)):
        outcome = program(*arguments)
        assert outcome.status == ExitCode.USAGE
        assert "Usage: secure-api" in outcome.out
        assert outcome.said == ""


@pytest.mark.parametrize("entry", CATALOG, ids=lambda entry: entry.name)
def test_the_catalog_says_of_a_command_what_it_says_of_itself(entry: object) -> None:
    command = load(entry)  # type: ignore[arg-type]
    assert command.help.splitlines()[0] == entry.help  # type: ignore[attr-defined]


def commands() -> list[list[str]]:
    """Every command that does something."""
    found: list[list[str]] = []
    for entry in CATALOG:
        names = getattr(load(entry), "commands", None)
        found += [[entry.name, name] for name in names] if names else [[entry.name]]
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_help_ends_with_examples_that_parse(program: Program, command: list[str]) -> None:
    text = program(*command, "--help").ok().out
    assert max(map(len, text.splitlines())) <= 80
    examples = re.sub(r" \\\n +", " ", text.partition("\n Examples:\n\n")[2]).rstrip().splitlines()
    assert examples
    assert all(line.startswith("   ") and f"secure-api {' '.join(command)}" in line for line in examples)
    known = text.partition("\n Examples:\n")[0]
    for line in examples:
        own = re.split(r" [|&]+ |\$\(", line[line.index(f"secure-api {' '.join(command)}") :])[0]
        assert [option for option in re.findall(r"(?<!\w)--[a-z-]+", own) if option not in known] == []


def test_examples_are_folded_as_a_shell_reads_them() -> None:
    example = "A='b  c' tool --key 'a b' -x y --flag | other \"d e\" < in # why not"
    for width in range(20, 100):
        lines = folded(example, width)
        assert "\n".join(lines).replace(" \\\n  ", " ") == example
        assert all(len(line) <= width for line in lines)
    assert folded("tool --key 'a b' --token - -x y", 16) == ["tool \\", "  --key 'a b' \\", "  --token - \\", "  -x y"]


def test_help_imports_no_server_and_no_http_client() -> None:
    script = (
        "import sys; from secure_api.cli.main import run; run(['--help'])\n"
        "print([name for name in ('fastapi', 'sqlalchemy', 'httpx', 'crypto', 'uvicorn') if name in sys.modules],"
        " file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["requst"], "No such command 'requst'. Did you mean 'request'?"),
        (["--nonsense"], "No such option: --nonsense"),
        (["request"], "Missing argument 'METHOD'."),
        (["request", "GET", "/"], "Missing option '--profile' / '-p' (env var"),
        (["keys", "generate", "--out", "k", "--algorithm", "rsa"], "Invalid value for '--algorithm' / '-a'"),
        (["serve", "--port", "65536"], "Invalid value for '--port'"),
        (["keys", "nonsense"], "No such command 'nonsense'."),
    ],
)
def test_a_wrong_command_line_is_one_line(program: Program, arguments: list[str], message: str) -> None:
    outcome = program(*arguments)
    assert outcome.failed(ExitCode.USAGE).error.startswith(message)
    assert re.search(r"^hint: see secure-api .*--help$", outcome.said, re.MULTILINE)
    assert outcome.out == ""


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (CliError("so", ExitCode.KEY, "do"), 7, "error: so\nhint: do\n"),
        (CliError("so"), 1, "error: so\n"),
        (PassphraseError("wrong passphrase"), 7, "error: wrong passphrase\n"),
        (SigningError("cannot"), 2, "error: cannot\n"),
        (ProfileMissing("no profile"), 7, "error: no profile\n"),
        (ConfigurationError("weak"), 1, "error: weak\n"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 1, "error: /x: No space left on device\n"),
        (OSError("odd"), 1, "error: odd\n"),
        (KeyboardInterrupt(), 130, ""),
        (typer.Abort(), 130, ""),
        (typer.Exit(3), 3, ""),
    ],
)
def test_what_is_raised_becomes_a_status(
    program: Program, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, message: str
) -> None:
    def fail(_arguments: list[str]) -> ExitCode:
        raise error

    monkeypatch.setattr(main, "_run", fail)
    outcome = program()
    assert (outcome.status, outcome.said) == (status, message)


def test_a_defect_is_called_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_arguments: list[str]) -> ExitCode:
        raise LookupError("oh\x1b[2J")

    monkeypatch.setattr(main, "_run", fail)
    assert main.run([]) == ExitCode.FAILURE
    assert capsys.readouterr().err == (
        "error: a defect of this program: LookupError: oh\\u001b[2J\nhint: set SECURE_API_DEBUG=1 to see where\n"
    )


def test_the_debug_variable_shows_where(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_API_DEBUG", "1")
    with pytest.raises(CliError):
        program("request", "G ET", "/", "--profile", "x")


def test_an_argument_that_is_not_utf_8(program: Program) -> None:
    outcome = program("request", "GET", os.fsdecode(b"/\xff"), "--profile", "x")
    assert outcome.failed(ExitCode.USAGE).error == "argument 3 is not UTF-8: /\\udcff"


def test_an_argument_that_is_not_utf_8_in_a_process() -> None:
    done = subprocess.run([*PROGRAM, "keys", "show", b"\xff.pem"], capture_output=True, check=False)
    assert done.returncode == ExitCode.USAGE
    assert done.stderr.startswith(b"error: argument 3 is not UTF-8")


def test_a_closed_stdout_ends_quietly() -> None:
    for unbuffered in ("", "1"):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            done = subprocess.run(
                [*PROGRAM, "doctor", "--json"],
                stdout=writing,
                stderr=subprocess.PIPE,
                env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
                check=False,
            )
        finally:
            os.close(writing)
        assert (done.returncode, done.stderr) == (ExitCode.NOBODY_READS, b"")


def test_help_into_a_closed_stdout_ends_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run([*PROGRAM, "--help"], stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert b"Traceback" not in done.stderr
    assert done.returncode in {ExitCode.FAILURE, ExitCode.NOBODY_READS}


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_streams_that_are_not_there(tmp_path: Path, closed: str) -> None:
    command = f"'{sys.executable}' -m secure_api keys generate --no-passphrase --out '{tmp_path}/key.pem' {closed}"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False)
    assert (done.returncode, (tmp_path / "key.pem").exists()) == (0, True), done.stderr


def test_completion_names_the_commands() -> None:
    done = subprocess.run(
        PROGRAM,
        env=os.environ | {"_SECURE_API_COMPLETE": "complete_bash", "COMP_WORDS": "secure-api le", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["ledger"], done.stderr


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that contributes commands: a good one, and three that are none."""
    (tmp_path / "contributed.py").write_text(
        "import sys, typer\n"
        "app = typer.Typer(help='Measure things.')\n"
        "@app.command()\n"
        "def run() -> None:\n"
        "    typer.echo('measured')\n"
        "@app.command()\n"
        "def fail() -> None:\n"
        "    raise OSError('not today')\n"
        "notapp = 7\n"
    )
    (tmp_path / "explosive.py").write_text("raise ImportError('no such library')\n")
    metadata = tmp_path / "contributed-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: contributed\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[secure_api.commands]\nmeasure = contributed:app\nbroken = explosive:app\nnumber = contributed:notapp\n"
        "keys = contributed:app\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for cached in (command_group._plugins, command_group._load_plugin):
        cached.cache_clear()
        monkeypatch.setattr(command_group, cached.__name__, cached)


@pytest.mark.usefixtures("plugins")
def test_plug_ins_run_and_broken_ones_are_a_warning(program: Program) -> None:
    assert program("measure", "run").ok().out == "measured\n"
    listing = program("--help").ok()
    assert re.search(r"│ measure +Measure things\.", listing.out)
    assert listing.said.splitlines() == [
        "warning: the command broken cannot be loaded: ImportError: no such library",
        "warning: the command number cannot be loaded: TypeError: contributed:notapp is not a typer.Typer",
    ]
    assert program("broken").failed(ExitCode.USAGE).error.startswith("No such command 'broken'.")
    assert "not today" in program("measure", "fail").failed(ExitCode.FAILURE).error


@pytest.mark.usefixtures("plugins")
def test_plug_ins_are_not_imported_for_other_commands_and_replace_none(program: Program) -> None:
    sys.modules.pop("contributed", None)
    assert "rotate" in program("keys", "--help").ok().out
    assert "contributed" not in sys.modules
