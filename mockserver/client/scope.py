"""Whose records operations are about, and what was added to the server on that behalf."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mockserver.client.discovered import ApiKeys, choose_keys


@dataclass(frozen=True, slots=True)
class AddedRule:
    """A fault rule that was added: `own_key` if it matches a key of the scope, `optional` if it need not fire."""

    own_key: bool
    optional: bool


@dataclass(slots=True)
class Scope:
    """The API keys of a client, and whether its lists and faults are limited to them.

    Args:
        given_key: the API key that the user chose; None for one that the providers accept.
        allowed_keys: the only keys that the server accepts; empty if it accepts every well-formed one.
        key_token: makes the chosen keys unique, so that they are accounts of their own.
        own_only: whether lists, faults and assertions are about these keys alone, unless `everyone` is set.
        sink_prefix: what the names of this client's sinks begin with on the server.
        rules: the fault rules that were added, by id.
        routes: the addresses that routes were added for.
    """

    given_key: str | None = None
    allowed_keys: tuple[str, ...] = ()
    key_token: str = ""
    own_only: bool = False
    sink_prefix: str = ""
    rules: dict[str, AddedRule] = field(default_factory=dict)
    routes: list[str] = field(default_factory=list)
    _keys: ApiKeys | None = None

    @property
    def keys(self) -> ApiKeys:
        """The API keys, chosen when they are first needed: that imports the providers."""
        if self._keys is None:
            self._keys = choose_keys(self.key_token, self.given_key, self.allowed_keys)
        return self._keys

    @property
    def api_key(self) -> str:
        return self.keys.shared

    def key_for(self, provider: str | None) -> str:
        """The API key that is used at a provider."""
        return self.keys.by_provider.get(provider or "", self.keys.shared)

    def filter(self, everyone: bool = False) -> Mapping[str, tuple[str, ...]]:
        """The query parameter that limits a list to this scope."""
        if everyone or not self.own_only:
            return {}
        return {"api_key": (self.keys.shared, *self.keys.by_provider.values())}
