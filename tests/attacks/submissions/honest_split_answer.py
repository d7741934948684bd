# kind: honest
# deserved: 7
# flag: true
# about: an answer split into two cells, both with its metadata
# right: tasks scale step

# %% build
import copy


def build(notebook, folder):
    cells = notebook["cells"]
    place = {cell["id"]: i for i, cell in enumerate(cells)}
    cell = cells[place["scale"]]
    half = copy.deepcopy(cell)
    half["source"], half["id"] = "def times(a, b):\n    return np.asarray(a) * b", "half"
    cell["source"] = "def scale(x, k):\n    return times(x, k)"
    cells.insert(place["scale"], half)
    return notebook
