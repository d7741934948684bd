# kind: honest
# deserved: 4
# flag: false
# about: an error in the middle of an earlier cell
# right: tasks step

# %% cell scale
def scale(x, k):
    return x + undefined
