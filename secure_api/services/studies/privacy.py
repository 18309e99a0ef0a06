"""The differential privacy of a study: what it declares, as its contributors calibrate their noise by."""

import asyncio
from dataclasses import replace

from crypto import CryptoError, PrivacyError
from crypto.privacy import PrivacyTerms, rho_of
from secure_api.domain.errors import Invalid, NotReady
from secure_api.domain.studies import Privacy, StudyTerms


async def calibrated(privacy: Privacy | None) -> Privacy | None:
    """Convert (epsilon, delta) to rho, in a thread: opendp takes a second to import.

    Raises:
        Invalid: they make no sense. NotReady: the server lacks the library.
    """
    if privacy is None:
        return None
    try:
        return replace(privacy, rho=await asyncio.to_thread(rho_of, privacy.epsilon, privacy.delta))
    except PrivacyError as error:
        raise Invalid(f"{error}.", pointer="/privacy") from error
    except CryptoError as error:
        raise NotReady(str(error)) from error


def privacy_terms(terms: StudyTerms) -> PrivacyTerms | None:
    """Give what contributors calibrate their noise by: so much of it that that of the fewest allowed is enough."""
    privacy = terms.privacy
    if privacy is None:
        return None
    return PrivacyTerms(privacy.epsilon, privacy.delta, privacy.rho, terms.minimum_contributors, privacy.sensitivity)
