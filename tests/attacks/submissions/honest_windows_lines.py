# kind: honest
# deserved: 7
# flag: false
# about: lines that end as on Windows
# right: tasks scale step

# %% build
import copy


def build(notebook, folder):
    cells = notebook["cells"]
    place = {cell["id"]: i for i, cell in enumerate(cells)}
    for cell in cells:
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")
    return notebook
