"""Seeded, labelled API traffic: what detectors are tuned and measured on.

It knows nothing of features or detectors, and they know nothing of it: a contract of the tests.
"""

from anomaly.simulate.attacks import ATTACKS
from anomaly.simulate.suites import SUITES, simulate

__all__ = ["ATTACKS", "SUITES", "simulate"]
