# kind: forge
# deserved: 1
# flag: true
# about: raises the points of a test, makes others markdown or ungraded

# %% build
def build(notebook, folder):
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    cells["tasks-test"]["metadata"]["nbgrader"]["points"] = 100
    cells["scale-test"]["metadata"]["nbgrader"]["grade"] = False
    cells["step-test"].update(cell_type="markdown")
    cells["step-test"]["metadata"]["nbgrader"]["cell_type"] = "markdown"
    for key in ("outputs", "execution_count"):
        cells["step-test"].pop(key)
    return notebook
