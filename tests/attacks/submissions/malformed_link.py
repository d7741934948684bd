# kind: malformed
# deserved: 0
# flag: true
# about: a link to the source notebook in the place of the notebook
# right: tasks scale step

# %% build
import json
import os


def build(notebook, folder):
    target = folder.parents[2] / "source" / folder.name / f"{folder.name}.ipynb"
    os.symlink(target, folder / f"{folder.name}.ipynb")
    return None
