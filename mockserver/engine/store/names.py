"""The names that clients give to tasks, trace ids and idempotency keys, by account and provider."""

from mockserver.engine.tasks import Task

_ByAccount = dict[str, dict[str, dict[str, str]]]


class Names:
    """The ids of tasks by their names; "" where there is none."""

    def __init__(self) -> None:
        self._traces: _ByAccount = {}
        self._replays: _ByAccount = {}

    def traced(self, provider: str, account: str, trace_id: str) -> str:
        return self._traces.get(account, {}).get(provider, {}).get(trace_id, "")

    def replayed(self, provider: str, account: str, idempotency_key: str) -> str:
        return self._replays.get(account, {}).get(provider, {}).get(idempotency_key, "")

    def remember(self, task: Task) -> None:
        """Let a task's names mean it from now on."""
        job = task.job
        if job.trace_id:
            self._traces.setdefault(job.account, {}).setdefault(job.provider, {})[job.trace_id] = task.id
        if job.idempotency:
            self._replays.setdefault(job.account, {}).setdefault(job.provider, {})[job.idempotency.key] = task.id

    def forget(self, task: Task) -> None:
        """Forget the names of a task that was dropped, if they still mean it."""
        job = task.job
        if job.trace_id:
            _forget(self._traces, task, job.trace_id)
        if job.idempotency:
            _forget(self._replays, task, job.idempotency.key)

    def forget_account(self, account: str) -> None:
        self._traces.pop(account, None)
        self._replays.pop(account, None)


def _forget(names: _ByAccount, task: Task, name: str) -> None:
    own = names.get(task.job.account, {}).get(task.job.provider, {})
    if own.get(name) == task.id:
        del own[name]
