"""The process of one server: `python -m experiments.servers.process FOLDER PORT WORKERS`.

FOLDER holds what `experiments.servers.server` wrote for it. It ends by SIGINT or SIGTERM.
"""

import json
import os
import sys
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI

from crypto import PublicKey, SignatureAlgorithm
from experiments.servers import bearer, message_signatures, ours, route
from experiments.servers.protection import Protection

FOLDER: Final = "SECURE_API_EXPERIMENT_FOLDER"
PROTECTION: Final = "protection.json"
KEYS: Final = "keys.json"
HOME: Final = "home"


def application() -> FastAPI:
    """Make the application of the folder that the environment names: the factory that uvicorn calls."""
    folder = Path(os.environ[FOLDER])
    protection = Protection.from_json((folder / PROTECTION).read_text())
    keys = json.loads((folder / KEYS).read_text())
    if protection.ours:
        return ours.build(folder / HOME)
    if protection.kind == "bearer":
        return bearer.build(keys["pem"], protection.algorithm, once=protection.once)
    if protection.kind == "http-message-signatures":
        public_key = PublicKey.from_raw(SignatureAlgorithm(protection.algorithm), bytes.fromhex(keys["raw"]))
        return message_signatures.build(public_key, protection.provider)
    return route.make_app()


def main() -> None:
    """Serve until told to stop."""
    folder, port, workers = sys.argv[1:]
    os.environ[FOLDER] = folder
    uvicorn.run(
        "experiments.servers.process:application",
        factory=True,
        host="127.0.0.1",
        port=int(port),
        workers=int(workers),
        access_log=False,
        log_level="error",
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
