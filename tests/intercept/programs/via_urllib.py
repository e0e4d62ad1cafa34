"""A program as its author wrote it: the standard library's urllib."""

import base64
import json
import urllib.error
import urllib.request

URL = "https://api.xhuoapi.ai/v1/openai/images/generations"
BODY = json.dumps({"model": "gpt-image-2", "prompt": "a fox"}).encode()
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer k"}

url = json.load(urllib.request.urlopen(urllib.request.Request(URL, BODY, HEADERS)))["data"][0]["url"]
picture = base64.b64encode(urllib.request.urlopen(url).read()).decode()
try:
    urllib.request.urlopen(urllib.request.Request(URL, BODY, {**HEADERS, "Authorization": "Bearer k-mock-402"}))
except urllib.error.HTTPError as error:
    print(json.dumps({"url": url, "picture": picture, "error": type(error).__name__}))
    error.close()
