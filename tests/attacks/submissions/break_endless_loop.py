# kind: break
# deserved: 4
# flag: true
# about: never returns
# right: tasks step

# %% cell scale
def scale(x, k):
    while True:
        pass
