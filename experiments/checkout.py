"""The checkout that the sources lie in: which commit, and whether they differ from it."""

import os
import subprocess
from pathlib import Path
from typing import Final

_SOURCES: Final = Path(__file__).resolve().parents[1]
#: Folders of the sources: a file there that git does not know would take part in a run.
_PACKAGES: Final = ("crypto", "experiments", "secure_api")
_OF_HOOKS: Final = frozenset({"GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"})


def git_revision() -> str | None:
    """Give the commit of the sources; None when they do not lie in a checkout of their own."""
    if not (_SOURCES / ".git").exists():
        return None
    found = _git("rev-parse", "HEAD")
    return found.strip() if found else None


def git_dirty() -> bool | None:
    """Tell whether a file of the commit was changed, or one was added to the packages; None: git cannot tell."""
    changed = _git("status", "--porcelain", "--untracked-files=no")
    added = _git("ls-files", "--others", "--exclude-standard", "--", *_PACKAGES)
    return None if changed is None or added is None else bool(changed or added)


def _git(*arguments: str) -> str | None:
    # A hook of git's names another repository here; a lock would disturb whoever works in the checkout.
    clean = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", "--no-optional-locks", "-C", str(_SOURCES), *arguments],  # noqa: S607 - the git of whoever runs this
            check=False,
            capture_output=True,
            text=True,
            env=clean,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
