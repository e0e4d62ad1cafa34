"""xhuoapi: wrong endpoints, keys, errors and parameters."""

from mutants.patching import ROUTES_UNCHECKED, mutant, patches_of

app = patches_of("app")
errors = patches_of("providers.xhuoapi.errors")
ledger = patches_of("engine.ledger")
models = patches_of("providers.xhuoapi.models")
pricing = patches_of("providers.xhuoapi.pricing")
routes = patches_of("providers.xhuoapi.routes")

GENERATIONS = 'Route("POST", "/v1/openai/images/generations", generate, billable=True)'
ENVELOPE = 'return {"success": False, "error": error_object(refusal, problem.detail), "trace_id": trace_id}'
OF_GPT = 'moderation: Literal["auto", "low"] = "auto"'
OF_GPT_2 = "    def limit_broken(self, size: Pair) -> str | None:\n        return _limit_broken(size)"
OF_NANO = "    def asked(self) -> Pair:\n        aspect ="

MUTANTS = (
    mutant(
        "xh-ep-1-path",
        "XH-EP-1",
        "Generations are at /v1/images/generations.",
        routes(GENERATIONS, GENERATIONS.replace("/openai", "")),
        ROUTES_UNCHECKED,
    ),
    mutant(
        "xh-ep-1-method",
        "XH-EP-1",
        "Generations take PUT.",
        routes(GENERATIONS, GENERATIONS.replace("POST", "PUT")),
        ROUTES_UNCHECKED,
    ),
    mutant(
        "xh-ep-1-forms-alone",
        "XH-EP-1",
        "Generations take forms, not JSON.",
        routes(
            "    fields = await context.body.json()\n    asked, size = _read",
            "    fields = (await context.body.form()).fields\n    asked, size = _read",
        ),
    ),
    mutant(
        "xh-auth-1-no-key-needed",
        "XH-AUTH-1",
        "Generations need no key.",
        routes(GENERATIONS, GENERATIONS.replace(", billable", ", keyed=False, billable")),
    ),
    mutant(
        "xh-auth-1-any-scheme",
        "XH-AUTH-1",
        "Any authorization scheme will do.",
        app('token if scheme.lower() == "bearer" and', "token if"),
    ),
    mutant(
        "xh-auth-1-status",
        "XH-AUTH-1 XH-ERR-2",
        "A call without a token is a 403.",
        errors('Refusal(401, "invalid_token"', 'Refusal(403, "invalid_token"'),
    ),
    mutant(
        "xh-err-1-no-trace-id",
        "XH-ERR-1",
        "Errors have no trace_id.",
        errors(ENVELOPE, ENVELOPE.replace(', "trace_id": trace_id', "")),
    ),
    mutant(
        "xh-err-1-trace-id-is-no-uuid",
        "XH-ERR-1",
        "An error's trace_id is no UUID.",
        errors(ENVELOPE, ENVELOPE.replace(": trace_id", ': trace_id.replace("-", "")')),
    ),
    mutant(
        "xh-err-1-no-success",
        "XH-ERR-1",
        "Errors have no success.",
        errors(ENVELOPE, ENVELOPE.replace('"success": False, ', "")),
    ),
    mutant(
        "xh-err-1-flat",
        "XH-ERR-1",
        "An error's code and message are at the top.",
        errors(ENVELOPE, ENVELOPE.replace('"error": error', "**error")),
    ),
    mutant(
        "xh-err-2-rate-limit-code",
        "XH-ERR-2",
        "429 has another code.",
        errors('429, "too_many_requests"', '429, "rate_limit_exceeded"'),
    ),
    mutant(
        "xh-err-2-rate-limit-status",
        "XH-ERR-2",
        "too_many_requests is a 503.",
        errors('Refusal(429, "too_many', 'Refusal(503, "too_many'),
    ),
    mutant(
        "xh-err-2-failure-status",
        "XH-ERR-2",
        "api_error is a 502.",
        errors('API_ERROR = Refusal(500, "api_error"', 'API_ERROR = Refusal(502, "api_error"'),
    ),
    mutant(
        "xh-err-2-parameter-status",
        "XH-ERR-2",
        "token_mismatched is a 422.",
        errors('Refusal(400, "token_mismatched"', 'Refusal(422, "token_mismatched"'),
    ),
    mutant(
        "xh-err-2-unknown-model",
        "XH-ERR-2 XH-ERR-3",
        "An unknown model is token_mismatched.",
        errors("Kind.UNKNOWN_MODEL: NOT_IMPLEMENTED", "Kind.UNKNOWN_MODEL: TOKEN_MISMATCHED"),
    ),
    mutant(
        "xh-err-3-unknown-path",
        "XH-ERR-3",
        "An unknown path is a 400.",
        errors("NO_API = Refusal(404", "NO_API = Refusal(400"),
    ),
    mutant(
        "xh-err-4-used-up", "XH-ERR-4", "used_up is a 402.", errors('Refusal(403, "used_up"', 'Refusal(402, "used_up"')
    ),
    mutant("xh-err-4-too-large", "XH-ERR-4", "A body too large is a 400.", errors("Refusal(413", "Refusal(400")),
    mutant("xh-err-4-timeout", "XH-ERR-4", "A timeout is a 408.", errors("Refusal(504", "Refusal(408")),
    mutant(
        "xh-err-5-message",
        "XH-ERR-5",
        "invalid_token says something else.",
        errors("token is invalid or wrong", "token is invalid"),
    ),
    mutant(
        "xh-model-1-one-less", "XH-MODEL-1", "nano-banana-pro is unknown.", models('    "nano-banana-pro": Nano,\n', "")
    ),
    mutant(
        "xh-model-1-n-required",
        "XH-MODEL-1",
        "dall-e-2 takes another request: n is required.",
        models("n: Annotated[int, Field(ge=1, le=10)] = 1", "n: Annotated[int, Field(ge=1, le=10)]"),
    ),
    mutant(
        "xh-model-1-one-more",
        "XH-MODEL-1",
        "dall-e-4 is known.",
        models('    "dall-e-3": Dalle3,\n', '    "dall-e-3": Dalle3,\n    "dall-e-4": Dalle3,\n'),
        models('    "dall-e-3": ((1024', '    "dall-e-4": ((1024, 1024),),\n    "dall-e-3": ((1024'),
        pricing('    "dall-e-3": "0.2",', '    "dall-e-4": "0.2",\n    "dall-e-3": "0.2",'),
        pricing('    "dall-e-3": (10', '    "dall-e-4": (10.0, 30.0),\n    "dall-e-3": (10'),
    ),
    mutant(
        "xh-model-2-default",
        "XH-MODEL-2",
        "A generation without a model is one by gpt-image-2.",
        routes("_read(context, fields)", '_read(context, {"model": "gpt-image-2", **fields})'),
    ),
    mutant(
        "xh-model-2-code",
        "XH-MODEL-2",
        "A generation without a model is a 404.",
        models(
            'Problem(Kind.INVALID_PARAMETER, "model is required."', 'Problem(Kind.IMAGE_NOT_FOUND, "model is required."'
        ),
    ),
    mutant(
        "xh-prompt-1-optional",
        "XH-PROMPT-1",
        "gpt-image-* need no prompt.",
        models(
            "prompt: Annotated[str, Field(max_length=32_000), NOT_BLANK]",
            'prompt: Annotated[str, Field(max_length=32_000), NOT_BLANK] = "x"',
        ),
    ),
    mutant("xh-prompt-1-gpt-less-one", "XH-PROMPT-1", "32000 characters are refused.", models("32_000", "31_999")),
    mutant("xh-prompt-1-gpt-one-more", "XH-PROMPT-1", "32001 characters pass.", models("32_000", "32_001")),
    mutant(
        "xh-prompt-1-dall-e-3-less-one", "XH-PROMPT-1", "dall-e-3 refuses 4000 characters.", models("4_000", "3_999")
    ),
    mutant("xh-prompt-1-dall-e-3-one-more", "XH-PROMPT-1", "dall-e-3 takes 4001 characters.", models("4_000", "4_001")),
    mutant(
        "xh-prompt-1-dall-e-2-less-one",
        "XH-PROMPT-1",
        "dall-e-2 refuses 1000 characters.",
        models("max_length=1_000", "max_length=999"),
    ),
    mutant(
        "xh-prompt-1-dall-e-2-one-more",
        "XH-PROMPT-1",
        "dall-e-2 takes 1001 characters.",
        models("max_length=1_000", "max_length=1_001"),
    ),
    mutant(
        "xh-n-1-honoured",
        "XH-N-1",
        "gpt-image-2 honours n.",
        models(
            OF_GPT_2,
            "    n: int = 1\n\n    @property\n    def count(self) -> int:\n        return self.n\n\n" + OF_GPT_2,
        ),
    ),
    mutant(
        "xh-n-1-charged",
        "XH-N-1",
        "gpt-image-* charge n pictures and draw one.",
        models(OF_GPT, f"{OF_GPT}\n    n: int = 1"),
        routes("asked.tier, asked.count)", 'asked.tier, asked.count) * getattr(asked, "n", 1)'),
    ),
    mutant(
        "xh-n-1-nano-honours",
        "XH-N-1",
        "nano-banana* honour n.",
        models(
            OF_NANO, "    n: int = 1\n\n    @property\n    def count(self) -> int:\n        return self.n\n\n" + OF_NANO
        ),
    ),
    mutant("xh-n-2-ignored", "XH-N-2", "dall-e-2 ignores n.", models("return self.n\n", "return 1\n")),
    mutant(
        "xh-n-2-charged-once",
        "XH-N-2",
        "dall-e-2 charges one picture of several.",
        pricing("prices[model] * count", "prices[model]"),
    ),
    mutant("xh-n-2-dall-e-3-takes-two", "XH-N-2", "dall-e-3 takes n = 2.", models("if self.n != 1", "if self.n > 2")),
    mutant(
        "xh-n-2-dall-e-3-takes-none", "XH-N-2", "dall-e-3 refuses n = 1.", models("if self.n != 1", "if self.n != 2")
    ),
    mutant(
        "xh-seed-1-refused", "XH-SEED-1", "A seed is refused.", models("seed: Any = None", "seed: Literal[None] = None")
    ),
    mutant(
        "xh-seed-1-without-effect",
        "XH-SEED-1",
        "The seed does not change the picture.",
        routes("_seed(asked.seed), stored)", '"", stored)'),
    ),
    mutant(
        "xh-outfmt-1-no-transparency",
        "XH-OUTFMT-1",
        "A transparent background is refused.",
        models('Literal["auto", "transparent", "opaque"]', 'Literal["auto", "opaque"]'),
    ),
    mutant(
        "xh-outfmt-1-any-background",
        "XH-OUTFMT-1",
        "Any background is taken.",
        models('background: Literal["auto", "transparent", "opaque"]', "background: str"),
    ),
    mutant(
        "xh-outfmt-1-png-alone",
        "XH-OUTFMT-1",
        "Every picture is a PNG.",
        models("return self.output_format", 'return "png"'),
    ),
    mutant(
        "xh-outfmt-1-no-webp",
        "XH-OUTFMT-1",
        "webp is refused.",
        models("output_format: ImageFormat", 'output_format: Literal["png", "jpeg"]'),
    ),
    mutant(
        "xh-outfmt-1-compression-99",
        "XH-OUTFMT-1",
        "output_compression ends at 99.",
        models("le=100", "le=99"),
        models("= 100", "= 99"),
    ),
    mutant("xh-outfmt-1-compression-101", "XH-OUTFMT-1", "output_compression ends at 101.", models("le=100", "le=101")),
    mutant(
        "xh-outfmt-1-compression-from-1",
        "XH-OUTFMT-1",
        "output_compression begins at 1.",
        models("ge=0, le=100", "ge=1, le=100"),
    ),
    mutant(
        "xh-outfmt-1-compression-below-0",
        "XH-OUTFMT-1",
        "output_compression may be -1.",
        models("ge=0, le=100", "ge=-1, le=100"),
    ),
    mutant("xh-outfmt-1-partial-2", "XH-OUTFMT-1", "partial_images ends at 2.", models("le=3", "le=2")),
    mutant("xh-outfmt-1-partial-4", "XH-OUTFMT-1", "partial_images ends at 4.", models("le=3", "le=4")),
    mutant(
        "xh-outfmt-1-moderation",
        "XH-OUTFMT-1",
        "moderation takes no low.",
        models('Literal["auto", "low"]', 'Literal["auto"]'),
    ),
    mutant(
        "xh-bill-1-no-free-credits",
        "XH-BILL-1",
        "A new key has no credits.",
        app("open_store(settings.store, opening", "open_store(settings.store, dict.fromkeys(opening, 0)"),
    ),
    mutant(
        "xh-bill-1-overdraft",
        "XH-BILL-1",
        "A used-up balance is overdrawn.",
        ledger("if amount > self.balance:", "if amount > self.balance + 10_000:"),
    ),
    mutant(
        "xh-nano-1-n-checked", "XH-NANO-1", "nano-banana* look at n.", models(OF_NANO, f"    n: int = 1\n\n{OF_NANO}")
    ),
    mutant(
        "xh-nano-1-quality-checked",
        "XH-NANO-1",
        "nano-banana* look at quality.",
        models(OF_NANO, f'    quality: Literal["standard", "hd"] = "standard"\n\n{OF_NANO}'),
    ),
    mutant(
        "xh-nano-1-base64",
        "XH-NANO-1",
        "nano-banana* answer b64_json.",
        models(
            OF_NANO,
            "    response_format: Any = None\n\n    @property\n    def base64(self) -> bool:\n"
            f'        return self.response_format == "b64_json"\n\n{OF_NANO}',
        ),
    ),
    mutant(
        "xh-nano-1-output-format",
        "XH-NANO-1",
        "nano-banana* honour output_format.",
        models(
            OF_NANO,
            f'    output_format: ImageFormat = "png"\n\n    @property\n    def format(self) -> ImageFormat:\n'
            f"        return self.output_format\n\n{OF_NANO}",
        ),
    ),
    mutant(
        "xh-qual-1-no-hd",
        "XH-QUAL-1",
        "dall-e-3 takes no hd.",
        models('Literal["standard", "hd", "auto"]', 'Literal["standard", "auto"]'),
    ),
    mutant(
        "xh-qual-1-any", "XH-QUAL-1", "dall-e-3 takes any quality.", models('Literal["standard", "hd", "auto"]', "str")
    ),
    mutant(
        "xh-qual-1-no-low",
        "XH-QUAL-1",
        "gpt-image-* take no low.",
        models('Literal["auto", "high", "medium", "low"]', 'Literal["auto", "high", "medium"]'),
    ),
    mutant(
        "xh-qual-1-hd-at-no-price", "XH-QUAL-1", "hd costs as standard.", pricing('"/hd" * (quality == "hd")', '"" ')
    ),
    mutant(
        "xh-style-1-no-natural",
        "XH-STYLE-1",
        "dall-e-3 takes no natural.",
        models('Literal["vivid", "natural"]', 'Literal["vivid"]'),
    ),
    mutant("xh-style-1-any", "XH-STYLE-1", "dall-e-3 takes any style.", models('Literal["vivid", "natural"]', "str")),
)
