"""secure-api: a consortium API that believes only signed requests, with post-quantum signatures."""

__version__ = "0.1.0"
