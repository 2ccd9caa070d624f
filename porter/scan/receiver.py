"""Who receives a string such as ``"cuda"``? That decides whether it names a torch device."""

from __future__ import annotations

import ast
import re
from enum import Enum

from porter.scan.choices import stands_beside
from porter.scan.module import Module, last_name
from porter.scan.resolve import Resolver
from porter.scan.scopes import Scope
from porter.scan.signatures import Signatures
from porter.scan.vocabulary import BACKENDS, Vocabulary

_SPLITTERS = frozenset({"split", "rsplit", "partition", "lower", "upper", "strip", "get", "pop"})
_PREFIX_TESTS = frozenset({"startswith", "endswith", "__eq__", "count", "find", "index"})
_FIELDS = frozenset({"field", "Field"})
_FOREIGN_TORCH = ("torch.library", "torch.ops", "torch._C")
_DEVICE_TAKERS = re.compile(r"\w*(autocast|precision_scope)")
_BACKEND_TAKERS = ("torch.distributed.", "torch.cuda.")
_BACKEND_FUNCTIONS = frozenset({"init_distributed", "init_process_group", "new_group"})
_MESSAGE_TAKER = re.compile(
    r"print|debug|info|warn(ing)?|error|exception|critical|log|write|open|add_\w+"
    r"|\w*(Error|Exception|Warning)"
)
_FOREIGN_LIBRARIES = frozenset(
    {"cudf", "cuml", "cupy", "faster_whisper", "jax", "lightgbm", "mxnet", "numba"}
    | {"onnxruntime", "paddle", "ray", "tensorflow", "warp", "xgboost"}
)
_PLACEHOLDER = re.compile(r"cuda:(%[ds]|\{\w*\})")


class Receiver(Enum):
    DEVICE = "device"  # takes a device: replace
    LIST = "list"  # a list of accepted devices: extend
    COVERED = "covered"  # hpu stands beside it already: leave alone
    FOREIGN = "foreign"  # somebody else's API: report


class ReceiverFinder:
    """Classifies the strings of one module."""

    def __init__(self, module: Module, resolver: Resolver, vocabulary: Vocabulary) -> None:
        self._module = module
        self._resolver = resolver
        self._words = vocabulary
        self._signatures = Signatures(module)
        self._variables: dict[tuple[int, str], bool] = {}

    def expression(self, node: ast.expr) -> ast.expr:
        """All that builds the string: ``"cuda:" + str(i)``, ``"cuda:{}".format(i)``."""
        parent = self._module.parents[node]
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, (ast.Add, ast.Mod)):
            if parent.left is node:
                return self.expression(parent)
        elif isinstance(parent, ast.Attribute) and parent.attr == "format":
            call = self._module.parents[parent]
            if isinstance(call, ast.Call) and call.func is parent:
                return call
        return node

    def receiver_of_built(self, literal: ast.expr, whole: ast.expr) -> Receiver:
        """The receiver of ``f"cuda:{rank}"`` and its like, built by ``whole`` around ``literal``.

        A string of exactly that shape is a device wherever a value is wanted; only
        a message, a key or a keyword of another name makes it something else.
        """
        if not _has_device_shape(literal, whole):
            return Receiver.FOREIGN
        found = self.receiver(whole)
        if found is not Receiver.FOREIGN:
            return found
        parent = self._module.parents[whole]
        takes_value = isinstance(parent, (ast.Return, ast.Assign)) or (
            isinstance(parent, ast.Call)
            and whole in parent.args
            and not _MESSAGE_TAKER.fullmatch(last_name(parent.func))
        )
        return Receiver.DEVICE if takes_value else Receiver.FOREIGN

    def receiver(self, node: ast.expr) -> Receiver:
        """Who takes the value of ``node``, looking through ``a if c else b`` and ``or``."""
        parent = self._module.parents[node]
        match parent:
            case ast.IfExp() if node is not parent.test:
                if self._is_availability_test(parent.test):
                    return Receiver.DEVICE
                return self.receiver(parent)
            case ast.BoolOp():
                return self.receiver(parent)
            case ast.NamedExpr():
                return self._of_target(parent.target) or self.receiver(parent)
            case ast.keyword():
                return self._of_keyword(parent)
            case ast.Call():
                return self._of_argument(parent, node)
            case ast.Compare():
                return self._of_comparison(parent, node)
            case ast.MatchValue():
                return self._of_pattern(parent)
            case ast.arguments():
                return self._of_default(parent, node)
            case ast.Assign():
                found = (self._of_target(target) for target in parent.targets)
                return next(filter(None, found), Receiver.FOREIGN)
            case ast.AnnAssign():
                return self._of_target(parent.target) or Receiver.FOREIGN
            case ast.Return() | ast.Yield():
                return self._of_return(parent)
            case ast.Dict():
                return self._of_entry(parent, node)
            case ast.List() | ast.Tuple() | ast.Set():
                return self._of_element(parent)
            case _:
                return Receiver.FOREIGN

    def names_device(self, node: ast.AST) -> bool:
        """Whether an expression holds a device, judged by its name, its use or its shape."""
        match node:
            case ast.Name():
                return self._is_named(node.id) or self._is_variable(node)
            case ast.Attribute():
                return node.attr == "type" or self._is_named(node.attr)
            case ast.Subscript(slice=ast.Constant(value=str() as key)):
                return self._is_named(key)
            case ast.Subscript():
                return self.names_device(node.value)
            case ast.NamedExpr():
                return self.names_device(node.target) or self.names_device(node.value)
            case ast.Call(func=ast.Name(id="str" | "repr" | "type"), args=[argument]):
                return self.names_device(argument)
            case ast.Call(func=ast.Attribute(value=value, attr=attribute)):
                if attribute in _SPLITTERS and self.names_device(value):
                    return True
                if attribute in ("get", "pop") and node.args:
                    return self._of_key(node.args[0]) is Receiver.DEVICE
                return self._is_named(attribute)
            case ast.Call(func=ast.Name(id="getattr"), args=[_, name, *_]):
                return self._of_key(name) is Receiver.DEVICE
            case ast.Call(func=ast.Name(id=function)):
                return self._is_named(function)
            case _:
                return False

    def _is_named(self, name: str) -> bool:
        return bool(self._words.name.search(name))

    def _of_keyword(self, keyword: ast.keyword) -> Receiver:
        call = self._module.parents[keyword]
        if isinstance(call, ast.Call) and self._is_foreign(call.func):
            return Receiver.FOREIGN
        if keyword.arg is not None and self._is_named(keyword.arg):
            return Receiver.DEVICE
        if isinstance(call, ast.Call) and keyword.arg in ("type", "default", "const"):
            if self._takes(call.func):
                return Receiver.DEVICE
            if keyword.arg != "type" and self._declares_option(call):
                return Receiver.DEVICE
            if keyword.arg == "default" and last_name(call.func) in _FIELDS:
                return self.receiver(call)
        return Receiver.FOREIGN

    def _is_foreign(self, function: ast.expr) -> bool:
        """Whether a callee belongs to a library with devices of its own."""
        name = self._resolver.dotted(function) or ""
        return name.partition(".")[0] in _FOREIGN_LIBRARIES or name.startswith(_FOREIGN_TORCH)

    def _declares_option(self, call: ast.Call) -> bool:
        """``add_argument("--device", default="cuda")`` and its like."""
        return any(
            isinstance(argument, ast.Constant)
            and isinstance(argument.value, str)
            and self._is_named(argument.value.replace("-", "_"))
            for argument in call.args
        )

    def _of_argument(self, call: ast.Call, node: ast.expr) -> Receiver:
        if node is call.func or node not in call.args or self._is_foreign(call.func):
            return Receiver.FOREIGN
        if last_name(call.func) in _FIELDS:
            return self.receiver(call)
        if self._takes(call.func):
            return Receiver.DEVICE
        if isinstance(call.func, ast.Attribute):
            if call.func.attr in _PREFIX_TESTS and self.names_device(call.func.value):
                return Receiver.DEVICE
            if call.func.attr in ("get", "pop", "setdefault") and node is not call.args[0]:
                return self._of_key(call.args[0])
        if isinstance(call.func, ast.Name) and call.func.id in ("getattr", "setattr"):
            return self._of_key(call.args[1]) if node in call.args[2:] else Receiver.FOREIGN
        parameter = self._signatures.parameter(call, call.args.index(node))
        if parameter is not None and self._is_named(parameter):
            return Receiver.DEVICE
        return Receiver.FOREIGN

    def _takes(self, function: ast.expr) -> bool:
        """Whether a callee is known to take a device (a backend) by position."""
        if self._words is BACKENDS:
            name = self._resolver.dotted(function)
            known = name is not None and name.startswith(_BACKEND_TAKERS)
            return known or last_name(function) in _BACKEND_FUNCTIONS
        if isinstance(function, ast.Attribute) and function.attr == "to":
            return True
        if _DEVICE_TAKERS.fullmatch(last_name(function)):
            return True
        return any(name.startswith("torch.") for name in self._resolver.candidates(function))

    def _of_comparison(self, node: ast.Compare, literal: ast.expr) -> Receiver:
        operands = [node.left, *node.comparators]
        position = operands.index(literal)
        others = [other for other in operands if other is not literal]
        if stands_beside(self._module, node, self._words):
            return Receiver.COVERED
        operator = node.ops[max(position - 1, 0)]
        if isinstance(operator, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)):
            if any(self.names_device(other) or self._is_word(other) for other in others):
                return Receiver.DEVICE
        elif position == 0 and any(self.names_device(other) for other in others):
            return Receiver.DEVICE
        return Receiver.FOREIGN

    def _is_word(self, node: ast.AST) -> bool:
        return self._words.is_word(node)

    def _of_pattern(self, pattern: ast.MatchValue) -> Receiver:
        case = next(
            above for above in self._module.ancestors(pattern) if isinstance(above, ast.match_case)
        )
        match = self._module.parents[case]
        assert isinstance(match, ast.Match)
        values = [
            value.value
            for other in match.cases
            for value in ast.walk(other.pattern)
            if isinstance(value, ast.MatchValue)
        ]
        if any(self._words.is_ours(value) for value in values):
            return Receiver.COVERED
        others = [value for value in values if value is not pattern.value]
        if self.names_device(match.subject) or any(self._is_word(value) for value in others):
            return Receiver.DEVICE
        return Receiver.FOREIGN

    def _of_default(self, arguments: ast.arguments, node: ast.expr) -> Receiver:
        positional = [*arguments.posonlyargs, *arguments.args]
        pairs = list(zip(reversed(positional), reversed(arguments.defaults), strict=False)) + list(
            zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        )
        parameter = next(parameter for parameter, default in pairs if default is node)
        if self._is_named(parameter.arg):
            return Receiver.DEVICE
        owner = self._module.parents[arguments]
        body = self._module.scope(owner.body[0]) if isinstance(owner, _FUNCTIONS) else None
        if body is not None and self._flows_to_device(parameter.arg, body):
            return Receiver.DEVICE
        return Receiver.FOREIGN

    def _of_target(self, target: ast.expr) -> Receiver | None:
        named = self.names_device(target) and not (
            isinstance(target, ast.Attribute) and target.attr == "type"
        )
        return Receiver.DEVICE if named else None

    def _of_return(self, node: ast.AST) -> Receiver:
        function = self._module.function(node)
        if function is None:
            return Receiver.FOREIGN
        returns = function.returns
        named = self._is_named(function.name)
        typed = returns is not None and self._resolver.dotted(returns) == "torch.device"
        return Receiver.DEVICE if named or typed else Receiver.FOREIGN

    def _of_entry(self, table: ast.Dict, node: ast.expr) -> Receiver:
        if self.receiver(table) is Receiver.DEVICE:
            return Receiver.DEVICE
        if node in table.keys:
            ours = any(key is not None and self._words.is_ours(key) for key in table.keys)
            return Receiver.COVERED if ours else Receiver.FOREIGN
        return self._of_key(table.keys[table.values.index(node)])

    def _of_key(self, key: ast.expr | None) -> Receiver:
        named = isinstance(key, ast.Constant) and self._is_named(str(key.value))
        return Receiver.DEVICE if named else Receiver.FOREIGN

    def _of_element(self, sequence: ast.List | ast.Tuple | ast.Set) -> Receiver:
        """An element of ``in (…)``, ``choices=[…]``, ``Literal[…]`` or of a loop's list."""
        if any(self._words.is_ours(element) for element in sequence.elts):
            return Receiver.COVERED
        parent = self._module.parents[sequence]
        match parent:
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()]) if sequence is not left:
                if not (self.names_device(left) or self._all_words(sequence)):
                    return Receiver.FOREIGN
                return Receiver.LIST if len(sequence.elts) > 1 else Receiver.DEVICE
            case ast.keyword(arg="choices"):
                return Receiver.LIST if self._all_words(sequence) else Receiver.FOREIGN
            case ast.Subscript(value=value) if self._resolver.dotted(value) in _LITERALS:
                return Receiver.LIST if self._all_words(sequence) else Receiver.FOREIGN
            case ast.For() | ast.comprehension():
                return Receiver.DEVICE if self._all_words(sequence) else Receiver.FOREIGN
            case ast.Call(func=ast.Attribute(attr="parametrize")):
                return Receiver.DEVICE if self._all_words(sequence) else Receiver.FOREIGN
            case ast.Call(func=ast.Attribute(value=value, attr=attribute)):
                tests = attribute in _PREFIX_TESTS and self.names_device(value)
                return Receiver.LIST if tests else Receiver.FOREIGN
            case (
                ast.Assign(targets=[ast.Name() as target])
                | ast.AnnAssign(target=ast.Name() as target)
            ):
                accepts = self._is_named(target.id) and self._is_only_compared_with(target)
                return Receiver.LIST if accepts else Receiver.FOREIGN
            case _:
                return Receiver.FOREIGN

    def _is_only_compared_with(self, target: ast.Name) -> bool:
        """Whether a list of devices says what is accepted, and is not worked through."""
        loads = self._module.loads(target.id).get(self._module.scope(target), ())
        return all(isinstance(self._module.parents[load], ast.Compare) for load in loads)

    def _all_words(self, sequence: ast.List | ast.Tuple | ast.Set) -> bool:
        return all(
            self._is_word(element) or (isinstance(element, ast.Constant) and element.value is None)
            for element in sequence.elts
        )

    def _is_availability_test(self, test: ast.expr) -> bool:
        return any(
            isinstance(node, ast.Call)
            and self._resolver.dotted(node.func)
            in ("torch.cuda.is_available", "torch.hpu.is_available")
            for node in ast.walk(test)
        )

    def _is_variable(self, node: ast.Name) -> bool:
        owner = self._module.owner(node.id, self._module.scope(node))
        return owner is not None and self._flows_to_device(node.id, owner)

    def _flows_to_device(self, name: str, scope: Scope) -> bool:
        """Whether some load of a variable is received as a device."""
        key = (id(scope), name)
        if key not in self._variables:
            self._variables[key] = False
            self._variables[key] = any(
                self._is_used_as_device(load) for load in self._module.loads(name).get(scope, ())
            )
        return self._variables[key]

    def _is_used_as_device(self, load: ast.Name) -> bool:
        parent = self._module.parents[load]
        if isinstance(parent, ast.Compare):
            others = [parent.left, *parent.comparators]
            return any(self._is_word(other) or self._holds_words(other) for other in others)
        if isinstance(parent, ast.Match):
            patterns = (value for case in parent.cases for value in ast.walk(case.pattern))
            return any(
                isinstance(value, ast.MatchValue) and self._is_word(value.value)
                for value in patterns
            )
        return self.receiver(load) is Receiver.DEVICE

    def _holds_words(self, node: ast.expr) -> bool:
        return isinstance(node, (ast.List, ast.Tuple, ast.Set)) and self._all_words(node)


def _has_device_shape(literal: ast.expr, whole: ast.expr) -> bool:
    """``cuda:`` and one value, and nothing behind it."""
    match whole:
        case ast.JoinedStr(values=[ast.Constant(value="cuda:"), ast.FormattedValue()]):
            return True
        case ast.BinOp(op=ast.Add(), left=left):
            return left is literal
        case ast.BinOp(op=ast.Mod()) | ast.Call():
            text = literal.value if isinstance(literal, ast.Constant) else ""
            return bool(_PLACEHOLDER.fullmatch(str(text)))
        case _:
            return False


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LITERALS = frozenset({"typing.Literal", "typing_extensions.Literal"})
