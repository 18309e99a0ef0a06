"""As whom a private server runs, and the folder that it works in."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from experiments.errors import Unavailable

# Waits for its input to close, then removes the folder ($0); again, as a server in it may be ending meanwhile.
_ORPHANED: Final = 'read _; for _ in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$0"; sleep 1; test -e "$0" || exit 0; done'


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
    """Make a temporary folder that belongs to an account, and remove it in the end, even if we are killed before."""
    # Not below a folder of the caller's: that one may be closed to other users.
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        with _removed_behind(folder):
            if account:
                os.chown(folder, account["user"], account["group"])
            yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def _removed_behind(folder: Path) -> Iterator[None]:
    """Have a folder removed if this process ends within the block: by a shell that sees its input close."""
    with subprocess.Popen(  # noqa: S603 - a shell with a script of ours
        ["/bin/sh", "-c", _ORPHANED, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath},
        start_new_session=True,
    ) as watch:
        try:
            yield
        finally:
            watch.kill()
