# kind: malformed
# deserved: 0
# flag: true
# about: 200 megabytes that are no notebook
# right: tasks scale step

# %% build
def build(notebook, folder):
    with open(folder / f"{folder.name}.ipynb", "wb") as file:
        file.write(b"{")
        file.truncate(200 * 2**20)
    return None
