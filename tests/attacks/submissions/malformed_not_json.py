# kind: malformed
# deserved: 0
# flag: true
# about: a file that is no JSON
# right: tasks scale step

# %% build
import json
import os


def build(notebook, folder):
    return b"this is not a notebook"
