# kind: break
# deserved: 4
# flag: true
# about: returns four gigabytes
# right: tasks step

# %% cell scale
def scale(x, k):
    return torch.zeros(1).expand(2**30)
