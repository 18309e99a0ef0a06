"""The runner's end of a worker: start it, ask it, end it."""

import json
import os
import select
import signal
import subprocess
import sys
import time
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
#: Seconds that a worker has for an answer, unless whoever started it says otherwise: an arm that takes longer hangs.
PATIENCE: Final = 180.0
#: A window may take so many times as long as the calibration of its arm took, which was of several windows.
EXCESS: Final = 20
#: Seconds that every window may take.
LEAST: Final = 60.0
#: Seconds between two looks whether a worker that says nothing is alive.
LOOK: Final = 1.0


class ArmProcess:
    """A worker, and the arms that live in it."""

    def __init__(
        self,
        experiment: str,
        name: str,
        folder: Path,
        log: Path,
        *,
        patience: float = PATIENCE,
        least: float = LEAST,
        grace: float = GRACE,
    ) -> None:
        """Start it; `folder` will be private to it, and what it prints goes to the end of `log`.

        It is ended when an answer takes longer than `patience` seconds (a window: than `least`, and `EXCESS` times its
        arm's calibration), or the closing of its arms longer than `grace`.
        """
        self.experiment, self.name, self._folder, self._log = experiment, name, folder, log
        self.faults: list[str] = []  # what went wrong while its arms were closed
        self._patience, self._least, self._grace = patience, least, grace
        self._calibrations: dict[str, float] = {}
        self._unread, self._closed = b"", False
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
        began = time.monotonic()
        loops: int = self._ask(arm, "calibrate")["loops"]
        self._calibrations[arm] = time.monotonic() - began
        return loops

    def measure(self, arm: str, loops: int) -> Reading:
        """Measure one window of an arm. Raises TimerFault, ArmFailed."""
        within = max(self._least, EXCESS * self._calibrations.get(arm, 0.0))
        return Reading(**self._ask(arm, "measure", within, loops=loops))

    def close(self) -> None:
        """End it: its arms are closed when its input ends; if that takes too long, it is killed.

        What it has started and left behind in its session is killed, too. What went wrong is in `faults`.
        """
        if self._closed:
            return
        self._closed = True
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        began = time.monotonic()
        try:
            with suppress(BrokenPipeError):  # it has ended already
                self._process.stdin.close()
            with suppress(TimeoutError):
                while line := self._line(self._grace):  # one for each request that nobody waited for, and its last word
                    self.faults += json.loads(line).get("failed", ())
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(max(0.0, self._grace - (time.monotonic() - began)))
            if self._process.returncode is None:
                self.faults.append(f"process {self.name} had to be ended: an arm did not close")
        finally:
            self._kill()
            self._process.stdout.close()

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):  # nothing is left of it
            os.killpg(self._process.pid, signal.SIGKILL)  # it leads a session of its own
        self._process.wait()

    def _ask(self, arm: str, what: str, within: float | None = None, **arguments: Any) -> dict[str, Any]:
        self._tell(what, arm=arm, **arguments)
        return self._answer(f"arm {arm}", within)

    def _tell(self, what: str, **arguments: Any) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        with suppress(BrokenPipeError):  # it has ended; reading the answer tells how
            self._process.stdin.write(json.dumps({"do": what, **arguments}).encode() + b"\n")
            self._process.stdin.flush()

    def _answer(self, where: str, within: float | None = None) -> dict[str, Any]:
        within = self._patience if within is None else within
        try:
            line = self._line(within)
        except TimeoutError:
            self._kill()
            self.close()
            raise ArmFailed(
                f"{self.experiment}, {where}: no answer within {within:,.0f} s, so its process was ended; "
                f"see {self._log}"
            ) from None
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

    def _line(self, within: float) -> bytes:
        """Read what it says, up to the end of the line; without one when it has ended. Raises TimeoutError."""
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        outlet, until = self._process.stdout.fileno(), time.monotonic() + within
        poller = select.poll()
        poller.register(outlet, select.POLLIN)
        while b"\n" not in self._unread:
            if (left := until - time.monotonic()) <= 0:
                raise TimeoutError
            if poller.poll(min(left, LOOK) * 1000):
                if not (some := os.read(outlet, 65536)):
                    break
                self._unread += some
            elif self._process.poll() is not None and not poller.poll(0):
                break  # what it has left behind holds the pipe open
        line, end, self._unread = self._unread.partition(b"\n")
        return line + end
