# kind: harm
# deserved: 4
# flag: true
# about: raises an error and names a class with markup
# right: tasks step

# %% cell scale
def scale(x, k):
    raise type("<script>alert('zqx-script')</script>", (Exception,), {})("<img src=x onerror=alert(1)>")
