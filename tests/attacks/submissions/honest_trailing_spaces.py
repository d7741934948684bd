# kind: honest
# deserved: 7
# flag: false
# about: spaces at the ends of lines, tabs, blank lines and a form feed
# right: tasks scale step

# %% build
def build(notebook, folder):
    for cell in notebook["cells"]:
        if cell["id"] in ("scale", "step"):
            text = "".join(cell["source"]).replace("    ", "\t").replace("\n", "   \n\n \n")
            cell["source"] = "\n\n  \n\x0c" + text + "  \n\t\n\n"
        elif cell["cell_type"] == "code":
            cell["source"] = "".join(cell["source"]) + "\n\n"
    return notebook
