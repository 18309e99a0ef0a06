"""The settings of studies; `Settings` has them among its own."""

from pydantic import Field
from pydantic_settings import BaseSettings

from secure_api.domain.studies import StudyLimits


class StudySettings(BaseSettings):
    """What studies may ask for, and how often the server looks after them."""

    study_interval: float = Field(
        default=1.0, ge=0.05, le=3_600, description="Seconds between two looks at what studies have to be done."
    )
    study_lease: int = Field(
        default=120,
        ge=1,
        le=3_600,
        description="Seconds after which another worker carries on a study whose worker was killed: "
        "above those of adding 4 MiB of contributions, or of unmasking the longest sum.",
    )
    study_compute_seconds: int = Field(
        default=7 * 86_400,
        ge=10,
        le=366 * 86_400,
        description="Seconds after its close in which the compute parties of a multi-party study come to a result; "
        "then it is aborted.",
    )
    study_min_contributors: int = Field(
        default=3, ge=2, le=1_000_000, description="Contributors that a study needs at least, whatever it declares."
    )
    study_max_invited: int = Field(default=1_000, ge=1, le=10_000, description="Organizations that a study invites.")
    study_max_dimension: int = Field(
        default=1 << 22, ge=1, le=1 << 26, description="Values of one contribution to a study."
    )
    study_max_open: int = Field(
        default=100, ge=1, le=1_000_000, description="Studies of one organization that have not ended."
    )
    study_max_days: int = Field(default=366, ge=1, le=3_660, description="Days until a study's deadline.")
    study_max_contexts: int = Field(
        default=20, ge=1, le=10_000, description="Public contexts (homomorphic encryption) of one organization."
    )
    study_max_context_bytes: int = Field(
        default=2 << 20, ge=1 << 10, le=64 << 20, description="Bytes of one public context."
    )

    def study_limits(self) -> StudyLimits:
        """Give the limits for the layers below."""
        return StudyLimits(
            min_contributors=self.study_min_contributors,
            max_invited=self.study_max_invited,
            max_dimension=self.study_max_dimension,
            max_open=self.study_max_open,
            max_days=self.study_max_days,
            max_contexts=self.study_max_contexts,
            max_context_bytes=self.study_max_context_bytes,
        )
