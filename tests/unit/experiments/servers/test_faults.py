"""A server that does not do what it is timed for is found out, before any time counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from experiments import QUICK, ArmFailed, CheckFailed, DefinitionError
from experiments.observer import Silence
from experiments.registry import load_file
from experiments.runner import run
from experiments.servers.arm import server_arm
from experiments.servers.protection import Protection
from tests.unit.experiments.servers import faulty_applications
from tests.unit.experiments.servers.conftest import Prepare

SIGNED = Protection("signature")
SESSION = Protection("session")
FAULTY = Path(faulty_applications.__file__)


def faulty(application: str) -> str:
    return f"{FAULTY}:{application}"


@pytest.mark.parametrize(
    ("application", "protection", "what"),
    [
        ("no_verification", SIGNED, "lets a replay in: 200 in the place of 401"),
        ("no_verification", Protection("bearer", "EdDSA", once=False), "lets a forged token in"),
        ("nobody", SIGNED, "refuses a good request: 401"),
        ("any_signature", SIGNED, "lets another body in"),
        ("no_digest", SIGNED, "lets another body in"),
        ("no_nonces", SIGNED, "lets a replay in"),
        ("no_nonces", SESSION, "lets a replay in"),
        ("any_host", SIGNED, "lets a request to another host in"),
        ("in_the_clear", replace(SESSION, sealed=True), "answers a sealed request in the clear"),
        ("other_route", Protection("none"), "the route answers"),
        ("tokens_for_ever", Protection("bearer", "EdDSA"), "lets a replay in"),
        ("no_memory", Protection("http-message-signatures"), "lets a replay in"),
        ("dying", Protection("none"), "the server does not answer"),
    ],
)
def test_a_fault_is_found(prepare: Prepare, application: str, protection: Protection, what: str) -> None:
    subject = prepare(protection, application=faulty(application))
    with pytest.raises(CheckFailed, match=what):
        subject.check()


def test_workers_that_remember_for_themselves_are_found(prepare: Prepare) -> None:
    prepare(SIGNED, workers=2).check()
    subject = prepare(SIGNED, workers=2, application=faulty("memory_of_each_worker"))
    with pytest.raises(CheckFailed, match="lets a replay in"):
        subject.check()


@pytest.mark.parametrize("protection", [Protection("bearer", "EdDSA"), replace(SIGNED, store="memory")])
def test_workers_that_cannot_share_are_refused(protection: Protection) -> None:
    with pytest.raises(DefinitionError, match=r"remembers what was used in one process, not 2$"):
        server_arm(protection, workers=2)


def test_a_server_that_does_not_start_fails_with_its_last_words(prepare: Prepare) -> None:
    subject = prepare(Protection("none"), application=faulty("failing"))
    with pytest.raises(ArmFailed, match=r"^the server did not start: .*nobody knows why$"):
        subject.check()


def test_a_server_that_ends_while_it_is_measured_fails(prepare: Prepare) -> None:
    subject = prepare(Protection("handshake", "x-wing"), application=faulty("dying"))
    with pytest.raises(ArmFailed, match="closed a connection"):
        subject.measure(16)
    # Its sockets are closed a moment before its process is gone.
    with pytest.raises(ArmFailed, match=r"^the server (has ended|takes no connection)"):
        subject.measure(16)


def test_an_arm_that_skips_verification_leaves_no_result(tmp_path: Path) -> None:
    source = tmp_path / "planted.py"
    source.write_text(
        f"""
from experiments import *
from experiments.servers.arm import server_arm
from experiments.servers.protection import Protection

EXPERIMENT = Experiment(
    name="planted", title="Planted", question="Is it found out?", topic=19, held_fixed=("all",),
    arms=lambda scale: [
        Arm("honest", server_arm(Protection("session"))),
        Arm("skips verification", server_arm(Protection("signature"), application={faulty("no_verification")!r})),
    ],
    findings=(Finding("ratio", lambda r: r["honest"] / r["skips verification"], "{{value}} times."),),
    answer="{{ratio}}",
)
"""
    )
    folder = tmp_path / "run"
    with pytest.raises(CheckFailed, match=r"^planted, arm skips verification: the server lets a replay in"):
        run([(str(source), load_file(source))], QUICK, 1, folder, False, Silence())
    assert not folder.exists()
