"""icodeeasy: wrong endpoints, keys, parameters and prices."""

from mutants.patching import mutant, patches_of

base = patches_of("providers.icodeeasy")
errors = patches_of("providers.icodeeasy.errors")
ledger = patches_of("engine.ledger")
memory = patches_of("engine.store.memory")
models = patches_of("providers.icodeeasy.models")
pricing = patches_of("providers.icodeeasy.pricing")
references = patches_of("providers.references")
routes = patches_of("providers.icodeeasy.routes")
sizes = patches_of("engine.sizes")

ACCEPTS = 'accepts_key=lambda key: key.startswith("sk_") and len(key) > len("sk_")'
N = "n: Annotated[int, Field(ge=1, le=MOST_IMAGES)] = 1"
QUALITY = 'quality: Literal["low", "medium", "high", "auto"] = "medium"'
RESOLUTION = 'resolution: Literal["1k", "2k"] = "1k"'
COST = "asked.quality, asked.n)"

MUTANTS = (
    mutant(
        "ic-ep-1-no-edits-without-v1",
        "IC-EP-1",
        "There is no /images/edits.",
        routes('    Route("POST", "/images/edits", generate, billable=True),\n', ""),
    ),
    mutant(
        "ic-ep-1-edits-need-references",
        "IC-EP-1",
        "Edits need a reference.",
        routes(
            "    task = await context.submit(_job",
            '    if context.request.path.endswith("edits") and not references:\n'
            "        raise Problem(Kind.INVALID_PARAMETER)\n    task = await context.submit(_job",
        ),
    ),
    mutant(
        "ic-ep-1-edits-are-dearer",
        "IC-EP-1",
        "Edits cost twice as much.",
        routes(COST, f'{COST} * (2 if context.request.path.endswith("edits") else 1)'),
    ),
    mutant(
        "ic-ep-1-references-are-dearer",
        "IC-EP-1",
        "References cost a picture more.",
        routes(COST, "asked.quality, asked.n + (references > 0))"),
    ),
    mutant("ic-auth-1-any-key", "IC-AUTH-1", "A key need not begin with sk_.", base(ACCEPTS, "accepts_key=bool")),
    mutant(
        "ic-auth-1-no-key-needed",
        "IC-AUTH-1 IC-TASK-1",
        "The task query needs no key.",
        routes(
            'Route("GET", "/v1/images/tasks/{task_id}", show_task)',
            'Route("GET", "/v1/images/tasks/{task_id}", show_task, keyed=False)',
        ),
    ),
    mutant("ic-auth-1-status", "IC-AUTH-1", "A call without a key is a 403.", errors("_refusal(401,", "_refusal(403,")),
    mutant(
        "ic-body-1-no-forms",
        "IC-BODY-1",
        "Forms are refused.",
        routes("not context.body.is_form", "True"),
    ),
    mutant(
        "ic-body-1-numbers-as-text-refused",
        "IC-BODY-1",
        "A form's numbers are refused, for they are text.",
        routes("asked = read_text(models.Generation, fields)", "asked = read(models.Generation, fields)"),
    ),
    mutant(
        "ic-body-1-files-overlooked",
        "IC-BODY-1",
        "A form's image[] files are overlooked.",
        routes('_FILE_FIELDS = ("image", "image[]")', '_FILE_FIELDS = ("image",)'),
    ),
    mutant(
        "ic-model-1-optional",
        "IC-MODEL-1",
        "model is optional.",
        models('model: Literal["gpt-image-2"]', 'model: Literal["gpt-image-2"] = "gpt-image-2"'),
    ),
    mutant(
        "ic-model-1-another",
        "IC-MODEL-1",
        "dall-e-3 is taken too.",
        models('model: Literal["gpt-image-2"]', 'model: Literal["gpt-image-2", "dall-e-3"]'),
    ),
    mutant(
        "ic-prompt-1-optional", "IC-PROMPT-1", "prompt is optional.", models("prompt: Prompt", 'prompt: Prompt = "x"')
    ),
    mutant("ic-n-1-ignored", "IC-N-1", "n is ignored.", routes("count=asked.n,", "count=1,")),
    mutant(
        "ic-n-1-charged-once",
        "IC-N-1 IC-BILL-1",
        "One picture of several is charged.",
        pricing("quality] * count", "quality]"),
    ),
    mutant("ic-n-1-two-by-default", "IC-N-1", "n is 2 by default.", models(N, N.replace("= 1", "= 2"))),
    mutant("ic-n-1-ten-refused", "IC-N-1", "10 pictures are refused.", models("MOST_IMAGES = 10", "MOST_IMAGES = 9")),
    mutant("ic-size-1-a-ratio-less", "IC-SIZE-1", "9:21 is refused.", models('"21:9", "9:21"]', '"21:9"]')),
    mutant(
        "ic-size-1-a-ratio-more", "IC-SIZE-1", "16:10 is taken.", models('"21:9", "9:21"]', '"21:9", "9:21", "16:10"]')
    ),
    mutant("ic-size-1-default", "IC-SIZE-1", "The default is 3:2.", models('] = "1:1"', '] = "3:2"')),
    mutant(
        "ic-size-1-auto",
        "IC-SIZE-1",
        "auto is 3:2.",
        models('return RATIOS["1:1"]', 'return RATIOS["3:2"]'),
    ),
    mutant(
        "ic-size-1-auto-refused", "IC-SIZE-1", "auto is refused.", models('if size == "auto":', 'if size == "Auto":')
    ),
    mutant(
        "ic-size-1-turned",
        "IC-SIZE-1",
        "Portrait ratios come as landscape.",
        sizes("(short, long) if w < h else (long, short)", "(long, short)"),
    ),
    mutant(
        "ic-size-1-not-an-error",
        "IC-SIZE-1",
        "An unsupported ratio is drawn as a square.",
        models("    said = ", '    if parse_ratio(size):\n        return RATIOS["1:1"]\n    said = '),
    ),
    mutant(
        "ic-size-2-refused",
        "IC-SIZE-2",
        "Pixel strings are refused.",
        models("if pixels is not None:", "if pixels is None and size is None:"),
    ),
    mutant(
        "ic-size-2-turned",
        "IC-SIZE-2",
        "Pixel strings are read as height and width.",
        models("nearest_ratio(*pixels,", "nearest_ratio(*pixels[::-1],"),
    ),
    mutant("ic-res-1-no-2k", "IC-RES-1", "2k is refused.", models(RESOLUTION, 'resolution: Literal["1k"] = "1k"')),
    mutant(
        "ic-res-1-4k",
        "IC-RES-1",
        "4k is taken.",
        models(RESOLUTION, 'resolution: Literal["1k", "2k", "4k"] = "1k"'),
        models('"2k": 2048 * 2048}', '"2k": 2048 * 2048, "4k": 2880 * 2880}'),
    ),
    mutant(
        "ic-res-1-default",
        "IC-RES-1",
        "2k is the default.",
        models(RESOLUTION, 'resolution: Literal["1k", "2k"] = "2k"'),
    ),
    mutant(
        "ic-res-1-no-larger", "IC-RES-1", "2k is no larger than 1k.", models('"2k": 2048 * 2048', '"2k": 1024 * 1024')
    ),
    mutant(
        "ic-res-1-not-with-every-ratio",
        "IC-RES-1",
        "2k is refused with 21:9.",
        models(
            "        return fit_ratio(",
            '        if (self.resolution, self.size) == ("2k", "21:9"):\n'
            '            raise Problem(Kind.INVALID_PARAMETER, field="size")\n        return fit_ratio(',
        ),
    ),
    mutant(
        "ic-qual-1-default",
        "IC-QUAL-1",
        "No quality costs as high.",
        models(QUALITY, QUALITY.replace('= "medium"', '= "high"')),
    ),
    mutant(
        "ic-qual-1-auto",
        "IC-QUAL-1",
        "auto costs as low.",
        pricing('"medium" if quality == "auto"', '"low" if quality == "auto"'),
    ),
    mutant("ic-qual-1-no-auto", "IC-QUAL-1", "auto is refused.", models(QUALITY, QUALITY.replace(', "auto"', ""))),
    mutant(
        "ic-qual-1-smaller",
        "IC-QUAL-1",
        "A picture in low quality is smaller.",
        models(
            "PIXELS[self.resolution], MULTIPLE",
            'PIXELS[self.resolution] // (2 if self.quality == "low" else 1), MULTIPLE',
        ),
    ),
    mutant(
        "ic-ref-1-sixteen-refused",
        "IC-REF-1",
        "16 references are refused.",
        models("MOST_REFERENCES = 16", "MOST_REFERENCES = 15"),
    ),
    mutant(
        "ic-ref-1-seventeen-taken",
        "IC-REF-1",
        "17 references are taken.",
        models("MOST_REFERENCES = 16", "MOST_REFERENCES = 17"),
    ),
    mutant(
        "ic-ref-1-no-alias",
        "IC-REF-1",
        "image_input is overlooked.",
        routes("urls = (*asked.image_urls, *asked.image_input)", "urls = (*asked.image_urls,)"),
    ),
    mutant("ic-ref-1-http", "IC-REF-1", "http URLs are taken.", routes('("https",))', '("https", "http"))')),
    mutant(
        "ic-ref-1-no-inline",
        "IC-REF-1",
        "data: values are refused.",
        references("if not _DATA_URL.match(url):", "if url:"),
    ),
    mutant(
        "ic-ref-1-bad-base64",
        "IC-REF-1",
        "Invalid base64 is overlooked.",
        references('raise _wrong(field, f"{place} is not valid base64") from None', "return None"),
    ),
    mutant(
        "ic-ref-1-not-base64",
        "IC-REF-1",
        "A data: value that is not in base64 is overlooked.",
        references('raise _wrong(field, f"{place} must be data:image/*;base64,…")', "return None"),
    ),
    mutant("ic-bill-1-low-higher", "IC-BILL-1", "low costs 0.11.", pricing('"low": "0.10"', '"low": "0.11"')),
    mutant("ic-bill-1-low-lower", "IC-BILL-1", "low costs 0.09.", pricing('"low": "0.10"', '"low": "0.09"')),
    mutant(
        "ic-bill-1-medium-higher", "IC-BILL-1", "medium costs 0.21.", pricing('"medium": "0.20"', '"medium": "0.21"')
    ),
    mutant(
        "ic-bill-1-medium-lower", "IC-BILL-1", "medium costs 0.19.", pricing('"medium": "0.20"', '"medium": "0.19"')
    ),
    mutant("ic-bill-1-high-higher", "IC-BILL-1", "high costs 0.41.", pricing('"high": "0.40"', '"high": "0.41"')),
    mutant("ic-bill-1-high-lower", "IC-BILL-1", "high costs 0.39.", pricing('"high": "0.40"', '"high": "0.39"')),
    mutant(
        "ic-bill-1-2k-is-dearer",
        "IC-BILL-1",
        "2k costs twice as much.",
        routes(COST, f'{COST} * (2 if asked.resolution == "2k" else 1)'),
    ),
    mutant(
        "ic-bill-2-failures-charged",
        "IC-BILL-2",
        "A failed request is charged.",
        memory("row.release(job.cost, month)", "row.capture(Usage(task.due, task, job.cost))"),
    ),
    mutant(
        "ic-bill-2-failures-held",
        "IC-BILL-2",
        "The money of a failed request stays held.",
        memory("            row.release(job.cost, month)", "            pass"),
        slow=True,
    ),
    mutant(
        "ic-bill-2-overdraft",
        "IC-BILL-2",
        "A balance may be overdrawn by 0.01.",
        ledger("if amount > self.balance:", "if amount > self.balance + 1:"),
    ),
    mutant(
        "ic-bill-2-balance-not-used-up",
        "IC-BILL-2",
        "A balance that just covers the request is refused.",
        ledger("if amount > self.balance:", "if amount >= self.balance:"),
    ),
    mutant(
        "ic-bill-2-quota-ignored",
        "IC-BILL-2",
        "The monthly quota is ignored.",
        ledger(
            "if self.quota is not None and self._spent(now) + amount > self.quota:",
            "if self.quota is not None and amount < 0:",
        ),
    ),
    mutant(
        "ic-bill-2-quota-exceeded",
        "IC-BILL-2",
        "The monthly quota may be exceeded by 0.01.",
        ledger("+ amount > self.quota:", "+ amount > self.quota + 1:"),
    ),
    mutant(
        "ic-bill-2-quota-not-used-up",
        "IC-BILL-2",
        "A quota that just covers the request refuses it.",
        ledger("+ amount > self.quota:", "+ amount >= self.quota:"),
    ),
)
