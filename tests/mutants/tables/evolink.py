"""evolink: wrong requests, tasks and money."""

from mutants.patching import ROUTES_UNCHECKED, mutant, patches_of

app = patches_of("app")
engine = patches_of("engine.engine")
errors = patches_of("providers.evolink.errors")
ledger = patches_of("engine.ledger")
memory = patches_of("engine.store.memory")
models = patches_of("providers.evolink.models")
pricing = patches_of("providers.evolink.pricing")
routes = patches_of("providers.evolink.routes")
tasks = patches_of("engine.tasks")
wire = patches_of("providers.evolink.wire")

GENERATIONS = 'Route("POST", "/v1/images/generations", generate, billable=True)'
SIZES = 'size: Literal["1:1", "3:2", "2:3", "auto"] = "auto"'
PIXELS = '"3:2": (1536, 1024), "2:3": (1024, 1536), "auto": (1024, 1024)}'
INFO = '"task_info": {"can_cancel": True, "estimated_time": pricing.ESTIMATED_SECONDS}'
SUBMITTED = '"progress": 0,\n        "status": SUBMITTED,'
RESERVED = "context.provider.currency.number(task.job.cost)"
SUBMISSION = f"wire.submission(task, {RESERVED})"

MUTANTS = (
    mutant(
        "ev-ep-1-path",
        "EV-EP-1",
        "Generations are without /v1.",
        routes(GENERATIONS, GENERATIONS.replace("/v1", "")),
        ROUTES_UNCHECKED,
    ),
    mutant(
        "ev-ep-1-method",
        "EV-EP-1",
        "Generations take PUT.",
        routes(GENERATIONS, GENERATIONS.replace("POST", "PUT")),
        ROUTES_UNCHECKED,
    ),
    mutant(
        "ev-ep-1-picture-in-the-answer",
        "EV-EP-1",
        "A submission answers the picture.",
        routes(
            SUBMISSION,
            f'{{**{SUBMISSION}, "results": wire.result_urls(task)}}',
        ),
    ),
    mutant(
        "ev-ep-1-waits",
        "EV-EP-1",
        "A submission waits for the task, and answers its end.",
        routes(
            SUBMISSION,
            "wire.state(await context.wait_until_finished(task), context.engine.now())",
        ),
    ),
    mutant(
        "ev-auth-1-no-key-needed",
        "EV-AUTH-1",
        "Generations need no key.",
        routes(GENERATIONS, GENERATIONS.replace(", billable", ", keyed=False, billable")),
    ),
    mutant(
        "ev-auth-1-credits-need-none",
        "EV-AUTH-1",
        "Credits need no key.",
        routes('"/v1/credits", credits)', '"/v1/credits", credits, keyed=False)'),
    ),
    mutant(
        "ev-auth-1-query-needs-none",
        "EV-AUTH-1 EV-ERR-3",
        "The task query needs no key.",
        routes("show_task, refusals", "show_task, keyed=False, refusals"),
    ),
    mutant(
        "ev-auth-1-any-scheme",
        "EV-AUTH-1",
        "Any authorization scheme will do.",
        app('token if scheme.lower() == "bearer" and', "token if"),
    ),
    mutant(
        "ev-auth-1-status",
        "EV-AUTH-1",
        "A call without a key is a 403.",
        errors('Refusal(401, "unauthorized", "Invalid', 'Refusal(403, "unauthorized", "Invalid'),
    ),
    mutant(
        "ev-model-1-another",
        "EV-MODEL-1",
        "gpt-image-2 is taken too.",
        models('Literal["gpt-image-2-beta"]', 'Literal["gpt-image-2-beta", "gpt-image-2"]'),
    ),
    mutant(
        "ev-model-1-optional",
        "EV-MODEL-1",
        "model is optional.",
        models('model: Literal["gpt-image-2-beta"]', 'model: Literal["gpt-image-2-beta"] = "gpt-image-2-beta"'),
    ),
    mutant(
        "ev-prompt-1-2000-refused",
        "EV-PROMPT-1",
        "2000 characters are refused.",
        models("LONGEST_PROMPT = 2_000", "LONGEST_PROMPT = 1_999"),
    ),
    mutant(
        "ev-prompt-1-2001-taken",
        "EV-PROMPT-1",
        "2001 characters are taken.",
        models("LONGEST_PROMPT = 2_000", "LONGEST_PROMPT = 2_001"),
    ),
    mutant(
        "ev-prompt-1-bytes-count",
        "EV-PROMPT-1",
        "A prompt is measured in bytes.",
        models(
            "    prompt: Annotated[str, Field(max_length=LONGEST_PROMPT), NOT_BLANK]",
            "    prompt: Annotated[str, AfterValidator(_short), NOT_BLANK]",
        ),
        models(
            "def _reference(",
            "def _short(text: str) -> str:\n    if len(text.encode()) > LONGEST_PROMPT:\n"
            '        raise ValueError("too long")\n    return text\n\n\ndef _reference(',
        ),
    ),
    mutant(
        "ev-prompt-1-optional",
        "EV-PROMPT-1",
        "prompt is optional.",
        models("LONGEST_PROMPT), NOT_BLANK]", 'LONGEST_PROMPT), NOT_BLANK] = "x"'),
    ),
    mutant("ev-size-1-no-3-2", "EV-SIZE-1", "3:2 is refused.", models(SIZES, SIZES.replace('"3:2", ', ""))),
    mutant(
        "ev-size-1-no-auto",
        "EV-SIZE-1",
        "auto is refused.",
        models(SIZES, 'size: Literal["1:1", "3:2", "2:3"] = "1:1"'),
    ),
    mutant(
        "ev-size-1-16-9",
        "EV-SIZE-1",
        "16:9 is taken.",
        models(SIZES, SIZES.replace('"auto"]', '"auto", "16:9"]')),
        models(PIXELS, PIXELS.replace("}", ', "16:9": (1344, 768)}')),
    ),
    mutant(
        "ev-size-1-pixels",
        "EV-SIZE-1",
        "1024x1024 is taken.",
        models(SIZES, SIZES.replace('"auto"]', '"auto", "1024x1024"]')),
        models(PIXELS, PIXELS.replace("}", ', "1024x1024": (1024, 1024)}')),
    ),
    mutant(
        "ev-size-1-turned", "EV-SIZE-1", "3:2 comes in portrait.", models('"3:2": (1536, 1024)', '"3:2": (1024, 1536)')
    ),
    mutant("ev-size-1-required", "EV-SIZE-1", "size is required.", models(SIZES, SIZES.replace(' = "auto"', ""))),
    mutant(
        "ev-ref-1-no-webp", "EV-REF-1", ".webp is refused.", models('".apng", ".avif"', '".apng", ".webp", ".avif"')
    ),
    mutant(
        "ev-ref-1-no-jpeg", "EV-REF-1", ".jpeg is refused.", models('".apng", ".avif"', '".apng", ".jpeg", ".avif"')
    ),
    mutant(
        "ev-ref-1-no-downloads",
        "EV-REF-1",
        "A URL without an extension is refused.",
        models("if extension in OTHER_IMAGES:", "if extension not in REFERENCE_EXTENSIONS:"),
    ),
    mutant(
        "ev-ref-1-query-counts",
        "EV-REF-1",
        "A URL's query counts as its extension.",
        models('parts.path.rpartition("/")[2]', 'url.rpartition("/")[2]'),
    ),
    mutant(
        "ev-ref-1-text-taken",
        "EV-REF-1",
        "A text stands for an array of one.",
        models("image_urls: References = Field", "image_urls: References | str = Field"),
    ),
    mutant(
        "ev-ref-1-anything-taken",
        "EV-REF-1",
        "What is no URI is taken.",
        models('raise ValueError("must be an http or https URL")', "return url"),
    ),
    mutant(
        "ev-ref-2-sixteen-refused",
        "EV-REF-2",
        "16 references are refused.",
        models("MOST_REFERENCES = 16", "MOST_REFERENCES = 15"),
    ),
    mutant(
        "ev-ref-2-seventeen-taken",
        "EV-REF-2",
        "17 references are taken.",
        models("MOST_REFERENCES = 16", "MOST_REFERENCES = 17"),
    ),
    mutant(
        "ev-task-1-short-id",
        "EV-TASK-1",
        "An id ends in 7 letters.",
        wire("draw.token(8)", "draw.token(7)"),
    ),
    mutant(
        "ev-task-1-prefix",
        "EV-TASK-1",
        "An id begins with task-.",
        wire('ID_PREFIX = "task-unified-"', 'ID_PREFIX = "task-"'),
    ),
    mutant(
        "ev-task-1-another-time", "EV-TASK-1", "An id's number is not created.", wire("{int(now)}-", "{int(now) + 1}-")
    ),
    mutant("ev-task-1-object", "EV-TASK-1", "object is another.", wire('"image.generation.task"', '"image.task"')),
    mutant("ev-task-1-type", "EV-TASK-1", "type is picture.", wire('TYPE = "image"', 'TYPE = "picture"')),
    mutant(
        "ev-task-1-no-progress",
        "EV-TASK-1",
        "A submission has no progress.",
        wire(SUBMITTED, SUBMITTED.replace('"progress": 0,\n        ', "")),
    ),
    mutant(
        "ev-task-1-processing",
        "EV-TASK-1",
        "A submission is processing.",
        wire(SUBMITTED, SUBMITTED.replace("SUBMITTED", "Status.PROCESSING.value")),
    ),
    mutant(
        "ev-task-1-no-can-cancel",
        "EV-TASK-1",
        "A submission has no can_cancel.",
        wire(INFO, INFO.replace('"can_cancel": True, ', "")),
    ),
    mutant(
        "ev-task-1-no-user-group",
        "EV-TASK-1",
        "usage has no user_group.",
        wire('            "user_group": pricing.USER_GROUP,\n', ""),
    ),
    mutant(
        "ev-task-1-status",
        "EV-TASK-1",
        "A submission is a 202.",
        routes(SUBMISSION, f"{SUBMISSION}, status=202"),
    ),
    mutant(
        "ev-task-2-progress-99",
        "EV-TASK-2",
        "A completed task has progress 99.",
        tasks("            return 100", "            return 99"),
    ),
    mutant(
        "ev-task-2-usage",
        "EV-TASK-2",
        "A task query shows its usage.",
        wire('        "type": TYPE,\n    }', '        "type": TYPE,\n        "usage": {},\n    }'),
    ),
    mutant(
        "ev-task-2-results-null",
        "EV-TASK-2",
        "results is there, null, before the end.",
        wire("body: dict[str, Any] = {", 'body: dict[str, Any] = {\n        "results": None,'),
    ),
    mutant(
        "ev-task-3-form",
        "EV-TASK-3",
        "Another form of id is a 404.",
        routes('raise Problem(Kind.INVALID_TASK_ID, field="task_id")', "raise Problem(Kind.TASK_NOT_FOUND)"),
    ),
    mutant(
        "ev-task-3-strangers",
        "EV-TASK-3",
        "Another key's task is shown.",
        routes("if task.job.account != context.account:", "if not task.job.account:"),
    ),
    mutant(
        "ev-err-1-no-type",
        "EV-ERR-1",
        "An error has no type.",
        errors('"message": message, "type": refusal.type}', '"message": message}'),
    ),
    mutant(
        "ev-err-1-quota",
        "EV-ERR-1",
        "insufficient_quota is a 403.",
        errors('Refusal(402, "insufficient_quota"', 'Refusal(403, "insufficient_quota"'),
    ),
    mutant(
        "ev-err-2-failure", "EV-ERR-2", "A failure has another code.", errors('"service_error"', '"internal_error"')
    ),
    mutant(
        "ev-err-3-query-message",
        "EV-ERR-3",
        "A task query without a key says what other calls say.",
        errors('"Authentication required"', '"Invalid or expired token"'),
    ),
    mutant(
        "ev-err-3-query-quota",
        "EV-ERR-3",
        "A task query's 402 is as other calls'.",
        errors('"quota_exceeded"', '"insufficient_quota"'),
    ),
    mutant(
        "ev-cred-1-no-message",
        "EV-CRED-1",
        "Credits have no message.",
        routes(', "message": "", "success": True}', ', "success": True}'),
    ),
    mutant("ev-cred-1-used", "EV-CRED-1", "Used credits stay 0.", routes("number(account.captured)", "number(0)")),
    mutant(
        "ev-idem-1-ignored",
        "EV-IDEM-1",
        "Idempotency-Key is ignored.",
        routes("job, key) if key else", "job, key) if key and not key else"),
    ),
    mutant(
        "ev-idem-1-no-header",
        "EV-IDEM-1",
        "A replay does not say so.",
        routes('{"idempotency-replayed": "true"} if replayed else None', "None"),
    ),
    mutant(
        "ev-idem-1-another-body",
        "EV-IDEM-1",
        "Another body under a used key gives the first task.",
        routes("if task.job.idempotency != asked:", "if task.job.idempotency is None:"),
    ),
    mutant(
        "ev-file-1-a-second-less",
        "EV-FILE-1",
        "A link ends a second early.",
        routes("task.due + LINK_SECONDS", "task.due + LINK_SECONDS - 1"),
    ),
    mutant(
        "ev-file-1-a-second-more",
        "EV-FILE-1",
        "A link ends a second late.",
        routes("task.due + LINK_SECONDS", "task.due + LINK_SECONDS + 1"),
    ),
    mutant("ev-bill-1-higher", "EV-BILL-1", "A task costs 2.6 credits.", pricing('"2.5"', '"2.6"')),
    mutant("ev-bill-1-lower", "EV-BILL-1", "A task costs 2.4 credits.", pricing('"2.5"', '"2.4"')),
    mutant(
        "ev-bill-1-says-otherwise",
        "EV-BILL-1",
        "credits_reserved is in ten-thousandths.",
        routes(RESERVED, "float(task.job.cost)"),
    ),
    mutant(
        "ev-bill-1-charged-at-once",
        "EV-BILL-1",
        "The charge comes at submission.",
        ledger("        self.held += amount\n", "        self.captured += amount\n"),
        ledger("        self.held -= usage.amount\n        self.captured += usage.amount\n", ""),
    ),
    mutant(
        "ev-bill-1-failures-charged",
        "EV-BILL-1",
        "A failed task is charged.",
        memory("row.release(job.cost, month)", "row.capture(Usage(task.due, task, job.cost))"),
    ),
    mutant(
        "ev-lat-1-higher",
        "EV-LAT-1",
        "estimated_time is 101.",
        pricing("ESTIMATED_SECONDS = 100", "ESTIMATED_SECONDS = 101"),
    ),
    mutant(
        "ev-lat-1-lower",
        "EV-LAT-1",
        "estimated_time is 99.",
        pricing("ESTIMATED_SECONDS = 100", "ESTIMATED_SECONDS = 99"),
    ),
    mutant(
        "ev-lat-1-early", "EV-LAT-1", "A task ends just before 60 seconds.", pricing("(60.0, 120.0)", "(59.0, 59.9)")
    ),
    mutant(
        "ev-lat-1-late", "EV-LAT-1", "A task ends just after 120 seconds.", pricing("(60.0, 120.0)", "(120.1, 121.0)")
    ),
)
