"""An account is a key at a provider."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mockserver.engine.accounts import KnownKeys, account_id, is_account_id


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


def test_the_newest_keys_are_known() -> None:
    keys = KnownKeys(2)
    for number in (1, 2, 1, 3):
        keys.know(f"acct_{number}", f"key {number}")
    assert keys.all() == ["key 2", "key 3"]
    assert (keys.key_of("acct_3"), keys.key_of("acct_1")) == ("key 3", "")
    keys.clear()
    assert keys.all() == []
