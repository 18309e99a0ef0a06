"""The model's second opinion: an isolation forest, refitted now and then in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from random import Random
from typing import Final

import structlog

from anomaly.errors import AnomalyError
from anomaly.reference import LEAST, Opinion, read_opinion
from anomaly.sample import Sample
from crypto.child_environment import child_environment

DEADLINE: Final = 120.0  # seconds that the process has
#: Below it the model and the forest have nothing in common: on usual traffic it is .2 to .75, by chance it is 0.
DISAGREEMENT: Final = 0.1

log = structlog.get_logger("secure_api.behavior")


class Reference:
    """Samples what the model scores, and asks the forest about it. It raises no alerts: what it says is for people.

    `note` and `turn` belong to the scoring thread, `consult` to the event loop.

    Args:
        random: chooses what is sampled.
        deadline: seconds that the process has.
    """

    def __init__(self, random: Random, deadline: float = DEADLINE) -> None:
        self._random = random
        self._deadline = deadline
        self._sample = Sample(random)
        self._usual: Sample | None = None
        self._asked: tuple[Sample, Sample] | None = None

    def note(self, client_id: str, value: float, features: list[float]) -> None:
        """Show it what was scored; about a microsecond."""
        self._sample.add(client_id, value, features)

    def turn(self) -> None:
        """Begin another sample, if this one is large enough; it is judged by what was usual in the one before."""
        if len(self._sample) < LEAST:
            return
        if self._usual is not None:
            self._asked = self._usual, self._sample
        self._usual, self._sample = self._sample, Sample(self._random)

    async def consult(self) -> Opinion | None:
        """Ask about the sample that waits, if one does; a line of the log says what came of it, or why nothing did."""
        asked, self._asked = self._asked, None
        if asked is None:
            return None
        usual, sample = await asyncio.gather(*(asyncio.to_thread(one.to_bytes) for one in asked))
        try:
            opinion = read_opinion(await _answer(usual + sample, self._deadline))
        except AnomalyError as error:
            log.warning("the reference of behavior gave no opinion", reason=str(error))
            return None
        names = asked[1].names()
        overlooked = [names[who] for who in opinion.overlooked if who < len(names)]
        told = {
            "rows": opinion.rows,
            "agreement": round(opinion.agreement, 3),
            "shared": round(opinion.shared, 3),
            "overlooked": overlooked,
        }
        if opinion.agreement < DISAGREEMENT or overlooked:
            log.warning("the model of behavior and its reference disagree", **told)
        else:
            log.info("the model of behavior was compared with its reference", **told)
        return opinion


async def _answer(question: bytes, deadline: float) -> bytes:
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "anomaly.reference",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=child_environment(),
        )
    except OSError as error:
        raise AnomalyError("No process could be started for the reference.") from error
    try:
        async with asyncio.timeout(deadline):
            answer, _ = await process.communicate(question)
    except TimeoutError:
        raise AnomalyError(f"The reference did not answer within {deadline:g} seconds.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return answer
