# kind: honest
# deserved: 7
# flag: false
# about: right answers of another style and dtype, with prints and plots
# right: tasks scale step

# %% cell tasks
review = np.array(["one-to-many", "many-to-one"])[1]

# %% cell scale
import matplotlib.pyplot as plt


def scale(x, k):
    print("scaling", x)
    plt.plot([1, 2])
    return torch.tensor(x, dtype=torch.float64) * k


plt.plot([1, 2])
plt.show()
