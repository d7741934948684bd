# kind: malformed
# deserved: 0
# flag: true
# about: two notebooks, neither under the name that is expected
# right: tasks scale step

# %% build
import json


def build(notebook, folder):
    (folder / "final.ipynb").write_text(json.dumps(notebook))
    (folder / "final 2.ipynb").write_text(json.dumps(notebook))
    return None
