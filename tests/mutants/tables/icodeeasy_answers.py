"""icodeeasy: wrong answers, tasks, files, errors and durations."""

from mutants.patching import mutant, patches_of

errors = patches_of("providers.icodeeasy.errors")
models = patches_of("providers.icodeeasy.models")
pictures = patches_of("providers.pictures")
pricing = patches_of("providers.icodeeasy.pricing")
routes = patches_of("providers.icodeeasy.routes")
views = patches_of("control.views")
wire = patches_of("providers.icodeeasy.wire")

SYNC = '{"id": task.id, "created": int(task.created), "data": _data(task)}'
PENDING = '{"status": SUBMITTED, "task_id": task.id}'
STATE = '{"task_id": task.id, "status": "pending", "model": task.job.model, "cost": 0}'
USAGE = '{"image_count": task.job.count, "image_cost_rmb": cost, "image_urls": file_urls(task)}'
ANSWER = "return context.answer(wire.images(await context.wait_until_finished(task)))"
REDIRECT = 'return Response(status=302, headers={"Location": wire.redirect_target(task, sequence) + query})'

MUTANTS = (
    mutant("ic-sync-1-no-id", "IC-SYNC-1", "A sync answer has no id.", wire(SYNC, SYNC.replace('"id": task.id, ', ""))),
    mutant(
        "ic-sync-1-no-created",
        "IC-SYNC-1",
        "A sync answer has no created.",
        wire(SYNC, SYNC.replace('"created": int(task.created), ', "")),
    ),
    mutant(
        "ic-sync-1-bare-links",
        "IC-SYNC-1",
        "data holds bare links.",
        wire(SYNC, SYNC.replace("_data(task)", "file_urls(task)")),
    ),
    mutant(
        "ic-sync-1-status",
        "IC-SYNC-1",
        "A sync answer is a 201.",
        routes(ANSWER, ANSWER.replace("(task)))", "(task)), status=201)")),
    ),
    mutant(
        "ic-async-1-status",
        "IC-ASYNC-1",
        "An async call answers 200.",
        routes("wire.submission(task), status=202", "wire.submission(task), status=200"),
    ),
    mutant("ic-async-1-no-yes", "IC-ASYNC-1", "async=yes is sync.", routes('("1", "true", "yes")', '("1", "true")')),
    mutant(
        "ic-async-1-another-name",
        "IC-ASYNC-1",
        "The task_id is called id.",
        wire(PENDING, PENDING.replace('"task_id"', '"id"')),
    ),
    mutant(
        "ic-async-1-no-status", "IC-ASYNC-1", "An async answer has no status.", wire(PENDING, '{"task_id": task.id}')
    ),
    mutant(
        "ic-async-1-waits",
        "IC-ASYNC-1",
        "An async call waits for the picture.",
        routes(
            "        return context.answer(wire.submission(task), status=202)",
            "        return context.answer(wire.submission(await context.wait_until_finished(task)), status=202)",
        ),
        slow=True,
    ),
    mutant(
        "ic-async-1-late",
        "IC-ASYNC-1",
        "An async call answers after more than a second.",
        routes(
            "        return context.answer(wire.submission(task), status=202)",
            "        import asyncio\n\n        await asyncio.sleep(1.1)\n"
            "        return context.answer(wire.submission(task), status=202)",
        ),
    ),
    mutant(
        "ic-task-1-cost-is-text",
        "IC-TASK-1",
        "A task's cost is text.",
        wire("cost=CURRENCY.number(task.job.cost)", "cost=str(CURRENCY.number(task.job.cost))"),
    ),
    mutant(
        "ic-task-1-no-cost",
        "IC-TASK-1",
        "A completed task has cost 0.",
        wire("cost=CURRENCY.number(task.job.cost), ", ""),
    ),
    mutant(
        "ic-task-1-no-result-url",
        "IC-TASK-1",
        "A completed task has no result_url.",
        wire(", result_url=urls[0]", ""),
    ),
    mutant(
        "ic-task-1-another-word",
        "IC-TASK-1",
        "A completed task is called succeeded.",
        wire('status="completed"', 'status="succeeded"'),
    ),
    mutant(
        "ic-task-1-no-model",
        "IC-TASK-1",
        "A task has no model.",
        wire(STATE, STATE.replace('"model": task.job.model, ', "")),
    ),
    mutant(
        "ic-task-1-processing",
        "IC-TASK-1",
        "A pending task is called processing.",
        wire(STATE, STATE.replace("pending", "processing")),
    ),
    mutant(
        "ic-task-3-no-uuid",
        "IC-TASK-3",
        "A sync answer's id has another form.",
        wire(SYNC, SYNC.replace('"id": task.id', '"id": f"img-{task.id}"')),
    ),
    mutant(
        "ic-task-3-another-id",
        "IC-TASK-3 IC-FILE-3",
        "A sync answer's id is not the task's.",
        wire(SYNC, SYNC.replace('"id": task.id', '"id": f"00000000{task.id[8:]}"')),
    ),
    mutant(
        "ic-fmt-1-base64",
        "IC-FMT-1",
        "response_format b64_json is honoured.",
        models('    quality: Literal["low"', '    response_format: str = "url"\n    quality: Literal["low"'),
        routes(
            f"    {ANSWER}",
            '    if asked.response_format == "b64_json":\n'
            "        ended = await context.wait_until_finished(task)\n"
            '        return context.answer({**wire.images(ended), "data": [{"b64_json": "AAAA"}]})\n'
            f"    {ANSWER}",
        ),
    ),
    mutant(
        "ic-fmt-1-refused",
        "IC-FMT-1",
        "response_format b64_json is refused.",
        models('    quality: Literal["low"', '    response_format: Literal["url"] = "url"\n    quality: Literal["low"'),
    ),
    mutant("ic-file-1-day-and-month", "IC-FILE-1", "A link's day is written YYYYDDMM.", wire('"%Y%m%d"', '"%Y%d%m"')),
    mutant("ic-file-1-dashes", "IC-FILE-1", "A link's day is written with dashes.", wire('"%Y%m%d"', '"%Y-%m-%d"')),
    mutant(
        "ic-file-1-from-0",
        "IC-FILE-1",
        "A link's seq begins at 0.",
        wire("range(1, task.job.count + 1)", "range(task.job.count)"),
    ),
    mutant(
        "ic-file-1-without-model",
        "IC-FILE-1",
        "A link does not contain the model.",
        wire("/v1/images/files/{task.job.model}/", "/v1/images/files/"),
    ),
    mutant("ic-file-1-jpg", "IC-FILE-1", "Links end in .jpg.", wire('f"{stem}-{n}.png"', 'f"{stem}-{n}.jpg"')),
    mutant(
        "ic-file-2-at-once",
        "IC-FILE-2",
        "A link is the picture itself, with 200.",
        routes(REDIRECT, "return await serve_picture(context, task, sequence - 1)"),
    ),
    mutant("ic-file-2-301", "IC-FILE-2", "A link is a 301.", routes(REDIRECT, REDIRECT.replace("302", "301"))),
    mutant(
        "ic-file-2-key-needed",
        "IC-FILE-2 IC-FILE-3",
        "A link needs the key.",
        routes("show_file, keyed=False", "show_file, keyed=True"),
    ),
    mutant(
        "ic-file-2-picture-needs-key",
        "IC-FILE-2 IC-FILE-3",
        "The picture behind a link needs the key.",
        routes("show_picture, keyed=False", "show_picture, keyed=True"),
    ),
    mutant(
        "ic-file-2-no-download",
        "IC-FILE-2",
        "download=1 forces none.",
        pictures("f'attachment; filename=\"{download}\"'", '"inline"'),
    ),
    mutant(
        "ic-file-2-download-forgotten",
        "IC-FILE-2",
        "download=1 is lost on the way.",
        routes('query = "?download=1" if _download(context) else ""', 'query = ""'),
    ),
    mutant(
        "ic-file-3-links-end",
        "IC-FILE-3",
        "A link ends after a month.",
        routes(
            "    sequence = index_of",
            '    found = await context.engine.find(context.provider.name, context.params["task_id"])\n'
            "    if found and context.engine.now() > found.due + 30 * 86_400:\n"
            "        raise Problem(Kind.IMAGE_NOT_FOUND)\n    sequence = index_of",
        ),
    ),
    mutant(
        "ic-file-3-always-a-download",
        "IC-FILE-3",
        "A picture is never shown inline.",
        routes(
            'name = f"{task.id}-{sequence}.png" if _download(context) else None', 'name = f"{task.id}-{sequence}.png"'
        ),
    ),
    mutant(
        "ic-err-1-no-provider",
        "IC-ERR-1",
        "Errors do not name the provider.",
        errors(', "provider": PROVIDER_NAME}', "}"),
    ),
    mutant(
        "ic-err-1-another-provider",
        "IC-ERR-1",
        "Errors name another provider.",
        errors('"icodeeasy.cc"', '"icodeeasy"'),
    ),
    mutant(
        "ic-err-1-code",
        "IC-ERR-1",
        "An error's type is called code.",
        errors('{"type": refusal.code', '{"code": refusal.code'),
    ),
    mutant(
        "ic-err-1-rate-limit",
        "IC-ERR-1",
        "429 has another type.",
        errors('"rate_limit_error"', '"rate_limit_exceeded"'),
    ),
    mutant(
        "ic-err-1-payment", "IC-ERR-1 IC-BILL-2", "Out of balance is a 403.", errors("_refusal(402", "_refusal(403")
    ),
    mutant(
        "ic-err-1-parameter",
        "IC-ERR-1",
        "A bad parameter is a 422.",
        errors("INVALID_REQUEST = _refusal(400", "INVALID_REQUEST = _refusal(422"),
    ),
    mutant(
        "ic-err-2-client-error",
        "IC-ERR-2",
        "A failed generation is a 400.",
        errors("GENERATION_FAILED = _refusal(500", "GENERATION_FAILED = _refusal(400"),
    ),
    mutant(
        "ic-err-2-type",
        "IC-ERR-2 IC-ERR-1",
        "A failed generation has another type.",
        errors('SERVER_TYPE = "server_error"', 'SERVER_TYPE = "api_error"'),
    ),
    mutant(
        "ic-err-2-content-refusal",
        "IC-ERR-2",
        "A content refusal is a 500.",
        errors("Kind.MODERATED: CONTENT_REFUSED", "Kind.MODERATED: GENERATION_FAILED"),
    ),
    mutant(
        "ic-bill-3-no-cost",
        "IC-BILL-3",
        "The usage record has no image_cost_rmb.",
        wire(USAGE, USAGE.replace('"image_cost_rmb": cost, ', "")),
    ),
    mutant(
        "ic-bill-3-wrong-cost",
        "IC-BILL-3",
        "The usage record has half the cost of a picture.",
        wire(USAGE, USAGE.replace(": cost", ": cost / 4")),
    ),
    mutant(
        "ic-bill-3-count",
        "IC-BILL-3",
        "The usage record counts one picture.",
        wire(USAGE, USAGE.replace("task.job.count", "1")),
    ),
    mutant(
        "ic-bill-3-no-urls",
        "IC-BILL-3",
        "The usage record has the first link alone.",
        wire(USAGE, USAGE.replace("file_urls(task)", "file_urls(task)[:1]")),
    ),
    mutant(
        "ic-bill-3-model",
        "IC-BILL-3",
        "The usage record names no model.",
        views('"model": record.task.job.model,', '"model": None,'),
    ),
    mutant(
        "ic-lat-1-early",
        "IC-LAT-1",
        "A picture is there just before 30 seconds.",
        pricing('"image": (30.0, 60.0)', '"image": (29.0, 29.9)'),
    ),
    mutant(
        "ic-lat-1-late",
        "IC-LAT-1",
        "A picture is there just after 60 seconds.",
        pricing('"image": (30.0, 60.0)', '"image": (60.1, 61.0)'),
    ),
    mutant(
        "ic-lat-1-references",
        "IC-LAT-1",
        "References take no longer.",
        pricing('("references", references > 0)', '("references", 0)'),
    ),
    mutant("ic-lat-1-2k", "IC-LAT-1", "2k takes no longer.", pricing('("2k", resolution == "2k")', '("2k", 0)')),
    mutant(
        "ic-lat-1-several",
        "IC-LAT-1",
        "Several pictures take no longer.",
        pricing('("further image", count - 1)', '("further image", 0)'),
    ),
)
