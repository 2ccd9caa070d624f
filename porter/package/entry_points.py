"""The text of ``entry_points.txt``."""

from __future__ import annotations

import io
from collections.abc import Mapping
from configparser import ConfigParser, Error

from porter.errors import PorterError
from porter.table import Table

#: Names and what they point to, by group.
EntryPoints = Mapping[str, Mapping[str, str]]


def from_project(project: Table) -> EntryPoints:
    """The entry points that the table ``[project]`` of a pyproject.toml declares."""
    groups = {
        "console_scripts": project.table("scripts"),
        "gui_scripts": project.table("gui-scripts"),
        **project.table("entry-points").tables(),
    }
    declared = {group: names.strings() for group, names in groups.items()}
    return {group: names for group, names in declared.items() if names}


def parse(text: str) -> ConfigParser:
    """Raises configparser.Error where ``text`` is malformed."""
    parser = ConfigParser(delimiters="=", interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def merge(text: str, added: EntryPoints) -> str:
    """``text`` with entry points added, or ``text`` itself where there are none to add.

    Raises PorterError where there are some and ``text`` cannot be parsed.
    """
    if not added:
        return text
    try:
        parser = parse(text)
    except Error as error:
        reason = str(error).splitlines()[0]
        raise PorterError(f"entry_points.txt of the release cannot be read: {reason}") from error
    parser.read_dict(added)
    merged = io.StringIO()
    parser.write(merged)
    return merged.getvalue().strip() + "\n"
