"""evolink: wrong callback addresses, bodies, retries and time-outs."""

from mutants.patching import mutant, patches_of

addresses = patches_of("engine.addresses")
callbacks = patches_of("engine.callbacks")
dispatcher = patches_of("engine.dispatcher")
engine = patches_of("engine.engine")
memory = patches_of("engine.store.memory")
wire = patches_of("providers.evolink.wire")

INTERNAL = "if is_local_name(name) or (address is not None and not is_public(address)):"
PUBLIC = "return plain.is_global and not plain.is_multicast"
SUCCESS = "self.status is not None and 200 <= self.status < 300"
WAITS = "waits=(1.0, 2.0, 4.0)"
BODY = "return to_json(state(task, task.due))"
TIMEOUT = "timeout=10.0"

MUTANTS = (
    mutant("ev-cb-1-http", "EV-CB-1", "http is taken.", addresses('if scheme != "https":', 'if scheme == "ftp":')),
    mutant(
        "ev-cb-1-internal-taken",
        "EV-CB-1",
        "Internal addresses are taken.",
        addresses(INTERNAL, "if is_local_name(name):"),
    ),
    mutant(
        "ev-cb-1-loopback-alone",
        "EV-CB-1",
        "Of the internal addresses 127/8 alone is refused.",
        addresses(INTERNAL, INTERNAL.replace("not is_public(address)", "address.is_loopback")),
    ),
    mutant(
        "ev-cb-1-half-of-172",
        "EV-CB-1",
        "172.31/16 is taken.",
        addresses(PUBLIC, f'return str(plain).startswith("172.31.") or ({PUBLIC.removeprefix("return ")})'),
    ),
    mutant(
        "ev-cb-1-all-of-172",
        "EV-CB-1",
        "172.32/16 is refused.",
        addresses(PUBLIC, f'{PUBLIC} and not str(plain).startswith("172.32.")'),
    ),
    mutant(
        "ev-cb-1-10-alone-is-short",
        "EV-CB-1",
        "10.255/16 is taken.",
        addresses(PUBLIC, f'return str(plain).startswith("10.255.") or ({PUBLIC.removeprefix("return ")})'),
    ),
    mutant(
        "ev-cb-1-11-refused",
        "EV-CB-1",
        "11/8 is refused.",
        addresses(PUBLIC, f'{PUBLIC} and not str(plain).startswith("11.")'),
    ),
    mutant(
        "ev-cb-1-localhost",
        "EV-CB-1",
        "localhost is taken.",
        addresses(INTERNAL, "if address is not None and not is_public(address):"),
    ),
    mutant(
        "ev-cb-1-odd-notations",
        "EV-CB-1",
        "127.1 and 2130706433 are taken for names.",
        addresses("        if not _NUMERIC.fullmatch(text):\n", "        if text:\n"),
    ),
    mutant(
        "ev-cb-1-mapped",
        "EV-CB-1",
        "IPv4 addresses inside IPv6 ones are not looked at, and IPv6 is public.",
        addresses(INTERNAL, INTERNAL.replace("not is_public(address)", 'not is_public(address) and ":" not in host')),
    ),
    mutant(
        "ev-cb-1-2048-refused",
        "EV-CB-1",
        "2048 characters are refused.",
        addresses("LONGEST_URL = 2048", "LONGEST_URL = 2047"),
    ),
    mutant(
        "ev-cb-1-2049-taken",
        "EV-CB-1",
        "2049 characters are taken.",
        addresses("LONGEST_URL = 2048", "LONGEST_URL = 2049"),
    ),
    mutant(
        "ev-cb-2-not-on-completion",
        "EV-CB-2",
        "No callback comes when a task completes.",
        engine("if not url or body is None:", "if not task.failure or not url or body is None:"),
        slow=True,
    ),
    mutant(
        "ev-cb-2-not-on-failure",
        "EV-CB-2",
        "No callback comes when a task fails.",
        engine("if not url or body is None:", "if task.failure or not url or body is None:"),
        slow=True,
    ),
    mutant(
        "ev-cb-2-not-on-cancellation",
        "EV-CB-2",
        "No callback comes when a task is cancelled.",
        engine(
            "if not url or body is None:",
            "if task.failure and task.failure.kind is Kind.CANCELLED or not url or body is None:",
        ),
        slow=True,
    ),
    mutant(
        "ev-cb-2-at-submission",
        "EV-CB-2",
        "The callback comes at submission.",
        engine(
            "        if task.due <= now and not job.callback_url:",
            "        from dataclasses import replace\n\n        ended = replace(task, due=now)\n"
            "        body = self.providers[job.provider].callback_body\n"
            "        if job.callback_url and body:\n"
            "            sent = await self.dispatcher.plan(ended, job.callback_url, body(ended), self.entropy)\n"
            "            self.store._open_deliveries(sent, now)\n"
            "            self.event_runner.wake()\n"
            "        if task.due <= now and not job.callback_url:",
        ),
    ),
    mutant(
        "ev-cb-2-twice",
        "EV-CB-2",
        "A callback comes twice.",
        dispatcher("fault.copies + 1", "fault.copies + 2"),
    ),
    mutant(
        "ev-cb-2-before-the-charge",
        "EV-CB-2",
        "The callback comes while the money is still held.",
        memory("            row.capture(Usage(task.due, task, job.cost))\n", "            pass\n"),
    ),
    mutant(
        "ev-cb-3-wrapped",
        "EV-CB-3",
        "A callback's body is in data.",
        wire(BODY, 'return to_json({"data": state(task, task.due)})'),
    ),
    mutant(
        "ev-cb-3-as-submitted",
        "EV-CB-3",
        "A callback's body is the submission's.",
        wire(BODY, "return to_json(submission(task, 2.5))"),
    ),
    mutant(
        "ev-cb-3-one-field-less",
        "EV-CB-3",
        "A callback's body has no object.",
        wire(BODY, 'body = state(task, task.due)\n    del body["object"]\n    return to_json(body)'),
    ),
    mutant(
        "ev-cb-4-1-1-1", "EV-CB-4", "Retries come after 1, 1 and 1 seconds.", callbacks(WAITS, "waits=(1.0, 1.0, 1.0)")
    ),
    mutant(
        "ev-cb-4-fifth-attempt", "EV-CB-4", "A fifth attempt is made.", callbacks(WAITS, "waits=(1.0, 2.0, 4.0, 8.0)")
    ),
    mutant(
        "ev-cb-4-third-is-the-last",
        "EV-CB-4",
        "The third attempt is the last.",
        callbacks(WAITS, "waits=(1.0, 2.0)"),
        slow=True,
    ),
    mutant(
        "ev-cb-4-2-4-8",
        "EV-CB-4",
        "Retries come after 2, 4 and 8 seconds.",
        callbacks(WAITS, "waits=(2.0, 4.0, 8.0)"),
        slow=True,
    ),
    mutant(
        "ev-cb-4-a-little-early",
        "EV-CB-4",
        "The last retry comes 2 ms early.",
        callbacks(WAITS, "waits=(1.0, 2.0, 3.998)"),
    ),
    mutant(
        "ev-cb-4-a-little-late",
        "EV-CB-4",
        "The last retry comes 2 ms late.",
        callbacks(WAITS, "waits=(1.0, 2.0, 4.002)"),
        slow=True,
    ),
    mutant(
        "ev-cb-4-302-is-success",
        "EV-CB-4",
        "A 302 is a success.",
        callbacks(SUCCESS, SUCCESS.replace("< 300", "< 400")),
        slow=True,
    ),
    mutant(
        "ev-cb-4-300-is-success",
        "EV-CB-4",
        "A 300 is a success.",
        callbacks(SUCCESS, SUCCESS.replace("< 300", "<= 300")),
    ),
    mutant(
        "ev-cb-4-299-is-none", "EV-CB-4", "A 299 is a failure.", callbacks(SUCCESS, SUCCESS.replace("< 300", "< 299"))
    ),
    mutant(
        "ev-cb-4-200-alone",
        "EV-CB-4",
        "200 alone is a success.",
        callbacks(SUCCESS, SUCCESS.replace("200 <= self.status < 300", "self.status == 200")),
    ),
    mutant(
        "ev-cb-4-4xx-is-final",
        "EV-CB-4",
        "A 4xx is not tried again.",
        callbacks(
            "wait = None if success else",
            "wait = None if success or attempt.outcome.status == 404 else",
        ),
        slow=True,
    ),
    mutant(
        "ev-cb-4-8-seconds",
        "EV-CB-4",
        "An attempt times out after 8 seconds.",
        callbacks(TIMEOUT, "timeout=8.0"),
        slow=True,
    ),
    mutant(
        "ev-cb-4-11-seconds",
        "EV-CB-4",
        "An attempt times out after 11 seconds.",
        callbacks(TIMEOUT, "timeout=11.0"),
        slow=True,
    ),
    mutant(
        "ev-cb-4-a-tenth-short",
        "EV-CB-4",
        "An attempt times out after 9.9 seconds.",
        callbacks(TIMEOUT, "timeout=9.9"),
    ),
    mutant(
        "ev-cb-4-a-fifth-long",
        "EV-CB-4",
        "An attempt times out after 10.2 seconds.",
        callbacks(TIMEOUT, "timeout=10.2"),
    ),
    mutant(
        "ev-cb-4-scripted-receivers-have-more-time",
        "EV-CB-4",
        "A scripted receiver has 12 seconds, a real one 10.",
        dispatcher("if reply.delay >= timeout:", "if reply.delay >= timeout + 2:"),
    ),
    mutant(
        "ev-cb-4-real-receivers-have-more-time",
        "EV-CB-4",
        "A real receiver has 12 seconds, a scripted one 10.",
        dispatcher(
            "rule, verify, self.policy.timeout, delivery.id", "rule, verify, self.policy.timeout + 2, delivery.id"
        ),
        slow=True,
    ),
    mutant(
        "ev-cb-4-no-time-out",
        "EV-CB-4",
        "An attempt waits as long as it takes.",
        callbacks(TIMEOUT, "timeout=60.0"),
        slow=True,
    ),
)
