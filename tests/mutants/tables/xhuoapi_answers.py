"""xhuoapi: wrong answers, links, callbacks, records and durations."""

from mutants.patching import mutant, patches_of

addresses = patches_of("engine.addresses")
engine = patches_of("engine.engine")
memory = patches_of("engine.store.memory")
models = patches_of("providers.xhuoapi.models")
http_post = patches_of("engine.http_post")
pricing = patches_of("providers.xhuoapi.pricing")
routes = patches_of("providers.xhuoapi.routes")
tasks = patches_of("providers.xhuoapi.tasks")
wire = patches_of("providers.xhuoapi.wire")

OF_GPT = 'if _family(task) == "gpt" else {}'
HEAD = '{"success": True, "task_id": task.id}'
CREATED = 'return 0 if _family(task) == "nano" else int(task.due)'
SIGNED = 'return {"se": expiry, "sig": b64encode(digest).decode(), **named}'
CALLBACK = 'return to_json({"success": True, **ids, "data": {"created": created(task), "data": _data(task)}})'
GPT_LINK = 'f"/gpt-image/{task.id}_{index}.'

MUTANTS = (
    mutant("xh-resp-1-no-task-id", "XH-RESP-1", "gpt-image-2 answers no task_id.", wire(HEAD, '{"success": True}')),
    mutant(
        "xh-resp-1-no-success",
        "XH-RESP-1",
        "gpt-image-2 answers no success.",
        wire(HEAD, '{"task_id": task.id}'),
    ),
    mutant(
        "xh-resp-1-milliseconds",
        "XH-RESP-1",
        "created is in milliseconds.",
        wire(CREATED, CREATED.replace("int(task.due)", 'int(task.due) * (1000 if _family(task) == "gpt" else 1)')),
    ),
    mutant(
        "xh-resp-1-counted-from-1",
        "XH-RESP-1",
        "Links end in _1.png.",
        wire(GPT_LINK, 'f"/gpt-image/{task.id}_{index + 1}.'),
    ),
    mutant(
        "xh-resp-1-another-folder",
        "XH-RESP-1",
        "Links are under /images.",
        wire(GPT_LINK, 'f"/images/{task.id}_{index}.'),
    ),
    mutant(
        "xh-resp-1-key-needed",
        "XH-RESP-1",
        "A picture needs the key.",
        routes("show_gpt_image, keyed=False", "show_gpt_image, keyed=True"),
    ),
    mutant(
        "xh-resp-1-links-end",
        "XH-RESP-1",
        "A picture is gone after a day.",
        routes(
            'return await _serve(context, index_of(context.params["index"]), context.params["extension"])',
            'task = await find_picture(context, context.params["task_id"], 0, context.params["extension"])\n'
            "    if context.engine.now() > task.due + 86_400:\n"
            "        raise Problem(Kind.IMAGE_NOT_FOUND)\n"
            '    return await _serve(context, index_of(context.params["index"]), context.params["extension"])',
        ),
    ),
    mutant(
        "xh-resp-2-created", "XH-RESP-2", "nano-banana's created is the time.", wire(CREATED, "return int(task.due)")
    ),
    mutant(
        "xh-resp-2-task-id",
        "XH-RESP-2",
        "nano-banana answers success and task_id.",
        wire(OF_GPT, OF_GPT.replace('== "gpt"', '!= "dall"')),
    ),
    mutant(
        "xh-resp-2-path",
        "XH-RESP-2",
        "nano-banana's links are in another folder.",
        wire('f"/nanobanana/', 'f"/nano-banana/'),
    ),
    mutant(
        "xh-resp-2-prompt-rewritten",
        "XH-RESP-2",
        "nano-banana rewrites the prompt.",
        wire('if _family(task) != "dall":', 'if _family(task) == "gpt":'),
    ),
    mutant(
        "xh-resp-3-task-id",
        "XH-RESP-3",
        "dall-e-3 answers success and task_id.",
        wire(OF_GPT, OF_GPT.replace('== "gpt"', '!= "nano"')),
    ),
    mutant(
        "xh-resp-3-no-revised-prompt",
        "XH-RESP-3 XH-RESP-6",
        "dall-e-3 answers no revised_prompt.",
        wire(
            '    return {"revised_prompt": revised, "url": _url(task, index)}',
            '    told = {"revised_prompt": revised} if _family(task) != "dall" else {}\n'
            '    return {**told, "url": _url(task, index)}',
        ),
    ),
    mutant(
        "xh-resp-5-an-hour-less", "XH-RESP-5", "A signed link ends after 23 hours.", wire("= 24 * 3600", "= 23 * 3600")
    ),
    mutant(
        "xh-resp-5-an-hour-more", "XH-RESP-5", "A signed link ends after 25 hours.", wire("= 24 * 3600", "= 25 * 3600")
    ),
    mutant(
        "xh-resp-5-a-little-early",
        "XH-RESP-5",
        "A signed link ends 5 seconds before it says.",
        routes("- context.engine.now()\n", "- context.engine.now() - 5\n"),
    ),
    mutant(
        "xh-resp-5-a-little-late",
        "XH-RESP-5",
        "A signed link ends 5 seconds after it says.",
        routes("- context.engine.now()\n", "- context.engine.now() + 5\n"),
    ),
    mutant(
        "xh-resp-5-unsigned",
        "XH-RESP-5",
        "dall-e-3's links are not signed.",
        wire('.png?{urlencode(signed(task.id, expiry))}"', '.png"'),
    ),
    *(
        mutant(
            f"xh-resp-5-no-{name}",
            "XH-RESP-5",
            f"A signed link has no {name}.",
            wire(SIGNED, f"named.pop({name!r})\n    {SIGNED}"),
        )
        for name in ("ske", "skoid", "sks", "skt", "sktid", "skv", "sp", "spr", "sr", "sv")
    ),
    mutant(
        "xh-resp-6-stripped",
        "XH-RESP-6",
        "gpt-image-2's revised_prompt is stripped.",
        wire("return task.job.prompt\n", "return task.job.prompt.strip()\n"),
    ),
    mutant(
        "xh-resp-6-not-rewritten",
        "XH-RESP-6",
        "dall-e-3's revised_prompt is the prompt.",
        wire('return template.replace("{}", task.job.prompt)', "return task.job.prompt if template else template"),
    ),
    mutant(
        "xh-resp-6-not-with-base64",
        "XH-RESP-6 XH-FMT-1",
        "There is no revised_prompt beside b64_json.",
        wire('picture(task, index)).decode(), "revised_prompt": revised}', "picture(task, index)).decode()}"),
    ),
    mutant(
        "xh-fmt-1-url-too",
        "XH-FMT-1",
        "b64_json comes beside url.",
        wire(
            '.decode(), "revised_prompt": revised}', '.decode(), "revised_prompt": revised, "url": _url(task, index)}'
        ),
    ),
    mutant(
        "xh-fmt-1-data-url",
        "XH-FMT-1",
        "b64_json is a data: URL.",
        wire('{"b64_json": b64encode', '{"b64_json": "data:image/png;base64," + b64encode'),
    ),
    mutant(
        "xh-fmt-1-base64-by-default",
        "XH-FMT-1",
        "Without response_format b64_json comes.",
        models('Literal["url", "b64_json"] = "url"', 'Literal["url", "b64_json"] = "b64_json"'),
    ),
    mutant(
        "xh-fmt-1-ignored",
        "XH-FMT-1",
        "response_format is ignored.",
        models('return self.response_format == "b64_json"', "return False"),
    ),
    mutant(
        "xh-cb-1-says-more",
        "XH-CB-1",
        "The answer to a call with a callback says more than the task_id.",
        routes(
            'return context.answer({"task_id": task.id})',
            'return context.answer({"success": True, "task_id": task.id})',
        ),
    ),
    mutant(
        "xh-cb-1-waits",
        "XH-CB-1",
        "A call with a callback waits for the picture.",
        routes("at_once = callback_url is not None or asked.wait_not", "at_once = asked.wait_not"),
    ),
    mutant(
        "xh-cb-1-not-for-nano",
        "XH-CB-1",
        "nano-banana* take no notice of callback_url.",
        routes(
            "callback_url = read_callback_url(asked.callback_url, check_any)",
            "nano = isinstance(asked, models.Nano)\n"
            "    callback_url = None if nano else read_callback_url(asked.callback_url, check_any)",
        ),
    ),
    mutant(
        "xh-cb-1-content-type",
        "XH-CB-1",
        "A callback is not declared as JSON.",
        http_post('"Content-Type: application/json"', '"Content-Type: text/plain"'),
    ),
    mutant(
        "xh-cb-2-no-trace-id", "XH-CB-2", "A callback has no trace_id.", wire('"trace_id": task.job.trace_id}\n', "}\n")
    ),
    mutant(
        "xh-cb-2-another-task-id",
        "XH-CB-2",
        "A callback's task_id is another one.",
        wire('ids = {"task_id": task.id,', 'ids = {"task_id": task.job.trace_id,'),
    ),
    mutant(
        "xh-cb-2-no-success",
        "XH-CB-2",
        "A callback has no success.",
        wire(CALLBACK, CALLBACK.replace('"success": True, ', "")),
    ),
    mutant(
        "xh-cb-2-flat",
        "XH-CB-2",
        "A callback's data is the list itself.",
        wire(CALLBACK, CALLBACK.replace('{"created": created(task), "data": _data(task)}', "_data(task)")),
    ),
    mutant(
        "xh-cb-2-failure-without-error",
        "XH-CB-2",
        "A failure's callback does not say why.",
        wire('{"success": False, **ids, "error": failed["error"]}', '{"success": not failed, **ids}'),
    ),
    mutant(
        "xh-cb-3-https-alone",
        "XH-CB-3",
        "A callback over plain http is refused.",
        addresses(
            "    named_host(host_of(url)[1])\n\n\ndef _check_length",
            '    if not url.startswith("https:"):\n        raise BadTarget("only https")\n\n\ndef _check_length',
        ),
    ),
    mutant(
        "xh-async-1-ignored",
        "XH-ASYNC-1",
        "async is ignored.",
        routes("callback_url is not None or asked.wait_not", "callback_url is not None"),
    ),
    mutant(
        "xh-async-1-false-is-true",
        "XH-ASYNC-1",
        "async: false is async.",
        routes("or asked.wait_not", 'or "wait_not" in asked.model_fields_set'),
    ),
    mutant(
        "xh-task-1-unknown-is-null",
        "XH-TASK-1",
        "An unknown task is null.",
        tasks("if task else {}", "if task else None"),
    ),
    mutant(
        "xh-task-1-absent-while-pending",
        "XH-TASK-1",
        "finished_at is 0 while pending.",
        wire('"finished_at": task.due if ended else None', '"finished_at": task.due if ended else 0'),
    ),
    mutant("xh-task-1-no-count", "XH-TASK-1", "A batch has no count.", tasks(', "count": len(found)}', "}")),
    mutant("xh-task-1-no-mongo-id", "XH-TASK-1", "A task has no _id.", wire('"_id": sha', '"id_": sha')),
    *(
        mutant(f"xh-task-1-no-{name}", "XH-TASK-1", f"A task has no {name}.", wire(f'"{name}"', f'"my_{name}"'))
        for name in ("application_id", "user_id", "credential_id")
    ),
    mutant(
        "xh-task-1-trace-ids-ignored",
        "XH-TASK-1",
        "A batch by trace_ids is empty.",
        tasks("in asked.trace_ids or ()", "in ()"),
    ),
    mutant(
        "xh-task-1-type-ignored",
        "XH-TASK-1",
        "A batch's type filters nothing.",
        tasks("asked.type in (None, wire.type_of(task))", "True"),
    ),
    mutant(
        "xh-task-1-earliest-ignored",
        "XH-TASK-1",
        "created_at_min filters nothing.",
        tasks("earliest <= task.created", "-inf <= task.created"),
    ),
    mutant(
        "xh-task-1-latest-ignored",
        "XH-TASK-1",
        "created_at_max filters nothing.",
        tasks("task.created <= latest", "task.created <= inf"),
    ),
    mutant(
        "xh-task-1-owner-ignored",
        "XH-TASK-1",
        "Another user's id selects everything.",
        tasks('asked.user_id not in (None, owner["user_id"])', "False"),
    ),
    mutant(
        "xh-task-2-sync-stored",
        "XH-TASK-2",
        "A sync call can be retrieved.",
        tasks('and task.job.wire["stored"] else', "else"),
    ),
    mutant(
        "xh-task-2-callback-not-stored",
        "XH-TASK-2",
        "A call with a callback can't be retrieved.",
        routes("stored = at_once or", "stored = asked.wait_not or"),
    ),
    mutant(
        "xh-task-2-limit-11",
        "XH-TASK-2",
        "A batch has 11 items by default.",
        tasks("DEFAULT_LIMIT = 12", "DEFAULT_LIMIT = 11"),
    ),
    mutant(
        "xh-task-2-limit-13",
        "XH-TASK-2",
        "A batch has 13 items by default.",
        tasks("DEFAULT_LIMIT = 12", "DEFAULT_LIMIT = 13"),
    ),
    mutant(
        "xh-task-2-id-wins",
        "XH-TASK-2",
        "An id goes before a trace_id.",
        tasks("if asked.trace_id is not None:", "if asked.trace_id is not None and asked.id is None:"),
    ),
    mutant(
        "xh-task-2-whole-seconds",
        "XH-TASK-2",
        "Times are whole seconds.",
        wire('"created_at": task.created,', '"created_at": int(task.created),'),
    ),
    mutant(
        "xh-edit-1-sixteen-refused",
        "XH-EDIT-1",
        "16 references are refused.",
        models("MOST_REFERENCES = 16", "MOST_REFERENCES = 15"),
    ),
    mutant(
        "xh-edit-1-seventeen-taken",
        "XH-EDIT-1",
        "17 references are taken.",
        models("MOST_REFERENCES = 16", "MOST_REFERENCES = 17"),
    ),
    mutant(
        "xh-edit-1-default-model",
        "XH-EDIT-1",
        "An edit without a model is one by dall-e-2.",
        routes('EDIT_MODEL = "dall-e-3"', 'EDIT_MODEL = "dall-e-2"'),
    ),
    mutant(
        "xh-edit-1-no-elapsed",
        "XH-EDIT-1",
        "gpt-image-2's edits have no elapsed.",
        wire(", elapsed=_elapsed(task))", ")"),
    ),
    mutant(
        "xh-edit-1-image-optional",
        "XH-EDIT-1",
        "An edit needs no image.",
        routes("has_image=bool(image or files)", "has_image=True"),
    ),
    mutant(
        "xh-price-4-failures-billed",
        "XH-PRICE-4",
        "A failed call is billed.",
        memory("row.release(job.cost, month)", "row.capture(Usage(task.due, task, job.cost))"),
    ),
    mutant(
        "xh-lat-1-early",
        "XH-LAT-1",
        "A picture is there just before 60 seconds.",
        pricing("(60.0, 90.0)", "(59.0, 59.9)"),
    ),
    mutant(
        "xh-lat-1-late",
        "XH-LAT-1",
        "A picture is there just after 90 seconds.",
        pricing("(60.0, 90.0)", "(90.1, 91.0)"),
    ),
    mutant(
        "xh-lat-1-4k-early",
        "XH-LAT-1",
        "A 4K picture is there just before 4 minutes.",
        pricing("(240.0, 480.0)", "(239.0, 239.9)"),
    ),
    mutant(
        "xh-lat-1-4k-late",
        "XH-LAT-1",
        "A 4K picture is there just after 8 minutes.",
        pricing("(240.0, 480.0)", "(480.1, 481.0)"),
    ),
    mutant(
        "xh-lat-1-2k-is-4k",
        "XH-LAT-1",
        "A 2K picture takes as long as a 4K one.",
        pricing("> FOUR_K_PIXELS", ">= FOUR_K_PIXELS"),
    ),
    mutant(
        "xh-lat-1-some-4k-are-not",
        "XH-LAT-1",
        "A picture of 8 million pixels is not 4K yet.",
        pricing("= 2048 * 2048", "= 8_000_000"),
    ),
)
