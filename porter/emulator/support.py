"""The ops that Gaudi's bridge lists, with their dtypes where it names them."""

from __future__ import annotations

from pathlib import Path

from porter.toml import read_toml

_TABLE = Path(__file__).with_name("supported.toml")


def listed_ops() -> dict[str, list[str]]:
    """Names of torch's scalar types by op with overload; an empty list: the bridge doesn't say."""
    table = read_toml(_TABLE)
    listed: dict[str, list[str]] = {op: [] for op in table["ops"]}
    for group in table["dtypes"]:
        listed.update(dict.fromkeys(group["ops"], group["dtypes"]))
    return listed
