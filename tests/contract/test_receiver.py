"""The suite's webhook receiver."""

import httpx

from contract_tests.receiver import running


def test_it_records_callbacks_and_answers_by_its_script() -> None:
    with running() as base, httpx.Client(trust_env=False) as http:
        http.put(f"{base}/a", json={"responses": [500, {"status": 204}]})
        statuses = [http.post(f"{base}/a", json={"n": n}).status_code for n in range(3)]
        received = http.get(f"{base}/a").json()["received"]
    assert statuses == [500, 204, 200]
    assert [entry["body"] for entry in received] == ['{"n":0}', '{"n":1}', '{"n":2}']


def test_without_the_secret_path_it_is_neither_read_nor_filled() -> None:
    with running() as base, httpx.Client(trust_env=False) as http:
        root = base.rsplit("/", 1)[0]
        assert http.get(f"{root}/a").status_code == 404
        assert http.post(f"{root}/wrong/a").status_code == 404
