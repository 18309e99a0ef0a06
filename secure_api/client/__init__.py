"""Client of secure-api: sign `httpx` requests in one line.

with httpx.Client(base_url=URL, auth=SignatureAuth.from_profile("clinic-a")) as client:
    client.get("/v1/clients/me")
"""

from secure_api.client.errors import ClientError, ProfileMissing, ProfileUnreadable
from secure_api.client.problem import Problem
from secure_api.client.profiles import ClientProfile, ProfileStore
from secure_api.client.signature_auth import SignatureAuth

__all__ = [
    "ClientError",
    "ClientProfile",
    "Problem",
    "ProfileMissing",
    "ProfileStore",
    "ProfileUnreadable",
    "SignatureAuth",
]
