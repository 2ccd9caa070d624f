"""Which parameter does a positional argument fill? Known for the functions of a module."""

from __future__ import annotations

import ast
from functools import cached_property

from porter.scan.module import Module


class Signatures:
    def __init__(self, module: Module) -> None:
        self._module = module

    def parameter(self, call: ast.Call, index: int) -> str | None:
        """The parameter behind argument ``index`` of a call to a function of this module."""
        match call.func:
            case ast.Name(id=name):
                bound = 0
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                bound = 1
            case _:
                return None
        parameters = self._parameters.get(name, [])
        if parameters[:1] in (["self"], ["cls"]):
            bound = 1
        position = index + bound
        return parameters[position] if position < len(parameters) else None

    @cached_property
    def _parameters(self) -> dict[str, list[str]]:
        """Parameter names by function; a class has those of its constructor."""
        found: dict[str, list[str]] = {}
        for node in self._module.functions:
            name, owner = node.name, self._module.parents[node]
            if name == "__init__" and isinstance(owner, ast.ClassDef):
                name = owner.name
            every = [*node.args.posonlyargs, *node.args.args]
            found[name] = [parameter.arg for parameter in every]
        return found
