"""xhuoapi: wrong sizes, pixels and prices."""

from mutants.patching import mutant, patches_of

engine = patches_of("engine.sizes")
errors = patches_of("providers.xhuoapi.errors")
models = patches_of("providers.xhuoapi.models")
pricing = patches_of("providers.xhuoapi.pricing")
routes = patches_of("providers.xhuoapi.routes")
call = patches_of("http.body")

LIMITS = "UPSTREAM_LIMITS = Limits(multiple=16, long_side=3840, pixels=8_294_400)"
AS_AUTO = 'if self.size in (None, "", "auto"):'
GRAMMAR = 're.compile(r"([1-9][0-9]*)x([1-9][0-9]*)")'

MUTANTS = (
    mutant(
        "xh-size-1-empty-refused",
        "XH-SIZE-1",
        "An empty size is refused.",
        models(AS_AUTO, 'if self.size in (None, "auto"):'),
    ),
    mutant("xh-size-1-auto-refused", "XH-SIZE-1", "auto is refused.", models(AS_AUTO, 'if self.size in (None, ""):')),
    mutant(
        "xh-size-1-default-is-2k",
        "XH-SIZE-1 XH-PRICE-1",
        "Without a size the picture is a 2K one, at its price.",
        models("DEFAULT_SIZE: Pair = (1024, 1024)", "DEFAULT_SIZE: Pair = (2048, 2048)"),
    ),
    mutant(
        "xh-size-1-null-refused",
        "XH-SIZE-1",
        "A size of null is refused.",
        models("max_length=LONGEST_SIZE)] | None = None", 'max_length=LONGEST_SIZE)] = "auto"'),
        call("for name, item in value.items() if item is not None}", "for name, item in value.items()}"),
    ),
    mutant(
        "xh-size-2-star", "XH-SIZE-2", "1024*1024 is a size too.", engine(GRAMMAR, GRAMMAR.replace(")x(", ")[x*]("))
    ),
    mutant(
        "xh-size-2-capital-x",
        "XH-SIZE-2 XH-SIZE-5",
        "1024X1024 is a size too.",
        engine(GRAMMAR, GRAMMAR.replace(")x(", ")[xX](")),
    ),
    mutant(
        "xh-size-2-leading-zeros",
        "XH-SIZE-2 XH-SIZE-5",
        "01024x1024 is a size too.",
        engine(GRAMMAR, GRAMMAR.replace("[1-9][0-9]*", "[0-9]+", 1)),
    ),
    mutant(
        "xh-size-2-ratios-taken",
        "XH-SIZE-2",
        "A ratio is taken as the default size.",
        models(AS_AUTO, 'if self.size in (None, "", "auto", "1:1", "16:9"):'),
    ),
    mutant(
        "xh-size-2-not-an-error",
        "XH-SIZE-2",
        "A malformed size is drawn in the default size.",
        models(
            "        if pixels is None:\n            raise",
            "        if pixels is None:\n            return DEFAULT_SIZE\n            raise",
        ),
    ),
    mutant(
        "xh-size-3-multiples-of-8", "XH-SIZE-3", "Multiples of 8 will do.", models(LIMITS, LIMITS.replace("=16", "=8"))
    ),
    mutant(
        "xh-size-3-multiples-of-32",
        "XH-SIZE-3",
        "Only multiples of 32 will do.",
        models(LIMITS, LIMITS.replace("=16", "=32")),
    ),
    mutant(
        "xh-size-3-width-alone",
        "XH-SIZE-3",
        "The height may be any number.",
        engine("if width % self.multiple or height % self.multiple:", "if width % self.multiple:"),
    ),
    mutant(
        "xh-size-3-longer-by-a-step",
        "XH-SIZE-3",
        "A side of 3856 passes.",
        models(LIMITS, LIMITS.replace("3840", "3856")),
    ),
    mutant(
        "xh-size-3-shorter-by-a-step",
        "XH-SIZE-3",
        "A side of 3840 is refused.",
        models(LIMITS, LIMITS.replace("3840", "3839")),
    ),
    mutant(
        "xh-size-3-height-unlimited",
        "XH-SIZE-3",
        "The long side is looked for in the width alone.",
        engine("if max(width, height) > self.long_side:", "if width > self.long_side:"),
    ),
    mutant(
        "xh-size-3-pixels-less-one",
        "XH-SIZE-3",
        "8294400 pixels are refused.",
        models(LIMITS, LIMITS.replace("8_294_400", "8_294_399")),
    ),
    mutant(
        "xh-size-3-pixels-a-step-more",
        "XH-SIZE-3",
        "8297472 pixels, the next number that two sides can make, pass.",
        models(LIMITS, LIMITS.replace("8_294_400", "8_297_472")),
    ),
    mutant(
        "xh-size-3-minimum",
        "XH-SIZE-3",
        "There is a minimum of pixels.",
        engine("if width * height > self.pixels:", "if not 655_360 <= width * height <= self.pixels:"),
    ),
    mutant(
        "xh-size-3-ratio-limit",
        "XH-SIZE-3",
        "A side may be three times the other at most.",
        engine(
            "if max(width, height) > self.long_side:",
            "if max(width, height) > min(self.long_side, 3 * min(width, height)):",
        ),
    ),
    mutant(
        "xh-size-3-server-error",
        "XH-SIZE-3",
        "A size beyond the limits is a 500.",
        errors('Refusal(400, "bad_request"', 'Refusal(500, "bad_request"'),
    ),
    mutant(
        "xh-size-4-aliases-refused",
        "XH-SIZE-4",
        "The aliases are refused, for they are no multiples of 16.",
        models("return None if size in ALIASES.values() else UPSTREAM", "return UPSTREAM"),
    ),
    mutant(
        "xh-size-4-alias-at-the-high-price",
        "XH-SIZE-4 XH-PRICE-1",
        "An alias costs 1.5 times the standard price.",
        pricing("{(1254, 1254), (1672, 941), (941, 1672)}", "{(1254, 1254), (1672, 941)}"),
    ),
    mutant(
        "xh-size-5-limit-not-named",
        "XH-SIZE-5",
        "The refusal of 800x600 does not say why.",
        engine('f"size width and height must be multiples of {self.multiple}"', '"size is not supported"'),
    ),
    mutant(
        "xh-size-6-no-4k",
        "XH-SIZE-6 XH-SIZE-3",
        "The largest recommended sizes are refused.",
        models(LIMITS, LIMITS.replace("3840", "3264")),
    ),
    mutant(
        "xh-size-6-no-portrait",
        "XH-SIZE-6",
        "Sizes that are higher than wide are refused.",
        engine("if max(width, height) > self.long_side:", "if height > width or width > self.long_side:"),
    ),
    mutant(
        "xh-size-7-dall-e-2-without-256",
        "XH-SIZE-7",
        "dall-e-2 draws no 256x256.",
        models('"dall-e-2": ((256, 256), (512, 512)', '"dall-e-2": ((512, 512)'),
    ),
    mutant(
        "xh-size-7-dall-e-3-with-512",
        "XH-SIZE-7",
        "dall-e-3 draws 512x512.",
        models('"dall-e-3": ((1024, 1024)', '"dall-e-3": ((512, 512), (1024, 1024)'),
    ),
    mutant(
        "xh-size-9-refused-at-once",
        "XH-SIZE-9",
        "An async call with 800x600 is refused at submission.",
        routes("if broken and not at_once:", "if broken:"),
    ),
    mutant(
        "xh-price-1-factor-lower",
        "XH-PRICE-1",
        "Larger sizes cost 1.4 times as much.",
        pricing("(standard * 3 + 1) // 2", "standard * 14 // 10"),
    ),
    mutant(
        "xh-price-1-factor-higher",
        "XH-PRICE-1",
        "Larger sizes cost 1.6 times as much.",
        pricing("(standard * 3 + 1) // 2", "standard * 16 // 10"),
    ),
    mutant(
        "xh-price-1-one-price",
        "XH-PRICE-1",
        "Every size costs the same.",
        pricing("return standard if size in ONE_K else", "return standard if size else"),
    ),
    mutant(
        "xh-price-1-one-k-is-dear",
        "XH-PRICE-1 XH-SIZE-6",
        "1536x1024 costs 1.5 times as much.",
        pricing("{(1024, 1024), (1536, 1024), (1024, 1536)", "{(1024, 1024), (1024, 1536)"),
    ),
    mutant(
        "xh-price-1-small-is-cheap",
        "XH-PRICE-1",
        "Sizes of fewer pixels than 1024x1024 have the standard price.",
        pricing("standard if size in ONE_K", "standard if size in ONE_K or size[0] * size[1] < 1024 * 1024"),
    ),
    mutant(
        "xh-price-1-standard-higher",
        "XH-PRICE-1 XH-PRICE-3",
        "gpt-image-2 costs 0.21.",
        pricing('"gpt-image-2": "0.2"', '"gpt-image-2": "0.21"'),
    ),
    mutant("xh-price-2-nano-higher", "XH-PRICE-2", "nano-banana costs 0.15.", pricing('"0.14"', '"0.15"')),
    mutant("xh-price-2-nano-lower", "XH-PRICE-2", "nano-banana costs 0.13.", pricing('"0.14"', '"0.13"')),
    mutant("xh-price-2-nano-2-higher", "XH-PRICE-2", "nano-banana-2 costs 0.29.", pricing('"0.28"', '"0.29"')),
    mutant("xh-price-2-pro-lower", "XH-PRICE-2", "nano-banana-pro costs 0.34.", pricing('"0.35"', '"0.34"')),
    mutant(
        "xh-price-3-hd-large-lower",
        "XH-PRICE-3",
        "dall-e-3 in hd and large costs no more than in standard and large.",
        pricing('"dall-e-3/hd/large": "0.6"', '"dall-e-3/hd/large": "0.4"'),
    ),
    mutant("xh-price-3-gpt-image-1-5-lower", "XH-PRICE-3", "gpt-image-1.5 costs 0.5.", pricing('"0.55"', '"0.5"')),
    mutant(
        "xh-out-1-ratio-lost",
        "XH-OUT-1",
        "A 16:9 picture comes as a square.",
        models("(1792, 1024): (1672, 941),", "(1792, 1024): (1254, 1254),"),
    ),
    mutant(
        "xh-out-1-another-size",
        "XH-OUT-1",
        "1024x1024 comes as 1280x1280, which is no alias.",
        models(
            "return size if exact else ALIASES.get(size, size)", "return (1280, 1280) if size == DEFAULT_SIZE else size"
        ),
    ),
    mutant(
        "xh-out-1-half-of-4k",
        "XH-OUT-1",
        "Larger pictures come in half the size.",
        models("ALIASES.get(size, size)", "ALIASES.get(size, (size[0] // 2, size[1] // 2))"),
    ),
    mutant(
        "xh-nano-2-no-9-16",
        "XH-NANO-2",
        "nano-banana draws 1024x1792 as a square.",
        models('"16:9", "1024x1792": "9:16"}', '"16:9"}'),
    ),
    mutant(
        "xh-nano-2-turned",
        "XH-NANO-2",
        "nano-banana draws 1792x1024 in portrait.",
        models('{"1792x1024": "16:9",', '{"1792x1024": "9:16",'),
    ),
    mutant(
        "xh-nano-2-ratios-understood",
        "XH-NANO-2",
        "nano-banana understands 16:9, which is to be 1:1.",
        models('{"1792x1024": "16:9",', '{"16:9": "16:9", "1792x1024": "16:9",'),
    ),
    mutant(
        "xh-nano-2-unknown-refused",
        "XH-NANO-2",
        "nano-banana refuses a size that is no pair of numbers.",
        models(
            '        aspect = NANO_ASPECTS.get(self.size, "1:1") if',
            "        if isinstance(self.size, str) and parse_pixels(self.size) is None:\n"
            '            raise Problem(Kind.INVALID_PARAMETER, "size", field="size")\n'
            '        aspect = NANO_ASPECTS.get(self.size, "1:1") if',
        ),
    ),
)
