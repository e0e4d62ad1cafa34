"""pytest-httpserver with a canned answer, run by a peer's own Python: `httpserver_app.py PORT`."""

import logging
import signal
import sys

from pytest_httpserver import HTTPServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = HTTPServer(host="127.0.0.1", port=int(sys.argv[1]))
answer = {"id": "task-unified-1795229135-abcdefgh", "object": "image.generation.task", "status": "x" * 300}
server.expect_request("/v1/images/generations", method="POST").respond_with_json(answer)
server.start()
signal.pause()
