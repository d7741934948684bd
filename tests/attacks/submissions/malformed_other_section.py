# kind: malformed
# deserved: 0
# flag: true
# about: the notebook of another section under this one's name
# right: 

# %% build
def build(notebook, folder):
    names = {"tasks": "gates", "scale": "lstm-step", "step": "peephole", "why": "forget"}
    for cell in notebook["cells"]:
        for old, new in names.items():
            cell["id"] = cell["id"].replace(old, new)
            grader = cell["metadata"].get("nbgrader")
            if grader:
                grader["grade_id"] = grader["grade_id"].replace(old, new)
        if cell["id"] == "lstm-step":
            cell["source"] = "def lstm_step(x, state):\n    return state"
        if cell["id"] == "peephole":
            cell["source"] = "def peephole(x, state):\n    return state"
        if cell["id"] == "gates":
            cell["source"] = "count = 4"
    return notebook
