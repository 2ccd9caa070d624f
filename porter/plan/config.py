"""A model's config.json: a file, a folder, or a row of the built-in table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from porter.errors import PorterError
from porter.table import Table
from porter.toml import read_toml

_MODELS = Path(__file__).with_name("models")
_INDEX = "model.safetensors.index.json"
#: Keys of a multimodal model that stand beside ``text_config`` and are about it too.
_SHARED = ("architectures", "torch_dtype", "dtype", "tie_word_embeddings", "quantization_config")


@dataclass(frozen=True)
class Model:
    """``config`` is that of the language model; ``raw`` is the whole of config.json.

    ``checkpoint_bytes`` is what the checkpoint's own index says, None where there is none.
    ``parameters`` is the published number of a well-known model, ``other_parameters`` how many
    of them are no part of the language model, such as a vision tower. ``has_more`` says that
    there is such a part.
    """

    name: str
    source: str
    config: Mapping[str, Any]
    raw: Mapping[str, Any]
    checkpoint_bytes: int | None = None
    parameters: int | None = None
    other_parameters: int = 0
    has_more: bool = False

    def table(self, names: Mapping[str, str], defaults: Mapping[str, Any]) -> Table:
        """The config with the usual names; a key that is null is as good as not there.

        A default is for a key that is left out, and not for one that is null.
        """
        usual = {names.get(key, key): value for key, value in self.config.items()}
        filled = {**defaults, **usual}
        return Table({k: v for k, v in filled.items() if v is not None}, self.source)


def find_model(name: str) -> Model:
    """The model that ``name`` means: a path that exists, or the name of a well-known model.

    Raises PorterError where there is none, or its config.json cannot be read.
    """
    path = Path(name)
    if path.is_dir():
        return _of_folder(path)
    if path.is_file():
        return _of_file(path, name)
    if path.suffix == ".json" or name.startswith((".", "/", "~")):
        raise PorterError(f"{name}: there is no such file; give a config.json or its folder")
    found = _by_name().get(name.lower())
    if found is None:
        raise PorterError(f"{name}: {_unknown(name)}")
    return found


def known_models() -> tuple[Model, ...]:
    """The built-in table, each model once."""
    return tuple(model for model, _ in _rows())


@cache
def _by_name() -> dict[str, Model]:
    """By each name, with its owner and without; a model has the name that it is found by."""
    full = {name.lower(): replace(model, name=name) for model, names in _rows() for name in names}
    return {**{name.rpartition("/")[2]: model for name, model in full.items()}, **full}


@cache
def _rows() -> tuple[tuple[Model, tuple[str, ...]], ...]:
    return tuple(_read_rows())


def _read_rows() -> Iterator[tuple[Model, tuple[str, ...]]]:
    for file in sorted(_MODELS.glob("*.toml")):
        for row in Table(read_toml(file), file.name).only("model").rows("model"):
            row.only(
                "name", "aliases", "source", "parameters", "other_parameters", "null", "config"
            )
            raw = {**row.table("config").free(), **dict.fromkeys(row.texts("null"))}
            model = _model(
                row.text("name"),
                row.text("source"),
                raw,
                parameters=row.number("parameters") if row.has("parameters") else None,
                other=row.number("other_parameters") if row.has("other_parameters") else 0,
            )
            yield model, (model.name, *row.texts("aliases"))


def _of_folder(folder: Path) -> Model:
    file = folder / "config.json"
    if not file.is_file():
        raise PorterError(f"{folder}: has no config.json; give the folder of a model")
    return _of_file(file, str(folder))


def _of_file(file: Path, name: str) -> Model:
    index = file.with_name(_INDEX)
    size = None
    if index.is_file():
        metadata = Table(_read(index), str(index)).table("metadata")
        size = int(metadata.limit("total_size"))
    return _model(name, str(file), _read(file), checkpoint_bytes=size)


def _read(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise PorterError(f"{file}: not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise PorterError(f"{file}: must be a table of keys, as a model's config.json is")
    return value


def _model(
    name: str,
    source: str,
    raw: Mapping[str, Any],
    *,
    checkpoint_bytes: int | None = None,
    parameters: int | None = None,
    other: int = 0,
) -> Model:
    text = raw.get("text_config")
    inner = text if isinstance(text, Mapping) else raw
    config = {**{key: raw[key] for key in _SHARED if key in raw}, **inner}
    return Model(
        name=name,
        source=source,
        config=config,
        raw=raw,
        checkpoint_bytes=checkpoint_bytes,
        parameters=parameters,
        other_parameters=other,
        has_more="vision_config" in raw or "audio_config" in raw,
    )


def _unknown(name: str) -> str:
    full = [known for _, names in _rows() for known in names]
    spelled = {known.lower(): known for known in full}
    spelled.update({known.rpartition("/")[2].lower(): known for known in full})
    close = [spelled[match] for match in get_close_matches(name.lower(), spelled, 6, 0.5)]
    near = ", ".join(list(dict.fromkeys(close))[:3])
    hint = f"did you mean {near}?" if near else "porter plan --list shows those that it knows"
    return f"no model that porter knows, nor a config.json; {hint}"
