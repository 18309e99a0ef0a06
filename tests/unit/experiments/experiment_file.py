"""Small experiments, written to a file as somebody outside the product would write them."""

from __future__ import annotations

from pathlib import Path

HEAD = """
import hashlib, itertools, os, signal, sys, time
from pathlib import Path
from experiments import *

HERE = Path(__file__).parent

def digest(size, check=lambda: True, **options):
    def prepare(setting):
        data = setting.random.randbytes(size)
        expected = hashlib.sha256(data).digest()
        def verify(found):
            if found != expected or not check():
                raise CheckFailed("the digest is wrong")
        return Operation(lambda: hashlib.sha256(data).digest(), verify, {"bytes": float(size)}, **options)
    return prepare
"""
TAIL = """
EXPERIMENT = Experiment(
    name="digest", title="Digests", question="What does a larger message cost?", topic=3,
    held_fixed=("SHA-256",), arms=lambda scale: ARMS, baseline="small",
    findings=(Finding("ratio", lambda r: r["large"] / r["small"], "64 KiB cost {value} times 64 B."),),
    answer="64 KiB cost {ratio} times what 64 B cost.", seconds={"quick": 15, "full": 20},
)
"""
SMALL = 'Arm("small", digest(64), {"size": 64})'
LARGE = 'Arm("large", digest(65536), {"size": 65536}, process="other")'


def experiment_file(folder: Path, *arms: str, code: str = "", name: str = "digest") -> Path:
    """Write an experiment with these arms, beside the two that its finding is about."""
    path = folder / f"{name}.py"
    text = f"{HEAD}\n{code}\nARMS = [{', '.join((SMALL, LARGE, *arms))}]\n{TAIL}"
    path.write_text(text.replace('name="digest"', f'name="{name}"'))
    return path
