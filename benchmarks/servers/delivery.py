"""Tasks that end at a rate, with callbacks: `python -m benchmarks.servers.delivery RECEIVER_PORT COUNT RATE`.

All of them are submitted to the engine of a server in this process before the first one ends, so that only delivery is
measured. It prints each callback's due time (Unix seconds) and the CPU time of all deliveries.
"""

import asyncio
import json
import sys
import time

from mockserver.app import App, create_app
from mockserver.engine.tasks import Job
from mockserver.http.listening import serving
from mockserver.settings import Settings

TARGET = "https://app.example.com"


def _job(number: int, delay: float) -> Job:
    return Job(
        provider="evolink",
        account="acct_0123456789ab",
        model="gpt-image-2-beta",
        prompt=f"number {number}",
        size="1:1",
        width=1024,
        height=1024,
        cost=1,
        documented=(1, 2),
        origin="http://127.0.0.1:8080/evolink",
        callback_url=f"{TARGET}/hook",
        delay=delay,
    )


async def deliver(app: App, count: int, rate: int) -> None:
    async with serving(app):
        engine = app.engine
        begin = engine.now() + 0.5 + count / 5_000
        due = {}
        for number in range(count):
            task = await engine.submit(_job(number, begin + number / rate - engine.now()))
            due[task.id] = task.due
            if number % 100 == 0:
                await asyncio.sleep(0)
        if engine.now() > begin:
            raise SystemExit("the first task ended before the last one was submitted")
        await asyncio.sleep(max(0.0, begin - engine.now() - 0.2))
        before = time.process_time()
        while (pending := await engine.store.pending()).tasks or pending.callbacks:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        print(json.dumps({"due": due, "cpu": time.process_time() - before}))


if __name__ == "__main__":
    receiver, count, rate = map(int, sys.argv[1:])
    settings = Settings(port=0, quiet=True, callback_routes=(f"{TARGET}=http://127.0.0.1:{receiver}",))
    asyncio.run(deliver(create_app(settings), count, rate))
