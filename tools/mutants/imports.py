"""Imports modules of the bot in a changed form, also in processes that tests start."""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from tools.mutants.sites import IN_PROCESSES, ROOT, mutated

TASK = "MUTANTS_TASK"
"""The environment variable with the file that says which module is changed, and which tests run."""
_SITE = Path(__file__).parent / "site"
Change = Callable[[str, str], ast.Module | None]
"""Takes a file of the bot and its source, and returns its changed tree or None."""


class _Loader(SourceFileLoader):
    def __init__(self, loader: SourceFileLoader, tree: ast.Module) -> None:
        super().__init__(loader.name, loader.path)
        self._tree = tree

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._tree, self.path, "exec")


class Changed(MetaPathFinder):
    """Imports modules of the bot in a changed form."""

    def __init__(self, change: Change) -> None:
        self._change = change

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] != "bot":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            file = Path(spec.loader.path)
            tree = self._change(file.relative_to(ROOT).as_posix(), file.read_text("utf-8"))
            spec.loader = spec.loader if tree is None else _Loader(spec.loader, tree)
        return spec


def change_imports(task: Path) -> None:
    """Make the task's change in what this process, and those that it starts, import from now on."""
    found = json.loads(task.read_text())

    def change(file: str, source: str) -> ast.Module | None:
        return mutated(file, source, found["number"]) if file == found["file"] else None

    sys.meta_path.insert(0, Changed(change))
    if str(_SITE) not in sys.path:
        sys.path.insert(0, str(_SITE))
    os.environ |= {
        TASK: str(task),
        IN_PROCESSES: str(ROOT),
        "PYTHONPATH": os.pathsep.join([str(_SITE), str(ROOT), *filter(None, sys.path)]),
    }
