"""RFC 9421 HTTP Message Signatures with secure-api's profile, bytes in and bytes out.

The pieces: `messages` (the request), `signature_base` (what was signed), `profile` (what must be),
`verification`, `signing`.
"""

from crypto.messages import Request
from crypto.profile import COMPONENTS, TAG, Profile
from crypto.signature_base import SignatureInput, parse_signature, parse_signature_input, signature_base
from crypto.signing import SigningKey, sign_request
from crypto.verification import SignedLabel, SignedRequest, VerificationKey, open_request, verify_request

__all__ = [
    "COMPONENTS",
    "TAG",
    "Profile",
    "Request",
    "SignatureInput",
    "SignedLabel",
    "SignedRequest",
    "SigningKey",
    "VerificationKey",
    "open_request",
    "parse_signature",
    "parse_signature_input",
    "sign_request",
    "signature_base",
    "verify_request",
]
