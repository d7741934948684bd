# kind: honest
# deserved: 7
# flag: false
# about: a cell magic over an experiment that also defines a helper of the answers
# right: tasks step

# %% cell scale
def scale(x, k):
    return times(x, k)

# %% build
def build(notebook, folder):
    cells = notebook["cells"]
    study = next(cell for cell in cells if cell["id"] == "study")
    cells.remove(study)
    cells.insert(1, study)
    study["source"] = "%%time\ndef times(a, b):\n    return a * b if isinstance(a, float) else [i * b for i in a]\n\n1 / 0"
    return notebook
