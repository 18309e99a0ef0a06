"""`secure-api demo`: a real server in a temporary folder, believed and refused requests, a tampered ledger."""

EXAMPLES = """\
secure-api demo
secure-api demo | cat   # plain text"""


def demo() -> None:
    """Start a real server in a temporary folder, and watch it believe and refuse requests.

    Nothing is left behind. The exit status is 1 when a step did not do what it says.
    """
    from secure_api.cli.demo.play import play

    play()
