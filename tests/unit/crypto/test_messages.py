from __future__ import annotations

from dataclasses import replace

import pytest

from crypto import CryptoError, FieldSyntaxError, ProfileError, Request

REQUEST = Request("GET", "example.com", "/path", "", ())


@pytest.mark.parametrize(
    ("scheme", "authority", "normal"),
    [
        ("https", "example.com", "example.com"),
        ("https", "EXAMPLE.com", "example.com"),
        ("https", "example.com:443", "example.com"),
        ("HTTPS", "example.com:443", "example.com"),
        ("http", "example.com:443", "example.com:443"),
        ("http", "example.com:80", "example.com"),
        ("https", "example.com:80", "example.com:80"),
        ("https", "example.com:8443", "example.com:8443"),
        ("https", "example.com:4430", "example.com:4430"),
        ("https", "example.com:1443", "example.com:1443"),
        ("https", "example.com:", "example.com"),
        ("ftp", "example.com:", "example.com"),
        ("ftp", "example.com:443", "example.com:443"),
        ("https", "[2001:DB8::1]", "[2001:db8::1]"),
        ("https", "[2001:db8::443]", "[2001:db8::443]"),
        ("https", "[2001:db8::1]:443", "[2001:db8::1]"),
        ("https", "192.0.2.1:443", "192.0.2.1"),
        ("https", "localhost:8000", "localhost:8000"),
    ],
)
def test_the_authority_is_normalized(scheme: str, authority: str, normal: str) -> None:
    request = replace(REQUEST, scheme=scheme, authority=authority)
    assert request.component("@authority") == normal
    assert request.component("@target-uri") == f"{scheme.lower()}://{normal}/path"


@pytest.mark.parametrize(
    ("path", "query", "components"),
    [
        ("/path", "", {"@path": "/path", "@query": "?", "@request-target": "/path"}),
        ("/path", "a=1&b=%20", {"@path": "/path", "@query": "?a=1&b=%20", "@request-target": "/path?a=1&b=%20"}),
        ("/path", "?", {"@path": "/path", "@query": "??", "@request-target": "/path??"}),
        ("/", "x", {"@path": "/", "@query": "?x", "@request-target": "/?x"}),
        ("", "", {"@path": "/", "@query": "?", "@request-target": "/"}),
        ("", "x", {"@path": "/", "@query": "?x", "@request-target": "/?x"}),
        ("/a%2Fb/../c//d", "", {"@path": "/a%2Fb/../c//d", "@query": "?", "@request-target": "/a%2Fb/../c//d"}),
        ("/A%2f", "B%3d", {"@path": "/A%2f", "@query": "?B%3d", "@request-target": "/A%2f?B%3d"}),
    ],
)
def test_path_and_query_are_taken_as_they_were_sent(path: str, query: str, components: dict[str, str]) -> None:
    request = replace(REQUEST, path=path, query=query)
    assert {name: request.component(name) for name in components} == components
    assert request.component("@target-uri") == "https://example.com" + components["@request-target"]


def test_the_method_is_case_sensitive_and_the_scheme_is_not() -> None:
    request = replace(REQUEST, method="Get", scheme="HTTPS")
    assert request.component("@method") == "Get"
    assert request.component("@scheme") == "https"


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ([b"a"], "a"),
        ([b""], ""),
        ([b" \t a b \t"], "a b"),
        ([b"a", b"b"], "a, b"),
        ([b" a ", b"\tb\t"], "a, b"),
        ([b"a, b", b"c"], "a, b, c"),
        ([b"", b""], ", "),
        ([b"a", b"", b"c"], "a, , c"),
        ([b"a\tb"], "a\tb"),
        ([b'"quoted, comma"'], '"quoted, comma"'),
    ],
)
def test_lines_of_a_field_are_trimmed_and_joined(lines: list[bytes], value: str) -> None:
    headers = ((b"other", b"x"), *((b"field", line) for line in lines), (b"field-2", b"y"))
    request = replace(REQUEST, headers=headers)
    assert request.component("field") == value
    assert request.field(b"field") == value.encode()
    assert request.field_lines(b"field") == tuple(lines)


def test_names_of_fields_are_compared_in_lower_case() -> None:
    request = replace(REQUEST, headers=((b"Content-Type", b"a"), (b"content-type", b"b"), (b"CONTENT-TYPE", b"c")))
    assert request.component("content-type") == "a, b, c"


def test_a_field_that_is_absent_is_none() -> None:
    assert REQUEST.field(b"field") is None
    assert REQUEST.field_lines(b"field") == ()
    with pytest.raises(ProfileError, match="coverage: the request has no field field"):
        REQUEST.component("field")


@pytest.mark.parametrize("name", ["@status", "@query-param", '@query-param;name="a"', "@", "@Method", "@method;req"])
def test_other_derived_components_are_refused(name: str) -> None:
    with pytest.raises(ProfileError, match="is not known"):
        REQUEST.component(name)


@pytest.mark.parametrize("name", ["field;sf", 'field;key="a"', "field;bs", "field;req", "field;tr"])
def test_parameters_of_a_field_are_refused(name: str) -> None:
    request = replace(REQUEST, headers=((b"field", b"a=1"), (name.encode(), b"taken at its word")))
    with pytest.raises(ProfileError, match="parameters, which are not known"):
        request.component(name)


@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\x1f", "\x7f", "\x80", "\xa0", "é", "\xff", "\v", "\x85"])
def test_a_value_beyond_printable_ascii_is_refused(character: str) -> None:
    """A line break would let one value forge further lines of the signature base."""
    value = f'x{character}"@path": /admin'
    request = Request(value, value, value, value, ((b"field", value.encode("latin-1")),), value)
    for name in ("@method", "@authority", "@path", "@query", "@scheme", "@request-target", "@target-uri", "field"):
        with pytest.raises(FieldSyntaxError) as caught:
            request.component(name)
        assert caught.value.reason == "malformed-field"


@pytest.mark.parametrize("authority", ["\u212aelvin.example", "\u0130.example", "\u20ac", "\ud800"])
def test_an_authority_beyond_ascii_is_refused(authority: str) -> None:
    with pytest.raises(FieldSyntaxError, match="not ASCII"):
        replace(REQUEST, authority=authority).component("@authority")


@pytest.mark.parametrize("field", ["method", "path", "query", "scheme"])
@pytest.mark.parametrize("value", ["\u20ac", "\ud800", "\u2028", "\uff0f"])
def test_characters_that_no_request_carries_are_refused(field: str, value: str) -> None:
    request = Request(**{"method": "GET", "authority": "a", "path": "/", "query": "", "headers": (), field: value})  # type: ignore[arg-type]
    with pytest.raises(CryptoError):
        request.component(f"@{field}")


def test_requests_are_values() -> None:
    request = Request("GET", "example.com", "/path", "", ())
    assert request == REQUEST
    assert hash(request) == hash(REQUEST)
    assert request != replace(REQUEST, headers=((b"field", b"a"),))
    assert replace(REQUEST, headers=((b"field", b"a"),)).component("field") == "a"
