from __future__ import annotations

import pytest

from experiments.report.machine import environment_rows, reproduction, warnings
from tests.unit.experiments.made_experiment import arm, experiment
from tests.unit.experiments.made_result import environment, made_result

ONE = experiment("one", [arm("a", 1)])


def test_the_machine_is_told_with_its_versions_and_loads() -> None:
    rows = dict(environment_rows(environment(native={"OpenSSL": "OpenSSL 4.0.3 29 Sep 2026", "liboqs": "0.16.0"})))
    assert rows["CPU"] == "AMD EPYC 7B13, 2 cores"
    assert rows["Native libraries and servers"] == "OpenSSL 4.0.3 29 Sep 2026, liboqs 0.16.0"
    assert rows["Load during"] == "median 0.90, maximum 1.40"
    assert rows["Cores"] == "servers on core 1, workers and load on core 0"
    assert rows["Sources"] == "8f4734fd0c6e, unchanged"


def test_what_a_system_does_not_tell_is_told_to_be_unknown() -> None:
    rows = dict(
        environment_rows(environment(hertz=None, revision=None, dirty=None, load_during=[], pinned={}, native={}))
    )
    assert (rows["Clock"], rows["Sources"], rows["Native libraries and servers"]) == ("unknown", "no checkout", "none")
    assert not {"Load during", "Cores"} & rows.keys()


def test_the_commands_measure_the_same_again() -> None:
    assert reproduction(made_result(seed=7, experiments=[ONE], environment=environment(native={}))) == [
        "git checkout 8f4734fd0c6e",
        'pip install ".[experiments]"',
        "secure-api experiments run one --full --seed 7",
    ]
    outside = made_result(experiments=[ONE], environment=environment(revision=None, dirty=None, native={}))
    assert len(reproduction(outside)) == 2


@pytest.mark.parametrize(
    ("command", "again"),
    [
        ("--from mine.py --full --seed 7 -o ./out", "--from mine.py --full --seed 7"),
        ("--output=out --from=mine.py", "--from=mine.py --full --seed 7"),
        ("session --from mine.py --output", "session --from mine.py --full --seed 7"),
        ("session --quick -o out", "one --full --seed 7"),
    ],
)
def test_files_outside_the_product_are_measured_again_by_the_command_that_measured_them(
    command: str, again: str
) -> None:
    result = made_result(seed=7, experiments=[ONE], command=f"secure-api experiments run {command}")
    assert reproduction(result)[-1] == f"secure-api experiments run {again}"


def test_liboqs_is_told_of_where_it_took_part() -> None:
    result = made_result(experiments=[ONE], environment=environment(native={"liboqs": "0.16.0"}))
    assert reproduction(result)[1:3] == [
        'pip install ".[experiments]"',
        "export OQS_INSTALL_PATH=...  # the folder of liboqs 0.16.0",
    ]


def test_a_full_run_of_clean_sources_has_no_warnings() -> None:
    assert warnings(made_result(experiments=[ONE])) == []


def test_what_makes_figures_less_sure_is_told_once_at_the_top() -> None:
    loud = experiment("loud", [arm("a", 1)], warnings=["loud: other processes took 60% of the cores"])
    result = made_result(
        experiments=[ONE, loud],
        scale="quick",
        environment=environment(dirty=True),
        warnings=["the load average was 1.21 before the run"],
    )
    found = warnings(result)
    assert [text.split(":")[0].split(" was")[0] for text in found] == [
        "A quick run",
        "The sources had changes that no revision holds",
        "The load average",
        "Some experiments have warnings of their own, shown with them",
    ]
    assert "not for quoting" in found[0]
    assert found[-1].endswith(": loud.")
    assert "no checkout" in warnings(made_result(experiments=[ONE], environment=environment(revision=None)))[0]
