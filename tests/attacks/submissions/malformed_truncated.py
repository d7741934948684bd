# kind: malformed
# deserved: 0
# flag: true
# about: a file cut short
# right: tasks scale step

# %% build
import json
import os


def build(notebook, folder):
    raw = json.dumps(notebook).encode()
    return raw[: len(raw) // 2]
