"""What goes wrong in an experiment, as the command line tells it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from experiments.errors import DefinitionError, ExperimentError, Unavailable
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode

INSTALL: Final = 'pip install "secure-api[experiments]"'
FULL: Final = "make room; what was measured is kept: secure-api experiments run --resume FOLDER"


@contextmanager
def told() -> Iterator[None]:
    """Turn what goes wrong in an experiment, or a library that is not installed, into one line for a person."""
    try:
        yield
    except DefinitionError as error:
        raise CliError(str(error), ExitCode.USAGE) from error
    except ExperimentError as error:
        raise CliError(str(error), hint=INSTALL if isinstance(error, Unavailable) else None) from error
    except OSError as error:
        hint = FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else None
        raise CliError(f"{error.filename or 'the result'}: {error.strerror or error}", hint=hint) from error
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("experiments", "secure_api", "crypto"):
            raise  # a defect
        raise CliError(f"this needs {error.name}, which is not installed", hint=INSTALL) from error
