# kind: honest
# deserved: 7
# flag: false
# about: the stub left as it was, the answer in a cell of its own below it
# right: tasks step

# %% after scale
def scale(x, k):
    return np.asarray(x) * k
