# kind: honest
# deserved: 4
# flag: true
# about: an answer's cell deleted
# right: tasks scale step

# %% build
import copy


def build(notebook, folder):
    cells = notebook["cells"]
    place = {cell["id"]: i for i, cell in enumerate(cells)}
    del cells[place["scale"]]
    return notebook
