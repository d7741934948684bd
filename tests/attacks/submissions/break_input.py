# kind: break
# deserved: 7
# flag: true
# about: waits for an answer at the keyboard
# right: tasks scale step

# %% before scale
input("continue? ")
