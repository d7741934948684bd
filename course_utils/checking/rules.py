"""Rules about an answer's text: what may not be used where the exercise is to write it.

A rule reads the definition of the answer and of everything it uses from other cells, on the trusted side. It complements
`student.without`, which refuses at run time whatever the text hides.
"""

import ast
import fnmatch
import re
from collections.abc import Sequence
from functools import cached_property, lru_cache

from course_utils.checking.cells import statements
from course_utils.checking.failures import Forbidden, NotAnswered
from course_utils.checking.handles import student

# Ways around `forbid` and `without`: the reference itself, operators by another name, compiled copies, which hold no name.
ALWAYS = ["course_utils.models*", "torch._VF*", "torch._C*", "torch.ops*"]
ALWAYS += ["torch.jit.load", "torch.jit.trace*", "torch.export*", "torch.fx*", "torch.package*"]
REFUSED_ALWAYS = re.compile("|".join(map(fnmatch.translate, ALWAYS)))


def forbid(name: str, *patterns: str, why: str) -> None:
    """Fail if the definition of `name`, or a definition that it uses, mentions one of `patterns`.

    Args:
        name: a function, class or variable of the notebook.
        patterns: dotted names with wildcards, as imported: `torch.nn.RNN*`, `numpy.linalg.*`.
        why: what the student reads.

    Raises:
        Forbidden: with `why` and the name that was found.
        NotAnswered: the notebook does not define `name`.
    """
    found = mentioned(name, student.cells())
    refused = re.compile("|".join(map(fnmatch.translate, patterns)) or r"(?!)")
    for dotted, by in sorted(found.items()):
        if refused.match(dotted) or REFUSED_ALWAYS.match(dotted):
            through = (
                "" if len(by) == 1 else ": " + ", which uses ".join(f"`{name}`" for name in [*by, dotted])
            )
            raise Forbidden(f"{why} (found `{dotted}`{through})")


def mentioned(name: str, cells: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Dotted names, with imports resolved, that the definition of `name` uses directly or through other definitions.

    Args:
        cells: the notebook's code cells in order; a later definition replaces an earlier one.

    Returns:
        Name → the definitions that lead to it, `name` first.
    """
    definitions, imports = _collect(cells)
    if name not in definitions:
        raise NotAnswered(f"`{name}` is not defined yet: run the cell that defines it")
    found: dict[str, tuple[str, ...]] = {}
    todo: list[tuple[str, ...]] = [(name,)]
    done: set[str] = set()
    while todo:
        way = todo.pop()
        current = way[-1]
        if current in done:
            continue
        done.add(current)
        for statement in definitions.get(current, []):
            local_imports = imports | dict(statement.imports)
            for dotted in statement.dotted:
                head, _, rest = dotted.partition(".")
                if head not in statement.free and (head in imports or head not in local_imports):
                    continue  # a variable that only happens to be called as something of the notebook is
                if head in local_imports:
                    found.setdefault(local_imports[head] + ("." + rest if rest else ""), way)
                elif head in definitions:
                    todo.append((*way, head))
            for _, path in statement.imports:
                found.setdefault(path, way)
    return found


class _Statement:
    """A top-level statement of a cell, and what a rule asks of it, found once."""

    def __init__(self, node: ast.stmt):
        self.node = node

    @cached_property
    def parts(self) -> list[ast.AST]:
        return list(ast.walk(self.node))

    @cached_property
    def bound(self) -> list[str]:
        """Names that it defines or changes (`f = ...`, `Cell.forward = ...`, definitions in an `if`)."""
        if isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return [self.node.name]
        return _bound(self.parts)

    @cached_property
    def free(self) -> set[str]:
        return _free_names(self.node, frozenset())

    @cached_property
    def dotted(self) -> set[str]:
        """Every dotted chain in it; `getattr(nn, "LS" + "TM")` counts as `nn.LSTM` where the text is constant."""
        chains = (ast.Name, ast.Attribute, ast.Call)
        return {_dotted(part) for part in self.parts if isinstance(part, chains)} - {""}

    @cached_property
    def imports(self) -> list[tuple[str, str]]:
        """Alias and path of every import in it."""
        return [item for part in self.parts for item in _imports(part).items()]


def _collect(cells: Sequence[str]) -> tuple[dict[str, list[_Statement]], dict[str, str]]:
    definitions: dict[str, list[_Statement]] = {}
    imports: dict[str, str] = {}
    for cell in cells:
        for statement in _statements(cell):
            imports.update(_imports(statement.node))
            for name in statement.bound:
                replaces = isinstance(statement.node, ast.FunctionDef | ast.ClassDef)
                definitions[name] = [statement] if replaces else [*definitions.get(name, []), statement]
    return definitions, imports


@lru_cache(maxsize=512)  # each rule of a notebook reads the same cells
def _statements(cell: str) -> list[_Statement]:
    """A cell's top-level statements."""
    return [_Statement(node) for node in statements(cell)]


def _bound(parts: list[ast.AST]) -> list[str]:
    names = []
    comprehensions = [part for part in parts if isinstance(part, ast.comprehension)]
    own = {id(part) for comprehension in comprehensions for part in ast.walk(comprehension.target)}
    for part in parts:
        if id(part) in own:
            continue  # a variable of a comprehension, unknown outside it
        if isinstance(part, ast.FunctionDef | ast.ClassDef):
            names.append(part.name)
        elif isinstance(part, ast.Name | ast.Attribute) and isinstance(part.ctx, ast.Store):
            base: ast.expr = part
            while isinstance(base, ast.Attribute | ast.Subscript):
                base = base.value
            if isinstance(base, ast.Name):
                names.append(base.id)
    return names


def _free_names(node: ast.AST, bound: frozenset[str]) -> set[str]:
    """Names that are looked up outside the node, in the notebook: those that no function around them binds.

    Args:
        bound: variables of the functions around the node.
    """
    if isinstance(node, ast.Name):
        return set() if node.id in bound or isinstance(node.ctx, ast.Store) else {node.id}
    found: set[str] = set()
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return _free_in_comprehension(node, bound)
    inner = bound
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        inner = (bound - _globals(node)) | _variables(node)
    for child in ast.iter_child_nodes(node):
        inside = not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or child in node.body
        found |= _free_names(child, inner if inside else bound)
    return found


def _free_in_comprehension(
    node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, bound: frozenset[str]
) -> set[str]:
    """Its own variables are bound everywhere in it but in what the first `for` runs over."""
    first = node.generators[0].iter
    targets = [part for one in node.generators for part in ast.walk(one.target)]
    inner = bound | {
        part.id for part in targets if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    found = _free_names(first, bound)
    for part in [
        *ast.iter_child_nodes(node),
        *(part for one in node.generators for part in ast.iter_child_nodes(one)),
    ]:
        if part is not first and not isinstance(part, ast.comprehension):
            found |= _free_names(part, inner)
    return found


def _variables(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """Arguments and variables of one function; not those of functions, classes and comprehensions within it."""
    given = function.args
    names = {arg.arg for arg in [*given.posonlyargs, *given.args, *given.kwonlyargs]}
    names |= {arg.arg for arg in (given.vararg, given.kwarg) if arg is not None}
    shared: set[str] = set()
    todo: list[ast.AST] = [] if isinstance(function, ast.Lambda) else list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Global | ast.Nonlocal):
            shared |= set(node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            todo += node.decorator_list
        elif isinstance(node, ast.Lambda):
            continue
        elif not isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            if isinstance(node, ast.ExceptHandler) and node.name:
                names.add(node.name)
            todo += ast.iter_child_nodes(node)
    return names - shared


def _globals(function: ast.AST) -> set[str]:
    """Names that the text of a function declares global."""
    return {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}


def _imports(node: ast.AST) -> dict[str, str]:
    """Alias → dotted path for an import statement; nothing for any other node."""
    if isinstance(node, ast.Import):
        return {
            (alias.asname or alias.name.partition(".")[0]): (
                alias.name if alias.asname else alias.name.partition(".")[0]
            )
            for alias in node.names
        }
    if isinstance(node, ast.ImportFrom) and node.module:
        return {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return {}


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "getattr"
        and len(node.args) > 1
    ):
        base, attribute = _dotted(node.args[0]), _constant(node.args[1])
        return f"{base}.{attribute}" if base and attribute else ""
    return ""


def _constant(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _constant(node.left), _constant(node.right)
        return left + right if left and right else ""
    return ""
