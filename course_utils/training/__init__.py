"""Training loops, and what they need: batches, early stopping, truncated BPTT, schedules, repeats over seeds.

batches = minibatches(x, y, batch_size=64, seed=0)
history = fit(model, batches, F.cross_entropy, torch.optim.Adam(model.parameters()), steps=300, clip=1.0)
result = repeat(lambda seed: train_and_test(seed), seeds=range(3))
print(f"{result:.3f}")                                                              # 0.961 ± 0.004

loop       fit, predict, minibatches
stopping   EarlyStopping, for `fit` or for a loop of your own
truncated  truncated backpropagation through time, the state carried from chunk to chunk
schedules  how often to show the true token: scheduled sampling
repeats    one experiment under several seeds

`truncated` and `schedules` are imported by their full names: some notebooks ask you to write them first.
"""

from course_utils.progress import progress
from course_utils.training.loop import History, accuracy, fit, minibatches, predict
from course_utils.training.repeats import Repeats, repeat
from course_utils.training.stopping import EarlyStopping

__all__ = [
    "EarlyStopping",
    "History",
    "Repeats",
    "accuracy",
    "fit",
    "minibatches",
    "predict",
    "progress",
    "repeat",
]
