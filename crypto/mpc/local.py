"""All parties of a study on one machine, as the processes and over the connections that they would be apart."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from crypto.errors import MpcAborted
from crypto.mpc.abort import AbortReason
from crypto.mpc.boxes import SharedContribution, box_digest, open_box, seal_contribution
from crypto.mpc.certificates import certificate_der, make_certificate, pin_of
from crypto.mpc.job import Deadlines, Job
from crypto.mpc.party import MpcResult, run_party
from crypto.mpc.ring import LIBRARY
from crypto.mpc.terms import MpcTerms
from crypto.mpc.transcript import Entry, Session, order
from crypto.mpc.vectors import pack
from crypto.sealing import SealingPrivateKey, SealingPublicKey
from crypto.secret_files import write_secret_file

if TYPE_CHECKING:
    from numpy.typing import NDArray


def run_local(terms: MpcTerms, contributions: Sequence[NDArray[Any]], deadlines: Deadlines | None = None) -> MpcResult:
    """Share, seal, open and compute with `terms.parties` processes on this machine; returns what all agreed on.

    For trying a study out: whoever runs all parties sees all values. Raises MpcInputError (a contribution),
    MpcAborted, LibraryMissing.
    """
    return asyncio.run(run_locally(terms, contributions, deadlines))


async def run_locally(
    terms: MpcTerms, contributions: Sequence[NDArray[Any]], deadlines: Deadlines | None = None
) -> MpcResult:
    """Do the same within a running event loop."""
    with TemporaryDirectory(prefix="secure-api-mpc-") as folder:
        jobs, sockets = local_jobs(terms, contributions, deadlines or Deadlines(), Path(folder))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(_outcome(job)) for job in jobs]
        finally:
            for listening in sockets:
                listening.close()
    outcomes = [task.result() for task in tasks]
    aborts = [outcome for outcome in outcomes if isinstance(outcome, MpcAborted)]
    if aborts:
        # Who saw it says more than who was told.
        raise min(aborts, key=lambda abort: (abort.told_by is not None, abort.party is None))
    results = [outcome for outcome in outcomes if isinstance(outcome, MpcResult)]
    if len({(result.elements, result.transcript) for result in results}) != 1:
        raise MpcAborted(AbortReason.RESULT_DIFFERS)
    return results[0]


def local_jobs(
    terms: MpcTerms, contributions: Sequence[NDArray[Any]], deadlines: Deadlines, folder: Path
) -> tuple[list[Job], list[socket.socket]]:
    """Return a job for each party, with keys in `folder`, and the sockets that they listen on."""
    keys = [SealingPrivateKey(secrets.token_bytes(32)) for _ in range(terms.parties)]
    public = [SealingPublicKey(key.public_key) for key in keys]
    posted = [
        SharedContribution.from_bytes(
            seal_contribution(terms, values, f"local-{number:06}", public, secrets.token_bytes), terms
        )
        for number, values in enumerate(contributions, 1)
    ]
    entries = order([Entry(item.contributor, tuple(map(box_digest, item.boxes))) for item in posted])
    pins = []
    for index in range(terms.parties):
        key, certificate = make_certificate(datetime.now(UTC))
        write_secret_file(folder / f"party-{index}.key", key)
        write_secret_file(folder / f"party-{index}.crt", certificate)
        pins.append(pin_of(certificate_der(certificate)))
    session = Session(terms, 0, tuple(pins), entries, LIBRARY)
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(terms.parties)]
    addresses = tuple(("127.0.0.1", listening.getsockname()[1]) for listening in sockets)
    jobs = [
        Job(
            session, index, addresses, addresses[index], sockets[index].fileno(),
            str(folder / f"party-{index}.key"), str(folder / f"party-{index}.crt"), deadlines,
            b"".join(pack(terms.field, open_box(terms, item.boxes[index], item.contributor, index, keys[index]))
                     for item in posted),
        )
        for index in range(terms.parties)
    ]  # fmt: skip
    return jobs, sockets


async def _outcome(job: Job) -> MpcResult | MpcAborted:
    try:
        return await run_party(job)
    except MpcAborted as abort:
        return abort
