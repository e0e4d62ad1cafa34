"""A program as its author wrote it: aiohttp, which trusts its environment or not, on asyncio's loop or on uvloop's."""

import asyncio
import base64
import json
import sys

import aiohttp

URL = "https://api.xhuoapi.ai/v1/openai/images/generations"
BODY = {"model": "gpt-image-2", "prompt": "a fox"}


async def main() -> None:
    async with aiohttp.ClientSession(trust_env="trusting" in sys.argv) as session:
        async with session.post(URL, json=BODY, headers={"Authorization": "Bearer k"}) as answer:
            url = (await answer.json())["data"][0]["url"]
        async with session.get(url) as answer:
            picture = base64.b64encode(await answer.read()).decode()
        try:
            headers = {"Authorization": "Bearer k-mock-402"}
            await session.post(URL, json=BODY, headers=headers, raise_for_status=True)
        except aiohttp.ClientResponseError as error:
            print(json.dumps({"url": url, "picture": picture, "error": type(error).__name__}))


if "uvloop" in sys.argv:
    import uvloop

    uvloop.run(main())
else:
    asyncio.run(main())
