"""A program as its author wrote it: urllib3 with a bare PoolManager, which reads no proxy variables."""

import base64
import json

import urllib3

URL = "https://api.xhuoapi.ai/v1/openai/images/generations"
BODY = {"model": "gpt-image-2", "prompt": "a fox"}

http = urllib3.PoolManager()
url = http.request("POST", URL, json=BODY, headers={"Authorization": "Bearer k"}).json()["data"][0]["url"]
picture = base64.b64encode(http.request("GET", url).data).decode()
refused = http.request("POST", URL, json=BODY, headers={"Authorization": "Bearer k-mock-402"})
print(json.dumps({"url": url, "picture": picture, "error": f"{refused.status} {refused.json()['error']['code']}"}))
