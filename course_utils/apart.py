"""Checks apart from answers: in a student's notebook the variables of a check cell stay inside that cell.

A check cell calls its things `check`, `name`, `count`, and so may a student call a helper. In one namespace the check would
replace the helper and then call an answer that uses it. So each check cell runs as the body of a function.
"""

import ast
import sys
from typing import Any


class ChecksApart:
    """A transformer of IPython's: turns a cell that holds a check of the course into one function and its call."""

    def visit(self, tree: ast.AST) -> ast.AST:
        """Return the cell's tree: wrapped if it holds a check, as it came if not. IPython calls this for each cell."""
        if not isinstance(tree, ast.Module) or not any(_is_check(node) for node in tree.body):
            return tree
        wrapped = ast.parse("def _check_of_the_course(): ...\n_check_of_the_course()")
        function = wrapped.body[0]
        assert isinstance(function, ast.FunctionDef)
        function.body = tree.body
        return wrapped


def keep_checks_apart() -> None:
    """Have the notebook that runs this, if one does, run its check cells apart; once is enough."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None and not any(isinstance(known, ChecksApart) for known in shell.ast_transformers):
        shell.ast_transformers.append(ChecksApart())


def _is_check(node: ast.stmt) -> bool:
    """Is it `with …, checking("question") as …:`?"""
    return isinstance(node, ast.With) and any(
        isinstance(item.context_expr, ast.Call)
        and isinstance(item.context_expr.func, ast.Name)
        and item.context_expr.func.id == "checking"
        for item in node.items
    )
