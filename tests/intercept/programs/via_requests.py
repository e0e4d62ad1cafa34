"""A program as its author wrote it: requests."""

import base64
import json

import requests

URL = "https://api.xhuoapi.ai/v1/openai/images/generations"
BODY = {"model": "gpt-image-2", "prompt": "a fox"}

url = requests.post(URL, json=BODY, headers={"Authorization": "Bearer k"}).json()["data"][0]["url"]
picture = requests.get(url).content
try:
    requests.post(URL, json=BODY, headers={"Authorization": "Bearer k-mock-402"}).raise_for_status()
except requests.HTTPError as error:
    print(json.dumps({"url": url, "picture": base64.b64encode(picture).decode(), "error": type(error).__name__}))
