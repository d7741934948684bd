# kind: malformed
# deserved: 7
# flag: false
# about: keys that stand twice, first with another's value
# right: tasks scale step

# %% build
import json


def build(notebook, folder):
    text = json.dumps(notebook)
    text = text.replace('"source": "def scale', '"source": "raise SystemExit", "source": "def scale')
    return ('{"nbformat": 3, "cells": [], "metadata": 7, ' + text[1:]).encode()
