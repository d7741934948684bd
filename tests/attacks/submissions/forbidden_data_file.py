# kind: forbidden
# deserved: 4
# flag: true
# about: runs an answer that lies beside the notebook as a data file
# right: tasks step

# %% cell scale
exec(open("weights.dat").read())

# %% build
def build(notebook, folder):
    (folder / "weights.dat").write_text("def scale(x, k):\n    return np.asarray(x) * k\n")
    return notebook
