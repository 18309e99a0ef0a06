"""The methods that a server offers."""

from secure_api.services.studies.method import Methods


def study_methods() -> Methods:
    """Give the methods by name."""
    return {}
