"""The methods that a server offers."""

from secure_api.domain.clock import Clock
from secure_api.domain.studies import StudyMethod
from secure_api.services.studies.ckks import CkksStudies
from secure_api.services.studies.masked import MaskedStudies
from secure_api.services.studies.method import Methods
from secure_api.services.studies.mpc import MpcStudies


def study_methods(clock: Clock) -> Methods:
    """Give the methods by name."""
    return {
        StudyMethod.CKKS: CkksStudies(),
        StudyMethod.MPC: MpcStudies(),
        StudyMethod.MASKED: MaskedStudies(clock),
    }
