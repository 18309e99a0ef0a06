"""The settings of behavior analysis; `Settings` has them among its own."""

from pydantic import Field
from pydantic_settings import BaseSettings

from secure_api.domain.alerts import AlertLimits, BehaviorMode, BehaviorTerms


class BehaviorSettings(BaseSettings):
    """Whether requests are watched, and what comes of it."""

    behavior: BehaviorMode = Field(
        default=BehaviorMode.OBSERVE,
        description="off: requests are not watched; observe: alerts are written down; enforce: and acted upon. "
        "Without the extra `behavior` it is off.",
    )
    behavior_clients: int = Field(
        default=10_000, ge=16, le=1_000_000, description="Clients that a worker remembers the habits of."
    )
    behavior_queue: int = Field(
        default=10_000, ge=1, le=1_000_000, description="Finished requests that wait to be scored; more are dropped."
    )
    behavior_interval: float = Field(
        default=1.0, ge=0.05, le=60, description="Seconds between two exchanges of findings among the workers."
    )
    behavior_save_interval: float = Field(
        default=600.0, ge=1, le=86_400, description="Seconds between two snapshots of what was learned."
    )
    behavior_reference_interval: float = Field(
        default=3_600.0,
        ge=0,
        le=86_400,
        description="Seconds between two comparisons of the model with an isolation forest that is fitted in a process "
        "of its own; 0: none.",
    )
    behavior_warm_up: int = Field(
        default=1_000, ge=0, le=1_000_000, description="Requests that a worker sees before its model may alert."
    )
    behavior_max_alerts: int = Field(
        default=1_000, ge=10, le=1_000_000, description="Alerts kept of one kind in one organization."
    )
    behavior_max_alerts_per_client: int = Field(default=20, ge=1, le=10_000, description="Alerts kept of one client.")
    behavior_max_alerts_per_hour: int = Field(
        default=60, ge=1, le=100_000, description="New alerts of one kind in one organization; more only count."
    )

    def behavior_terms(self) -> BehaviorTerms:
        """Give the terms for the layers below."""
        return BehaviorTerms(
            enforce=self.behavior is BehaviorMode.ENFORCE,
            clients=self.behavior_clients,
            queue=self.behavior_queue,
            save_interval=self.behavior_save_interval,
            warm_up=self.behavior_warm_up,
            reference_interval=self.behavior_reference_interval,
            limits=AlertLimits(
                per_subject=self.behavior_max_alerts_per_client,
                per_organization=self.behavior_max_alerts,
                per_hour=self.behavior_max_alerts_per_hour,
            ),
        )
