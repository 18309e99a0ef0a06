"""Experiments that nobody ran, with figures like those of a real machine."""

from __future__ import annotations

from experiments.result import ArmResult, ExperimentResult, PublishedFigure
from tests.unit.experiments.made_experiment import arm, experiment, finding, plot

#: Microseconds to make a key, sign, verify; bytes of key and signature.
SIGNATURES = {
    ("ml-dsa-44", "openssl"): (94.9, 450.7, 93.4, 1312, 2420),
    ("ml-dsa-44", "oqs"): (17.2, 52.1, 17.7, 1312, 2420),
    ("ml-dsa-65", "openssl"): (156.3, 741.9, 144.2, 1952, 3309),
    ("ml-dsa-65", "oqs"): (26.5, 79.2, 26.9, 1952, 3309),
    ("ml-dsa-87", "openssl"): (218.5, 723.0, 224.4, 2592, 4627),
    ("ml-dsa-87", "oqs"): (38.2, 87.3, 38.4, 2592, 4627),
    ("ed25519", "openssl"): (21.9, 22.1, 67.8, 32, 64),
    ("ecdsa-p256", "openssl"): (11.6, 18.8, 47.4, 65, 72),
    ("falcon-512", "oqs"): (5069, 175.7, 31.9, 897, 652),
    ("slh-dsa-sha2-128f", "oqs"): (699, 16184, 985, 32, 17088),
    ("slh-dsa-shake-128s", "oqs"): (80874, 659354, 637, 32, 7856),
}
#: Microseconds of a request, by part, and the verifying by provider.
PARTS = {"framework": 76.0, "parse": 9.3, "digest": 1.1, "key lookup": 1.0, "verify": 0.0, "nonce": 7.0, "rest": 6.4}
VERIFY = {"plain": 0.0, "ml-dsa-65 oqs": 28.6, "ml-dsa-65 openssl": 146.0, "ed25519": 67.0}
METHODS = {"X-Wing (HPKE)": (86.6, 0.0009), "X25519 (HPKE)": (59.3, 0.0009), "session key": (4.1, 0.0009)}
PEERS = {
    "plain": (98.0, 2100.0, 1290),
    "ML-DSA-65, liboqs": (205.5, 5600.0, 6480),
    "ML-DSA-65, OpenSSL": (346.5, 5600.0, 6480),
    "Ed25519": (260.0, 1850.0, 2150),
    "HMAC session": (184.4, 1790.0, 2110),
    "PyJWT RS256": (182.0, 1760.0, 1990),
    "http-message-signatures, liboqs": (560.0, 5600.0, 6480),
}


def primitives(seed: int = 1) -> ExperimentResult:
    """Signatures, by operation, algorithm and provider."""
    arms = [
        arm(
            f"{name} {operation} {provider}",
            figures[number],
            {"kind": "signature", "operation": operation, "algorithm": name, "provider": provider},
            {"public_key_bytes": figures[3], "signature_bytes": figures[4]},
            seed,
        )
        for (name, provider), figures in SIGNATURES.items()
        for number, operation in enumerate(("keygen", "sign", "verify"))
    ]
    missing = ArmResult(
        name="mayo-1 sign oqs",
        factors={"kind": "signature", "operation": "sign", "algorithm": "mayo-1", "provider": "oqs"},
        process="main",
        unavailable="liboqs is not installed: set OQS_INSTALL_PATH",
    )
    return experiment(
        "primitives",
        [*arms, missing],
        title="Signatures and key encapsulations",
        question="What do post-quantum signatures cost, in time and bytes, beside what they replace?",
        answer="Verifying ML-DSA-65 by liboqs takes {oqs-verify-to-ed25519} of the time of Ed25519; what everybody "
        "pays is bytes: a signature is {signature-size} times as long.",
        findings=[
            finding("oqs-verify-to-ed25519", "Verifying ML-DSA-65 by liboqs takes {} of the time of Ed25519.", 0.397),
            finding("signature-size", "A signature by ML-DSA-65 is {} times as long as one by Ed25519.", 51.7, 0),
            finding("44-to-65", "No difference shown ({}).", 1.01, headline=False),
        ],
        published=[
            PublishedFigure(
                arm="ml-dsa-65 verify oqs",
                figure=179424,
                unit="cycles",
                quantity="cpu",
                source="PQShield, Post-Quantum Signatures Zoo",
                machine="Intel Skylake, AVX2",
                hertz=None,
                reason="likely: Keccak by AVX-512",
            )
        ],
        plots=[
            plot("dots", "CPU time of an operation", x="algorithm", color="provider", panel="operation", log=True),
            plot(
                "dots",
                "Size of a signature",
                quantity="signature_bytes",
                x="algorithm",
                where={"operation": ["sign"]},
                log=True,
                unit="B",
            ),
        ],
    )


def parts(seed: int = 1) -> ExperimentResult:
    """One request, part by part."""
    arms = [
        arm(f"{name}: {part}", VERIFY[name] if part == "verify" else cost, {"request": name, "part": part}, {}, seed)
        for name in VERIFY
        for part, cost in PARTS.items()
        if part == "framework" or name != "plain"
    ]
    return experiment(
        "signed-request",
        arms,
        title="A signed request, part by part",
        question="Where does the time of a signed request go?",
        answer="Of {whole} that a signed request takes, the signature itself is {verify}.",
        findings=[
            finding("whole", "A signed request takes {}.", 129, kind="amount", unit="us"),
            finding("verify", "Verifying takes {}.", 28.6, 0.01, kind="amount", unit="us"),
        ],
        plots=[plot("stack", "CPU time of one request, by part", x="request", color="part")],
        ended_because="time budget",
    )


def sealing(seed: int = 1) -> ExperimentResult:
    """Seals of bodies, by size."""
    arms = [
        arm(f"{method} {size}", fixed + size * each, {"method": method, "bytes": size}, {"sent_bytes": size}, seed)
        for method, (fixed, each) in METHODS.items()
        for size in (64, 1024, 16384, 262144, 1048576)
    ]
    return experiment(
        "sealing",
        arms,
        title="Sealed bodies",
        question="What does it cost that nobody on the way can read a body?",
        answer="For 1 KiB, X-Wing takes {x-wing} times as long as X25519; within a session, {session}.",
        findings=[
            finding("x-wing", "X-Wing takes {} times as long as X25519.", 1.46),
            finding("session", "A session takes {} of the time of X25519.", 0.057),
        ],
        plots=[plot("lines", "CPU time to seal a body", x="bytes", color="method", log=True, log_x=True)],
    )


def peers(seed: int = 1) -> ExperimentResult:
    """A request by what protects it."""
    arms = [
        arm(name, cpu, {"protection": name}, {"sent_bytes": sent, "rate": 0.96e6 / cpu, "latency_p50": 16 * cpu}, seed)
        for name, (cpu, sent, _) in PEERS.items()
    ]
    return experiment(
        "peers",
        arms,
        title="Beside other protections",
        question="What does a protected request cost a server, beside other ways to protect it?",
        baseline="plain",
        answer="ML-DSA-65 takes {ml-dsa-65} times the CPU time of an unprotected request, and an HMAC session "
        "{session} times; http-message-signatures takes {peer} times.",
        findings=[
            finding("ml-dsa-65", "A request signed by ML-DSA-65 costs {} times as much.", 2.1),
            finding("session", "A request in a session costs {} times as much.", 1.88),
            finding("peer", "A request signed by http-message-signatures costs {} times as much.", 5.71),
        ],
        plots=[plot("dots", "CPU time of the server for a request")],
    )
