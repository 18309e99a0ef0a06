"""What a study's parameters say of its parties and its program, read once into typed values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crypto.base64url import decode_base64url
from crypto.errors import CryptoError, MpcTermsError
from crypto.mpc.terms import DEFAULT_CONTRIBUTORS, DEFAULT_FRACTION_BITS, PARTIES, MpcTerms
from crypto.privacy.terms import PrivacyTerms
from crypto.sealing import SealingPublicKey

_MEMBERS: Final = frozenset({"parties", "fraction_bits", "maximum_contributors", "arguments"})
_PARTY: Final = frozenset({"organization", "address", "certificate", "sealing_key"})
_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253}):([0-9]{1,5})")
_PIN: Final = re.compile(r"[0-9a-f]{64}")
_MAX_NAME: Final = 63
_MAX_ARGUMENTS: Final = 8


@dataclass(frozen=True, slots=True)
class PartyDescription:
    """One compute party: who runs it, where it listens, the SHA-256 of its certificate, and what to seal to."""

    organization: str
    host: str
    port: int
    certificate: bytes
    sealing_key: SealingPublicKey


@dataclass(frozen=True, slots=True)
class MpcParameters:
    """The parameters of a study of the method mpc."""

    parties: tuple[PartyDescription, ...]
    fraction_bits: int
    contributors: int
    arguments: Mapping[str, float]

    @classmethod
    def parse(cls, parameters: object) -> MpcParameters:
        """Read a study's parameters. Raises MpcTermsError."""
        if not isinstance(parameters, Mapping):
            raise MpcTermsError("a study's parameters are an object")
        if unknown := set(parameters) - _MEMBERS:
            raise MpcTermsError(f"a multi-party study has no parameter {sorted(unknown)[0]!r:.40}")
        given = parameters.get("parties")
        if not isinstance(given, list | tuple) or len(given) not in PARTIES:
            raise MpcTermsError("parameters.parties lists three or five compute parties")
        parties = tuple(_party(index, item) for index, item in enumerate(given))
        for what, values in (
            ("organization", [party.organization for party in parties]),
            ("certificate", [party.certificate for party in parties]),
            ("sealing_key", [party.sealing_key.raw for party in parties]),
            ("address", [(party.host, party.port) for party in parties]),
        ):
            if len(set(values)) != len(parties):
                raise MpcTermsError(f"two compute parties have one {what}: each is apart from the others")
        arguments = parameters.get("arguments", {})
        if not isinstance(arguments, Mapping) or len(arguments) > _MAX_ARGUMENTS:
            raise MpcTermsError("parameters.arguments are numbers by name")
        numbers = {str(name): _number(f"arguments.{name}", value) for name, value in arguments.items()}
        fraction_bits = _whole("fraction_bits", parameters.get("fraction_bits", DEFAULT_FRACTION_BITS))
        contributors = _whole("maximum_contributors", parameters.get("maximum_contributors", DEFAULT_CONTRIBUTORS))
        return cls(parties, fraction_bits, contributors, numbers)

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """The parties' pins, in their order."""
        return tuple(party.certificate for party in self.parties)

    @property
    def sealing_keys(self) -> tuple[SealingPublicKey, ...]:
        """What to seal to, in the order of the parties."""
        return tuple(party.sealing_key for party in self.parties)

    def terms(
        self,
        study: str,
        statistic: str,
        dimension: int,
        low: float,
        high: float,
        minimum: int,
        privacy: PrivacyTerms | None = None,
    ) -> MpcTerms:
        """Return the terms that these parameters and a study's own make. Raises MpcTermsError."""
        return MpcTerms(
            study,
            statistic,
            dimension,
            low,
            high,
            parties=len(self.parties),
            contributors=self.contributors,
            fraction_bits=self.fraction_bits,
            arguments=self.arguments,
            minimum=minimum,
            privacy=privacy,
        )


def _party(index: int, item: object) -> PartyDescription:
    where = f"parameters.parties[{index}]"
    if not isinstance(item, Mapping) or set(item) != _PARTY:
        raise MpcTermsError(f"{where} has {', '.join(sorted(_PARTY))}, and nothing else")
    organization, address, certificate, key = (
        item[name] for name in ("organization", "address", "certificate", "sealing_key")
    )
    if not isinstance(organization, str) or not 0 < len(organization) <= _MAX_NAME:
        raise MpcTermsError(f"{where}.organization is the name of an organization")
    match = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if match is None or not 0 < int(match[2]) < 2**16:
        raise MpcTermsError(f"{where}.address is host:port")
    if not isinstance(certificate, str) or _PIN.fullmatch(certificate) is None:
        raise MpcTermsError(f"{where}.certificate is a SHA-256 in 64 hexadecimal digits")
    try:
        public_key = SealingPublicKey(decode_base64url(key if isinstance(key, str) else ""))
    except CryptoError as error:
        raise MpcTermsError(f"{where}.sealing_key: {error}") from None
    return PartyDescription(organization, match[1].strip("[]"), int(match[2]), bytes.fromhex(certificate), public_key)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MpcTermsError(f"parameters.{name:.60} is a number")
    return float(value)


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise MpcTermsError(f"parameters.{name} is a whole number")
    return value
