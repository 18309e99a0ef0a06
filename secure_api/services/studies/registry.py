"""The methods that a server offers."""

from secure_api.domain.clock import Clock
from secure_api.domain.studies import StudyMethod
from secure_api.services.studies.ckks import CkksStudies
from secure_api.services.studies.masked import MaskedStudies
from secure_api.services.studies.method import Methods
from secure_api.services.studies.mpc import COMPUTE_SECONDS, MpcStudies


def study_methods(clock: Clock, compute_seconds: int = COMPUTE_SECONDS) -> Methods:
    """Give the methods by name; compute parties have `compute_seconds` for a study that is closed."""
    return {
        StudyMethod.CKKS: CkksStudies(),
        StudyMethod.MPC: MpcStudies(clock, compute_seconds),
        StudyMethod.MASKED: MaskedStudies(clock),
    }
