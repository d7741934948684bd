# kind: malformed
# deserved: 7
# flag: true
# about: the notebook under the name that a second download gave it
# right: tasks scale step

# %% build
import json


def build(notebook, folder):
    (folder / f"ada_1234_{folder.name} (1).ipynb").write_text(json.dumps(notebook))
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / f"{folder.name}-checkpoint.ipynb").write_text("{")
    return None
