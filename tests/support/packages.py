"""Fakes installed packages: writes their metadata to a folder of `sys.path`."""

import tomllib
from collections.abc import Mapping
from pathlib import Path


def write_metadata(folder: Path, name: str, version: str, providers: Mapping[str, str]) -> None:
    """Make a package count as installed, with these entry points in the group of providers."""
    home = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    home.mkdir(parents=True)
    (home / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"{entry} = {value}" for entry, value in providers.items()]
    (home / "entry_points.txt").write_text("\n".join(["[mockserver.providers]", *lines, ""]))


def metadata_of_project(folder: Path, project: Path) -> None:
    """The same, as the pyproject.toml of `project` says."""
    said = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    write_metadata(folder, said["name"], said["version"], said["entry-points"]["mockserver.providers"])
