"""Several worker processes of one server, and what their end says about the whole."""

from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from secure_api.cli.exit_codes import ExitCode


class Workers(Multiprocess):
    """uvicorn's supervisor, which replaces a worker that dies; it ends without a word of why, so `status` has it."""

    interrupted = False

    @property
    def status(self) -> ExitCode:
        """Failure when a worker could not start, interrupted after Ctrl-C, otherwise OK."""
        if any(process.exitcode == STARTUP_FAILURE for process in self.processes):
            return ExitCode.FAILURE
        return ExitCode.INTERRUPTED if self.interrupted else ExitCode.OK

    def handle_int(self) -> None:
        """End because of Ctrl-C (uvicorn calls this)."""
        self.interrupted = True
        super().handle_int()
