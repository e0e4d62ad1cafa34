"""The ceiling: `python -m benchmarks.servers.bare PORT ANSWER`, aiohttp's server with a minimal handler."""

import json
import sys
from typing import Any

from aiohttp import web


def application(answer: Any) -> web.Application:
    async def post(request: web.Request) -> web.Response:
        await request.json()
        return web.json_response(answer)

    async def get(request: web.Request) -> web.Response:
        return web.json_response(answer)

    app = web.Application()
    app.router.add_post("/v1/images/generations", post)
    app.router.add_get("/v1/tasks/{task_id}", get)
    return app


if __name__ == "__main__":
    app = application(json.loads(sys.argv[2]))
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
