# kind: malformed
# deserved: 7
# flag: false
# about: fields of kinds that no notebook has
# right: tasks scale step

# %% build
import json
import os


def build(notebook, folder):
    for cell in notebook["cells"]:
        if cell["id"] in ("title", "show", "study"):
            cell.update(outputs=5, metadata=[], execution_count="x")
    notebook["cells"] += [None, 3, {}, {"cell_type": "code"}, {"cell_type": "code", "source": {"a": 1}, "outputs": 5}]
    notebook["metadata"] = 7
    return notebook
