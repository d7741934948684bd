# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # GRU and other gated cells
#
# *A coffee, please. No, a tea. Actually, make it two.* A waiter needs one line of a notepad for this and makes two decisions at
# every sentence. How much of the line stays? At *no, a tea* nothing does. And how much of the old line is needed to write the new
# one? For *a tea*, none; for *make it two*, all of it: two of what? A gated recurrent unit, GRU for short, decides the same two
# things with two gates, and needs no other memory than its hidden state.
#
# By the end you will be able to
#
# - write the equations of a GRU in both published forms, count its parameters beside an LSTM's, and say which gate does whose work;
# - program its gates so that they agree with the library's up to rounding, and watch them open and close on a task;
# - handle sequences of different lengths: padding, masks, a masked loss, packed batches;
# - compare gated cells fairly, at equal size and at equal parameters, over several seeds: a cell with a single gate against GRU and LSTM,
#   and GRU against LSTM in translation.
#
# **Time:** about five hours, in as many sittings as you like. **Points:**
#
# {{points}}

# %% [markdown]
# ## How to work
#
# 1. Put your answer where a cell shows `...` or raises `NotImplementedError`. Keep the names: the checks look for them.
# 2. Run the cell under it. It checks the form of your answer and says what looks wrong; tests that you do not see decide the points.
#    Each part of an answer earns its own, and an exercise left blank costs no other.
# 3. Written answers show what earns each fraction of a point. Double-click the cell and write below the rubric.
# 4. Save, press **Validate**, and submit. Validate runs the whole notebook anew, trainings included, and lists every check that does not
#    pass yet.
#
# Under each heading stand points, minutes and difficulty (1 easy to 5 hard). Theory needs a pencil; keep the projects for last.
# Trainings take their number of steps from the environment variable `COURSE_BUDGET`, set before JupyterLab starts: `default` suits a
# laptop, `quick` only shows that a cell runs, `full` is for a free evening.

# %% role="setup" grade_id="setup"
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_utils import plotting, runtime, training

plotting.use_course_style()
runtime.seed_everything(1)
print(f"device: {runtime.device()}, budget: {runtime.budget()}")

# %% [markdown]
# ## The idea in brief
#
# A GRU (Cho et al., 2014) computes two gates from the input and the old state, each a vector of $H$ numbers between 0 and 1:
#
# $$r_t = \sigma(W_{ir}\,x_t + b_{ir} + W_{hr}\,h_{t-1} + b_{hr}), \qquad
#   z_t = \sigma(W_{iz}\,x_t + b_{iz} + W_{hz}\,h_{t-1} + b_{hz}).$$
#
# The **reset gate** $r_t$ says how much of the old state is consulted in writing a **candidate** $n_t$; the **update gate** $z_t$ says how
# much of the old state stays. The new state lies between the old one and the candidate, unit by unit:
#
# $$h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}.$$
#
# Two things differ between sources, and both are worth a look before you copy weights or equations.
#
# | | one form | the other form |
# |---|---|---|
# | **where the reset gate stands** | *before* the product, in the final version of the paper and in most textbooks | *after* it, in the paper's first draft, in cuDNN and in `nn.GRU`; the bias $b_{hn}$ is then under the gate too |
# | **what $z_t$ multiplies** | the *old* state, as above: Cho et al. and PyTorch. $z_t = 1$ keeps everything | the *candidate*, $h_t = (1 - z_t) \odot h_{t-1} + z_t \odot n_t$: Chung et al. (2014) and many textbooks. $z_t = 1$ overwrites everything |
#
# The two candidates, before and after:
#
# $$n_t = \tanh\big(W_{in}\,x_t + b_{in} + W_{hn}(r_t \odot h_{t-1}) + b_{hn}\big),$$
#
# $$n_t = \tanh\big(W_{in}\,x_t + b_{in} + r_t \odot (W_{hn}\,h_{t-1} + b_{hn})\big).$$
#
# The second difference is one of names: call $1 - z$ what was $z$, and nothing else changes. The first is not: with more than one unit the two
# cells compute different functions. This notebook follows PyTorch unless it says otherwise.
#
# For comparison, an LSTM, with three gates and two vectors that pass from step to step:
#
# $$f_t,\; i_t,\; o_t = \sigma(\dots), \qquad g_t = \tanh(\dots), \qquad
#   c_t = f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t).$$
#
# Every one of these four blocks reads $x_t$ and $h_{t-1}$, with matrices and a bias of its own.
#
# The picture shows one unit whose candidate jumps up at step 5 and down at step 25, for four constant update gates. Of what a
# unit holds, the share $z$ is left after each step, so $z$ sets how long it remembers.

# %% role="show"
brief_steps = np.arange(1, 41)
brief_candidate = np.where((brief_steps >= 5) & (brief_steps < 25), 0.9, -0.9)
brief_fig, brief_ax = plt.subplots(figsize=(8.5, 3.4))
brief_ax.step(
    brief_steps, brief_candidate, where="mid", color=plotting.GRAY, linestyle="--", label="candidate n"
)
for brief_z, brief_color in (
    (0.0, plotting.BLACK),
    (0.6, plotting.BLUE),
    (0.9, plotting.ORANGE),
    (0.99, plotting.GREEN),
):
    brief_states, brief_h = [], -0.9
    for brief_n in brief_candidate:
        brief_h = (1 - brief_z) * brief_n + brief_z * brief_h
        brief_states.append(brief_h)
    brief_ax.plot(brief_steps, brief_states, color=brief_color, label=f"state h, z = {brief_z:g}")
brief_ax.set(
    xlabel="step t", ylabel="value of one unit", title="the update gate sets how long a unit remembers"
)
brief_ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
plotting.show(
    brief_fig,
    alt="One unit over 40 steps. The candidate is a square wave. With z = 0 the state equals it; "
    "with z = 0.6 it follows within a few steps; with z = 0.9 it is still on its way after twenty; "
    "with z = 0.99 it hardly moves.",
)

# %% [markdown]
# ## Theory
#
# ### A GRU and an LSTM in numbers
# *4 points · 10 minutes · difficulty 2*
#
# Both have input size $I = 128$ and hidden size $H = 256$, one layer, and nothing on top. Every gate and every candidate has its own
# $H \times I$ matrix, its own $H \times H$ matrix and a bias. Two **bias conventions** are in use: *one* vector of $H$ numbers for each
# gate or candidate, as most textbooks count, or *two*, as `nn.GRU` and `nn.LSTM` keep them (one beside each matrix). Give all trainable numbers
#
# - `gru_one_bias`, `lstm_one_bias`: with one bias vector for each gate or candidate;
# - `gru_two_biases`, `lstm_two_biases`: with the library's two;
# - `gru_over_lstm`: the GRU's number divided by the LSTM's, with one bias vector;
# - `gru_same_budget`: the largest hidden size of a GRU ($I = 128$, one bias vector) that has no more parameters than the LSTM above with one
#   bias vector.

# %% role="answer" grade_id="gru-lstm-count"
### BEGIN SOLUTION
gru_one_bias = 3 * (128 * 256 + 256 * 256 + 256)  # GRU, one bias vector for each gate or candidate
lstm_one_bias = 4 * (128 * 256 + 256 * 256 + 256)  # LSTM, one bias vector
gru_two_biases = 3 * (128 * 256 + 256 * 256 + 2 * 256)  # GRU, the library's two
lstm_two_biases = 4 * (128 * 256 + 256 * 256 + 2 * 256)  # LSTM, the library's two
gru_over_lstm = 3 / 4  # GRU's number divided by the LSTM's, one bias vector
gru_same_budget = 303  # largest hidden size of a GRU within the LSTM's budget
### END SOLUTION

# %% role="test" grade_id="gru-lstm-count-test" points=4
import numpy as np

from course_utils.checking import CheckFailed, checking, expect, expect_number, student
from course_utils.checking.expect import number_of

with checking("gru-lstm-count") as check:
    with check.part("positive numbers, whole but for the quotient"):
        for name in ("gru_one_bias", "lstm_one_bias", "gru_two_biases", "lstm_two_biases", "gru_same_budget"):
            count_number = number_of(getattr(student, name), name)
            count_whole = count_number > 0 and count_number == int(count_number)
            expect(count_whole, f"{name}: expected a whole positive number, got {count_number:g}")
        expect(
            number_of(student.gru_over_lstm, "gru_over_lstm") > 0, "gru_over_lstm: expected a positive number"
        )
    ### BEGIN HIDDEN TESTS
    inputs, units = 128, 256
    one, two = inputs * units + units * units + units, inputs * units + units * units + 2 * units
    exactly = {"rtol": 0, "atol": 1e-6}

    def slips(blocks, biases):
        """What common slips would give, by the sentence that names them."""
        matrices = blocks * (inputs * units + units * units)
        total = matrices + blocks * biases * units
        other = "a GRU has" if blocks == 3 else "an LSTM has"
        return total, {
            "the biases are missing": matrices,
            "the candidate is missing: it has weights of its own, as every gate has": total
            * (blocks - 1)
            // blocks,
            f"{other} {blocks - 1} gates and one candidate: {blocks} blocks of weights": total
            * (7 - blocks)
            // blocks,
            "only one of the blocks is counted": total // blocks,
            "that is a count with two bias vectors in each block": matrices + blocks * 2 * units,
            "that is a count with one bias vector in each block": matrices + blocks * units,
            "the matrices from state to state are missing": blocks * (inputs * units + biases * units),
            "the matrices from the input are missing": blocks * (units * units + biases * units),
            "a bias holds one number for each unit, not one for each block": matrices + blocks * biases,
            "all blocks share one bias here; each has its own": matrices + biases * units,
            "the matrix from the state is H × H, that from the input H × I": blocks
            * (2 * inputs * units + biases * units),
        }

    def counted_blocks(name, blocks):
        """The blocks behind a count of the student's: one less where the candidate is missing, and nothing else."""
        try:
            number = number_of(getattr(student, name), name)
        except CheckFailed:
            return blocks
        return blocks - 1 if number == (blocks - 1) * one else blocks

    # Who forgets the candidate pays for it in the two counts; what follows rightly from them is right.
    gru_blocks, lstm_blocks = counted_blocks("gru_one_bias", 3), counted_blocks("lstm_one_bias", 4)

    def expect_count(name, blocks, biases):
        total, suspects = slips(blocks, biases)
        expect_number(getattr(student, name), total, name, suspects, **exactly)

    def expect_following(name, right, following, suspects, **tolerance):
        """The right number, or the one that follows from counts without the candidate."""
        found = number_of(getattr(student, name), name)
        if not np.isclose(found, following, **tolerance):
            expect_number(found, right, name, suspects, **tolerance)

    for name, blocks in (("gru_one_bias", 3), ("lstm_one_bias", 4)):
        with check.part(name.replace("_", " "), points=1):
            expect_count(name, blocks, 1)
    for name, blocks, own in (("gru_two_biases", 3, gru_blocks), ("lstm_two_biases", 4, lstm_blocks)):
        with check.part(name.replace("_", " "), points=0.5):
            total, suspects = slips(blocks, 2)
            expect_following(name, total, own * two, suspects, **exactly)
    with check.part("the quotient", points=0.5):
        suspects = {
            "turned round: that is the LSTM's number over the GRU's": 4 / 3,
            "a GRU has three blocks of weights, not two: two gates and a candidate": 0.5,
            "an LSTM has four blocks of weights, not three: three gates and a candidate": 2 / 3,
        }
        expect_following("gru_over_lstm", 0.75, gru_blocks / lstm_blocks, suspects, rtol=1e-3, atol=0)
    with check.part("equal budgets", points=0.5):
        suspects = {
            "one unit more than the budget allows": 304,
            "a unit more would still fit": 302,
            "more blocks do not scale the hidden size by 4/3: the H × H matrices grow with the square": 341,
            "more blocks do not scale the hidden size by 4/3 (and one bias or so)": 342,
            "the input matrices are missing, or do not grow with the square of H as the others do": 295,
            "that is the LSTM's own hidden size; a GRU of that size has parameters to spare": 256,
            "the candidate is missing in both counts: it has weights of its own, as every gate has": 325,
            "sizes are whole numbers: round down, so that the budget is kept": 303.88,
        }
        following = 1
        while gru_blocks * (following + 1) * (inputs + following + 2) <= lstm_blocks * one:
            following += 1
        expect_following("gru_same_budget", 303, following, suspects, **exactly)
    ### END HIDDEN TESTS

# %% [markdown]
# ### What each cell carries, and where
# *2 points · 5 minutes · difficulty 2*
#
# **`gru_carries`.** What does a GRU hand from one step to the next?
#
# - `"a"` A hidden state and, beside it, a cell state that the outside never sees.
# - `"b"` A hidden state alone; what it stores and what it shows are one vector.
# - `"c"` A cell state alone; the hidden state is computed anew from the input.
# - `"d"` Its two gates; the state is rebuilt from them.
#
# **`gru_gates`.** Which gates does a GRU have? Give them all, separated by commas, out of `"input"`, `"forget"`, `"output"`, `"reset"` and
# `"update"`.
#
# **`hidden_in_lstm`.** An LSTM can store a number for later without showing it to the output layer or to its own gates meanwhile. What makes
# that possible?
#
# - `"a"` The forget gate: closed, it hides the cell state.
# - `"b"` The tanh around the cell state: large values become invisible.
# - `"c"` The output gate: closed, it keeps what is in the cell state out of the hidden state.
# - `"d"` The input gate: closed, it keeps what is in the cell state out of the hidden state.
#
# **`rule_of_complexity`.** *LSTM for complex tasks, GRU for simple ones.* What is this sentence?
#
# - `"a"` A theorem: on complex tasks an LSTM ends with fewer errors than a GRU, on simple ones with more.
# - `"b"` A rule of thumb: large comparisons find no winner across tasks, so the task at hand has to decide, at equal budgets.
# - `"c"` A definition: a task counts as complex when it needs a cell state.
# - `"d"` Disproved: in every published comparison a GRU does better than an LSTM.

# %% role="answer" grade_id="gru-or-lstm-facts"
### BEGIN SOLUTION
gru_carries = "b"  # what passes from step to step: "a", "b", "c" or "d"
gru_gates = "reset, update"  # all gates of a GRU, separated by commas
hidden_in_lstm = "c"  # what lets an LSTM store without showing: "a", "b", "c" or "d"
rule_of_complexity = "b"  # what the sentence is: "a", "b", "c" or "d"
### END SOLUTION

# %% role="test" grade_id="gru-or-lstm-facts-test" points=2
from course_utils.checking import checking, chosen_of, expect_choice, student

fact_letters, fact_gates = ["a", "b", "c", "d"], ["input", "forget", "output", "reset", "update"]
with checking("gru-or-lstm-facts") as check:
    with check.part("letters, and names of gates"):
        for name in ("gru_carries", "hidden_in_lstm", "rule_of_complexity"):
            chosen_of(getattr(student, name), fact_letters, name)
        chosen_of(student.gru_gates, fact_gates, "gru_gates", several=True)
    ### BEGIN HIDDEN TESTS
    with check.part("what a GRU carries", points=0.5):
        suspects = {
            "a": "that is the LSTM, with two vectors; a GRU has one",
            "c": "there is no cell state in the equations of a GRU",
            "d": "gates are computed anew at every step, from the input and the state that was carried",
        }
        expect_choice(student.gru_carries, "b", fact_letters, "gru_carries", suspects)
    with check.part("gates of a GRU", points=0.5):
        theirs = "that one belongs to the LSTM"
        suspects = {"input": theirs, "forget": theirs, "output": theirs}
        expect_choice(student.gru_gates, {"reset", "update"}, fact_gates, "gru_gates", suspects)
    with check.part("storing without showing", points=0.5):
        suspects = {
            "a": "a closed forget gate erases the cell state; then there is nothing left to hide",
            "b": "tanh squeezes large values to ±1, which is loud, not silent",
            "d": "the input gate stands where numbers enter the cell state; what is in there shows at the other end",
        }
        expect_choice(student.hidden_in_lstm, "c", fact_letters, "hidden_in_lstm", suspects)
    with check.part("a rule about complexity", points=0.5):
        suspects = {
            "a": "what is proved is what a cell can represent, such as a count; nothing of the kind says who ends with fewer errors",
            "c": "a complex task is not defined by the network that is used on it",
            "d": "there are published comparisons that favor each of the two",
        }
        expect_choice(student.rule_of_complexity, "b", fact_letters, "rule_of_complexity", suspects)
    ### END HIDDEN TESTS

# %% [markdown] role="written" grade_id="gru-or-lstm-written" points=3
# ### GRU or LSTM: tell them apart and choose
# *3 points · 12 minutes · difficulty 3 · marked by hand*
#
# A textbook sums it up like this: *the LSTM has three gates and two states and suits complex, long-range tasks; the GRU is simpler and
# suits small data and quick training.* Write eight to ten sentences: set the two cells side by side, say what in this summary follows
# from the equations and what does not, and describe how you would decide between them for a task of your own.
#
# | what earns points | points |
# |---|---|
# | States and gates of both, each gate with what it multiplies | 1 |
# | What follows from the equations: who has fewer blocks of weights, hence fewer numbers and products at equal hidden size; what the LSTM can hide | 0.5 |
# | What does not follow: that complex or long-range tasks need an LSTM; both carry the state along an additive path | 0.75 |
# | A decision by experiment: equal budgets, several seeds, a held-out score, and the cost that matters | 0.75 |
#
# ### BEGIN SOLUTION
# An LSTM carries two vectors. The forget gate multiplies the old cell state, the input gate multiplies the candidate, their sum is the new cell
# state, and the output gate multiplies its tanh, which gives the hidden state. A GRU carries one. The update gate multiplies the old
# state, one minus it multiplies the candidate, and the reset gate multiplies what the candidate gets to see of the old state. From this it
# follows that a GRU has three blocks of weights where the LSTM has four: a quarter less to store, to multiply and
# to fit at equal hidden size. It also follows that an LSTM can store a number and not show it, and that its
# forget and input gates can both be open, so that a cell can count, while a GRU's state stays between -1 and 1. It does not follow that
# complex or long tasks need an LSTM: both move the old state to the new one by a product with a gate and a sum, and a gate
# near one keeps state and gradient for as long as it stays there. Nor does it follow that a GRU trains better on few data; it has fewer
# numbers, but so has a smaller LSTM. For a task of mine, tagging entries of a ship's log, I would give both the same number of parameters, tune
# the learning rate of each on the validation part, train five seeds, and compare means with their spread on
# the test part. If they differ by less than the seeds do, I take the one that is faster or smaller on the device that has to run it.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# Row one: 0.5 for each cell; names of gates without what they multiply earn half. Row two: 0.25 for the quarter, 0.25 for one thing that
# only the LSTM can do (hide, grow beyond ±1, or count: Weiss, Goldberg & Yahav, 2018). Row three: needs the additive path or an equivalent (a gate near 1 keeps the state in
# both); "it depends" alone earns 0.25. Row four: 0.25 each for equal budgets, several seeds with a spread, and a criterion; any task will do.
# ### END MARK SCHEME

# %% [markdown]
# ### A GRU reads short posts
# *2 points · 5 minutes · difficulty 2*
#
# A GRU of 64 units is to tell whether a post of ten to forty words is friendly or not.
#
# **`honest_advantage`.** Which advantage over an LSTM of 64 units can you count on before any training?
#
# - `"a"` Higher accuracy, since posts are short.
# - `"b"` Fewer recurrent parameters, and so less memory and fewer products a word.
# - `"c"` It reads all words of a post at the same time.
# - `"d"` It does not overfit, since it has two gates.
#
# **`long_posts`.** *On very long texts GRUs do worse than LSTMs, which capture long-distance dependencies better.* What is missing for this
# to follow from the equations?
#
# - `"a"` A reason why a GRU with $z$ near 1 should lose what an LSTM with its forget gate near 1 keeps.
# - `"b"` Nothing: a GRU has no memory beyond the last word.
# - `"c"` Nothing: a GRU has no additive path, so its gradients vanish as a vanilla RNN's do.
# - `"d"` A reason why posts should need a cell state rather than an embedding.
#
# **`shared_limit`.** Choose every limitation that hits the LSTM in the same way. Write the letters as one text (`"a, b"`) or as a list.
#
# - `"a"` Irony, whose sign lies in what everyone knows and the post does not say.
# - `"b"` Words and emoji that were not in the training posts.
# - `"c"` One word after the other: a post of forty words takes forty steps that cannot run side by side.
# - `"d"` Its whole memory is also what the output layer sees.
#
# **`fair_test`.** You compare GRU and LSTM on these posts. Which result carries the most weight?
#
# - `"a"` The GRU's best of ten seeds beats the LSTM's best of three.
# - `"b"` At equal hidden size and one seed, the LSTM is 0.4 points better.
# - `"c"` At equal parameters, learning rates tuned for each, five seeds: the means differ by three standard errors.
# - `"d"` A paper on long documents found that the LSTM is better.

# %% role="answer" grade_id="gru-sentiment"
### BEGIN SOLUTION
honest_advantage = "b"  # what you can count on before any training: "a", "b", "c" or "d"
long_posts = "a"  # what is missing in the claim: "a", "b", "c" or "d"
shared_limit = "a, b, c"  # the letters of all limitations that the LSTM shares
fair_test = "c"  # the result that carries the most weight: "a", "b", "c" or "d"
### END SOLUTION

# %% role="test" grade_id="gru-sentiment-test" points=2
from course_utils.checking import checking, chosen_of, expect_choice, student

sentiment_letters = ["a", "b", "c", "d"]
with checking("gru-sentiment") as check:
    with check.part("letters"):
        for name in ("honest_advantage", "long_posts", "fair_test"):
            chosen_of(getattr(student, name), sentiment_letters, name)
        chosen_of(student.shared_limit, sentiment_letters, "shared_limit", several=True)
    ### BEGIN HIDDEN TESTS
    with check.part("an advantage to count on", points=0.5):
        suspects = {
            "a": "accuracy is found by measuring; nothing in the equations promises it",
            "c": "a GRU is recurrent: each step waits for the state before it",
            "d": "fewer numbers alone protect nobody from overfitting",
        }
        expect_choice(student.honest_advantage, "b", sentiment_letters, "honest_advantage", suspects)
    with check.part("long posts", points=0.5):
        suspects = {
            "b": "z near 1 keeps the state for as long as it stays there",
            "c": "h = (1 - z) n + z h is a sum; where is the path that the state takes through it?",
            "d": "both cells read embeddings; the claim compares how long the two remember",
        }
        expect_choice(student.long_posts, "a", sentiment_letters, "long_posts", suspects)
    with check.part("limits they share", points=0.5):
        suspects = {"d": "that one is the GRU's own; the LSTM has an output gate before its output layer"}
        expect_choice(student.shared_limit, {"a", "b", "c"}, sentiment_letters, "shared_limit", suspects)
    with check.part("a fair test", points=0.5):
        suspects = {
            "a": "the best of ten draws is better than the best of three even if both draw alike",
            "b": "one seed says little: what do two seeds of one cell differ by? And the LSTM has a third more parameters",
            "d": "other texts, other lengths, other budgets; your posts decide",
        }
        expect_choice(student.fair_test, "c", sentiment_letters, "fair_test", suspects)
    ### END HIDDEN TESTS

# %% [markdown] role="written" grade_id="gru-sentiment-written" points=3
# ### A GRU for posts: what speaks for it, what limits it
# *3 points · 10 minutes · difficulty 3 · marked by hand*
#
# A small company wants to sort the posts that mention it into friendly and unfriendly, on a phone. Advise them in eight to ten sentences:
# what a GRU offers here, where it will fail, and how they find out whether it is good enough.
#
# | what earns points | points |
# |---|---|
# | Two advantages that hold here, each with its reason (size and products at equal hidden size; the state as a summary of any length; gates that carry a *not* to its adjective; it reads word by word, as the post is typed) | 1 |
# | Two limits with an example each: irony, new words and emoji, class imbalance, drift, what comes after the word | 1 |
# | A measurement: a baseline without order, held-out posts later in time, a score that fits, seeds with spread | 0.75 |
# | No claim about length or accuracy that is neither measured nor derived | 0.25 |
#
# ### BEGIN SOLUTION
# A GRU of 64 units over word vectors of 32 has about 19 000 recurrent parameters, 4 bytes each, three quarters of what an LSTM of that size needs,
# and the same share of its products: that suits a phone. It reads a post of any length into one vector, word by word, so a verdict
# can be shown while the post is being typed. Its gates can carry a *not* to the adjective it turns, which a count of words cannot. It will
# fail where the words do not decide: *great, my third broken charger this year* is unfriendly only for readers who know chargers. It will
# fail on words that it has never seen, a new nickname of the product or an emoji with a new meaning, and those come every month. If nine of ten
# posts are friendly, a network that always says "friendly" is right in nine of ten, so accuracy would flatter it. I would first
# train a classifier on word counts, then the GRU and a smaller LSTM with as many parameters, five seeds each, and test all on
# posts written after the last training post. I would report F1 on the unfriendly class as mean ± standard deviation and read fifty mistakes. If the
# GRU does not beat the word counts by more than its seeds vary, the company does not need it. Whether long posts are
# harder for it I would not guess: the same table by length of post will say.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# Row one: 0.5 for each advantage with its reason; "efficient" without a number, a ratio or a reason earns 0.25. Row two: 0.5 each, half without
# an example. Limits that any word-level model shares count. Row three: 0.25 each for baseline, held-out posts (in time or by author), score or
# spread. Row four: withhold it for "GRUs cannot handle long posts" or "a GRU is more accurate on short ones" stated as fact.
# ### END MARK SCHEME

# %% [markdown]
# ### The difference in one line
# *2 points · 4 minutes · difficulty 2*
#
# *A GRU merges the LSTM's forget and input gates into one.* Make the line precise, in PyTorch's convention
# $h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}$. Options for the first two are `"z"`, `"1 - z"`, `"r"` and `"1 - r"`.
#
# - `acts_as_forget`: what multiplies the old state, as the forget gate $f$ does in $c_t = f \odot c_{t-1} + i \odot g$;
# - `acts_as_input`: what multiplies the candidate, as the input gate $i$ does;
# - `no_counterpart_in_gru`: the gate of the LSTM that stands between what is stored and what the output layer sees; a GRU has none. `"forget"`,
#   `"input"` or `"output"`;
# - `impossible_for_gru`: what an LSTM unit can do and a GRU unit cannot, since its two factors are coupled: `"keep all of the old value and add
#   all of the new"`, `"keep all of the old value and add nothing"`, or `"drop the old value and take the new"`.

# %% role="answer" grade_id="one-line-difference"
### BEGIN SOLUTION
acts_as_forget = "z"  # "z", "1 - z", "r" or "1 - r"
acts_as_input = "1 - z"  # "z", "1 - z", "r" or "1 - r"
no_counterpart_in_gru = "output"  # "forget", "input" or "output"
impossible_for_gru = "keep all of the old value and add all of the new"  # one of the three texts above
### END SOLUTION

# %% role="test" grade_id="one-line-difference-test" points=2
from course_utils.checking import checking, chosen_of, expect_choice, student

line_factors = ["z", "1 - z", "r", "1 - r"]
lstm_gates = ["forget", "input", "output"]
line_deeds = [
    "keep all of the old value and add all of the new",
    "keep all of the old value and add nothing",
    "drop the old value and take the new",
]


def line_spelled(name):
    """The answer, with a typographic minus as a plain one and without an index t."""
    value = getattr(student, name)
    return value.replace("\u2212", "-").replace("_t", "") if isinstance(value, str) else value


with checking("one-line-difference") as check:
    with check.part("each is one of its options"):
        for name in ("acts_as_forget", "acts_as_input"):
            chosen_of(line_spelled(name), line_factors, name)
        chosen_of(student.no_counterpart_in_gru, lstm_gates, "no_counterpart_in_gru")
        chosen_of(student.impossible_for_gru, line_deeds, "impossible_for_gru")
    ### BEGIN HIDDEN TESTS
    reset = "the reset gate acts inside the candidate; the line above has no r in it"
    with check.part("acts as the forget gate", points=0.5):
        suspects = {
            "1 - z": "that stands before the candidate; it would be right where the roles of z are reversed",
            "r": reset,
            "1 - r": reset,
        }
        expect_choice(line_spelled("acts_as_forget"), "z", line_factors, "acts_as_forget", suspects)
    with check.part("acts as the input gate", points=0.5):
        suspects = {
            "z": "that stands before the old state; it would be right where the roles of z are reversed",
            "r": reset,
            "1 - r": reset,
        }
        expect_choice(line_spelled("acts_as_input"), "1 - z", line_factors, "acts_as_input", suspects)
    with check.part("without a counterpart", points=0.5):
        suspects = {
            "forget": "something multiplies the old state of a GRU too",
            "input": "something multiplies the candidate of a GRU too",
        }
        expect_choice(student.no_counterpart_in_gru, "output", lstm_gates, "no_counterpart_in_gru", suspects)
    with check.part("what coupling forbids", points=0.5):
        suspects = {
            "keep all of the old value and add nothing": "z = 1 does exactly that",
            "drop the old value and take the new": "z = 0 does exactly that",
        }
        expect_choice(student.impossible_for_gru, line_deeds[0], line_deeds, "impossible_for_gru", suspects)
    ### END HIDDEN TESTS

# %% [markdown]
# The reset gate has no exact counterpart either: it filters the old state for the candidate alone, while an LSTM's output gate filters it for
# everything that reads $h$.
#
# ### Means with and without a mask
# *3 points · 8 minutes · difficulty 2*
#
# Two sequences of lengths 4 and 2 share a batch, so the second is padded to 4 steps. A model gives a loss and a logit at every step, at
# the padding too, where both mean nothing (the padding, shown in parentheses, is easy to predict, hence the small losses):
#
# | | step 1 | step 2 | step 3 | step 4 |
# |---|---|---|---|---|
# | losses of sequence 1 | 0.2 | 0.6 | 0.4 | 0.8 |
# | losses of sequence 2 | 1.0 | 0.5 | (0.1) | (0.1) |
# | logits of sequence 2 | 1.2 | −0.4 | (2.5) | (2.5) |
#
# Give, exactly or to three decimals,
#
# - `loss_masked`: the mean loss of all real steps of the batch, each step weighing the same;
# - `loss_unmasked`: what `losses.mean()` gives;
# - `loss_zeroed`: what `(losses * mask).mean()` gives, with a mask of ones at real steps and zeros at the padding;
# - `loss_by_sequence`: the mean over both sequences of each one's mean over its real steps;
# - `logit_masked`: the mean logit over the real steps of sequence 2;
# - `logit_unmasked`: the mean logit over all four.

# %% role="answer" grade_id="padding-by-hand"
### BEGIN SOLUTION
loss_masked = 3.5 / 6  # mean over real steps
loss_unmasked = 3.7 / 8  # losses.mean()
loss_zeroed = 3.5 / 8  # (losses * mask).mean()
loss_by_sequence = (2.0 / 4 + 1.5 / 2) / 2  # mean of the two sequences' means
logit_masked = 0.8 / 2  # sequence 2, real steps
logit_unmasked = 5.8 / 4  # sequence 2, all four steps
### END SOLUTION

# %% role="test" grade_id="padding-by-hand-test" points=3
from course_utils.checking import checking, expect_number, student
from course_utils.checking.expect import number_of

with checking("padding-by-hand") as check:
    with check.part("six numbers"):
        for name in ("masked", "unmasked", "zeroed", "by_sequence"):
            number_of(getattr(student, f"loss_{name}"), f"loss_{name}")
        for name in ("masked", "unmasked"):
            number_of(getattr(student, f"logit_{name}"), f"logit_{name}")
    ### BEGIN HIDDEN TESTS
    close = {"rtol": 0, "atol": 1.5e-3}
    padded = "losses at the padding are in it"
    counted = "the padding is counted in the denominator: there are six real steps"
    with check.part("masked mean", points=0.5):
        suspects = {
            padded: 3.7 / 8,
            counted: 3.5 / 8,
            "padding is added above, though the six below are right": 3.7 / 6,
            "that averages the two sequences' means, so a step of the short sequence weighs double": 0.625,
            "that is the sum; divide it by the number of real steps": 3.5,
            "that divides by the number of sequences": 1.75,
            "right so far, but three digits are asked for": 0.58,
        }
        expect_number(student.loss_masked, 3.5 / 6, "loss_masked", suspects, **close)
    with check.part("unmasked mean", points=0.5):
        suspects = {
            "that is the masked mean; losses.mean() knows nothing of lengths": 3.5 / 6,
            "losses.mean() takes the padding's losses as they are, not as zeros": 3.5 / 8,
            "losses.mean() divides by all eight entries": 3.7 / 6,
        }
        expect_number(student.loss_unmasked, 3.7 / 8, "loss_unmasked", suspects, **close)
    with check.part("zeroed, then averaged", points=0.5):
        suspects = {
            "that divides by the real steps; .mean() still divides by all eight": 3.5 / 6,
            "the mask sets the padding's losses to zero": 3.7 / 8,
        }
        expect_number(student.loss_zeroed, 3.5 / 8, "loss_zeroed", suspects, **close)
    with check.part("mean of means", points=0.5):
        suspects = {
            "that lets each step weigh the same; here each sequence does": 3.5 / 6,
            "the second sequence's mean has the padding in it": (0.5 + 0.425) / 2,
            "the second sequence has two steps to divide by, not four": (0.5 + 0.375) / 2,
            "that is the sum of the two means": 1.25,
            "that averages over the sequences first; each sequence's own mean was asked for": 0.5875,
        }
        expect_number(student.loss_by_sequence, 0.625, "loss_by_sequence", suspects, **close)
    with check.part("masked logit", points=0.5):
        suspects = {
            "logits at the padding are in it": 5.8 / 4,
            "zeros at the padding are no real steps: divide by two, not by four": 0.2,
            "that is the sum of the two, or the second one lost its sign": 0.8,
        }
        expect_number(student.logit_masked, 0.4, "logit_masked", suspects, **close)
    with check.part("unmasked logit", points=0.5):
        suspects = {
            "that is the masked mean": 0.4,
            "that takes the padding's logits for zeros": 0.2,
            "the second logit is negative": 6.6 / 4,
            "there are four steps to divide by": 5.8 / 2,
        }
        expect_number(student.logit_unmasked, 1.45, "logit_unmasked", suspects, **close)
    ### END HIDDEN TESTS

# %% [markdown]
# Padding that is easy to predict makes the unmasked loss look better than the model is; and the logit would have called sequence 2 a clear case
# on the strength of steps that do not exist.
#
# ### Before or after the product
# *2 points · 8 minutes · difficulty 3*
#
# One step of a GRU with two units, once with the reset gate before the product and once after it (both forms stand in *The idea in brief*). The
# gates are already computed:
#
# $$h_{t-1} = \begin{pmatrix} 0.8 \\ -0.4 \end{pmatrix},\quad
#   r = \begin{pmatrix} 1 \\ 0.5 \end{pmatrix},\quad
#   z = \begin{pmatrix} 0.25 \\ 0.75 \end{pmatrix},\quad
#   W_{in}x_t + b_{in} = \begin{pmatrix} 0.1 \\ 0.3 \end{pmatrix},\quad
#   W_{hn} = \begin{pmatrix} 0.5 & 1 \\ 1 & -0.5 \end{pmatrix},\quad
#   b_{hn} = \begin{pmatrix} 0.2 \\ -0.6 \end{pmatrix}.$$
#
# Give, exactly or to three decimals (a list of two numbers each),
#
# - `n_before`: the candidate with the reset gate before the product;
# - `n_after`: the candidate with the reset gate after it, as in `nn.GRU`;
# - `h_before`: the new state with `n_before`;
#
# and one number: `one_unit_gap`, the largest difference that there can be between both candidates of a GRU with a *single* unit and $b_{hn} = 0$.

# %% role="answer" grade_id="reset-placement"
### BEGIN SOLUTION
n_before = [0.462, 0.537]  # candidate, reset before the product: two numbers
n_after = [0.291, 0.462]  # candidate, reset after the product: two numbers
h_before = [0.547, -0.166]  # new state with n_before: two numbers
one_unit_gap = 0  # largest difference of both candidates with a single unit and no b_hn
### END SOLUTION

# %% role="test" grade_id="reset-placement-test" points=2
import numpy as np

from course_utils.checking import (
    CheckFailed,
    as_array,
    checking,
    expect,
    expect_close,
    expect_number,
    student,
)
from course_utils.checking.expect import number_of

with checking("reset-placement") as check:
    with check.part("two numbers for a vector, one for the gap"):
        for name in ("n_before", "n_after", "h_before"):
            expect(as_array(getattr(student, name), name).size == 2, f"{name}: expected two numbers")
        number_of(student.one_unit_gap, "one_unit_gap")
    ### BEGIN HIDDEN TESTS
    h, r, z = np.array([0.8, -0.4]), np.array([1, 0.5]), np.array([0.25, 0.75])
    read, u, b = np.array([0.1, 0.3]), np.array([[0.5, 1.0], [1.0, -0.5]]), np.array([0.2, -0.6])
    before, after = read + u @ (r * h) + b, read + r * (u @ h + b)
    close = {"rtol": 0, "atol": 2e-3}

    def flat(name):
        return as_array(getattr(student, name), name).reshape(-1)

    tanh_less = "that is the sum; the candidate is its tanh"
    shared = {
        "the reset gate is missing": np.tanh(read + u @ h + b),
        "the reset gate multiplies everything, the input's share too": np.tanh(r * (read + u @ h + b)),
    }
    candidate_slips = shared | {
        tanh_less: before,
        "that is the other form: multiply h by r first, then take the product": np.tanh(after),
        "the bias b_hn is missing": np.tanh(before - b),
        "1 - r stands where r should": np.tanh(read + u @ ((1 - r) * h) + b),
        "the bias is outside the tanh": np.tanh(before - b) + b,
        "the input's share is missing": np.tanh(before - read),
        "the matrix's columns are multiplied where its rows should be": np.tanh(
            read + (r * h) * u.sum(1) + b
        ),
    }

    def follows_from_a_slip():
        """Is h_before blended rightly from an n_before that carries one of these slips, which costs its own points?"""
        try:
            own, state = flat("n_before"), flat("h_before")
        except CheckFailed:
            return False
        if own.shape != (2,) or state.shape != (2,):
            return False
        slipped = any(np.allclose(own, value, **close) for value in candidate_slips.values())
        return slipped and np.allclose(state, (1 - z) * own + z * h, **close)

    with check.part("candidate, before", points=0.5):
        expect_close(flat("n_before"), np.tanh(before), "n_before", candidate_slips, **close)
    with check.part("candidate, after", points=0.5):
        suspects = shared | {
            tanh_less: after,
            "that is the other form: take the product and its bias first, then multiply by r": np.tanh(
                before
            ),
            "the bias b_hn is under the gate too, in this form": np.tanh(read + r * (u @ h) + b),
            "the bias b_hn is missing": np.tanh(read + r * (u @ h)),
            "1 - r stands where r should": np.tanh(read + (1 - r) * (u @ h + b)),
            "the input's share is missing": np.tanh(after - read),
        }
        expect_close(flat("n_after"), np.tanh(after), "n_after", suspects, **close)
    with check.part("new state", points=0.5):
        n = np.tanh(before)
        suspects = {
            "z and 1 - z are swapped: z multiplies the old state": (1 - z) * h + z * n,
            "that is made from the other candidate": (1 - z) * np.tanh(after) + z * h,
            "that is the candidate": n,
            "the candidate's share is missing": z * h,
            "the old state's share is missing": (1 - z) * n,
            "r stands where z should": (1 - r) * n + r * h,
            "the candidate is the tanh of the sum": (1 - z) * before + z * h,
            "1 - z is missing before the candidate": n + z * h,
        }
        if not follows_from_a_slip():
            expect_close(flat("h_before"), (1 - z) * n + z * h, "h_before", suspects, **close)
    with check.part("a single unit", points=0.5):
        suspects = {
            "two tanh values differ by less than 2; but write both forms down for one unit first": 2.0,
            "write both forms down for one unit: U, r and h are three numbers": 1.0,
        }
        expect_number(student.one_unit_gap, 0.0, "one_unit_gap", suspects, atol=1e-6)
    ### END HIDDEN TESTS

# %% [markdown]
# The first two lines differ although all weights are the same. So a cell that computes one form cannot use weights that were trained in the other.
# The last line says when it does not matter: products of numbers may be reordered, products with a matrix may not.

# %% [markdown]
# ## Coding
#
# Each exercise stands on its own: none needs the answer to another. Arrays are batch first everywhere: `B` sequences, `T` steps, then the features
# (`I` inputs, `H` hidden units).

# %% [markdown]
# ### The gates of a GRU, in both placements
# *14 points · 30 minutes · difficulty 3*
#
# `nn.GRU` hides its gates: it returns states, and you cannot see what was kept or overwritten. Write the cell yourself and you can look inside, and
# choose where the reset gate stands, which the library does not let you. With the gate after the product your cell computes
# what `nn.GRU` computes and can load its weights:
#
# $$\begin{aligned}
# r &= \sigma(W_{ir}\,x + b_{ir} + W_{hr}\,h + b_{hr}), \qquad z = \sigma(W_{iz}\,x + b_{iz} + W_{hz}\,h + b_{hz}),\\
# n &= \tanh\big(W_{in}\,x + b_{in} + r \odot (W_{hn}\,h + b_{hn})\big) \quad\text{(after)}\quad\text{or}\quad
#      \tanh\big(W_{in}\,x + b_{in} + W_{hn}(r \odot h) + b_{hn}\big) \quad\text{(before)},\\
# h' &= (1 - z) \odot n + z \odot h.
# \end{aligned}$$
#
# The library keeps the three blocks of rows in one parameter, in the order $r$, $z$, $n$: rows $0 \dots H-1$ of `weight_ih` are $W_{ir}$, the
# next $H$ are $W_{iz}$, the last $H$ are $W_{in}$; `weight_hh` and both biases likewise. `__init__` is given, so that everybody's cell has
# the same parameters. Write the rest; the library's recurrent layers and cells score nothing here.
#
# <details><summary>I'm not sure where to start</summary>
#
# `W_ir, W_iz, W_in = self.weight_ih.chunk(3)` cuts the rows into blocks of $H$; so does `chunk` for the biases. For a batch of rows, $W x$ becomes
# `x @ W.T`. Gates first: two sums, two sigmoids. In the candidate write the share of the input, $W_{in}x + b_{in}$, on a line of its own:
# the reset gate never touches it. Then ask what stands inside the parentheses behind $r$, in each of the two forms. In `gated_states`,
# collect the states in a list and stack them along axis 1; `x.unbind(1)` gives the steps one by one.
# </details>


# %% role="answer" grade_id="gru-gates"
class GatedCell(nn.Module):
    """One step of a GRU (Cho et al., 2014), with the reset gate after or before the product with the state.

    Args:
        input_size: I.
        hidden_size: H.
        reset_after: the placement; True is `nn.GRU`'s, with b_hn under the gate too.

    Parameters, as in `nn.GRUCell`: weight_ih (3H, I), weight_hh (3H, H), bias_ih (3H,), bias_hh (3H,), each with its
    blocks in the order r, z, n.
    """

    def __init__(self, input_size, hidden_size, reset_after=True):
        super().__init__()
        self.hidden_size, self.reset_after = hidden_size, reset_after
        bound = hidden_size**-0.5
        for name, shape in (
            ("weight_ih", (3 * hidden_size, input_size)),
            ("weight_hh", (3 * hidden_size, hidden_size)),
            ("bias_ih", (3 * hidden_size,)),
            ("bias_hh", (3 * hidden_size,)),
        ):
            setattr(self, name, nn.Parameter(torch.empty(shape).uniform_(-bound, bound)))

    def gates(self, x, h):
        """Compute the gates of one step.

        Args:
            x: input, (B, I).
            h: the state before this step, (B, H).

        Returns:
            r, z: reset gate and update gate, (B, H) each.
        """
        ### BEGIN SOLUTION
        size = 2 * self.hidden_size
        from_input = x @ self.weight_ih[:size].T + self.bias_ih[:size]  # (B, 2H)
        from_state = h @ self.weight_hh[:size].T + self.bias_hh[:size]
        r, z = torch.sigmoid(from_input + from_state).chunk(2, dim=1)
        return r, z
        ### END SOLUTION

    def candidate(self, x, h, r):
        """Compute the candidate n, (B, H), from the input (B, I), the state (B, H) and a reset gate (B, H)."""
        ### BEGIN SOLUTION
        first = 2 * self.hidden_size
        from_input = x @ self.weight_ih[first:].T + self.bias_ih[first:]
        weight, bias = self.weight_hh[first:], self.bias_hh[first:]
        if self.reset_after:
            return torch.tanh(from_input + r * (h @ weight.T + bias))
        return torch.tanh(from_input + (r * h) @ weight.T + bias)
        ### END SOLUTION

    def forward(self, x, h=None):
        """Advance one step.

        Args:
            x: input, (B, I).
            h: the state before this step, (B, H); None means zeros of x's dtype.

        Returns:
            the state after it, (B, H), of x's dtype. Neither x nor h is changed, nothing is kept between calls, and
            gradients reach x, h and every parameter.
        """
        ### BEGIN SOLUTION
        if h is None:
            h = x.new_zeros(len(x), self.hidden_size)
        r, z = self.gates(x, h)
        return (1 - z) * self.candidate(x, h, r) + z * h
        ### END SOLUTION


def gated_states(cell, x, h0=None):
    """Run a cell over sequences.

    Args:
        cell: called as cell(x_t, h) with x_t (B, I) and h (B, H) or None; returns the next state (B, H).
        x: (B, T, I), T at least 1.
        h0: the state before the first step, (B, H), or None.

    Returns:
        h_1 … h_T, (B, T, H). Gradients reach x, h0 and the cell's parameters through all steps.
    """
    ### BEGIN SOLUTION
    states, h = [], h0
    for x_t in x.unbind(1):
        h = cell(x_t, h)
        states.append(h)
    return torch.stack(states, dim=1)
    ### END SOLUTION


# %% role="try"
layer_now = nn.GRU(3, 5, batch_first=True)
weights_now = {name.removesuffix("_l0"): value for name, value in layer_now.state_dict().items()}
batch_now = torch.randn(2, 7, 3)
for placement_now in (True, False):
    cell_now = GatedCell(3, 5, reset_after=placement_now)
    cell_now.load_state_dict(weights_now)
    gap_now = (gated_states(cell_now, batch_now) - layer_now(batch_now)[0]).abs().max().item()
    print(f"reset_after={placement_now}: largest difference from nn.GRU {gap_now:.1e}")
# The first should be about 1e-7, the second about 1e-1.

# %% role="test" grade_id="gru-gates-test" points=14
import math

import numpy as np
import torch

from course_utils.checking import (
    CheckFailed,
    StudentError,
    as_array,
    checking,
    expect,
    expect_close,
    expect_shape,
    forbid,
    student,
)


def loaded_cell(weights, inputs, units, **options):
    """The student's cell with these weights, in their dtype."""
    cell = student.GatedCell(inputs, units, **options)
    cell.to(weights["bias_ih"].dtype)
    try:
        cell.load_state_dict(weights)
    except StudentError as error:
        raise CheckFailed(f"the parameters are not those of the contract: {error.message}") from None
    return cell


def both_gates(cell, x, h):
    """The student's r and z."""
    pair = cell.gates(x, h)
    expect(isinstance(pair, tuple | list) and len(pair) == 2, "gates returns two tensors, r and z")
    return pair


with student.without("rnn"), checking("gru-gates") as check:
    gru_library = (
        *("torch.nn.RNN*", "torch.nn.LSTM*", "torch.nn.GRU*", "torch.gru*", "torch.nn.modules.rnn*"),
        *("torch.rnn_*", "torch.lstm*"),
    )
    for name in ("GatedCell", "gated_states"):
        forbid(
            name,
            *gru_library,
            why="the exercise asks you to write the cell, so the library's layers do not count",
        )
    with check.part("one step of two units"):
        gru_known = {
            "weight_ih": torch.tensor([[1.0], [-1.0], [0.5], [2.0], [1.0], [0.0]]),
            "weight_hh": torch.tensor(
                [[0.0, 1.0], [0.5, 0.0], [1.0, 0.0], [0.0, -1.0], [0.5, 1.0], [1.0, -0.5]]
            ),
            "bias_ih": torch.tensor([0.0, 0.5, 0.0, -1.0, 0.1, 0.4]),
            "bias_hh": torch.tensor([0.2, 0.0, -0.3, 0.0, 0.2, -0.4]),
        }
        x_one, h_one = torch.tensor([[0.5]]), torch.tensor([[0.8, -0.4]])
        cell_one = loaded_cell(gru_known, 1, 2)
        r_one, z_one = both_gates(cell_one, x_one, h_one)
        expect_close(
            r_one,
            [[0.57444252, 0.59868766]],
            what="the reset gate r",
            suspects={"that is the update gate; gates returns r, then z": [[0.67917869, 0.59868766]]},
            reveal=True,
        )
        expect_close(z_one, [[0.67917869, 0.59868766]], what="the update gate z", reveal=True)
        given_r = torch.tensor([[1.0, 0.5]])
        expect_close(
            cell_one.candidate(x_one, h_one, given_r),
            [[0.66403677, 0.60436778]],
            what="the candidate with r = (1, 0.5), reset_after=True",
            reveal=True,
        )
        expect_close(
            loaded_cell(gru_known, 1, 2, reset_after=False).candidate(x_one, h_one, given_r),
            [[0.76159416, 0.71629787]],
            what="the candidate with r = (1, 0.5), reset_after=False",
            reveal=True,
        )
        expect_close(
            cell_one(x_one, h_one),
            [[0.74024163, 0.01761081]],
            what="the state after the step, reset_after=True",
            suspects={"z multiplies the old state here, and the rest goes to n": [[0.67349152, 0.22300212]]},
            reveal=True,
        )
    with check.part("states of a batch of sequences"):
        expect_shape(
            student.gated_states(cell_one, torch.zeros(3, 4, 1)),
            (3, 4, 2),
            "gated_states (B, T, H)",
            {"they are stacked time first": (4, 3, 2), "only the last state came back": (3, 2)},
        )

    ### BEGIN HIDDEN TESTS
    def waves(*shape, phase):
        return torch.sin(1.7 * torch.arange(math.prod(shape), dtype=torch.float64) + phase).reshape(shape)

    def weights_for(inputs, units):
        return {
            "weight_ih": waves(3 * units, inputs, phase=1),
            "weight_hh": waves(3 * units, units, phase=2),
            "bias_ih": 0.7 * waves(3 * units, phase=3),
            "bias_hh": 0.6 * waves(3 * units, phase=4.5),
        }

    def blocks_of(w):
        """W, U, b, c of the gates r, z and of n: input matrix, state matrix, input bias, state bias."""
        return [
            tuple(w[name].chunk(3)[i] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            for i in range(3)
        ]

    def step(w, x, h, after=True):
        """r, z, n and the new state, in the equations' own words."""
        (w_r, u_r, b_r, c_r), (w_z, u_z, b_z, c_z), (w_n, u_n, b_n, c_n) = blocks_of(w)
        r = torch.sigmoid(x @ w_r.T + b_r + h @ u_r.T + c_r)
        z = torch.sigmoid(x @ w_z.T + b_z + h @ u_z.T + c_z)
        past = r * (h @ u_n.T + c_n) if after else (r * h) @ u_n.T + c_n
        n = torch.tanh(x @ w_n.T + b_n + past)
        return r, z, n, (1 - z) * n + z * h

    w, x, h = weights_for(3, 3), waves(4, 3, phase=6), waves(4, 3, phase=7)  # I = H: no product can fail
    sigmoid = torch.sigmoid

    def gate_mistakes(i):
        """What slips in gate i (0: r, 1: z) would give."""
        (w_g, u_g, b_g, c_g), other = blocks_of(w)[i], 1 - i
        total = x @ w_g.T + b_g + h @ u_g.T + c_g
        w_n, u_n, b_n, c_n = blocks_of(w)[2]
        both = "r" if i == 0 else "z"
        return {
            f"that is the {'update' if i == 0 else 'reset'} gate: the blocks stand in the order r, z, n, and "
            "gates returns r, then z": step(w, x, h)[other],
            "this is made from the rows of n": sigmoid(x @ w_n.T + b_n + h @ u_n.T + c_n),
            f"that is 1 - {both}": sigmoid(-total),
            "the old state h does not enter: a gate looks at input and state": sigmoid(total - h @ u_g.T),
            "neither the old state h nor its bias enters": sigmoid(x @ w_g.T + b_g),
            "the input does not enter": sigmoid(total - x @ w_g.T),
            "W_h is transposed: for rows, W h is h @ W.T": sigmoid(x @ w_g.T + b_g + h @ u_g + c_g),
            "W_i is transposed: for rows, W x is x @ W.T": sigmoid(x @ w_g + b_g + h @ u_g.T + c_g),
            "both matrices are transposed: for rows, W x is x @ W.T": sigmoid(x @ w_g + b_g + h @ u_g + c_g),
            "weight_ih meets the state and weight_hh the input": sigmoid(h @ w_g.T + b_g + x @ u_g.T + c_g),
            "bias_hh is missing": sigmoid(total - c_g),
            "bias_ih is missing": sigmoid(total - b_g),
            "both biases are missing": sigmoid(total - b_g - c_g),
            "bias_ih is added twice": sigmoid(total + b_g - c_g),
            "this is a tanh; a gate is a sigmoid, between 0 and 1": torch.tanh(total),
            "the sigmoid is missing: a gate lies between 0 and 1": total,
            "this is the piecewise linear sigmoid of other libraries": torch.nn.functional.hardsigmoid(total),
            "this is the piecewise linear sigmoid of other libraries (slope 0.2)": (0.2 * total + 0.5).clamp(
                0, 1
            ),
            "the sigmoid is applied twice": sigmoid(sigmoid(total)),
            "each share has a sigmoid of its own: add the shares first, then take one sigmoid": sigmoid(
                x @ w_g.T + b_g
            )
            + sigmoid(h @ u_g.T + c_g),
            "the biases are added after the sigmoid": sigmoid(total - b_g - c_g) + b_g + c_g,
        }

    for i, name in ((0, "reset gate"), (1, "update gate")):
        with check.part(name, points=2):
            for options in ({}, {"reset_after": False}):  # the placement is no business of the gates
                got = both_gates(loaded_cell(w, 3, 3, **options), x, h)[i]
                expect_close(got, step(w, x, h)[i], f"the {name}", gate_mistakes(i), rtol=1e-9)
            odd, x_odd, h_odd = weights_for(2, 5), waves(3, 2, phase=6), waves(3, 5, phase=7)
            expect_close(
                both_gates(loaded_cell(odd, 2, 5), x_odd, h_odd)[i],
                step(odd, x_odd, h_odd)[i],
                what=f"the {name} with B, I, H = 3, 2, 5",
            )

    gate = 0.5 + 0.45 * waves(4, 3, phase=2.2)  # a reset gate to be given to `candidate`
    w_n, u_n, b_n, c_n = blocks_of(w)[2]
    seen = x @ w_n.T + b_n
    right_after, right_before = seen + gate * (h @ u_n.T + c_n), seen + (gate * h) @ u_n.T + c_n

    def candidate_mistakes(after):
        """What slips in the candidate would give."""
        right = right_after if after else right_before
        r = gate

        def past(state_matrix, state_bias, gate):
            return (
                gate * (h @ state_matrix.T + state_bias)
                if after
                else (gate * h) @ state_matrix.T + state_bias
            )

        sums = {
            "the reset gate is missing: all of the old state enters": seen + h @ u_n.T + c_n,
            "b_hn stands outside the gate; in this form the gate multiplies the product and its bias": seen
            + r * (h @ u_n.T)
            + c_n,
            "b_hn is under the gate; in this form the gate multiplies h alone": seen
            + (r * h) @ u_n.T
            + r * c_n,
            "the gate multiplies the input's share too; it belongs to the state's alone": r
            * (seen + h @ u_n.T + c_n),
            "the gate multiplies the input's share, not the state's": r * seen + h @ u_n.T + c_n,
            "the gate multiplies the input's product and the state's, but not the biases": r * (x @ w_n.T)
            + b_n
            + past(u_n, c_n, r),
            "the gate acts twice, before the product and after it": seen + r * ((r * h) @ u_n.T + c_n),
            "1 - r stands where r should": seen + past(u_n, c_n, 1 - r),
            "W_hn is transposed: for rows, W h is h @ W.T": seen + past(u_n.T, c_n, r),
            "W_in is transposed: for rows, W x is x @ W.T": x @ w_n + b_n + past(u_n, c_n, r),
            "both matrices are transposed: for rows, W x is x @ W.T": x @ w_n + b_n + past(u_n.T, c_n, r),
            "bias_hh is missing": seen + past(u_n, 0, r),
            "bias_ih is missing": right - b_n,
            "both biases are missing": seen - b_n + past(u_n, 0, r),
            "the old state does not enter": seen,
            "the input does not enter": past(u_n, c_n, r),
            "weight_ih meets the state and weight_hh the input": x @ u_n.T
            + c_n
            + (r * (h @ w_n.T + b_n) if after else (r * h) @ w_n.T + b_n),
        }
        for block, gate_name in ((0, "r"), (1, "z")):
            w_g, u_g, b_g, c_g = blocks_of(w)[block]
            made = x @ w_g.T + b_g
            made = made + (r * (h @ u_g.T + c_g) if after else (r * h) @ u_g.T + c_g)
            sums[f"this is made from the rows of {gate_name}; n has the last H rows"] = made
        wrong_place = (
            "the gate stands before the product (it multiplies h); with reset_after=True it multiplies the product"
            if after
            else "the gate stands after the product; with reset_after=False it multiplies h, before the product"
        )
        other = right_before if after else right_after
        mistakes = {wrong_place: torch.tanh(other)}
        if not after:
            sums["b_hn stands outside the gate, but the product is under it: multiply h first"] = (
                seen + r * (h @ u_n.T) + c_n
            )
        mistakes |= {sentence: torch.tanh(value) for sentence, value in sums.items()}
        return mistakes | {
            "this is a sigmoid; the candidate is a tanh": sigmoid(right),
            "the tanh is missing": right,
            "the gate multiplies the finished candidate": r * torch.tanh(seen + h @ u_n.T + c_n),
            "the tanh covers the state's share only": seen + torch.tanh(past(u_n, c_n, r)),
            "the share of the state is added after the tanh": torch.tanh(seen) + past(u_n, c_n, r),
        }

    for after, name in ((True, "after"), (False, "before")):
        with check.part(f"candidate, reset gate {name} the product", points=2):
            cell = loaded_cell(w, 3, 3, reset_after=after)
            expect_close(
                cell.candidate(x, h, gate),
                torch.tanh(right_after if after else right_before),
                what=f"the candidate with reset_after={after}",
                suspects=candidate_mistakes(after),
                rtol=1e-9,
            )
            odd, x_odd, h_odd = weights_for(2, 5), waves(3, 2, phase=6), waves(3, 5, phase=7)
            r_odd, _, n_odd, _ = step(odd, x_odd, h_odd, after)
            expect_close(
                loaded_cell(odd, 2, 5, reset_after=after).candidate(x_odd, h_odd, r_odd),
                n_odd,
                what=f"the candidate with reset_after={after} and B, I, H = 3, 2, 5",
            )

    def handed_over_wrongly(r, after):
        """The candidate, given r for the state and the state for r."""
        return torch.tanh(seen + (h * (r @ u_n.T + c_n) if after else (h * r) @ u_n.T + c_n))

    with check.part("the new state lies between", points=2):
        for after in (True, False):
            cell = loaded_cell(w, 3, 3, reset_after=after)
            try:  # gates and candidate are questions of their own: what you make of yours is asked here
                r, z = (torch.as_tensor(as_array(gate_now, "a gate")) for gate_now in both_gates(cell, x, h))
                n = torch.as_tensor(as_array(cell.candidate(x, h, r), "the candidate"))
                own = (1 - z) * n + z * h
                exchanged = handed_over_wrongly(r, after)
            except (CheckFailed, RuntimeError, ValueError):
                r, z, n, own = step(w, x, h, after)
                exchanged = handed_over_wrongly(r, after)
            got, right = cell(x, h), step(w, x, h, after)[3]
            numbers = as_array(got, "the new state")
            if numbers.shape == (4, 3) and abs(numbers - right.numpy()).max() < 1e-9:
                own = right
            expect_close(
                got,
                own,
                what=f"the new state with reset_after={after}",
                suspects={
                    "z and 1 - z are swapped: z multiplies the old state, 1 - z the candidate": (1 - z) * h
                    + z * n,
                    "the old state does not enter": (1 - z) * n,
                    "the candidate does not enter": z * h,
                    "all of the candidate is added; only 1 - z of it should be": n + z * h,
                    "all of the old state is kept; only z of it should be": (1 - z) * n + h,
                    "that is the candidate": n,
                    "r stands where z should": (1 - r) * n + r * h,
                    "r stands where z should, and the roles are swapped": (1 - r) * h + r * n,
                    "r multiplies the old state here too; its place is inside the candidate": (1 - z) * n
                    + z * r * h,
                    "there is a tanh around the new state": torch.tanh(own),
                    "the state that was given is not used: the step begins with zeros": step(
                        w, x, 0 * h, after
                    )[3],
                    "state and reset gate are handed to `candidate` in the wrong order": (1 - z) * exchanged
                    + z * h,
                },
                rtol=1e-9,
            )

    # A cell of the test's own, so that a slip in yours costs nothing here.
    def leaky(x_t, h_t=None):
        return torch.tanh(x_t) + 0.5 * (torch.zeros_like(x_t) if h_t is None else h_t)

    def unroll(cell, x, h, carry=True):
        first, states = h, []
        for t in range(x.shape[1]):
            h = cell(x[:, t], h if carry else first)
            states.append(h)
        return torch.stack(states, 1)

    with check.part("states over a sequence", points=1):
        x_long, start = waves(2, 5, 3, phase=0.3), waves(2, 3, phase=0.9)
        zeros = torch.zeros(2, 3, dtype=torch.float64)
        for h0 in (start, None):
            right = unroll(leaky, x_long, h0)
            first = zeros if h0 is None else h0
            expect_close(
                student.gated_states(leaky, x_long, *(() if h0 is None else (h0,))),
                right,
                what="states " + ("without h0" if h0 is None else "with an h0"),
                suspects={
                    "h0 is ignored: the first step starts from zeros": unroll(leaky, x_long, zeros),
                    "the state is not carried: every step starts from h0": unroll(
                        leaky, x_long, first, carry=False
                    ),
                    "they are stacked time first; batch comes first": right.transpose(0, 1),
                    "only the last state came back; all are asked for": right[:, -1],
                    "h0 is among the states; they are h_1 … h_T": torch.cat([first[:, None], right], 1),
                    "they are one step late: h_0 … h_{T-1}": torch.cat([first[:, None], right[:, :-1]], 1),
                    "the last step is missing": right[:, :-1],
                    "the sequence is read backward": unroll(leaky, x_long.flip(1), first).flip(1),
                    "the sequence is read from its end": unroll(leaky, x_long.flip(1), first),
                    "every step shows the last state: was one tensor changed in place and stored again?": right[
                        :, -1:
                    ].expand(-1, 5, -1),
                },
            )
        expect_close(
            student.gated_states(leaky, x_long[:1, :1]),
            unroll(leaky, x_long[:1, :1], None),
            what="a single sequence of a single step (an axis of length 1 stays)",
        )
        # Gradients: a bilinear layer stands for the cell, so that a slip in yours costs nothing here either.
        bilinear = torch.nn.Bilinear(3, 3, 3).double()
        made = {"weight": 0.4 * waves(3, 3, 3, phase=5), "bias": 0.3 * waves(3, phase=2)}
        bilinear.load_state_dict(made)
        theirs = student.build("torch.nn.Bilinear", 3, 3, 3)
        theirs.double()
        theirs.load_state_dict(made)
        ends, mix = [x_long.clone().requires_grad_(), start.clone().requires_grad_()], waves(2, 5, 3, phase=8)

        def gradients(cell):
            return torch.autograd.grad((mix * unroll(cell, *ends)).sum(), [*ends, bilinear.weight])

        one_step = gradients(lambda x_t, h_t: bilinear(x_t, h_t if h_t is ends[1] else h_t.detach()))
        got = student.backward(student.gated_states, theirs, x_long, start, weights=mix, of=theirs)
        found = [*got.inputs, got.parameters.get("weight")]
        for name, gradient, right, short in zip(
            ("x", "h0", "the cell's weights"), found, gradients(bilinear), one_step, strict=True
        ):
            expect(
                gradient is not None,
                f"no gradient reaches {name} through gated_states: is detach(), .data or no_grad() in the way?",
            )
            expect_close(
                gradient,
                right,
                what=f"the gradient that reaches {name} through five steps",
                suspects={
                    "it goes one step back and no further: is the state detached between steps?": short
                },
                rtol=1e-6,
            )
    with check.part("agrees with nn.GRU", points=1):
        for inputs, units, dtype, tolerance in ((3, 4, torch.float64, 1e-12), (2, 6, torch.float32, 1e-6)):
            layer = torch.nn.GRU(inputs, units, batch_first=True).to(dtype)
            given = {name: value.to(dtype) for name, value in weights_for(inputs, units).items()}
            layer.load_state_dict({f"{name}_l0": value for name, value in given.items()})
            x_long = waves(3, 12, inputs, phase=0.4).to(dtype)
            h0 = waves(3, units, phase=0.8).to(dtype)
            cell = loaded_cell(given, inputs, units)
            for start in (None, h0):
                with torch.no_grad():
                    want = layer(x_long, None if start is None else start[None])[0]
                    other = unroll(lambda x_t, h_t, g=given: step(g, x_t, h_t, False)[3], x_long, 0 * h0)
                got = student.gated_states(cell, x_long, start)
                what = f"12 steps beside nn.GRU's in {str(dtype).removeprefix('torch.')}"
                suspects = {"the reset gate stands before the product; nn.GRU's stands after it": other}
                expect_close(got, want, what, suspects, rtol=tolerance, atol=tolerance)
                expect(got.dtype == dtype, f"{what}: the states came back as {got.dtype}")
    with check.part("the other placement over a sequence", points=0.5):
        x_long, h0 = waves(3, 12, 3, phase=0.4), waves(3, 3, phase=0.8)
        arrays = [[block.numpy() for block in group] for group in blocks_of(w)]  # the reference, in NumPy
        state, states = h0.numpy(), []
        for x_t in x_long.numpy().swapaxes(0, 1):
            r_t, z_t = (
                1 / (1 + np.exp(-(x_t @ w_g.T + b_g + state @ u_g.T + c_g)))
                for w_g, u_g, b_g, c_g in arrays[:2]
            )
            n_t = np.tanh(x_t @ arrays[2][0].T + arrays[2][2] + (r_t * state) @ arrays[2][1].T + arrays[2][3])
            state = (1 - z_t) * n_t + z_t * state
            states.append(state)
        after_states = unroll(lambda x_t, h_t: step(w, x_t, h_t, True)[3], x_long, h0)
        expect_close(
            student.gated_states(loaded_cell(w, 3, 3, reset_after=False), x_long, h0),
            np.stack(states, 1),
            what="12 steps with reset_after=False",
            suspects={"reset_after is ignored: these are the states of the other form": after_states},
            rtol=1e-9,
        )
    with check.part("gradients", points=1):
        for after in (True, False):
            leaves = {name: value.clone().requires_grad_() for name, value in w.items()}
            ends = [x.clone().requires_grad_(), h.clone().requires_grad_()]
            out = step(leaves, *ends, after)[3]
            mix = waves(*out.shape, phase=8)
            (mix * out).sum().backward()
            got = student.backward(loaded_cell(w, 3, 3, reset_after=after), x, h, weights=mix)
            pairs = [(name, got.parameters.get(name), value.grad) for name, value in leaves.items()]
            pairs += [(name, g, end.grad) for name, g, end in zip(("x", "h"), got.inputs, ends, strict=True)]
            for name, gradient, want in pairs:
                expect(
                    gradient is not None,
                    f"no gradient reaches {name}: is .data, detach(), item() or no_grad() in the way?",
                )
                expect_close(gradient, want, what=f"the gradient that reaches {name}", rtol=1e-6)
    with check.part("no state given, nothing kept, nothing changed", points=0.5):
        cell = loaded_cell(w, 3, 3)
        try:
            fresh = cell(x)
        except StudentError as error:
            raise CheckFailed(
                f"h=None failed with a float64 input: take dtype and device of the zeros from x ({error})"
            ) from None
        expect_close(fresh, step(w, x, 0 * h)[3], what="a step without h (zeros)", rtol=1e-9)
        cell(x, h)
        kept = "a step without h, after another call: the state should not be kept between calls"
        expect_close(cell(x), fresh, what=kept)
        shared_x, shared_h = student.share(x), student.share(h)
        cell(shared_x, shared_h)
        expect_close(student.value(shared_h), h, what="your cell changed its argument h in place")
        expect_close(student.value(shared_x), x, what="your cell changed its argument x in place")
        student.gated_states(cell, student.share(waves(4, 2, 3, phase=1)), shared_h)
        expect_close(student.value(shared_h), h, what="gated_states changed its argument h0 in place")
    ### END HIDDEN TESTS

# %% [markdown]
# **Experiment.** *Sample and hold*: each step brings a number, some steps carry a mark, and after every step the network says the last marked number.
# So it has to overwrite at marks and to keep between them. Your cell learns it in both placements, in about five seconds;
# then look at its update gate $z$, on one sequence (left) and on average over 500, by the number of steps since the last mark (right).

# %% role="experiment"
HOLD_UNITS, HOLD_STEPS = 12, 20


def hold_sequences(count, seed):
    """Draw x (B, T, 2), a number in [-1, 1) and a mark, and the last marked number y (B, T)."""
    rng = np.random.default_rng(seed)
    numbers = rng.uniform(-1, 1, (count, HOLD_STEPS)).astype(np.float32)
    marks = rng.random((count, HOLD_STEPS)) < 0.2
    marks[:, 0] = True  # there is always something to hold
    last = np.maximum.accumulate(np.where(marks, np.arange(HOLD_STEPS), 0), axis=1)
    x = np.stack([numbers, marks.astype(np.float32)], axis=2)
    return torch.from_numpy(x), torch.from_numpy(np.take_along_axis(numbers, last, axis=1))


def train_holder(reset_after, updates, seed=0):
    """A trained cell and its read-out."""
    torch.manual_seed(seed)
    cell, head = GatedCell(2, HOLD_UNITS, reset_after=reset_after), nn.Linear(HOLD_UNITS, 1)
    parameters = [*cell.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters)
    x, y = hold_sequences(32 * updates, seed)
    for k in training.progress(range(updates), f"reset_after={reset_after}"):
        rows = slice(32 * k, 32 * k + 32)
        loss = F.mse_loss(head(gated_states(cell, x[rows]))[..., 0], y[rows])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.param_groups[0]["lr"] = 0.02 * (1 - k / updates)
        optimizer.step()
    return cell, head


@torch.no_grad()
def look_inside(cell, head, x):
    """The answers (B, T), and the mean over the units of the update gate (B, T)."""
    states = gated_states(cell, x)
    before = torch.cat([torch.zeros_like(states[:, :1]), states[:, :-1]], dim=1)  # h_0 … h_{T-1}
    z = torch.stack([cell.gates(x[:, t], before[:, t])[1] for t in range(x.shape[1])], dim=1)  # (B, T, H)
    return head(states)[..., 0], z.mean(dim=2)


x_hold, y_hold = hold_sequences(500, seed=10_000)
marked_hold = x_hold[..., 1].bool()
since_mark = torch.zeros(x_hold.shape[:2], dtype=torch.int64)
for hold_step in range(1, HOLD_STEPS):
    since_mark[:, hold_step] = torch.where(marked_hold[:, hold_step], 0, since_mark[:, hold_step - 1] + 1)

# One sequence to look at: four marks after the first, as evenly spread as they come
five_marks = (marked_hold.sum(1) == 5).nonzero()[:, 0]
hold_shown = int(five_marks[since_mark[five_marks].amax(1).argmin()])

hold_updates = runtime.steps(quick=10, default=350, full=2000)
with runtime.single_thread():
    two_holders = {reset_after: train_holder(reset_after, hold_updates) for reset_after in (True, False)}
fig, (hold_left, hold_right) = plt.subplots(1, 2, figsize=(9.5, 4.2), width_ratios=(1.5, 1))
print("reset gate   squared error   mean z at marks   mean z between")
with runtime.single_thread():
    for reset_after, mark_style in ((True, "o-"), (False, "s--")):
        hold_answers, z_mean = look_inside(*two_holders[reset_after], x_hold)
        name, hold_error = "after" if reset_after else "before", (hold_answers - y_hold).square().mean()
        at_marks, hold_between = z_mean[marked_hold].mean(), z_mean[~marked_hold].mean()
        print(f"{name:<12} {hold_error:<15.4f} {at_marks:<17.2f} {hold_between:.2f}")
        by_distance = [z_mean[since_mark == k].mean().item() for k in range(7)]
        hold_right.plot(range(7), by_distance, mark_style, label=f"reset {name}")
        if reset_after:
            hold_times = np.arange(1, HOLD_STEPS + 1)
            hold_left.step(
                hold_times, y_hold[hold_shown], where="mid", color=plotting.GRAY, label="last marked number"
            )
            hold_left.plot(hold_times, hold_answers[hold_shown], ".", color=plotting.BLUE, label="answer")
            hold_left.plot(
                hold_times, z_mean[hold_shown], color=plotting.ORANGE, label="update gate z, mean of units"
            )
            for hold_step in hold_times[marked_hold[hold_shown].numpy()]:
                hold_left.axvline(hold_step, color=plotting.BLACK, linestyle=":", linewidth=1)
hold_left.set(
    xlabel="step t (dotted: marked)", ylabel="value", ylim=(-1.1, 1.1), title="one sequence, reset after"
)
hold_left.set_xticks(range(0, HOLD_STEPS + 1, 5))
hold_left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, frameon=False)
hold_right.set(xlabel="steps since the last mark", ylabel="update gate z, mean", title="500 sequences")
hold_right.legend()
plotting.show(
    fig,
    alt="Left: one sequence of 20 steps. A gray staircase is the last marked number, blue dots are the "
    "answers, an orange line is the mean update gate, and dotted verticals stand at the marked steps. "
    "Right: the mean update gate against zero to six steps since the last mark, a line for each placement.",
)

# %% [markdown]
# ### Read the update gate while the cell holds
# *1 point · 3 minutes · difficulty 2*
#
# - `z_at_marks`: at marked steps, compared with the steps between, the mean update gate of the trained cell is `"lower"`, `"higher"` or `"no different"`.
# - `z_if_reversed`: now write the same trained network in the reversed convention $h' = (1 - z) \odot h + z \odot n$, so that it computes the same states. At
#   marked steps its update gate is then `"lower"`, `"higher"` or `"no different"`.

# %% role="answer" grade_id="gru-gates-plot"
### BEGIN SOLUTION
z_at_marks = "lower"  # "lower", "higher" or "no different"
z_if_reversed = "higher"  # "lower", "higher" or "no different"
### END SOLUTION

# %% role="test" grade_id="gru-gates-plot-test" points=1
from course_utils.checking import checking, chosen_of, expect_choice, student

gate_levels = ["lower", "higher", "no different"]
with checking("gru-gates-plot") as check:
    with check.part("one of the options each"):
        for name in ("z_at_marks", "z_if_reversed"):
            chosen_of(getattr(student, name), gate_levels, name)
    ### BEGIN HIDDEN TESTS
    with check.part("at marks", points=0.5):
        suspects = {
            "higher": "z multiplies the old state, and a mark says that the old number is over; look at the right panel",
            "no different": "compare 0 steps since the mark with 1 or 2 in the right panel",
        }
        expect_choice(student.z_at_marks, "lower", gate_levels, "z_at_marks", suspects)
    with check.part("with the roles reversed", points=0.5):
        suspects = {
            "lower": "the same states need the same factor before h; what is it called there?",
            "no different": "the same states need the same factor before h; what is it called there?",
        }
        expect_choice(student.z_if_reversed, "higher", gate_levels, "z_if_reversed", suspects)
    ### END HIDDEN TESTS

# %% [markdown]
# ### Padding, masks and a masked loss
# *11 points · 35 minutes · difficulty 3*
#
# A batch is a rectangle; sentences are not. The short ones are filled up with **padding**, and a **mask** remembers which places
# somebody wrote. Padding may stand before or after a sequence; here it stands after. You write the three tools
# that every later notebook relies on. The loss is the mean cross-entropy over the real tokens of the whole batch,
#
# $$\mathcal{L} = -\frac{1}{\sum_{b,t} m_{bt}} \sum_{b,t:\; m_{bt} = 1} \log p_{bt}(y_{bt}),$$
#
# so that every real token counts the same. (The mean of the sequences' own means is another number: there a token of a short
# sequence counts more.) Two traps lie on the way.
#
# - *What fills is not what tells.* Any number may fill the gaps, also one that is a real token elsewhere. Lengths and mask say
#   what is real; `tokens != padding_value` only guesses.
# - *Zero times NaN is NaN.* What stands at padding may be anything, NaN and infinity included, so multiplying
#   by the mask does not remove it, neither from the loss nor from the gradient.
#
# <details><summary>I'm not sure where to start</summary>
#
# *Batch:* make a full rectangle of `padding_value` and write each sequence over the beginning of its row. *Mask:* compare the step
# numbers `torch.arange(T)` with the lengths, one of the two as a column. *Loss:* a boolean mask `(B, T)` picks rows: `logits[mask]` is
# `(real tokens, V)`. What is never picked can harm nothing. What would the mean of no tokens be?
# </details>


# %% role="answer" grade_id="padding-masks"
def pad_batch(sequences, padding_value=0):
    """Set sequences of unequal length side by side, filled up at the end.

    Args:
        sequences: list of B sequences of integers, each a list, a NumPy array or a tensor (n,). Some, not all,
            may be empty: such a row is all padding.
        padding_value: the integer that fills; it may occur among the tokens too.

    Returns:
        tokens: (B, T) int64 tensor, T the longest sequence's length; each row begins with its sequence.
        lengths: (B,) int64 tensor, the sequences' own lengths.

    Raises:
        ValueError: the list holds no sequence.
    """
    ### BEGIN SOLUTION
    if len(sequences) == 0:
        raise ValueError("sequences must hold at least one sequence, got none")
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    tokens = torch.full((len(sequences), int(lengths.max())), padding_value)  # (B, T)
    for b, sequence in enumerate(sequences):
        tokens[b, : len(sequence)] = torch.as_tensor(sequence)
    return tokens, lengths
    ### END SOLUTION


def length_mask(lengths, T):
    """Say which places of a padded batch are real.

    Args:
        lengths: (B,) int64 tensor, each 0..T.
        T: the padded width, an int; it may be more than the longest sequence.

    Returns:
        (B, T) bool tensor: True at the first `lengths[b]` places of row b, False at its padding.

    Raises:
        ValueError: a length is negative or more than T.
    """
    ### BEGIN SOLUTION
    if (lengths < 0).any() or (lengths > T).any():
        raise ValueError(f"lengths must be in 0..T={T}, got {lengths.tolist()}")
    return torch.arange(T) < lengths[:, None]  # (T,) against (B, 1) -> (B, T)
    ### END SOLUTION


def masked_loss(logits, targets, mask):
    """Return the mean cross-entropy, in nats, over the real tokens of the whole batch.

    Args:
        logits: (B, T, V), raw scores, which may be hundreds apart; anything at padding, NaN and infinity included.
        targets: (B, T) int64, 0..V-1 at real tokens; anything at padding, out of range included.
        mask: (B, T) bool, True at real tokens, wherever they stand. A row may be all padding.

    Returns:
        A tensor with one number and no axes. Its gradient with respect to logits is exactly 0 at padding,
        also where the logits are NaN there. No argument is changed.

    Raises:
        ValueError: the mask holds no True.
    """
    ### BEGIN SOLUTION
    if not mask.any():
        raise ValueError("mask must hold at least one real token, got none")
    return F.cross_entropy(logits[mask], targets[mask])  # (real tokens, V) and (real tokens,)
    ### END SOLUTION


# %% role="try"
padded_now, lengths_now = pad_batch([[5, 0, 7], [4], [2, 2, 2, 6]])
print(padded_now, lengths_now)
print(length_mask(lengths_now, 4))
blind_logits = torch.zeros(3, 4, 8)  # all eight tokens alike: ln 8 = 2.079 at every real token
print(masked_loss(blind_logits, padded_now, length_mask(lengths_now, 4)))

# %% role="test" grade_id="padding-masks-test" points=11
import numpy as np
import torch

from course_utils.checking import (
    CheckFailed,
    StudentError,
    as_array,
    checking,
    expect,
    expect_close,
    expect_raises,
    expect_shape,
    forbid,
    student,
)


def padded_pair(sequences, *value):
    """What pad_batch returns: two int64 tensors."""
    pair = student.pad_batch(sequences, *value)
    expect(
        isinstance(pair, tuple | list) and len(pair) == 2,
        "pad_batch should return two tensors, tokens and lengths",
    )
    for name, part in zip(("tokens", "lengths"), pair, strict=True):
        kind = getattr(part, "dtype", type(part).__name__)
        expect(
            isinstance(part, torch.Tensor) and kind == torch.int64,
            f"{name} should be an int64 tensor, got {kind}",
        )
    return pair


def mask_of(lengths, width):
    """What length_mask returns: a bool tensor."""
    mask = student.length_mask(torch.tensor(lengths), width)
    kind = getattr(mask, "dtype", type(mask).__name__)
    expect(
        isinstance(mask, torch.Tensor) and kind == torch.bool,
        f"length_mask should be a bool tensor, got {kind}",
    )
    return mask


with checking("padding-masks") as check:
    for name in ("pad_batch", "length_mask", "masked_loss"):
        forbid(
            name, "course_utils.*", why="the exercise asks you to write this; the course's own does not count"
        )
    with check.part("two sequences, side by side"):
        mask_tokens, mask_lengths = padded_pair([[3, 1, 2], [4]], 9)
        expect_close(
            mask_tokens,
            [[3, 1, 2], [4, 9, 9]],
            what="pad_batch([[3, 1, 2], [4]], 9)",
            suspects={
                "padding stands before the short sequence; it should stand after": [[3, 1, 2], [9, 9, 4]],
                "padding_value is ignored": [[3, 1, 2], [4, 0, 0]],
                "sequences run down the columns; each should be a row": [[3, 4], [1, 9], [2, 9]],
            },
            reveal=True,
        )
        expect_close(mask_lengths, [3, 1], what="the lengths", reveal=True)
    with check.part("a small mask"):
        expect_close(
            mask_of([3, 1], 3),
            [[True, True, True], [True, False, False]],
            what="length_mask of lengths 3 and 1",
            suspects={
                "True stands at padding; it should stand at real tokens": [
                    [False, False, False],
                    [False, True, True],
                ]
            },
        )
    with check.part("two real tokens"):
        expect_close(
            student.masked_loss(
                torch.tensor([[[0.0, 0.0], [4.0, 0.0]], [[0.0, 1.0], [0.0, 4.0]]]),
                torch.tensor([[0, 1], [0, 0]]),
                torch.tensor([[True, False], [True, False]]),
            ),
            1.0032044,
            what="masked_loss with one real token in each row",
            suspects={
                "padding is in the mean too": 2.5098542,
                "the loss of the padding is measured": 4.0181499,
                "this is a sum; the mean was asked for": 2.0064088,
                "the sum is divided by all places, padding included": 0.5016022,
            },
            reveal=True,
        )
        with_nan = student.masked_loss(
            torch.tensor([[[0.0, 0.0], [float("nan"), 0.0]], [[0.0, 1.0], [0.0, 4.0]]]),
            torch.tensor([[0, 1], [0, 0]]),
            torch.tensor([[True, False], [True, False]]),
        )
        expect(
            np.isfinite(as_array(with_nan, "masked_loss")).all(),
            "masked_loss with NaN at one padding place: the NaN came through; a product with the mask keeps it",
        )
    ### BEGIN HIDDEN TESTS

    ragged = [[4, 0, 7, 2], [6], [0, 0, 5], [1, 3, 3, 7, 0, 2]]
    sizes = [4, 1, 3, 6]

    def rectangle(value, left=False, width=6):
        """The batch as it should be, or its rows pushed to the right."""
        out = np.full((4, width), value)
        for row, sequence in zip(out, ragged, strict=True):
            cut = sequence[:width]
            row[width - len(cut) if left else 0 : None if left else len(cut)] = cut
        return out

    with check.part("rows and lengths", points=2):
        tokens, lengths = padded_pair(ragged, 8)
        expect_close(
            tokens,
            rectangle(8),
            what="tokens",
            suspects={
                "padding stands before the sequences; it should stand after": rectangle(8, left=True),
                "all are cut to the shortest sequence; T is the longest": rectangle(8, width=1),
                "sequences run down the columns; each should be a row": rectangle(8).T,
                "padding_value is ignored": rectangle(0),
                "there is one column of padding too many": rectangle(8, width=7),
                "the rows are sorted by length; they should stay in the caller's order": rectangle(8)[
                    [3, 0, 2, 1]
                ],
            },
        )
        expect_close(
            lengths,
            sizes,
            what="lengths",
            suspects={
                "this is the padded width; each sequence has its own length": [6] * 4,
                "this is the place of the last token, one less than the length": [3, 0, 2, 5],
                "the lengths are sorted; they should stay in the rows' order": [6, 4, 3, 1],
            },
        )
        expect_close(padded_pair(ragged)[0], rectangle(0), what="tokens where no padding_value is given (0)")
    with check.part("a real token that equals the padding value, and any kind of sequence", points=1):
        for value in (0, 7):
            tokens, lengths = padded_pair(ragged, value)
            counted = [sum(token != value for token in sequence) for sequence in ragged]
            expect_close(
                lengths,
                sizes,
                what=f"lengths, filled with {value}, which is a token too",
                suspects={
                    "tokens that equal the padding value are not counted; the lengths are those of the sequences": counted
                },
            )
            expect_close(tokens, rectangle(value), what=f"tokens, filled with {value}, which is a token too")
        kinds = [np.array(ragged[0], dtype=np.int32), torch.tensor(ragged[1]), np.array(ragged[2]), ragged[3]]
        try:
            tokens, lengths = padded_pair(kinds, -1)
        except StudentError as error:
            raise CheckFailed(
                f"NumPy arrays, a tensor and a list in one batch: your code raised {error}"
            ) from None
        expect_close(tokens, rectangle(-1), what="tokens of arrays, a tensor and a list")
        expect_close(lengths, sizes, what="lengths of arrays, a tensor and a list")
        tokens, lengths = padded_pair([[2, 6], [], [3]], 5)
        expect_close(
            tokens,
            [[2, 6], [5, 5], [3, 5]],
            what="tokens where one sequence is empty",
            suspects={"the empty sequence has no row": [[2, 6], [3, 5]]},
        )
        expect_close(lengths, [2, 0, 1], what="lengths where one sequence is empty")
        expect_raises(ValueError, lambda: student.pad_batch([]), "pad_batch of an empty list")
    with check.part("the mask of some lengths", points=1.5):
        for lengths, width in (([4, 1, 3, 6], 6), ([2, 0, 5], 5), ([2, 1], 4), ([3], 3), ([3, 3, 1], 3)):
            steps, column = np.arange(width), np.array(lengths)[:, None]
            expect_close(
                mask_of(lengths, width),
                steps < column,
                what=f"the mask of lengths {lengths}, T = {width}",
                suspects={
                    "True stands at padding; it should stand at real tokens": steps >= column,
                    "the mask is one step too long: a length of 1 makes step 0 alone real": steps <= column,
                    "the mask is one step too short: a length of 1 makes step 0 real": steps < column - 1,
                    "time runs down the rows; the mask should be (B, T)": (steps < column).T,
                    "real tokens stand at the end of each row; here padding comes after them": steps
                    >= width - column,
                    "its width is the longest length; it should be T": (steps < column)[:, : max(lengths)],
                },
            )
    with check.part("lengths that do not fit are refused", points=0.5):
        expect_raises(ValueError, lambda: mask_of([2, 5, 1], 4), "a length of 5 where T = 4")
        expect_raises(ValueError, lambda: mask_of([2, -1], 4), "a length of -1")
        expect_close(mask_of([4, 0], 4), [[True] * 4, [False] * 4], what="the mask of lengths 4 and 0, T = 4")

    def numbers(*shape, phase):
        return torch.sin(1.9 * torch.arange(float(np.prod(shape)), dtype=torch.float64) + phase).reshape(
            shape
        )

    def prefix(lengths, width):
        return torch.arange(width) < torch.tensor(lengths)[:, None]

    logits = 2 * numbers(3, 5, 4, phase=1)  # (B, T, V) = (3, 5, 4)
    targets = torch.tensor([[0, 3, 2, 0, 1], [1, 0, 3, 2, 2], [2, 0, 0, 1, 3]])
    mask = prefix([4, 1, 3], 5)

    def surprise(z, y):
        """The cross-entropy at every place, in the formula's own words."""
        z, y = z.detach().numpy(), y.numpy()
        return np.log(np.exp(z).sum(-1)) - np.take_along_axis(z, y[..., None], -1)[..., 0]

    def loss_slips(z, y, m):
        each, real = surprise(z, y), m.numpy()
        rows = np.array([row[keep].mean() for row, keep in zip(each, real, strict=True)])
        lengths, steps = real.sum(1)[:, None], np.arange(real.shape[1])
        softmax = torch.softmax(z.detach(), -1)
        across = torch.log_softmax(z.detach()[m], 0).numpy()
        ahead = surprise(z[:, :-1], y[:, 1:])[real[:, 1:]]
        return {
            "padding is in the mean too": each.mean(),
            "this is the mean of the sequences' own means; every real token of the batch should count the same": rows.mean(),
            "this is a sum; the mean was asked for": each[real].sum(),
            "this is the sum of the sequences' own means": rows.sum(),
            "the sum is divided by all places, padding included": each[real].sum() / real.size,
            "the sum is divided by the number of sequences": each[real].sum() / len(real),
            "the mask is the wrong way round: this is the loss of the padding": each[~real].mean(),
            "the mask is off by one: the last real token of each sequence is left out": each[
                steps < lengths - 1
            ].mean(),
            "the mask is off by one: one place of padding is measured in each sequence": each[
                steps <= lengths
            ].mean(),
            "real tokens with number 0 are left out: 0 is a target like any other, and the mask says what is real": each[
                real & (y.numpy() != 0)
            ].mean(),
            "logits were used as if they were log-probabilities: the softmax is missing": -np.take_along_axis(
                z.detach().numpy(), y.numpy()[..., None], -1
            )[..., 0][real].mean(),
            "softmax was applied twice: cross-entropy takes raw logits": surprise(softmax, y)[real].mean(),
            "this is in bits; nats were asked for": each[real].mean() / np.log(2),
            "the sign is wrong": -each[real].mean(),
            "the logarithm is missing: this is the mean probability of the right tokens": np.exp(
                -each[real]
            ).mean(),
            "the softmax runs over the tokens; it belongs to the last axis, the vocabulary": -across[
                np.arange(real.sum()), y.numpy()[real]
            ].mean(),
            "logits at padding were set to zero and still counted: each costs ln V": (
                each[real].sum() + (~real).sum() * np.log(z.shape[-1])
            )
            / real.size,
            "the first real token of each sequence is left out": each[real & (steps > 0)].mean(),
            "the logits are those of the step before: here they already belong to the target at their place": ahead.mean(),
        }

    def loss_of(z, y, m, what, slips=True):
        got = student.masked_loss(z, y, m)
        expect_shape(
            got,
            (),
            what,
            {"one number is asked for, not one a token": (int(m.sum()),), "one a place": m.shape},
        )
        right = torch.nn.functional.cross_entropy(z[m], y[m])
        expect_close(got, right, what, loss_slips(z, y, m) if slips else None)

    with check.part("the mean over the real tokens of the batch", points=2):
        loss_of(logits, targets, mask, "masked_loss")
        loss_of(logits.float(), targets, mask, "masked_loss of float32 logits")
        full = torch.ones(3, 5, dtype=torch.bool)
        right = surprise(logits, targets).mean()
        expect_close(student.masked_loss(logits, targets, full), right, what="masked_loss without padding")
        holes = torch.tensor([[0, 1, 0, 1, 1], [1, 0, 0, 0, 1], [0, 0, 1, 0, 0]], dtype=torch.bool)
        expect_close(
            student.masked_loss(logits, targets, holes),
            surprise(logits, targets)[holes.numpy()].mean(),
            what="masked_loss where real tokens stand anywhere in a row",
            suspects={
                "the mask's counts were used as lengths; real tokens may stand anywhere": surprise(
                    logits, targets
                )[prefix(holes.sum(1).tolist(), 5).numpy()].mean()
            },
        )

    def gradient_of(z, y, m, what):
        got = student.backward(student.masked_loss, z, y, m).inputs[0]
        expect(got is not None, f"{what}: no gradient reaches the logits; is detach() or .data in the way?")
        return as_array(got, what)

    def right_gradient(z, y, m):
        """Softmax minus one-hot at real tokens, divided by their number; zero at padding."""
        picked = torch.where(m[..., None], z, 0)
        at = torch.where(m, y, 0)
        inner = torch.softmax(picked, -1) - torch.nn.functional.one_hot(at, z.shape[-1])
        return torch.where(m[..., None], inner / m.sum(), 0).numpy()

    with check.part("its gradient: right at real tokens, zero at padding", points=1):
        got = gradient_of(logits, targets, mask, "the gradient")
        expect(
            got.shape == (3, 5, 4) and (got[~mask.numpy()] == 0).all(),
            "the gradient at padding is not exactly zero: padding still pulls at the network",
        )
        wanted = right_gradient(logits, targets, mask)
        expect_close(
            got,
            wanted,
            what="the gradient at real tokens",
            suspects={
                "it belongs to a sum; the loss is a mean": wanted * int(mask.sum()),
                "it belongs to a mean over all places, padding included": wanted
                * int(mask.sum())
                / mask.numel(),
            },
        )
    wild, odd = logits.clone(), targets.clone()
    wild[~mask] = torch.tensor(
        [
            [np.nan] * 4,
            [np.inf, 0, 0, 0],
            [-np.inf] * 4,
            [np.nan, 1, 1, 1],
            [1e308] * 4,
            [-np.inf, np.inf, 0, np.nan],
            [0.0] * 4,
        ],
        dtype=torch.float64,
    )
    odd[~mask] = torch.tensor([-1, -100, 4, 10**9, 7, -(10**9), 4])
    with check.part("anything may stand at padding: the loss", points=1):
        right = student.masked_loss(logits, targets, mask)
        for z, y, what in (
            (wild, targets, "NaN and infinity among the logits of the padding"),
            (logits, odd, "targets at padding that are no tokens"),
            (wild, odd, "NaN logits and targets that are no tokens, at padding"),
        ):
            try:
                got = student.masked_loss(z, y, mask)
            except StudentError as error:
                raise CheckFailed(f"{what}: your code raised {error}") from None
            expect(
                np.isfinite(as_array(got, what)).all(),
                f"{what}: the loss is not finite. Zero times NaN is NaN: pick the real tokens, do not multiply",
            )
            expect_close(got, right, what=what)
    with check.part("anything may stand at padding: the gradient", points=1):
        got = gradient_of(wild, odd, mask, "the gradient where logits at padding are NaN")
        expect(
            not np.isnan(got).any(),
            "NaN at padding reaches the gradient: the loss hides it, but its backward pass multiplies NaN by zero. "
            "Take the padding out before the softmax",
        )
        expect(
            got.shape == (3, 5, 4) and (got[~mask.numpy()] == 0).all(),
            "the gradient at padding is not exactly zero where the logits are NaN",
        )
        before = gradient_of(logits, targets, mask, "the gradient")
        expect_close(got, before, what="the gradient where logits at padding are NaN, against ordinary ones")
    with check.part("a row of padding alone", points=0.5):
        some = prefix([4, 0, 3], 5)
        each = surprise(logits, targets)
        got = student.masked_loss(logits, targets, some)
        expect(
            np.isfinite(as_array(got, "masked_loss")).all(),
            "a row without real tokens makes the loss NaN: was each row divided by its own number of tokens?",
        )
        means = [each[0][:4].mean(), 0.0, each[2][:3].mean()]
        expect_close(
            got,
            each[some.numpy()].mean(),
            what="masked_loss with a row of padding alone",
            suspects={
                "this is the mean of the sequences' own means": sum(means) / 2,
                "this is the mean of the sequences' own means, the empty one's taken as 0": sum(means) / 3,
            },
        )
        shared_z, shared_y, shared_m = (student.share(value) for value in (wild, targets, mask))
        student.masked_loss(shared_z, shared_y, shared_m)
        after = as_array(student.value(shared_z), "logits")
        expect(
            np.array_equal(after, wild.numpy(), equal_nan=True),
            "masked_loss changed its argument logits in place",
        )
        expect_close(
            student.value(shared_y), targets, what="masked_loss changed its argument targets in place"
        )
        expect_close(student.value(shared_m), mask, what="masked_loss changed its argument mask")
        sure = 1000.0 * torch.nn.functional.one_hot((targets + 1) % 4, 4)
        got = as_array(student.masked_loss(sure, targets, mask), "masked_loss")
        expect(
            np.isfinite(got).all(),
            "logits 1000 apart make the loss infinite: softmax gives 0 there, so use the cross-entropy or "
            "log_softmax, which never take the logarithm of 0",
        )
    with check.part("an empty mask is refused", points=0.5):
        expect_raises(
            ValueError,
            lambda: student.masked_loss(logits, targets, torch.zeros(3, 5, dtype=torch.bool)),
            "masked_loss where nothing is real",
        )
        one = prefix([0, 1, 0], 5)
        loss_of(logits, targets, one, "masked_loss with one real token", slips=False)
    ### END HIDDEN TESTS

# %% [markdown]
# **Experiment.** A small GRU learns to spell Icelandic first names, letter by letter up to the end mark. Every name is padded to 24
# places. Three networks learn by your masked loss, three by the mean over all places, padding
# (number 0) included. What does each of the two numbers say about a network?

# %% role="experiment"
from course_utils.datasets.names import first_names
from course_utils.datasets.vocabulary import Vocabulary

name_splits = first_names("icelandic")
letters_of = Vocabulary.build(name_splits.train)


class Speller(nn.Module):
    """Letters (B, T) to the logits of the next letter (B, T, V)."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(letters_of), 16)
        self.gru = nn.GRU(16, 32, batch_first=True)
        self.head = nn.Linear(32, len(letters_of))

    def forward(self, tokens):
        return self.head(self.gru(self.embedding(tokens))[0])


def spelled_names(names, width):
    """Inputs and targets (B, width), the targets one letter ahead, and the mask of the targets."""
    widest = [0] * (width + 1)  # one row as wide as we want the batch; it is dropped again
    tokens, lengths = pad_batch([letters_of.encode(name, bos=True, eos=True) for name in names] + [widest])
    return tokens[:-1, :-1], tokens[:-1, 1:], length_mask(lengths[:-1] - 1, width)


def both_losses(model, tokens, targets, mask):
    """The masked loss, and the mean over all places."""
    logits = model(tokens)
    return masked_loss(logits, targets, mask), masked_loss(logits, targets, torch.ones_like(mask))


spell_widths, speller_seeds = [16, 24, 32, 48, 64], range(runtime.steps(quick=1, default=3, full=5))
spell_updates = runtime.steps(quick=10, default=120, full=600)
spell_curves, spell_reports, real_losses = {}, [], {}
spell_plan = [(kind, seed) for kind in ("masked", "unmasked") for seed in speller_seeds]
with runtime.single_thread():
    for spell_kind, spell_seed in training.progress(spell_plan, "spelling"):
        runtime.seed_everything(spell_seed)
        spell_model, spell_rng = Speller(), np.random.default_rng(spell_seed)
        spell_optimizer = torch.optim.Adam(spell_model.parameters(), lr=0.01)
        for _ in range(spell_updates):
            spell_chosen = [name_splits.train[i] for i in spell_rng.integers(0, len(name_splits.train), 32)]
            spell_masked, over_all = both_losses(spell_model, *spelled_names(spell_chosen, 24))
            spell_loss = spell_masked if spell_kind == "masked" else over_all
            spell_optimizer.zero_grad()
            spell_loss.backward()
            spell_optimizer.step()
            spell_curves.setdefault((spell_kind, "real"), {}).setdefault(spell_seed, []).append(
                spell_masked.item()
            )
            if spell_kind == "unmasked":
                spell_curves.setdefault((spell_kind, "reported"), {}).setdefault(spell_seed, []).append(
                    over_all.item()
                )
        with torch.no_grad():
            spell_tested = [
                [value.item() for value in both_losses(spell_model, *spelled_names(name_splits.test, w))]
                for w in spell_widths
            ]
        real_losses.setdefault(spell_kind, []).append(spell_tested[0][0])
        if spell_kind == "unmasked":
            spell_reports.append(spell_tested)

fig, (spell_left, spell_right) = plt.subplots(1, 2, figsize=(10, 3.8))
for (spell_kind, spell_which), spell_style, spell_label in (
    (("unmasked", "reported"), "-", "no mask: what it reports"),
    (("unmasked", "real"), "--", "no mask: on real letters"),
    (("masked", "real"), "-.", "mask: on real letters"),
):
    spell_left.plot(
        np.mean(list(spell_curves[spell_kind, spell_which].values()), axis=0), spell_style, label=spell_label
    )
spell_left.set(
    xlabel="update", ylabel="cross-entropy (nats)", ylim=(0, None), title="training, 24 places a name"
)
spell_left.legend()
by_width = np.array(spell_reports)  # (seeds, widths, 2): masked, over all places
spell_right.plot(spell_widths, by_width[..., 1].mean(0), "o-", label="no mask: what it reports")
spell_right.plot(spell_widths, by_width[..., 0].mean(0), "s--", label="no mask: on real letters")
spell_right.set(xlabel="padded width (places)", ylabel="cross-entropy (nats)", ylim=(0, None))
spell_right.set_title("the same networks, the same test names")
spell_right.legend(loc="center right")
for spell_kind, spell_values in real_losses.items():
    print(
        f"trained {spell_kind:<9} test loss on real letters {training.Repeats(np.array(spell_values)):.3f} nats"
    )
print("width  ", *(f"{w:>6d}" for w in spell_widths))
print(
    "reports", *(f"{value:6.3f}" for value in by_width[..., 1].mean(0)), " by the networks trained unmasked"
)
plotting.show(
    fig,
    alt="Left: cross-entropy against the update, three curves: what training without a mask reports, and "
    "the loss on real letters of both trainings. Right: for the networks trained without a mask, the "
    "reported number and the loss on real letters against padded widths from 16 to 64 places.",
)

# %% [markdown]
# ### Read the two losses of the spellers
# *1 point · 2 minutes · difficulty 2*
#
# - `reported_low`: unmasked training reports by far the lowest number in the left plot. How do these networks do on real letters, beside
#   those trained with the mask? `"far better"` (less than half the loss), or `"not far better"`.
# - `doubled_width`: nothing changes but the padded width, from 24 to 48 places. What does the loss without a mask do?
#   `"fall"`, `"stay"` or `"rise"`.

# %% role="answer" grade_id="padding-plot"
### BEGIN SOLUTION
reported_low = "not far better"  # "far better" or "not far better"
doubled_width = "fall"  # "fall", "stay" or "rise"
### END SOLUTION

# %% role="test" grade_id="padding-plot-test" points=1
from course_utils.checking import checking, chosen_of, expect_choice, student

speller_options = ["far better", "not far better"]
width_options = ["fall", "stay", "rise"]
with checking("padding-plot") as check:
    with check.part("an option for the real letters"):
        chosen_of(student.reported_low, speller_options, "reported_low")
    with check.part("an option for the width"):
        chosen_of(student.doubled_width, width_options, "doubled_width")
    ### BEGIN HIDDEN TESTS
    with check.part("on real letters", points=0.5):
        expect_choice(
            student.reported_low,
            "not far better",
            speller_options,
            what="reported_low",
            suspects={
                "far better": "that low number is the mean with the padding in it; compare the two curves on real letters"
            },
        )
    with check.part("twice as wide", points=0.5):
        expect_choice(
            student.doubled_width,
            "fall",
            width_options,
            what="doubled_width",
            suspects={
                "stay": "that is the loss on real letters; the mean over all places has more padding in it now",
                "rise": "padding is the easiest thing to predict, so more of it pulls the mean down",
            },
        )
    ### END HIDDEN TESTS

# %% [markdown]
# ### A GRU classifier for sequences of varying length
# *16 points · 45 minutes · difficulty 4*
#
# One label for a whole sequence, read from its last state. But which is the last? In a padded batch, `output[:, -1]` is the state
# after the padding: a network that has read *Ólafur* and then nine blanks. A **packed sequence** solves it.
# `torch.nn.utils.rnn.pack_padded_sequence` throws the padding away and tells the layer how many sequences are still running at each
# step; the layer then ends every sequence at its own last token, and padding never enters the computation. The library's
# layers are welcome here: `nn.GRU`, and `nn.LSTM` for the comparison.
#
# Three traps: the function wants the longest sequence first, unless you tell it otherwise; it wants the lengths on the CPU; and
# an LSTM returns two states, of which $h$ is the output and $c$ its private memory.
#
# <details><summary>I'm not sure where to start</summary>
#
# Embed the tokens, pack the result (look up `batch_first` and `enforce_sorted`), and give the packed batch to the layer. Its second
# result holds the last states, already in your order: for a GRU a tensor `(1, B, H)`, for an LSTM a pair of those. What is that first axis of
# length 1? Check the lengths before you pack: the library's own complaint is of another kind and hard to read.
# </details>


# %% role="answer" grade_id="packed-classifier"
class PackedClassifier(nn.Module):
    """Embedding, one recurrent layer, and a linear layer on each sequence's own last state.

    Args:
        vocab_size: V.
        embedding_size: E.
        hidden_size: H.
        num_classes: C.
        cell: "gru" or "lstm".

    Modules, under these names, and no others with parameters:
        embedding: nn.Embedding, V rows of E numbers, no padding_idx: every token may be a real one.
        rnn: nn.GRU or nn.LSTM from E to H, one layer, one direction, with biases.
        head: nn.Linear from H to C.

    Raises:
        ValueError: any other cell.
    """

    def __init__(self, vocab_size, embedding_size, hidden_size, num_classes, cell="gru"):
        ### BEGIN SOLUTION
        super().__init__()
        if cell not in ("gru", "lstm"):
            raise ValueError(f'cell must be "gru" or "lstm", got {cell!r}')
        layer = nn.GRU if cell == "gru" else nn.LSTM
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.rnn = layer(embedding_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, num_classes)
        ### END SOLUTION

    def forward(self, tokens, lengths):
        """Classify a padded batch.

        Args:
            tokens: (B, T) int64, each 0..V-1, real ones first; at padding any token may stand.
            lengths: (B,) int64 tensor, each 1..T, in any order; T may be more than the longest.

        Returns:
            logits (B, C), row b from the last real step of sequence b: h, for an LSTM too. Padding takes no
            part: whatever token stands there, and even where its embedding is NaN, logits and gradients of
            the rest are the same. Neither argument is changed.

        Raises:
            ValueError: a length below 1 or above T; the message names `lengths`.
        """
        ### BEGIN SOLUTION
        T = tokens.shape[1]
        if (lengths < 1).any() or (lengths > T).any():
            raise ValueError(f"lengths must be in 1..T={T}, got {lengths.tolist()}")
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(tokens), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        _, last = self.rnn(packed)  # (1, B, H), or a pair of those: h and c
        h = last[0] if isinstance(last, tuple) else last
        return self.head(h.squeeze(0))  # (B, H) -> (B, C)
        ### END SOLUTION


# %% role="try"
runtime.seed_everything(0)
classifier_now = PackedClassifier(vocab_size=6, embedding_size=3, hidden_size=4, num_classes=2)
print({name: tuple(value.shape) for name, value in classifier_now.named_parameters()})
tokens_now = torch.tensor([[5, 1, 0, 0], [2, 3, 4, 1], [3, 0, 0, 0]])
print(classifier_now(tokens_now, torch.tensor([2, 4, 1])).detach())
tokens_now[0, 2:] = 4  # other padding: the logits should not move
print(classifier_now(tokens_now, torch.tensor([2, 4, 1])).detach())

# %% role="test" grade_id="packed-classifier-test" points=16
import numpy as np
import torch

from course_utils.checking import (
    CheckFailed,
    StudentError,
    as_array,
    checking,
    expect,
    expect_close,
    expect_raises,
    expect_shape,
    forbid,
    student,
)


def packed_weights(cell, V=7, E=3, H=4, C=3):
    """Weights by formula, under the names of the contract, in float64."""
    gates, made, place = {"gru": 3, "lstm": 4}[cell] * H, {}, 0.0
    shapes = {
        "embedding.weight": (V, E),
        "rnn.weight_ih_l0": (gates, E),
        "rnn.weight_hh_l0": (gates, H),
        "rnn.bias_ih_l0": (gates,),
        "rnn.bias_hh_l0": (gates,),
        "head.weight": (C, H),
        "head.bias": (C,),
    }
    for name, shape in shapes.items():
        count = int(np.prod(shape))
        made[name] = torch.sin(1.3 * (place + torch.arange(count, dtype=torch.float64))).reshape(shape)
        place += count + 0.4
    return made


def packed_model(weights, cell="gru", **sizes):
    """The student's classifier with these weights, in their dtype."""
    V, E = weights["embedding.weight"].shape
    C, H = weights["head.weight"].shape
    model = student.PackedClassifier(V, E, H, C, **({"cell": cell} if cell else {}))
    model.to(weights["head.bias"].dtype)
    try:
        model.load_state_dict(weights)
    except StudentError as error:
        raise CheckFailed(
            f"names or shapes of the parameters are not those of the contract: {error.message}"
        ) from None
    return model


with checking("packed-classifier") as check:
    forbid(
        "PackedClassifier",
        "course_utils.*",
        why="the exercise asks you to write this; the course's own does not count",
    )
    with check.part("parameters under the names of the contract"):
        for packed_cell in ("gru", "lstm"):
            packed_state = {
                name: tuple(value.shape)
                for name, value in student.PackedClassifier(7, 3, 4, 3, cell=packed_cell).state_dict().items()
            }
            packed_wanted = {name: tuple(value.shape) for name, value in packed_weights(packed_cell).items()}
            expect(
                packed_state == packed_wanted,
                f"state_dict() of a {packed_cell} classifier holds {packed_state}, and should hold {packed_wanted}",
            )
    with check.part("three sequences of two, four and one tokens"):
        for packed_cell in ("gru", "lstm"):
            packed_logits = packed_model(packed_weights(packed_cell), packed_cell)(
                torch.tensor([[5, 6, 0, 0], [1, 2, 3, 4], [2, 0, 0, 0]]), torch.tensor([2, 4, 1])
            )
            expect_shape(
                packed_logits,
                (3, 3),
                what=f"logits of three sequences, three classes, cell={packed_cell!r}",
                suspects={
                    "the layer's axis is still there: h_n is (1, B, H)": (1, 3, 3),
                    "there are logits at every step; one row a sequence was asked for": (3, 4, 3),
                    "a GRU returns h_n itself, not a pair: h_n[0] takes off the layer's axis, and taken twice it "
                    "is the first sequence alone": (3,),
                },
            )
    with check.part("one sequence without padding"):
        expect_close(
            packed_model(packed_weights("gru"))(torch.tensor([[1, 2, 3, 4]]), torch.tensor([4])),
            [[-1.10074965, -0.99529794, 0.4495937]],
            what="the logits of one sequence",
            reveal=True,
        )
    ### BEGIN HIDDEN TESTS
    rows = torch.tensor(
        [
            [1, 2, 0, 0, 0, 0],
            [3, 0, 5, 6, 1, 2],
            [4, 0, 0, 0, 0, 0],
            [0, 6, 2, 0, 0, 0],
            [5, 5, 1, 3, 0, 0],
        ]
    )
    sizes = torch.tensor([2, 6, 1, 3, 4])

    def layer_of(w, cell):
        """The library's layer with these weights, on the trusted side."""
        E, H = w["embedding.weight"].shape[1], w["head.weight"].shape[1]
        layer = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell](E, H, batch_first=True)
        layer.to(w["head.bias"].dtype)
        own = {name.removeprefix("rnn."): value for name, value in w.items() if name.startswith("rnn.")}
        layer.load_state_dict(own)
        return layer

    def run(w, cell, tokens):
        """All outputs (B, T, H) of a batch read to its end, and the final h and c."""
        with torch.no_grad():
            out, last = layer_of(w, cell)(w["embedding.weight"][tokens])
        return (out, *last) if cell == "lstm" else (out, last, last)

    def head(w, h):
        return h @ w["head.weight"].T + w["head.bias"]

    def one_by_one(w, cell, tokens, lengths, memory=False):
        """Each sequence alone, cut to its length: the definition."""
        ends = [
            run(w, cell, row[:n][None])[2 if memory else 1][0, 0]
            for row, n in zip(tokens, lengths.tolist(), strict=True)
        ]
        return head(w, torch.stack(ends))

    def slips(w, cell, tokens, lengths):
        """What the usual mistakes give."""
        out = run(w, cell, tokens)[0]
        B, T = tokens.shape
        real = (torch.arange(T) < lengths[:, None])[..., None]
        order = torch.argsort(lengths, descending=True, stable=True)
        right = one_by_one(w, cell, tokens, lengths)
        flipped = torch.stack(
            [torch.cat([row[:n].flip(0), row[n:]]) for row, n in zip(tokens, lengths.tolist(), strict=True)]
        )
        drop = torch.stack(
            [
                run(w, cell, row[row != 0][None])[1][0, 0]
                if (row != 0).any()
                else torch.zeros(w["head.weight"].shape[1], dtype=torch.float64)
                for row in tokens
            ]
        )
        short = torch.where((lengths > 1)[:, None], out[torch.arange(B), lengths - 2], 0)
        found = {
            "this is the state after the padding, output[:, -1]; each sequence ends at its own length": head(
                w, out[:, -1]
            ),
            "this is the maximum over all steps; the last state was asked for": head(w, out.amax(1)),
            "this is the maximum over the real steps; the last state was asked for": head(
                w, torch.where(real, out, -torch.inf).amax(1)
            ),
            "this is the mean over all steps, padding included; the last state was asked for": head(
                w, out.mean(1)
            ),
            "this is the mean over the real steps; the last state was asked for": head(
                w, (out * real).sum(1) / lengths[:, None]
            ),
            "this is the state after the first step; the last was asked for": head(w, out[:, 0]),
            "this is the state one step before the last": head(w, short),
            "the rows are still sorted by length; undo your sorting at the end": right[order],
            "the rows came back in the opposite order": right.flip(0),
            "the sorting was undone with the order itself, not with its inverse": right[order][order],
            "each sequence was read backwards": one_by_one(w, cell, flipped, lengths),
            "every token with number 0 was taken for padding; the lengths say what is real": head(w, drop),
            "the last real token of each sequence is not read: a length is a number of tokens": one_by_one(
                w, cell, tokens, (lengths - 1).clamp(min=1)
            ),
            "this is the sum over the real steps; the last state was asked for": head(w, (out * real).sum(1)),
            "the layer's axis is still there: h_n is (1, B, H)": right[None],
            "the head was left out, or its bias": right - w["head.bias"],
            "these are probabilities; logits were asked for": torch.softmax(right, -1),
        }
        if cell == "lstm":
            memory = one_by_one(w, cell, tokens, lengths, memory=True)
            found["this is c, the LSTM's private memory; its output is h"] = memory
            found["this is c, with the layer's axis: an LSTM's last states are a pair, h and c"] = memory[
                None
            ]
        return found

    gru, lstm = packed_weights("gru"), packed_weights("lstm")
    with check.part("GRU: from each sequence's own last state, in the caller's order", points=3):
        expect_close(
            packed_model(gru, None)(rows, sizes),
            one_by_one(gru, "gru", rows, sizes),
            what="logits of five sequences of 2, 6, 1, 3 and 4 tokens",
            suspects=slips(gru, "gru", rows, sizes),
            rtol=1e-9,
        )
        turn = torch.tensor([3, 0, 4, 2, 1])
        expect_close(
            packed_model(gru)(rows[turn], sizes[turn]),
            one_by_one(gru, "gru", rows, sizes)[turn],
            what="logits of the same sequences in another order",
            suspects=slips(gru, "gru", rows[turn], sizes[turn]),
            rtol=1e-9,
        )
    with check.part("LSTM: the same, and h rather than c", points=2):
        expect_close(
            packed_model(lstm, "lstm")(rows, sizes),
            one_by_one(lstm, "lstm", rows, sizes),
            what="logits of an LSTM classifier",
            suspects=slips(lstm, "lstm", rows, sizes),
            rtol=1e-9,
        )
    single = {name: value.float() for name, value in gru.items()}
    with check.part("other padding, the same logits, bit for bit", points=3):
        padding = torch.arange(6) >= sizes[:, None]
        for cell, weights in (("gru", gru), ("lstm", lstm)):
            model = packed_model({name: value.float() for name, value in weights.items()}, cell)
            before = as_array(model(rows, sizes), "logits")
            right = one_by_one(weights, cell, rows, sizes).numpy()
            expect(before.shape == right.shape, f"{cell}: the logits have shape {before.shape}")
            for step in (1, 4, 6):
                other = torch.where(padding, (rows + step + torch.arange(6)) % 7, rows)
                after = as_array(model(other, sizes), "logits")
                expect(
                    np.array_equal(before, after),
                    f"{cell}: other tokens at padding change the logits (by up to {abs(before - after).max():.2g}): "
                    "the network reads beyond the end of the sequences",
                )
            expect(np.ptp(before, axis=0).min() > 1e-3, f"{cell}: all sequences get the same logits")
            for b, n in enumerate(sizes.tolist()):  # and the real tokens do matter, the last and the first
                for t in {0, n - 1}:
                    other = rows.clone()
                    other[b, t] = (rows[b, t] + 3) % 7
                    after = as_array(model(other, sizes), "logits")
                    expect(
                        not np.array_equal(before[b], after[b]),
                        f"{cell}: another real token at step {t} of {n} does not change the logits",
                    )
    with check.part("NaN at padding: nothing of it in logits or gradients", points=2):
        for cell, weights in (("gru", gru), ("lstm", lstm)):
            broken = {**weights, "embedding.weight": weights["embedding.weight"].clone()}
            broken["embedding.weight"][6] = torch.nan
            clean = torch.where(rows == 6, 3, rows)
            marked = torch.where(padding, 6, clean)
            model = packed_model(broken, cell)
            got = student.backward(model, marked, sizes)
            expect(
                np.isfinite(as_array(got.output, "logits")).all(),
                f"{cell}: the embedding of the padding is NaN, and so are logits: the padding is read, "
                "and multiplying by a mask does not help, since zero times NaN is NaN",
            )
            expect_close(
                got.output, one_by_one(broken, cell, clean, sizes), what=f"{cell}: logits, NaN at padding"
            )
            for name, gradient in got.parameters.items():
                expect(gradient is not None, f"{cell}: {name} gets no gradient")
                expect(
                    np.isfinite(as_array(gradient, name)).all(),
                    f"{cell}: the logits are right, but NaN at padding reaches the gradient of {name}: the layer still "
                    "runs over the padding. Pack the batch before it",
                )
    with check.part("a batch says what each sequence says alone", points=2):
        model = packed_model(single)
        together = as_array(model(rows, sizes), "logits")
        for b, n in enumerate(sizes.tolist()):
            try:
                alone = model(rows[b : b + 1, :n], sizes[b : b + 1])
            except StudentError as error:
                raise CheckFailed(
                    f"a batch of one sequence of {n} tokens: your code raised {error}"
                ) from None
            expect_close(
                alone,
                together[b : b + 1],
                what=f"a sequence of {n} tokens, alone and in the batch",
                suspects={"an axis of length 1 was squeezed away": together[b]},
                rtol=1e-5,
                atol=1e-6,
            )
        wide = torch.cat([rows, torch.full((5, 4), 2)], dim=1)
        expect_close(
            model(wide, sizes), together, what="the same batch, padded to 10 places", rtol=1e-5, atol=1e-6
        )
        shared_rows, shared_sizes = student.share(rows), student.share(sizes)
        model(shared_rows, shared_sizes)
        expect_close(student.value(shared_rows), rows, what="forward changed its argument tokens in place")
        expect_close(student.value(shared_sizes), sizes, what="forward changed its argument lengths in place")
        for n in (6, 1):
            equal = torch.full((5,), n)
            expect_close(
                model(rows[:, :n], equal),
                one_by_one(single, "gru", rows, equal),
                what=f"five sequences of {n} token{'s' * (n > 1)}, no padding",
                rtol=1e-5,
                atol=1e-6,
            )
    with check.part("gradients", points=2):
        tokens = torch.where(padding, 6, torch.where(rows == 6, 3, rows))  # token 6 stands at padding only
        mix = torch.cos(torch.arange(15.0, dtype=torch.float64)).reshape(5, 3)
        for cell, weights in (("gru", gru), ("lstm", lstm)):
            leaves = {name: value.clone().requires_grad_() for name, value in weights.items()}
            layer, total = layer_of(weights, cell), 0
            for b, n in enumerate(sizes.tolist()):
                out, _ = layer(leaves["embedding.weight"][tokens[b, :n]][None])
                total = total + (mix[b] * head(leaves, out[0, -1])).sum()
            total.backward()
            wanted = {name: value.grad for name, value in leaves.items() if value.grad is not None}
            wanted |= {f"rnn.{name}": value.grad for name, value in layer.named_parameters()}
            got = student.backward(packed_model(weights, cell), tokens, sizes, weights=mix).parameters
            table = got.get("embedding.weight")
            expect(table is not None, f"{cell}: no gradient reaches the embedding: is detach() in the way?")
            table = as_array(table, "the embedding's gradient")
            expect(
                (table[6] == 0).all(),
                f"{cell}: the gradient of a token that stands at padding only is not exactly zero",
            )
            expect(
                abs(table[0]).max() > 0,
                f"{cell}: token 0 is a real token here, and its embedding gets no gradient: leave padding_idx out",
            )
            for name, gradient in wanted.items():
                expect(got.get(name) is not None, f"{cell}: {name} gets no gradient")
                expect_close(got[name], gradient, what=f"{cell}: the gradient of {name}", rtol=1e-6)
    with check.part("lengths and cells that do not exist", points=2):
        model = packed_model(single)
        for wrong, what in (
            ([2, 6, 0, 3, 4], "a length of 0"),
            ([2, 7, 1, 3, 4], "a length of 7 where T = 6"),
            ([2, 6, 1, -1, 4], "a length of -1"),
        ):
            expect_raises(
                ValueError, lambda wrong=wrong: model(rows, torch.tensor(wrong)), what, mentions="lengths"
            )
        for cell in ("rnn", "GRU cell", ""):
            expect_raises(
                ValueError,
                lambda cell=cell: student.PackedClassifier(7, 3, 4, 3, cell=cell),
                f"PackedClassifier(…, cell={cell!r})",
            )
        for cell, weights in (("gru", gru), ("lstm", lstm)):
            state = student.PackedClassifier(7, 3, 4, 3, cell=cell).state_dict()
            shapes = {name: tuple(value.shape) for name, value in state.items()}
            wanted = {name: tuple(value.shape) for name, value in weights.items()}
            expect(
                shapes == wanted, f"state_dict() of a {cell} classifier should hold {wanted}, got {shapes}"
            )
    ### END HIDDEN TESTS

# %% [markdown]
# **Experiment.** On which country's list does a first name stand, the German, the Icelandic, the Turkish or the English one? Real names of 2 to
# 15 letters, at most 1200 from each list; names on two lists are left out. A GRU meets the LSTM of the same hidden size, and the LSTM whose hidden size makes the
# *parameters* equal. The dashed line is a network that averages its letters' vectors and so cannot see their order. Time is CPU
# time per update, for a batch of 64.

# %% role="experiment"
import time
from collections import Counter

from course_utils.datasets import names as name_lists
from course_utils.datasets import vocabulary

country_names = ["german", "icelandic", "turkish", "english"]
country_lists = {country: name_lists.all_first_names(country) for country in country_names}
on_lists = Counter(name for own in country_lists.values() for name in own)
country_rng, labeled_names = np.random.default_rng(0), []
for country_label, country_name in enumerate(country_names):
    country_unique = [name for name in country_lists[country_name] if on_lists[name] == 1]
    labeled_names += [
        (name, country_label) for name in country_rng.permutation(country_unique)[:1200].tolist()
    ]
labeled_names = [labeled_names[i] for i in country_rng.permutation(len(labeled_names))]
held_out = len(labeled_names) // 4
country_alphabet = vocabulary.Vocabulary.build(name for name, _ in labeled_names[held_out:])


def name_tensors(part):
    """Tokens (N, T), lengths (N,) and the country's number (N,)."""
    return *country_alphabet.batch([name for name, _ in part]), torch.tensor([label for _, label in part])


class LetterSum(nn.Module):
    """The baseline: the mean of the letters' vectors, so that "Amy" and "May" are one name to it."""

    def __init__(self, hidden_size):
        super().__init__()
        self.letters = nn.EmbeddingBag(len(country_alphabet), hidden_size, padding_idx=vocabulary.PAD)
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(hidden_size, len(country_names)))

    def forward(self, tokens, lengths):
        return self.head(self.letters(tokens))


def trained_classifier(model, seed, steps):
    """Train on the names that are not held out; return test accuracy and CPU milliseconds an update."""
    batches = training.minibatches(*train_names, batch_size=64, seed=seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    began = time.process_time()
    for _ in range(steps):
        tokens, lengths, target = next(batches)
        loss = F.cross_entropy(model(tokens, lengths), target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    spent = 1000 * (time.process_time() - began) / steps
    return training.accuracy(training.predict(model, *test_names[:2]), test_names[2]), spent


train_names, test_names = name_tensors(labeled_names[held_out:]), name_tensors(labeled_names[:held_out])
country_sizes = (len(country_alphabet), 16)
country_settings = {
    "GRU, H = 64": lambda: PackedClassifier(*country_sizes, 64, len(country_names), cell="gru"),
    "LSTM, H = 64": lambda: PackedClassifier(*country_sizes, 64, len(country_names), cell="lstm"),
    "LSTM, H = 54": lambda: PackedClassifier(*country_sizes, 54, len(country_names), cell="lstm"),
    "letters, no order": lambda: LetterSum(64),
}
classifier_seeds = range(runtime.steps(quick=1, default=3, full=5))
country_updates = runtime.steps(quick=10, default=320, full=1500)
country_results, country_parameters = {}, {}
with runtime.single_thread():
    for country_setting, country_seed in training.progress(
        [(s, k) for s in country_settings for k in classifier_seeds], "countries"
    ):
        runtime.seed_everything(country_seed)
        country_classifier = country_settings[country_setting]()
        country_recurrent = country_classifier.rnn.parameters() if hasattr(country_classifier, "rnn") else []
        country_parameters[country_setting] = (
            sum(p.numel() for p in country_recurrent),
            sum(p.numel() for p in country_classifier.parameters()),
        )
        country_results.setdefault(country_setting, []).append(
            trained_classifier(country_classifier, country_seed, country_updates)
        )

print(
    f"{len(train_names[2])} names to learn from, {held_out} held out, "
    f"{len(classifier_seeds)} seed{'s' * (len(classifier_seeds) > 1)}, {country_updates} updates"
)
print("setting            parameters: layer, all   test accuracy     CPU ms per update")
country_scores = {setting: np.array(runs) for setting, runs in country_results.items()}  # (seeds, 2)
for country_setting, country_runs in country_scores.items():
    country_accuracy, country_spent = (
        training.Repeats(country_runs[:, 0]),
        training.Repeats(country_runs[:, 1]),
    )
    country_layer, country_every = country_parameters[country_setting]
    print(
        f"{country_setting:<18} {country_layer:>17d} {country_every:>6d}   {country_accuracy:.3f}     {country_spent:.2f}"
    )
print("\nCPU ms to read a packed batch   63 of 10 steps, one of 200   64 of 200 steps")
with runtime.single_thread(), torch.no_grad():
    country_uneven = torch.full((64,), 10)
    country_uneven[17] = 200  # one long sequence makes the rectangle 64 x 200
    country_letters, country_rounds = (
        torch.ones(64, 200, dtype=torch.int64),
        runtime.steps(quick=1, default=20, full=100),
    )
    for country_setting in ("GRU, H = 64", "LSTM, H = 64"):
        country_classifier, country_spent = country_settings[country_setting](), []
        for country_lengths in (country_uneven, torch.full((64,), 200)):
            country_began = time.process_time()
            for _ in range(country_rounds):
                country_classifier(country_letters, country_lengths)
            country_spent.append(1000 * (time.process_time() - country_began) / country_rounds)
        print(f"{country_setting:<29} {country_spent[0]:>28.1f} {country_spent[1]:>17.1f}")
fig, (country_left, country_right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
for ax, country_column, country_label, country_shown in (
    (country_left, 0, "test accuracy (share of names)", list(country_settings)[:3]),
    (country_right, 1, "CPU time per update (ms)", list(country_settings)[:3]),
):
    country_several = len(classifier_seeds) > 1
    plotting.bars(
        {s: country_scores[s][:, country_column].mean() for s in country_shown},
        sds={s: country_scores[s][:, country_column].std(ddof=1) for s in country_shown}
        if country_several
        else None,
        label=country_label,
        spec=".3f" if country_column == 0 else ".2f",
        references={"letters, no order": country_scores["letters, no order"][:, 0].mean()}
        if country_column == 0
        else None,
        ax=ax,
    )
country_left.set_xlim(0, 1.15)
country_right.margins(x=0.4)
country_left.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
plotting.show(
    fig,
    alt="Two bar charts of a GRU with H = 64 and LSTMs with H = 64 and H = 54. Left: test accuracy, with a "
    "dashed line for the network that cannot see the order of letters. Right: CPU time per update in "
    "milliseconds. Each bar carries its number; with several seeds, a line of one standard deviation too.",
)

# %% [markdown]
# Times are those of your machine and your library. PyTorch on a CPU has a fused LSTM for padded batches that it cannot use on packed
# ones, and no such thing for the GRU: a speed that you measure is a speed of both, network and library.

# %% [markdown]
# ### Read GRU against LSTM on first names
# *1 point · 3 minutes · difficulty 2*
#
# - `layer_ratio`: at the same hidden size, how many parameters has the LSTM's recurrent layer, as a multiple of the GRU's? The table has both; give
#   the number, a fraction such as `7 / 5` is fine.
# - `equal_size_gap`: the mean test accuracies of the GRU and of the LSTM with `H = 64`. `"GRU ahead by more than 10 points"`,
#   `"within 10 points"` or `"LSTM ahead by more than 10 points"`. (A point is 0.01.)

# %% role="answer" grade_id="packed-classifier-plot"
### BEGIN SOLUTION
layer_ratio = 4 / 3  # parameters of the LSTM's layer / parameters of the GRU's layer, both with H = 64
equal_size_gap = "within 10 points"  # one of the three texts above
### END SOLUTION

# %% role="test" grade_id="packed-classifier-plot-test" points=1
from course_utils.checking import checking, chosen_of, expect_choice, expect_number, number_of, student

gap_options = ["GRU ahead by more than 10 points", "within 10 points", "LSTM ahead by more than 10 points"]
with checking("packed-classifier-plot") as check:
    with check.part("a number"):
        number_of(student.layer_ratio, "layer_ratio")
    with check.part("one of the options"):
        chosen_of(student.equal_size_gap, gap_options, "equal_size_gap")
    ### BEGIN HIDDEN TESTS
    with check.part("the layers' parameters", points=0.5):
        expect_number(
            student.layer_ratio,
            4 / 3,
            what="layer_ratio",
            suspects={
                "this is the GRU's count over the LSTM's; turn it round": 3 / 4,
                "these are all parameters, embedding and head included; take the column of the layer": 22628
                / 17380,
                "the numbers of gates are not equal: read the column of the layer": 1.0,
                "that many more; as a multiple the LSTM's own count is in it too": 1 / 3,
                "that is in percent; a multiple was asked for": 400 / 3,
            },
            rtol=6e-3,
        )
    with check.part("the accuracies", points=0.5):
        expect_choice(
            student.equal_size_gap,
            "within 10 points",
            gap_options,
            what="equal_size_gap",
            suspects={
                "GRU ahead by more than 10 points": "compare the two numbers of the table, and the spread of the seeds",
                "LSTM ahead by more than 10 points": "a third more parameters, but compare the two numbers of the table",
            },
        )
    ### END HIDDEN TESTS

# %% [markdown]
# ## Research projects

# %% [markdown]
# ### One gate instead of two: the minimal gated unit
# *12 points · 25 minutes · difficulty 4*
#
# A GRU gets by with one state less than an LSTM and one gate less. Does it need two? The **minimal gated unit**, MGU (Zhou, Wu, Zhang & Zhou, 2016), has
# a single gate $f$ that does both jobs:
#
# $$f = \sigma(W_{if}\,x + W_{hf}\,h + b_f), \qquad n = \tanh\big(W_{in}\,x + W_{hn}(f \odot h) + b_n\big), \qquad
#   h' = (1 - f) \odot h + f \odot n.$$
#
# Mind the convention: here $f$ multiplies the *candidate*, and $1 - f$ the old state, as in the paper, so an open gate overwrites. And $f$ stands before
# the product with $W_{hn}$. Some texts print these equations without biases; in this study every block has one.
#
# **Question.** What does each further block of weights buy: a vanilla RNN has one (the candidate), the MGU two, the GRU three, the LSTM four?
#
# **The task.** From which of two languages is a first name, Turkish or Icelandic? The names are real; they are folded to the letters a to z, so that no
# *ğ* or *þ* gives the answer away, and read letter by letter, the last letter last. Who guesses is right in half of them.
#
# **Protocol.**
#
# | | |
# |---|---|
# | varied | the cell: `rnn`, `mgu`, `gru`, `lstm` |
# | two comparisons | equal hidden size, $H = 32$; and equal parameters: for each cell the largest $H$ whose recurrent parameters are no more than those of the GRU with $H = 32$ |
# | held fixed | the names and their split, batches of 64, Adam from 0.01 down to 0, clipping at norm 1, a linear layer on the last state, the library's initialization |
# | counted | recurrent parameters with *one* bias vector in each block, whatever the library keeps |
# | measured | accuracy on names that no run trains on |
# | repeated | 3 seeds, 400 steps; with `COURSE_BUDGET=full` 10 seeds, 1500 steps |
# | recorded too | `loss_20`, the training loss of the 20th batch with seed 0 |
#
# Grading computes a small part of the table again: it trains 20 batches with your `mgu_states`, and `loss_20` must agree to 0.2 %.
#
# Write four functions. The study trains `mgu_states`; for the other three cells it uses the library's layers, which score nothing inside your functions.
#
# <details><summary>I'm not sure where to start</summary>
#
# *Counting:* one block has an $H \times I$ matrix, an $H \times H$ matrix and its biases; a cell is so many blocks. *Largest size:* count up from one until the
# next would be too many. *Step:* cut `weight_ih`, `weight_hh` and `bias` into two blocks of $H$ rows with `chunk(2)`. The candidate needs
# the gate first, so the two blocks of `weight_hh` cannot share a product. *States:* begin with zeros, keep each state in a list, stack along axis 1.
# </details>


# %% role="answer" grade_id="mgu-study"
def recurrent_parameters(kind, input_size, hidden_size, biases=1):
    """Count the trainable numbers of one recurrent layer.

    Args:
        kind: "rnn", "mgu", "gru" or "lstm".
        input_size, hidden_size: I and H.
        biases: bias vectors of H numbers in each gate or candidate, 1 or 2.

    Returns:
        An int.

    Raises:
        ValueError: any other kind; the message names it.
    """
    ### BEGIN SOLUTION
    blocks = {"rnn": 1, "mgu": 2, "gru": 3, "lstm": 4}
    if kind not in blocks:
        raise ValueError(f"kind must be one of {', '.join(blocks)}, got {kind!r}")
    return blocks[kind] * hidden_size * (input_size + hidden_size + biases)
    ### END SOLUTION


def largest_hidden_size(kind, input_size, budget):
    """Find the largest H for which `recurrent_parameters(kind, input_size, H)` is at most `budget`.

    Returns:
        An int, at least 1.

    Raises:
        ValueError: not even one unit fits into the budget.
    """
    ### BEGIN SOLUTION
    size = 0
    while recurrent_parameters(kind, input_size, size + 1) <= budget:
        size += 1
    if size == 0:
        raise ValueError(f"a budget of {budget} holds no {kind} with {input_size} inputs")
    return size
    ### END SOLUTION


def mgu_step(x, h, weight_ih, weight_hh, bias):
    """Advance a minimal gated unit one step, in the convention above.

    Args:
        x: input, (B, I).
        h: the state before this step, (B, H).
        weight_ih, weight_hh, bias: (2H, I), (2H, H) and (2H,), each with its blocks in the order f, n.

    Returns:
        The state after it, (B, H). No argument is changed; gradients reach all of them.
    """
    ### BEGIN SOLUTION
    w_f, w_n = weight_ih.chunk(2)
    u_f, u_n = weight_hh.chunk(2)
    b_f, b_n = bias.chunk(2)
    f = torch.sigmoid(x @ w_f.T + h @ u_f.T + b_f)  # (B, H)
    n = torch.tanh(x @ w_n.T + (f * h) @ u_n.T + b_n)
    return (1 - f) * h + f * n
    ### END SOLUTION


def mgu_states(x, weight_ih, weight_hh, bias):
    """Run a minimal gated unit over sequences, from a zero state.

    Args:
        x: (B, T, I), T at least 1.
        weight_ih, weight_hh, bias: as in `mgu_step`.

    Returns:
        h_1 … h_T, (B, T, H), of x's dtype.
    """
    ### BEGIN SOLUTION
    h, states = x.new_zeros(len(x), weight_hh.shape[1]), []
    for x_t in x.unbind(1):
        h = mgu_step(x_t, h, weight_ih, weight_hh, bias)
        states.append(h)
    return torch.stack(states, dim=1)
    ### END SOLUTION


# %% role="try"
for mgu_kind in ("rnn", "mgu", "gru", "lstm"):
    print(f"{mgu_kind:<5} I = 26, H = 32: {recurrent_parameters(mgu_kind, 26, 32)} parameters")
print(largest_hidden_size("mgu", 26, recurrent_parameters("gru", 26, 32)))
print(mgu_states(torch.ones(1, 3, 2), torch.zeros(8, 2), torch.zeros(8, 4), torch.ones(8))[0])
# Each row should lie nearer to tanh(1) = 0.76 than the row above it: 0.56, 0.71, 0.75.

# %% role="show"
from course_utils.datasets.names import two_languages

NAME_LETTERS, NAME_STEPS, NAME_LANGUAGES = 26, 12, ("turkish", "icelandic")


def name_tensor(names):
    """One-hot letters (B, 12, 26); shorter names begin late, with zeros before them."""
    x = torch.zeros(len(names), NAME_STEPS, NAME_LETTERS)
    for row, name in enumerate(names):
        for place, letter in enumerate(name, start=NAME_STEPS - len(name)):
            x[row, place, ord(letter) - ord("a")] = 1
    return x


train_names, test_names = two_languages(*NAME_LANGUAGES, longest=NAME_STEPS)
x_names, x_names_test = name_tensor(train_names), name_tensor(test_names)
y_names, y_names_test = (  # the first half of each list is Turkish
    torch.arange(2).repeat_interleave(len(names) // 2) for names in (train_names, test_names)
)
for name_language, names_start in zip(NAME_LANGUAGES, (0, len(test_names) // 2), strict=True):
    print(f"{name_language:<10}", ", ".join(test_names[names_start : names_start + 8]))
print(f"{len(x_names)} names to train on, {len(x_names_test)} to test")

# %% [markdown]
# **Experiment.** Seven settings, every seed: about twenty seconds. (You may run the test cell below first; it will miss only the table.)

# %% role="experiment"
from course_utils.checking import record


class NameReader(nn.Module):
    """A recurrent layer and a linear layer on its last state: (B, T, 26) to logits (B, 2)."""

    def __init__(self, kind, hidden_size):
        super().__init__()
        self.kind, bound = kind, hidden_size**-0.5
        if kind == "mgu":
            for name, shape in (
                ("weight_ih", (2 * hidden_size, NAME_LETTERS)),
                ("weight_hh", (2 * hidden_size, hidden_size)),
                ("bias", (2 * hidden_size,)),
            ):
                setattr(self, name, nn.Parameter(torch.empty(shape).uniform_(-bound, bound)))
        else:
            self.layer = getattr(nn, kind.upper())(NAME_LETTERS, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, 2)

    def forward(self, x):
        own = self.kind == "mgu"
        states = mgu_states(x, self.weight_ih, self.weight_hh, self.bias) if own else self.layer(x)[0]
        return self.head(states[:, -1])


def train_reader_of_names(kind, hidden_size, seed, updates):
    """Accuracy on the test names after training, and the loss of the 20th batch."""
    torch.manual_seed(seed)
    model, order = NameReader(kind, hidden_size), torch.Generator().manual_seed(seed)
    optimizer, losses = torch.optim.Adam(model.parameters()), []
    for k in range(updates):
        rows = torch.randint(len(x_names), (64,), generator=order)
        loss = F.cross_entropy(model(x_names[rows]), y_names[rows])
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.param_groups[0]["lr"] = 0.01 * (1 - k / updates)
        optimizer.step()
    with torch.no_grad():
        right = model(x_names_test).argmax(1) == y_names_test
    return right.float().mean().item(), losses[19]


mgu_kinds, mgu_updates = ("rnn", "mgu", "gru", "lstm"), runtime.steps(quick=20, default=400, full=1500)
mgu_seeds = range(runtime.steps(quick=3, default=3, full=10))
mgu_budget = recurrent_parameters("gru", NAME_LETTERS, 32)
mgu_plan = {("equal hidden size", kind): 32 for kind in mgu_kinds}
mgu_plan |= {
    ("equal parameters", kind): largest_hidden_size(kind, NAME_LETTERS, mgu_budget) for kind in mgu_kinds
}
mgu_runs = sorted({(kind, size, seed) for (_, kind), size in mgu_plan.items() for seed in mgu_seeds})
with runtime.single_thread():
    mgu_scores = {
        run: train_reader_of_names(*run, mgu_updates) for run in training.progress(mgu_runs, "names")
    }
mgu_results = {
    setting: training.Repeats(np.array([mgu_scores[setting[1], size, seed][0] for seed in mgu_seeds]))
    for setting, size in mgu_plan.items()
}
record(
    "mgu-study",
    [
        {
            "comparison": comparison,
            "kind": kind,
            "hidden": mgu_plan[comparison, kind],
            "parameters": recurrent_parameters(kind, NAME_LETTERS, mgu_plan[comparison, kind]),
            "seeds": len(mgu_seeds),
            "steps": mgu_updates,
            "accuracy_mean": result.mean,
            "accuracy_sd": result.sd,
            "accuracy_lowest": result.values.min(),
            "accuracy_highest": result.values.max(),
            "loss_20": mgu_scores[kind, mgu_plan[comparison, kind], 0][1],
        }
        for (comparison, kind), result in mgu_results.items()
    ],
)

fig, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
for ax, mgu_comparison in zip(axes, ("equal hidden size", "equal parameters"), strict=True):
    for mgu_place, mgu_kind in enumerate(mgu_kinds):
        mgu_result = mgu_results[mgu_comparison, mgu_kind]
        ax.errorbar(
            mgu_place,
            100 * mgu_result.mean,
            100 * mgu_result.sd,
            fmt="s",
            capsize=5,
            markersize=8,
            color=plotting.BLUE,
        )
        ax.plot(
            [mgu_place + 0.18] * len(mgu_result.values), 100 * mgu_result.values, ".", color=plotting.ORANGE
        )
    ax.set_xticks(range(4), [f"{kind}\nH = {mgu_plan[mgu_comparison, kind]}" for kind in mgu_kinds])
    ax.set(title=mgu_comparison, xlabel="cell and hidden size", xlim=(-0.5, 3.5))
axes[0].set_ylabel("accuracy on new names (%)")
plotting.show(
    fig,
    alt="Accuracy of the cells rnn, mgu, gru and lstm, at equal hidden size on the left and at equal "
    "parameters on the right: squares are means with a bar of one standard deviation, dots single seeds.",
)
for mgu_comparison in ("equal hidden size", "equal parameters"):
    mgu_gap = mgu_results[mgu_comparison, "mgu"].values - mgu_results[mgu_comparison, "gru"].values
    print(f"MGU minus GRU at {mgu_comparison}: {training.Repeats(100 * mgu_gap):.1f} points")

# %% role="test" grade_id="mgu-study-test" points=12
import math

import numpy as np
import torch

from course_utils.checking import (
    as_array,
    checking,
    expect,
    expect_close,
    expect_number,
    expect_raises,
    expect_shape,
    forbid,
    number_of,
    student,
)
from course_utils.datasets.names import two_languages

with student.without("rnn"), checking("mgu-study") as check:
    mgu_library = (
        "torch.nn.RNN*",
        "torch.nn.LSTM*",
        "torch.nn.GRU*",
        "torch.nn.modules.rnn*",
        "torch.gru*",
        "torch.lstm*",
    )
    for name in ("recurrent_parameters", "largest_hidden_size", "mgu_step", "mgu_states"):
        forbid(
            name,
            *mgu_library,
            why="the exercise asks you to write it, so the library's recurrent layers do not count",
        )
    with check.part("a cell with two inputs and three units"):
        expect_number(
            student.recurrent_parameters("rnn", 2, 3),
            18,
            "recurrent_parameters('rnn', 2, 3)",
            {
                "the bias is missing": 15,
                "one bias vector unless told otherwise": 21,
                "the matrix H × H is missing": 9,
            },
        )
        expect_number(
            student.largest_hidden_size("rnn", 2, 20),
            3,
            "largest_hidden_size('rnn', 2, 20)",
            {"that is one unit more than the budget allows": 4, "a unit more would fit": 2},
        )
        expect_number(
            student.recurrent_parameters("gru", 2, 3, 2),
            63,
            "recurrent_parameters('gru', 2, 3, 2)",
            {"two bias vectors in each block are asked for here, not one": 54},
        )
    with check.part("two units, one step"):
        two_units = [
            torch.tensor([[1.0], [-1.0], [0.5], [1.5]]),
            torch.tensor([[0.5, 1.0], [-1.0, 0.5], [2.0, -1.0], [0.5, 1.0]]),
            torch.tensor([-0.5, 0.5, 0.25, -0.25]),
        ]
        expect_close(
            student.mgu_step(torch.tensor([[0.4]]), torch.tensor([[0.6, -0.8]]), *two_units),
            [[0.67186267, -0.50478172]],
            what="the new state",
            suspects={
                "f and 1 - f are swapped: here f multiplies the candidate": [[0.7309423, -0.07388017]],
                "f does not multiply h inside the candidate": [[0.7364992, -0.61179491]],
                "f stands before the product: W_hn (f ⊙ h)": [[0.67817237, -0.51018901]],
                "the old state does not enter the new one": [[0.28446887, 0.06397789]],
            },
            reveal=True,
        )
    with check.part("states of a batch of sequences"):
        mgu_shapes = [torch.zeros(*shape) for shape in ((5, 4, 2), (6, 2), (6, 3), (6,))]
        expect_shape(
            student.mgu_states(*mgu_shapes),
            (5, 4, 3),
            "mgu_states (B, T, H)",
            {"they are stacked time first": (4, 5, 3), "only the last state came back": (5, 3)},
        )
    with check.part("the table is recorded"):
        if any(row.get("steps") == 20 for row in student.recorded("mgu-study")):
            print("Remark: this table is from COURSE_BUDGET=quick; run the study again with default.")
    ### BEGIN HIDDEN TESTS
    block_count = {"rnn": 1, "mgu": 2, "gru": 3, "lstm": 4}

    def count(kind, inputs, units, biases=1):
        return block_count[kind] * units * (inputs + units + biases)

    with check.part("parameters counted", points=2):
        for inputs, units in ((7, 11), (26, 32), (5, 1)):
            for kind, blocks in block_count.items():
                for biases in (1, 2):
                    right = count(kind, inputs, units, biases)
                    one_block = right // blocks
                    suspects = {
                        "the biases are missing": right - blocks * biases * units,
                        "each block has its own biases; here only one has": right
                        - (blocks - 1) * biases * units,
                        "a bias holds one number for each unit": blocks
                        * (inputs * units + units * units + biases),
                        "the matrices from state to state are missing": right - blocks * units * units,
                        "the matrices from the input are missing": right - blocks * units * inputs,
                        "`biases` is ignored": count(kind, inputs, units, 3 - biases),
                        "the matrix from the input is H × I, not I × I": blocks
                        * (inputs * inputs + units * units + biases * units),
                        "the candidate is missing: it has weights of its own, as a gate has": (blocks - 1)
                        * one_block,
                        "there is a block too many": (blocks + 1) * one_block,
                        "there are two blocks too many": (blocks + 2) * one_block,
                    }
                    number = student.recurrent_parameters(
                        kind, inputs, units, *(() if biases == 1 else (biases,))
                    )
                    what = f"recurrent_parameters({kind!r}, {inputs}, {units}) with {biases} bias vector(s)"
                    expect_number(number, right, what, suspects, rtol=0, atol=1e-6)
        expect_raises(
            ValueError,
            lambda: student.recurrent_parameters("transformer", 3, 4),
            "a kind that is none",
            mentions="transformer",
        )
    with check.part("the largest size within a budget", points=1.5):
        for kind in block_count:
            for inputs, size in ((26, 32), (3, 1), (10, 77), (5, 700)):
                exactly, below = count(kind, inputs, size), count(kind, inputs, size + 1) - 1
                for budget, how in ((exactly, "exactly as many as"), (below, "one less than")):
                    units = size if how.startswith("exactly") else size + 1
                    got = student.largest_hidden_size(kind, inputs, budget)
                    what = f"largest_hidden_size({kind!r}, {inputs}, {budget}), {how} {units} units have"
                    found = number_of(got, what)
                    if (
                        found != size and 1 <= found < 10**6 and found == int(found)
                    ):  # right by your own count?
                        own = [student.recurrent_parameters(kind, inputs, int(found) + k) for k in (0, 1)]
                        if number_of(own[0], "a count") <= budget < number_of(own[1], "a count"):
                            continue
                    expect_number(
                        got,
                        size,
                        what,
                        {
                            "that is one unit more than the budget allows": size + 1,
                            "one unit more would fit": size - 1,
                            "that is the root of the budget over the blocks; the input's matrices and the biases cost too": math.isqrt(
                                budget // block_count[kind]
                            ),
                        },
                        rtol=0,
                    )
            smallest = int(number_of(student.recurrent_parameters(kind, 4, 1), "recurrent_parameters"))
            expect_raises(
                ValueError,
                lambda kind=kind, smallest=smallest: student.largest_hidden_size(kind, 4, smallest - 1),
                f"a budget too small for one unit of {kind!r}",
            )

    def waves(*shape, phase):
        return torch.sin(1.7 * torch.arange(math.prod(shape), dtype=torch.float64) + phase).reshape(shape)

    def step(x, h, weight_ih, weight_hh, bias, gate="right", swapped=False, candidate="right"):
        """The unit in the equations' own words, and its usual mistakes."""
        (w_f, w_n), (u_f, u_n), (b_f, b_n) = weight_ih.chunk(2), weight_hh.chunk(2), bias.chunk(2)
        total = x @ w_f.T + h @ u_f.T + b_f
        f = {
            "right": torch.sigmoid(total),
            "closed": torch.sigmoid(-total),
            "tanh": torch.tanh(total),
            "raw": total,
            "stateless": torch.sigmoid(x @ w_f.T + b_f),
            "blind": torch.sigmoid(h @ u_f.T + b_f),
            "biasless": torch.sigmoid(total - b_f),
            "late": torch.sigmoid(total - b_f) + b_f,
            "state_t": torch.sigmoid(x @ w_f.T + h @ u_f + b_f) if len(h.T) == len(u_f) else total,
            "input_t": torch.sigmoid(x @ w_f + h @ u_f.T + b_f) if len(x.T) == len(u_f) else total,
            "rows": torch.sigmoid(x @ w_n.T + h @ u_n.T + b_n),
            "bias_n": torch.sigmoid(total - b_f + b_n),
            "each": torch.sigmoid(x @ w_f.T + b_f) + torch.sigmoid(h @ u_f.T),
        }[gate]
        past = (f * h) @ u_n.T
        seen = x @ w_n.T + b_n
        n = {
            "right": lambda: torch.tanh(seen + past),
            "ungated": lambda: torch.tanh(seen + h @ u_n.T),
            "after": lambda: torch.tanh(seen + f * (h @ u_n.T)),
            "all": lambda: torch.tanh(f * (seen + h @ u_n.T)),
            "input": lambda: torch.tanh(x @ w_n.T * f + b_n + h @ u_n.T),
            "one minus": lambda: torch.tanh(seen + ((1 - f) * h) @ u_n.T),
            "stateless": lambda: torch.tanh(seen),
            "blind": lambda: torch.tanh(b_n + past),
            "biasless": lambda: torch.tanh(seen - b_n + past),
            "late": lambda: torch.tanh(seen - b_n + past) + b_n,
            "sigmoid": lambda: torch.sigmoid(seen + past),
            "raw": lambda: seen + past,
            "relu": lambda: torch.relu(seen + past),
            "state_t": lambda: torch.tanh(seen + (f * h) @ u_n),
            "input_t": lambda: torch.tanh(x @ w_n + b_n + past),
            "rows": lambda: torch.tanh(x @ w_f.T + b_f + (f * h) @ u_f.T),
        }[candidate]()
        return {
            False: (1 - f) * h + f * n,
            True: f * h + (1 - f) * n,
            "kept": h + f * n,
            "dropped": f * n,
            "reset": (1 - f) * (f * h) + f * n,
            "added": (1 - f) * h + n,
        }[swapped]

    B, H = 4, 3  # and three inputs: no product can fail, so each mistake gives numbers of its own
    x, h = waves(B, H, phase=6), waves(B, H, phase=7)
    weights = [waves(2 * H, H, phase=1), waves(2 * H, H, phase=2), 0.7 * waves(2 * H, phase=3)]
    odd = [waves(3, 2, phase=6), waves(3, 5, phase=7)]
    odd += [waves(10, 2, phase=1), waves(10, 5, phase=2), 0.7 * waves(10, phase=3)]

    gate_slips = (
        "right",
        "tanh",
        "raw",
        "stateless",
        "blind",
        "biasless",
        "late",
        "state_t",
        "input_t",
        "rows",
        "bias_n",
        "each",
    )
    candidate_slips = (
        *("right", "ungated", "after", "all", "input", "one minus", "stateless", "blind", "biasless", "late"),
        *("sigmoid", "raw", "relu", "state_t", "input_t", "rows"),
    )

    def agrees(numbers, given, options):
        try:
            value = step(*given, **options).numpy()
        except RuntimeError:  # a matrix that cannot be transposed at these sizes
            return False
        return numbers.shape == value.shape and np.allclose(numbers, value, rtol=0, atol=1e-9)

    def expect_step(given, what, suspects, forgiven):
        """The new state, where the slips in `forgiven` are a question of their own."""
        got = student.mgu_step(*given)
        numbers = as_array(got, "the new state")
        if not any(agrees(numbers, given, options) for options in forgiven):
            mistakes = {
                sentence: step(*given, **options, swapped=swapped)
                for swapped in (False, True)
                for sentence, options in (
                    (text + " (and f and 1 - f are swapped)" if swapped else text, options)
                    for text, options in suspects.items()
                )
            }
            expect_close(got, step(*given), what, mistakes, rtol=1e-9)

    exchanged = {
        "the blocks stand in the order f, n; here gate and candidate are exchanged": {
            "gate": "rows",
            "candidate": "rows",
        }
    }
    mixtures = (False, True, "kept", "dropped", "reset", "added")
    any_candidate = [{"swapped": s, "candidate": c} for s in mixtures for c in candidate_slips]
    any_gate = [{"swapped": s, "gate": g} for s in mixtures for g in gate_slips]
    any_both = [{"gate": g, "candidate": c} for g in gate_slips for c in candidate_slips]

    # With W_hn = 0 the candidate knows nothing of f, so that the state shows f alone.
    with check.part("the gate", points=2):
        suspects = {
            "f is 1 minus what it should be, in the candidate too": {"gate": "closed"},
            "this is a tanh; the gate is a sigmoid, between 0 and 1": {"gate": "tanh"},
            "the gate's sigmoid is missing": {"gate": "raw"},
            "the old state does not enter the gate": {"gate": "stateless"},
            "the input does not enter the gate": {"gate": "blind"},
            "the gate's bias is missing": {"gate": "biasless"},
            "the gate's bias is added after the sigmoid": {"gate": "late"},
            "the gate has the candidate's bias": {"gate": "bias_n"},
            "each share of the gate has a sigmoid of its own: add the shares first": {"gate": "each"},
            "W_hf is transposed: for rows, W h is h @ W.T": {"gate": "state_t"},
            "W_if is transposed: for rows, W x is x @ W.T": {"gate": "input_t"},
            "the blocks stand in the order f, n; this gate is made from the rows of n": {"gate": "rows"},
        } | exchanged
        alone = [weights[0], torch.cat([weights[1][:H], torch.zeros(H, H, dtype=torch.float64)]), weights[2]]
        plain = [torch.cat([weights[0][:H], 0 * weights[0][H:]]), alone[1], weights[2]]
        expect_step(
            [x, h, *plain], "the new state where the candidate is a constant", suspects, any_candidate
        )
        only = [odd[2], odd[3].clone(), odd[4]]
        only[1][5:] = 0
        expect_step(
            [*odd[:2], *only],
            "the new state where the candidate reads the input only, B, I, H = 3, 2, 5,",
            {},
            any_candidate,
        )
    with check.part("the candidate", points=2):
        # Where the gate is a constant, 0.3 to 0.7 by unit, the state shows the candidate alone.
        bias = torch.cat([torch.tensor([-0.8, 0.2, 0.9], dtype=torch.float64), weights[2][H:]])
        still = [torch.cat([torch.zeros(H, H, dtype=torch.float64), weights[0][H:]])]
        still += [torch.cat([torch.zeros(H, H, dtype=torch.float64), weights[1][H:]]), bias]
        suspects = {
            "f does not multiply h inside the candidate": {"candidate": "ungated"},
            "f multiplies the product W_hn h; here it multiplies h, before the product": {
                "candidate": "after"
            },
            "f multiplies the input's share too": {"candidate": "all"},
            "f multiplies the input's share, not the state's": {"candidate": "input"},
            "1 - f multiplies h inside the candidate; it should be f": {"candidate": "one minus"},
            "the old state does not enter the candidate": {"candidate": "stateless"},
            "the input does not enter the candidate": {"candidate": "blind"},
            "the candidate's bias is missing": {"candidate": "biasless"},
            "the candidate's bias is added after the tanh": {"candidate": "late"},
            "this is a sigmoid; the candidate is a tanh": {"candidate": "sigmoid"},
            "the candidate's tanh is missing": {"candidate": "raw"},
            "this is a ReLU; the candidate is a tanh": {"candidate": "relu"},
            "W_hn is transposed: for rows, W h is h @ W.T": {"candidate": "state_t"},
            "W_in is transposed: for rows, W x is x @ W.T": {"candidate": "input_t"},
            "the blocks stand in the order f, n; this candidate is made from the rows of f": {
                "candidate": "rows"
            },
        } | exchanged
        expect_step([x, h, *still], "the new state where the gate is a constant", suspects, any_gate)
        steady = [odd[2].clone(), odd[3].clone(), odd[4]]
        steady[0][:5], steady[1][:5] = 0, 0
        expect_step(
            [*odd[:2], *steady],
            "the new state where the gate is a constant, B, I, H = 3, 2, 5,",
            {},
            any_gate,
        )
    with check.part("the new state lies between", points=1.5):
        # Where W_hf = W_hn = 0 neither gate nor candidate knows of h: what is left is how they are put together.
        blind = [weights[0], 0 * weights[1], weights[2]]
        seen_f, seen_n = (x @ weights[0].T + weights[2]).chunk(2, dim=1)
        f, n = torch.sigmoid(seen_f), torch.tanh(seen_n)
        got = student.mgu_step(x, h, *blind)
        numbers = as_array(got, "the new state")
        right = (1 - f) * h + f * n
        if any(agrees(numbers, (x, h, *blind), options) for options in any_both):
            right = got  # gate and candidate are questions of their own
        expect_close(
            got,
            right,
            what="the new state where neither gate nor candidate reads h",
            suspects={
                "f and 1 - f are swapped: f multiplies the candidate, 1 - f the old state": f * h
                + (1 - f) * n,
                "the old state does not enter": f * n,
                "the candidate does not enter": (1 - f) * h,
                "all of the old state is kept; only 1 - f of it should be": h + f * n,
                "all of the candidate is added; only f of it should be": (1 - f) * h + n,
                "f multiplies both": f * (h + n),
                "the old state is multiplied by f too; f ⊙ h belongs inside the candidate": (1 - f) * f * h
                + f * n,
                "there is a tanh around the new state": torch.tanh((1 - f) * h + f * n),
                "that is the candidate": n,
            },
            rtol=1e-9,
        )
        shared = [student.share(value) for value in (x, h, *weights)]
        student.mgu_step(*shared)
        for name, handle, value in zip(
            ("x", "h", "weight_ih", "weight_hh", "bias"), shared, (x, h, *weights), strict=True
        ):
            same = np.array_equal(as_array(student.value(handle), name), value.numpy())
            expect(same, f"mgu_step changed its argument {name} in place; the caller still needs it")

    def unroll(x, given, mistake=None):
        h = torch.zeros(len(x), given[1].shape[1], dtype=x.dtype)
        if mistake == "ones":
            h = h + 1
        states = []
        for x_t in x.unbind(1):
            after = torch.as_tensor(as_array(student.mgu_step(x_t, h, *given), "mgu_step"))
            states.append(after)
            h = h if mistake == "not carried" else after
        return torch.stack(states, 1)

    with check.part("states over a sequence", points=1):  # beside your own step, whatever it computes
        x_long = waves(2, 6, 3, phase=0.3)
        right = unroll(x_long, weights)
        zeros = torch.zeros(2, 1, 3, dtype=right.dtype)
        expect_close(
            student.mgu_states(x_long, *weights),
            right,
            what="states (beside six calls of your mgu_step)",
            suspects={
                "the state is not carried from step to step": lambda: unroll(x_long, weights, "not carried"),
                "the first state is zero, not one": lambda: unroll(x_long, weights, "ones"),
                "they are stacked time first; batch comes first": right.transpose(0, 1),
                "only the last state came back; all are asked for": right[:, -1],
                "h_0 is among the states; they are h_1 … h_T": torch.cat([zeros, right], 1),
                "they are one step late: h_0 … h_{T-1}": torch.cat([zeros, right[:, :-1]], 1),
                "the sequence is read backward": lambda: unroll(x_long.flip(1), weights).flip(1),
                "every step shows the last state": right[:, -1:].expand(-1, 6, -1),
            },
            rtol=1e-9,
        )
        x_odd = waves(1, 4, 2, phase=0.5).float()
        given = [value.float() for value in odd[2:]]
        got = student.mgu_states(x_odd, *given)
        expect_close(got, unroll(x_odd, given), what="states of one sequence, I, H = 2, 5, in float32")
        kept = isinstance(got, torch.Tensor) and got.dtype == torch.float32
        expect(kept, "float32 went in, but the states are no float32 tensor")
    with check.part("gradients", points=0.5):
        leaves = [value.clone().requires_grad_() for value in (waves(2, 5, 3, phase=0.3), *weights)]
        state, total = torch.zeros(2, 3, dtype=torch.float64), 0
        mix = waves(2, 5, 3, phase=8)
        for t in range(5):
            state = step(leaves[0][:, t], state, *leaves[1:])
            total = total + (mix[:, t] * state).sum()
        total.backward()
        got = student.backward(student.mgu_states, *(leaf.detach() for leaf in leaves), weights=mix)
        for name, leaf, gradient in zip(
            ("x", "weight_ih", "weight_hh", "bias"), leaves, got.inputs, strict=True
        ):
            expect(
                gradient is not None,
                f"no gradient reaches {name}: is .data, detach(), item() or no_grad() in the way?",
            )
            expect_close(gradient, leaf.grad, what=f"the gradient of {name} over five steps", rtol=1e-6)
    # The table comes from the experiment. Where only answer and test run, as in the bank, the answer records one itself.
    with check.part("the table", points=1):
        rows = student.recorded("mgu-study")
        columns = ["comparison", "kind", "hidden", "parameters", "seeds", "steps"]
        scores = ["accuracy_mean", "accuracy_sd", "accuracy_lowest", "accuracy_highest"]
        fits = rows and all(list(row) == [*columns, *scores, "loss_20"] for row in rows)
        expect(fits, f"the table's columns should be {', '.join(columns + scores)}, loss_20")
        table = {(str(row["comparison"]), str(row["kind"])): row for row in rows}
        wanted = {(c, kind) for c in ("equal hidden size", "equal parameters") for kind in block_count}
        expect(
            set(table) == wanted and len(rows) == len(wanted),
            "the table should have a row for each of four cells in each of two comparisons, and no other",
        )
        numeric = all(
            isinstance(row[name], int | float)
            and not isinstance(row[name], bool)
            and math.isfinite(row[name])
            for row in rows
            for name in [*columns[2:], *scores, "loss_20"]
        )
        expect(numeric, "the table holds something that is no number: a spread needs at least two seeds")
        budget = count("gru", 26, 32)
        for (comparison, kind), row in table.items():
            where, n = f"{kind}, {comparison}", row["seeds"]
            expect(n >= 3, f"{where}: at least three seeds are asked for, got {n}")
            size = 32
            if comparison == "equal parameters":
                while count(kind, 26, size) > budget:
                    size -= 1
                while count(kind, 26, size + 1) <= budget:
                    size += 1
            expect(
                row["hidden"] == size, f"{where}: the protocol's hidden size is {size}, not {row['hidden']}"
            )
            expect(
                row["parameters"] == count(kind, 26, size),
                f"{where}: {row['parameters']} parameters do not belong to I = 26, H = {size} with one bias vector in each block",
            )
            mean, sd, low, high = (row[name] for name in scores)
            expect(
                0 <= low <= high <= 1, f"{where}: accuracies lie between 0 and 1, lowest and highest in order"
            )
            expect(
                low - 1e-6 <= mean <= high + 1e-6, f"{where}: the mean lies outside the range of the seeds"
            )
            spread = high - low
            least, most = spread / math.sqrt(2 * (n - 1)), spread / 2 * math.sqrt(n / (n - 1))
            expect(
                least * 0.99 - 1e-6 <= sd <= most * 1.01 + 1e-6,
                f"{where}: this standard deviation (n - 1 in the denominator) does not fit lowest and highest",
            )
            if kind in ("gru", "lstm") and row["steps"] >= 400:  # the library's cells: the same for everybody
                expect(
                    0.8 < mean < 0.97,
                    f"{where}: this study gives the library's cell about 0.9; a mean of {mean:.3f} is not from it",
                )
        for name in ("seeds", "steps"):
            expect(
                len({row[name] for row in rows}) == 1, f"the settings differ in {name}: no fair comparison"
            )
        twice = [table[c, "gru"] for c in ("equal hidden size", "equal parameters")]
        expect(
            all(abs(twice[0][name] - twice[1][name]) < 1e-6 for name in scores),
            "the GRU with H = 32 stands in both comparisons, with different results",
        )
        expect(
            len({row["accuracy_mean"] for row in rows}) >= 3,
            "the settings share one accuracy: were they all run?",
        )
    with check.part("a quick re-run agrees", points=0.5):

        class OwnStates(torch.autograd.Function):
            """The student's mgu_states and its gradients, so that the rest of the training stays here."""

            @staticmethod
            def forward(ctx, *given):
                ctx.save_for_backward(*given)
                states = student.mgu_states(*given)
                expect_shape(states, (64, 12, given[2].shape[1]), "mgu_states of a batch of names (B, T, H)")
                return torch.as_tensor(as_array(states, "mgu_states")).float()

            @staticmethod
            def backward(ctx, mix):
                with torch.enable_grad():
                    return tuple(student.backward(student.mgu_states, *ctx.saved_tensors, weights=mix).inputs)

        train_names, _ = two_languages("turkish", "icelandic", longest=12)
        x_names = torch.zeros(len(train_names), 12, 26)
        for i, name in enumerate(train_names):
            for t, letter in enumerate(name, start=12 - len(name)):
                x_names[i, t, ord(letter) - ord("a")] = 1
        y_names = torch.arange(2).repeat_interleave(len(train_names) // 2)

        def loss_again(kind, units, steps):
            """The loss of the 20th batch with seed 0, computed as in the experiment."""
            torch.manual_seed(0)
            if kind == "mgu":
                sizes = ((2 * units, 26), (2 * units, units), (2 * units,))
                weights = [
                    torch.nn.Parameter(torch.empty(size).uniform_(-(units**-0.5), units**-0.5))
                    for size in sizes
                ]
            else:
                layer = getattr(torch.nn, kind.upper())(26, units, batch_first=True)
                weights = list(layer.parameters())
            head, order = torch.nn.Linear(units, 2), torch.Generator().manual_seed(0)
            weights += head.parameters()
            optimizer = torch.optim.Adam(weights)
            for k in range(20):
                rows = torch.randint(len(x_names), (64,), generator=order)
                x = x_names[rows]
                states = OwnStates.apply(x, *weights[:3]) if kind == "mgu" else layer(x)[0]
                loss = torch.nn.functional.cross_entropy(head(states[:, -1]), y_names[rows])
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(weights, 1.0)
                optimizer.param_groups[0]["lr"] = 0.01 * (1 - k / steps)
                optimizer.step()
            return loss.item()

        def entry(row, name, low, high):
            value = row.get(name)
            numeric = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
            expect(numeric, f"{name} in the table should be a number from {low} to {high}")
            return value

        rows, again = student.recorded("mgu-study"), {}
        expect(
            {str(row.get("kind")) for row in rows} == set(block_count),
            "the table misses one of the four cells",
        )
        for row in rows:
            setting = str(row["kind"]), int(entry(row, "hidden", 1, 99)), entry(row, "steps", 20, 10**6)
            if setting not in again:
                expect(len(again) < 8, "the table has more settings than the study")
                again[setting] = loss_again(*setting)
            said = entry(row, "loss_20", 0, 100)
            expect(
                abs(said - again[setting]) <= 2e-3 * again[setting],
                f"{setting[0]}, {row.get('comparison')}: the loss of the 20th batch is {again[setting]:.4f} when trained again, "
                f"the table says {said:.4f}: run the study again after your last change",
            )
    ### END HIDDEN TESTS

# %% [markdown]
# ### Read the table of the gates
# *2 points · 3 minutes · difficulty 2*
#
# Answer from your own table, of the budget `default` or `full`.
#
# - `fewest_right`: which cell has the lowest mean accuracy at equal hidden size? `"rnn"`, `"mgu"`, `"gru"` or `"lstm"`.
# - `mgu_beside_gru`: at equal hidden size, the mean accuracy of the MGU is `"within two points of the GRU's"`, `"more than two points below"` or
#   `"more than two points above"`.

# %% role="answer" grade_id="mgu-reading"
### BEGIN SOLUTION
fewest_right = "rnn"  # "rnn", "mgu", "gru" or "lstm"
mgu_beside_gru = "within two points of the GRU's"  # one of the three texts above
### END SOLUTION

# %% role="test" grade_id="mgu-reading-test" points=2
from course_utils.checking import CheckFailed, checking, chosen_of, expect_choice, student

cell_names = ["rnn", "mgu", "gru", "lstm"]
mgu_distances = ["within two points of the GRU's", "more than two points below", "more than two points above"]


def plain_quote(value):
    """Text with a typographic apostrophe as a plain one."""
    return value.replace("\u2019", "'") if isinstance(value, str) else value


with checking("mgu-reading") as check:
    with check.part("a cell is chosen"):
        chosen_of(student.fewest_right, cell_names, "fewest_right")
    with check.part("a distance is chosen"):
        chosen_of(plain_quote(student.mgu_beside_gru), mgu_distances, "mgu_beside_gru")
    ### BEGIN HIDDEN TESTS

    def accuracies():
        """Mean accuracy at equal hidden size: the student's own, or the default budget's where there is no such table."""
        default = {"rnn": 0.867, "mgu": 0.900, "gru": 0.907, "lstm": 0.908}
        try:
            rows = student.recorded("mgu-study")
            own = {
                row["kind"]: float(row["accuracy_mean"])
                for row in rows
                if row["comparison"] == "equal hidden size" and row["steps"] >= 400
            }
        except (CheckFailed, KeyError, TypeError, ValueError):
            return default
        return own if set(own) == set(default) else default

    table = accuracies()
    with check.part("the lowest accuracy", points=1):
        lowest = min(cell_names, key=table.__getitem__)
        suspects = dict.fromkeys(cell_names, "look at the left panel: another cell lies lower")
        if lowest == "rnn":
            suspects = dict.fromkeys(cell_names, "look at the left panel: a cell without any gate lies lower")
        expect_choice(student.fewest_right, lowest, cell_names, "fewest_right", suspects)
    with check.part("MGU beside GRU", points=1):
        gap = 100 * (table["mgu"] - table["gru"])
        distance = mgu_distances[0 if abs(gap) <= 2 else 1 if gap < 0 else 2]
        read = "a point is one percent of the names; compare the means, and the spread of the seeds"
        expect_choice(
            plain_quote(student.mgu_beside_gru),
            distance,
            mgu_distances,
            "mgu_beside_gru",
            dict.fromkeys(mgu_distances, read),
        )
    ### END HIDDEN TESTS

# %% [markdown] role="written" grade_id="mgu-conclusion" points=4
# ### Conclude: what a second and a third gate buy
# *4 points · 12 minutes · difficulty 4 · marked by hand*
#
# Write the conclusion of a short paper, eight to twelve sentences, on your own table.
#
# | what earns points | points |
# |---|---|
# | Parameters: what share of a GRU and of an LSTM an MGU needs at equal hidden size, and why; the sizes at equal parameters | 1 |
# | Accuracy from the table: means with spread in both comparisons, and which differences are larger than the spread | 1 |
# | An explanation by the equations: what the one gate couples that a GRU and an LSTM can decide apart, and what it keeps from them | 1 |
# | Two limits of the study, one of them about the size of the test or the number of seeds, and one run that would test a limit | 1 |
#
# ### BEGIN SOLUTION
# A cell is so many equal blocks, one for each gate and one for the candidate: two for the MGU, three for the GRU, four for the LSTM. So at
# 32 units the MGU has 3776 recurrent parameters, two thirds of the GRU's 5664 and half of the LSTM's 7552. Within the GRU's budget the MGU
# may have 41 units, the LSTM 26 and a vanilla RNN 62.
#
# At equal hidden size the vanilla RNN names the language of 86.7 ± 0.5 % of the new names, the MGU 90.0 ± 0.7 %, the GRU 90.7 ± 0.4 % and the
# LSTM 90.8 ± 1.0 % (mean ± s.d. of three seeds). So after 400 steps the first gate is worth three points, more than the seeds vary, and what the second
# and third buy is no larger than their spread: seed by seed the MGU lies 0.8 ± 0.7 points below the GRU. At equal parameters the picture is the
# same: 90.0 ± 1.3 % for the MGU with 41 units, 90.0 ± 0.9 % for the LSTM with 26, and 86.2 ± 0.9 % for the RNN, whose 62 units do not make up
# for the gate that it lacks.
#
# The gate lets a unit keep a letter's trace for as long as it is needed, along the additive path that all three gated cells share. What the MGU gives
# up is independence. Where $f$ is small it keeps nearly all of a unit and consults nearly none of it; where $f$ is near one it overwrites the unit and
# consults all of it. A GRU can overwrite without looking, as the waiter does at *no, a tea*, and an LSTM can hide what it stores. Names of
# at most twelve letters seem to need neither.
#
# The test has 700 names, so one standard error of an accuracy of 90 % is 1.1 points, and three seeds do not reduce it, since all are tested on the same
# names: a difference below one point is beyond this study. The task is short, one learning rate served every cell, and 400 steps are few. The budget
# `full` tests that last limit: with 1500 steps and ten seeds the RNN reaches 90.6 ± 1.1 %, the MGU 89.3 ± 0.9 %, the GRU 91.2 ± 1.0 % and the LSTM 90.8 ± 0.7 %.
# So the three points were a head start, not a height out of the RNN's reach, and seed by seed the MGU is then 1.9 ± 1.0 points behind the GRU. A task in
# which a unit must be overwritten without regard to what it holds, such as *sample and hold* with longer gaps, would show where the coupling hurts.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# Mark against the student's own table, which stands above (with the budget `full` the vanilla RNN is no longer last). Row one: 0.5 for 2/3 and 1/2 with the reason (two blocks against three and four), 0.5 for
# the sizes. Row two: a ranking of MGU, GRU and LSTM from means that overlap earns at most 0.5; that the vanilla RNN lies below all three after 400 steps counts as a difference.
# Row three: needs one coupling, for example that whoever consults little of the old state must also keep much of it; "simpler" alone earns 0.25.
# Row four: 0.5 for the two limits, 0.5 for the run; accept one task, short sequences, one learning rate, few names, short training.
# ### END MARK SCHEME

# %% [markdown]
# ### GRU or LSTM for translation?
# *12 points · 45 minutes · difficulty 4*
#
# *GRUs are fine for short sentences; on long ones the LSTM, with its separate memory, is better.* Textbooks say so of machine translation.
# You test it on a small translator from English to French, by sentence length, and at **equal parameters**: at the same hidden size
# an LSTM is simply the larger network.
#
# **The task.** Numbers in words: *two hundred eighty-one* is *deux cent quatre-vingt-un*. There is exactly one right translation, and
# it takes memory: one GRU or LSTM (the *encoder*) reads the whole English number, and a second one (the *decoder*) writes the French words
# from the state with which the first one ended. Nothing else passes between them.
#
# **How it learns.** When the decoder writes word $t$, it is given the *right* words before it (**teacher forcing**). So its input is the
# translation itself, one step late, with a begin mark in front. Feed it the translation unshifted, and it copies what it should predict.
#
# **How it is measured.** By *exact match*: every word right, the end mark included. That can be read off under teacher forcing too. If
# the most probable word is right at every step given the right words before, then the translator would also have written just these words on its own; and if one is
# wrong, it would have gone wrong there.
#
# **Protocol.**
#
# | | |
# |---|---|
# | varied | the cell: `gru` with $H = 64$; `lstm` with the hidden size that makes the whole network's parameters equal |
# | held fixed | embeddings of 32, 12 000 pairs to learn from, batches of 64, Adam, learning rate 0.005, falling to 0 over the second half, clipping at norm 1 |
# | same for both cells of a seed | the batches, in the same order; all numbers of a batch have equally many English words, so no English side is padded |
# | measured | exact match on 2000 numbers that are in no training set, by the number of English words |
# | repeated | 3 seeds, 700 updates; with `COURSE_BUDGET=full` 10 seeds, 1000 updates |
# | recorded too | `loss_10`, each seed's training loss at the 10th update |
#
# Grading computes a small part of the table again: it trains seed 0 for 10 updates with your `decoder_inputs`, and `loss_10` must agree to 0.1 %.
#
# You write six parts, most of them short. `nn.GRU` and `nn.LSTM` have two bias vectors in every gate, one for the input and one for the state.
#
# <details><summary>I'm not sure where to start</summary>
#
# *Shift:* `torch.cat` of a column of begin marks and all columns but the last. *Parameters:* a GRU has three blocks of $(H, I)$, $(H, H)$
# and twice $(H,)$; an LSTM has four; count two layers, two embedding tables and the head. *Width:* the count grows with $H$, so walk up from 1 until it passes the
# budget, and compare the last two. *Exact match:* what must hold at every real place? What should padding count as? *Bins:* a boolean mask for each.
# *Rows:* two loops around a third; `np.std(..., ddof=1)`, NaN if there is one seed.
# </details>


# %% role="answer" grade_id="translation-study"
def decoder_inputs(targets, begin):
    """Shift translations by one step: what the decoder is given when it shall write `targets`.

    Args:
        targets: (B, T) int64, T at least 1; not changed.
        begin: the number of the begin mark.

    Returns:
        (B, T) int64: at step 0 the begin mark, at step t the target of step t - 1.
    """
    ### BEGIN SOLUTION
    first = torch.full_like(targets[:, :1], begin)  # (B, 1)
    return torch.cat([first, targets[:, :-1]], dim=1)
    ### END SOLUTION


def translator_parameters(kind, hidden_size, source_words, target_words, embedding_size=32):
    """Count all parameters of a `Translator` (in the cell below), with the library's two bias vectors in each block.

    Args:
        kind: "gru" or "lstm", for encoder and decoder.
        hidden_size: H of both.
        source_words, target_words: rows of the two embedding tables; the head, a linear layer with bias,
            has as many outputs as there are target words.
        embedding_size: E, numbers a row, and the input size of encoder and decoder.

    Returns:
        int.

    Raises:
        ValueError: any other kind.
    """
    ### BEGIN SOLUTION
    if kind not in ("gru", "lstm"):
        raise ValueError(f'kind must be "gru" or "lstm", got {kind!r}')
    blocks = 3 if kind == "gru" else 4
    layer = blocks * (hidden_size * embedding_size + hidden_size**2 + 2 * hidden_size)
    tables = (source_words + target_words) * embedding_size
    return tables + 2 * layer + (hidden_size + 1) * target_words
    ### END SOLUTION


def translator_width(kind, budget, source_words, target_words, embedding_size=32):
    """Find the hidden size whose `Translator` has the number of parameters nearest to a budget.

    Args:
        kind, source_words, target_words, embedding_size: as for `translator_parameters`.
        budget: number of parameters to come near to, from below or above.

    Returns:
        int, at least 1; of two that are equally near, the smaller.
    """

    ### BEGIN SOLUTION
    def distance(hidden_size):
        return abs(
            translator_parameters(kind, hidden_size, source_words, target_words, embedding_size) - budget
        )

    hidden_size = 1
    while distance(hidden_size + 1) < distance(hidden_size):
        hidden_size += 1
    return hidden_size
    ### END SOLUTION


def exact_match(predictions, targets, padding):
    """Say which translations are right from the first word to the last.

    Args:
        predictions: (N, T) int64, the words written; anything at padding.
        targets: (N, T) int64, the right words and an end mark, filled up with `padding`.
        padding: the number that fills; it is no word and stands nowhere else in `targets`.

    Returns:
        (N,) bool tensor.
    """
    ### BEGIN SOLUTION
    return ((predictions == targets) | (targets == padding)).all(dim=1)
    ### END SOLUTION


def match_by_length(right, lengths, edges):
    """Share of right translations in bins of length.

    Args:
        right: (N,) bool tensor.
        lengths: (N,) int64 tensor, lengths in words.
        edges: L + 1 rising integers; bin i holds the lengths n with edges[i] <= n < edges[i + 1].

    Returns:
        shares: NumPy array (L,), right / all in each bin; NaN where a bin is empty.
        counts: NumPy array (L,) of integers, how many fell into each bin.
    """
    ### BEGIN SOLUTION
    right, lengths = np.asarray(right), np.asarray(lengths)
    shares, counts = [], []
    for i in range(len(edges) - 1):
        inside = (lengths >= edges[i]) & (lengths < edges[i + 1])
        counts.append(int(inside.sum()))
        shares.append(right[inside].mean() if inside.any() else np.nan)
    return np.array(shares), np.array(counts)
    ### END SOLUTION


def translation_rows(scores, bins):
    """Set the results out as a table, one row for each cell, bin and seed, in this order.

    Args:
        scores: kind → array (R, L), the shares of R seeds (numbered 0, 1, …) in L bins.
        bins: L labels.

    Returns:
        list of dicts with the keys, in this order, "kind", "words" (the label), "seed", "exact" (the share),
        "mean" and "sd" over the seeds of this kind and bin (R - 1 in the denominator; NaN for one seed).
    """
    ### BEGIN SOLUTION
    rows = []
    for kind, shares in scores.items():
        for i, label in enumerate(bins):
            runs = np.asarray(shares)[:, i]  # (R,)
            sd = float(np.std(runs, ddof=1)) if len(runs) > 1 else float("nan")
            for seed, share in enumerate(runs):
                row = {"kind": kind, "words": label, "seed": seed, "exact": float(share)}
                rows.append(row | {"mean": float(np.mean(runs)), "sd": sd})
    return rows
    ### END SOLUTION


# %% role="show"
import re

from course_utils.datasets import number_words as number_pairs
from course_utils.datasets import translation
from course_utils.datasets.vocabulary import BOS, PAD
from course_utils.datasets.vocabulary import Vocabulary as WordTable

CORPUS = "number_words"  # or "eng_fra_tatoeba": real short sentences, where they have been downloaded
RECURRENT = {"gru": nn.GRU, "lstm": nn.LSTM}


class Translator(nn.Module):
    """Encoder and decoder: English (B, S) and the decoder's input (B, T) to logits (B, T, French words)."""

    def __init__(self, kind, hidden_size, source_words, target_words, embedding_size=32):
        super().__init__()
        self.source = nn.Embedding(source_words, embedding_size)
        self.target = nn.Embedding(target_words, embedding_size)
        self.encoder = RECURRENT[kind](embedding_size, hidden_size, batch_first=True)
        self.decoder = RECURRENT[kind](embedding_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, target_words)

    def forward(self, english, given):
        _, state = self.encoder(self.source(english))  # all that the decoder hears of the English words
        states, _ = self.decoder(self.target(given), state)  # (B, T, H)
        return self.head(states)


def sentence_pairs(corpus):
    """Two lists, to learn from and to test on, of (English words, French words)."""
    if corpus == "number_words":
        splits = number_pairs.number_words(train=12_000, test=2000)
        return splits.map(
            lambda part: [
                (p.english.replace("-", " ").split(), number_pairs.split_words(p.french)) for p in part
            ]
        )
    return translation.eng_fra_tatoeba().map(
        lambda part: [tuple(re.findall(r"\w+'?|[^\w\s]", text.lower()) for text in p) for p in part]
    )


translator_pairs = sentence_pairs(CORPUS)
english_table = WordTable.build(english for english, _ in translator_pairs.train)
french_table = WordTable.build(french for _, french in translator_pairs.train)
for english_now, french_now in translator_pairs.test[:3]:
    print(f"{len(english_now)} words   {' '.join(english_now)}   →   {' '.join(french_now)}")

# %% role="try"
print(decoder_inputs(torch.tensor([[7, 4, 2], [5, 2, 0]]), begin=1))
built_now = sum(p.numel() for p in Translator("gru", 5, 10, 12, 4).parameters())
print("counted:", translator_parameters("gru", 5, 10, 12, 4), "built:", built_now)
print("hidden size for 2000 parameters:", translator_width("lstm", 2000, 10, 12, 4))
said_now = torch.tensor([[7, 4, 2], [5, 2, 6], [5, 3, 2]])
asked_now = torch.tensor([[7, 4, 2], [5, 2, 0], [5, 2, 0]])
right_now = exact_match(said_now, asked_now, padding=0)  # True, True, False
print(right_now, match_by_length(right_now, torch.tensor([2, 1, 1]), [1, 2, 3, 4]))
print(translation_rows({"gru": np.array([[0.5, 0.25], [0.75, 0.25]])}, ["1–4", "5–9"])[0])

# %% [markdown]
# **Experiment.** Three seeds of both cells; about half a minute. (You may run the test cell below first; it will miss only the table.)
# The CPU times say as much about your library as about the cells: the LSTM's time profits from PyTorch's fused kernel for unpacked batches.

# %% role="experiment"
import itertools
import time

from course_utils.checking import record

EDGES = [1, 5, 6, 7, 8, 10] if CORPUS == "number_words" else [1, 4, 5, 6, 8]  # 1–4, 5, 6, 7, and 8–9 words
BINS = [f"{low}–{high - 1}" if high - low > 1 else f"{low}" for low, high in itertools.pairwise(EDGES)]


def pair_tensors(part):
    """English (N, S) with lengths (N,), French with end marks (N, T) with lengths (N,)."""
    english, words = english_table.batch([english for english, _ in part])
    return english, words, *french_table.batch([french for _, french in part], eos=True)


def equal_batches(words, seed):
    """Endless batches of 64 rows whose English sides have one length, each row once an epoch."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        batches = []
        for n in words.unique().tolist():
            rows = (words == n).nonzero()[:, 0]
            batches += rows[torch.randperm(len(rows), generator=generator)].split(64)
        for i in torch.randperm(len(batches), generator=generator).tolist():
            yield batches[i]


def train_translator(model, seed, steps):
    """Teacher forcing for `steps` updates; returns the loss at the tenth."""
    english, words, french, french_words = train_pairs
    optimizer, losses = torch.optim.Adam(model.parameters()), []
    for k, rows in zip(range(steps), equal_batches(words, seed), strict=False):
        target = french[rows, : int(french_words[rows].max())]  # (B, T)
        logits = model(english[rows, : int(words[rows[0]])], decoder_inputs(target, BOS))
        loss = F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=PAD)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.param_groups[0]["lr"] = 0.005 * min(1.0, 2 * (1 - k / steps))
        optimizer.step()
    return losses[9]


@torch.no_grad()
def test_translator(model):
    """Exact match of every test pair, (N,) bool."""
    english, words, french, _ = test_pairs
    right = torch.zeros(len(words), dtype=torch.bool)
    for n in words.unique().tolist():
        rows = (words == n).nonzero()[:, 0]
        logits = model(english[rows, :n], decoder_inputs(french[rows], BOS))
        right[rows] = exact_match(logits.argmax(-1), french[rows], PAD)
    return right


train_pairs, test_pairs = pair_tensors(translator_pairs.train), pair_tensors(translator_pairs.test)
translator_tables = (len(english_table), len(french_table))
translator_budget = translator_parameters("gru", 64, *translator_tables)
hidden_sizes = {"gru": 64, "lstm": translator_width("lstm", translator_budget, *translator_tables)}
translator_seeds = range(runtime.steps(quick=1, default=3, full=10))
translator_updates = runtime.steps(quick=10, default=700, full=1000)
translator_shares, translator_overall, translator_spent, early_losses = {}, {}, {}, {}
with runtime.single_thread():
    for translator_kind, translator_seed in training.progress(
        [(k, s) for k in hidden_sizes for s in translator_seeds], "translating"
    ):
        runtime.seed_everything(translator_seed)
        translator_model = Translator(translator_kind, hidden_sizes[translator_kind], *translator_tables)
        translator_began = time.process_time()
        early_losses[translator_kind, translator_seed] = train_translator(
            translator_model, translator_seed, translator_updates
        )
        translator_spent.setdefault(translator_kind, []).append(
            1000 * (time.process_time() - translator_began) / translator_updates
        )
        translator_right = test_translator(translator_model)
        by_length, translator_counts = match_by_length(translator_right, test_pairs[1], EDGES)
        translator_shares.setdefault(translator_kind, []).append(by_length)
        translator_overall.setdefault(translator_kind, []).append(translator_right.double().mean().item())

translator_rows = translation_rows({kind: np.stack(runs) for kind, runs in translator_shares.items()}, BINS)
translator_totals = {
    kind: translator_parameters(kind, size, *translator_tables) for kind, size in hidden_sizes.items()
}
record(
    "translation-study",
    [
        row
        | {
            "hidden_size": hidden_sizes[row["kind"]],
            "parameters": translator_totals[row["kind"]],
            "updates": translator_updates,
            "loss_10": early_losses[row["kind"], row["seed"]],
        }
        for row in translator_rows
    ],
)
seeds_text = f"{len(translator_seeds)} seed{'s' * (len(translator_seeds) > 1)}"
print(f"Exact match by words of the English number, {translator_updates} updates, {seeds_text}:")
print(f"{'words':<14}", *(f"{label:>14}" for label in BINS))
print(f"{'test numbers':<14}", *(f"{count:>14d}" for count in translator_counts))
for translator_kind, translator_runs in translator_shares.items():
    by_bin = [f"{training.Repeats(column):.3f}" for column in np.stack(translator_runs).T]
    print(
        f"{translator_kind + f', H = {hidden_sizes[translator_kind]}':<14}",
        *(f"{text:>14}" for text in by_bin),
    )
for translator_kind, translator_size in hidden_sizes.items():
    translator_exact, translator_cost = (
        training.Repeats(np.array(values[translator_kind]))
        for values in (translator_overall, translator_spent)
    )
    print(
        f"{translator_kind:<5} H = {translator_size}, {translator_totals[translator_kind]} parameters: exact match {translator_exact:.3f}, {translator_cost:.1f} CPU ms an update"
    )
translator_figure = plotting.results_by_length(
    {f"{kind}, H = {hidden_sizes[kind]}": np.stack(runs) for kind, runs in translator_shares.items()},
    np.arange(len(BINS)),
    xlabel="length of the English number (words)",
    ylabel="exact match (share)",
    title=f"{translator_updates} updates, {seeds_text}, equal parameters",
)
translator_axis = translator_figure.axes[0]
translator_axis.set_xticks(np.arange(len(BINS)), BINS)
translator_axis.set_ylim(0, 1.05)
plotting.show(
    translator_figure,
    alt="Exact match of a GRU and an LSTM translator against the number of English words, in five bins: "
    "a line for each cell through the means over the seeds, with bars of one standard deviation.",
)

# %% role="test" grade_id="translation-study-test" points=12
import itertools

import numpy as np
import torch

from course_utils.checking import (
    CheckFailed,
    StudentError,
    as_array,
    checking,
    expect,
    expect_close,
    expect_raises,
    expect_shape,
    forbid,
    student,
)
from course_utils.datasets import number_words
from course_utils.datasets.vocabulary import BOS, PAD, Vocabulary

with checking("translation-study") as check:

    def own_words(name):
        """Refuse this function, and no other, where it is the course's own."""
        forbid(
            name, "course_utils.*", why="the exercise asks you to write this; the course's own does not count"
        )

    with check.part("two translations, shifted"):
        shifted_now = student.decoder_inputs(torch.tensor([[7, 4, 2], [5, 2, 0]]), 1)
        own_words(name="decoder_inputs")
        expect_close(
            shifted_now,
            [[1, 7, 4], [1, 5, 2]],
            what="decoder_inputs([[7, 4, 2], [5, 2, 0]], 1)",
            suspects={
                "the decoder is shown the very words that it should predict; shift them": [
                    [7, 4, 2],
                    [5, 2, 0],
                ],
                "shifted the other way: at each step the decoder is shown the next word": [
                    [4, 2, 1],
                    [2, 0, 1],
                ],
            },
            reveal=True,
        )
        shifted_kind = getattr(shifted_now, "dtype", type(shifted_now).__name__)
        expect(shifted_kind == torch.int64, f"the shifted translations should be int64, got {shifted_kind}")
    with check.part("the parameters of a tiny translator"):
        tiny_count = student.translator_parameters("lstm", 2, 3, 4, 1)
        own_words(name="translator_parameters")
        expect_shape(tiny_count, (), what="translator_parameters")
        expect_close(
            tiny_count,
            99,
            what="translator_parameters('lstm', 2, 3, 4, 1)",
            suspects={"one bias vector in each block; the library keeps two": 83},
            rtol=0,
            atol=0.4,
        )
    with check.part("a width is an integer"):
        tiny_width = student.translator_width("gru", 300, 3, 4, 2)
        own_words(name="translator_width")
        expect(
            isinstance(tiny_width, int) and not isinstance(tiny_width, bool),
            "translator_width should return an int",
        )
    with check.part("three translations, two of them right"):
        match_marks = student.exact_match(
            torch.tensor([[7, 4, 2], [5, 2, 6], [5, 3, 2]]),
            torch.tensor([[7, 4, 2], [5, 2, 0], [5, 2, 0]]),
            0,
        )
        own_words(name="exact_match")
        expect_close(
            match_marks,
            [True, True, False],
            what="exact_match",
            suspects={
                "what is written at padding does not count": [True, False, False],
                "one mark a translation is asked for, not one a word": [[1, 1, 1], [1, 1, 1], [1, 0, 1]],
            },
        )
    with check.part("three translations in two bins"):
        bin_pair = student.match_by_length(
            torch.tensor([True, False, True]), torch.tensor([1, 2, 2]), [1, 2, 3]
        )
        own_words(name="match_by_length")
        expect(
            isinstance(bin_pair, tuple | list) and len(bin_pair) == 2,
            "match_by_length should return two arrays, shares and counts",
        )
        expect_close(bin_pair[0], [1.0, 0.5], what="the shares", reveal=True)
        expect_close(bin_pair[1], [1, 2], what="the counts", reveal=True)
    with check.part("the rows have the columns of the contract"):
        row_table = student.translation_rows({"gru": np.array([[0.5, 0.25], [0.75, 0.5]])}, ["short", "long"])
        expect(
            isinstance(row_table, list)
            and len(row_table) == 4
            and all(isinstance(row, dict) for row in row_table),
            "translation_rows should return a list of four dicts for one kind, two seeds, two bins",
        )
        expect(
            all(list(row) == ["kind", "words", "seed", "exact", "mean", "sd"] for row in row_table),
            f"the keys should be kind, words, seed, exact, mean, sd; got {', '.join(map(str, row_table[0]))}",
        )
    with check.part("the table is recorded"):
        if any(row.get("updates") == 10 for row in student.recorded("translation-study")):
            print("Remark: this table is from COURSE_BUDGET=quick; run the study again with default.")
    ### BEGIN HIDDEN TESTS
    with check.part("the decoder's input: one step late", points=2):
        own_words("decoder_inputs")
        targets = torch.tensor([[9, 4, 6, 2, 0], [5, 8, 2, 0, 0], [7, 7, 3, 5, 2]])
        for begin in (1, 11):
            mark = torch.full((3, 1), begin)
            got = student.decoder_inputs(targets, begin)
            expect_close(
                got,
                torch.cat([mark, targets[:, :-1]], 1),
                what=f"decoder_inputs with the begin mark {begin}",
                suspects={
                    "the decoder is shown the very words that it should predict; shift them": targets,
                    "shifted the other way: at each step the decoder is shown the next word": torch.cat(
                        [targets[:, 1:], mark], 1
                    ),
                    "there is one step too many: the last target has nothing to predict": torch.cat(
                        [mark, targets], 1
                    ),
                    "the last target wrapped round to the front, where the begin mark belongs": targets.roll(
                        1, 1
                    ),
                    "the first target is replaced; it should move to step 1": torch.cat(
                        [mark, targets[:, 1:]], 1
                    ),
                    "the begin mark is always 1; it is an argument": torch.cat(
                        [mark * 0 + 1, targets[:, :-1]], 1
                    ),
                    "the begin mark is always 0; it is an argument": torch.cat(
                        [mark * 0, targets[:, :-1]], 1
                    ),
                    "the end mark was taken out, and the row moved up": torch.cat(
                        [mark, targets[:, :-2], targets[:, -1:]], 1
                    ),
                },
            )
            expect(
                isinstance(got, torch.Tensor) and got.dtype == torch.int64,
                "decoder_inputs should be an int64 tensor, as the targets are: they look up embeddings",
            )
        shared = student.share(targets)
        student.decoder_inputs(shared, 1)
        expect_close(student.value(shared), targets, what="decoder_inputs changed its argument in place")
        expect_close(student.decoder_inputs(targets[:, :1], 3), [[3]] * 3, what="decoder_inputs of one step")

    def counted(kind, H, S, T, E, mistake=None):
        """All parameters of the translator; `mistake` leaves out or adds what people forget."""
        biases = {"bias": 1, "no bias": 0}.get(mistake, 2)
        one = {"gru": 3, "lstm": 4}[kind] * H * (E + H + biases)  # as torch.nn has them
        tables, head = (S + T) * E, H * T + T * (mistake != "head bias")
        head = {"head": 0, "head source": H * S + S}.get(mistake, head)
        tables = {"tables": 0, "one table": S * E, "target table": T * E}.get(mistake, tables)
        return tables + one * (1 if mistake == "one layer" else 2) + head

    forgotten = {
        "every gate has two bias vectors in PyTorch, one for the input and one for the state": "bias",
        "the recurrent layers' biases are missing": "no bias",
        "the head has a bias too": "head bias",
        "the head is missing": "head",
        "the head's outputs are the target words": "head source",
        "the two embedding tables are missing": "tables",
        "the target words have an embedding table too": "one table",
        "the source words have an embedding table too": "target table",
        "encoder and decoder are two layers": "one layer",
    }
    with check.part("counting parameters", points=2):
        own_words("translator_parameters")
        for kind, *given in (
            ("gru", 6, 11, 13, 5),
            ("lstm", 6, 11, 13, 5),
            ("gru", 1, 3, 2, 4),
            ("lstm", 50, 35, 32, 8),
        ):
            other = "lstm" if kind == "gru" else "gru"
            expect_close(
                student.translator_parameters(kind, *given),
                counted(kind, *given),
                what=f"translator_parameters({kind!r}, {', '.join(map(str, given))})",
                suspects={
                    **{text: counted(kind, *given, slip) for text, slip in forgotten.items()},
                    f"this is the count with {other}: a GRU has three blocks of weights, an LSTM four": counted(
                        other, *given
                    ),
                    "the input's matrices are H by E, not H by H": counted(kind, *given)
                    + 2 * {"gru": 3, "lstm": 4}[kind] * given[0] * (given[0] - given[3]),
                    "the recurrent matrices are H by H, not H by E": counted(kind, *given)
                    - 2 * {"gru": 3, "lstm": 4}[kind] * given[0] * (given[0] - given[3]),
                },
                rtol=0,
                atol=0.4,
            )
        expect_close(
            student.translator_parameters("gru", 6, 11, 13),
            counted("gru", 6, 11, 13, 32),
            what="translator_parameters where no embedding size is given (32)",
            rtol=0,
            atol=0.4,
        )
        for kind in ("rnn", "GRU cell"):
            expect_raises(
                ValueError,
                lambda kind=kind: student.translator_parameters(kind, 4, 5, 6),
                f"the kind {kind!r}",
            )
    with check.part("the hidden size for a budget", points=2):
        own_words("translator_width")
        for kind, budget, *given in (
            ("lstm", counted("gru", 64, 34, 32, 32), 34, 32, 32),
            ("gru", counted("lstm", 20, 9, 14, 6), 9, 14, 6),
            ("lstm", counted("lstm", 7, 9, 14, 6), 9, 14, 6),
            ("lstm", counted("lstm", 8, 9, 14, 6) - 30, 9, 14, 6),
            ("gru", counted("gru", 8, 9, 14, 6) + 30, 9, 14, 6),
            ("lstm", 10, 9, 14, 6),
            ("gru", counted("gru", 250, 9, 14, 6), 9, 14, 6),
            ("gru", (counted("gru", 3, 9, 14, 6) + counted("gru", 4, 9, 14, 6)) // 2, 9, 14, 6),
        ):
            S, T, E = given
            counts = np.array([counted(kind, H, S, T, E) for H in range(1, 300)])
            nearest = int(abs(counts - budget).argmin()) + 1
            below = max(int((counts <= budget).sum()), 1)
            above = int((counts < budget).sum()) + 1
            expect_close(
                student.translator_width(kind, budget, *given),
                nearest,
                what=f"translator_width({kind!r}, {budget}, {', '.join(map(str, given))})",
                suspects={
                    "of two sizes that are equally near, the smaller was asked for": nearest + 1
                    if abs(counts[nearest] - budget) == abs(counts[nearest - 1] - budget)
                    else nearest,
                    "this one stays within the budget, but the next larger size comes nearer to it": below,
                    "this one is the first to reach the budget, but the next smaller size comes nearer to it": above,
                    "this is one too small": nearest - 1,
                    "this is one too large": nearest + 1,
                },
                rtol=0,
                atol=0,
            )
        expect_close(
            student.translator_width("gru", counted("gru", 12, 9, 14, 32), 9, 14),
            12,
            what="translator_width where no embedding size is given (32)",
            rtol=0,
            atol=0,
        )
    with check.part("exact match", points=2):
        own_words("exact_match")
        end, pad = 2, 0
        words = torch.tensor(
            [
                [5, 6, 7, end, pad],
                [5, 6, 7, end, pad],
                [4, end, pad, pad, pad],
                [8, 8, 3, 9, end],
                [4, 6, end, pad, pad],
                [7, 5, 5, end, pad],
                [6, end, pad, pad, pad],
                [4, 6, 8, end, pad],
            ]
        )
        said = torch.tensor(
            [
                [5, 6, 7, end, 9],
                [5, 6, 7, 7, pad],
                [4, end, 4, 4, end],
                [8, 8, 3, 9, end],
                [6, 4, end, pad, pad],
                [3, 5, 5, end, pad],
                [pad, pad, pad, pad, pad],
                [4, 7, 7, end, 9],
            ]
        )
        for padding in (0, 1):
            goal = torch.where(words == pad, padding, words)
            real, same = goal != padding, said == goal
            right = (same | ~real).all(1)
            got = student.exact_match(said, goal, padding)
            expect_close(
                got,
                right,
                what=f"exact_match with padding {padding}",
                suspects={
                    "what is written at padding counts; only real places should": same.all(1),
                    "the end mark is not looked at: a translation that goes on too long is wrong": torch.stack(
                        [(s | ~r | (g == end)).all() for s, r, g in zip(same, real, goal, strict=True)]
                    ),
                    "agreement at padding makes up for wrong words: count at real places only": same.sum(1)
                    == real.sum(1),
                    "one right word is enough here; all must be right": (same & real).any(1),
                    "this is the share of right words; a translation is right as a whole or not": (
                        same & real
                    ).sum(1)
                    / real.sum(1),
                    "there is one mark a word; one a translation was asked for": same | ~real,
                    "the words are compared without their order": torch.tensor(
                        [
                            sorted(s[r].tolist()) == sorted(g[r].tolist())
                            for s, g, r in zip(said, goal, real, strict=True)
                        ]
                    ),
                    "the first word is not looked at": (same | ~real)[:, 1:].all(1),
                    "places where the prediction is padding were passed over; the targets say what is real": (
                        same | (said == padding)
                    ).all(1),
                    "right and wrong are swapped": ~right,
                    "this is one share for all; one mark a translation was asked for": right.double().mean(),
                },
            )
            kind = getattr(got, "dtype", type(got).__name__)
            expect(
                isinstance(got, torch.Tensor) and kind == torch.bool,
                f"exact_match should return a bool tensor, got {kind}",
            )
        expect_close(
            student.exact_match(said[3:4], words[3:4], 0), [True], what="exact_match of one translation"
        )

    def by_length(right, lengths, edges):
        pair = student.match_by_length(torch.tensor(right), torch.tensor(lengths), edges)
        expect(
            isinstance(pair, tuple | list) and len(pair) == 2,
            "match_by_length should return two arrays, shares and counts",
        )
        return as_array(pair[0], "shares"), as_array(pair[1], "counts")

    with check.part("shares by length", points=1.5):
        own_words("match_by_length")
        hits = [True, False, True, True, False, False, True, False, True, True, False]
        sizes = [1, 2, 2, 3, 3, 4, 6, 6, 7, 9, 8]
        edges = [1, 3, 4, 5, 6, 8]
        pairs = list(zip(hits, sizes, strict=True))

        def binned(test):
            inside = [
                [hit for hit, n in pairs if test(low, n, high)] for low, high in itertools.pairwise(edges)
            ]
            return [np.mean(x) if x else np.nan for x in inside], [len(x) for x in inside]

        shares, counts = by_length(hits, sizes, edges)
        want, number = binned(lambda low, n, high: low <= n < high)
        expect_close(
            counts,
            number,
            what="the counts",
            suspects={
                "an upper edge belongs to the next bin: edges[i] <= n < edges[i + 1]": binned(
                    lambda low, n, high: low <= n <= high
                )[1],
                "a lower edge belongs to its bin: edges[i] <= n < edges[i + 1]": binned(
                    lambda low, n, high: low < n <= high
                )[1],
                "a lower edge belongs to its bin, too": binned(lambda low, n, high: low < n < high)[1],
                "the last edge belongs to no bin: edges[i] <= n < edges[i + 1] in the last bin too": [
                    *number[:-1],
                    number[-1] + 1,
                ],
                "the bins add up: each should hold its own lengths alone": binned(
                    lambda low, n, high: n < high
                )[1],
                "longer ones are counted in the last bin; they are in none": [*number[:-1], number[-1] + 2],
                "these are the numbers of right ones; all in the bin were asked for": [
                    round(s * n) if n else 0 for s, n in zip(want, number, strict=True)
                ],
            },
        )
        expect(
            shares.shape == (5,) and np.isnan(shares[3]),
            "no length falls into one of the bins: its share should be NaN, since 0 would read as all wrong"
            if shares.shape == (5,)
            else f"there are five bins, so five shares; got shape {shares.shape}",
        )
        keep = [0, 1, 2, 4]
        expect_close(
            shares[keep],
            np.array(want)[keep],
            what="the shares",
            suspects={
                "these are counts of right ones; divide by all in the bin": [2, 1, 0, 2],
                "divided by all translations; each bin has its own number": np.array([2, 1, 0, 2])
                / len(hits),
                "these are the shares of wrong ones": 1 - np.array(want)[keep],
                "these are shares of all right ones; each bin has its own number": np.array([2, 1, 0, 2])
                / sum(hits),
            },
        )
        shares, counts = by_length([True, True, False], [5, 6, 5], [5, 6, 7])
        expect_close(shares, [0.5, 1.0], what="shares of two bins")
        expect_close(counts, [2, 1], what="counts of two bins")

    with check.part("the rows of the table", points=1.5):
        scores = {
            "gru": np.array([[0.9, 0.5, 0.25], [0.7, 0.6, 0.5], [0.8, 0.1, 0.5]]),
            "lstm": np.array([[0.95, 0.4, 0.125], [0.85, 0.45, 0.5], [0.6, 0.7, 0.0]]),
        }
        bins = ["1–2", "3", "4–9"]
        table = student.translation_rows(scores, bins)
        keys = ["kind", "words", "seed", "exact", "mean", "sd"]
        expect(
            isinstance(table, list) and all(isinstance(row, dict) and list(row) == keys for row in table),
            "translation_rows should return a list of dicts with the keys kind, words, seed, exact, mean, sd",
        )
        expect(len(table) == 18, f"two kinds, three bins, three seeds make 18 rows; got {len(table)}")
        order = [(k, b, s) for k in scores for b in bins for s in range(3)]
        got = [(row["kind"], row["words"], row["seed"]) for row in table]
        expect(
            sorted(map(str, got)) == sorted(map(str, order)),
            "there should be one row for each kind, label and seed, seeds numbered from 0",
        )
        expect(got == order, "the rows should stand in the order kind, bin, seed")
        runs = {(k, b): scores[k][:, j] for k in scores for j, b in enumerate(bins)}

        def column(f):
            return [f(k, b, s) for k, b, s in order]

        expect_close(
            [row["exact"] for row in table],
            column(lambda k, b, s: runs[k, b][s]),
            what="the column exact",
            suspects={
                "seeds and bins are swapped": column(lambda k, b, s: scores[k][bins.index(b), s]),
                "this is the mean; each row has its own run": column(lambda k, b, s: runs[k, b].mean()),
            },
        )
        expect_close(
            [row["mean"] for row in table],
            column(lambda k, b, s: runs[k, b].mean()),
            what="the column mean",
            suspects={
                "this is the mean over the bins of one seed; average the seeds of one bin": column(
                    lambda k, b, s: scores[k][s].mean()
                ),
                "this is the mean over seeds and bins together": column(lambda k, b, s: scores[k].mean()),
                "this is the median; the mean was asked for": column(lambda k, b, s: np.median(runs[k, b])),
                "both kinds are in one mean": column(
                    lambda k, b, s: (runs["gru", b].mean() + runs["lstm", b].mean()) / 2
                ),
            },
        )
        expect_close(
            [row["sd"] for row in table],
            column(lambda k, b, s: runs[k, b].std(ddof=1)),
            what="the column sd",
            suspects={
                "divided by R; the sample standard deviation has R - 1": column(
                    lambda k, b, s: runs[k, b].std()
                ),
                "this is the variance; take its square root": column(lambda k, b, s: runs[k, b].var(ddof=1)),
                "this is the standard error; the standard deviation was asked for": column(
                    lambda k, b, s: runs[k, b].std(ddof=1) / np.sqrt(3)
                ),
                "this is the spread over the bins; take it over the seeds": column(
                    lambda k, b, s: scores[k][s].std(ddof=1)
                ),
            },
        )
        lone = student.translation_rows({"lstm": np.array([[0.5, 0.75]])}, ["short", "long"])
        expect(
            len(lone) == 2 and all(np.isnan(as_array(row["sd"], "sd")) for row in lone),
            "one seed has no spread: sd should be NaN",
        )
        expect_close([row["mean"] for row in lone], [0.5, 0.75], what="means of one seed")
        two = student.translation_rows({"gru": np.array([[0.5], [0.75]])}, ["all"])
        expect_close([row["sd"] for row in two], [0.25 / np.sqrt(2)] * 2, what="the spread of two seeds")

    # The table comes from the experiment. Where only answer and test run, as in the bank, the answer records one itself.
    with check.part("the table", points=0.5):
        rows = student.recorded("translation-study")
        columns = ["kind", "words", "seed", "exact", "mean", "sd"]
        columns += ["hidden_size", "parameters", "updates", "loss_10"]
        expect(len(rows) > 0, "the table has no rows")
        expect(
            all(list(row) == columns for row in rows), f"the table's columns should be {', '.join(columns)}"
        )
        table = {}
        for row in rows:
            key = tuple(str(row[name]) for name in columns[:3])
            expect(key not in table, f"two rows for {key[0]}, {key[1]} words, seed {key[2]}")
            for name in ("exact", "mean", "sd"):
                value = row[name]
                if value != "nan":  # an empty bin, or a spread of one seed
                    numeric = isinstance(value, int | float) and not isinstance(value, bool)
                    expect(
                        numeric and 0 <= value <= 1,
                        f"{name} of {key[0]}, {key[1]} words is no share: {str(value)[:20]!r}",
                    )
            table[key] = row
        bins, seeds = {key[1] for key in table}, {key[2] for key in table}
        wanted = {(kind, b, s) for kind in ("gru", "lstm") for b in bins for s in seeds}
        missing = sorted(wanted - set(table))
        expect(not missing, "no row for " + ", ".join(missing[0] if missing else ()) + " (kind, words, seed)")
        expect(len(table) == len(wanted), "the table holds kinds that the study does not have")
        expect(len(bins) > 1, "the table has one bin only; the question is asked by length")
        expect(
            len({str(row["updates"]) for row in rows}) == 1,
            "the cells were trained for different numbers of updates: no fair comparison",
        )
        sizes = {
            kind: {str(row["parameters"]) for row in rows if row["kind"] == kind} for kind in ("gru", "lstm")
        }
        expect(
            all(len(values) == 1 for values in sizes.values()), "one kind has several numbers of parameters"
        )
        few, many = sorted(float(*values) for values in sizes.values())
        expect(
            many <= 1.03 * few,
            "the two networks differ by more than three percent in their parameters: no fair comparison",
        )
        widths = {
            kind: {str(row["hidden_size"]) for row in rows if row["kind"] == kind} for kind in ("gru", "lstm")
        }
        expect(
            all(len(v) == 1 for v in widths.values()) and float(*widths["lstm"]) < float(*widths["gru"]),
            "at equal parameters the LSTM's hidden size is the smaller one",
        )
        for kind, b, _ in sorted(wanted):
            runs = np.array([float(table[kind, b, s]["exact"]) for s in sorted(seeds)])
            if np.isfinite(runs).all():
                for s in sorted(seeds):
                    row = table[kind, b, s]
                    expect(
                        np.isclose(float(row["mean"]), runs.mean(), atol=1e-4),
                        f"mean of {kind}, {b} words is not the mean of its runs",
                    )
                    spread = runs.std(ddof=1) if len(runs) > 1 else np.nan
                    expect(
                        np.isclose(float(row["sd"]), spread, atol=1e-4, equal_nan=True),
                        f"sd of {kind}, {b} words is not the standard deviation of its runs",
                    )
    with check.part("a quick re-run agrees", points=0.5):
        rows = student.recorded("translation-study")
        texts = [
            (pair.english.replace("-", " ").split(), number_words.split_words(pair.french))
            for pair in number_words.number_words(train=12_000, test=2000).train
        ]
        english_table, french_table = (Vocabulary.build(pair[i] for pair in texts) for i in range(2))
        english, words = english_table.batch([pair[0] for pair in texts])
        french, french_words = french_table.batch([pair[1] for pair in texts], eos=True)
        tables = len(english_table), len(french_table)

        def entry(row, name, low, high):
            value = row.get(name)
            numeric = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
            expect(numeric, f"{name} in the table should be a number from {low} to {high}")
            return value

        def loss_again(kind, units, updates):
            """The loss at the tenth update with seed 0, computed as in the experiment."""
            torch.manual_seed(0)
            layer = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind]
            source, target = (torch.nn.Embedding(size, 32) for size in tables)
            encoder, decoder = (layer(32, units, batch_first=True) for _ in range(2))
            head = torch.nn.Linear(units, tables[1])
            model = torch.nn.ModuleList([source, target, encoder, decoder, head])
            optimizer, order = torch.optim.Adam(model.parameters()), torch.Generator().manual_seed(0)
            batches = []
            for n in words.unique().tolist():
                same = (words == n).nonzero()[:, 0]
                batches += same[torch.randperm(len(same), generator=order)].split(64)
            for k, i in enumerate(torch.randperm(len(batches), generator=order)[:10].tolist()):
                batch = batches[i]
                answer = french[batch, : int(french_words[batch].max())]
                given = student.decoder_inputs(answer, BOS)
                fits = isinstance(given, torch.Tensor) and given.dtype == torch.int64
                fits = fits and given.shape == answer.shape and 0 <= given.min() <= given.max() < tables[1]
                expect(
                    fits, "decoder_inputs gives no (B, T) int64 tensor of words, so nothing can be trained"
                )
                _, state = encoder(source(english[batch, : int(words[batch[0]])]))
                logits = head(decoder(target(given), state)[0])
                loss = torch.nn.functional.cross_entropy(
                    logits.flatten(0, 1), answer.flatten(), ignore_index=PAD
                )
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.param_groups[0]["lr"] = 0.005 * min(1.0, 2 * (1 - k / updates))
                optimizer.step()
            return loss.item()

        real = {str(row.get("words")) for row in rows} == {
            "1–3",
            "4",
            "5",
            "6–7",
        }  # real sentences: not at hand here
        for kind in ("gru", "lstm"):
            firsts = [row for row in rows if row.get("kind") == kind and str(row.get("seed")) in ("0", "0.0")]
            expect(firsts, f"the table has no row of {kind} with seed 0")
            said = {entry(row, "loss_10", 0, 100) for row in firsts}
            expect(
                len(said) == 1, f"{kind}, seed 0: loss_10 belongs to a run and is the same in all its bins"
            )
            units, updates = entry(firsts[0], "hidden_size", 1, 128), entry(firsts[0], "updates", 10, 10**6)
            again = said.pop() if real else loss_again(kind, int(units), updates)
            expect(
                abs(firsts[0]["loss_10"] - again) <= 1e-3 * again,
                f"{kind}, seed 0: the loss at the tenth update is {again:.4f} when trained again, "
                f"the table says {firsts[0]['loss_10']:.4f}: run the study again after your last change",
            )
    ### END HIDDEN TESTS

# %% [markdown]
# ### Read the table of the translation study
# *1 point · 3 minutes · difficulty 3*
#
# - `falls_with_length`: whose mean exact match is lower for the longest numbers than for the shortest? `"gru only"`, `"lstm only"`, `"both"` or
#   `"neither"`. (A table of the budget `quick` cannot tell.)
# - `word_chance`: a translator gets every word right with the same chance 0.97, independently, and the end mark too. What share of exact
#   translations has it where the French has 12 words (13 places)? Compare it with a number of 3 words (4 places, 0.89).

# %% role="answer" grade_id="translation-reading"
### BEGIN SOLUTION
falls_with_length = "both"  # "gru only", "lstm only", "both" or "neither"
word_chance = 0.97**13  # a share between 0 and 1
### END SOLUTION

# %% role="test" grade_id="translation-reading-test" points=1
from course_utils.checking import checking, chosen_of, expect_choice, expect_number, number_of, student

falling_options = ["gru only", "lstm only", "both", "neither"]
with checking("translation-reading") as check:
    with check.part("one of the options"):
        chosen_of(student.falls_with_length, falling_options, "falls_with_length")
    with check.part("a number"):
        number_of(student.word_chance, "word_chance")
    ### BEGIN HIDDEN TESTS
    with check.part("who falls with length", points=0.5):
        expect_choice(
            student.falls_with_length,
            "both",
            falling_options,
            what="falls_with_length",
            suspects={
                "gru only": "that is what the textbook leads one to expect; look at the LSTM's first and last bin",
                "lstm only": "look at the GRU's first and last bin too",
                "neither": "compare the first and the last bin of each curve",
            },
        )
    with check.part("length alone makes errors", points=0.5):
        expect_number(
            student.word_chance,
            0.97**13,
            what="word_chance",
            suspects={
                "the end mark is a thirteenth place": 0.97**12,
                "chances are multiplied, not averaged: all places must be right at once": 0.97,
                "this is the share of translations with an error": 1 - 0.97**13,
                "0.03 a place adds up only for small numbers; multiply the chances": 1 - 0.03 * 13,
                "this is the shorter one, of four places": 0.97**4,
                "that is in percent; a share between 0 and 1 was asked for": 97 * 0.97**12,
                "the end mark is the thirteenth place; here it is counted twice": 0.97**14,
                "chances are multiplied: four places and nine more": 0.89 * 4 / 13,
            },
            rtol=1e-2,
        )
    ### END HIDDEN TESTS

# %% [markdown] role="written" grade_id="translation-conclusion" points=4
# ### Conclude: is a GRU worse on long sentences?
# *4 points · 12 minutes · difficulty 4 · marked by hand*
#
# Write the conclusion of a short paper, eight to twelve sentences, on your own table.
#
# | what earns points | points |
# |---|---|
# | Answers the question from the table, by length, with means ± s.d., and says whether a difference is larger than the spread of the seeds | 1 |
# | Explains the fall with length by two causes, and says why the fall of one curve is no evidence about cells | 1 |
# | Compares the cells beyond accuracy: parameters at equal hidden size, what equal parameters cost the LSTM, the measured time of an update | 1 |
# | Names two limits of the study and one run that would test a limit | 1 |
#
# ### BEGIN SOLUTION
# No: in this table the two cells cannot be told apart at any length. On the longest numbers (8 or 9 words) the GRU has 0.71 ± 0.05 exact
# translations and the LSTM 0.67 ± 0.04, on the shortest 0.96 ± 0.02 and 0.97 ± 0.01; each difference is about as large as the spread of three seeds or smaller, and over all
# lengths both have 0.88 ± 0.02. Both fall with length, so the fall of the GRU's curve says nothing about GRUs: only the distance between the
# curves would. Two causes suffice for the fall. More words must all be right: with a chance of 0.97 at each place, four places give
# 0.89 and thirteen 0.67. And a state of fixed size has to hold more digits before the first French word is written.
#
# At equal hidden size the LSTM has four blocks of weights where the GRU has three: with $H = 64$ in both, 54 368 parameters in the whole network against
# 41 824. Equal parameters leave it 54 units. An update took about 7 ms of CPU time with the GRU and about 4 ms with the LSTM, so the GRU, which is said to be faster, was the slower one: PyTorch
# has a fused LSTM for padded batches on a CPU, and none for the GRU. On packed first names, where that one cannot be used, the GRU was a little faster.
#
# The study has limits. The training is short: after 3000 updates (three seeds) both have 0.99 or more at every length, so
# the fall here shows who has not finished learning, not what a cell can hold. And nine words are no long sentence, nor are number words ambiguous. Real
# sentences of 5 to 40 words, ten seeds, and a learning rate chosen for each cell on a validation split would test whether the textbook is right there.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# Mark against the student's own table. First criterion: "the GRU is worse" or "the LSTM is worse" from two means whose error bars overlap earns 0.5; a
# clear difference in the student's own table may be reported as such, with the number of seeds. Second: two of: more places that must all be right (0.97 to the
# power of the length); one state of fixed size must hold more; long ones are learned later, and training is short; 0.5 for one. Third: 0.5 without a
# number. The time depends on the machine and the library: either order is right if it was measured. Fourth: limits may be few updates, three seeds, one learning rate, one
# task without ambiguity, short sentences (nine words at most), no attention, one size.
# ### END MARK SCHEME

# %% [markdown]
# ## Scoreboard
#
# What the visible checks say so far. Hidden tests look deeper; a row of marks here means that you are on the right path.
# Save now: the tables of the two projects are handed in with the notebook.

# %% role="scoreboard"
from course_utils.checking import scoreboard

scoreboard.show({{questions}})
