"""Every mutant, by id; which documented claims they are to cover; and a sample of them."""

from collections.abc import Sequence

from contract_tests.library import PROVIDERS, claims
from mutants.patching import Mutant, Patch, mutant
from mutants.tables import (
    evolink,
    evolink_callbacks,
    icodeeasy_answers,
    icodeeasy_requests,
    xhuoapi_answers,
    xhuoapi_requests,
    xhuoapi_sizes,
)

MUTANTS: tuple[Mutant, ...] = (
    *xhuoapi_requests.MUTANTS,
    *xhuoapi_sizes.MUTANTS,
    *xhuoapi_answers.MUTANTS,
    *icodeeasy_requests.MUTANTS,
    *icodeeasy_answers.MUTANTS,
    *evolink.MUTANTS,
    *evolink_callbacks.MUTANTS,
)

CONTROL = mutant("control", "", "Nothing is wrong.")
_LATENCY, _CLAIM = "providers.xhuoapi.pricing", "XH-LAT-1"
NO_OP = mutant("no-op", _CLAIM, "Nothing is wrong: 30 * 3 is 90.", Patch(_LATENCY, "(60.0, 90.0)", "(60.0, 30.0 * 3)"))
CRASHING = mutant(
    "crashing", _CLAIM, "It breaks down.", Patch(_LATENCY, "    large = model", "    large = 1 // 0 or model")
)
STALE = mutant("stale", _CLAIM, "Its patch has nothing to hold on to.", Patch(_LATENCY, "(61.0, 89.0)", "(1.0, 2.0)"))
SPECIMENS = (CONTROL, NO_OP, CRASHING, STALE)
"""What the proof is tested with: none of them is a wrong provider."""

_BY_ID = {found.id: found for found in (*MUTANTS, *SPECIMENS)}


def find(name: str) -> Mutant:
    """The mutant of an id. Raises KeyError."""
    return _BY_ID[name]


def documented_claims() -> list[str]:
    """The claims that need a mutant: what the documents say (status D), in part at least."""
    return [claim.id for claim in claims().values() if "D" in claim.status]


def claims_without_a_mutant(mutants: Sequence[Mutant] = MUTANTS) -> list[str]:
    covered = {name for found in mutants for name in found.claims}
    return [name for name in documented_claims() if name not in covered]


def provider_of(claim: str) -> str:
    return claims()[claim].provider


def sample(count: int) -> list[Mutant]:
    """So many mutants that are not slow, from all providers in turn, evenly spread over each one's."""
    shares = [count // len(PROVIDERS) + (place < count % len(PROVIDERS)) for place in range(len(PROVIDERS))]
    return [found for name, share in zip(PROVIDERS, shares, strict=True) for found in _spread(name, share)]


def _spread(provider: str, share: int) -> list[Mutant]:
    own = [found for found in MUTANTS if provider_of(found.claims[0]) == provider and not found.slow]
    share = min(share, len(own))
    return [own[(2 * place + 1) * len(own) // (2 * share)] for place in range(share)]
