"""The scoring thread: bounded, never in a request's way, and its state is believed only when it is its own."""

from __future__ import annotations

import hmac
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from anomaly.event import ApiEvent, Pseudonyms
from anomaly.labels import Labels
from anomaly.persistence import MAX_BYTES, dump
from anomaly.watch import Observation, Watch
from secure_api.domain.alerts import Action, Subject
from secure_api.services.behavior.facts import Claim, Facts, Refused
from secure_api.services.behavior.restrictions import Restrictions
from secure_api.services.behavior.state_file import SCHEMA, StateFile
from secure_api.services.behavior.watcher import MAX_FINDINGS, MAX_SIGNERS, MAX_SUSPECTS, MAX_TOLD, Watcher

KEY = bytes(32)
NOON = 1e9 + 43_200
IDENTITIES = int(os.environ.get("BEHAVIOR_IDENTITIES", "5000"))


class Broken(Watch):
    """A detector that fails at everything."""

    def observe(self, event: ApiEvent) -> Observation:
        raise ZeroDivisionError(event.route)


def facts(number: int = 0, **changes: Any) -> Facts:
    made = Facts(
        NOON + number, f"10.0.{number % 200}.1", f"client-{number % 40}", "alpha", "GET", "/v1/studies", 200, "", b"a",
        0, 900, 0.01,
    )  # fmt: skip
    return made._replace(**changes)


def missing(number: int, client: str = "thief", **changes: Any) -> Facts:
    more: dict[str, Any] = {
        "client_id": client,
        "route": "/v1/studies/{id}",
        "object": f"{client}-{number}",
        "status": 404,
        **changes,
    }
    return facts(number, **more)


def watcher(watch: Watch | None = None, *, capacity: int = 10_000, enforce: bool = True) -> Watcher:
    restrictions = Restrictions(enforce=enforce)
    return Watcher(watch or Watch(500, warm_up=200), Pseudonyms(KEY), restrictions, capacity=capacity)


def run(made: Watcher, *offered: Facts) -> Watcher:
    """Score what is offered, and end the thread."""
    made.start()
    for item in offered:
        made.offer(item)
    made.stop(60)
    return made


def test_a_rule_is_a_finding_and_holds_at_once() -> None:
    made = run(watcher(), *(missing(number) for number in range(9)))
    (finding,) = made.findings
    assert (finding.subject, finding.key, finding.organization_id) == (Subject.CLIENT, "thief", "alpha")
    assert (finding.rule, finding.action, finding.seen) == ("foreign objects", Action.BLOCK, 8)
    assert finding.until == int(NOON + 7) + 900
    assert len(made._restrictions) == 1


def test_an_episode_that_lasts_is_told_of_again_under_the_same_id() -> None:
    made = run(watcher(), *(missing(number) for number in range(40)))
    first, *later = made.findings
    assert {finding.id for finding in later} == {first.id}
    assert all(finding.update for finding in later)
    assert 3 <= len(later) <= 7  # every five seconds
    assert later[-1].requests > first.requests


def test_a_full_queue_drops_and_counts() -> None:
    made = watcher(capacity=10)
    for number in range(25):
        made.offer(facts(number))
    assert made.counts.dropped == 15
    run(made)
    assert made.counts.events == 10


def test_a_detector_that_fails_is_counted_and_logged_once() -> None:
    with capture_logs() as logs:
        made = run(watcher(Broken()), *(facts(number) for number in range(50)))
    assert (made.counts.failures, made.counts.events) == (50, 0)
    assert [line["event"] for line in logs] == ["behavior analysis failed"]


def test_a_command_that_fails_ends_nothing() -> None:
    made = watcher()
    made.command(lambda: 1 // 0)  # type: ignore[arg-type]
    with capture_logs():
        run(made, facts())
    assert (made.counts.failures, made.counts.events) == (1, 1)


def test_labels_reach_the_detector() -> None:
    made = watcher()
    labels = Labels()
    made.set_labels(labels, frozenset({"thief"}))
    run(made, *(missing(number) for number in range(9)))
    assert made.watch.labels is labels
    assert made.findings[0].action is Action.THROTTLE  # the rules go on, and are milder


def test_suspects_wait_to_be_told_apart_and_are_bounded() -> None:
    refused = Refused("replayed-or-revoked", (Claim("key", False),))
    suspect = facts(client_id="", organization_id="", status=401, refused=refused)
    made = run(watcher(), *[suspect] * (MAX_SUSPECTS + 10))
    assert len(made.suspects) == MAX_SUSPECTS
    assert made.counts.events == 10
    made = watcher()
    made.resolve(suspect, replayed=False)
    made.resolve(suspect, replayed=True)
    run(made)
    (finding,) = made.findings
    assert (finding.rule, finding.action) == ("replayed nonce", Action.BLOCK)


def test_a_network_that_clients_share_is_not_blocked() -> None:
    refused = Refused("replayed-or-revoked", (Claim("key", False),))
    made = watcher()
    made.start()
    made.offer(facts())
    made.resolve(facts(1, address="10.0.0.9", client_id="", status=401, refused=refused), replayed=True)
    made.stop(60)
    assert [finding.action for finding in made.findings] == [Action.SIGN]


def test_a_flood_of_identities_is_bounded() -> None:
    """Every ninth of them breaks a rule; `BEHAVIOR_IDENTITIES=1000000` takes some minutes."""
    made = watcher(Watch(500, warm_up=0))
    for identity in range(IDENTITIES):
        for number in range(1 if identity % 9 else 9):
            address = f"{identity % 250}.{identity // 250 % 250}.{identity // 62_500}.1"
            made._take(missing(identity, f"c{identity}", object=str(number), address=address))  # no queue to fill
    assert made.counts.events >= IDENTITIES
    assert made.counts.findings > MAX_FINDINGS
    assert len(made.findings) == MAX_FINDINGS
    assert len(made._told) <= MAX_TOLD
    assert len(made._signers) <= MAX_SIGNERS
    assert len(made.watch.scorer.features.clients) <= 500
    assert len(dump(made.watch.state(), "watch", lambda _: b"")) < 3_000_000


def test_clocks_that_jump_are_survived() -> None:
    jumps = [0.0, 1e6, -1e6, 86_400.0 * 365, 5.0, 0.0, -NOON, 1e11 - NOON]
    jumping = (missing(number, time=NOON + jumps[number % 8]) for number in range(64))
    made = run(watcher(), *jumping, *(missing(number) for number in range(9)))
    assert made.counts.failures == 0
    assert [finding.rule for finding in made.findings] == ["foreign objects"]


@pytest.fixture
def taught(tmp_path: Path) -> Path:
    """A folder with the state of a watch that has seen something."""
    watch = Watch(50)
    for number in range(30):
        watch.observe(ApiEvent(NOON + number, 1 + number % 3, 7, "GET /v1/studies", 200))
    file = StateFile(tmp_path, KEY)
    file.open()
    file.save(watch)
    file.close()
    return tmp_path


def restored(folder: Path, key: bytes = KEY) -> tuple[int, list[str]]:
    """What a worker that starts on a folder has seen, and the reasons that it gives."""
    file = StateFile(folder, key)
    with capture_logs() as logs:
        file.open()
        seen = file.restore(Watch(50), Watch(50)).seen
        file.close()
    return seen, [str(line["reason"]) for line in logs]


def test_a_state_comes_back(taught: Path) -> None:
    assert restored(taught) == (30, [])
    assert (taught / "behavior-0.state").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("where", [0, 9, 60, 200, -1])
def test_a_changed_state_is_a_cold_start_and_one_line(taught: Path, where: int) -> None:
    path = taught / "behavior-0.state"
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(data)
    seen, reasons = restored(taught)
    assert (seen, len(reasons)) == (0, 1)


@pytest.mark.parametrize("size", [0, 1, 50, 500])
def test_a_truncated_state_is_a_cold_start(taught: Path, size: int) -> None:
    path = taught / "behavior-0.state"
    path.write_bytes(path.read_bytes()[:size])
    assert restored(taught)[0] == 0


def test_a_state_of_another_server_is_a_cold_start(taught: Path) -> None:
    assert restored(taught, bytes([1]) * 32) == (0, ["The signature of the state does not hold."])


def test_a_state_of_a_larger_detector_is_a_cold_start(tmp_path: Path) -> None:
    watch = Watch(500)
    for number in range(400):
        watch.observe(ApiEvent(NOON + number, 1 + number, 7, "GET /v1/studies", 200))
    file = StateFile(tmp_path, KEY)
    file.open()
    file.save(watch)
    file.close()
    seen, reasons = restored(tmp_path)
    assert (seen, len(reasons)) == (0, 1)


def test_each_worker_has_a_slot_of_its_own(taught: Path) -> None:
    first, second = StateFile(taught, KEY), StateFile(taught, KEY)
    first.open()
    second.open()
    assert second.restore(Watch(50), Watch(50)).seen == 0
    assert first.restore(Watch(50), Watch(50)).seen == 30
    second.save(Watch(50))
    assert sorted(path.name for path in taught.glob("*.state")) == ["behavior-0.state", "behavior-1.state"]
    first.close()
    second.close()


def test_a_folder_that_is_not_there_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "none", KEY)
    with capture_logs() as logs:
        file.open()
        fresh = Watch(50)
        assert file.restore(Watch(50), fresh) is fresh
        file.save(fresh)
        file.close()
    assert [line["event"] for line in logs] == ["behavior state is not kept"]


def test_a_state_that_is_no_file_or_none_of_ours_is_a_cold_start_and_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "behavior-0.state"
    with path.open("wb") as huge:
        huge.truncate(2 * MAX_BYTES + 1)
    assert restored(tmp_path) == (0, ["the saved state is too large"])
    path.write_bytes(dump({"seen": 1}, SCHEMA, lambda data: hmac.digest(KEY, data, "sha256")))
    seen, reasons = restored(tmp_path)
    assert (seen, len(reasons)) == (0, 1)
    path.unlink()
    path.mkdir()
    assert restored(tmp_path) == (0, ["Is a directory"])
    file = StateFile(tmp_path, KEY)
    file.open()
    with capture_logs() as logs:
        file.save(Watch(50))
    file.close()
    assert [line["event"] for line in logs] == ["behavior state could not be saved"]


def test_without_a_slot_nothing_is_kept_and_a_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secure_api.services.behavior.state_file.SLOTS", 1)
    first, second = StateFile(tmp_path, KEY), StateFile(tmp_path, KEY)
    first.open()
    with capture_logs() as logs:
        second.open()
    assert [line["reason"] for line in logs] == ["no free slot"]
    second.save(Watch(50))
    assert not list(tmp_path.glob("*.state"))
    second.close()
    first.close()


def test_the_thread_is_gone_when_it_is_stopped() -> None:
    before = threading.active_count()
    run(watcher(), facts())
    assert threading.active_count() == before
