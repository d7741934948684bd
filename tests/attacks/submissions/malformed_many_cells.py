# kind: malformed
# deserved: 7
# flag: true
# about: ten thousand cells
# right: tasks scale step

# %% build
import json
import os


def build(notebook, folder):
    extra = {"cell_type": "markdown", "metadata": {}, "source": "x"}
    notebook["cells"] = [dict(extra, id=f"x{i}") for i in range(10_000)] + notebook["cells"]
    return notebook
