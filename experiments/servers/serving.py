"""Servers that run in this process's name: one for all arms that differ in nothing but the size of their requests."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from experiments.errors import DefinitionError, Unavailable
from experiments.instances.affinity import move_to_core
from experiments.servers.bearer import public_pem
from experiments.servers.home import make_home
from experiments.servers.keys import client_key, require_provider
from experiments.servers.places import Place, place_of
from experiments.servers.process import APPLICATION, HOME, KEYS, PROTECTION
from experiments.servers.protection import Protection
from experiments.servers.server import Server
from experiments.subject import Setting


@dataclass(frozen=True, slots=True)
class Plan:
    """A server that is to be: `workers` processes behind one socket.

    `pinned`: on the core that the setting gives to servers; otherwise it and its load run on any. `application` takes
    the place of the protection's own: "module:name" or "file.py:name" of a function that is given the server's folder.
    Raises DefinitionError.
    """

    protection: Protection
    workers: int = 1
    pinned: bool = True
    application: str | None = None

    def __post_init__(self) -> None:
        """Refuse workers that would let replays through."""
        if self.workers > 1 and not self.protection.shared:
            raise DefinitionError(f"{self.protection.kind} remembers what was used in one process, not {self.workers}")


@dataclass(slots=True)
class _Running:
    server: Server
    stack: ExitStack
    users: int = 0


_running: dict[Plan, _Running] = {}
_ending: list[_Running] = []


@contextmanager
def served(plan: Plan, setting: Setting) -> Iterator[Server]:
    """Give the server of a plan: started in the setting's folder if there is none, told to end with its last user.

    When no server is left that goes on, all that were told to end have ended.

    Raises Unavailable: a library or a program is not here.
    """
    if plan not in _running:
        _running[plan] = _start(plan, setting)
    held = _running[plan]
    held.users += 1
    try:
        yield held.server
    finally:
        held.users -= 1
        if not held.users:
            held.server.ask_to_end()
            _ending.append(_running.pop(plan))
            while _ending and not _running:
                _ending.pop().stack.close()


def _start(plan: Plan, setting: Setting) -> _Running:
    folder, protection = setting.folder, plan.protection
    with ExitStack() as stack:
        require_provider(protection.provider)
        core, place = setting.server_core if plan.pinned else None, Place()
        if protection.ours:
            place = stack.enter_context(place_of(protection.store, core))
            make_home(folder / HOME, protection, **place.settings)
        (folder / KEYS).write_text(json.dumps(_keys(protection)))
        (folder / PROTECTION).write_text(protection.to_json())
        if plan.application is not None:
            (folder / APPLICATION).write_text(plan.application)
        if not plan.pinned:
            move_to_core(os.getpid(), None)
        server = Server(folder, plan.workers, core, place.service)
        stack.callback(server.stop)
        return _Running(server, stack.pop_all())


def _keys(protection: Protection) -> dict[str, str]:
    """Give what the peers' servers are to believe. Raises Unavailable."""
    if protection.kind == "bearer":
        return {"pem": public_pem(protection.algorithm)}
    if protection.kind == "http-message-signatures":
        _require_message_signatures()
        return {"raw": client_key(protection.algorithm).public_key.raw.hex()}
    return {}


def _require_message_signatures() -> None:
    try:
        import http_message_signatures  # noqa: F401 - asked for before a server needs it
    except ModuleNotFoundError as error:
        raise Unavailable("http-message-signatures is not installed: it is in secure-api[experiments]") from error
