# kind: honest
# deserved: 7
# flag: true
# about: the answer's cell copied, the copy still untouched
# right: tasks scale step

# %% build
import copy


def build(notebook, folder):
    cells = notebook["cells"]
    place = {cell["id"]: i for i, cell in enumerate(cells)}
    twin = copy.deepcopy(cells[place["scale"]])
    twin["source"] = 'def scale(x, k):\n    raise NotImplementedError("Exercise scale: multiply")'
    twin["id"] = "copy"
    cells.insert(place["scale"] + 1, twin)
    return notebook
