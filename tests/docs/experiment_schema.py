"""Writes the schema of a result, as it is published: `python -m tests.docs.experiment_schema`."""

from pathlib import Path

from experiments.schema import text

PUBLISHED = Path(__file__).parents[2] / "docs" / "experiment-result-v1.schema.json"

if __name__ == "__main__":
    PUBLISHED.write_text(text(), encoding="utf-8")
