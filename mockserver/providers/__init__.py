"""The emulated services, one folder each; `base.discover` finds them."""
