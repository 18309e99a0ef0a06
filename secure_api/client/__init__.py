"""Client of secure-api: sign `httpx` requests in one line, seal them in one word, or open a session for many.

with httpx.Client(base_url=URL, auth=SignatureAuth.from_profile("clinic-a")) as client:
    client.get("/v1/clients/me")
with httpx.Client(base_url=URL, auth=Session(SignatureAuth.from_profile("clinic-a"), seal=True)) as client:
    client.get("/v1/clients/me")
"""

from secure_api.client.discovery import read_discovery
from secure_api.client.errors import (
    ClientError,
    ProfileMissing,
    ProfileUnreadable,
    ResponseRefused,
    SealingKeyRefused,
    ServerUnusable,
)
from secure_api.client.problem import Problem
from secure_api.client.profiles import ClientProfile, ProfileStore
from secure_api.client.report import REPORT, Report
from secure_api.client.session import Session
from secure_api.client.signature_auth import SignatureAuth

__all__ = [
    "REPORT",
    "ClientError",
    "ClientProfile",
    "Problem",
    "ProfileMissing",
    "ProfileStore",
    "ProfileUnreadable",
    "Report",
    "ResponseRefused",
    "SealingKeyRefused",
    "ServerUnusable",
    "Session",
    "SignatureAuth",
    "read_discovery",
]
