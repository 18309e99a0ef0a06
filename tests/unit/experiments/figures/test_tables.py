from __future__ import annotations

import pytest

from experiments.errors import ExperimentError
from experiments.figures.markdown_table import in_bytes, table, told, value
from experiments.figures.tables import TABLES
from experiments.result import ArmResult, ExperimentResult
from experiments.statistics import Interval
from tests.unit.experiments.made_experiment import arm, experiment
from tests.unit.experiments.made_result import made_result
from tests.unit.experiments.made_suites import peers, primitives, sealing


def rows(name: str, *experiments: ExperimentResult) -> list[list[str]]:
    """The cells of a table of these experiments, its head first, the line below it left out."""
    lines = TABLES[name](made_result(experiments=experiments)).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert all(set(cell) <= {"-", ":"} for cell in cells[1])
    return [cells[0], *cells[2:]]


def test_what_protection_adds_is_told_against_the_unprotected_route() -> None:
    head, plain, *others = rows("overhead", peers())
    assert head == [
        "",
        "CPU, µs",
        "added, µs [95 %]",
        "requests a core serves (unprotected: 1)",
        "request, B",
    ]
    assert [plain[0], *plain[2:]] == ["plain", "", "1", "2,100"]
    ours = next(row for row in others if row[0] == "ML-DSA-65, liboqs")
    assert ours[2].startswith("+10")
    assert 0.45 < float(ours[3].split(" [")[0]) < 0.5
    assert len(others) == 6


def test_algorithms_stand_by_library_with_their_operations() -> None:
    head, *found = rows("primitives", primitives())
    assert head[1:] == ["library", "keygen", "sign", "verify"]
    assert [row[:2] for row in found[:2]] == [["ml-dsa-44", "openssl"], ["ml-dsa-44", "oqs"]]
    assert all("[" in cell for row in found for cell in row[2:])
    assert len(found) == 11


def test_documents_show_what_is_standardized() -> None:
    odd = {"kind": "signature", "operation": "sign", "algorithm": "mayo-1", "provider": "oqs"}
    found = rows("primitives", experiment("primitives", [*primitives().arms, arm("mayo-1 sign oqs", 1, odd)]))
    assert "mayo-1" not in [row[0] for row in found]


def test_key_encapsulations_have_a_table_of_their_own() -> None:
    arms = [
        arm(
            f"x-wing {operation} oqs",
            9,
            {"kind": "kem", "operation": operation, "algorithm": "x-wing", "provider": "oqs"},
        )
        for operation in ("encaps", "decaps")
    ]
    text = TABLES["primitives"](made_result(experiments=[experiment("primitives", [*primitives().arms, *arms])]))
    signatures, encapsulations = text.split("\n\n")
    assert signatures.startswith("| signature")
    assert encapsulations.startswith(
        "| key encapsulation, µs of CPU time [95 %] | library | keygen | encaps | decaps |"
    )
    assert "| x-wing | oqs |  | " in encapsulations


def test_sizes_are_told_once_whatever_the_library() -> None:
    head, *found = rows("sizes", primitives())
    assert head == ["signature", "public key, B", "signature, B", "in a header field, B"]
    assert found[1] == ["ml-dsa-65", "1,952", "3,309", ""]
    assert len({row[0] for row in found}) == len(found) == 8


def test_seals_stand_by_the_size_of_the_body() -> None:
    arms = [arm(one.name, one.samples[0].cpu, {**one.factors, "operation": "seal"}) for one in sealing().arms]
    head, *found = rows("sealing", experiment("sealing", arms))
    assert head[1:] == ["64 B", "1 KiB", "16 KiB", "256 KiB", "1 MiB"]
    assert [row[0] for row in found] == ["X-Wing (HPKE), seal", "X25519 (HPKE), seal", "session key, seal"]


def test_a_request_stands_by_its_parts() -> None:
    arms = [
        arm(f"{part} {signer} {size}", 1, {"part": part, "signer": signer, "bytes": size}, rounds=1)
        for signer in ("ed25519", "ml-dsa-65 (oqs)")
        for part in ("parse", "verify")
        for size in (64, 1024)
    ]
    head, *found = rows("signed-request", experiment("signed-request", arms))
    assert head == ["signed by; µs of CPU time", "parse", "verify"]
    assert [row[0] for row in found] == ["ed25519", "ml-dsa-65 (oqs)"]


def test_sessions_are_told_with_their_traffic() -> None:
    arms = [arm("handshake", 6428, {}, {"sent_bytes": 6534, "received_bytes": 6635})]
    _, handshake = rows("session", experiment("session", arms))
    assert handshake[0] == "handshake"
    assert handshake[2:] == ["6,534", "6,635"]


def test_stores_are_told_alone_and_crowded() -> None:
    arms = [
        arm("file", 9, {"store": "file", "concurrency": 1, "of": "nonce"}, {"total_cpu": 10.5, "stored_bytes": 90}),
        arm("file, 16 at once", 9, {"store": "file", "concurrency": 16, "of": "nonce"}, {"total_cpu": 10.6}),
        arm("request, file", 99, {"store": "file", "concurrency": 16, "of": "request"}),
    ]
    _, file = rows("replay-store", experiment("replay-store", arms))
    assert file[:3] == ["file", "10.5", "10.6"]
    assert file[4] == "90"


def test_workers_stand_side_by_side() -> None:
    arms = [
        arm("plain, 1 worker", 100, {"protection": "plain", "workers": 1}, {"rate": 1000}),
        arm("plain, 2 workers", 100, {"protection": "plain", "workers": 2}, {"rate": 1700}),
        arm("session, 1 worker", 100, {"protection": "session", "workers": 1}, {"rate": 600}),
    ]
    assert rows("scaling", experiment("scaling", arms))[1:] == [
        ["plain", "1,000", "1,700", "1.70"],
        ["session", "600", "", ""],
    ]


def test_threads_are_told_with_what_the_loop_waits() -> None:
    arms = [arm("inline", 145, {}, {"rate": 4964, "loop_delay_p50": 1360, "loop_delay_p99": 3870})]
    _, inline = rows("offloading", experiment("offloading", arms))
    assert inline[2:] == ["4,964", "1,360", "3,870"]


def test_the_machine_is_told_without_its_flags() -> None:
    found = dict(row for row in rows("environment") if len(row) == 2)
    assert found["Measured"] == "2026-11-23, full scale, seed 1, secure-api 0.1.0"
    assert found["CPU"] == "AMD EPYC 7B13, 2 cores"
    assert "CPU flags" not in found


def test_answers_follow_their_questions() -> None:
    assert TABLES["answers"](made_result(experiments=[sealing()])) == (
        "- **What does it cost that nobody on the way can read a body?** For 1 KiB, X-Wing takes 1.46 [1.43, 1.49] "
        "times as long as X25519; within a session, 0.0570 [0.0559, 0.0581]."
    )


@pytest.mark.parametrize("name", sorted(set(TABLES) - {"answers", "environment"}))
def test_a_table_of_what_was_not_run_is_refused(name: str) -> None:
    with pytest.raises(ExperimentError, match="the result has no experiment "):
        TABLES[name](made_result(experiments=[experiment("other", [arm("a", 1)])]))


def test_arms_that_were_not_measured_are_in_no_table() -> None:
    gone = ArmResult(name="gone", factors={}, process="main", unavailable="no library")
    assert "gone" not in [row[0] for row in rows("session", experiment("session", [arm("there", 1), gone]))]


def test_cells_are_empty_without_a_figure_and_safe_with_a_bar() -> None:
    assert (value(None), told(None), in_bytes(None)) == ("", "", "")
    assert told(Interval(107, 99, 132)) == "107 [99, 132]"
    assert table(("a", "b"), [("x|y", "1")]) == "| a | b |\n|---|--:|\n| x\\|y | 1 |"
