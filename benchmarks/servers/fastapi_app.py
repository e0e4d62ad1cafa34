"""FastAPI with a validated body and a canned answer, run by a peer's own Python: `fastapi_app.py PORT`."""

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Generation(BaseModel):
    model: str
    prompt: str
    size: str = "auto"


@app.post("/v1/images/generations")
async def generate(asked: Generation) -> dict[str, Any]:
    return {
        "created": 1795229135,
        "id": "task-unified-1795229135-abcdefgh",
        "model": asked.model,
        "object": "image.generation.task",
        "progress": 0,
        "status": "pending",
        "task_info": {"can_cancel": True, "estimated_time": 60},
        "type": "image",
        "usage": {"billing_rule": "per_call", "credits_reserved": 2.5, "user_group": "default"},
    }


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
