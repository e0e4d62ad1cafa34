"""anyio, on asyncio and on trio."""

from functools import partial

import anyio.to_thread
import httpx
import pytest

from mockserver.pytest_plugin import MockProviders


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.anyio
async def test_on_both(mock_providers: MockProviders) -> None:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {mock_providers.api_key}"}) as http:
        url = f"{mock_providers.evolink.base_url}/v1/images/generations"
        body = {"model": "gpt-image-2-beta", "prompt": "x"}
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(partial(http.post, url, json=body))
        mock_providers.faults.add("status", status=503)
        assert (await http.get(f"{mock_providers.evolink.base_url}/v1/credits")).status_code == 503
    await anyio.to_thread.run_sync(mock_providers.clock.advance, 1)
    mock_providers.assert_requested("evolink", times=3)
    mock_providers.assert_spent("evolink", "7.5")
