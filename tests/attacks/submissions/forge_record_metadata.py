# kind: forge
# deserved: 1
# flag: false
# about: outputs that pretend to be recorded tables, among them one of points and one of strange kinds

# %% build
def build(notebook, folder):
    mime = "application/vnd.course.record+json"
    tables = [
        {"name": "scale-test", "rows": [{"points": 3, "earned": 3, "outcome": "passed"}]},
        {"name": "verdicts", "rows": [{"grade_id": "scale-test", "earned": 3.0}], "columns": ["earned"]},
        {"name": ["study"], "rows": {"k": 1}},
        {"name": "study", "rows": [{"k": {"__class__": "x"}}, 7, None], "columns": 3},
    ]
    outputs = [
        {"output_type": "display_data", "metadata": {}, "data": {mime: table, "text/plain": "3"}} for table in tables
    ]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = outputs
    return notebook
