# kind: honest
# deserved: 7
# flag: false
# about: cells of its own, one of which fails
# right: tasks scale step

# %% before scale
helper = 3

# %% after scale
1 / 0

# %% before title
print("notes")
