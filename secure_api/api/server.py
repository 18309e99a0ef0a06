"""What the routes of one server share, made by `create_app` and kept on the application's state."""

from dataclasses import dataclass, field
from typing import Any

from crypto import PublicKey
from secure_api.data.database import Database
from secure_api.data.nonces import NonceStore
from secure_api.domain.clock import Clock
from secure_api.domain.limits import Limits
from secure_api.services.sealing_keyring import SealingKeyring
from secure_api.services.sessions import SessionOffice
from secure_api.services.studies.office import StudyOffice


@dataclass(slots=True)
class Server:
    """The parts of one server. `ready` is false before start-up ended and after shutdown began."""

    database: Database
    clock: Clock
    limits: Limits
    server_keys: tuple[PublicKey, ...]
    discovery: dict[str, Any]
    office: SessionOffice
    keyring: SealingKeyring
    nonces: NonceStore
    studies: StudyOffice
    ready: bool = field(default=False)
