"""The commands of `secure-api`: what the top-level help says of each, and where it is defined.

A command's module is imported when the command runs, so that `secure-api --help` is quick: the help texts stand here a
second time, and a test holds them to those of the commands.
"""

from dataclasses import dataclass
from typing import Final

USE, MANAGE, OPERATE, PLUGINS = "Sign and send", "Manage a consortium", "Run a server", "Plug-ins"


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: the module `secure_api.cli.<name>` defines a function of that name, or a group `app`."""

    name: str
    panel: str
    help: str


CATALOG: Final = tuple(
    Entry(*fields)
    for fields in (
        ("demo", USE, "Start a real server in a temporary folder, and watch it believe and refuse requests."),
        ("request", USE, "Send a signed request; the body of the answer goes to stdout."),
        ("sign", USE, "Sign a request without sending it: header fields, a curl line, or the whole message."),
        ("verify", USE, "Verify a signed request message offline, and name the reason when it fails."),
        ("enroll", USE, "Turn a token and a key into a client, and write its profile."),
        ("keys", USE, "Make, show, list, rotate and revoke keys."),
        ("sessions", USE, "List and end the client's sessions."),
        ("study", USE, "Compute statistics over contributions that nobody may see."),
        ("mpc", USE, "Be a compute party of multi-party studies."),
        ("algorithms", USE, "List the algorithms: what the server allows, and what is for experiments."),
        ("organizations", MANAGE, "Create and list organizations (the operator's admins)."),
        ("tokens", MANAGE, "Issue one-time enrollment tokens (admins)."),
        ("clients", MANAGE, "List the clients of an organization (admins)."),
        ("alerts", MANAGE, "Read and label what behavior analysis found (admins, auditors)."),
        ("init", OPERATE, "Make the database, the server's key, the first admin and its profile."),
        ("serve", OPERATE, "Serve the API until SIGTERM or Ctrl-C; what was accepted is finished."),
        ("migrate", OPERATE, "Bring the database to the schema of this version."),
        ("ledger", OPERATE, "Verify and show the ledger."),
        ("behavior", OPERATE, "Score access logs, and measure how well behavior analysis does."),
        ("doctor", OPERATE, "Tell which providers, extras and servers are there, and whether all is sound."),
    )
)
