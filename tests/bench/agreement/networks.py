"""Networks made of layers, and decoding, beside torch.nn, torchdiffeq, scikit-learn, brute force and their equations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg
import torch
from sklearn.linear_model import Ridge
from torch.nn import functional as F

from course_utils.decoding import beam_search, brute_force, mean_penalty
from course_utils.models import hopfield
from course_utils.models.attention import ATTENTIONS
from course_utils.models.autoencoder import RecurrentAutoencoder
from course_utils.models.classifier import POOLINGS, SequenceClassifier
from course_utils.models.echo_state import EchoStateNetwork, Reservoir
from course_utils.models.gru import GRU
from course_utils.models.language_model import LanguageModel
from course_utils.models.lstm import LSTM
from course_utils.models.ode_rnn import ODERNN, solve
from course_utils.models.pointer import PointerGenerator
from course_utils.models.seq2seq import Seq2Seq
from course_utils.models.stacked import Bidirectional
from course_utils.models.tagger import MultiTaskTagger, multitask_loss
from course_utils.models.transformer import LIBRARY_PARTS, TransformerEncoder
from tests.bench.agreement.comparing import (
    SHAPES,
    Difference,
    compare,
    distance,
    drawn,
    flat,
    padded,
    perturb,
    rows,
    tokens_of,
)
from tests.bench.agreement.equations import answers, attend, evolve
from tests.bench.agreement.layers import of_library


def classifier(pooling: str) -> Iterator[Difference]:
    """Compare logits of a padded batch with those of each sequence by itself."""
    for batch, steps, inputs, hidden in SHAPES:
        model = perturb(SequenceClassifier(Bidirectional(GRU, inputs, hidden), 3, pooling=pooling))
        x, lengths = drawn(batch, steps, inputs)
        alone = torch.cat([model(row[None]) for row in rows(x, lengths)])
        yield compare(model(x, lengths), alone, [x, *model.parameters()])


def language_model() -> Iterator[Difference]:
    """Compare -log p of each token with torch.nn's embedding, LSTM and cross-entropy, one sequence at a time."""
    for batch, steps, _, hidden in SHAPES:
        model = perturb(LanguageModel(LSTM(hidden, hidden), 7, tied=True))
        tokens, lengths = tokens_of(batch, steps + 1, 7)
        inputs, targets, lengths = tokens[:, :-1], tokens[:, 1:], lengths.clamp(max=steps)
        library = model.layer.to_library()
        weight = model.decoder.weight
        alone = []
        for row, target in zip(rows(inputs, lengths), rows(targets, lengths), strict=True):
            h, _ = library(F.embedding(row, weight)[None])
            alone.append(F.cross_entropy(h[0] @ weight.T + model.decoder.bias, target, reduction="none"))
        mine, its = of_library(model.layer, library, "_l0")
        shared = [weight, model.decoder.bias]
        yield compare(
            model.token_nll(inputs, targets, None, lengths)[0], padded(alone), shared + mine, shared + its
        )


def attention_kind(kind: str) -> Iterator[Difference]:
    """Compare attention with the equations, one query and one state at a time."""
    for batch, steps, inputs, hidden in SHAPES:
        size = inputs if kind in ("additive", "general") else hidden
        attention: Any = perturb(ATTENTIONS[kind](hidden, size))
        memory, lengths = drawn(batch, steps, size)
        query = torch.randn(batch, 3, hidden, dtype=torch.float64, requires_grad=True)
        contexts, weights = [], []
        for number, row in enumerate(rows(memory, lengths)):
            answers = [attend(kind, attention, s, row) for s in query[number]]
            contexts.append(torch.stack([context for context, _ in answers]))
            weights.append(F.pad(torch.stack([w for _, w in answers]), (0, steps - len(row))))
        theirs = (torch.stack(contexts), torch.stack(weights))
        yield compare(attention(query, memory, lengths), theirs, [query, memory, *attention.parameters()])


def encoder_decoder(kind: str | None) -> Iterator[Difference]:
    """Compare teacher-forced logits and α with the equations, token by token."""
    for batch, steps, _, hidden in SHAPES[:3]:
        model = perturb(Seq2Seq(partial(GRU, reset="before"), 6, 7, hidden, bos=0, attention=kind))
        source, lengths = tokens_of(batch, steps, 6)
        target = torch.randint(7, (batch, 4))
        logits, weights = [], []
        for row, wanted in zip(rows(source, lengths), target, strict=True):
            features, alpha = answers(model, kind, row, wanted)
            logits.append(features @ model.output.weight.T + model.output.bias)
            weights.append(None if alpha is None else F.pad(alpha, (0, steps - len(row))))
        theirs = (torch.stack(logits), torch.stack(weights) if kind else None)
        yield compare(tuple(model(source, lengths, target)), theirs, model.parameters())


def pointer() -> Iterator[Difference]:
    """Compare P over the extended vocabulary with equation and sum, one place at a time."""
    vocabulary = 6
    for batch, steps, _, hidden in SHAPES[:3]:
        model = perturb(PointerGenerator(partial(GRU, reset="before"), vocabulary, hidden, bos=0, unk=1))
        source, lengths = tokens_of(batch, steps, vocabulary)
        extra = 1 if steps == 1 else 2
        source[:, 0] = vocabulary  # an extra word, which stands there once more in longer sources
        source[:, 3:4] = vocabulary
        source[-1, 1:2] = vocabulary + extra - 1
        target = torch.randint(vocabulary, (batch, 4))
        known = torch.where(source < vocabulary, source, 1)
        spread = []
        for row, ids, wanted in zip(rows(known, lengths), rows(source, lengths), target, strict=True):
            features, alpha = answers(model, "additive", row, wanted)
            p_gen = torch.sigmoid(features @ model.switch.weight.T + model.switch.bias)
            written = (features @ model.output.weight.T + model.output.bias).softmax(1)
            chances = []
            for word in range(vocabulary + extra):
                copied = alpha[:, ids == word].sum(1) * (1 - p_gen[:, 0])
                chances.append(copied + p_gen[:, 0] * written[:, word] if word < vocabulary else copied)
            spread.append(torch.stack(chances, 1))
        ours = model(source, lengths, target).logits.exp()
        yield compare(ours, torch.stack(spread), model.parameters())


def tagger() -> Iterator[Difference]:
    """Compare the joint loss of a padded batch with sums over single sentences and tokens."""
    for batch, steps, inputs, hidden in SHAPES:
        model = perturb(MultiTaskTagger(Bidirectional(LSTM, inputs, hidden), 9, num_labels=2, num_tags=4))
        tokens, lengths = tokens_of(batch, steps, 9)
        labels, tags = torch.randint(2, (batch,)), torch.randint(4, (batch, steps))
        ours = multitask_loss(model(tokens, lengths), labels, tags, lengths, weight=0.3)
        by_label, by_tag = [], []
        for row, label, row_tags in zip(rows(tokens, lengths), labels, rows(tags, lengths), strict=True):
            said = model(row[None])
            by_label.append(-said.label.log_softmax(1)[0, label])
            by_tag += [-said.tags[0, t].log_softmax(0)[tag] for t, tag in enumerate(row_tags)]
        theirs = 0.7 * torch.stack(by_label).mean() + 0.3 * torch.stack(by_tag).mean()
        yield compare(ours, theirs, model.parameters())


def autoencoder() -> Iterator[Difference]:
    """Compare what is rebuilt with torch.nn's LSTMs, one sequence at a time."""
    for batch, steps, inputs, hidden in SHAPES:
        model = perturb(RecurrentAutoencoder(LSTM, inputs, hidden))
        x, lengths = drawn(batch, steps, inputs)
        encoder, decoder = model.encoder.to_library(), model.decoder.to_library()
        rebuilt = []
        for row in rows(x, lengths):
            _, state = encoder(row[None])
            read, _ = decoder(state[0].expand(1, len(row), hidden), state)
            rebuilt.append(model.readout(read[0]).flip(0))
        pairs = [of_library(model.encoder, encoder, "_l0"), of_library(model.decoder, decoder, "_l0")]
        shared = [x, *model.readout.parameters()]
        mine, its = (shared + [p for pair in pairs for p in pair[side]] for side in (0, 1))
        yield compare(model(x, lengths), padded(rebuilt), mine, its)


def ode_rnn(method: str) -> Iterator[Difference]:
    """Compare with torchdiffeq's solver, or Kutta's steps written out, one sequence at a time."""
    for batch, steps, inputs, hidden in SHAPES[:3]:
        model = perturb(ODERNN(inputs, hidden, method=method, steps=3))
        x, lengths = drawn(batch, steps, inputs)
        gaps = torch.rand(batch, steps, dtype=torch.float64, requires_grad=True)
        observed = torch.rand(batch, steps) < 0.7
        outputs, finals = [], []
        for number, row in enumerate(rows(x, lengths)):
            h, seen = torch.zeros(1, hidden, dtype=torch.float64), []
            for t, x_t in enumerate(row):
                h = evolve(model.field, h, gaps[number, t], method)
                if observed[number, t]:
                    h = model.cell(x_t[None], h)
                seen.append(h[0])
            outputs.append(torch.stack(seen))
            finals.append(h[0])
        ours = model(x, None, lengths, gaps=gaps, observed=observed)
        yield compare(ours, (padded(outputs), torch.stack(finals)), [x, gaps, *model.parameters()])


def linear_flow() -> Iterator[Difference]:
    """Compare the solver on dh/dt = A h with exp(A t) h_0: what is left is the method's own error."""
    for batch, _, _, hidden in SHAPES:
        field = torch.randn(hidden, hidden, dtype=torch.float64) / math.sqrt(hidden)
        h = torch.randn(batch, hidden, dtype=torch.float64, requires_grad=True)
        start, end = torch.zeros(batch, dtype=torch.float64), torch.rand(batch, dtype=torch.float64)
        ours = solve(lambda t, s, a=field: s @ a.T, h, start, end, method="rk4", steps=200)
        flows = [torch.from_numpy(scipy.linalg.expm(field.numpy() * t)) for t in end.tolist()]
        yield compare(ours, torch.stack([flow @ row for flow, row in zip(flows, h, strict=True)]), [h])


def reservoir_states() -> Iterator[Difference]:
    """Compare the reservoir with a NumPy loop over one sequence at a time."""
    for batch, steps, inputs, hidden in SHAPES:
        reservoir = Reservoir(inputs, 5 * hidden, leak=0.4, density=0.5, seed=steps)
        x, lengths = drawn(batch, steps, inputs)
        w_in, w, b = (p.numpy() for p in (reservoir.weight_ih, reservoir.weight_hh, reservoir.bias))
        outputs = []
        for row in rows(x.detach(), lengths):
            h, seen = np.zeros(5 * hidden), []
            for x_t in row.numpy():
                h = 0.6 * h + 0.4 * np.tanh(w_in @ x_t + w @ h + b)
                seen.append(torch.from_numpy(h))
            outputs.append(torch.stack(seen))
        theirs = (padded(outputs), torch.stack([row[-1] for row in outputs]))
        yield distance(flat(reservoir(x.detach(), None, lengths)), theirs), None


def readout() -> Iterator[Difference]:
    """Compare the fitted readout with scikit-learn's ridge regression on the same states."""
    for seed in range(3):
        network = EchoStateNetwork(Reservoir(2, 20, seed=seed), 2)
        x, y = torch.randn(3, 60, 2, dtype=torch.float64), torch.randn(3, 60, 2, dtype=torch.float64)
        network.fit(x, y, washout=10, penalty=0.1)
        features = torch.cat([x, network.reservoir(x)[0]], 2)[:, 10:].flatten(0, 1).numpy()
        other = Ridge(alpha=0.1, solver="cholesky").fit(features, y[:, 10:].flatten(0, 1).numpy())
        theirs = (torch.from_numpy(other.coef_), torch.from_numpy(other.intercept_))
        yield distance([network.weight_ho, network.bias_o], theirs), None


def hopfield_recall() -> Iterator[Difference]:
    """Compare weights, energies and recall with NumPy loops over units."""
    for seed, (count, size) in enumerate([(1, 5), (3, 30), (6, 40)]):
        patterns = hopfield.random_patterns(count, size, seed=seed)
        weight = hopfield.hebbian(patterns)
        by_hand = np.zeros((size, size))
        for i in range(size):
            for j in range(size):
                by_hand[i, j] = 0 if i == j else sum(p[i] * p[j] for p in patterns.tolist()) / size
        start = hopfield.flip_units(patterns, 0.2, seed=seed)
        result = hopfield.recall_asynchronous(weight, start, seed=seed)
        ends, falls = [], []
        for cue in start.numpy().copy():
            rng, energies = np.random.default_rng(seed), [-0.5 * cue @ by_hand @ cue]
            while len(energies) < result.energies.shape[1]:
                for i in rng.permutation(size):
                    drive = by_hand[i] @ cue
                    cue[i] = cue[i] if abs(drive) < 1e-12 else np.sign(drive)
                    energies.append(-0.5 * cue @ by_hand @ cue)
            ends.append(torch.from_numpy(cue))
            falls.append(torch.tensor(energies, dtype=torch.float64))
        theirs = [torch.from_numpy(by_hand), torch.stack(ends), torch.stack(falls)]
        yield distance([weight, result.state, result.energies], theirs), None


def transformer(norm_first: bool) -> Iterator[Difference]:
    """Compare the encoder, without its position codes, with torch.nn's under a padding mask."""
    for batch, steps, _, hidden in SHAPES[1:]:
        size = 2 * hidden
        model = perturb(TransformerEncoder(size, heads=2, num_layers=2, norm_first=norm_first))
        x, lengths = drawn(batch, steps, size)
        mask = torch.arange(steps) >= lengths[:, None]
        clean = torch.where(mask[..., None], 0.0, x)
        positions = [
            (math.cos if i % 2 else math.sin)(t / 10000 ** ((i - i % 2) / size))
            for t in range(steps)
            for i in range(size)
        ]
        theirs = clean + torch.tensor(positions, dtype=torch.float64).view(steps, size)
        mine, its = [x], [x]
        for layer in model.layers:
            library = layer.to_library()
            theirs = library(theirs, src_key_padding_mask=mask)
            for ours, name in zip(layer._parts(), LIBRARY_PARTS, strict=True):
                mine += ours.parameters()
                its += getattr(library, name).parameters()
            mine += layer.attention.output.parameters()
            its += library.self_attn.out_proj.parameters()
        theirs = torch.where(mask[..., None], 0.0, model.norm(theirs))
        yield compare(model(x, lengths)[0], theirs, mine, its)


def search() -> Iterator[Difference]:
    """Compare a beam that is wide enough with every output there is, on 200 random tables."""
    for seed in range(200):
        generator = torch.Generator().manual_seed(seed)
        size, length = 2 + seed % 3, 1 + seed % 4
        table = torch.randn(size, size, generator=generator, dtype=torch.float64)
        step = lambda tokens, state, table=table: (table[tokens], state)
        limits = {"eos": 1, "max_length": length, "penalty": mean_penalty, "n_best": 3}
        start = torch.tensor([0])
        (best,) = beam_search(step, start, (), width=max(3, size**length), **limits)
        (true,) = brute_force(step, start, (), **limits)
        same = [one.tokens for one in best] == [one.tokens for one in true]
        gap = max(abs(one.score - other.score) for one, other in zip(best, true, strict=True))
        yield gap if same else math.inf, None


def families() -> dict[tuple[str, str], Callable[[], Iterator[Difference]]]:
    """Return the comparisons of this file by (family, reference)."""
    equations = "its equations, token by token"
    listed: dict[tuple[str, str], Callable[[], Iterator[Difference]]] = {
        (f"classifier, {pooling}", "one sequence at a time"): partial(classifier, pooling)
        for pooling in POOLINGS
    }
    listed["language model, tied", "nn.LSTM, one at a time"] = language_model
    for kind in ATTENTIONS:
        listed[f"attention, {kind}", "its equations, query by query"] = partial(attention_kind, kind)
    for attention in (None, "additive", "dot"):
        listed[f"encoder-decoder, {attention or 'plain'}", equations] = partial(encoder_decoder, attention)
    return listed | {
        ("pointer-generator", "sums over places"): pointer,
        ("multi-task tagger", "one sentence at a time"): tagger,
        ("autoencoder", "nn.LSTM, one at a time"): autoencoder,
        ("ODE-RNN, rk4", "Kutta's steps"): partial(ode_rnn, "rk4"),
        ("ODE-RNN, rk4_38", "torchdiffeq"): partial(ode_rnn, "rk4_38"),
        ("ODE solver, 200 steps", "matrix exponential"): linear_flow,
        ("echo state, states", "NumPy loop"): reservoir_states,
        ("echo state, readout", "scikit-learn's Ridge"): readout,
        ("Hopfield", "NumPy loops over units"): hopfield_recall,
        ("Transformer, pre-norm", "nn.TransformerEncoderLayer"): partial(transformer, True),
        ("Transformer, post-norm", "nn.TransformerEncoderLayer"): partial(transformer, False),
        ("beam search", "brute force, 200 tables"): search,
    }
