"""An account is a key at a provider."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mockserver.engine.accounts import Accounts, account_id, is_account_id
from mockserver.engine.ledger import Account
from mockserver.engine.store.memory import MemoryStore


@given(st.text(st.characters(codec=None)))
def test_a_name_is_a_short_hash_and_not_the_key(key: str) -> None:
    name = account_id(key)
    assert re.fullmatch("acct_[0-9a-f]{12}", name)
    assert is_account_id(name)
    assert account_id(key) == name


def test_a_key_is_no_name() -> None:
    assert [is_account_id(text) for text in ("", "sk_1", "acct_12", "acct_0123456789AB", "acct_0123456789ab\n")] == [
        False
    ] * 5


def test_an_account_opens_at_the_first_call_and_stays() -> None:
    store = MemoryStore()
    accounts = Accounts(store, {"studio": 500, "lab": 7})
    assert accounts.get("studio", "acct_1") == Account("studio", "acct_1", 500, 500)
    assert accounts.get("studio", "acct_1") is accounts.get("studio", "acct_1")
    assert accounts.get("lab", "acct_1") == Account("lab", "acct_1", 7, 7)
    assert len(store.accounts) == 2


def test_looking_at_an_account_does_not_open_it() -> None:
    store = MemoryStore()
    accounts = Accounts(store, {"studio": 500})
    assert accounts.peek("studio", "acct_1") == Account("studio", "acct_1", 500, 500)
    assert len(store.accounts) == 0
    assert accounts.peek("studio", "acct_1") is not accounts.get("studio", "acct_1")
    assert accounts.peek("studio", "acct_1") is accounts.get("studio", "acct_1")
