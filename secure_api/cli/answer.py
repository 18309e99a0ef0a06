"""What a secure-api server answered, as JSON whose members are there or named as missing."""

import json
from typing import Any

from secure_api.cli.errors import CliError


class Answer(dict[str, Any]):
    """An object of an answer; a member that is missing is an error of the server's, not ours."""

    def __missing__(self, name: str) -> Any:
        """Name the member that is missing.

        Raises:
            CliError: always.
        """
        raise CliError(f"the server's answer has no {name}", hint="is that URL a secure-api server's?")

    @classmethod
    def parse(cls, body: bytes) -> "Answer":
        """Read the body of an answer.

        Raises:
            CliError: it is not a JSON object.
        """
        try:
            answer = json.loads(body, object_hook=cls)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, cls):
            raise CliError("the server's answer is not a JSON object", hint="is that URL a secure-api server's?")
        return answer
