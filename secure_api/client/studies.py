"""Studies from Python: create, contribute, look, read and decrypt the result.

`StudyClient` takes a function that sends signed requests (`over` makes one of an `httpx.Client`), so that the command
line, a program and a test can each bring their own.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from secure_api.client.errors import ServerUnusable
from secure_api.client.patience import Patience, is_repeatable
from secure_api.client.send import JSON, OCTETS, Send

if TYPE_CHECKING:
    import httpx

    from crypto import PrivateKey
    from crypto.homomorphic import ContextFacts, HomomorphicTerms, LinearModel
    from crypto.homomorphic.analyst_key import HomomorphicResult
    from crypto.privacy import PrivacyTerms

LINEAR_SCORE: Final = "linear-score"
LINEAR_REGRESSION: Final = "linear-regression"
ENDED: Final = frozenset({"released", "aborted"})


def patient(send: Send, patience: Patience | None = None) -> Send:
    """Give a `send` that outlasts a restart: a server that has answered once is asked again when it does not."""
    chosen, answered = patience or Patience(), False

    def ask(method: str, path: str, content: bytes, content_type: str) -> bytes:
        nonlocal answered
        if not answered:  # a wrong address, or a server that is not running, is told at once
            content = send(method, path, content, content_type)
            answered = True
            return content
        return chosen.ask(lambda: send(method, path, content, content_type), is_repeatable(method, path))

    return ask


class StudyClient:
    """The studies of one server, as one client of it. Each method raises what `send` raises, and ServerUnusable."""

    def __init__(self, send: Send) -> None:
        self._send = send

    @classmethod
    def over(cls, http: httpx.Client, patience: Patience | None = None) -> StudyClient:
        """Make a client over a connection whose `auth` signs requests and whose `base_url` is the server's.

        A server that has answered before, and does not any more, is asked again for as long as `patience` says (five
        minutes). An answer that is no success raises `httpx.HTTPStatusError`.
        """

        def send(method: str, path: str, content: bytes, content_type: str) -> bytes:
            response = http.request(method, path, content=content, headers={"Content-Type": content_type})
            response.raise_for_status()
            return response.content

        return cls(patient(send, patience))

    def upload_context(self, public_context: bytes) -> str:
        """Upload an analyst's public context; returns its fingerprint. Again is fine."""
        fingerprint = self._json("POST", "/v1/contexts", public_context, OCTETS).get("fingerprint")
        if not isinstance(fingerprint, str):
            raise ServerUnusable("the server's answer has no fingerprint")
        return fingerprint

    def create(self, study: Mapping[str, object]) -> dict[str, Any]:
        """Create a study; returns it."""
        return self._json("POST", "/v1/studies", json.dumps(study).encode())

    def get(self, study: str) -> dict[str, Any]:
        """Look at a study. Raises ServerUnusable also when the answer is of another study."""
        found = self._json("GET", _path(study))
        if found.get("id") != study:
            raise ServerUnusable(f"the server describes another study than {study:.64}")
        return found

    def all(self) -> list[dict[str, Any]]:
        """List every study that the client may know of, the newest first."""
        found: list[dict[str, Any]] = []
        path = "/v1/studies"
        while True:
            page = self._json("GET", path)
            try:
                found += page["studies"]
                following = page["next"]
            except (KeyError, TypeError) as error:
                raise ServerUnusable("the server's list of studies makes no sense") from error
            if following is None:
                return found
            path = f"/v1/studies?behind={quote(str(following), safe='')}"

    def prepare(self, study: Mapping[str, Any], values: Any, keyid: str) -> bytes:
        """Encrypt or share the values (floats, as many as the study's dimension) for a study that `get` returned.

        For a linear score the values are the organization's columns: an array of as many rows as the dimension.

        `keyid` is the key that signs the client's requests. Nothing is sent; for CKKS and BFV the study's public
        context is read. Raises CryptoError: values outside the bounds, another number of them, terms that make no
        sense.
        """
        method = study.get("method")
        if method == "ckks":
            from crypto.homomorphic import Encryptor

            encryptor = Encryptor(self._send("GET", _path(study["id"], "/context"), b"", JSON), _fingerprint(study))
            if study.get("statistic") == LINEAR_SCORE:
                values = linear_model(study).part(self._organization(), values)
            return encryptor.encrypt(homomorphic_terms(study, encryptor.facts), values)
        if method == "mpc":
            from crypto.mpc import seal_contribution
            from crypto.mpc.parameters import MpcParameters
            from secure_api.client.mpc import mpc_terms

            keys = MpcParameters.parse(study["parameters"]).sealing_keys
            return seal_contribution(mpc_terms(study), values, keyid, keys, secrets.token_bytes)
        raise ServerUnusable(f"contributions to a study of the method {method!r:.40} are not made in this way")

    def take_part(
        self,
        study: Mapping[str, Any],
        values: Any,
        key: PrivateKey,
        *,
        told: Callable[[str], None] = lambda _: None,
        look_seconds: float = 1.0,
        folder: Path | None = None,
    ) -> dict[str, Any]:
        """Contribute to a masked study that `get` returned, with the key on its roster; stays until its release.

        It looks every `look_seconds` whether its next message is waited for. With a `folder` it can be ended at any
        moment, and goes on when it is called again with the same folder, key and values.

        Returns the result. Raises CryptoError, ClientError: see `MaskedContributor.run`.
        """
        from secure_api.client.masking import MaskedContributor

        return MaskedContributor(self._send, study, key, look_seconds, told=told, folder=folder).run(values)

    def contribute(self, study: str, content: bytes) -> str:
        """Send what `prepare` made; returns its SHA-256 (hexadecimal). The same bytes again are fine."""
        answer = self._json("PUT", _path(study, "/contribution"), content, OCTETS)
        return str(answer.get("sha256"))

    def close(self, study: str) -> None:
        """Take no more contributions."""
        self._send("POST", _path(study, "/close"), b"", JSON)

    def abort(self, study: str, reason: str) -> None:
        """End a study without a result."""
        self._send("POST", _path(study, "/abort"), json.dumps({"reason": reason}).encode(), JSON)

    def budget(self, dataset: str) -> dict[str, Any]:
        """Look at the privacy budget of a dataset of one's organization."""
        return self._json("GET", _budget(dataset))

    def set_budget(
        self, dataset: str, epsilon: float, delta: float, sensitivity: float | None = None
    ) -> dict[str, Any]:
        """Set it: what the dataset's studies may cost together, an epsilon at a delta; and the least sensitivity."""
        budget = {"epsilon": epsilon, "delta": delta, "sensitivity": sensitivity}
        return self._json("PUT", _budget(dataset), json.dumps(budget).encode())

    def result(self, study: str) -> bytes:
        """Read what a study released: JSON, or (method ckks) the encrypted sum."""
        return self._send("GET", _path(study, "/result"), b"", JSON)

    def decrypt(self, study: Mapping[str, Any], key: Path, passphrase: bytes | None) -> HomomorphicResult:
        """Decrypt the result of a study of the method ckks with the analyst's key in a file, which counts it.

        Raises HomomorphicError, KeyFileError, PassphraseError: the key is another one, or used up; the sum is damaged.
        """
        from crypto.homomorphic import AnalystKey

        facts = AnalystKey.load(key, passphrase).facts()
        terms = homomorphic_terms(study, facts)
        content = self.result(study["id"])
        done = AnalystKey.decrypt_with(key, passphrase, terms, facts, content, study["contributions"])
        if study.get("statistic") != LINEAR_SCORE:
            return done
        model = linear_model(study)
        scores, bound = model.scores(done.values, done.bound)
        return replace(done, values=scores, bound=bound, noise=model.noise(done.noise))

    def _organization(self) -> str:
        """Ask the server for the name of the client's own organization, by which a model weighs its columns."""
        return str(self._json("GET", "/v1/clients/me").get("organization"))

    def _json(self, method: str, path: str, content: bytes = b"", content_type: str = JSON) -> dict[str, Any]:
        try:
            answer = json.loads(self._send(method, path, content, content_type))
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise ServerUnusable("the server's answer is not a JSON object")
        return answer


def homomorphic_terms(study: Mapping[str, Any], facts: ContextFacts) -> HomomorphicTerms:
    """Give the terms that contributions to a study are encrypted by.

    Raises ServerUnusable: the study is of another method or context, or makes no sense. Raises HomomorphicError.
    """
    from crypto.homomorphic import HomomorphicTerms
    from crypto.homomorphic.parameters import MAX_CONTRIBUTORS

    if study.get("method") != "ckks":
        raise ServerUnusable("the study is of another method than ckks")
    if (fingerprint := _fingerprint(study)) != facts.fingerprint:
        raise ServerUnusable(f"the study is for another key: {fingerprint:.64}, not {facts.fingerprint}")
    if study.get("statistic") == LINEAR_SCORE:
        return linear_model(study).terms(facts.parameters, int(study["dimension"]), privacy_of(study))
    try:
        parameters, bounds = study["parameters"], study["bounds"]
        return HomomorphicTerms(
            facts.parameters,
            study["statistic"],
            study["dimension"],
            float(bounds["low"]),
            float(bounds["high"]),
            parameters.get("maximum_contributors", MAX_CONTRIBUTORS),
            {name: float(value) for name, value in parameters.get("arguments", {}).items()},
            privacy_of(study),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ServerUnusable("the server's description of the study makes no sense") from error


def privacy_of(study: Mapping[str, Any]) -> PrivacyTerms | None:
    """Give what noise a contributor adds. Raises ServerUnusable, PrivacyError (it is less than declared)."""
    from crypto.privacy import PrivacyTerms

    try:
        return PrivacyTerms.parse(study.get("privacy"), int(study["minimum_contributors"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ServerUnusable("the server's description of the study makes no sense") from error


def linear_model(study: Mapping[str, Any]) -> LinearModel:
    """Give the model of a study of linear scores. Raises ServerUnusable, HomomorphicError."""
    from crypto.homomorphic import LinearModel

    try:
        bounds = study["bounds"]
        return LinearModel.parse(study["parameters"]["model"], float(bounds["low"]), float(bounds["high"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ServerUnusable("the server's description of the study makes no sense") from error


def _fingerprint(study: Mapping[str, Any]) -> str:
    try:
        return str(study["parameters"]["context"])
    except (KeyError, TypeError) as error:
        raise ServerUnusable("the server's description of the study names no context") from error


def _path(study: str, more: str = "") -> str:
    return f"/v1/studies/{quote(study, safe='')}{more}"


def _budget(dataset: str) -> str:
    return f"/v1/datasets/{quote(dataset, safe='')}/budget"
