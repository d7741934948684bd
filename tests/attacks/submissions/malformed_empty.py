# kind: malformed
# deserved: 0
# flag: true
# about: an empty file
# right: tasks scale step

# %% build
import json
import os


def build(notebook, folder):
    return b""
