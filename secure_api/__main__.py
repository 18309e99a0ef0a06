"""`python -m secure_api` is `secure-api`."""

from secure_api.cli.main import main

main()
