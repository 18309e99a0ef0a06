"""The process of one server: `python -m experiments.servers.process FOLDER SOCKET WORKERS CORE`.

FOLDER holds what `experiments.servers.serving` wrote for it, SOCKET is the number of a listening socket that it
inherits, CORE the core that it is to run on (`any`: wherever). It ends when something comes over its
standard input, or that is closed, as it is when the process that started it has ended, however that was. What an
application needs is imported for that application alone, so that memory is its own.
"""

import json
import os
import signal
import socket
import sys
import time
from importlib import import_module, util
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread
from typing import Any, Final

FOLDER: Final = "SECURE_API_EXPERIMENT_FOLDER"
PROTECTION: Final = "protection.json"
KEYS: Final = "keys.json"
HOME: Final = "home"
APPLICATION: Final = "application"
ANYWHERE: Final = "any"
#: Seconds that a server has to end by itself.
GRACE: Final = 5.0


def application() -> Any:
    """Make the application of the folder that the environment names: the factory that uvicorn calls."""
    from experiments.servers.protection import Protection

    if parent_process() is not None:  # one of several workers
        _watch()
    folder = Path(os.environ[FOLDER])
    if (other := folder / APPLICATION).exists():
        return named(other.read_text())(folder)
    protection = Protection.from_json((folder / PROTECTION).read_text())
    keys = json.loads((folder / KEYS).read_text())
    if protection.ours:
        from experiments.servers import ours

        return ours.build(folder / HOME)
    if protection.kind == "bearer":
        from experiments.servers import bearer

        return bearer.build(keys["pem"], protection.algorithm, once=protection.once)
    if protection.kind == "http-message-signatures":
        from experiments.servers import message_signatures

        return message_signatures.build(protection.algorithm, bytes.fromhex(keys["raw"]), protection.provider)
    from experiments.servers.route import make_app

    return make_app()


def named(name: str) -> Any:
    """Import what "module:name" or "file.py:name" stands for."""
    module, _, attribute = name.rpartition(":")
    if not module.endswith(".py"):
        return getattr(import_module(module), attribute)
    spec = util.spec_from_file_location(Path(module).stem, module)
    if spec is None or spec.loader is None:
        raise ImportError(f"{module} is no Python file")
    found = util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return getattr(found, attribute)


def main() -> None:
    """Serve until told to stop."""
    folder, listening, workers, core = sys.argv[1:]
    _run_on(ANYWHERE)  # servers start side by side, and go to their core before they have threads
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    os.environ[FOLDER] = folder
    config = uvicorn.Config(
        "experiments.servers.process:application",
        factory=True,
        workers=int(workers),
        access_log=False,
        log_level="error",
        timeout_graceful_shutdown=5,
    )
    listener = socket.socket(fileno=int(listening))
    if config.workers > 1:
        _run_on(core)
        _watch()
        Multiprocess(config, sockets=[listener]).run()
        return
    config.load()
    _run_on(core)
    _watch()
    uvicorn.Server(config).run(sockets=[listener])


def _watch() -> None:
    Thread(target=_end_with_input, daemon=True).start()


def _end_with_input() -> None:
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(GRACE)
    os.kill(os.getpid(), signal.SIGKILL)  # the loop hangs


def _run_on(core: str) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1) if core == ANYWHERE else {int(core)})


if __name__ == "__main__":
    main()
