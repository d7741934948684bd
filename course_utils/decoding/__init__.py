"""Turning a model's next-token scores into sequences: greedy, sampled, beam search, and every one there is.

Everything here drives a plain function, so it fits any model:

    step(tokens (N,), state) -> (scores (N, V), state)

`tokens` are the last token of each of N sequences, `scores` the logits (or log-probabilities) of the next.
`state` is whatever the model carries, nested in tuples, lists and dicts, with N as the first axis of every
tensor; None and () serve a model that carries nothing. A table of probabilities is a model too:

    table = torch.tensor([...]).log()                            # (V, V), row = last token
    best = beam_search(lambda tokens, state: (table[tokens], state), start, (), eos=3, max_length=2, width=2)

Put a module into evaluation mode first; nothing here records gradients.
"""

from course_utils.decoding.beam import beam_search
from course_utils.decoding.exhaustive import brute_force
from course_utils.decoding.hypotheses import Hypothesis, mean_penalty, no_penalty, wu_penalty
from course_utils.decoding.sampling import (
    draw,
    greedy,
    sample,
    top_k_filter,
    top_p_filter,
    with_temperature,
)
from course_utils.decoding.steps import StepFunction, next_log_probs, reorder

__all__ = [
    "Hypothesis",
    "StepFunction",
    "beam_search",
    "brute_force",
    "draw",
    "greedy",
    "mean_penalty",
    "next_log_probs",
    "no_penalty",
    "reorder",
    "sample",
    "top_k_filter",
    "top_p_filter",
    "with_temperature",
    "wu_penalty",
]
