"""secure-api: a consortium API that believes only post-quantum signed requests."""

__version__ = "0.1.0"
