"""Run in a process of its own: prints, as JSON, what the shim has of the names it is asked for.

Standard input is the table of names and signatures. The answer maps the names that exist to
what they are, in the table's words, and lists what is public in the modules of the table.
"""

import inspect
import json
import sys
from importlib import import_module

import porter.emulator

porter.emulator.install()

import habana_frameworks.torch  # noqa: E402
import torch  # noqa: E402

TOPS = {"torch": torch, "habana_frameworks": habana_frameworks}


def find(dotted):
    top, *rest = dotted.split(".")
    found, name = TOPS[top], top
    for part in rest:
        name = f"{name}.{part}"
        if not hasattr(found, part) and inspect.ismodule(found):
            import_module(name)
        found = getattr(found, part)
    return found


def signature(owner, name, expected):
    value = getattr(owner, name)
    if expected == "class":
        return "class" if inspect.isclass(value) else "no class"
    if inspect.ismodule(value):
        return "module"
    if not callable(value):
        return "attribute"
    try:
        parameters = list(inspect.signature(value).parameters.values())
    except ValueError:
        return "native"
    if inspect.isclass(owner) and not isinstance(vars(owner).get(name), staticmethod):
        parameters = parameters[1:]
    bare = inspect.Signature([plain(parameter) for parameter in parameters])
    return str(bare).replace("Ellipsis", "...")


def plain(parameter):
    default = parameter.default
    if default is not inspect.Parameter.empty and not isinstance(
        default, (type(None), bool, int, float, str, tuple)
    ):
        default = ...
    return parameter.replace(annotation=inspect.Parameter.empty, default=default)


def public(module):
    for name, value in vars(module).items():
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("habana"):
            yield f"{module.__name__}.{name}"


surface = {}
table = json.load(sys.stdin)
for dotted, expected in table.items():
    owner, _, name = dotted.rpartition(".")
    try:
        value = find(dotted)
        surface[dotted] = signature(find(owner), name, expected) if owner else "module"
    except (ImportError, AttributeError):
        continue
modules = [find(name) for name, found in surface.items() if found == "module"]
names = sorted({name for module in modules for name in public(module)})
print(json.dumps({"surface": surface, "public": names}))
