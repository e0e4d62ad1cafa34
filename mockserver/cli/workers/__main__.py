"""A worker: `python -m mockserver.cli.workers FD`, where FD is its link to the supervisor that started it."""

import socket
import sys

from mockserver.cli.cannot_serve import CannotServe
from mockserver.cli.startup import no_collection, quick_import
from mockserver.cli.workers.order import Said, read_order


def main(number: int) -> int:
    """Serve until the supervisor says so or is gone; the exit status."""
    link = socket.socket(fileno=number)
    order = read_order(link)
    sys.argv[0] = order.program
    with no_collection():  # until it listens: serving.py turns it on
        with quick_import():
            from mockserver.app import create_app
            from mockserver.cli.serving import serve
            from mockserver.cli.workers.post import Post
        try:
            serve(create_app(order.settings), order.config, Post(order, link))
        except (ValueError, CannotServe) as error:
            status = 1 if isinstance(error, CannotServe) else 2
            link.sendall(Said("refuses", str(error), status).line())
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
