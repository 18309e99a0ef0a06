"""Rotation of a client's keys, such that a lost answer loses no client."""

from collections.abc import Sequence
from typing import Final

import httpx

from crypto import PrivateKey, PublicKey
from secure_api.cli.answer import Answer
from secure_api.cli.api_call import expect, send
from secure_api.cli.presentation import presenting_body
from secure_api.cli.target import target
from secure_api.client import SignatureAuth

#: What the server says when the old keys do not count any more, or the new ones count already.
_PERHAPS_DONE: Final = {httpx.codes.UNAUTHORIZED, httpx.codes.CONFLICT}


def present_new_keys(
    url: str, old: Sequence[PrivateKey], new: Sequence[PrivateKey], server_key: PublicKey | None
) -> Answer:
    """Replace old keys by new ones at the server; returns the client as it is afterwards.

    A rotation whose answer was lost is found done: the new keys open the client that the old ones belonged to.

    Raises:
        CliError: the server refuses, or is not reachable.
        SigningError: a new key is an old one.
    """
    auth = SignatureAuth(*old, *new, server_key=server_key)
    response = send("POST", target(url, "/v1/clients/me/keys"), presenting_body(new), auth)
    if response.status_code in _PERHAPS_DONE:
        found = send("GET", target(url, "/v1/clients/me"), b"", SignatureAuth(*new, server_key=server_key))
        if found.is_success:
            client = Answer.parse(found.content)
            if {key.keyid for key in old} <= {key["keyid"] for key in client["keys"]}:
                return client
    return expect(response)
