"""`secure-api study`: from the analyst's key to the decrypted mean, and every way to get it wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from secure_api.cli.exit_codes import ExitCode
from secure_api.client import ProfileStore
from tests.cli.conftest import Consortium
from tests.cli.program import Program
from tests.cli.test_mpc import enroll

STAYS = {"north": [3.0, 40.0], "south": [5.5, 20.0], "west": [0.5, 90.0]}


@dataclass(frozen=True)
class Clinics:
    """An analyst with a key, and three clinics with a profile each."""

    program: Program
    names: dict[str, str]
    key: Path
    analyst: str

    def create(self, *more: str) -> str:
        invited = ",".join(self.names.values())
        words = ["--dimension", "2", "--low", "0", "--high", "100", "--invite", invited, "-p", self.analyst, *more]
        words += [] if "--method" in more else ["--key", str(self.key)]
        if "--statistic" not in more:
            words += ["--statistic", "mean"]
        return self.program("study", "create", "stay", *words).ok().out.strip()

    def state(self, study: str) -> str:
        return str(json.loads(self.program("study", "status", study, "-p", self.analyst, "--json").ok().out)["state"])


@pytest.fixture(scope="module")
def clinics(consortium: Consortium, unique: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Clinics:
    folder, program = tmp_path_factory.mktemp("clinics"), consortium.program
    names = {name: unique(name) for name in STAYS}
    for name in names.values():
        program("organizations", "create", name).ok()
        enroll(consortium, folder, name, name, "contributor")
    analyst = unique("institute")
    program("organizations", "create", analyst).ok()
    enroll(consortium, folder, analyst, analyst, "analyst")
    key = folder / "analyst.key"
    made = program("study", "key", "--output", str(key), "--no-passphrase", "--decryptions", "3").ok()
    assert len(made.out.strip()) == 64
    assert key.stat().st_mode & 0o777 == 0o600
    return Clinics(program, names, key, analyst)


def test_three_clinics_and_an_analyst(clinics: Clinics, tmp_path: Path) -> None:
    study, program = clinics.create(), clinics.program
    files = {"north": tmp_path / "north.csv", "south": tmp_path / "south.ndjson", "west": tmp_path / "west.npy"}
    files["north"].write_text("ward,days\na,3\nb,40\n")
    files["south"].write_text('{"days": 5.5}\n\n{"days": 20}\n')
    np.save(files["west"], np.array(STAYS["west"]))
    for clinic, file in files.items():
        words = [study, str(file), "-p", clinics.names[clinic], *(["--column", "days"] if clinic != "west" else [])]
        dry = program("study", "contribute", *words, "--dry-run").ok()
        assert "2 values in 131072 encrypted bytes would be sent" in dry.said
        sent = json.loads(program("study", "contribute", *words, "--json").ok().out)
        assert (sent["values"], sent["bytes"], sent["sent"]) == (2, 131_072, True)
        again = program("study", "contribute", *words).failed(ExitCode.CLIENT_ERROR)
        assert "contributed other bytes to the study already" in again.error
    program("study", "close", study, "-p", clinics.analyst).ok()
    while clinics.state(study) not in {"released", "aborted"}:
        pass
    listed = program("study", "list", "-p", clinics.names["north"]).ok().out
    assert f"{study}\tstay\tckks\tmean\treleased" in listed
    assert len(program("study", "result", study, "-p", clinics.analyst).ok().stdout) == 131_072
    decrypted = program("study", "decrypt", study, "--key", str(clinics.key), "-p", clinics.analyst, "--json").ok()
    found = json.loads(decrypted.out)
    assert found["values"] == pytest.approx(np.mean(list(STAYS.values()), axis=0), abs=found["error_bound"])
    assert found["error_bound"] < 1e-4
    assert (found["contributors"], found["decryptions_left"]) == (3, 2)
    refused = program("study", "result", study, "-p", clinics.names["north"]).failed(ExitCode.CLIENT_ERROR)
    assert "for its creator's organization alone" in refused.error


@pytest.mark.parametrize(
    ("name", "content", "words", "said"),
    [
        ("a.csv", b"", [], "is empty"),
        ("a.csv", b"1\n2\n3\n", [], "holds 3 values; a contribution to this study has 2"),
        ("a.csv", b"1\nnan\n", [], "line 2: 'nan' is no number"),
        ("a.csv", b"1\n1e999\n", [], "line 2: '1e999' is no number"),
        ("a.csv", b"a,b\n1,2\n", [], "has 2 columns"),
        ("a.csv", b"a,b\n1,2\n3\n", ["--column", "a"], "line 3 has 1 columns, the first one 2"),
        ("a.csv", b"a,b\n1,2\n", ["--column", "c"], "has no column 'c'; it has a, b"),
        ("a.csv", b"1\n\xff\n", [], "is neither text in UTF-8 nor .npy"),
        ("a.csv", b"1\n" + b"9" * 70_000, [], "line 2 has more than 65536 characters"),
        ("a.csv", b"1\n101\n", [], "every value lies between 0 and 100"),
        ("a.ndjson", b"1\n{\n", [], "line 2 is not JSON"),
        ("a.ndjson", b'{"a": 1}\n', [], "line 1 is an object"),
        ("a.ndjson", b'{"a": 1}\n{"b": 1}\n', ["--column", "a"], "line 2 has no member 'a'"),
        ("a.ndjson", b'"1"\n', [], 'line 1: "1" is no number'),
        ("a.ndjson", b"true\n", [], "line 1: true is no number"),
        ("a.npy", b"\x93NUMPY\x01\x00", [], "cannot be read as .npy"),
    ],
)
def test_a_file_that_is_no_contribution_is_one_line(
    clinics: Clinics, tmp_path: Path, name: str, content: bytes, words: list[str], said: str, open_study: str
) -> None:
    (tmp_path / name).write_bytes(content)
    profile = clinics.names["north"]
    done = clinics.program("study", "contribute", open_study, str(tmp_path / name), "-p", profile, *words)
    assert said in done.failed(done.status).error
    assert done.status in {ExitCode.USAGE, ExitCode.FAILURE, ExitCode.KEY}


@pytest.fixture(scope="module")
def open_study(clinics: Clinics) -> str:
    return clinics.create()


def test_arrays_that_are_no_row_of_numbers(clinics: Clinics, open_study: str, tmp_path: Path) -> None:
    cases = {"two.npy": np.ones((2, 2)), "text.npy": np.array(["a", "b"]), "nan.npy": np.array([1.0, np.nan])}
    for name, array in cases.items():
        np.save(tmp_path / name, array)
    np.save(tmp_path / "pickled.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    for name in (*cases, "pickled.npy"):
        words = [open_study, str(tmp_path / name), "-p", clinics.names["north"]]
        clinics.program("study", "contribute", *words).failed(ExitCode.USAGE)


def test_what_goes_wrong_is_one_line(clinics: Clinics, open_study: str, tmp_path: Path) -> None:
    program, analyst = clinics.program, clinics.analyst
    missing = "00000000-0000-4000-8000-000000000000"
    assert "There is no such study" in program("study", "status", missing, "-p", analyst).failed(4).error
    assert (
        "There is no such study" in program("study", "abort", missing, "--reason", "x", "-p", analyst).failed(4).error
    )
    assert "The study is open." in program("study", "result", open_study, "-p", analyst).failed(4).error
    nowhere = program("study", "decrypt", open_study, "-k", str(tmp_path / "none"), "-p", analyst).failed(7)
    assert "cannot read" in nowhere.error
    (tmp_path / "other.key").write_bytes(b"nothing")
    (tmp_path / "other.key").chmod(0o600)
    other = program("study", "decrypt", open_study, "-k", str(tmp_path / "other.key"), "-p", analyst).failed(7)
    assert "is no analyst's key" in other.error
    assert "there are ckks-8192, bfv-8192" in program("study", "key", "-o", "x", "--parameters", "rsa").failed(2).error
    there = program("study", "key", "-o", str(clinics.key), "--no-passphrase").failed(7)
    assert "is there already" in there.error
    aborted = clinics.create("--statistic", "histogram", "--argument", "bins=4")
    program("study", "abort", aborted, "--reason", "wrong bounds", "-p", analyst).ok()
    shown = program("study", "status", aborted, "-p", analyst).ok().out
    assert "wrong bounds" in shown


def test_three_clinics_and_masks(clinics: Clinics, consortium: Consortium, tmp_path: Path) -> None:
    """Each `contribute` is a process of its own that stays until the sum is there."""
    keyids = []
    for name in clinics.names.values():
        (key,) = ProfileStore(clinics.program.config).get(name).read_keys()
        keyids.append(key.public_key.keyid)
    study = clinics.create("--method", "masked", "--roster", ",".join(keyids))
    folder = {clinic: tmp_path / f"{clinic}.npy" for clinic in STAYS}
    for clinic, path in folder.items():
        np.save(path, np.array(STAYS[clinic]))
    running = [
        subprocess.Popen(
            [
                *[sys.executable, "-m", "secure_api", "study", "contribute", study, str(path)],
                *["-p", clinics.names[clinic], "--config", str(clinics.program.config)],
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for clinic, path in folder.items()
    ]
    try:
        while (
            json.loads(clinics.program("study", "status", study, "-p", clinics.analyst, "--json").ok().out)[
                "contributions"
            ]
            < 3
        ):
            assert all(one.poll() is None for one in running)
        clinics.program("study", "close", study, "-p", clinics.analyst).ok()
        outcomes = [json.loads(one.communicate()[0]) for one in running]
    finally:
        for one in running:
            one.kill()
            one.wait()
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0]["values"] == pytest.approx(np.mean(list(STAYS.values()), axis=0), abs=1e-6)
    shown = json.loads(clinics.program("study", "result", study, "-p", clinics.analyst).ok().out)
    assert shown == outcomes[0]
