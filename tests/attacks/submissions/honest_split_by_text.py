# kind: honest
# deserved: 7
# flag: false
# about: an answer split into two cells with text between them
# right: tasks scale step

# %% build
import copy


def build(notebook, folder):
    cells = notebook["cells"]
    place = next(i for i, cell in enumerate(cells) if cell["id"] == "scale")
    rest = {**copy.deepcopy(cells[place]), "id": "rest", "metadata": {}}
    cells[place]["source"] = "def times(a, b):\n    return np.asarray(a) * b"
    rest["source"] = "def scale(x, k):\n    return times(x, k)"
    text = {"cell_type": "markdown", "id": "between", "metadata": {}, "source": "Now the function itself:"}
    cells[place + 1 : place + 1] = [text, rest]
    return notebook
