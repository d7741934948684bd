# kind: malformed
# deserved: 4
# flag: true
# about: cells within cells, and a list of cells where a cell belongs
# right: tasks scale step

# %% build
def build(notebook, folder):
    cells = notebook["cells"]
    inner = [cell for cell in cells if cell["id"].startswith("scale")]
    cells[:] = [cell for cell in cells if cell not in inner]
    cells.insert(2, inner)
    cells.insert(3, {"cell_type": "markdown", "metadata": {}, "source": "x", "cells": inner})
    cells.insert(4, {"cells": inner, "metadata": {}})
    return notebook
