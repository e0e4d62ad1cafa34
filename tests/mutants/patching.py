"""Mutants, and how they are applied: when a module of the mock is imported, a text in its source is replaced.

Nothing is copied and nothing on disk changes. A text that is no longer there, or is there twice, is an error.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

PACKAGE = "mockserver"


class NoLongerApplies(Exception):
    """A patch whose text is not in its module exactly once."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Replaces the text `old`, which occurs once in `module` (of mockserver), by `new`."""

    module: str
    old: str
    new: str

    @property
    def full_name(self) -> str:
        return f"{PACKAGE}.{self.module}"

    def apply(self, source: str) -> str:
        """The source with this patch applied. Raises NoLongerApplies."""
        found = source.count(self.old)
        if found != 1:
            raise NoLongerApplies(f"{self.full_name} has {found} times: {self.old}")
        return source.replace(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mock with one fault. `wrong` describes it in a sentence; the tests of each of `claims` must fail on it.

    `slow`: its tests take more than a few seconds.
    """

    id: str
    claims: tuple[str, ...]
    wrong: str
    patches: tuple[Patch, ...]
    slow: bool = False


def mutant(name: str, claims: str, wrong: str, *patches: Patch, slow: bool = False) -> Mutant:
    """A mutant for a table; `claims` are separated by spaces."""
    return Mutant(name, tuple(claims.split()), wrong, patches, slow)


def patches_of(module: str) -> Callable[[str, str], Patch]:
    """Makes patches of one module, from the old text and the new."""
    return lambda old, new: Patch(module, old, new)


ROUTES_UNCHECKED = Patch(
    "providers.base", 'yield f"no billable route is POST {example.path}, the path of its example"', "pass"
)
"""Lets a mock start whose generations are not where they should be."""


def patched(patches: Sequence[Patch], module: str, source: str) -> str:
    """A module's source with the patches of this module applied. Raises NoLongerApplies."""
    for patch in patches:
        if patch.full_name == module:
            source = patch.apply(source)
    return source


class _Loader(SourceFileLoader):
    """Compiles the patched source, without using the cache of compiled modules."""

    def __init__(self, name: str, path: str, patches: Sequence[Patch]) -> None:
        super().__init__(name, path)
        self._patches = patches

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_data(self.path).decode("utf-8")
        return compile(patched(self._patches, fullname, source), self.path, "exec")


class _Finder(MetaPathFinder):
    def __init__(self, patches: Sequence[Patch]) -> None:
        self._patches = patches

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not any(patch.full_name == fullname for patch in self._patches):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin, self._patches)
        return spec


def install(patches: Sequence[Patch]) -> None:
    """Apply patches in this process. Raises NoLongerApplies, also for a module that was imported before."""
    sys.meta_path.insert(0, _Finder(patches))
    for name in {patch.full_name for patch in patches}:
        if name in sys.modules and not isinstance(getattr(sys.modules[name], "__loader__", None), _Loader):
            raise NoLongerApplies(f"{name} was imported before it could be patched")
        importlib.import_module(name)
