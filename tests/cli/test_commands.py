"""What the commands print that end by themselves."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mockserver.cli import main
from mockserver.cli.commands import COMMANDS
from mockserver.cli.options import OPTIONS
from support.calls import PROVIDERS

COMMAND = (sys.executable, "-m", "mockserver")


def test_help_names_every_setting_its_variable_and_its_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert main(["serve", "--help"]) == 0
    text = capsys.readouterr().out
    for option in OPTIONS:
        assert option.meaning in text
        if option.in_flags:
            assert f"{option.flag} " in text
            facts = f"{option.env} · default {option.default_text}" if option.default_text else option.env
            assert facts in text
    assert "MOCKSERVER_CONFIG" in text


def test_without_a_command_it_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    text = capsys.readouterr().out
    assert [command for command in ("serve", "prices", "providers", "env") if f"│ {command} " not in text] == []


def test_prices_are_printed_with_what_a_file_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mock.toml"
    file.write_text("[prices.icodeeasy]\nhigh = 0.50\n[latencies.icodeeasy]\nimage = [1, 2]")
    assert main(["prices", "--config", str(file)]) == 0
    text = capsys.readouterr().out
    assert re.search(r"gpt-image-2-beta +2\.5 +credits", text)
    assert re.search(r"high +0\.5 +CNY +changed; documented 0\.4", text)
    assert re.search(r"image +1–2 +changed; documented 30–60", text)


def test_providers_are_printed_with_their_endpoints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["providers"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"icodeeasy +jp\.icodeeasy\.cc +/icodeeasy/v1 +/icodeeasy/v1 +gpt-image-2", text)
    assert re.search(r"POST +/xhuoapi/v1/openai/images/edits +paid", text)
    assert max(map(len, text.splitlines())) <= 100


def test_env_points_clients_here() -> None:
    script = f'eval "$({shlex.join(COMMAND)} env --root-url http://127.0.0.1:9999/ --provider icodeeasy)"; env'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=10)
    found = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    assert found["OPENAI_BASE_URL"] == found["ICODEEASY_BASE_URL"] == "http://127.0.0.1:9999/icodeeasy/v1"
    assert found["OPENAI_API_KEY"] == found["ICODEEASY_API_KEY"] == "sk_my-icodeeasy-key"
    assert found["XHUOAPI_BASE_URL"] == "http://127.0.0.1:9999/xhuoapi/v1"
    assert found["EVOLINK_BASE_URL"] == "http://127.0.0.1:9999/evolink/v1"


def test_env_sends_openai_clients_to_xhuoapi_unless_told_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env"]) == 0
    assert "export OPENAI_BASE_URL=http://127.0.0.1:8080/xhuoapi/v1/openai\n" in capsys.readouterr().out
    assert main(["env", "--provider", "evolink"]) == 2
    assert "there are icodeeasy, " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variables", "root"),
    [
        ({"PORT": "8091"}, "http://127.0.0.1:8091"),
        ({"HOST": "0.0.0.0", "PORT": "8091"}, "http://127.0.0.1:8091"),
        ({"PORT": "0", "PUBLIC_URL": "https://mock.example.com"}, "https://mock.example.com"),
    ],
)
def test_env_is_where_the_variables_put_the_server(
    variables: dict[str, str], root: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"MOCKSERVER_{name}", value)
    assert main(["env"]) == 0
    assert f"export EVOLINK_BASE_URL={root}/evolink/v1\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("sh", "export EVOLINK_BASE_URL=http://127.0.0.1:1/evolink/v1"),
        ("fish", "set -gx EVOLINK_BASE_URL 'http://127.0.0.1:1/evolink/v1'"),
        ("powershell", "$env:EVOLINK_BASE_URL = 'http://127.0.0.1:1/evolink/v1'"),
        ("dotenv", "EVOLINK_BASE_URL=http://127.0.0.1:1/evolink/v1"),
    ],
)
def test_env_writes_for_each_shell(shell: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "--root-url", "http://127.0.0.1:1", "--shell", shell]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (line in lines, len(lines)) == (True, 2 + 2 * len(PROVIDERS))


@pytest.mark.parametrize(
    ("shell", "quoted"),
    [
        ("sh", "export EVOLINK_BASE_URL='http://h/a'\"'\"'$b/evolink/v1'"),
        ("fish", "set -gx EVOLINK_BASE_URL 'http://h/a\\'$b/evolink/v1'"),
        ("powershell", "$env:EVOLINK_BASE_URL = 'http://h/a''$b/evolink/v1'"),
        ("dotenv", 'EVOLINK_BASE_URL="http://h/a\'\\$b/evolink/v1"'),
    ],
)
def test_env_quotes_as_each_shell_does(shell: str, quoted: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "--root-url", "http://h/a'$b", "--shell", shell]) == 0
    assert quoted in capsys.readouterr().out.splitlines()


def test_env_knows_no_other_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "--shell", "cmd"]) == 2
    assert capsys.readouterr().err == "mockserver: --shell: cmd is not one of sh, fish, powershell, dotenv\n"


def test_env_can_not_know_a_port_that_is_not_chosen_yet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MOCKSERVER_PORT", "0")
    assert main(["env"]) == 2
    assert "say --root-url" in capsys.readouterr().err


def test_the_library_needs_nothing_of_the_command_line() -> None:
    script = "import sys, mockserver.server, mockserver.client.environment; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert {"rich", "mockserver.cli"}.isdisjoint(done.stdout.split())


def test_serve_imports_nothing_that_only_other_commands_need() -> None:
    script = (
        "import sys\nfrom mockserver.cli import main, serving\n"
        "serving.serve = lambda app, config, place: print(*sys.modules)\nmain(['serve', '--quiet'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True)
    others = {
        "rich",
        "tomllib",
        "difflib",
        "mockserver.client",
        "mockserver.control",
        "mockserver.cli.help",
        "mockserver.cli.workers",
    }
    assert others & set(done.stdout.split()) == set()


def test_an_unknown_command_is_refused_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server"]) == 2
    names = ", ".join(command.name for command in COMMANDS)
    assert capsys.readouterr().err == f"mockserver: No such command 'server'; there are {names}.\n"
    assert names.startswith("serve, exec, ")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, timeout=20, check=True)
    assert re.fullmatch(r"mockserver \d+\.\d+\.\d+\n", done.stdout)
    assert (main(["serve", "--version"]), capsys.readouterr().out) == (0, done.stdout)


def test_openapi_prints_what_the_server_would_serve(capsys: pytest.CaptureFixture[str]) -> None:
    for name, path in (("evolink", "/v1/tasks/{task_id}"), ("control", "/_mock/clock")):
        assert main(["openapi", name]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["openapi"].startswith("3.1")
        assert path in document["paths"]
        assert document["servers"][0]["url"].startswith("http://127.0.0.1:8080")


@pytest.mark.parametrize("arguments", [[], ["nobody"], ["evolink", "icodeeasy"]])
def test_openapi_takes_one_name_of_those_that_there_are(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["openapi", *arguments]) == 2
    assert capsys.readouterr().err == "mockserver: openapi takes one name: " + ", ".join([*PROVIDERS, "control.\n"])


def test_openapi_without_the_extra_names_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "mockserver.control.description", raising=False)
    monkeypatch.setitem(sys.modules, "openapi_pydantic", None)
    assert main(["openapi", "control"]) == 1
    assert "pip install 'image-api-mockserver[openapi]'" in capsys.readouterr().err


def test_openapi_has_a_help_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openapi", "--help"]) == 0
    assert "openapi PROVIDER|control" in capsys.readouterr().out
