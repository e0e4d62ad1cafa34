"""The matrix: every client runs unmodified against the mock, and none gets past it."""

import asyncio
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from mockserver.intercept.environment import hook_variables, program_variables, proxy_variables
from support.clients import CLIENTS, HOOKED, LONG, OPENAI_2, Client, assert_served, run
from support.intercepted import Intercepted

AUDIT = """
import sys
def refuse(event, arguments):
    if event == "socket.getaddrinfo" and str(arguments[0]).endswith((".ai", ".cc", ".net")):
        sys.stderr.write(f"resolved {arguments[0]}\\n")
        sys.exit(99)
sys.addaudithook(refuse)
print("the user's own sitecustomize", file=sys.stderr)
"""


@pytest.fixture
def watched(tmp_path: Path) -> str:
    """A PYTHONPATH whose sitecustomize, the user's own, ends a program that looks a documented host up."""
    (tmp_path / "sitecustomize.py").write_text(AUDIT)
    return str(tmp_path)


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_a_client_is_led_to_the_mock(led: Intercepted, client: Client, watched: str) -> None:
    done = run(client, program_variables(led.facts, {"PYTHONPATH": watched}))
    said = assert_served(client, done)
    assert client.package != OPENAI_2 or said["version"].startswith("2.")
    assert ("sitecustomize" in done.stderr) == client.command[0].endswith(".py")
    assert len(led.scene.mock("tasks")["tasks"]) == 1


@LONG
@pytest.mark.parametrize("name", sorted(HOOKED))
def test_the_hook_alone_leads_it_too(led: Intercepted, name: str, watched: str) -> None:
    """A client that reads no proxy variables; here there are none for any of them."""
    client = CLIENTS[name]
    assert_served(client, run(client, hook_variables(led.facts, {"PYTHONPATH": watched})))


@LONG
@pytest.mark.parametrize("name", sorted(name for name, client in CLIENTS.items() if client.heeds_proxy))
def test_what_heeds_the_proxy_needs_no_hook(led: Intercepted, name: str, watched: str) -> None:
    client = CLIENTS[name]
    assert_served(client, run(client, {**proxy_variables(led.facts), "PYTHONPATH": watched}))


def interpreters() -> list[str]:
    """Other versions of Python on this machine."""
    folder = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    return sorted(str(path) for path in folder.glob("3.*/bin/python") if path.parent.parent.name[:4] != "3.11")


@LONG
@pytest.mark.parametrize("python", interpreters(), ids=lambda path: Path(path).parents[1].name)
def test_other_versions_of_python(led: Intercepted, python: str) -> None:
    """3.7 and later are led; an older one runs nothing, because it would go past the mock."""
    environment = {**os.environ, **hook_variables(led.facts, {})}
    done = subprocess.run(
        [python, str(Path(__file__).parent / "programs" / "via_urllib.py")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    new_enough = int(Path(python).parents[1].name.split(".")[1]) >= 7
    if new_enough:
        assert_served(CLIENTS["urllib"], done)
    else:
        assert done.returncode != 0
        assert "nothing is run" in done.stderr


def test_a_broken_hook_runs_nothing(led: Intercepted) -> None:
    for name, command in (("Python", [sys.executable, "-c", "print('ran')"]), ("Node", ["node", "-e", "1"])):
        variables = {**program_variables(led.facts, {}), "MOCKSERVER_INTERCEPT": "{broken"}
        if name == "Node" and CLIENTS["Node fetch"].interpreter is None:
            continue
        done = subprocess.run(
            command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode != 0
        assert done.stdout == ""
        assert f"the hook for {name} does not work here" in done.stderr


PAST = """
const socket = require('tls').connect({
  host: '127.0.0.1', port: Number(process.argv[2]), servername: 'api.evolink.ai', rejectUnauthorized: false,
});
socket.on('secureConnect', () => { console.log('connected'); socket.destroy(); });
socket.on('error', (error) => console.log(error.code));
"""


@pytest.mark.skipif(CLIENTS["Node fetch"].interpreter is None, reason="there is no Node here")
def test_node_does_not_use_a_connection_that_came_elsewhere_by_another_way(led: Intercepted, tmp_path: Path) -> None:
    """As if a program had looked the name up by itself: the certificate is one that it trusts, but not the mock's."""
    ca, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("api.evolink.ai").configure_cert(context)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "past.cjs").write_text(PAST)
    variables = {**hook_variables(led.facts, {}), "NODE_EXTRA_CA_CERTS": str(tmp_path / "ca.pem")}

    async def connect(environment: dict[str, str]) -> str:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
        port = str(server.sockets[0].getsockname()[1])
        async with server:
            node = CLIENTS["Node fetch"].interpreter or ""
            program = await asyncio.create_subprocess_exec(
                node, str(tmp_path / "past.cjs"), port, env={**os.environ, **environment}, stdout=subprocess.PIPE
            )
            return (await program.communicate())[0].decode().strip()

    assert asyncio.run(connect({})) == "connected", "the program itself can reach it"
    assert "CERT" in asyncio.run(connect(variables)) or "VERIFY" in asyncio.run(connect(variables))
