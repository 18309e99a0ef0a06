"""`secure-api demo`: a real server in a temporary folder, believed and refused requests, a tampered ledger."""

EXAMPLES = "Examples:\n\n`secure-api demo`"


def demo() -> None:
    """Start a real server on SQLite in a temporary folder, and watch it believe and refuse requests."""
    from secure_api.cli.demo.play import play

    play()
