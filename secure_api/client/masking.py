"""A contributor's part of a masked study over HTTP: five messages, each when the server waits for it.

The secrets live in this process alone. A contributor that ends in between has dropped out, and the sum goes on without
it as long as enough are left; it cannot come back into the same sum, for new secrets would be those of somebody else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from crypto import CryptoError, MaskingClient, PrivateKey, PublicKey, SignatureAlgorithm
from crypto.base64url import decode_base64url
from crypto.masking.parameters import MaskedStudy
from secure_api.client.errors import ServerUnusable
from secure_api.client.studies import JSON, OCTETS, Send

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LOOK_SECONDS: Final = 1.0
PATIENCE: Final = 7 * 86_400.0  # seconds for the whole of it
STAGES: Final = ("advertisement", "sharing", "contribution", "confirmation", "reveal")


@dataclass(frozen=True, slots=True)
class MaskedContributor:
    """Contributes to one masked study with the key that is on its roster.

    `study` is what `StudyClient.get` returned. `pause` waits so many seconds, `told` hears what is done next.
    """

    send: Send
    study: Mapping[str, Any]
    key: PrivateKey
    look_seconds: float = LOOK_SECONDS
    patience: float = PATIENCE
    pause: Callable[[float], None] = time.sleep
    told: Callable[[str], None] = lambda _: None

    def run(self, values: ArrayLike) -> dict[str, Any]:
        """Take part from the first message to the released result, which is returned.

        Raises:
            ServerUnusable: the study was aborted, went on without this client, or its description makes no sense.
            CryptoError: values outside the bounds; or the server lied, and nothing was revealed to it.
        """
        masked = self._terms()
        index = masked.index_of(self.key.public_key.keyid)
        if index is None:
            raise ServerUnusable("the profile's key is not on the roster of the study")
        encoded = masked.encode(values)
        roster = masked.roster_of(self._keys(self._object("/roster")))
        client = MaskingClient.join(masked.terms, roster, index)
        self._put("advertisement", client.advertise(self.key))
        self._await("sharing")
        self._put("sharing", client.share(self._read("participants"), self.key))
        self._await("contribution")
        client.receive(self._read("delivery"))
        self._put("contribution", client.contribute(encoded))
        self._await("confirmation")
        self._put("confirmation", client.confirm(self._read("survivors"), self.key))
        self._await("reveal")
        self._put("reveal", client.reveal(self._read("confirmations")))
        self._await("released")
        return self._object("/result")

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

    def _await(self, wanted: str) -> None:
        """Wait until the study waits for messages of a stage, or is released."""
        self.told(f"waiting for {wanted}")
        waited = 0.0
        while True:
            standing = self._standing()
            state, stage = standing.get("state"), standing.get("stage")
            if state == "aborted":
                raise ServerUnusable("the study was aborted")
            if state == wanted or (state == "computing" and stage == wanted):
                return
            if state == "released" or (stage in STAGES and wanted in STAGES and _later(stage, wanted)):
                raise ServerUnusable("the study went on without this client")
            if waited >= self.patience:
                raise ServerUnusable(f"the study is still {state}, waiting for {stage}")
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
