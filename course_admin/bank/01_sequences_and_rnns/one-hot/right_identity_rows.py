# why: rows of the identity matrix, integers as dtype, tensordot for the product
def one_hot(indices, num_classes):
    array = np.asarray(indices)
    if ((array < 0) | (array > num_classes - 1)).any():
        raise ValueError(f"every index must lie in 0..{num_classes - 1}")
    return np.identity(num_classes, dtype=int)[array]


def embed(indices, table):
    return np.tensordot(one_hot(indices, len(table)), table, axes=1)
