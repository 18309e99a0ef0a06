"""An exchange as `request --verbose` shows it: what was signed, sealed and verified, and what each of it cost."""

from typing import Final

import httpx

from crypto import parse_signature_input, signature_base
from secure_api.cli.console import say
from secure_api.client import REPORT, Report
from secure_api.client.exchange import LABEL, signable
from secure_api.client.report import HandshakeReport, SealReport

MAX_SHOWN: Final = 400  # characters of a field's value
#: What each protection is called in a report's `bytes` and `seconds`.
PROTECTIONS: Final = (
    ("signature of the request", "signature", "sign"),
    ("seal of the request", "seal", "seal"),
    ("signature of the answer", "answer's signature", "verify"),
    ("seal of the answer", "answer's seal", "open"),
)


def show_exchange(response: httpx.Response, seconds: float) -> None:
    """Show on stderr what was sent and what came back; `seconds` from the first byte to the last."""
    sent, report = response.request, response.extensions[REPORT]
    if report.handshake is not None:
        _show_handshake(report.handshake)
    say(f"> {sent.method} {sent.url.raw_path.decode()}")
    _show_fields(">", sent.headers)
    for entry in parse_signature_input(sent.headers["signature-input"].encode()).values():
        say(f"\nsigned as {entry.label}:\n{signature_base(signable(sent), entry).decode()}")
    _show_seal("the request", report.request)
    say(f"\n< HTTP {response.status_code} {response.reason_phrase} ({seconds * 1e3:.1f} ms)")
    _show_fields("<", response.headers)
    if report.signed_by is None:
        say("\nthe answer is not signed, or nobody held it to a key")
    else:
        covered = parse_signature_input(response.headers["signature-input"].encode())[LABEL].components
        say(f"\nthe answer is signed by {report.signed_by}, over\n{' '.join(covered)}")
    _show_seal("the answer", report.answer)
    _show_costs(report)
    say("")


def _show_handshake(made: HandshakeReport) -> None:
    how = "rekeyed" if made.rekey else "opened"
    say(
        f"session {made.session} {how} by {made.suite}: {made.sent} bytes there, {made.received} back, "
        f"{made.seconds * 1e3:.1f} ms\n"
    )


def _show_seal(what: str, seal: SealReport | None) -> None:
    if seal is None:
        return
    say(f"\n{what} is sealed by {seal.algorithm} to {seal.kid}, {seal.plain} bytes in {seal.sealed}, and bound to:")
    say("\n".join(f"  {line}" for line in seal.context.decode("ascii").split("\n")))


def _show_costs(report: Report) -> None:
    rows = [
        (name, str(report.bytes.get(size, 0)), f"{report.seconds[time] * 1e3:.2f}")
        for name, size, time in PROTECTIONS
        if time in report.seconds
    ]
    say(f"\n{'protection':<26}{'bytes':>8}{'ms here':>10}")
    for name, size, milliseconds in rows:
        say(f"{name:<26}{size:>8}{milliseconds:>10}")


def _show_fields(mark: str, headers: httpx.Headers) -> None:
    for name, value in headers.multi_items():
        say(f"{mark} {name}: {value if len(value) <= MAX_SHOWN else f'{value[:80]}... ({len(value)} characters)'}")
