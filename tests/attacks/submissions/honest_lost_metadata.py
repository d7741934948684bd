# kind: honest
# deserved: 7
# flag: false
# about: cell metadata lost on the way through another editor
# right: tasks scale step

# %% build
import copy


def build(notebook, folder):
    cells = notebook["cells"]
    place = {cell["id"]: i for i, cell in enumerate(cells)}
    for cell in cells:
        cell["metadata"] = {"colab": {"base_uri": "https://localhost"}}
    notebook["metadata"] = {"widgets": {"state": {}}, "kernelspec": {"name": "julia", "display_name": "J"}}
    return notebook
