"""Prometheus metrics: request counts and latencies by route, and why requests were not believed."""

from collections.abc import Callable, Mapping
from typing import cast

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_fastapi_instrumentator import Instrumentator
from prometheus_fastapi_instrumentator.metrics import Info, default

from secure_api.api.problem import METHODS

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

        self._behavior = {
            name: Counter(f"secure_api_behavior_{name}", text, registry=self.registry)
            for name, text in {
                "events": "Finished requests that were scored.",
                "dropped": "Finished requests that were not scored, because too many waited.",
                "alerts": "Alerts written down.",
                "findings": "Episodes found, those included that only count in another's alert.",
                "failures": "Requests, and other tasks of the scoring thread, that it failed at.",
                "seconds": "Seconds of the scoring thread at work.",
            }.items()
        }

        self._reference = {
            name: Gauge(
                f"secure_api_behavior_reference_{name}",
                text,
                registry=self.registry,
                multiprocess_mode="livemostrecent",
            )
            for name, text in {
                "agreement": "Rank correlation of the model with its reference, an isolation forest.",
                "shared": "Part of the model's most unusual requests that its reference finds unusual.",
                "overlooked": "Clients that only the reference finds unusual.",
            }.items()
        }

    def count_behavior(self, counts: Mapping[str, float]) -> None:
        """Add what behavior analysis did since the last time."""
        for name, count in counts.items():
            self._behavior[name].inc(count)

    def compare_behavior(self, agreement: float, shared: float, overlooked: int) -> None:
        """Say how far the model of behavior and its reference agree."""
        for name, value in (("agreement", agreement), ("shared", shared), ("overlooked", overlooked)):
            self._reference[name].set(value)

    def install(self, app: FastAPI) -> None:
        """Measure every route and serve `/metrics`.

        With `PROMETHEUS_MULTIPROC_DIR` set, the figures of all workers are added up.
        """
        Instrumentator(
            registry=self.registry,
            excluded_handlers=[METRICS_PATH, "/healthz", "/readyz"],
            should_group_status_codes=False,
        ).add(self._measure()).instrument(app).expose(app, endpoint=METRICS_PATH, include_in_schema=False)

    def _measure(self) -> Callable[[Info], None]:
        """Give the library's own measures, for which a method that nobody has heard of is called "other".

        Strangers choose the method of a request: each new one would be a label that stays for good.
        """
        # None only when the registry has these measures already, and ours is new.
        measure = cast("Callable[[Info], None]", default(registry=self.registry))

        def record(info: Info) -> None:
            if info.method not in METHODS:
                info.method = "other"
            if info.request.headers.get("content-length", "0").encode("latin-1").isdigit():
                measure(info)  # its size of the request is this number; any other length is refused

        return record
