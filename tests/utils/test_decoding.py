"""Decoding against exhaustive search, against slow loops written another way, and against probability."""

import itertools
import math
from collections import Counter
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.decoding import (
    beam_search,
    brute_force,
    draw,
    greedy,
    mean_penalty,
    next_log_probs,
    no_penalty,
    reorder,
    sample,
    top_k_filter,
    top_p_filter,
    with_temperature,
    wu_penalty,
)

PENALTIES = [no_penalty, mean_penalty, wu_penalty(0.7), wu_penalty(2.0), lambda length: 1 + length % 2]
# Exercise 15.8: A, B, C, <eos>; the last row is what stands before the first token, the one after C is free.
TABLE = torch.tensor(
    [
        [0.1, 0.3, 0.5, 0.1],
        [0.6, 0.2, 0.15, 0.05],
        [0.25, 0.25, 0.25, 0.25],
        [0.25, 0.25, 0.25, 0.25],
        [0.4, 0.35, 0.2, 0.05],
    ],
    dtype=torch.float64,
).log()
AFTER_BOS = torch.tensor([4])


def exercise(tokens, state):
    return TABLE[tokens], state


class Model:
    """A table of random scores, looked up by the last token (markov) or by a number made of all of them."""

    def __init__(self, seed, size, markov, scale=2.0, levels=0):
        self.size, self.markov, self.eos = size, markov, size - 1
        generator = torch.Generator().manual_seed(seed)
        scores = scale * torch.randn(101, size, generator=generator, dtype=torch.float64)
        if levels:
            scores = (scores.sigmoid() * levels).round()  # few values: many ties
        self.scores, self.calls, self.stepped = scores, 0, 0

    def key(self, prefix):
        key = 7
        for token in prefix[-1:] if self.markov else prefix:
            key = (31 * key + token + 1) % 101
        return key

    def step(self, tokens, state):
        self.calls, self.stepped = self.calls + 1, self.stepped + len(tokens)
        before = torch.full_like(state["key"][0], 7) if self.markov else state["key"][0]
        key = torch.where(tokens < 0, before, (31 * before + tokens + 1) % 101)
        return self.scores[key], {"key": [key], "none": None}

    def begin(self, batch=1):
        start = torch.full((batch,), -1)  # a <bos> that leaves the key as it is
        return start, {"key": [torch.full((batch,), 7)], "none": None}

    def log_probs(self, prefix):
        # log_softmax as in the decoders: where scores tie on purpose, the last bit decides.
        return self.scores[self.key(prefix)].log_softmax(0).tolist()


def random_setting(seed):
    generator = torch.Generator().manual_seed(seed)

    def pick(options):
        return options[int(torch.randint(len(options), (1,), generator=generator))]

    size, steps = pick([2, 3, 4]), pick([1, 2, 3, 4])
    model = Model(seed, size, markov=seed % 2 == 0, levels=pick([0, 0, 3]))
    options = dict(
        eos=model.eos,
        max_length=steps,
        penalty=pick(PENALTIES),
        min_length=pick([0, 0, *range(steps + 1)]),
        block_ngrams=pick([None, None, 1, 2, 3]),
    )
    return model, options


def outputs(found):
    return [[hypothesis.tokens for hypothesis in hypotheses] for hypotheses in found]


def assert_same(found, expected):
    assert outputs(found) == outputs(expected)
    for ours, theirs in zip(itertools.chain(*found), itertools.chain(*expected), strict=True):
        assert ours.ended == theirs.ended
        assert ours.log_prob == pytest.approx(theirs.log_prob, abs=1e-12)
        assert ours.score == pytest.approx(theirs.score, abs=1e-12)


def complete_outputs(size, eos, steps):
    for length in range(1, steps + 1):
        for tokens in itertools.product(range(size), repeat=length):
            if eos not in tokens[:-1] and (tokens[-1] == eos or length == steps):
                yield tokens


# --- exhaustive search ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("markov", [True, False])
def test_brute_force_lists_every_output_once_and_their_probabilities_sum_to_one(markov):
    model = Model(3, 3, markov)
    found = brute_force(model.step, *model.begin(), eos=2, max_length=4, n_best=1000)[0]
    expected = {}
    for tokens in complete_outputs(3, 2, 4):
        expected[tokens] = sum(model.log_probs(tokens[:t])[token] for t, token in enumerate(tokens))
    assert {hypothesis.tokens for hypothesis in found} == set(expected) and len(found) == len(expected)
    for hypothesis in found:
        assert hypothesis.log_prob == pytest.approx(expected[hypothesis.tokens], abs=1e-12)
    assert math.fsum(math.exp(hypothesis.log_prob) for hypothesis in found) == pytest.approx(1, abs=1e-12)
    scores = [hypothesis.score for hypothesis in found]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("seed", range(200))
def test_a_beam_as_wide_as_the_tree_equals_brute_force(seed):
    model, options = random_setting(seed)
    width = model.size ** options["max_length"]
    for n_best in (1, min(width, 4), width):
        expected = brute_force(model.step, *model.begin(), **options, n_best=n_best)
        assert_same(beam_search(model.step, *model.begin(), **options, width=width, n_best=n_best), expected)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_ranking_divides_by_the_penalty(penalty):
    model = Model(11, 3, markov=False)
    found = brute_force(model.step, *model.begin(), eos=2, max_length=3, penalty=penalty, n_best=99)[0]
    assert len(found) > 5
    for hypothesis in found:
        assert hypothesis.score == hypothesis.log_prob / penalty(len(hypothesis.tokens))


def test_wu_penalty_by_hand():
    assert wu_penalty(0.6)(1) == 1 and wu_penalty(1.0)(7) == 2
    assert wu_penalty(0.5)(13) == pytest.approx(math.sqrt(3)) and wu_penalty(0.0)(50) == 1
    assert mean_penalty(4) == 4 and no_penalty(4) == 1


# --- beam search ------------------------------------------------------------------------------------------------


def test_the_exercise():
    def search(width, **options):
        return beam_search(exercise, AFTER_BOS, (), eos=3, max_length=2, width=width, **options)[0]

    best = search(1)[0]
    assert best.tokens == (0, 2) and math.exp(best.log_prob) == pytest.approx(0.20)
    best = search(2)[0]
    assert best.tokens == (1, 0) and math.exp(best.log_prob) == pytest.approx(0.21)
    assert best == brute_force(exercise, AFTER_BOS, (), eos=3, max_length=2)[0][0]
    assert greedy(exercise, AFTER_BOS, (), eos=3, max_length=2)[0].tolist() == [[0, 2]]


def slow_beam(model, eos, max_length, width, penalty, min_length, block_ngrams, groups, diversity, n_best):
    """Diverse beam search as one would write it down, running to the end whatever has been found."""
    beams = [[((), 0.0)] for _ in range(groups)]
    done = {}
    for length in range(1, max_length + 1):
        used = Counter()
        for number, beam in enumerate(beams):
            options = []
            for prefix, total in beam:
                for token, log_prob in enumerate(model.log_probs(prefix)):
                    whole = (*prefix, token)
                    if token == eos and length - 1 < min_length:
                        continue
                    n = block_ngrams or length + 1
                    grams = [whole[i : i + n] for i in range(length - n + 1)]
                    if len(set(grams)) < len(grams):
                        continue
                    options.append((-(total + (log_prob - diversity * used[token])), whole, total + log_prob))
            kept = sorted(options)[: width // groups]
            beams[number] = []
            for _, whole, total in kept:
                used[whole[-1]] += 1
                if whole[-1] == eos or length == max_length:
                    done.setdefault(whole, total / penalty(length))
                else:
                    beams[number].append((whole, total))
    return sorted(done, key=lambda whole: (-done[whole], whole))[:n_best]


@pytest.mark.parametrize("seed", range(150))
def test_agrees_with_a_slow_search_that_never_stops_early(seed):
    model, options = random_setting(seed)
    options["max_length"] += 2
    for width, groups, diversity in (
        (1, 1, 0.0),
        (2, 1, 0.0),
        (3, 1, 0.0),
        (4, 2, 0.5),
        (6, 3, 0.25),
        (4, 4, 8.0),
    ):
        chosen = dict(**options, width=width, groups=groups, diversity=diversity, n_best=1 + seed % width)
        found = outputs(beam_search(model.step, *model.begin(), **chosen))[0]
        assert found == slow_beam(model, **chosen)


@pytest.mark.parametrize("seed", range(40))
def test_width_one_is_greedy(seed):
    model = Model(seed, 5, markov=seed % 2 == 0, levels=3 * (seed % 3 == 0))
    tokens, lengths = greedy(model.step, *model.begin(), eos=4, max_length=9)
    for penalty in PENALTIES:
        found = beam_search(model.step, *model.begin(), eos=4, max_length=9, width=1, penalty=penalty)[0]
        assert found[0].tokens == tuple(tokens[0, : lengths[0]].tolist())


def test_sources_are_searched_together_as_they_are_alone():
    model = Model(5, 4, markov=False)
    keys = torch.tensor([7, 8, 9, 50, 7])
    state = {"key": [keys], "none": None}
    options = dict(eos=3, max_length=6, width=4, groups=2, diversity=0.4, penalty=mean_penalty, n_best=3)
    together = beam_search(model.step, torch.full((5,), -1), state, **options)
    for row in range(5):
        alone_state = {"key": [keys[row : row + 1]], "none": None}
        assert beam_search(model.step, torch.tensor([-1]), alone_state, **options)[0] == together[row]
    assert together[0] == together[4] != together[1]


def chain(*rows):
    """A model of one state a step: step t has the probabilities rows[t], whatever was written."""
    table = torch.tensor(rows, dtype=torch.float64).log()
    return (
        lambda tokens, state: (table[state], state + 1),
        torch.tensor([0]),
        torch.zeros(1, dtype=torch.int64),
    )


def test_it_does_not_stop_while_a_live_hypothesis_can_still_win():
    """<eos> at once has log 0.6 a token; going on has the mean of log 0.4 and many zeros, which is better later."""
    step, start, state = chain([0.4, 0.6], *[[1.0, 0.0]] * 8)
    for length, expected in ((1, (1,)), (2, (0, 0)), (9, (0,) * 9)):
        options = dict(eos=1, max_length=length, penalty=mean_penalty)
        found = beam_search(step, start, state, **options, width=2)[0]
        assert found[0].tokens == expected
        assert found == brute_force(step, start, state, **options)[0]


def test_a_live_hypothesis_that_can_only_tie_may_win_by_its_tokens():
    step, start, state = chain([0.5, 0.5], [0.0, 1.0])
    for n_best, expected in ((1, [(0, 1)]), (2, [(0, 1), (1,)])):
        found = beam_search(step, start, state, eos=1, max_length=2, width=2, n_best=n_best)
        assert outputs(found) == [expected]


def test_it_stops_when_nothing_can_change_and_leaves_decided_sources():
    model = Model(0, 3, markov=False)
    model.scores = torch.tensor([[0.0, 0.0, 9.0]], dtype=torch.float64).expand(101, 3)
    beam_search(model.step, *model.begin(), eos=2, max_length=50, width=3)
    assert model.calls == 1
    model.calls = 0
    beam_search(model.step, *model.begin(), eos=2, max_length=50, width=3, n_best=2)
    assert model.calls == 2  # (0, eos) is as good as (1, eos), and better than (0, 0, …) will ever be

    stepped = []

    def step(tokens, state):
        stepped.append(sorted(set(state.tolist())))
        return torch.tensor([[0.0, 9.0], [9.0, 0.0]], dtype=torch.float64)[state], state

    beam_search(step, torch.zeros(2, dtype=torch.int64), torch.tensor([0, 1]), eos=1, max_length=4, width=1)
    assert stepped == [[0, 1], [1], [1], [1]]


@pytest.mark.parametrize("seed", range(20))
def test_groups(seed):
    model = Model(seed, 5, markov=False)
    options = dict(eos=4, max_length=5, penalty=wu_penalty(0.6))
    plain = beam_search(model.step, *model.begin(), **options, width=2, n_best=2)
    one_group = beam_search(model.step, *model.begin(), **options, width=2, n_best=2, groups=1, diversity=3.0)
    no_diversity = beam_search(model.step, *model.begin(), **options, width=6, n_best=6, groups=3)
    assert one_group == plain
    assert no_diversity[0][:2] == plain[0] and {hypothesis.group for hypothesis in no_diversity[0]} == {0}
    apart = beam_search(model.step, *model.begin(), **options, width=4, n_best=4, groups=4, diversity=1e6)[0]
    assert len({hypothesis.tokens[0] for hypothesis in apart}) == 4
    assert {hypothesis.group for hypothesis in apart} == {0, 1, 2, 3}
    for hypothesis in apart:  # what is reported is the model's log P, not the lowered one
        total = sum(model.log_probs(hypothesis.tokens[:t])[x] for t, x in enumerate(hypothesis.tokens))
        assert hypothesis.log_prob == pytest.approx(total, abs=1e-12)


def test_min_length_and_ngram_blocking_by_hand():
    repeat = lambda tokens, state: (
        torch.tensor([[0.5, 0.3, 0.2]]).double().log().expand(len(tokens), 3),
        state,
    )
    start = torch.tensor([0])

    def best(**options):
        return beam_search(repeat, start, (), eos=2, max_length=6, width=50, **options)[0][0].tokens

    assert best() == (2,)
    assert best(min_length=3) == (0, 0, 0, 2)
    assert best(min_length=6) == (0,) * 6
    assert best(min_length=3, block_ngrams=2) == (0, 0, 1, 2)
    assert best(min_length=2, block_ngrams=1) == (0, 1, 2)


def test_constraints_that_leave_nothing_give_no_output():
    repeat = lambda tokens, state: (torch.zeros(len(tokens), 3), state)
    start = torch.zeros(2, dtype=torch.int64)
    for search in (beam_search, brute_force):
        width = {"width": 9} if search is beam_search else {}
        assert search(repeat, start, (), eos=2, max_length=5, min_length=3, block_ngrams=1, **width) == [
            [],
            [],
        ]


# --- the step function and its state ----------------------------------------------------------------------------


class Pair(NamedTuple):
    left: torch.Tensor
    right: object


def test_reorder_picks_rows_in_every_nesting_and_writes_to_nothing():
    x = torch.arange(6).reshape(3, 2)
    state = {"a": [x, (x + 10, None)], "b": Pair(x + 20, ())}
    rows = torch.tensor([2, 0, 2, 2])
    new = reorder(state, rows)
    assert torch.equal(new["a"][0], x[rows]) and torch.equal(new["a"][1][0], x[rows] + 10)
    assert new["a"][1][1] is None and isinstance(new["b"], Pair) and torch.equal(new["b"].left, x[rows] + 20)
    assert new["b"].right == () and isinstance(new["a"], list) and isinstance(new["a"][1], tuple)
    assert torch.equal(state["a"][0], torch.arange(6).reshape(3, 2))
    with pytest.raises(TypeError, match=r"state must be tensors .*got str in it"):
        reorder([x, "h"], rows)


def test_logits_and_log_probabilities_give_the_same():
    model = Model(4, 4, markov=False)
    normalized = lambda tokens, state: next_log_probs(model.step, tokens, state)
    options = dict(eos=3, max_length=5, width=3, n_best=3)
    assert_same(
        beam_search(normalized, *model.begin(), **options), beam_search(model.step, *model.begin(), **options)
    )


# --- greedy and sampled -----------------------------------------------------------------------------------------


def test_greedy_fills_up_with_eos_and_steps_only_what_goes_on():
    seen = []

    def step(tokens, state):
        seen.append(len(tokens))
        scores = torch.zeros(len(tokens), 3)
        scores[:, 1] = 1
        scores[state == 0, 2] = 2  # state counts down to <eos>
        return scores, state - 1

    state = torch.tensor([0, 3, 1])
    tokens, lengths = greedy(step, torch.zeros(3, dtype=torch.int64), state, eos=2, max_length=9)
    assert tokens.tolist() == [[2, 2, 2, 2], [1, 1, 1, 2], [1, 2, 2, 2]]
    assert lengths.tolist() == [1, 4, 2] and seen == [3, 2, 1, 1]
    tokens, lengths = greedy(step, torch.zeros(3, dtype=torch.int64), state, eos=2, max_length=2)
    assert tokens.tolist() == [[2, 2], [1, 1], [1, 2]] and lengths.tolist() == [1, 2, 2]


def test_greedy_takes_the_lowest_of_equal_tokens():
    step = lambda tokens, state: (torch.tensor([[0.0, 1.0, 1.0, 1.0]]).expand(len(tokens), 4), state)
    assert greedy(step, torch.tensor([0]), (), eos=3, max_length=3)[0].tolist() == [[1, 1, 1]]


def slow_top_k(row, k):
    kept = sorted(range(len(row)), key=lambda i: (-row[i], i))[:k]
    return [x if i in kept else -math.inf for i, x in enumerate(row)]


def slow_top_p(row, p):
    total = sum(math.exp(x) for x in row)
    kept, mass = [], 0.0
    for i in sorted(range(len(row)), key=lambda i: (-row[i], i)):
        if mass < p:
            kept.append(i)
        mass += math.exp(row[i]) / total
    return [x if i in kept else -math.inf for i, x in enumerate(row)]


rows = st.lists(st.integers(-6, 6), min_size=1, max_size=8)  # integers: many ties


@settings(deadline=None, max_examples=200)
@given(row=rows, k=st.integers(1, 8))
def test_top_k_agrees_with_a_slow_loop(row, k):
    k = min(k, len(row))
    logits = torch.tensor([row, row[::-1]], dtype=torch.float64)
    assert top_k_filter(logits, k).tolist() == [slow_top_k(row, k), slow_top_k(row[::-1], k)]
    assert torch.equal(top_k_filter(logits, len(row)), logits)
    assert (top_k_filter(logits, 1) > -math.inf).sum(1).tolist() == [1, 1]


@settings(deadline=None, max_examples=200)
@given(row=rows, p=st.floats(0.001, 0.999))
def test_top_p_agrees_with_a_slow_loop(row, p):
    p += 1e-7 * math.sqrt(2)  # off the sums that equal logits make, where rounding would decide
    logits = torch.tensor([row, row[::-1]], dtype=torch.float64)
    assert top_p_filter(logits, p).tolist() == [slow_top_p(row, p), slow_top_p(row[::-1], p)]
    assert torch.equal(top_p_filter(logits, 1.0), logits)


def test_filters_by_hand_in_any_dimensions():
    logits = torch.tensor([0.5, 0.25, 0.125, 0.125], dtype=torch.float64).log()
    never = -math.inf
    for p, kept in ((0.3, 1), (0.5, 1), (0.51, 2), (0.75, 2), (0.76, 3), (0.875, 3), (0.88, 4)):
        assert (top_p_filter(logits, p) > never).sum() == kept
    assert (top_k_filter(logits.expand(2, 3, 4), 3) > never).sum() == 18
    with_never = torch.tensor([[0.0, never, 1.0]])
    assert torch.equal(top_p_filter(with_never, 1.0), with_never)
    assert torch.equal(top_p_filter(with_never, 0.999999), with_never)


def test_filters_and_temperature_leave_their_argument_alone():
    logits = torch.randn(3, 5)
    copy = logits.clone()
    for changed in (
        top_k_filter(logits, 2),
        top_p_filter(logits, 0.5),
        top_p_filter(logits, 1.0),
        with_temperature(logits, 1.0),
    ):
        changed.fill_(9)
        assert torch.equal(logits, copy)


@settings(deadline=None, max_examples=50)
@given(row=rows, temperature=st.floats(0.1, 10))
def test_temperature_is_a_power_of_the_distribution(row, temperature):
    logits = torch.tensor([row], dtype=torch.float64)
    powers = [math.exp(x / temperature) for x in row]
    expected = torch.tensor([[power / sum(powers) for power in powers]], dtype=torch.float64)
    torch.testing.assert_close(with_temperature(logits, temperature).softmax(1), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_limits_of_temperature(dtype):
    logits = torch.tensor([[1.0, 3.0, 2.0, -math.inf, 3.0]], dtype=dtype)
    for tiny in (1e-3, 1e-30, 5e-324):
        assert with_temperature(logits, tiny).softmax(1).tolist() == [[0, 0.5, 0, 0, 0.5]]
    flat = with_temperature(logits, 1e30).softmax(1)
    assert flat.tolist() == [[0.25, 0.25, 0.25, 0, 0.25]]


def test_a_low_temperature_or_one_token_samples_what_greedy_writes():
    model = Model(9, 5, markov=False)
    expected = greedy(model.step, *model.begin(6), eos=4, max_length=7)
    for narrow in ({"temperature": 1e-6}, {"top_k": 1}, {"top_p": 1e-6}):
        generator = torch.Generator().manual_seed(0)
        found = sample(model.step, *model.begin(6), eos=4, max_length=7, generator=generator, **narrow)
        assert all(map(torch.equal, found, expected))


@pytest.mark.parametrize(
    "options",
    [{}, {"temperature": 0.5}, {"top_k": 2}, {"top_p": 0.7}, {"temperature": 2.0, "top_k": 3, "top_p": 0.8}],
)
def test_frequencies_of_samples_match_the_probabilities(options):
    probabilities = [0.4, 0.3, 0.2, 0.1]
    powers = [p ** (1 / options.get("temperature", 1.0)) for p in probabilities]
    powers = powers[: options.get("top_k", 4)]  # they fall, so the first are the largest
    expected = [power / sum(powers) for power in powers]
    mass, nucleus = 0.0, []
    for p in expected:
        if mass < options.get("top_p", 1.0) - 1e-9:
            nucleus.append(p)
        mass += p
    count = 20_000
    logits = torch.tensor([probabilities]).double().log().expand(count, 4)
    drawn = draw(logits, torch.Generator().manual_seed(1), **options).bincount(minlength=4).tolist()
    for token in range(4):
        p = nucleus[token] / sum(nucleus) if token < len(nucleus) else 0.0
        assert abs(drawn[token] - count * p) <= 4.5 * math.sqrt(count * p * (1 - p))


def test_whole_samples_occur_as_often_as_brute_force_says():
    model = Model(13, 3, markov=False, scale=0.7)
    count = 20_000
    tokens, lengths = sample(
        model.step, *model.begin(count), eos=2, max_length=3, generator=torch.Generator().manual_seed(2)
    )
    seen = Counter(tuple(row[:n]) for row, n in zip(tokens.tolist(), lengths.tolist(), strict=True))
    expected = brute_force(model.step, *model.begin(), eos=2, max_length=3, n_best=99)[0]
    assert set(seen) <= {hypothesis.tokens for hypothesis in expected} and len(expected) == 15
    for hypothesis in expected:
        p = math.exp(hypothesis.log_prob)
        assert abs(seen[hypothesis.tokens] - count * p) <= 4.5 * math.sqrt(count * p * (1 - p))


def test_the_generator_alone_decides():
    model = Model(1, 6, markov=True)

    def written(seed):
        generator = torch.Generator().manual_seed(seed)
        return sample(model.step, *model.begin(20), eos=5, max_length=8, generator=generator)[0]

    before = torch.get_rng_state()
    first, again, other = written(0), written(0), written(1)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, again) and not torch.equal(first, other)


# --- errors -----------------------------------------------------------------------------------------------------

START = torch.zeros(2, dtype=torch.int64)


def flat(tokens, state):
    return torch.zeros(len(tokens), 3), state


def beam(step=flat, start=START, **options):
    return beam_search(step, start, (), **{"eos": 2, "max_length": 3, "width": 4, **options})


def scoring(row):
    """A step whose second row is `row`."""
    return lambda tokens, state: (torch.tensor([[0.0] * len(row), row]), state)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: beam(width=0), "width must be at least 1, got 0"),
        (lambda: beam(groups=3), "groups must be at least 1 and divide width=4, got 3"),
        (lambda: beam(groups=0), "groups must be at least 1 and divide width=4, got 0"),
        (lambda: beam(diversity=-1.0), "diversity must be a number of at least 0, got -1.0"),
        (lambda: beam(diversity=math.nan), "diversity must be .*got nan"),
        (lambda: beam(n_best=5), "n_best must be in 1..width=4, got 5"),
        (lambda: beam(n_best=0), "n_best must be at least 1, got 0"),
        (lambda: beam(max_length=0), "max_length must be at least 1, got 0"),
        (lambda: beam(min_length=4), "min_length must be in 0..max_length=3, got 4"),
        (lambda: beam(min_length=-1), "min_length must be in 0..max_length=3, got -1"),
        (lambda: beam(block_ngrams=0), "block_ngrams must be at least 1 or None, got 0"),
        (lambda: beam(penalty=lambda n: n - 1), "penalty must be a positive number, got 0 for length 1"),
        (lambda: beam(penalty=lambda n: math.nan), "penalty must be a positive number, got nan for length 1"),
        (lambda: beam(eos=3), "eos must be in 0..V-1=2, got 3"),
        (lambda: beam(eos=-1), "eos must be in 0..V-1=2, got -1"),
        (lambda: beam(start=torch.zeros(2)), r"start must be int64 .*got \(2,\) of torch.float32"),
        (lambda: beam(start=START[:0]), r"start must be int64 of shape \(B>=1,\), got \(0,\)"),
        (lambda: beam(start=START[None]), r"start must be int64 .*got \(1, 2\)"),
        (
            lambda: beam(lambda tokens, state: (torch.zeros(3), state)),
            r"scores of shape \(N=2, V\), got \(3,\)",
        ),
        (lambda: beam(scoring([0.0, 0.0, math.nan])), "got NaN or .inf in row 1"),
        (lambda: beam(scoring([0.0, 0.0, math.inf])), "got NaN or .inf in row 1"),
        (lambda: beam(scoring([-math.inf] * 3)), "must leave some token possible, got -inf for all of row 1"),
        (lambda: wu_penalty(-0.1), "alpha must be a number of at least 0, got -0.1"),
        (lambda: wu_penalty(math.nan), "alpha must be .*got nan"),
        (
            lambda: brute_force(flat, START, (), eos=2, max_length=13),
            "V.max_length must be at most 1000000, got 3.13",
        ),
        (lambda: brute_force(flat, START, (), eos=3, max_length=2), "eos must be in 0..V-1=2, got 3"),
        (lambda: greedy(flat, START, (), eos=5, max_length=2), "eos must be in 0..V-1=2, got 5"),
        (lambda: greedy(flat, START, (), eos=2, max_length=0), "max_length must be at least 1, got 0"),
        (
            lambda: with_temperature(torch.zeros(3), 0),
            "temperature must be positive and finite, got 0; for 0 use greedy",
        ),
        (lambda: with_temperature(torch.zeros(3), -1.0), "temperature must be positive and finite, got -1.0"),
        (
            lambda: with_temperature(torch.zeros(3), math.nan),
            "temperature must be positive and finite, got nan",
        ),
        (
            lambda: with_temperature(torch.zeros(3), math.inf),
            "temperature must be positive and finite, got inf",
        ),
        (lambda: top_k_filter(torch.zeros(3), 0), "k must be in 1..V=3, got 0"),
        (lambda: top_k_filter(torch.zeros(3), 4), "k must be in 1..V=3, got 4"),
        (lambda: top_p_filter(torch.zeros(3), 0.0), "p must be more than 0 and at most 1, got 0.0"),
        (lambda: top_p_filter(torch.zeros(3), 1.1), "p must be more than 0 and at most 1, got 1.1"),
        (lambda: top_p_filter(torch.zeros(3), math.nan), "p must be more than 0 and at most 1, got nan"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
