# kind: malformed
# deserved: 0
# flag: true
# about: a format number that nobody knows
# right: tasks scale step

# %% build
import json
import os


def build(notebook, folder):
    notebook["nbformat"] = 99
    return notebook
