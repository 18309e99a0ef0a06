"""Signature-Input, Signature and the signature base of RFC 9421: what exactly was signed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from crypto.errors import FieldSyntaxError, ProfileError
from crypto.messages import Request
from crypto.profile import COMPONENTS
from crypto.structured_fields import (
    MAX_FIELD_BYTES,
    MAX_MEMBERS,
    BareItem,
    InnerList,
    parse_byte_sequences,
    parse_inner_lists,
    serialize_string,
)

_COMPONENT: Final = re.compile(r'"(@?[a-z0-9!#$%&\'*+.^_`|~-]++)"(.*+)')
_PARAMETERS: Final = frozenset(("created", "expires", "nonce", "keyid", "alg", "tag"))


@dataclass(frozen=True, slots=True)
class SignatureInput:
    """One member of Signature-Input (RFC 9421 §2.3, §4.1).

    `components` are names, such as `@method`; a component with parameters is its name followed by them as
    they were serialized, such as `@query-param;name="x"`. A parameter that is absent is None. `unknown` names
    the parameters that RFC 9421 does not define. `text` is the exact inner list with its parameters.
    """

    label: str
    components: tuple[str, ...]
    text: str
    created: int | None = None
    expires: int | None = None
    nonce: str | None = None
    keyid: str | None = None
    alg: str | None = None
    tag: str | None = None
    unknown: tuple[str, ...] = ()

    @classmethod
    def compose(
        cls,
        label: str,
        components: Sequence[str],
        *,
        created: int | None = None,
        expires: int | None = None,
        nonce: str | None = None,
        keyid: str | None = None,
        alg: str | None = None,
        tag: str | None = None,
    ) -> SignatureInput:
        """Return the member with these parameters; those that are None are left out. Raises FieldSyntaxError."""
        items = " ".join(_serialize_component(component) for component in components)
        parts = [f"({items})"]
        for name, number in (("created", created), ("expires", expires)):
            if number is not None:
                parts.append(f"{name}={number:d}")
        for name, text in (("nonce", nonce), ("keyid", keyid), ("alg", alg), ("tag", tag)):
            if text is not None:
                parts.append(f"{name}={serialize_string(text)}")
        # Reading it back checks label, components and number ranges by the grammar that a verifier applies.
        members = parse_signature_input(f"{label}={';'.join(parts)}".encode(errors="surrogatepass"))
        if list(members) != [label]:
            raise FieldSyntaxError("malformed-field", f"not a label: {label!r}")
        if members[label].components != tuple(components):
            raise FieldSyntaxError("malformed-field", f"not components: {', '.join(components)}")
        return members[label]


def parse_signature_input(
    field: bytes, *, max_labels: int = MAX_MEMBERS, max_bytes: int = MAX_FIELD_BYTES
) -> dict[str, SignatureInput]:
    """Return the members of a Signature-Input field by label. Raises FieldSyntaxError."""
    members = parse_inner_lists(field, max_members=max_labels, max_bytes=max_bytes)
    return {label: _signature_input(label, member) for label, member in members.items()}


def parse_signature(
    field: bytes, *, max_labels: int = MAX_MEMBERS, max_bytes: int = MAX_FIELD_BYTES
) -> dict[str, bytes]:
    """Return the members of a Signature field by label. Raises FieldSyntaxError."""
    return parse_byte_sequences(field, max_members=max_labels, max_bytes=max_bytes)


def signature_base(request: Request, signature_input: SignatureInput) -> bytes:
    """Return the signature base (RFC 9421 §2.5). Raises ProfileError, FieldSyntaxError."""
    components = signature_input.components
    if components is COMPONENTS and (usual := request.usual_components()) is not None:
        return f'{usual}\n"@signature-params": {signature_input.text}'.encode("ascii")
    if len(set(components)) != len(components):
        raise ProfileError("coverage", "a component is covered twice")
    lines = [f'"{name}": {request.component(name)}' for name in components]
    lines.append(f'"@signature-params": {signature_input.text}')
    return "\n".join(lines).encode("ascii")


def _signature_input(label: str, member: InnerList) -> SignatureInput:
    parameters = member.parameters
    unknown = () if parameters.keys() <= _PARAMETERS else tuple(sorted(parameters.keys() - _PARAMETERS))
    return SignatureInput(
        label,
        _component_names(member.items),
        member.text,
        _integer(parameters, "created"),
        _integer(parameters, "expires"),
        _string(parameters, "nonce"),
        _string(parameters, "keyid"),
        _string(parameters, "alg"),
        _string(parameters, "tag"),
        unknown,
    )


def _integer(parameters: Mapping[str, BareItem], name: str) -> int | None:
    value = parameters.get(name)
    # The exact type: a boolean is an int to isinstance, and a token is a str.
    if value is None or type(value) is int:
        return value
    raise FieldSyntaxError("malformed-field", f"the parameter {name} is not an integer")


def _string(parameters: Mapping[str, BareItem], name: str) -> str | None:
    value = parameters.get(name)
    if value is None or type(value) is str:
        return value
    raise FieldSyntaxError("malformed-field", f"the parameter {name} is not a string")


@lru_cache(maxsize=64)
def _component_names(items: tuple[str, ...]) -> tuple[str, ...]:
    names = []
    for item in items:
        match = _COMPONENT.fullmatch(item)
        if match is None:
            raise FieldSyntaxError("malformed-field", f"not a component identifier: {item}")
        names.append(match[1] + match[2])
    return tuple(names)


def _serialize_component(component: str) -> str:
    name, semicolon, parameters = component.partition(";")
    return f"{serialize_string(name)}{semicolon}{parameters}"
