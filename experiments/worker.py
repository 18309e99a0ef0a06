"""The process that arms live in: `python -m experiments.worker`, started by the runner.

Requests and replies are JSON objects, one a line, over the standard input and output that the process was started with.
A request names what to `do` (one of `Worker`'s methods) and its arguments; the reply is what that returned, or `error`
(the name of a class in `experiments.errors`) and `text`. What arms print goes to standard error. The process ends when
its input does, so it never outlives the runner.
"""

import gc
import json
import math
import os
import random
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from numbers import Real
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, NoReturn, TextIO

from experiments.calibration import calibrate, examine
from experiments.errors import ArmFailed, DefinitionError, ExperimentError, TimerFault, Unavailable
from experiments.registry import experiment_of
from experiments.scale import Scale
from experiments.subject import Reading, Setting, Subject

#: Seconds that arms have to give back what they hold once the runner is gone.
GRACE: Final = 30.0
#: A window is led in by this share of its operations, which do not count: other arms have emptied the caches.
LEAD: Final = 8


class Worker:
    """The arms of one process of an experiment."""

    def __init__(self) -> None:
        self._subjects: dict[str, Subject] = {}
        self._scale: Scale | None = None
        self._folder: Path | None = None

    def prepare(
        self,
        source: str,
        scale: Mapping[str, Any],
        seed: int,
        process: str,
        folder: str,
        core: int | None,
        server_core: int | None,
    ) -> Mapping[str, Any]:
        """Import the suite and prepare its arms; tells by arm why it is unavailable, or null.

        The process, and with it what it starts, is pinned to `core`. Whoever starts a server moves it to `server_core`.
        """
        if core is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {core})
        self._scale, self._folder = Scale(**scale), Path(folder)
        experiment = experiment_of(source)
        unavailable: dict[str, str | None] = {}
        for number, arm in enumerate(experiment.arms_at(self._scale)):
            if arm.process != process:
                continue
            own = self._folder / str(number)
            own.mkdir(parents=True)
            seeded = random.Random(f"{seed} {experiment.name} {arm.name}")  # noqa: S311 - no secret, but repeatable
            setting = Setting(self._scale, own, seeded, server_core, core)
            unavailable[arm.name] = None
            try:
                self._subjects[arm.name] = arm.prepare(setting)
            except Unavailable as error:
                unavailable[arm.name] = str(error)
            except Exception as error:
                raise _of_arm(arm.name, error) from error
        gc.collect()
        gc.freeze()  # so that the collection before each window has little to look at
        return {"unavailable": unavailable}

    def check(self, arm: str) -> Mapping[str, Any]:
        """Check an arm. Raises CheckFailed."""
        self._subject(arm).check()
        return {}

    def calibrate(self, arm: str) -> Mapping[str, Any]:
        """Find the loops of an arm, and check its clock. Raises TimerFault."""
        subject = self._subject(arm)
        assert self._scale is not None  # noqa: S101 - a subject was prepared
        fixed: int | None = getattr(subject, "loops", None)
        return {"loops": calibrate(lambda loops: _window(subject, loops, 0), self._scale.window, fixed)}

    def measure(self, arm: str, loops: int) -> Mapping[str, Any]:
        """Measure one window of an arm; the windows of fixed length have their own lead."""
        subject = self._subject(arm)
        lead = 0 if getattr(subject, "loops", None) else loops // LEAD
        reading = examine(_window(subject, loops, lead))
        if reading.loops != loops:
            raise TimerFault(f"it was asked for {loops} operations and tells of {reading.loops}")
        return {**asdict(reading), "extra": _quantities(reading.extra)}

    def close(self) -> Mapping[str, Any]:
        """Close every arm, the last first, and remove the folder."""
        failed: list[str] = []
        while self._subjects:
            name, subject = self._subjects.popitem()
            try:
                subject.close()
            except Exception as error:
                traceback.print_exc()
                failed.append(f"arm {name} did not close: {type(error).__name__}: {' '.join(str(error).split())}")
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            with suppress(OSError):  # others use them still; the last one clears up behind a runner that was killed
                self._folder.parent.rmdir()
                self._folder.parent.parent.rmdir()
        return {"failed": failed}

    def _subject(self, arm: str) -> Subject:
        return self._subjects[arm]


def serve(requests: "SimpleQueue[dict[str, Any] | None]", outlet: TextIO) -> None:
    """Answer requests until there is none any more (None), then close the arms."""
    worker, process = Worker(), os.getpid()
    try:
        while (request := requests.get()) is not None:
            reply = _reply(getattr(worker, request.pop("do")), request)
            if os.getpid() != process:
                _end_fork(request.get("arm", ""), outlet)
            outlet.write(json.dumps(reply) + "\n")
            outlet.flush()
    except BrokenPipeError:
        pass  # nobody listens: the runner is gone
    finally:
        failed = worker.close()
        if failed["failed"]:
            with suppress(BrokenPipeError):
                outlet.write(json.dumps(failed) + "\n")
                outlet.flush()


def main() -> None:
    """Run the process: keep the pipes to the runner for ourselves, whatever arms print."""
    inlet, outlet = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the runner's, which then closes our input
    requests: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
    Thread(target=_read, args=(inlet, requests), daemon=True).start()
    serve(requests, outlet)


def _read(inlet: TextIO, requests: "SimpleQueue[dict[str, Any] | None]") -> None:
    for line in inlet:
        requests.put(json.loads(line))
    requests.put(None)
    time.sleep(GRACE)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # an arm hangs; what it has started goes with it
    os.kill(os.getpid(), signal.SIGKILL)


def _reply(action: Callable[..., Mapping[str, Any]], arguments: dict[str, Any]) -> Mapping[str, Any]:
    try:
        return action(**arguments)
    except Exception as error:
        if not isinstance(error, ExperimentError):
            traceback.print_exc()
            error = ArmFailed(f"{type(error).__name__}: {error}")
        return {"error": type(error).__name__, "text": " ".join(str(error).split())}


def _end_fork(arm: str, outlet: TextIO) -> NoReturn:
    """Tell that we are a copy of the worker that an arm has made, and end it: there shall be one answer a request."""
    text = f"arm {arm}: it forks, and the copy comes back: an operation must end its own processes"
    with suppress(BrokenPipeError):
        outlet.write(json.dumps({"error": "DefinitionError", "text": text}) + "\n")
        outlet.flush()
    os.kill(os.getpid(), signal.SIGKILL)  # nothing of the worker's own must be cleaned up by its copy
    while True:
        signal.pause()


def _quantities(extra: Mapping[Any, Any]) -> dict[str, float]:
    """Give the other quantities of a reading. Raises DefinitionError for what is no finite number."""
    for name, value in extra.items():
        if not (isinstance(name, str) and isinstance(value, Real) and math.isfinite(value)):
            raise DefinitionError(f"its quantity {name!r:.80} is {value!r:.80}, which is no figure")
    return {name: float(value) for name, value in extra.items()}


def _of_arm(name: str, error: Exception) -> ExperimentError:
    kind = type(error) if isinstance(error, ExperimentError) else ArmFailed
    text = str(error) if isinstance(error, ExperimentError) else f"{type(error).__name__}: {error}"
    if kind is ArmFailed:
        traceback.print_exc()
    return kind(f"arm {name}: {text}")


def _window(subject: Subject, loops: int, lead: int) -> Reading:
    gc.collect()
    gc.disable()
    try:
        if lead:
            subject.measure(lead)
        return subject.measure(loops)
    finally:
        gc.enable()


if __name__ == "__main__":
    main()
