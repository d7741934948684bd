# kind: malformed
# deserved: 7
# flag: false
# about: numbers that JSON does not know, in metadata, counts and outputs
# right: tasks scale step

# %% build
def build(notebook, folder):
    notebook["metadata"]["loss"] = float("nan")
    notebook["nbformat_minor"] = float("inf")
    for cell in notebook["cells"]:
        cell["metadata"]["loss"] = [float("nan"), float("-inf"), 10**400]
        if cell["cell_type"] == "code":
            data = {"text/plain": "nan", "application/x": float("nan")}
            cell["execution_count"] = float("nan")
            cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {"x": float("inf")}}]
    return notebook
