"""Whole sessions of real processes: what they find, and what is said of a party that is killed, hung, late or lies."""

from __future__ import annotations

import asyncio
import os
import pickle
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy
import psutil
import pytest

from crypto.errors import MpcAborted
from crypto.mpc import AbortReason, Deadlines, MpcResult, MpcTerms, run_local, run_locally
from crypto.mpc.certificates import make_certificate
from crypto.mpc.frames import FrameKind
from crypto.mpc.job import Job
from crypto.mpc.peers import Peers
from crypto.mpc.preamble import Preamble
from crypto.mpc.vectors import pack
from crypto.secret_files import write_secret_file
from tests.unit.crypto.mpc.local_study import PATIENT, TOTAL, VALUES, LocalStudy, outcome, process_of, terms

SIDE_BY_SIDE = int(os.environ.get("MPC_SESSIONS", "2"))


@pytest.fixture
def long_study(tmp_path: Path) -> Iterator[LocalStudy]:
    """One whose computation takes dozens of rounds."""
    with closing(LocalStudy(tmp_path, terms("quantile"), PATIENT)) as local:
        yield local


def said(outcomes: list[MpcResult | MpcAborted]) -> set[tuple[str, int | None]]:
    """Reason and party of every outcome, which must all be aborts."""
    assert all(isinstance(item, MpcAborted) for item in outcomes), outcomes
    return {(item.reason, item.party) for item in outcomes if isinstance(item, MpcAborted)}


@pytest.fixture
def study(tmp_path: Path) -> Iterator[LocalStudy]:
    with closing(LocalStudy(tmp_path, terms(), PATIENT)) as local:
        yield local


def test_three_processes_open_the_sum_and_nothing_else() -> None:
    result = run_local(terms(), VALUES, PATIENT)
    assert result.values.tolist() == TOTAL
    assert result.contributors == 3
    assert result.bytes_sent > 0


def test_five_processes_compare_what_none_of_them_sees() -> None:
    study = MpcTerms("flu-2026", "quantile", 2, -8.0, 8.0, 5, fraction_bits=2, arguments={"q": 0.5})
    assert run_local(study, VALUES, PATIENT).values.tolist() == [1.5, 1.0]


def test_three_processes_find_greatest_and_count_without_showing_whose() -> None:
    async def both() -> list[MpcResult]:
        return list(
            await asyncio.gather(
                run_locally(terms("max"), VALUES, PATIENT),
                run_locally(terms("comparison-count", than=1.0), VALUES, PATIENT),
            )
        )

    greatest, count = asyncio.run(both())
    assert greatest.values.tolist() == [3.0, 4.0]
    assert count.values.tolist() == [2.0, 1.0]


def test_sessions_side_by_side_do_not_mix() -> None:
    async def all_at_once() -> list[MpcResult]:
        return await asyncio.gather(
            *(run_locally(terms(), [value / 2**number for value in VALUES], PATIENT) for number in range(SIDE_BY_SIDE))
        )

    results = asyncio.run(all_at_once())
    assert [result.values.tolist() for result in results] == [
        [total / 2**number for total in TOTAL] for number in range(SIDE_BY_SIDE)
    ]
    assert len({result.transcript for result in results}) == SIDE_BY_SIDE


def test_a_killed_party_is_named_by_the_others_and_the_study_runs_again(long_study: LocalStudy) -> None:
    study = long_study

    async def run() -> None:
        others = asyncio.create_task(study.outcomes(0, 1))
        async with process_of(study.jobs[2]) as process:
            process.kill()
            # On a busy machine it may be killed before it has said who it is.
            assert said(await others) <= {(AbortReason.PARTY_LOST, 2), (AbortReason.UNREACHABLE, 2)}
        study.again(attempt=1)
        results = await study.outcomes(0, 1, 2)
        assert [item.values.tolist() for item in results if isinstance(item, MpcResult)] == [[1.5, 1.0]] * 3

    asyncio.run(run())


def test_a_hung_party_is_named_by_the_others_at_the_round_deadline(long_study: LocalStudy) -> None:
    study = long_study.limited(round=4.0)

    async def run() -> None:
        others = asyncio.create_task(study.outcomes(0, 1))
        async with process_of(study.jobs[2]) as process:
            process.send_signal(signal.SIGSTOP)
            assert said(await others) == {(AbortReason.SILENT, 2)}

    asyncio.run(run())


async def without(local: LocalStudy, index: int, impostor: Job | None) -> set[tuple[str, int | None]]:
    """What the others say when a party does not come, or somebody else in its place."""
    false = None if impostor is None else asyncio.create_task(local.enter(impostor))
    others = await local.outcomes(*({0, 1, 2} - {index}))
    if false is not None:
        with suppress(MpcAborted):
            await false
    local.close()
    return said(others)


def test_who_does_not_come_or_is_not_who_the_study_pins_is_named_at_the_connect_deadline(tmp_path: Path) -> None:
    deadlines = Deadlines(connect=8.0, round=60.0, total=120.0)
    studies = []
    for name in ("late", "dialing impostor", "listening impostor", "stranger"):
        (tmp_path / name).mkdir()
        studies.append(LocalStudy(tmp_path / name, terms(), deadlines))
    late, dialing, listening, stranger = studies
    key, certificate = make_certificate(datetime.now(UTC))
    write_secret_file(tmp_path / "other.key", key)
    write_secret_file(tmp_path / "other.crt", certificate)
    files = str(tmp_path / "other.key"), str(tmp_path / "other.crt")
    elsewhere = replace(stranger.jobs[2], session=replace(stranger.jobs[2].session, attempt=7))

    async def run() -> list[set[tuple[str, int | None]]]:
        return list(
            await asyncio.gather(
                without(late, 2, None),
                without(dialing, 0, replace(dialing.jobs[0], key_file=files[0], certificate_file=files[1])),
                without(listening, 2, replace(listening.jobs[2], key_file=files[0], certificate_file=files[1])),
                without(stranger, 2, elsewhere),
            )
        )

    assert asyncio.run(run()) == [
        {(AbortReason.UNREACHABLE, 2)},
        {(AbortReason.WRONG_CERTIFICATE, 0)},
        {(AbortReason.WRONG_CERTIFICATE, 2)},
        {(AbortReason.OTHER_SESSION, 2)},
    ]


def test_a_party_with_another_transcript_ends_the_session_before_anything_is_computed(study: LocalStudy) -> None:
    session = study.jobs[2].session
    fewer = replace(study.jobs[2], session=replace(session, entries=session.entries[:2]))
    assert fewer.session.id == session.id

    async def run() -> list[MpcResult | MpcAborted]:
        others = asyncio.create_task(study.outcomes(0, 1))
        with pytest.raises(MpcAborted, match="disagreement"):
            await study.enter(fewer)
        return await others

    assert said(asyncio.run(run())) == {(AbortReason.DISAGREEMENT, 2)}


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


async def lie(study: LocalStudy, act: Callable[[Peers], None]) -> list[MpcResult | MpcAborted]:
    """Have party 2 agree with the others, and then do something."""
    others = asyncio.create_task(study.outcomes(0, 1))
    peers = await study.enter(study.jobs[2])
    await peers.ready()
    act(peers)
    told = await others
    await peers.farewell(None)
    return told


@pytest.mark.parametrize(
    "payload",
    [b"\xff" * 32, secrets.token_bytes(33), b"", bytes(8) + b"\xff" * 8],
    ids=["beyond the prime", "no whole elements", "nothing", "one beyond the prime"],
)
def test_what_is_no_vector_is_refused_by_a_link(payload: bytes, study: LocalStudy) -> None:
    async def run() -> Peers:
        ends = await asyncio.gather(*(study.enter(job) for job in study.jobs))
        ends[2].links[0].write(FrameKind.VECTOR, payload or b"\0", 5)
        await asyncio.wait({ends[0].failed})
        await asyncio.gather(*(end.farewell(None) for end in ends))
        return ends[0]

    abort = asyncio.run(run()).failed.exception()
    assert isinstance(abort, MpcAborted)
    assert (abort.reason, abort.party) == (AbortReason.MALFORMED, 2)


def test_a_malicious_pickle_does_nothing_but_abort(study: LocalStudy, tmp_path: Path) -> None:
    target = tmp_path / "touched"
    pickled = pickle.dumps(Touch(target))
    pickle.loads(pickled)
    assert target.exists()
    target.unlink()

    def send(peers: Peers) -> None:
        for link in peers.links.values():
            for label in range(-3, 4):
                link.write(FrameKind.VECTOR, pickled + bytes(-len(pickled) % 8), label)

    assert said(asyncio.run(lie(study, send))) == {(AbortReason.MALFORMED, 2)}
    assert not target.exists()


def test_garbage_ends_the_session(study: LocalStudy) -> None:
    def send(peers: Peers) -> None:
        for link in peers.links.values():
            assert link._transport is not None
            link._transport.write(b"\xff" + secrets.token_bytes(64))

    assert said(asyncio.run(lie(study, send))) == {(AbortReason.MALFORMED, 2)}


def test_false_shares_of_a_contributor_give_no_result(study: LocalStudy) -> None:
    field = study.jobs[2].session.terms.field
    spoiled = pack(field, numpy.array([5, 6], dtype=numpy.uint64)) + study.jobs[2].shares[2 * field.width :]
    study.jobs[2] = replace(study.jobs[2], shares=spoiled)
    reasons = said(asyncio.run(study.outcomes(0, 1, 2)))
    assert {reason for reason, _ in reasons} == {AbortReason.RESULT_DIFFERS}


def test_a_session_ends_at_its_total_deadline(long_study: LocalStudy) -> None:
    study = long_study.limited(total=3.0)

    async def run() -> None:
        asleep = asyncio.create_task(study.enter(study.jobs[2]))  # never ready, and its loop lives
        outcomes = await study.outcomes(0)
        asleep.cancel()
        assert said(outcomes) == {(AbortReason.TOO_LATE, None)}

    asyncio.run(run())


def test_a_canceled_supervisor_leaves_no_process(study: LocalStudy) -> None:
    async def run() -> set[psutil.Process]:
        others = set(psutil.Process().children())  # servers of other tests
        task: asyncio.Task[MpcResult | MpcAborted] = asyncio.create_task(outcome(study.jobs[0]))
        while not (children := set(psutil.Process().children()) - others):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return children

    assert not any(child.is_running() for child in asyncio.run(run()))


def test_strangers_at_a_partys_port_end_their_connections_and_no_session(study: LocalStudy) -> None:
    session = study.jobs[2].session.id
    bodies = [
        b"GET / HTTP/1.1\r\nHost: party\r\n\r\n" + bytes(64),
        Preamble(session, 0, 1, b"another certificate").to_bytes(),
        Preamble(bytes(32), 0, 2, b"another session").to_bytes(),
        Preamble(session, 2, 2, b"itself").to_bytes(),
        b"",
    ]

    async def stranger(body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*study.jobs[2].addresses[2])
        writer.write(body)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    async def run() -> list[MpcResult | MpcAborted]:
        others = asyncio.create_task(study.outcomes(0, 2))
        answers = await asyncio.gather(*map(stranger, bodies))
        assert [bool(answer) for answer in answers] == [False, False, True, False, False]
        return [*await study.outcomes(1), *await others]

    assert [item.values.tolist() for item in asyncio.run(run()) if isinstance(item, MpcResult)] == [TOTAL] * 3


def test_an_address_that_is_still_in_use_is_waited_for(study: LocalStudy) -> None:
    job = study.jobs[1]
    taken = study.sockets[1]

    async def run() -> list[MpcResult | MpcAborted]:
        parties = asyncio.gather(study.outcomes(0, 2), outcome(replace(job, socket=None)))
        while not psutil.Process().children():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
        await asyncio.sleep(0)
        taken.close()
        others, last = await parties
        return [*others, last]

    assert [item.values.tolist() for item in asyncio.run(run()) if isinstance(item, MpcResult)] == [TOTAL] * 3
