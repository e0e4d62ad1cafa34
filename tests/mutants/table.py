"""All mutants by id, the claims that need one, and samples of them."""

import importlib
import pkgutil
from collections.abc import Sequence

from contract_tests.library import claims
from mutants import tables
from mutants.patching import Mutant, Patch, mutant

MUTANTS: tuple[Mutant, ...] = tuple(
    found
    for module in pkgutil.iter_modules(tables.__path__)
    for found in importlib.import_module(f"{tables.__name__}.{module.name}").MUTANTS
)
"""Those of every module in `tables/`."""

CONTROL = mutant("control", "", "Nothing is wrong.")
_LATENCY, _CLAIM = "providers.xhuoapi.pricing", "XH-LAT-1"
NO_OP = mutant("no-op", _CLAIM, "Nothing is wrong: 30 * 3 is 90.", Patch(_LATENCY, "(60.0, 90.0)", "(60.0, 30.0 * 3)"))
CRASHING = mutant(
    "crashing", _CLAIM, "It breaks down.", Patch(_LATENCY, "    large = model", "    large = 1 // 0 or model")
)
STALE = mutant("stale", _CLAIM, "Its patch has nothing to hold on to.", Patch(_LATENCY, "(61.0, 89.0)", "(1.0, 2.0)"))
SPECIMENS = (CONTROL, NO_OP, CRASHING, STALE)
"""For the tests of `scripts/mutants` itself: none of them is a wrong provider."""

_BY_ID = {found.id: found for found in (*MUTANTS, *SPECIMENS)}


def find(name: str) -> Mutant:
    """The mutant of an id. Raises KeyError."""
    return _BY_ID[name]


def documented_claims() -> list[str]:
    """The claims that need a mutant: those with status D, alone or among others."""
    return [claim.id for claim in claims().values() if "D" in claim.status]


def claims_without_a_mutant(mutants: Sequence[Mutant] = MUTANTS) -> list[str]:
    covered = {name for found in mutants for name in found.claims}
    return [name for name in documented_claims() if name not in covered]


def provider_of(claim: str) -> str:
    return claims()[claim].provider


def sample(count: int) -> list[Mutant]:
    """`count` mutants that are not slow, from all providers in equal shares, evenly spread over each one's."""
    names = sorted({provider_of(found.claims[0]) for found in MUTANTS})
    shares = [count // len(names) + (place < count % len(names)) for place in range(len(names))]
    return [found for name, share in zip(names, shares, strict=True) for found in _spread(name, share)]


def _spread(provider: str, share: int) -> list[Mutant]:
    own = [found for found in MUTANTS if provider_of(found.claims[0]) == provider and not found.slow]
    share = min(share, len(own))
    return [own[(2 * place + 1) * len(own) // (2 * share)] for place in range(share)]
