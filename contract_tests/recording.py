"""Recordings: redacted exchanges on disk (`--record DIR`), and a replay of them (`--target replay:DIR`).

A recording keeps no key, no account's name or id, no signed URL parameter, and pictures as size and hash. A UUID in a
link is a credential too: every UUID and task id is replaced by a pseudonym, always by the same one, so that ids still
match each other.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest

from .exchange import KEPT_ANSWER_HEADERS, KEPT_REQUEST_HEADERS, Answer, Call, Exchange
from .pictures import picture_in_base64, picture_of

KEY, OTHER_KEY, REDACTED = "<key>", "<another key>", "REDACTED"
OPEN_PARAMETERS = frozenset({"async", "download", "n"})
"""Query parameters that a recording keeps: they are never signatures or secrets."""

PRIVATE_FIELDS = frozenset(
    {"account", "account_id", "user_id", "userid", "owner", "owner_id", "email", "username", "organization", "org_id"}
    | {"application_id", "credential_id", "token_id", "api_key", "ip"}
)
_UUID = re.compile(r"(?<![0-9a-fA-F])(?!00000000-)[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9a-fA-F])")
_TASK = re.compile(r"(task-unified-\d+-)(?!zzz)([a-z0-9]{8})(?![a-z0-9])")
_URL = re.compile(r"https?://[^\s\"'<>\\]+")
_DATA_URL = re.compile(r"data:([\w/+.-]*);base64,([A-Za-z0-9+/=]*)")
LONGEST_TEXT = 4000


@dataclass(slots=True)
class Redactor:
    """Removes secrets from what is kept: `keys` are the API keys in use; `placeholders` replace addresses."""

    keys: tuple[str, ...]
    placeholders: Mapping[str, str] = field(default_factory=dict)

    def text(self, text: str) -> str:
        for key in filter(None, self.keys):
            text = text.replace(key, KEY)
        for address, placeholder in self.placeholders.items():
            text = text.replace(address, placeholder)
        text = _DATA_URL.sub(_data_url_note, text)
        text = _URL.sub(lambda found: _open_url(found.group()), text)
        text = _UUID.sub(lambda found: _pseudo_uuid(found.group()), text)
        text = _TASK.sub(lambda found: found[1] + "zzz" + _digest(found[2])[:5], text)
        return text if len(text) <= LONGEST_TEXT else f"text:{len(text)} characters, sha256={_digest(text)}"

    def value(self, value: Any) -> Any:
        if isinstance(value, str):
            found = picture_in_base64(value) if len(value) >= 60 else None
            return found.note if found else self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self._field(name, item) for name, item in value.items()}
        return value

    def _field(self, name: str, value: Any) -> Any:
        return REDACTED if name.lower() in PRIVATE_FIELDS and value is not None else self.value(value)

    def call(self, call: Call) -> dict[str, Any]:
        kept: dict[str, Any] = {"method": call.method, "url": self.text(call.url), "query": _open_query(call.query)}
        kept["headers"] = {name: self._header(name, value) for name, value in _some(call.headers, KEPT_REQUEST_HEADERS)}
        if call.content is not None:
            kept["content"] = f"bytes:{len(call.content)}, sha256={sha256(call.content).hexdigest()}"
        elif call.form is not None:
            kept["form"] = self.value({name: str(value) for name, value in call.form.items()})
            kept["files"] = [[field, name, _content_note(data), kind] for field, name, data, kind in call.files]
        elif call.body is not None:
            kept["body"] = self.value(call.body)
        return kept

    def answer(self, answer: Answer) -> dict[str, Any]:
        headers = {name: self._header(name, value) for name, value in _some(answer.headers, KEPT_ANSWER_HEADERS)}
        kept: dict[str, Any] = {"status": answer.status, "headers": headers, "elapsed": round(answer.elapsed, 3)}
        if answer.value is not None:
            return {**kept, "json": self.value(answer.value)}
        picture = picture_of(answer.content)
        return {**kept, "text": picture.note if picture else self.text(answer.content.decode("utf-8", "replace"))}

    def _header(self, name: str, value: str) -> str:
        if name == "authorization":
            return f"Bearer {KEY}" if value in {f"Bearer {key}" for key in self.keys} else OTHER_KEY
        return self.text(value)


@dataclass(slots=True)
class Recorder:
    """Writes a test's exchanges to a file of its own."""

    folder: Path
    exchanges: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, test: str, exchange: Exchange, redactor: Redactor) -> None:
        entry = {"call": redactor.call(exchange.call), "answer": redactor.answer(exchange.answer)}
        self.exchanges.setdefault(test, []).append(entry)

    def write(self, test: str) -> None:
        """Write a test's exchanges, if there are any, when the test has ended."""
        entries = self.exchanges.pop(test, [])
        if entries:
            self.folder.mkdir(parents=True, exist_ok=True)
            page = {"test": test, "exchanges": entries}
            _file(self.folder, test).write_text(json.dumps(page, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


@dataclass(slots=True)
class Replay:
    """Answers calls from a recording; the calls of each test must come in the recorded order."""

    folder: Path
    _entries: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def answer(self, test: str, call: Call, redactor: Redactor) -> Answer:
        """The recorded answer. Skips the test if the next recorded call is another one."""
        entries = self._entries_of(test)
        asked = json.loads(json.dumps(redactor.call(call)))
        if not entries or entries[0]["call"] != asked:
            pytest.skip(f"the recording has no such {call.method} {redactor.text(call.url)} here")
        return _replayed(entries.pop(0)["answer"])

    def _entries_of(self, test: str) -> list[dict[str, Any]]:
        if test not in self._entries:
            path = _file(self.folder, test)
            page = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"exchanges": []}
            self._entries[test] = page["exchanges"]
        return self._entries[test]


def _replayed(kept: Mapping[str, Any]) -> Answer:
    content = json.dumps(kept["json"]) if "json" in kept else kept["text"]
    return Answer(kept["status"], kept["headers"], content.encode(), kept["elapsed"])


def _file(folder: Path, test: str) -> Path:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", test.split("contract_tests/")[-1])
    return folder / f"{name[:120]}-{_digest(test.split('contract_tests/')[-1])[:8]}.json"


def _some(headers: Mapping[str, str], names: tuple[str, ...]) -> list[tuple[str, str]]:
    lower = {name.lower(): value for name, value in headers.items()}
    return [(name, lower[name]) for name in names if name in lower]


def _content_note(data: bytes) -> str:
    picture = picture_of(data)
    return picture.note if picture else f"bytes:{len(data)}, sha256={sha256(data).hexdigest()}"


def _data_url_note(found: re.Match[str]) -> str:
    picture = picture_in_base64(found[2])
    return f"data:{found[1]};base64,{picture.note if picture else _digest(found[2])[:16]}"


def _open_url(url: str) -> str:
    """A URL without credentials, and with all query values hidden but those of OPEN_PARAMETERS."""
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return url
    shown = urlencode([(name, _open_query({name: value})[name]) for name, value in query])
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, shown, ""))


def _open_query(query: Mapping[str, str]) -> dict[str, str]:
    return {name: value if name in OPEN_PARAMETERS else REDACTED for name, value in query.items()}


def _pseudo_uuid(text: str) -> str:
    digits = _digest(text.lower())
    return f"00000000-{digits[:4]}-4{digits[4:7]}-8{digits[7:10]}-{digits[10:22]}"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
