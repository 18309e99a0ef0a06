"""The process that parses a public context: `python -m crypto.homomorphic.inspector`, context in, facts out.

SEAL ends the process on some bytes, so that hostile ones are parsed here and nowhere else. It may use one minute of CPU
and four gigabytes.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any, Final

from crypto.errors import ContextRefused, CryptoError, LibraryMissing
from crypto.homomorphic.contexts import facts_of, read_context

CPU_SECONDS: Final = 60
MEMORY_BYTES: Final = 4 << 30


def inspect(content: bytes) -> str:
    """Return the facts of a public context as JSON. Raises ContextRefused, LibraryMissing."""
    context: Any = read_context(content)
    if context.is_private():
        raise ContextRefused("the context carries a secret key: whoever has it reads every contribution")
    if not context.has_public_key():
        raise ContextRefused("the context carries no public key: nobody could contribute")
    if context.has_galois_keys() or context.has_relin_keys():
        raise ContextRefused("the context carries evaluation keys, which sums do not need")
    return facts_of(context, hashlib.sha256(content).hexdigest()).to_json()


def main() -> None:
    """Serve one context; what is wrong with it goes to stdout as JSON, too."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except ImportError:  # a system without such limits: the caller's deadline stays
        pass
    try:
        answer = inspect(sys.stdin.buffer.read())
    except LibraryMissing as error:
        answer = json.dumps({"failed": str(error)})
    except CryptoError as error:
        answer = json.dumps({"refused": str(error)})
    sys.stdout.buffer.write(answer.encode())


if __name__ == "__main__":
    main()
