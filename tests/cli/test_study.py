"""`secure-api study`: from the analyst's key to the decrypted mean, and every way to get it wrong."""

from __future__ import annotations

import json
import os
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
    made = program("study", "key", "--output", str(key), "--no-passphrase", "--decryptions", "9").ok()
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
        assert f"contributed other bytes to the study already: SHA-256 {sent['sha256']}" in again.error
    program("study", "close", study, "-p", clinics.analyst).ok()
    while clinics.state(study) not in {"released", "aborted"}:
        pass
    listed = program("study", "list", "-p", clinics.names["north"]).ok().out
    assert f"{study}\tstay\tckks\tmean\treleased" in listed
    assert len(program("study", "result", study, "-p", clinics.analyst).ok().stdout) == 131_072
    other = str(tmp_path / "other.key")
    program("study", "key", "--output", other, "--no-passphrase", "--decryptions", "1").ok()
    for _ in range(2):  # the wrong key loses none of its decryptions
        wrong = program("study", "decrypt", study, "--key", other, "-p", clinics.analyst).failed(ExitCode.FAILURE)
        assert "the study is for another key" in wrong.error
    decrypted = program("study", "decrypt", study, "--key", str(clinics.key), "-p", clinics.analyst, "--json").ok()
    found = json.loads(decrypted.out)
    assert found["values"] == pytest.approx(np.mean(list(STAYS.values()), axis=0), abs=found["error_bound"])
    assert found["error_bound"] < 1e-4
    assert found["contributors"] == 3
    assert found["decryptions_left"] <= 8
    refused = program("study", "result", study, "-p", clinics.names["north"]).failed(ExitCode.CLIENT_ERROR)
    assert "for its creator's organization alone" in refused.error


def test_a_private_mean_is_paid_from_a_budget(clinics: Clinics, consortium: Consortium, tmp_path: Path) -> None:
    program, analyst = clinics.program, clinics.analyst
    admin = f"{analyst}-admin"
    enroll(consortium, tmp_path, admin, analyst, "admin")
    program("request", "POST", "/v1/datasets", "-j", '{"name": "stays"}', "-p", admin).ok()
    program("study", "budget", "stays", "-p", admin).failed(ExitCode.CLIENT_ERROR, "has no privacy budget")
    program("study", "budget", "stays", "--epsilon", "1.2", "-p", analyst).failed(ExitCode.CLIENT_ERROR)
    set_ = program("study", "budget", "stays", "--epsilon", "1.2", "-p", admin).ok()
    assert "epsilon 0 of 1.2 spent, at a delta of 1e-06" in set_.said
    words = ["--epsilon", "1", "--sensitivity", "0.5", "--dataset", "stays"]
    study = clinics.create(*words)
    for clinic, values in STAYS.items():
        (tmp_path / "stays.csv").write_text("\n".join(map(str, values)))
        sent = program("study", "contribute", study, str(tmp_path / "stays.csv"), "-p", clinics.names[clinic]).ok()
        assert "is sent: epsilon 1, delta 1e-06, for what moves it by 0.5 at most" in sent.said
    program("study", "close", study, "-p", analyst).ok()
    while clinics.state(study) not in {"released", "aborted"}:
        pass
    decrypt = ["study", "decrypt", study, "--key", str(clinics.key), "-p", analyst]
    found = json.loads(program(*decrypt, "--json").ok().out)
    assert 0.5 < found["noise"] < 1.5
    wrong = np.abs(np.array(found["values"]) - np.mean(list(STAYS.values()), axis=0)).max()
    assert 0 < wrong < 10 * found["noise"]
    assert "and noise of standard deviation" in program(*decrypt).ok().said
    seen = program("study", "budget", "stays", "-p", analyst).ok()
    assert f"{study}\tstay\treleased" in seen.out
    assert "of 1.2 spent" in seen.said
    assert program("study", "budget", "stays", "-p", analyst, "--json").ok().json()["spent"] > 0.99
    again = ["--dimension", "2", "--low", "0", "--high", "100", "--invite", ",".join(clinics.names.values())]
    again += ["--statistic", "mean", "--key", str(clinics.key), "-p", analyst, *words]
    refused = program("study", "create", "stay", *again).failed(ExitCode.CLIENT_ERROR)
    assert "The budget of stays is an epsilon of 1.2" in refused.said


def test_three_clinics_score_their_patients_together(clinics: Clinics, tmp_path: Path) -> None:
    """Each clinic knows other columns of the same two patients."""
    program, (north, south, west) = clinics.program, clinics.names.values()
    (tmp_path / "model.json").write_text(
        json.dumps({"weights": {north: [1, 0.5], south: [-0.25], west: [2]}, "intercept": 10})
    )
    study = clinics.create("--statistic", "linear-score", "--model", str(tmp_path / "model.json"))
    content = {north: "age,stay\n40,3\n60,40\n", south: "score\n8\n100\n", west: "pulse\n61\n0\n"}
    columns = {north: "age,stay", south: "score", west: "pulse"}
    for clinic, text in content.items():
        (tmp_path / "columns.csv").write_text(text)
        words = [study, str(tmp_path / "columns.csv"), "-p", clinic]
        if clinic == north:
            wrong = program("study", "contribute", *words, "--column", "age").failed(ExitCode.KEY)
            assert f"the model weighs 2 columns of {north}" in wrong.error
        program("study", "contribute", *words, "--column", columns[clinic]).ok()
    program("study", "close", study, "-p", clinics.analyst).ok()
    while clinics.state(study) not in {"released", "aborted"}:
        pass
    words = ["--key", str(clinics.key), "-p", clinics.analyst, "--json"]
    found = json.loads(program("study", "decrypt", study, *words).ok().out)
    assert found["values"] == pytest.approx([171.5, 65.0], abs=found["error_bound"])
    assert found["error_bound"] < 1e-3


def npy(shape: str) -> bytes:
    """Give a .npy file of two zeros, whose header may say something else."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(16)


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
        ("a.csv", b"1\n101\n", [], "every value lies between 0 and 100, and value 2 is 101.0"),
        ("a.csv", b"nan\n1\n2\n", [], "line 1: 'nan' is no number"),
        ("a.csv", b"1e999\n1\n2\n", [], "line 1: '1e999' is no number"),
        ("a.csv", b"\n\n1\n\n2\n3\n", [], "holds 3 values"),
        ("a.csv", b"1\n1_0\n", [], "line 2: '1_0' is no number"),
        ("a.csv", "1\n\uff12\n".encode(), [], "is no number"),
        ("a.csv", b"a,a\n1,2\n3,4\n", ["--column", "a"], "has two columns 'a'"),
        ("a.ndjson", b'{"a": 1, "a": 2}\n', ["--column", "a"], "line 1 is not JSON"),
        ("a.ndjson", b"1\n{\n", [], "line 2 is not JSON"),
        ("a.ndjson", b'{"a": 1}\n', [], "line 1 is an object"),
        ("a.ndjson", b'{"a": 1}\n{"b": 1}\n', ["--column", "a"], "line 2 has no member 'a'"),
        ("a.ndjson", b'"1"\n', [], 'line 1: "1" is no number'),
        ("a.ndjson", b"true\n", [], "line 1: true is no number"),
        ("a.npy", b"\x93NUMPY\x01\x00", [], "cannot be read as .npy"),
        ("a.npy", npy("(100000000000,)"), [], "cannot be read as .npy"),
        ("a.npy", npy("(99999999999999999999999999,)"), [], "cannot be read as .npy"),
        ("a.npy", npy("(-2,)"), [], "cannot be read as .npy"),
        ("a.npy", npy("(" * 3_000), [], "cannot be read as .npy"),
        ("a.npy", npy("(2,)"), ["--column", "a"], "leave --column out"),
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


def test_a_pipe_is_refused_before_it_is_waited_for(clinics: Clinics, open_study: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    words = [open_study, str(tmp_path / "pipe"), "-p", clinics.names["north"]]
    assert "no regular file" in clinics.program("study", "contribute", *words).failed(ExitCode.USAGE).error


def test_a_deadline_beyond_the_calendar_is_a_usage_error(clinics: Clinics) -> None:
    words = ["--statistic", "sum", "--dimension", "1", "--low", "0", "--high", "1", "--invite", "x", "--method", "mpc"]
    for days in ("inf", "nan", "1e300"):
        clinics.program("study", "create", "x", *words, "--days", days, "-p", clinics.analyst).failed(ExitCode.USAGE)


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
    words = ["--roster", ",".join(keyids), "--parameter", "stage_seconds=60", "--organizations", "3"]
    study = clinics.create("--method", "masked", *words)
    created = json.loads(clinics.program("study", "status", study, "-p", clinics.analyst, "--json").ok().out)
    assert (created["parameters"]["stage_seconds"], created["minimum_organizations"]) == (60, 3)
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
