"""Hostile bytes: what is left of good ones after a few mutations."""

from __future__ import annotations

from hypothesis import strategies as st

PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
#: The characters of which signature fields are made, and some that have no business there.
GRAMMAR = 'sig1=("@method" "content-type";req);created=1;nonce="a\\"b";t=tok;b=:AA==:;f=?0, \t\n\x00é*-_.'

#: Keys of structured fields (RFC 9651 §3.1.2).
keys = st.from_regex(r"\A[a-z*][a-z0-9_.*-]{0,8}\Z")


@st.composite
def mutated(draw: st.DrawFn, source: bytes) -> bytes:
    """The bytes after a few flips, splices, doublings, cuts and insertions, as likely small as large."""
    data = bytearray(source)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + draw(st.sampled_from([1, 8, 400])))))
        match draw(st.sampled_from(["flip", "insert", "remove", "double", "move", "cut", "case"])):
            case "flip" if start < len(data):
                data[start] ^= 1 << draw(st.integers(0, 7))
            case "insert":
                data[start:start] = draw(
                    st.binary(min_size=1, max_size=4) | st.text(GRAMMAR, min_size=1, max_size=4).map(str.encode)
                )
            case "remove":
                del data[start:end]
            case "double":
                data[start:start] = data[start:end]
            case "move":
                piece = bytes(data[start:end])
                del data[start:end]
                place = draw(st.integers(0, len(data)))
                data[place:place] = piece
            case "cut":
                del data[start:]
            case "case":
                data[start:end] = data[start:end].swapcase()
    return bytes(data)
