"""The runner's end of a worker: start it, ask it, end it."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Self

from experiments import errors
from experiments.cores import Cores
from experiments.errors import ArmFailed, ExperimentError
from experiments.scale import Scale
from experiments.subject import Reading

#: Seconds that a worker has to close its arms: a little more than it allows itself.
GRACE: Final = 35.0


class ArmProcess:
    """A worker, and the arms that live in it."""

    def __init__(self, experiment: str, name: str, folder: Path, log: Path) -> None:
        """Start it; `folder` will be private to it, and what it prints goes to the end of `log`."""
        self.experiment, self.name, self._folder, self._log = experiment, name, folder, log
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "experiments.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env={**os.environ, "PYTHONHASHSEED": "0"},
                start_new_session=True,  # Ctrl-C reaches the runner alone, which then closes the arms in order
            )

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the worker."""
        self.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ask_to_prepare(self, source: str, scale: Scale, seed: int, cores: Cores) -> None:
        """Tell it to prepare its arms, without waiting: several workers prepare at the same time."""
        self._tell(
            "prepare",
            source=source,
            scale=asdict(scale),
            seed=seed,
            process=self.name,
            folder=str(self._folder),
            core=cores.load,
            server_core=cores.server,
        )

    def prepared(self) -> dict[str, str | None]:
        """Wait until the arms are prepared; tells by arm why it is unavailable, or None. Raises ExperimentError."""
        unavailable: dict[str, str | None] = self._answer(f"process {self.name}")["unavailable"]
        return unavailable

    def check(self, arm: str) -> None:
        """Check an arm. Raises CheckFailed."""
        self._ask(arm, "check")

    def calibrate(self, arm: str) -> int:
        """Find the loops of an arm. Raises TimerFault."""
        loops: int = self._ask(arm, "calibrate")["loops"]
        return loops

    def measure(self, arm: str, loops: int) -> Reading:
        """Measure one window of an arm. Raises TimerFault, ArmFailed."""
        return Reading(**self._ask(arm, "measure", loops=loops))

    def close(self) -> None:
        """End it: its arms are closed when its input ends; if that takes too long, it is killed."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with suppress(BrokenPipeError):  # it has ended already
                self._process.stdin.close()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _ask(self, arm: str, what: str, **arguments: Any) -> dict[str, Any]:
        self._tell(what, arm=arm, **arguments)
        return self._answer(f"arm {arm}")

    def _tell(self, what: str, **arguments: Any) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        with suppress(BrokenPipeError):  # it has ended; reading the answer tells how
            self._process.stdin.write(json.dumps({"do": what, **arguments}).encode() + b"\n")
            self._process.stdin.flush()

    def _answer(self, where: str) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            self.close()
            status = self._process.returncode
            how = f"signal {-status}" if status < 0 else f"status {status}"
            raise ArmFailed(f"{self.experiment}, {where}: its process ended with {how}; see {self._log}")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            kind = getattr(errors, reply["error"], ArmFailed)
            text = reply["text"].removeprefix(f"{where}: ")
            raise (kind if issubclass(kind, ExperimentError) else ArmFailed)(f"{self.experiment}, {where}: {text}")
        return reply
