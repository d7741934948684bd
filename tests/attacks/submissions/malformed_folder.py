# kind: malformed
# deserved: 0
# flag: true
# about: a folder in the place of the notebook
# right: tasks scale step

# %% build
import json
import os


def build(notebook, folder):
    (folder / f"{folder.name}.ipynb").mkdir()
    return None
