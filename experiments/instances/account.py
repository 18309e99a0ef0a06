"""As whom a private server runs, and the folder that it works in."""

import contextlib
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from experiments.errors import Unavailable


def unprivileged() -> dict[str, Any]:
    """Give the arguments of Popen that run a server which refuses to be root: as `nobody`, where we are root.

    Raises:
        Unavailable: there is no such user.
    """
    if os.geteuid() != 0:
        return {}
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise Unavailable("the server refuses to run as root, and there is no user `nobody`") from None
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def folder_of(account: dict[str, Any], prefix: str) -> Iterator[Path]:
    """Make a temporary folder that belongs to an account, and remove it in the end."""
    # Not below a folder of the caller's: that one may be closed to other users.
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        if account:
            os.chown(folder, account["user"], account["group"])
        yield folder
    finally:
        shutil.rmtree(folder)
