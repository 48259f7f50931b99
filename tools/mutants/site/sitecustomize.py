"""Makes a mutant's change in each Python process that a test starts; Python imports this at start."""

import os
from pathlib import Path

from tools.mutants.imports import TASK, change_imports

change_imports(Path(os.environ[TASK]))
