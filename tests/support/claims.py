"""Every claim by id, with its status, for `test_claims.py` to compare with the tests.

D: the document says so. P: other public material of the service does. R: our ruling. CLIENT-… are the needs of real
clients, measured; the pages give them no ids of their own.
"""

import tomllib
from pathlib import Path

_PAGES = sorted((Path(__file__).parents[2] / "fixtures" / "claims").glob("*.toml"))
_CLIENTS = ("HEADERS", "RETRY", "FORM", "CHUNKED", "EXTRA", "URL")

CLAIMS: dict[str, str] = {
    **{claim["id"]: claim["status"] for page in _PAGES for claim in tomllib.loads(page.read_text("utf-8"))["claim"]},
    **{f"CLIENT-{need}-1": "P" for need in _CLIENTS},
}
