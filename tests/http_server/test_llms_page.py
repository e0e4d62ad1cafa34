"""/llms.txt: what it says is there, and the calls that it names work."""

import re
import shlex

from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web


def test_the_page_for_agents_names_what_there_is() -> None:
    with MockServer(Settings(latency="instant")) as mock:
        answer = web.get(f"{mock.root_url}/llms.txt")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        for provider in mock.app.providers:
            assert provider.base_url(mock.root_url) in answer.text
        surface = answer.text.partition("## Control surface")[2].partition("Each provider")[0]
        assert surface.count("\n- ") == 10
        for path in re.findall(rf"GET {re.escape(mock.root_url)}(\S+?)[:,]", surface):
            assert web.get(mock.root_url + path).status_code == 200, path
        for path, body in re.findall(
            rf"POST {re.escape(mock.root_url)}(/_mock/(?:faults|reset|clock/advance)) (.*)", surface
        ):
            sent = body.partition(" or ")[0].removesuffix(": forget everything").replace("NAME", "evolink")
            assert web.post(mock.root_url + path, content=sent).status_code == 200, body
        for line in re.findall(r"^  curl (.*)$", answer.text, re.M):
            url, *rest = shlex.split(line)
            pairs = list(zip(rest[::2], rest[1::2], strict=True))
            headers = dict(value.split(": ", 1) for flag, value in pairs if flag == "-H")
            data = next(value for flag, value in pairs if flag == "-d")
            assert web.post(url, headers=headers, content=data.encode()).status_code == 200, line
        assert web.post(f"{mock.root_url}/llms.txt").status_code == 405
