# kind: malformed
# deserved: 0
# flag: true
# about: bytes that are not UTF-8
# right: tasks scale step

# %% build
import json
import os


def build(notebook, folder):
    return b"\xff\xfe" + json.dumps(notebook).encode("utf-16")
