"""All providers: documented numbers that are too low or too high, on the side that no other table has."""

from collections.abc import Callable, Iterator

from mutants.patching import Mutant, Patch, mutant, patches_of

callbacks = patches_of("engine.callbacks")
engine_tasks = patches_of("engine.tasks")
evolink_wire = patches_of("providers.evolink.wire")
icodeeasy_models = patches_of("providers.icodeeasy.models")
icodeeasy_pricing = patches_of("providers.icodeeasy.pricing")
icodeeasy_routes = patches_of("providers.icodeeasy.routes")
xhuoapi_models = patches_of("providers.xhuoapi.models")
xhuoapi_pricing = patches_of("providers.xhuoapi.pricing")
xhuoapi_tasks = patches_of("providers.xhuoapi.tasks")
xhuoapi_wire = patches_of("providers.xhuoapi.wire")


def numbers(
    name: str, claims: str, wrong: str, patch: Callable[[str, str], Patch], text: str, right: str, *values: str
) -> Iterator[Mutant]:
    """A mutant for each wrong value: in `text`, and in the sentence `wrong`, it is written for `{}`."""
    for value in values:
        patched = patch(text.replace("{}", right), text.replace("{}", value))
        yield mutant(f"{name}-{value}".replace("_", ""), claims, wrong.replace("{}", value) + ".", patched)


def price(model: str, claim: str, right: str, *values: str) -> Iterator[Mutant]:
    name = model.replace("/", "-")
    text = f'"{model}": "{{}}"'
    return numbers(f"{claim.lower()}-{name}", claim, f"{model} costs {{}}", xhuoapi_pricing, text, right, *values)


ALIAS_CHECK = "return None if size in ALIASES.values() else"

MUTANTS = (
    *price("gpt-image-2", "XH-PRICE-1", "0.2", "0.19"),
    *price("nano-banana-2", "XH-PRICE-2", "0.28", "0.27"),
    *price("nano-banana-pro", "XH-PRICE-2", "0.35", "0.36"),
    *price("gpt-image-1", "XH-PRICE-3", "0.2", "0.19", "0.21"),
    *price("gpt-image-1.5", "XH-PRICE-3", "0.55", "0.56"),
    *price("dall-e-2", "XH-PRICE-3", "0.1", "0.09", "0.11"),
    *price("dall-e-3", "XH-PRICE-3", "0.2", "0.19", "0.21"),
    *price("dall-e-3/large", "XH-PRICE-3", "0.4", "0.39", "0.41"),
    *price("dall-e-3/hd", "XH-PRICE-3", "0.4", "0.39", "0.41"),
    *price("dall-e-3/hd/large", "XH-PRICE-3", "0.6", "0.61"),
    *numbers(
        "xh-n-2-dall-e-2-up-to", "XH-N-2", "dall-e-2 draws up to {}", xhuoapi_models, "ge=1, le={}", "10", "9", "11"
    ),
    *numbers("xh-n-2-dall-e-2-from", "XH-N-2", "dall-e-2 draws from {}", xhuoapi_models, "ge={}, le=10", "1", "0", "2"),
    mutant("xh-n-2-dall-e-3-takes-0", "XH-N-2", "dall-e-3 takes n = 0.", xhuoapi_models("self.n != 1", "self.n > 1")),
    mutant(
        "xh-outfmt-1-partial-below-0",
        "XH-OUTFMT-1",
        "partial_images may be -1.",
        xhuoapi_models("Field(ge=0, le=3)] = 0", "Field(ge=-1, le=3)] = 0"),
    ),
    mutant(
        "xh-outfmt-1-partial-from-1",
        "XH-OUTFMT-1",
        "partial_images begins at 1.",
        xhuoapi_models("Field(ge=0, le=3)] = 0", "Field(ge=1, le=3)] = 1"),
    ),
    mutant(
        "xh-size-3-another-alias",
        "XH-SIZE-3",
        "1255x1254 is accepted as an alias.",
        xhuoapi_models(ALIAS_CHECK, ALIAS_CHECK.replace("ALIASES.values()", "{*ALIASES.values(), (1255, 1254)}")),
    ),
    mutant(
        "xh-out-1-alias-1256",
        "XH-OUT-1 XH-SIZE-4",
        "The alias of 1024x1024 is 1256x1256.",
        xhuoapi_models("(1024, 1024): (1254, 1254)", "(1024, 1024): (1256, 1256)"),
    ),
    mutant(
        "xh-size-7-dall-e-2-with-128",
        "XH-SIZE-7",
        "dall-e-2 draws 128x128.",
        xhuoapi_models('"dall-e-2": ((256, 256)', '"dall-e-2": ((128, 128), (256, 256)'),
    ),
    mutant(
        "xh-size-7-dall-e-3-without-1792",
        "XH-SIZE-7",
        "dall-e-3 draws no 1792x1024.",
        xhuoapi_models('"dall-e-3": ((1024, 1024), (1792, 1024)', '"dall-e-3": ((1024, 1024)'),
    ),
    mutant(
        "xh-resp-5-no-se",
        "XH-RESP-5",
        "A signed link has no se.",
        xhuoapi_wire('return {"se": expiry, "sig"', 'named.pop("se")\n    return {"sig"'),
    ),
    mutant(
        "xh-resp-5-no-sig",
        "XH-RESP-5",
        "A signed link has no sig.",
        xhuoapi_wire('"sig": b64encode(digest).decode(), **named}', "**named}"),
    ),
    mutant(
        "xh-task-2-ids-reversed",
        "XH-TASK-2",
        "A batch is in the reverse order of its ids.",
        xhuoapi_tasks("*(asked.ids or ())", "*(asked.ids or ())[::-1]"),
    ),
    mutant(
        "xh-task-2-trace-ids-reversed",
        "XH-TASK-2",
        "A batch is in the reverse order of its trace_ids.",
        xhuoapi_tasks("in asked.trace_ids or ()", "in (asked.trace_ids or ())[::-1]"),
    ),
    mutant(
        "xh-task-2-oldest-first",
        "XH-TASK-2",
        "A batch without ids is oldest first.",
        xhuoapi_tasks("store.tasks(own, EVERYTHING))[0]", "store.tasks(own, EVERYTHING))[0][::-1]"),
    ),
    mutant(
        "xh-task-2-min-excluded",
        "XH-TASK-2",
        "created_at_min itself is left out.",
        xhuoapi_tasks("earliest <= task.created", "earliest < task.created"),
    ),
    mutant(
        "xh-task-2-max-excluded",
        "XH-TASK-2",
        "created_at_max itself is left out.",
        xhuoapi_tasks("task.created <= latest", "task.created < latest"),
    ),
    *numbers("ic-n-1-up-to", "IC-N-1", "n is up to {}", icodeeasy_models, "MOST_IMAGES = {}", "10", "11"),
    *numbers("ic-n-1-from", "IC-N-1", "n is from {}", icodeeasy_models, "Field(ge={}, le=MOST", "1", "0", "2"),
    *numbers(
        "ic-res-1-1k-side",
        "IC-RES-1",
        "1k is {} squared",
        icodeeasy_models,
        '"1k": {} * 1024',
        "1024",
        "896",
        "1152",
    ),
    *numbers(
        "ic-res-1-2k-side",
        "IC-RES-1",
        "2k is 2048 times {}",
        icodeeasy_models,
        '"2k": {} * 2048',
        "2048",
        "1792",
        "2304",
    ),
    *numbers(
        "ic-res-1-multiple-of",
        "IC-RES-1",
        "Sides are multiples of {}",
        icodeeasy_models,
        "MULTIPLE = {}",
        "16",
        "8",
        "64",
    ),
    mutant(
        "ic-ref-1-names-counted-apart",
        "IC-REF-1",
        "image_urls and image_input may hold 16 references each.",
        icodeeasy_routes(
            "urls, uploads, models.MOST_REFERENCES", "urls, uploads, max(models.MOST_REFERENCES, len(urls))"
        ),
    ),
    mutant(
        "ic-lat-1-beyond-the-client",
        "IC-LAT-1",
        "Four pictures take longer than the 200 seconds that clients should wait.",
        icodeeasy_pricing('"further image": (10.0, 20.0)', '"further image": (60.0, 60.0)'),
    ),
    *numbers("ev-task-1-id-of", "EV-TASK-1", "An id ends in {} letters", evolink_wire, "draw.token({})", "8", "9"),
    *numbers(
        "ev-task-1-progress", "EV-TASK-1", "A submission has progress {}", evolink_wire, '"progress": {},', "0", "1"
    ),
    mutant(
        "ev-task-2-progress-100-too-early",
        "EV-TASK-2",
        "progress is 100 just before the end.",
        engine_tasks("int(98 * min", "int(100 * min"),
    ),
    *numbers(
        "ev-lat-1-pending-share",
        "EV-LAT-1",
        "A task is pending for {} of its time",
        engine_tasks,
        "PENDING_SHARE = {}",
        "0.05",
        "0.04",
        "0.06",
    ),
    *(
        mutant(
            f"ev-cb-4-waits-{first}-{second}",
            "EV-CB-4",
            f"The first retries come after {first} and {second} seconds.",
            callbacks("waits=(1.0, 2.0, 4.0)", f"waits=({first}, {second}, 4.0)"),
            slow=late,
        )
        for first, second, late in (
            ("0.998", "2.0", False),
            ("1.002", "2.0", True),
            ("1.0", "1.998", False),
            ("1.0", "2.002", True),
        )
    ),
)
