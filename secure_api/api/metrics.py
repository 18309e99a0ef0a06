"""Prometheus metrics: request counts and latencies by route, and why requests were not believed."""

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter
from prometheus_fastapi_instrumentator import Instrumentator

METRICS_PATH = "/metrics"


class Metrics:
    """The metrics of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.refused = Counter(
            "secure_api_authentication_failures",
            "Requests that were not believed, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self.swept = Counter("secure_api_nonces_swept", "Expired nonces forgotten.", registry=self.registry)
        self.heads = Counter("secure_api_ledger_heads_signed", "Ledger heads signed.", registry=self.registry)

    def install(self, app: FastAPI) -> None:
        """Measure every route and serve `/metrics`.

        With `PROMETHEUS_MULTIPROC_DIR` set, the figures of all workers are added up.
        """
        Instrumentator(
            registry=self.registry,
            excluded_handlers=[METRICS_PATH, "/healthz", "/readyz"],
            should_group_status_codes=False,
        ).instrument(app).expose(app, endpoint=METRICS_PATH, include_in_schema=False)
