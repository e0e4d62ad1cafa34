"""A program as its author wrote it: httpx, which trusts its environment or not."""

import base64
import json
import sys

import httpx

URL = "https://api.xhuoapi.ai/v1/openai/images/generations"
BODY = {"model": "gpt-image-2", "prompt": "a fox"}

client = httpx.Client(trust_env="trusting" in sys.argv)
url = client.post(URL, json=BODY, headers={"Authorization": "Bearer k"}).json()["data"][0]["url"]
picture = client.get(url).content
try:
    client.post(URL, json=BODY, headers={"Authorization": "Bearer k-mock-402"}).raise_for_status()
except httpx.HTTPStatusError as error:
    print(json.dumps({"url": url, "picture": base64.b64encode(picture).decode(), "error": type(error).__name__}))
