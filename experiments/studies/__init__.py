"""Contributions to studies over HTTP, beside the same numbers in the clear."""
