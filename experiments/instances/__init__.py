"""Private servers of other people's making: on a free port of 127.0.0.1, in a temporary folder, gone with the process.

Each is a context manager that raises Unavailable where its programs are missing or do not start.
"""
