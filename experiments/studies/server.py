"""The product's whole application, with routes that take numbers in the clear under the same signatures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy
from fastapi import FastAPI, Request

from experiments.installation import settings_of
from experiments.servers.home import SETTINGS
from experiments.servers.process import HOME
from secure_api import logs
from secure_api.api.dependencies import CallerDependency
from secure_api.app import create_app
from secure_api.data.database import Database
from secure_api.domain.errors import Invalid
from secure_api.domain.studies import Study, StudyMethod
from secure_api.services.studies.method import ContributedMethod, Progress, Unfinished
from secure_api.services.work import Work

APPLICATION: Final = "experiments.studies.server:build"
RAW: Final = "/v1/plain/raw"
DOCUMENT: Final = "/v1/plain/json"
#: Studies that an organization may have open: more than a run needs.
MANY: Final = 1_000_000


class PlainStudies(ContributedMethod):
    """Studies whose contributions are float64 in the clear: everything that a study's route does, but no encryption."""

    async def check(self, work: Work, study: Study, invited: Sequence[str]) -> None:
        """Accept all terms."""

    async def accept(self, work: Work, study: Study, content: bytes, present: int) -> None:
        """Accept as many finite numbers as the study has. Raises Invalid."""
        if len(content) != 8 * study.terms.dimension or not numpy.isfinite(numpy.frombuffer(content)).all():
            raise Invalid("These are other numbers than the study's.")

    async def compute(self, database: Database, study: Study) -> Progress:
        """Compute nothing: what is measured is the contributing."""
        return Unfinished(waiting=True)


def build(folder: Path) -> FastAPI:
    """Make the application of a home; `PlainStudies` stand in the place of the method mpc."""
    logs.configure("error", "json")
    home = folder / HOME
    chosen = json.loads((home / SETTINGS).read_text())
    app = create_app(settings_of(home, **chosen, study_max_open=MANY))
    methods: Any = app.state.server.studies.methods
    methods[StudyMethod.MPC] = PlainStudies()
    sums: dict[int, Any] = {}

    def add(values: Any) -> dict[str, int]:
        total = sums.setdefault(len(values), numpy.zeros(len(values)))
        numpy.add(total, values, out=total)
        return {"count": len(values)}

    @app.post(RAW)
    async def raw(caller: CallerDependency, request: Request) -> dict[str, int]:
        """Add float64 to a sum in memory; nothing is stored."""
        return add(numpy.frombuffer(await request.body()))

    @app.post(DOCUMENT)
    async def document(caller: CallerDependency, values: list[float]) -> dict[str, int]:
        """Add a JSON list of numbers to a sum in memory; nothing is stored."""
        return add(numpy.array(values))

    return app
