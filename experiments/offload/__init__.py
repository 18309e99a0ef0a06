"""Verifying signatures in an event loop: in the loop itself, or in threads that it hands them to."""
