"""A callback from submission to the last retry, end to end in this process."""

from support.receiver import receiver
from support.scene import Scene


def test_smoke(scene: Scene) -> None:
    with receiver(500, 500, 500, 500) as hook:
        answer = scene.http.post(
            "/xhuoapi/v1/openai/images/generations",
            headers={"Authorization": "Bearer k"},
            json={"model": "gpt-image-2", "prompt": "hi", "callback_url": hook.url},
        )
        assert answer.status_code == 200
        scene.advance(20)
        (delivery,) = scene.deliveries()
        start = delivery.created
        assert [round(attempt.time - start, 3) for attempt in delivery.attempts] == [0, 1, 3, 7]
