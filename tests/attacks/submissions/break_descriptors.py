# kind: break
# deserved: 7
# flag: true
# about: closes every file and connection that it has
# right: tasks scale step

# %% before scale
import os

os.closerange(0, 1024)
