"""The joint computations of the demo: one mean, three ways, and each time what the server got to see."""

import math
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from json import loads
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from secure_api.cli.demo.hospitals import STAYS, THREE, Consortium, Hospital, HospitalGone, plain_mean
from secure_api.cli.demo.stage import PROGRAM, Stage
from secure_api.cli.demo.step import Step
from secure_api.cli.errors import CliError

LOOK_SECONDS: Final = 0.1
PATIENCE: Final = 120.0  # seconds for a study
STAGE_SECONDS: Final = 2  # that the masked study waits for a hospital that has gone
CLOSE_ENOUGH: Final = 1e-3  # days: what is shown has two decimals; each method's own bound is below
STAYING: Final = ("north", "south", "east")


def encrypted(ground: Stage) -> Step:
    """Three hospitals encrypt for the institute's key; the server adds what it cannot read."""
    consortium = Consortium.gather(ground)
    import numpy

    from crypto.homomorphic import HOMOMORPHIC_PARAMETERS, AnalystKey

    institute = consortium.institute.studies
    analyst = AnalystKey.create(HOMOMORPHIC_PARAMETERS["ckks-8192"])
    study = consortium.study("ckks", THREE, {"context": institute.upload_context(analyst.public_context)})
    for name in THREE:
        hospital = consortium.hospitals[name]
        content = hospital.studies.prepare(study, numpy.array(STAYS[name]), hospital.key.keyid)
        hospital.studies.contribute(study["id"], content)
    released = _released(consortium, study)
    with TemporaryDirectory(prefix="secure-api-demo-") as folder:
        path = Path(folder, "analyst.key")
        analyst.save(path, None)
        values = institute.decrypt(released, path, None).values.tolist()
    return _step("ckks: mean of three hospitals, decrypted by the institute", consortium, THREE, values, _beginning)


def shared(ground: Stage) -> Step:
    """Each of the three hospitals runs a compute party, a process of our own program."""
    consortium = Consortium.gather(ground)
    import numpy

    from crypto.mpc.identity import PartyIdentity

    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="secure-api-demo-")))
        made = {name: PartyIdentity.create(folder / name, consortium.now()) for name in THREE}
        parties = [
            identity.description(name, f"127.0.0.1:{port}")
            for (name, identity), port in zip(made.items(), _free_ports(len(made)), strict=True)
        ]
        study = consortium.study("mpc", THREE, {"parties": parties})
        for name in THREE:
            hospital = consortium.hospitals[name]
            hospital.write_profile(folder)
            content = hospital.studies.prepare(study, numpy.array(STAYS[name]), hospital.key.keyid)
            hospital.studies.contribute(study["id"], content)
        consortium.institute.studies.close(study["id"])
        running = [
            subprocess.Popen(  # noqa: S603 - our own program
                [
                    *[*PROGRAM, "mpc", "party", "--study", study["id"], "--folder", str(folder / name)],
                    *["--profile", name, "--config", str(folder), "--json"],
                ],
                env=ground.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for name in THREE
        ]
        for process in running:
            stack.callback(process.wait)
            stack.callback(process.kill)
        ends = [process.communicate(timeout=PATIENCE) for process in running]
    if any(process.returncode for process in running):
        raise CliError(f"a compute party failed: {ends[0][1].decode(errors='replace')}")
    values = loads(consortium.institute.studies.result(study["id"]))["values"]
    return _step("mpc: the same by their three compute parties, over TLS", consortium, THREE, values, _beginning)


def masked(ground: Stage) -> Step:
    """Four hospitals mask their values; one has gone when these are collected, and its masks are taken off."""
    consortium = Consortium.gather(ground)
    names = tuple(STAYS)
    keyids = [consortium.hospitals[name].key.keyid for name in names]
    study = consortium.study("masked", names, {"roster": keyids, "stage_seconds": STAGE_SECONDS})
    consortium.hospitals["west"].leaves_before = "/masking/contribution"
    with ThreadPoolExecutor(len(names)) as pool:
        outcomes = [pool.submit(_take_part, consortium.hospitals[name], study) for name in names]
        _until(lambda: consortium.institute.studies.get(study["id"])["contributions"] == len(names))
        consortium.institute.studies.close(study["id"])
        results = [outcome.result(timeout=PATIENCE) for outcome in outcomes]
    gone = [name for name, result in zip(names, results, strict=True) if result is None]
    values: list[float] = (
        next((result["values"] for result in results if result is not None), []) if gone == ["west"] else []
    )
    what = "masked: of four hospitals west drops out; mean of the others"
    return _step(what, consortium, STAYING, values, _words)


def without_the_extra(_ground: Stage) -> Step:
    """Say that the scenes are left out, and what they need."""
    return Step("joint computations: left out", "install secure-api\\[private]", right=True)


def _take_part(hospital: Hospital, study: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return hospital.studies.take_part(study, STAYS[hospital.name], hospital.key, look_seconds=LOOK_SECONDS)
    except HospitalGone:
        return None


def _step(
    what: str,
    consortium: Consortium,
    names: Sequence[str],
    values: Sequence[float],
    seen: Callable[[bytes], str],
) -> Step:
    plain = plain_mean(names)
    right = len(values) == len(plain) and all(map(_close, values, plain))
    north = consortium.hospitals["north"].sent
    hidden = all(_shows_nothing(consortium.hospitals[name]) for name in names)
    more = f"plaintext {_days(plain)}; the server saw {seen(north)} for {_days(STAYS['north'])}"
    return Step(what, _days(values) + " days", right and hidden, more)


def _days(values: Sequence[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)


def _close(value: float, plain: float) -> bool:
    return math.isclose(value, plain, abs_tol=CLOSE_ENOUGH)


def _shows_nothing(hospital: Hospital) -> bool:
    """Tell whether something was sent, and none of the values stands in it."""
    return bool(hospital.sent) and not any(struct.pack("<d", value) in hospital.sent for value in STAYS[hospital.name])


def _beginning(content: bytes) -> str:
    return f"{len(content):,} B {content[-6:].hex()}..."


def _words(content: bytes) -> str:
    """Show the masked values: the last of the message, before the masked one that counts contributors."""
    numbers = struct.unpack("<4I", content[-16:])[:3]
    return " ".join(map(str, numbers))


def _released(consortium: Consortium, study: dict[str, Any]) -> dict[str, Any]:
    studies = consortium.institute.studies
    studies.close(study["id"])
    _until(lambda: studies.get(study["id"])["state"] in {"released", "aborted"})
    return studies.get(study["id"])


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise CliError("a study takes too long")
        time.sleep(LOOK_SECONDS)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


SCENES: Final = (encrypted, shared, masked)
