"""One experiment: prepare and check all of its arms, measure them round by round, check them again."""

import random
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from experiments.arm_process import PATIENCE, ArmProcess
from experiments.calibration import repeats_itself
from experiments.core_watch import MOST_FOREIGN, CoreWatch, load_average
from experiments.cores import Cores
from experiments.errors import CheckFailed, DefinitionError, NotTheSameRun, TimerFault
from experiments.experiment import Arm, Experiment
from experiments.journal import Journal
from experiments.journal_entry import Begun, RoundDone, Void
from experiments.observer import Observer
from experiments.precision import findings_of, load_statistics, narrow, with_samples
from experiments.result import ArmResult, Sample
from experiments.scale import Scale

#: Rounds that every experiment gets, whatever its time budget.
FEWEST: Final = 3
#: Beyond the fewest, intervals are looked at every so many rounds: to look costs time that no arm is measured in.
LOOK: Final = 2
#: One answer of an arm may take so many times the budget of the whole experiment, before it is said to hang.
PATIENT: Final = 4
Ending = Literal["intervals are narrow enough", "time budget", "most rounds"]


@dataclass(slots=True)
class Course:
    """One experiment under way."""

    source: str
    experiment: Experiment
    scale: Scale
    seed: int
    budget: float  # seconds, preparation included
    cores: Cores
    log: Path  # what workers print
    scratch: Path  # for the arms; removed by whoever made it
    journal: Journal
    observer: Observer
    later: float = 0.0  # seconds that the experiments after this one may take
    warnings: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _loops: dict[str, int] = field(default_factory=dict)
    _workers: list[ArmProcess] = field(default_factory=list)

    def measure(self) -> Ending:
        """Do all of it; the samples are in the journal. Raises ExperimentError; a failed check voids the samples."""
        name = self.experiment.name
        try:
            with ExitStack() as stack:
                stack.callback(self._tell_unclosed)
                living = self._prepare(stack)
                self._check(living, "checking")
                for number, (arm, process) in enumerate(living.items(), 1):
                    self.observer.step(f"calibrating {arm} ({number}/{len(living)})")
                    self._loops[arm] = process.calibrate(arm)
                ending = self._rounds(living)
                self._check(living, "checking again")
                return ending
        except (CheckFailed, TimerFault):
            if name in self.journal.begun:
                self.journal.add(Void(experiment=name))
            raise

    def _prepare(self, stack: ExitStack) -> dict[str, ArmProcess]:
        """Start the workers; gives the process of each arm that can be measured here."""
        name, arms = self.experiment.name, self.experiment.arms_at(self.scale)
        self.observer.step(f"preparing {len(arms)} arms")
        processes = dict.fromkeys(arm.process for arm in arms)
        patience = max(PATIENCE, PATIENT * self.budget)
        workers = {
            process: stack.enter_context(
                ArmProcess(name, process, self.scratch / str(number), self.log, patience=patience)
            )
            for number, process in enumerate(processes)
        }
        self._workers += workers.values()
        for worker in workers.values():
            worker.ask_to_prepare(self.source, self.scale, self.seed, self.cores)
        load_statistics()  # meanwhile
        why: dict[str, str | None] = {}
        for worker in workers.values():
            why |= worker.prepared()
        if list(why) != [arm.name for process in processes for arm in arms if arm.process == process]:
            raise DefinitionError(f"{name}: its arms have other names each time that they are built")
        self._begin(arms, why)
        living = {arm.name: workers[arm.process] for arm in arms if why[arm.name] is None}
        if not living:
            self._warn(f"{name}: no arm can be measured here")
        return living

    def _begin(self, arms: tuple[Arm, ...], why: Mapping[str, str | None]) -> None:
        name = self.experiment.name
        found = [
            ArmResult(name=arm.name, factors=dict(arm.factors), process=arm.process, unavailable=why[arm.name])
            for arm in arms
        ]
        begun = self.journal.begun.get(name)
        if begun is None:
            self.journal.add(Begun(experiment=name, started=datetime.now(UTC), arms=found))
        elif begun.arms != found:
            raise NotTheSameRun(f"this run cannot go on: {name} has other arms than when it began")

    def _check(self, living: Mapping[str, ArmProcess], what: str) -> None:
        for number, (arm, process) in enumerate(living.items(), 1):
            self.observer.step(f"{what} {arm} ({number}/{len(living)})")
            process.check(arm)

    def _rounds(self, living: Mapping[str, ArmProcess]) -> Ending:
        name = self.experiment.name
        done = self.journal.rounds[name]
        before = done[-1].seconds if done else 0.0
        watch, took = CoreWatch(), 0.0
        while (ending := self._ending(before + self._passed(), took, bool(living))) is None:
            began = time.monotonic()
            samples = self._round(len(done) + 1, living, before)
            took = time.monotonic() - began
            passed = before + self._passed()
            self.journal.add(RoundDone(experiment=name, number=len(done) + 1, seconds=passed, samples=samples))
            if len(done) == 1:  # a formula that does not fit what arms measure is told of now, not after the last round
                findings_of(self.experiment, with_samples(self.journal.begun[name], done), self.seed)
        self._examine(living)
        if (foreign := watch.foreign()) > MOST_FOREIGN:
            self._warn(f"{name}: other processes took {foreign:.0%} of the cores while it was measured")
        return ending

    def _examine(self, living: Mapping[str, ArmProcess]) -> None:
        """Look at all rounds of each arm. Raises TimerFault: a clock that showed the same in every one."""
        name = self.experiment.name
        for arm in living:
            samples = [done.samples[arm] for done in self.journal.rounds[name] if arm in done.samples]
            if (fault := repeats_itself([(sample.cpu, sample.wall) for sample in samples])) is not None:
                raise TimerFault(f"{name}: arm {arm}: {fault}")

    def _ending(self, passed: float, took: float, living: bool) -> Ending | None:
        name = self.experiment.name
        rounds = self.journal.rounds[name]
        if not living:
            return "intervals are narrow enough"
        if len(rounds) >= self.scale.most_rounds:
            return "most rounds"
        if len(rounds) >= self.scale.rounds and (len(rounds) - self.scale.rounds) % LOOK == 0:
            arms = with_samples(self.journal.begun[name], rounds)
            if narrow(self.experiment, arms, self.scale, self.seed):
                return "intervals are narrow enough"
        if len(rounds) >= FEWEST and passed + took > self.budget:
            return "time budget"
        return None

    def _round(self, number: int, living: Mapping[str, ArmProcess], before: float) -> dict[str, Sample]:
        """Measure every arm once, in an order that the seed and the round's number decide."""
        order = list(living)
        random.Random(f"{self.seed} {self.experiment.name} {number}").shuffle(order)  # noqa: S311 - no secret
        samples = {}
        for place, arm in enumerate(order):
            left = max(0.0, self.budget - before - self._passed()) + self.later
            self.observer.window(number, self.scale.rounds, self.scale.most_rounds, place / len(order), left)
            load = load_average()
            reading = living[arm].measure(arm, self._loops[arm])
            samples[arm] = Sample(
                round=number,
                place=place,
                loops=reading.loops,
                cpu=reading.cpu,
                wall=reading.wall,
                load=load,
                extra=dict(reading.extra),
            )
        return samples

    def _tell_unclosed(self) -> None:
        for worker in self._workers:
            for fault in worker.faults:
                self._warn(f"{self.experiment.name}: {fault}")

    def _passed(self) -> float:
        return time.monotonic() - self._began

    def _warn(self, text: str) -> None:
        self.warnings.append(text)
        self.observer.warn(text)
