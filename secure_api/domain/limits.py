"""Upper bounds on everything that a peer sends. Checked before the thing is decoded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one server, as its settings give them and `/.well-known/secure-api` publishes them."""

    max_body_bytes: int = 1 << 20  # bytes of a request body
    max_header_bytes: int = 32 << 10  # bytes of all header fields of a request
    max_field_bytes: int = 16 << 10  # bytes of one Signature or Signature-Input field
    max_json_depth: int = 64  # nested arrays and objects
    max_batch_records: int = 1_000  # records in one request
    max_page_records: int = 1_000  # records in one answer
    max_path_bytes: int = 2_048  # bytes of path and query together
    body_timeout: float = 20.0  # seconds for a whole body to arrive
