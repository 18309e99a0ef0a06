"""TenSEAL contexts: made, read, told apart."""

from __future__ import annotations

from typing import Any

from crypto.errors import ContextRefused
from crypto.homomorphic.facts import ContextFacts
from crypto.homomorphic.frames import split_vector
from crypto.homomorphic.parameters import HOMOMORPHIC_PARAMETERS, WHAT, HomomorphicParameters, Scheme
from crypto.libraries import library


def make_context(parameters: HomomorphicParameters) -> Any:
    """Make a context with a fresh secret key."""
    tenseal = library(WHAT, "tenseal")
    if parameters.scheme is Scheme.CKKS:
        context = tenseal.context(
            tenseal.SCHEME_TYPE.CKKS,
            parameters.degree,
            coeff_mod_bit_sizes=list(parameters.coefficient_bits),
            n_threads=1,
        )
        context.global_scale = 2.0**parameters.scale_bits
        return context
    return tenseal.context(
        tenseal.SCHEME_TYPE.BFV,
        parameters.degree,
        plain_modulus=parameters.plain_modulus,
        coeff_mod_bit_sizes=list(parameters.coefficient_bits),
        n_threads=1,
    )


def read_context(content: bytes) -> Any:
    """Parse a context. Bytes of a stranger's may end the process. Raises ContextRefused."""
    tenseal = library(WHAT, "tenseal")
    try:
        return tenseal.context_from(content, n_threads=1)
    except (ValueError, RuntimeError, TypeError, MemoryError) as error:
        raise ContextRefused("the bytes are no context that can be used") from error


def facts_of(context: Any, fingerprint: str) -> ContextFacts:
    """Tell what a context is. Raises ContextRefused: none of the parameters that are offered."""
    parameters, modulus = _parameters(context)
    prefix, _ = split_vector(parameters, encrypt_vector(context, parameters, [0] * parameters.slots))
    return ContextFacts(fingerprint, parameters, modulus, prefix)


def encrypt_vector(context: Any, parameters: HomomorphicParameters, values: list[float] | list[int]) -> bytes:
    """Encrypt one number a slot; returns TenSEAL's form. Raises ContextRefused: the context cannot encrypt."""
    tenseal = library(WHAT, "tenseal")
    make = tenseal.ckks_vector if parameters.scheme is Scheme.CKKS else tenseal.bfv_vector
    try:
        encrypted: bytes = make(context, values).serialize()
    except (ValueError, RuntimeError) as error:
        raise ContextRefused("nothing can be encrypted in this context") from error
    return encrypted


def _parameters(context: Any) -> tuple[HomomorphicParameters, int]:
    library(WHAT, "tenseal.sealapi")  # without it Python does not know the types of what a context tells
    try:
        seal = context.data.seal_context()
        key, first = seal.key_context_data().parms(), seal.first_context_data().parms()
        bits = tuple(prime.value().bit_length() for prime in key.coeff_modulus())
        moduli = [prime.value() for prime in first.coeff_modulus()]
        degree, plain = key.poly_modulus_degree(), key.plain_modulus().value()
        scale = context.global_scale if plain == 0 else 0.0
    except (ValueError, RuntimeError) as error:
        raise ContextRefused("the context's parameters are none of those that are offered") from error
    for parameters in HOMOMORPHIC_PARAMETERS.values():
        wanted = 2.0**parameters.scale_bits if parameters.scheme is Scheme.CKKS else 0.0
        if (degree, bits, plain, scale, len(moduli)) == (
            parameters.degree,
            parameters.coefficient_bits,
            parameters.plain_modulus,
            wanted,
            1,
        ):
            return parameters, moduli[0]
    raise ContextRefused("the context's parameters are none of those that are offered")
