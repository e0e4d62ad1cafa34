"""A program as its author wrote it: the OpenAI SDK for Python with xhuoapi's address."""

import base64
import json
import urllib.request

import openai

URL = "https://api.xhuoapi.ai/v1/openai"

image = openai.OpenAI(base_url=URL, api_key="k").images.generate(model="gpt-image-2", prompt="a fox")
url = (image.data or [])[0].url or ""
picture = base64.b64encode(urllib.request.urlopen(url).read()).decode()
try:
    openai.OpenAI(base_url=URL, api_key="k-mock-402").images.generate(model="gpt-image-2", prompt="a fox")
except openai.APIStatusError as error:
    print(json.dumps({"url": url, "picture": picture, "error": type(error).__name__, "version": openai.__version__}))
