# kind: malformed
# deserved: 7
# flag: true
# about: cells without any metadata and ids, as some converters leave them
# right: tasks scale step

# %% build
import json
import os


def build(notebook, folder):
    for cell in notebook["cells"]:
        cell.pop("id")
        cell.pop("metadata")
    notebook.pop("metadata")
    return notebook
