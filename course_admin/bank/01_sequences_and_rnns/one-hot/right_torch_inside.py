# why: torch for the work, a NumPy array at the end
def one_hot(indices, num_classes):
    picked = torch.as_tensor(np.asarray(indices))
    if picked.min() < 0 or picked.max() >= num_classes:
        raise ValueError("an index is out of range")
    return torch.eye(num_classes, dtype=torch.float64)[picked].numpy()


def embed(indices, table):
    return np.matmul(one_hot(indices, table.shape[0]), table)
