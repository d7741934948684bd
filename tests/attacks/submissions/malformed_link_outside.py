# kind: malformed
# deserved: 7
# flag: true
# about: links beside the notebook that point out of the submission
# right: tasks scale step

# %% build
def build(notebook, folder):
    (folder / "passwords.txt").symlink_to("/etc/passwd")
    (folder / "course").symlink_to(folder.parents[2])
    (folder / "loop").symlink_to(folder)
    return notebook
