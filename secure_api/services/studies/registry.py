"""The methods that a server offers."""

from secure_api.domain.studies import StudyMethod
from secure_api.services.studies.ckks import CkksStudies
from secure_api.services.studies.method import Methods
from secure_api.services.studies.mpc import MpcStudies


def study_methods() -> Methods:
    """Give the methods by name."""
    return {StudyMethod.CKKS: CkksStudies(), StudyMethod.MPC: MpcStudies()}
