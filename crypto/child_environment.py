"""What processes of ours inherit: never what this one was told in confidence."""

import os
from typing import Final

# What configures MPyC by environment is not for others to set, and passphrases, keys and URLs are not for a child.
_WITHHELD: Final = ("MPYC_", "SECURE_API_")


def child_environment() -> dict[str, str]:
    """Return the environment for a process that this one starts: without the settings of the server and of MPyC."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_WITHHELD)}
