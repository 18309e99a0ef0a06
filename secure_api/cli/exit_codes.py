"""What an exit status says."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit statuses of `secure-api`."""

    OK = 0
    FAILURE = 1  # it was tried and did not work out: a broken ledger, a wrong signature
    USAGE = 2  # the command line itself is wrong
    CLIENT_ERROR = 4  # the server answered 4xx
    SERVER_ERROR = 5  # the server answered 5xx
    UNREACHABLE = 6  # no answer from the server
    KEY = 7  # a key, passphrase or profile cannot be used; `ledger verify`: it could not check
    REFUSED = 8  # an answer that the server did not sign for this request, or a server with another key
    INTERRUPTED = 130  # Ctrl-C
    NOBODY_READS = 141  # stdout was closed, as by `| head`; what a shell says of SIGPIPE

    @classmethod
    def of_status(cls, status: int | None) -> "ExitCode":
        """Give the exit status of an HTTP status that is no success; None when something else went wrong."""
        return {4: cls.CLIENT_ERROR, 5: cls.SERVER_ERROR}.get((status or 0) // 100, cls.FAILURE)
