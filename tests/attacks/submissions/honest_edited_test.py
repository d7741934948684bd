# kind: honest
# deserved: 7
# flag: true
# about: a test cell edited
# right: tasks scale step

# %% cell scale-test
assert scale(3, 2) == 6
