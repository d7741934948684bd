# kind: honest
# deserved: 7
# flag: false
# about: lines that install packages
# right: tasks scale step

# %% before tasks
!pip install numpy torch
%pip install --quiet matplotlib
