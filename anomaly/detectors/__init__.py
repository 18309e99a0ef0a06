"""Detectors over vectors in [0, 1], behind one protocol."""
