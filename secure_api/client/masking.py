"""A contributor's part of a masked study over HTTP: five messages, each when the server waits for it.

With a folder, what a contributor has to remember is kept there (`masked_memory`), and one that was ended goes on when
it is run again. Without one, the secrets live in this process alone: a contributor that ends has dropped out, and the
sum goes on without it as long as enough are left.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from crypto import CryptoError, MaskingClient, MaskingClientStage, PrivateKey, PublicKey, SignatureAlgorithm
from crypto.base64url import decode_base64url
from crypto.masking.parameters import MaskedStudy
from crypto.privacy.terms import PrivacyTerms
from secure_api.client.errors import MaskedMemoryUnusable, ServerUnusable
from secure_api.client.masked_memory import MaskedRecord, hold
from secure_api.client.send import JSON, OCTETS, Send

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import ArrayLike, NDArray

LOOK_SECONDS: Final = 1.0
PATIENCE: Final = 400 * 86_400.0  # seconds of one wait: a study may be open for a year
STAGES: Final = ("advertisement", "sharing", "contribution", "confirmation", "reveal")


class _Over(ServerUnusable):
    """The study has nothing to do for this client any more."""


@dataclass(frozen=True, slots=True)
class MaskedContributor:
    """Contributes to one masked study with the key that is on its roster.

    `study` is what `StudyClient.get` returned. `folder` keeps what is needed to go on; unless told, nothing is kept.
    `pause` waits so many seconds, `told` hears what is done next.
    """

    send: Send
    study: Mapping[str, Any]
    key: PrivateKey
    look_seconds: float = LOOK_SECONDS
    patience: float = PATIENCE
    pause: Callable[[float], None] = time.sleep
    told: Callable[[str], None] = lambda _: None
    folder: Path | None = None

    def run(self, values: ArrayLike) -> dict[str, Any]:
        """Take part from the first message, or from where a run before was ended, to the released result.

        Raises:
            ServerUnusable: the study was aborted, went on without this client, or its description makes no sense.
            MaskedMemoryUnusable: what is kept of a run before is damaged, of other terms, or in use.
            CryptoError: values outside the bounds, or others than before; or the server lied: nothing was revealed.
        """
        masked = self._terms()
        index = masked.index_of(self.key.public_key.keyid)
        if index is None:
            raise ServerUnusable("the profile's key is not on the roster of the study")
        encoded = masked.encode(values)
        with hold(masked.terms.study, self.key, self.folder) as record:
            try:
                if not record.over:
                    self._take_part(masked, index, encoded, record)
                self._await("released")
            except _Over:
                record.end()
                raise
            record.end()
        return self._object("/result")

    def _take_part(self, masked: MaskedStudy, index: int, encoded: NDArray[float64], record: MaskedRecord) -> None:
        """Send what is not sent yet. Each step is kept before its message is sent, and says the same when repeated."""
        roster = masked.roster_of(self._keys(self._object("/roster")))
        client = record.client(roster)
        if client is None:
            client = MaskingClient.join(masked.terms, roster, index)
            record.pinned = masked.digest
        elif record.pinned != masked.digest:
            # Another roster would let the server confirm in others' names what it says of survivors now.
            raise MaskedMemoryUnusable("the server describes the study otherwise than before: nothing was sent")
        else:
            self.told(f"going on: {client.stage.name.lower()}")
        if client.stage is MaskingClientStage.JOINED:
            message = record.message or client.advertise(self.key)
            record.keep(client, message)
            self._await("open", "closed", "released", *STAGES)  # anything but aborted
            self._put("advertisement", message)
        if client.stage <= MaskingClientStage.SHARED:
            self._await("sharing", "contribution")
            message = client.share(self._read("participants"), self.key)
            record.keep(client)
            self._put("sharing", message)
            self._await("contribution")
            client.receive(self._read("delivery"))
        if client.stage <= MaskingClientStage.CONTRIBUTED:
            self._await("contribution", "confirmation")
            # Noise is drawn once: another draw under the same masks would be refused here, and show their difference.
            message = record.message or client.contribute(encoded)
            record.keep(client, message if masked.variance else b"")
            self._put("contribution", message)
            self._await("confirmation")
            message = client.confirm(self._read("survivors"), self.key)
            record.keep(client, message)
        if self._await("confirmation", "reveal", "released") != "released":
            self._put("confirmation", record.message)
        if self._await("reveal", "released") != "released":
            try:
                self._put("reveal", client.reveal(self._read("confirmations")))
            except CryptoError:
                raise
            except Exception:
                # What this client revealed in a run before may have been enough, a moment ago.
                if self._standing().get("state") != "released":
                    raise
        record.end()

    def _terms(self) -> MaskedStudy:
        study = self.study
        try:
            if study["method"] != "masked":
                raise ServerUnusable("the study is of another method than masked")
            bounds = study["bounds"]
            return MaskedStudy.parse(
                study["id"],
                study["dimension"],
                float(bounds["low"]),
                float(bounds["high"]),
                study["minimum_contributors"],
                study["parameters"],
                PrivacyTerms.parse(study.get("privacy"), int(study["minimum_contributors"])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ServerUnusable("the server's description of the study makes no sense") from error

    def _keys(self, roster: Mapping[str, Any]) -> list[PublicKey]:
        try:
            return [
                PublicKey(SignatureAlgorithm(key["algorithm"]), decode_base64url(key["public_key"]))
                for key in roster["keys"]
            ]
        except (KeyError, TypeError, ValueError, CryptoError) as error:
            raise ServerUnusable("the server's roster makes no sense") from error

    def _await(self, *wanted: str) -> str:
        """Wait until the study waits for messages of one of these stages, or is `released`; returns which it is."""
        waited = 0.0
        while True:
            standing = self._standing()
            state, stage = standing.get("state"), standing.get("stage")
            if state == "aborted":
                raise _Over("the study was aborted")
            met = stage if state == "computing" else state
            if met in wanted:
                return str(met)
            if state == "released" or (stage in STAGES and wanted[-1] in STAGES and _later(stage, wanted[-1])):
                raise _Over("the study went on without this client")
            if waited >= self.patience:
                raise ServerUnusable(f"the study is still {state}, waiting for {stage}")
            if not waited:
                self.told(f"waiting for {wanted[0]}")
            self.pause(self.look_seconds)
            waited += self.look_seconds

    def _standing(self) -> dict[str, Any]:
        return self._object("/masking")

    def _put(self, stage: str, message: bytes) -> None:
        self.send("PUT", self._path(f"/masking/{stage}"), message, OCTETS)

    def _read(self, name: str) -> bytes:
        return self.send("GET", self._path(f"/masking/told/{name}"), b"", JSON)

    def _object(self, path: str) -> dict[str, Any]:
        try:
            answer = json.loads(self.send("GET", self._path(path), b"", JSON))
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise ServerUnusable("the server's answer is not a JSON object")
        return answer

    def _path(self, path: str) -> str:
        return f"/v1/studies/{quote(str(self.study['id']), safe='')}{path}"


def _later(stage: object, wanted: str) -> bool:
    return STAGES.index(str(stage)) > STAGES.index(wanted)
