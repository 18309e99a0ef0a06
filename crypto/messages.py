"""An HTTP request as its signer and its verifier both see it (RFC 9421 §2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from crypto.errors import FieldSyntaxError, ProfileError

_UNSAFE: Final = re.compile(r"[^\x20-\x7e\t]")
_DEFAULT_PORTS: Final[Mapping[str, str]] = {"https": ":443", "http": ":80"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request's signable parts.

    `path` and `query` are raw: percent-encoded ASCII as sent, `path` never empty, `query` without its
    question mark and empty if there is none. `headers` are name and value in the order of their lines, as
    ASGI gives them. `scheme` is that of the client's URL. Nothing is checked here; `component` refuses values
    that cannot be signed.
    """

    method: str
    authority: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    scheme: str = "https"
    _lines: dict[bytes, tuple[bytes, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the field lines by lower-case name."""
        lines: dict[bytes, tuple[bytes, ...]] = {}
        for name, value in self.headers:
            key = name.lower()
            lines[key] = (*lines[key], value) if key in lines else (value,)
        object.__setattr__(self, "_lines", lines)

    def field_lines(self, name: bytes) -> tuple[bytes, ...]:
        """Return the values of a field's lines (lower-case name), in order; none if the field is absent."""
        return self._lines.get(name, ())

    def field(self, name: bytes) -> bytes | None:
        """Return the field's value with its lines trimmed and joined by `, ` (RFC 9421 §2.1), or None."""
        lines = self._lines.get(name)
        if lines is None:
            return None
        if len(lines) == 1:
            return lines[0].strip(b" \t")
        return b", ".join(line.strip(b" \t") for line in lines)

    def component(self, name: str) -> str:
        """Return the value of a plain component: a derived one of RFC 9421 §2.2, or a field.

        Raises ProfileError if the request has no such component, FieldSyntaxError if its value is not
        printable ASCII (a line break in a value could forge other lines of the signature base).
        """
        value = self._derive(name) if name.startswith("@") else self._field_text(name)
        if _UNSAFE.search(value) is not None:
            raise FieldSyntaxError("malformed-field", f"the value of {name} is not printable ASCII")
        return value

    def usual_components(self) -> str | None:
        """Return the lines of the profile's components as `signature_base` would write them, six at once.

        None where a value needs a closer look: not plain printable ASCII, missing, or on several lines.
        """
        try:
            (content_type,), (content_digest,) = self._lines[b"content-type"], self._lines[b"content-digest"]
        except (KeyError, ValueError):
            return None
        path, query = self.path, self.query
        type_text = content_type.strip(b" \t").decode("latin-1")
        digest_text = content_digest.strip(b" \t").decode("latin-1")
        # A line break is not printable; what has none cannot forge a line.
        whole = f"{self.method}{self.authority}{path}{query}{type_text}{digest_text}"
        if not (path and whole.isascii() and whole.isprintable()):
            return None
        return (
            f'"@method": {self.method}\n"@authority": {self._normal_authority()}\n"@path": {path}\n'
            f'"@query": ?{query}\n"content-type": {type_text}\n"content-digest": {digest_text}'
        )

    def _field_text(self, name: str) -> str:
        if ";" in name:
            raise ProfileError("coverage", f"the component {name} has parameters, which are not known")
        value = self.field(name.encode("ascii"))
        if value is None:
            raise ProfileError("coverage", f"the request has no field {name}, which the signature covers")
        return value.decode("latin-1")

    def _derive(self, name: str) -> str:
        match name:
            case "@method":
                return self.method
            case "@authority":
                return self._normal_authority()
            case "@path":
                return self.path or "/"
            case "@query":
                return f"?{self.query}"
            case "@scheme":
                return self.scheme.lower()
            case "@request-target":
                return self._target()
            case "@target-uri":
                return f"{self.scheme.lower()}://{self._normal_authority()}{self._target()}"
        raise ProfileError("coverage", f"the component {name} is not known")

    def _normal_authority(self) -> str:
        # Some letters beyond ASCII are ASCII in lower case, such as the Kelvin sign.
        if not self.authority.isascii():
            raise FieldSyntaxError("malformed-field", "the authority is not ASCII")
        # RFC 9110 §4.2.3: lower case, without the scheme's own port or an empty one.
        authority = self.authority.lower()
        default = _DEFAULT_PORTS.get(self.scheme.lower())
        if default is not None:
            authority = authority.removesuffix(default)
        return authority.removesuffix(":")

    def _target(self) -> str:
        path = self.path or "/"
        return f"{path}?{self.query}" if self.query else path
