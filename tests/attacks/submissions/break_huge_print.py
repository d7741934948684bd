# kind: break
# deserved: 7
# flag: true
# about: prints 300 megabytes at once
# right: tasks scale step

# %% before scale
print("x" * 300_000_000)
