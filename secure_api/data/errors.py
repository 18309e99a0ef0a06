"""Errors of the data layer. Each is a domain error, so that the api's error map knows it.

DomainError
└── DatabaseUnavailable   the database cannot be reached, or stays locked beyond the wait
"""

from secure_api.domain.errors import DomainError


class DatabaseUnavailable(DomainError):
    """The database cannot be reached or stayed locked; trying again later may work."""

    slug = "database-unavailable"
