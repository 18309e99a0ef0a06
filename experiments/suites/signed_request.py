"""What one signed request costs the server, by part: parse, digest, key lookup, signature base, verify, nonce, rest."""

from collections.abc import Sequence

from experiments.experiment import Arm, Experiment, Plot
from experiments.gate.part_arms import SIZE, part_arms
from experiments.gate.part_findings import PART_FINDINGS
from experiments.gate.parts import PARTS, REST, WHOLE
from experiments.scale import Scale
from experiments.servers.whole_arms import whole_arms, whole_findings
from secure_api.domain.session_lease import LEASE_REQUESTS


def arms(scale: Scale) -> Sequence[Arm]:
    """Build the arms of the parts, named `PART ALGORITHM PROVIDER SIZE`, and of whole requests over HTTP."""
    return [*part_arms(scale), *whole_arms(scale)]


EXPERIMENT = Experiment(
    name="signed-request",
    title="One signed request, by part",
    question="What does it cost a server to authenticate one signed request, and which part of it costs that?",
    topic=19,
    held_fixed=(
        "by part: the authentication that create_app makes, in this process, in front of an application that reads the "
        "body and answers 204, without sockets or an HTTP parser; over HTTP: route, server and load of `peers`",
        "one label; six components covered; bodies of random bytes, read in one piece",
        "parts are measured alone, over 64 requests in turn, with what the parts before found; rest is the same way "
        "with the parts taken out; what is missing to the whole is what they slow each other down by (caches)",
        "the key, or the session, was looked up before, and its status within the last 5 seconds, as under load",
        f"within a session, one request of {LEASE_REQUESTS} renews the worker's lease, a transaction: part of rest",
        "nonces in a file (LMDB) beside SQLite, as by default; few are in it: replay-store has it full",
        "requests are signed outside the windows, each with a nonce of its own; nonces are forgotten between windows",
        "a process a provider, as the product chooses one for its whole process; Ed25519 and HMAC are by OpenSSL",
    ),
    checked=(
        "A good request passes every part and the whole, and is its client's. Refused are a request sent twice, "
        "another body, another's signature, another host, no signature, a changed date, no nonce and an unknown key. "
        "The signature base is the one that is put together without the product's help."
    ),
    arms=arms,
    findings=(*PART_FINDINGS, *whole_findings()),
    answer=(
        "Authenticating a request of 1 KiB takes {openssl-time} of CPU time when it is signed by ML-DSA-65 and OpenSSL "
        "verifies it, {openssl-verify-share} of that for the signature, and {session-time} within a session. With "
        "liboqs it takes {oqs-time}, {oqs-verify-share} of that for the signature."
    ),
    plots=(
        Plot(
            "stack",
            "One request of 1 KiB by part",
            x="signer",
            color="part",
            where={"part": (*PARTS, REST), "bytes": (SIZE,)},
        ),
        Plot(
            "stack",
            "A request signed by ML-DSA-65, by part and size of its body",
            x="bytes",
            color="part",
            panel="signer",
            where={"part": (*PARTS, REST), "algorithm": ("ml-dsa-65",)},
        ),
        Plot(
            "lines",
            "One request over HTTP by the size of its body: CPU time of the server",
            x="bytes",
            color="signer",
            where={"measured": ("over HTTP",)},
            log=True,
            log_x=True,
        ),
        Plot(
            "lines",
            "One request in process by the size of its body",
            x="bytes",
            color="signer",
            where={"part": (WHOLE,), "measured": ("in process",)},
            log=True,
            log_x=True,
        ),
    ),
    seconds={"quick": 20, "full": 270},
)
