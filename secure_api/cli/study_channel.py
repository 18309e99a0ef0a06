"""The studies of a profile's server, for the commands of `secure-api study`."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from secure_api.cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secure_api.client.studies import StudyClient


@contextmanager
def studies_of(profile: str, config: Path | None) -> "Iterator[StudyClient]":
    """Open a connection as a profile; whatever goes wrong on it is one line with an exit status.

    A server that goes away in the middle is waited for: see `Patience`.
    """
    from httpx import HTTPStatusError

    from secure_api.cli.api_call import code_of, complaint, hint_for, server_key_of
    from secure_api.cli.channel import Channel
    from secure_api.cli.keyring import read_profile
    from secure_api.cli.target import target
    from secure_api.client import SignatureAuth
    from secure_api.client.studies import StudyClient, patient

    account, keys = read_profile(profile, config)
    with Channel(account.url, SignatureAuth(*keys, server_key=server_key_of(account))) as channel:

        def send(method: str, path: str, content: bytes, content_type: str) -> bytes:
            response = channel.send(method, target(account.url, path), content, [("Content-Type", content_type)])
            try:
                response.raise_for_status()
            except HTTPStatusError as error:
                raise CliError("\n".join(complaint(response)), code_of(response), hint_for(response)) from error
            return response.content

        yield StudyClient(patient(send))
