"""A server's OpenAPI descriptions, and what answers say against them."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import httpx
from openapi_schema_validator import OAS31Validator


@dataclass(frozen=True)
class Description:
    """One description, at a base URL."""

    document: dict[str, Any]

    @classmethod
    def read(cls, http: httpx.Client, mount: str) -> "Description":
        """That of a provider, or of `_mock`."""
        answer = http.get(f"/{mount}/openapi.json")
        assert answer.status_code == 200, answer.text
        return cls(answer.json())

    def operation(self, method: str, path: str) -> dict[str, Any]:
        """The operation of a concrete path."""
        fixed = self.document["paths"].get(path)
        found = fixed or next(item for form, item in self.document["paths"].items() if _pattern(form).fullmatch(path))
        operation: dict[str, Any] = found[method.lower()]
        return operation

    def fits(self, schema: dict[str, Any], value: Any) -> None:
        """Check a JSON value. Raises the validator's error."""
        self._validator(schema).validate(value)

    def accepts(self, schema: dict[str, Any], value: Any) -> bool:
        return bool(self._validator(schema).is_valid(value))

    def _validator(self, schema: dict[str, Any]) -> Any:
        return OAS31Validator({**schema, "components": self.document["components"]})

    def check(self, answer: httpx.Response, mount: str = "") -> Any:
        """Check an answer against its operation: status, type and body; the body."""
        path = answer.request.url.path.removeprefix(mount)
        responses = self.operation(answer.request.method, path)["responses"]
        assert str(answer.status_code) in responses, f"{path} has no {answer.status_code}: {answer.text}"
        content = responses[str(answer.status_code)].get("content", {})
        if not content:
            return None
        (media,) = [media for kind, media in content.items() if fnmatchcase(answer.headers["content-type"], kind)]
        if answer.headers["content-type"] == "application/json":
            self.fits(media["schema"], answer.json())
            return answer.json()
        return answer.content


def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(form)))
