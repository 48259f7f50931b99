"""Where a line of the bot can be changed so that a test should fail, and the changes."""

from __future__ import annotations

import ast
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

IN_PROCESSES = "MUTANTS_ROOT"
"""The environment variable that passes the root to processes that tests start elsewhere."""
ROOT = Path(os.environ.get(IN_PROCESSES) or Path.cwd())
_LEFT_OUT = ("bot/core/migrations", "bot/authoring", "bot/playground")
_COMPARISONS: dict[type[ast.cmpop], tuple[str, type[ast.cmpop]]] = {
    ast.Lt: ("<", ast.LtE),
    ast.LtE: ("<=", ast.Lt),
    ast.Gt: (">", ast.GtE),
    ast.GtE: (">=", ast.Gt),
    ast.Eq: ("==", ast.NotEq),
    ast.NotEq: ("!=", ast.Eq),
    ast.Is: ("is", ast.IsNot),
    ast.IsNot: ("is not", ast.Is),
    ast.In: ("in", ast.NotIn),
    ast.NotIn: ("not in", ast.In),
}
_NOT_RUN = {"annotation", "returns", "type_params"}
_Change = tuple[str, str, ast.expr | list[ast.stmt]]
"""The operator, what it makes of what, and what replaces the node."""


class Site(NamedTuple):
    """One possible change."""

    file: str
    line: int
    operator: str
    change: str
    number: int
    """Its place among the file's sites."""
    block: str
    """The statements that are run together with it, as the probe calls them; empty outside functions."""
    function: str
    """The first block of the outermost function around it, likewise."""
    name: str
    """What `--site` takes."""
    defines: str
    """The name in its module that the statement around it defines, if any."""

    @property
    def folder(self) -> str:
        """The folder of the bot, or "top"."""
        return self.file.split("/")[1] if self.file.count("/") > 1 else "top"


def files(only: str = "bot") -> list[str]:
    """Return the Python files below a folder, or the file, that may be changed."""
    found = [ROOT / only] if only.endswith(".py") else sorted((ROOT / only).rglob("*.py"))
    names = [path.relative_to(ROOT).as_posix() for path in found]
    return [name for name in names if not name.startswith(_LEFT_OUT)]


def sites_of(file: str, source: str) -> list[Site]:
    walk = _Walk(file)
    walk.visit(ast.parse(source))
    return walk.sites


def mutated(file: str, source: str, number: int) -> ast.Module:
    """Return a file's syntax tree with one change."""
    tree = _Walk(file, number=number).visit(ast.parse(source))
    assert isinstance(tree, ast.Module)
    return ast.fix_missing_locations(tree)


def probed(file: str, source: str) -> ast.Module:
    """Return a file's syntax tree where each block of a function calls `__probe__` with its name."""
    tree = _Walk(file, probe=True).visit(ast.parse(source))
    assert isinstance(tree, ast.Module)
    return ast.fix_missing_locations(tree)


class _Walk(ast.NodeTransformer):
    """Goes over a tree in a fixed order, collects the sites, and makes one change or adds the probes."""

    def __init__(self, file: str, *, number: int = -1, probe: bool = False) -> None:
        self.file = file
        self.number = number
        self.probe = probe
        self.sites: list[Site] = []
        self.block = ""
        self.function = ""
        self.defines = ""
        self.names: Counter[str] = Counter()

    def visit(self, node: ast.AST) -> ast.AST | list[ast.stmt]:
        if isinstance(node, ast.Assert) or _is_log_call(node):
            return node
        for operator, change, made in _changes(node):
            assert isinstance(node, ast.expr | ast.stmt)
            name = f"{self.file}:{node.lineno}:{operator}"
            self.names[name] += 1
            again = f":{self.names[name]}" if self.names[name] > 1 else ""
            number = len(self.sites)
            self.sites.append(
                Site(
                    file=self.file,
                    line=node.lineno,
                    operator=operator,
                    change=change,
                    number=number,
                    block=self.block,
                    function=self.function,
                    name=name + again,
                    defines=self.defines,
                )
            )
            if number == self.number:
                for new in made if isinstance(made, list) else [made]:
                    ast.copy_location(new, node)
                return made
        for field, value in ast.iter_fields(node):
            if field in _NOT_RUN:
                continue
            if isinstance(value, ast.AST):
                setattr(node, field, self.visit(value))
            elif isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, field, self._statements(node, value))
            elif isinstance(value, list):
                value[:] = [self.visit(v) if isinstance(v, ast.AST) else v for v in value]
        return node

    def _statements(self, parent: ast.AST, statements: list[ast.stmt]) -> list[ast.stmt]:
        """Visit statements; a new block begins with the first, and after each that has blocks itself."""
        outside, around = self.block, self.function
        a_function = isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef)
        made: list[ast.stmt] = []
        begins = True
        for statement in statements:
            is_docstring = (
                a_function
                and statement is statements[0]
                and isinstance(statement, ast.Expr)
                and isinstance(statement.value, ast.Constant)
            )
            if begins and (a_function or around) and not is_docstring:
                self.block = f"{self.file}:{statement.lineno}"
                self.function = self.function or self.block
                if self.probe:
                    call = ast.parse(f"__probe__({self.block!r})").body[0]
                    for new in ast.walk(call):
                        ast.copy_location(new, statement)
                    made.append(call)
                begins = False
            begins = begins or hasattr(statement, "body")
            if isinstance(parent, ast.Module):
                self.defines = _defined(statement)
            visited = self.visit(statement)
            made += visited if isinstance(visited, list) else [visited]  # type: ignore[list-item] # of a statement comes a statement
        self.block, self.function = outside, around
        return made


def _changes(node: ast.AST) -> Iterator[_Change]:
    match node:
        case ast.Compare():
            for place, compared in enumerate(node.ops):
                text, other = _COMPARISONS[type(compared)]
                ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
                new = ast.Compare(node.left, ops, node.comparators)
                yield "compare", f"{text} -> {_COMPARISONS[other][0]}", new
        case ast.BoolOp(op=op, values=values):
            here, there = ("and", "or") if isinstance(op, ast.And) else ("or", "and")
            for place in range(1, len(values)):
                parts = [_joined(op, values[:place]), _joined(op, values[place:])]
                swapped = ast.BoolOp(ast.Or() if here == "and" else ast.And(), parts)
                yield here, f"{here} -> {there}", swapped
        case ast.UnaryOp(op=ast.Not()):
            yield "not", "not x -> x", node.operand
        case ast.Constant(value=bool() as value):
            yield "bool", f"{value} -> {not value}", ast.Constant(not value)
        case ast.Constant(value=int() as value):
            other_value = value + (1 if (node.lineno + node.col_offset) % 2 else -1)
            yield "int", f"{value} -> {other_value}", ast.Constant(other_value)
        case ast.Expr(value=ast.Call()) | ast.Expr(value=ast.Await(value=ast.Call())):
            yield "call", f"{_short(node)} -> pass", [_never(node)]
        case ast.Return(value=ast.expr() as returned) if not _is_none(returned):
            yield (
                "return",
                f"return {_short(returned)} -> return None",
                [_never(ast.Expr(returned)), ast.Return(ast.Constant(None))],
            )


def _defined(statement: ast.stmt) -> str:
    match statement:
        case (
            ast.FunctionDef(name=name)
            | ast.AsyncFunctionDef(name=name)
            | ast.ClassDef(name=name)
            | ast.Assign(targets=[ast.Name(id=name)])
            | ast.AnnAssign(target=ast.Name(id=name))
        ):
            return name
    return ""


def _joined(op: ast.boolop, values: list[ast.expr]) -> ast.expr:
    return values[0] if len(values) == 1 else ast.BoolOp(op, values)


def _never(statement: ast.stmt) -> ast.If:
    """Keep a statement without running it, so that its function closes over the same variables."""
    return ast.If(ast.Constant(False), [statement], [])


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_log_call(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func).startswith("log.")
    )


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 70 else f"{text[:69]}…"
