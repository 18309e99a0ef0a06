"""Encrypted sums as the product makes them, as libraries make them as they are shipped, and not encrypted."""
