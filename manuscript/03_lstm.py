# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Long short-term memory
#
# *The keys that my neighbor left on the table by the door …* Does it go on with *is* or with *are*? You did
# not have to look back. Through ten words with a neighbor, a table and a door in them, one of each, you held
# on to a small fact: *plural*. A vanilla RNN writes over its whole state at every one of those words. This
# notebook is about a cell that can put a fact in a safe place, leave it alone, and take it out when the verb
# comes.
#
# By the end you will be able to
#
# - work out a step of an LSTM by hand, and read from its gates what it keeps, drops, writes and shows;
# - say with numbers how far the cell state carries a gradient, and what that does *not* promise;
# - program an LSTM cell that loads the weights of `nn.LSTM` and computes the same;
# - train a language model on characters, steer what it writes with a temperature, and tune it under a fixed
#   budget of parameters;
# - find out by experiment whether a gate should see the cell state, and which gate an LSTM can least do
#   without.
#
# **Time:** about five and three quarter hours, in as many sittings as you like. **Points:**
#
# {{points}}

# %% [markdown]
# ## How to work
#
# 1. Put your answer where a cell shows `...` or raises `NotImplementedError`. Keep the names: they are what
#    the checks look for.
# 2. Run the cell under it. It checks the form of your answer and says what looks wrong. More tests, which
#    you do not see, decide the points: every part of an answer earns its own, and an exercise that you
#    leave blank costs no other.
# 3. Written answers show what earns each fraction of a point. Double-click the cell and write below the
#    rubric.
# 4. Save, press **Validate**, and submit. Validate restarts the notebook and runs all of it, trainings
#    included; it lists every check that does not pass yet. *Run All* stops at the first one; go on below it
#    with *Run Selected Cell and All Below*.
#
# Under each heading stand points, minutes and difficulty (1 easy to 5 hard). How many steps
# the training cells take is set by the environment variable `COURSE_BUDGET`, before JupyterLab starts:
# `default` suits a laptop, `quick` only shows that a cell runs, `full` is for a free evening.

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
# An LSTM (Hochreiter & Schmidhuber, 1997; with the forget gate of Gers, Schmidhuber & Cummins, 2000) keeps
# two vectors from step to step: the **hidden state** $h_t$, which it shows to the rest of the network, and
# the **cell state** $c_t$, which it keeps to itself. From the input and the last hidden state it computes
# four vectors of $H$ numbers each:
#
# $$\begin{aligned}
# i_t &= \sigma(W_{ii}\, x_t + W_{hi}\, h_{t-1} + b_i) && \text{input gate: how much to write} \\
# f_t &= \sigma(W_{if}\, x_t + W_{hf}\, h_{t-1} + b_f) && \text{forget gate: how much to keep} \\
# g_t &= \tanh(W_{ig}\, x_t + W_{hg}\, h_{t-1} + b_g) && \text{candidate: what to write} \\
# o_t &= \sigma(W_{io}\, x_t + W_{ho}\, h_{t-1} + b_o) && \text{output gate: how much to show}
# \end{aligned}$$
#
# and then, number by number ($\odot$), the two states:
#
# $$c_t = f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t) .$$
#
# A **gate** is a vector of numbers between 0 (shut) and 1 (open) that something is multiplied by. It is
# computed anew at every step and for every unit. The candidate is no gate: it lies between −1 and 1, and
# many books write it $\tilde c_t$. The heart of it is the plus sign. A vanilla state is squeezed through a
# matrix and a tanh at every step; the cell state is scaled and added to. With $f = 1$ and $i = 0$ it stays
# exactly as it is.

# %% role="show"
plotting.show(
    plotting.lstm_cell(),
    alt="One step of an LSTM. The cell state runs along the top from left to right; the forget gate multiplies "
    "it, then the product of input gate and candidate is added. Along the bottom the last hidden state and the "
    "input feed all four boxes. On the right the new cell state passes a tanh and is multiplied by the output "
    "gate to give the new hidden state.",
)

# %% [markdown]
# In code the four matrices stand on top of each other, **in the order i, f, g, o**, as PyTorch has them:
# `weight_ih` is $(4H, I)$ and `weight_hh` is $(4H, H)$, so that one product computes all four blocks. Other
# books order them i, f, o, g; weights that are read in the wrong order still run, and mean nothing. Here
# each block has *one* bias. `nn.LSTM` keeps *two* (`bias_ih` and `bias_hh`), which are only ever added.
# Arrays are batch first everywhere: $(B, T, I)$.

# %% [markdown]
# ## Theory
#
# ### One step by hand
# *2 points · 6 minutes · difficulty 1*
#
# A cell with three units has arrived at
#
# $$f_t = \begin{pmatrix} 0.9 \\ 0.1 \\ 0.5 \end{pmatrix} \quad
# i_t = \begin{pmatrix} 0.2 \\ 0.8 \\ 0.5 \end{pmatrix} \quad
# g_t = \begin{pmatrix} 1.0 \\ -0.5 \\ 0.3 \end{pmatrix} \quad
# o_t = \begin{pmatrix} 0.5 \\ 1.0 \\ 0.8 \end{pmatrix} \quad
# c_{t-1} = \begin{pmatrix} 2.0 \\ 1.0 \\ -1.0 \end{pmatrix}$$
#
# All four have been through their activation already. To three decimals, each as a list of three numbers,
# give
#
# - `by_hand_c`: the new cell state $c_t$;
# - `by_hand_h`: the new hidden state $h_t$.

# %% role="answer" grade_id="cell-by-hand"
### BEGIN SOLUTION
by_hand_c = [2.0, -0.3, -0.35]  # new cell state: three numbers
by_hand_h = [0.482, -0.291, -0.269]  # new hidden state: three numbers
### END SOLUTION

# %% role="test" grade_id="cell-by-hand-test" points=2
from course_utils.checking import as_array, checking, expect, expect_close, student


def by_hand_numbers(name):
    """The student's answer as a flat array."""
    return as_array(getattr(student, name), name).reshape(-1)


with checking("cell-by-hand") as check:
    with check.part("three numbers each"):
        for name in ("by_hand_c", "by_hand_h"):
            by_hand_size = by_hand_numbers(name).size
            expect(by_hand_size == 3, f"{name}: expected three numbers, one a unit, got {by_hand_size}")
    ### BEGIN HIDDEN TESTS
    import numpy as np

    f, i, g, o, c = np.array(
        [[0.9, 0.1, 0.5], [0.2, 0.8, 0.5], [1.0, -0.5, 0.3], [0.5, 1.0, 0.8], [2.0, 1.0, -1.0]]
    )
    new = f * c + i * g
    cells = {
        "input and forget gate have changed places": i * c + f * g,
        "that is what is kept of the old cell state; what is written has to be added": f * c,
        "that is what is written; what is kept of the old cell state has to be added": i * g,
        "the forget gate is missing: the old cell state enters only in part": c + i * g,
        "the input gate is missing: the candidate enters only in part": f * c + g,
        "both gates are missing: that is the old cell state plus the candidate": c + g,
        "the forget gate says how much is kept, not how much goes": (1 - f) * c + i * g,
        "the candidate is given after its tanh; it needs no second one": f * c + i * np.tanh(g),
        "no tanh on the way from the old cell state to the new one": np.tanh(new),
        "the output gate has no say in the cell state, only in what is shown of it": o * new,
        "what is written is added, with its sign; here it is subtracted": f * c - i * g,
        "the sign of the candidate got lost": f * c + i * abs(g),
        "the new share is 1 - f in some cells; here the input gate sets it": f * c + (1 - f) * g,
        "that is h_t": o * np.tanh(new),
    }
    hiddens = {
        "the tanh is missing: the cell state may be far above 1, the hidden state may not": o * new,
        "the output gate is missing": np.tanh(new),
        "tanh comes first, then the gate": np.tanh(o * new),
        "that is made from the old cell state; it should be the new one": o * np.tanh(c),
        "the cell state passes a tanh here, not a sigmoid": o / (1 + np.exp(-new)),
        "that is c_t": new,
        "the output gate has another gate's values (f)": f * np.tanh(new),
        "the output gate has another gate's values (i)": i * np.tanh(new),
        "that shows the candidate; the cell state should be shown": o * g,
    }
    hiddens |= {f"as for c_t, {why}": o * np.tanh(wrong) for why, wrong in cells.items()}
    close = {"rtol": 0, "atol": 2e-3}
    with check.part("cell state", points=1):
        expect_close(by_hand_numbers("by_hand_c"), new, "by_hand_c", cells, **close)
    with check.part("hidden state", points=1):
        expect_close(by_hand_numbers("by_hand_h"), o * np.tanh(new), "by_hand_h", hiddens, **close)
    ### END HIDDEN TESTS

# %% [markdown]
# ### Read the gates
# *2 points · 5 minutes · difficulty 2*
#
# Stay with that cell. What does the forget gate do to the old content of each unit? Choose from `"keeps most"`,
# `"keeps half"` and `"drops most"`.
#
# - `forget_1`, `forget_2`, `forget_3`: for units 1, 2 and 3.
#
# How much *new* information a unit takes in is the size of what is added to its cell state, whatever the sign.
# Choose from the units `"1"`, `"2"` and `"3"`.
#
# - `most_new`: the unit that receives most at the step above;
# - `most_new_later`: the unit that receives most at a later step, at which
#   $i = (0.9,\ 0.4,\ 0.6)$ and $g = (0.1,\ -0.9,\ 0.3)$.

# %% role="answer" grade_id="read-the-gates"
### BEGIN SOLUTION
forget_1 = "keeps most"  # unit 1: "keeps most", "keeps half" or "drops most"
forget_2 = "drops most"  # unit 2
forget_3 = "keeps half"  # unit 3
most_new = "2"  # unit that receives most new information: "1", "2" or "3"
most_new_later = "2"  # the same at the later step
### END SOLUTION

# %% role="test" grade_id="read-the-gates-test" points=2
from numbers import Number

from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of


def gate_unit(name):
    """The student's unit as text: the number 2 counts as "2"."""
    value = getattr(student, name)
    return f"{value:g}" if isinstance(value, Number) and not isinstance(value, bool) else value


gate_fates, gate_units = ["keeps most", "keeps half", "drops most"], ["1", "2", "3"]
with checking("read-the-gates") as check:
    with check.part("each answer is one of the options"):
        for name in ("forget_1", "forget_2", "forget_3"):
            chosen_of(getattr(student, name), gate_fates, name)
        for name in ("most_new", "most_new_later"):
            chosen_of(gate_unit(name), gate_units, name)
    ### BEGIN HIDDEN TESTS
    turned = "turned round: the old content is multiplied by f, so f says how much stays"
    with check.part("unit 1", points=0.25):
        suspects = {"drops most": turned, "keeps half": "f = 0.9 leaves 1.8 of 2.0; that is no half"}
        expect_choice(student.forget_1, "keeps most", gate_fates, "forget_1", suspects)
    with check.part("unit 2", points=0.25):
        suspects = {"keeps most": turned, "keeps half": "f = 0.1 leaves 0.1 of 1.0; that is no half"}
        expect_choice(student.forget_2, "drops most", gate_fates, "forget_2", suspects)
    with check.part("unit 3", points=0.25):
        same = "f = 0.5 leaves -0.5 of -1.0; the sign of the content does not matter to the gate"
        suspects = {"keeps most": same, "drops most": same}
        expect_choice(student.forget_3, "keeps half", gate_fates, "forget_3", suspects)
    with check.part("new information", points=0.5):
        suspects = {
            "1": "its candidate is the largest, but its gate lets a fifth of it in: 0.2 is not the most",
            "3": "a gate of 0.5 on a candidate of 0.3 lets in 0.15, the least of the three",
        }
        expect_choice(gate_unit("most_new"), "2", gate_units, "most_new", suspects)
    with check.part("new information, later", points=0.75):
        suspects = {
            "1": "its gate is the widest open, but there is hardly anything to let in: the candidate's size "
            "counts too",
            "3": "that is the largest signed number; a negative one is information as well",
        }
        expect_choice(gate_unit("most_new_later"), "2", gate_units, "most_new_later", suspects)
    ### END HIDDEN TESTS

# %% [markdown]
# ### Why gates
# *2 points · 5 minutes · difficulty 1*
#
# Back to *The keys that my neighbor left on the table by the door are missing.* One unit of a trained LSTM
# stores whether the subject is plural. Which gate must open or shut at each of these moments? Name the one
# that does *this* job; choose from `"input"`, `"forget"` and `"output"`.
#
# - `gate_on_keys`: *keys* has come, and the fact *plural* has to get into the cell.
# - `gate_on_verb`: the verb is due; the rest of the network must now learn what the cell has kept to itself.
# - `gate_on_period`: the sentence is over, and the number of its subject means nothing to the next.
#
# **`vanilla_lacks`.** A vanilla RNN with as many units has trouble with this sentence. What does it lack?
#
# - `"a"` A nonlinear activation, without which a state cannot tell *key* from *keys*.
# - `"b"` Weights that differ from one time step to the next, so that each word is treated by its place.
# - `"c"` A way to decide, word by word, which units to leave alone: each step sends the whole state through
#   the same matrix and tanh.
# - `"d"` A path from the first word to the verb: in the network, nothing connects the two.

# %% role="answer" grade_id="why-gates"
### BEGIN SOLUTION
gate_on_keys = "input"  # the fact has to get in: "input", "forget" or "output"
gate_on_verb = "output"  # the fact is needed outside
gate_on_period = "forget"  # the fact has served
vanilla_lacks = "c"  # what a vanilla RNN lacks: "a", "b", "c" or "d"
### END SOLUTION

# %% role="test" grade_id="why-gates-test" points=2
import re

from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of

why_gate_names, why_gate_letters = ["input", "forget", "output"], ["a", "b", "c", "d"]


def why_gate(name):
    """The student's gate: "input gate" counts as "input"."""
    value = getattr(student, name)
    return re.sub(r"(?i)[\s_-]*gate\s*\.?\s*$", "", value) if isinstance(value, str) else value


with checking("why-gates") as check:
    with check.part("each answer is one of the options"):
        for name in ("gate_on_keys", "gate_on_verb", "gate_on_period"):
            chosen_of(why_gate(name), why_gate_names, name)
        chosen_of(student.vanilla_lacks, why_gate_letters, "vanilla_lacks")
    ### BEGIN HIDDEN TESTS
    with check.part("on 'keys'", points=0.5):
        suspects = {
            "forget": "that gate can only scale what is there already; nothing enters through it",
            "output": "that gate decides what leaves the cell, not what goes in",
        }
        expect_choice(why_gate("gate_on_keys"), "input", why_gate_names, "gate_on_keys", suspects)
    with check.part("on the verb", points=0.5):
        suspects = {
            "input": "nothing new is to be stored here; the fact is inside already",
            "forget": "that gate scales the cell state from one step to the next; it does not show it",
        }
        expect_choice(why_gate("gate_on_verb"), "output", why_gate_names, "gate_on_verb", suspects)
    with check.part("on the period", points=0.5):
        suspects = {
            "input": "what is added can hide the old content, but there is a gate that removes it",
            "output": "a shut output gate hides the fact; it would still sit in the cell",
        }
        expect_choice(why_gate("gate_on_period"), "forget", why_gate_names, "gate_on_period", suspects)
    with check.part("what a vanilla RNN lacks", points=0.5):
        suspects = {
            "a": "it has one, the tanh; the trouble comes from passing it at every word",
            "b": "an LSTM shares its weights over time as well; its gates differ because its inputs do",
            "d": "the state connects them, through a matrix and a tanh per word; a path it has, a quiet one not",
        }
        expect_choice(student.vanilla_lacks, "c", why_gate_letters, "vanilla_lacks", suspects)
    ### END HIDDEN TESTS

# %% [markdown] role="written" grade_id="why-gates-written" points=2
# ### Why gates, in your words
# *2 points · 8 minutes · difficulty 2 · marked by hand*
#
# Why were gates put into recurrent networks? Explain it in five to eight sentences to someone who knows the
# vanilla RNN, with an example of your own.
#
# | what earns points | points |
# |---|---|
# | The problem: what a vanilla state goes through at each step, and what that does to something stored | 0.5 |
# | The three gates: what each one multiplies, and what that controls | 0.5 |
# | How a gate decides: learned, from the present input and the last hidden state, for each unit, by degrees | 0.5 |
# | The example: one fact that is written, kept over several steps and used | 0.5 |
#
# ### BEGIN SOLUTION
# A vanilla RNN makes its whole state anew at every step: old state times a matrix, plus input, through a
# tanh. It cannot leave a unit alone because this word is irrelevant; whatever it stored is mixed with the new
# word and shrunk a little, at every word. Gates give it that choice. The forget gate multiplies the old cell
# state and so sets how much of it stays; the input gate multiplies the candidate and sets how much of it is
# written; the output gate multiplies what is shown to the rest of the network. Each gate is a sigmoid of a
# learned function of the present input and the last hidden state, so it takes another value at every step
# and for every unit, anywhere between shut and open, and can be trained by gradients. Take a program that
# reads code and has to close brackets: at `(` the input gate of one unit opens and notes it; inside the
# brackets that gate stays shut and the forget gate open, whatever is written there; when the line could end
# the output gate shows the note, and at `)` the forget gate clears it.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# Row one needs the step (matrix, tanh, same at every word) or its effect (overwriting, shrinking, vanishing
# gradients), said concretely; "long-term dependencies are hard" alone: 0.25. Row two: all three with what they
# multiply; two of them 0.25. Full marks too if "forget gate" is explained as open = keep. Row three: at least
# two of learned, input-dependent, per unit, gradual. Row four: an example without the keeping (only writing and
# reading) earns 0.25; the example of the keys earns nothing.
# ### END MARK SCHEME

# %% [markdown]
# ### A forget gate held at zero
# *2 points · 8 minutes · difficulty 3*
#
# What happens when someone holds the forget gate at a constant? A unit starts from $c_0 = 5$, and at three
# steps its other gates and its candidate happen to be
#
# | | step 1 | step 2 | step 3 |
# |---|---:|---:|---:|
# | $i_t$ | 0.8 | 0.5 | 0.9 |
# | $g_t$ | 0.5 | −0.4 | 0.2 |
#
# - `c3_forget_0`: $c_3$ with $f = 0$ at every step;
# - `c3_forget_1`: $c_3$ with $f = 1$ at every step.
#
# So a gate at zero wipes the cell state. Is the network now blind to its past? Take
# one unit with $f = 0$, $i = o = 1$ and $g_t = \tanh(x_t + 2\,h_{t-1})$. It starts
# from $h_0 = c_0 = 0$ and reads $x_1 = 1$, $x_2 = 0$.
#
# - `h2_forget_0`: its hidden state $h_2$, to three decimals. (Had it read 0 twice, it would be 0.)
# - `left_with_zero`: what is left of an LSTM whose forget gate is held at zero?
#   - `"a"` A network without memory: each output depends on the input of the same step alone.
#   - `"b"` A network that remembers one step: each output depends on the last two inputs and no others.
#   - `"c"` A vanilla RNN of a kind: the past still enters through $h_{t-1}$, squashed anew at every step.
#   - `"d"` An LSTM as before: the input gate learns to do the work of the forget gate.

# %% role="answer" grade_id="forget-gate-zero"
### BEGIN SOLUTION
c3_forget_0 = 0.18  # cell state after three steps with f = 0
c3_forget_1 = 5.38  # cell state after three steps with f = 1
h2_forget_0 = 0.695  # hidden state after reading 1, 0 with f = 0
left_with_zero = "c"  # what is left: "a", "b", "c" or "d"
### END SOLUTION

# %% role="test" grade_id="forget-gate-zero-test" points=2
from course_utils.checking import checking, expect_choice, expect_number, student
from course_utils.checking.expect import chosen_of, number_of

with checking("forget-gate-zero") as check:
    with check.part("three numbers and a letter"):
        for name in ("c3_forget_0", "c3_forget_1", "h2_forget_0"):
            number_of(getattr(student, name), name)
        chosen_of(student.left_with_zero, ["a", "b", "c", "d"], "left_with_zero")
    ### BEGIN HIDDEN TESTS
    import math

    written = [0.8 * 0.5, 0.5 * -0.4, 0.9 * 0.2]
    with check.part("nothing kept", points=0.5):
        suspects = {
            "f = 0 keeps nothing, but the input gate still writes": 0.0,
            "that adds up all three steps; what steps 1 and 2 wrote has been wiped": sum(written),
            "that is the cell state with f = 1": 5 + sum(written),
            "f = 0 multiplies the old cell state: nothing of it is left": 5 + written[2],
            "the input gate of step 3 is missing": 0.2,
            "that is the input gate, not what it lets in": 0.9,
            "that is what step 2 wrote": written[1],
            "that is what step 1 wrote": written[0],
        }
        expect_number(student.c3_forget_0, written[2], "c3_forget_0", suspects, atol=1e-3)
    with check.part("everything kept", points=0.5):
        suspects = {
            "the old cell state of 5 is never forgotten: it is missing here": sum(written),
            "that is the cell state with f = 0": written[2],
            "only the last step is added; f = 1 keeps what the others wrote": 5 + written[2],
            "the input gates are missing": 5 + 0.5 - 0.4 + 0.2,
            "the sign of step 2 got lost": 5 + 0.4 + 0.2 + 0.18,
            "that is c_0: the input gate still writes": 5.0,
        }
        expect_number(student.c3_forget_1, 5 + sum(written), "c3_forget_1", suspects, atol=1e-3)
    with check.part("a trace of the first input", points=0.5):

        def hidden(inputs, first=math.tanh, second=math.tanh, memory=2.0, forget=0.0):
            h = c = 0.0
            for x in inputs:
                c = forget * c + first(x + memory * h)
                h = second(c)
            return h

        same = lambda z: z
        suspects = {
            "f = 0 wipes c_1, but h_1 still enters the candidate of step 2": 0.0,
            "that is h_1; one more step": hidden([1]),
            "the second tanh, on the way from c to h, is missing": hidden([1, 0], second=same),
            "the candidate's tanh is missing": hidden([1, 0], first=same),
            "that is c_2; h_2 is its tanh": math.tanh(2 * hidden([1])),
            "the factor 2 before h is missing": hidden([1, 0], memory=1.0),
            "that is h_2 with f = 1; the old cell state is wiped": hidden([1, 0], forget=1.0),
            "the second input is 0, not 1": hidden([1, 1]),
        }
        expect_number(student.h2_forget_0, hidden([1, 0]), "h2_forget_0", suspects, rtol=0, atol=2e-3)
    with check.part("what is left", points=0.5):
        suspects = {
            "a": "you just computed a state after the input 0 that is not the state after 0, 0",
            "b": "h_2 holds something of x_1, h_3 something of h_2, and so on: where would it end?",
            "d": "the input gate multiplies the candidate; no value of it brings back the old cell state",
        }
        expect_choice(student.left_with_zero, "c", ["a", "b", "c", "d"], "left_with_zero", suspects)
    ### END HIDDEN TESTS

# %% [markdown]
# Until 2000 all LSTMs were built with $f = 1$: the cell state was a sum that never lets go of anything,
# needed or not. The last project of this notebook holds each gate at 1 in turn and measures what it costs.
#
# ### How far the cell state carries a gradient
# *3 points · 10 minutes · difficulty 3*
#
# Follow the cell state alone, along the top of the picture: $c_t = f_t \odot c_{t-1} + \dots$ With the gates
# as they are, a small change of $c_{t-1}$ changes $c_t$ by $f_t$ times as much. Over $k$ steps this **direct
# path** multiplies a gradient by $f_t\, f_{t-1} \cdots f_{t-k+1}$, unit by unit, and there is no matrix and no
# tanh in it. To three significant digits, give (go on with unrounded numbers; an expression such as `0.9**50`
# is a fine answer)
#
# - `path_50`: what the direct path leaves of a gradient of 1 over 50 steps with $f = 0.9$;
# - `gate_bias_1`: the forget gate when its sum is just a bias of 1, which many set at the start of training;
# - `gate_both_1`: the forget gate when someone sets the forget block of *both* bias vectors of `nn.LSTM` to 1;
# - `path_50_bias_1`: what is left over 50 steps when the gate stays at `gate_bias_1`;
# - `gate_for_half`: the constant gate that leaves half of a gradient after 100 steps;
# - `bias_for_half`: the bias that gives this gate when the rest of the sum is zero.
#
# And say whether each claim `"holds"` or `"fails"`:
#
# - `claim_direct_grows`: with forget gates between 0 and 1, the direct path alone can make a gradient grow.
# - `claim_lstm_explodes`: the whole gradient of an LSTM, over all paths, can explode.
#
# <details><summary>A hint on the last number</summary>
#
# Turn the sigmoid round: $f = \sigma(b)$ means $b = \ln \frac{f}{1 - f}$.
# </details>

# %% role="answer" grade_id="cell-state-path"
### BEGIN SOLUTION
path_50 = 0.9**50  # left of a gradient of 1 over 50 steps, f = 0.9
gate_bias_1 = 1 / (1 + np.exp(-1))  # forget gate with a bias of 1
gate_both_1 = 1 / (1 + np.exp(-2))  # forget gate with 1 in both bias vectors
path_50_bias_1 = gate_bias_1**50  # left over 50 steps at gate_bias_1
gate_for_half = 0.5 ** (1 / 100)  # gate that leaves half after 100 steps
bias_for_half = np.log(gate_for_half / (1 - gate_for_half))  # bias that gives this gate
claim_direct_grows = "fails"  # the direct path can make a gradient grow
claim_lstm_explodes = "holds"  # the whole gradient can explode
### END SOLUTION

# %% role="test" grade_id="cell-state-path-test" points=3
from course_utils.checking import checking, expect_choice, expect_number, student
from course_utils.checking.expect import chosen_of, number_of

path_numbers = "path_50", "gate_bias_1", "gate_both_1", "path_50_bias_1", "gate_for_half", "bias_for_half"
with checking("cell-state-path") as check:
    with check.part('numbers, and "holds" or "fails"'):
        for name in path_numbers:
            number_of(getattr(student, name), name)
        for name in ("claim_direct_grows", "claim_lstm_explodes"):
            chosen_of(getattr(student, name), ["holds", "fails"], name)
    ### BEGIN HIDDEN TESTS
    import math

    def sigmoid(z):
        return 1 / (1 + math.exp(-z))

    digits = {"rtol": 5e-3}
    with check.part("fifty steps at 0.9", points=0.5):
        suspects = {
            "the chain rule multiplies the gates; here they are added": 50 * 0.9,
            "each step takes a tenth of what is left, not of the whole": 1 - 50 * 0.1,
            "that is what is lost, not what is left": 1 - 0.9**50,
            "a factor is missing": 0.9**49,
            "there is a factor too many": 0.9**51,
            "that is one step": 0.9,
            "the gate's own slope f (1 - f) is not on the direct path": 0.09**50,
            "the gate is raised to the 50th power, not its complement": 0.1**50,
        }
        expect_number(student.path_50, 0.9**50, "path_50", suspects, **digits)
    with check.part("a bias of 1", points=0.5):
        suspects = {
            "a gate is the sigmoid of its sum; that is the sum": 1.0,
            "a gate passes a sigmoid, not a tanh": math.tanh(1),
            "that is the gate with a bias of 0": 0.5,
            "that is the gate with a bias of -1": sigmoid(-1),
            "that is the slope of the sigmoid there": sigmoid(1) * sigmoid(-1),
        }
        expect_number(student.gate_bias_1, sigmoid(1), "gate_bias_1", suspects, **digits)
    with check.part("1 in both bias vectors", points=0.25):
        suspects = {
            "both vectors enter the sum: one of them is missing": sigmoid(1),
            "the biases are added before the sigmoid, not the gates after it": 2 * sigmoid(1),
            "a gate passes one sigmoid, of the sum; it is no product of two": sigmoid(1) ** 2,
            "a gate passes a sigmoid, not a tanh": math.tanh(2),
            "a gate is the sigmoid of its sum; that is the sum": 2.0,
        }
        expect_number(student.gate_both_1, sigmoid(2), "gate_both_1", suspects, **digits)
    with check.part("fifty steps with a bias of 1", points=0.5):
        suspects = {
            "that takes the bias for the gate: 1 would pass everything on": 1.0,
            "that is the gate with 1 in both bias vectors": sigmoid(2) ** 50,
            "the chain rule multiplies the gates; here they are added": 50 * sigmoid(1),
            "that takes tanh for the sigmoid": math.tanh(1) ** 50,
            "a bias of 1 is not a gate of 0.9": 0.9**50,
        }
        expect_number(student.path_50_bias_1, sigmoid(1) ** 50, "path_50_bias_1", suspects, rtol=2e-2)
    gate = 0.5**0.01
    with check.part("half after a hundred steps", points=0.5):
        suspects = {
            "the exponent is 1/100: a root, not a power": 0.5**100,
            "losses do not add up: each step takes its share of what is left": 1 - 0.5 / 100,
            "that leaves a third or so: 0.99 to the power 100 is 0.366": 0.99,
            "that would halve the gradient at every step": 0.5,
            "that is what a step loses, not what it keeps": 1 - gate,
            "that leaves half after 50 steps": 0.5**0.02,
        }
        expect_number(student.gate_for_half, gate, "gate_for_half", suspects, rtol=5e-4)
    with check.part("its bias", points=0.25):
        right = math.log(gate / (1 - gate))
        suspects = {
            "the sign is turned round: this gate is nearly shut": -right,
            "that applies the sigmoid once more; here it has to be turned round": sigmoid(gate),
            "that is the odds f / (1 - f); their logarithm is missing": gate / (1 - gate),
            "that turns the logarithm round only, not the sigmoid": math.log(gate),
            "the logarithm is the natural one": math.log10(gate / (1 - gate)),
            "the sigmoid is turned round, not tanh": math.atanh(gate),
            "1 - f stands below the line, not 1 + f": math.log(gate / (1 + gate)),
        }
        expect_number(student.bias_for_half, right, "bias_for_half", suspects, rtol=2e-2)
    options = ["holds", "fails"]
    with check.part("the direct path alone", points=0.25):
        suspects = {"holds": "a product of numbers between 0 and 1: which of them could make it larger?"}
        expect_choice(student.claim_direct_grows, "fails", options, "claim_direct_grows", suspects)
    with check.part("all paths", points=0.25):
        suspects = {
            "fails": "every gate and the candidate also see h_{t-1}, through weight_hh: nothing bounds that detour"
        }
        expect_choice(student.claim_lstm_explodes, "holds", options, "claim_lstm_explodes", suspects)
    ### END HIDDEN TESTS

# %% [markdown]
# The bias is where a forget gate starts. What carries far is a gate that *learns* to stay near 1 where there
# is something to keep.

# %% [markdown] role="written" grade_id="cell-state-path-written" points=3
# ### What the cell state does for a gradient
# *3 points · 9 minutes · difficulty 3 · marked by hand*
#
# "An LSTM solves the vanishing gradient problem." Explain what is true about this sentence and what is not,
# with an example from sequence modeling. Eight to twelve sentences; a formula or two is welcome.
#
# | what earns points | points |
# |---|---|
# | The problem: what one step of a vanilla RNN multiplies a gradient by, and what many steps make of it | 0.75 |
# | The remedy: the derivative along the cell state, and why it can stay near 1 | 0.75 |
# | The limits: what gates do to it, which other paths exist, and what can still go wrong | 0.75 |
# | The example: what must be remembered how long, and which gates must do what for the gradient to arrive | 0.75 |
#
# ### BEGIN SOLUTION
# In a vanilla RNN a gradient goes back one step by a product with $W_{hh}^\top$ and with the slope of the
# tanh, which is at most 1. If the largest singular value of $W_{hh}$ is below 1 the product shrinks at least
# geometrically, and 50 steps leave nothing to learn from; a network whose matrix is larger may explode
# instead. An LSTM adds a second way back. From $c_t = f_t \odot c_{t-1} + i_t \odot g_t$ the direct derivative
# of $c_t$ with respect to $c_{t-1}$ is $f_t$: no matrix, no slope, one factor per unit that the network sets
# itself. Where it learns to hold $f$ near 1 the gradient passes nearly undiminished; $0.99^{50}$ is still
# 0.6. But "solves" says too much. At $f = 0.9$ those 50 steps leave half a percent; a gate that shuts cuts
# the path on purpose. There are further paths, through $h_{t-1}$ and the gates, which contain $W_{hh}$ and
# slopes as before, and over them a gradient can vanish or explode, so LSTMs are trained with clipping.
# Example: a model of English must choose *are* eleven words after *keys*. The error at the verb reaches the
# input gate that stored *plural* only if the forget gate of that unit stays open over all the words
# between; at first it is half open, and the bias of 1 widens it so that such distances get a signal at all.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# Row one: "multiplied by small numbers" without saying what they are (matrix and slope): 0.25. Row two needs the
# derivative $f_t$ or words that say it; "constant error carousel" without more: 0.25. "There is always a path
# without multiplication" is wrong (the forget gate multiplies): at most 0.5. Row three: 0.25 for each of the
# three limits. Row four: an example without gates earns 0.25. "Context over many sentences" as a fact about
# LSTMs, without a measurement, earns nothing. Eigenvalues for singular values: no deduction.
# ### END MARK SCHEME

# %% [markdown]
# ### A smaller LSTM
# *2 points · 8 minutes · difficulty 2*
#
# An LSTM layer has $I = 64$ inputs and $H = 128$ units, one bias per block. It shall fit onto a small device.
# Count the parameters of the recurrent layer
#
# - `lstm_full`: as it is;
# - `lstm_half`: with $H = 64$ units, inputs as before;
# - `gru_full`: as a GRU with $H = 128$, which has three blocks instead of four;
# - `lstm_projected`: with $H = 128$ and a **projection** to $P = 32$ (`proj_size` of `nn.LSTM`): the cell
#   state keeps 128 numbers, but $h_t = W_{hr}\,(o_t \odot \tanh c_t)$ has only 32, with a matrix $W_{hr}$ of
#   shape $(P, H)$ and no bias. All four blocks see this smaller $h_{t-1}$.
#
# **Quantization** stores each number of the full LSTM in 8 bits instead of 32.
#
# - `quantized_count`: how many parameters it then has;
# - `quantized_bytes`: how many bytes they take.

# %% role="answer" grade_id="smaller-lstm"
### BEGIN SOLUTION
lstm_full = 4 * (128 * 64 + 128 * 128 + 128)  # parameters with I = 64, H = 128
lstm_half = 4 * (64 * 64 + 64 * 64 + 64)  # with H = 64
gru_full = 3 * (128 * 64 + 128 * 128 + 128)  # as a GRU with H = 128
lstm_projected = 4 * (128 * 64 + 128 * 32 + 128) + 32 * 128  # with H = 128 and P = 32
quantized_count = 4 * (128 * 64 + 128 * 128 + 128)  # parameters of the full LSTM in 8 bits
quantized_bytes = 4 * (128 * 64 + 128 * 128 + 128)  # their bytes
### END SOLUTION

# %% role="test" grade_id="smaller-lstm-test" points=2
from course_utils.checking import checking, expect, expect_number, student
from course_utils.checking.expect import number_of

smaller_names = (
    "lstm_full",
    "lstm_half",
    "gru_full",
    "lstm_projected",
    "quantized_count",
    "quantized_bytes",
)
with checking("smaller-lstm") as check:
    with check.part("whole positive numbers"):
        for name in smaller_names:
            smaller_number = number_of(getattr(student, name), name)
            expect(
                smaller_number > 0 and smaller_number == int(smaller_number),
                f"{name}: expected a whole positive number, got {smaller_number:g}",
            )
    ### BEGIN HIDDEN TESTS

    def layer(inputs, units, blocks=4, biases=1):
        return blocks * (units * inputs + units * units + biases * units)

    def layer_slips(inputs, units, blocks=4):
        """What common slips would give, by the sentence that names them."""
        return {
            "a bias per block is missing": layer(inputs, units, blocks, biases=0),
            "that has the library's two biases per block; here it is one": layer(inputs, units, blocks, 2),
            "that is a single block": layer(inputs, units, 1),
            "that has three blocks: the candidate has weights as well": layer(inputs, units, 3),
            "that has four blocks": layer(inputs, units, 4),
            "that has two blocks: the candidate has weights as well": layer(inputs, units, 2),
            "the recurrent matrices are missing": blocks * (units * inputs + units),
            "the input matrices are missing": blocks * (units * units + units),
            "one bias per block, not one in all": blocks * (units * inputs + units * units) + units,
            "a bias counts one number per unit": blocks * (units * inputs + units * units + 1),
        }

    exactly = {"rtol": 0, "atol": 1e-6}
    full = layer(64, 128)
    with check.part("as it is", points=0.25):
        expect_number(student.lstm_full, full, "lstm_full", layer_slips(64, 128), **exactly)
    with check.part("half the units", points=0.5):
        suspects = {
            "half the units are not half the parameters: the recurrent matrices shrink in both directions": full
            // 2,
            "not a quarter: the input matrices lose rows only": full // 4,
            "the inputs stay at 64": layer(32, 64),
            "that halves the inputs, not the units": layer(32, 128),
            **layer_slips(64, 64),
        }
        expect_number(student.lstm_half, layer(64, 64), "lstm_half", suspects, **exactly)
    with check.part("as a GRU", points=0.25):
        expect_number(student.gru_full, layer(64, 128, 3), "gru_full", layer_slips(64, 128, 3), **exactly)
    with check.part("projected", points=0.5):
        projected = 4 * (128 * 64 + 128 * 32 + 128) + 32 * 128
        suspects = {
            "the matrix W_hr itself is missing": projected - 32 * 128,
            "W_hr has no bias": projected + 32,
            "h has P numbers now, so the recurrent matrices shrink": full + 32 * 128,
            "W_hr is there once, not once per block": projected + 3 * 32 * 128,
            "the cell keeps H = 128 numbers: each block has 128 rows, not 32": layer(64, 32),
            "the cell keeps H = 128 numbers: each block has 128 rows, not 32 (W_hr aside)": layer(64, 32)
            + 32 * 128,
            "a bias per block is missing": projected - 4 * 128,
            "that has the library's two biases per block; here it is one": projected + 4 * 128,
            "that is the LSTM without a projection": full,
            "the inputs are not projected, only h is": 4 * (128 * 32 + 128 * 32 + 128) + 32 * 128,
            "the inputs are not projected, only h is: the recurrent matrices are 128 x 32": 4
            * (128 * 32 + 128 * 128 + 128)
            + 32 * 128,
        }
        expect_number(student.lstm_projected, projected, "lstm_projected", suspects, **exactly)
    with check.part("quantized: parameters", points=0.25):
        suspects = {
            "the bits per number shrink, not the number of numbers": full // 4,
            "that is bytes in 32 bits": 4 * full,
            "that is bits": 8 * full,
        }
        expect_number(student.quantized_count, full, "quantized_count", suspects, **exactly)
    with check.part("quantized: bytes", points=0.25):
        suspects = {
            "that is what 32 bits take": 4 * full,
            "8 bits are one byte, not a quarter of one": full // 4,
            "that is bits; a byte has eight": 8 * full,
        }
        expect_number(student.quantized_bytes, full, "quantized_bytes", suspects, **exactly)
    ### END HIDDEN TESTS

# %% [markdown]
# **Pruning** is often named in one breath with these. It sets small weights to zero, and saves room only where
# zeros need not be stored. None of the five (fewer units, a GRU, a projection, quantization,
# pruning) is free: whether the smaller layer still does its work has to be measured.
#
# ### Parts of an LSTM
# *1 point · 2 minutes · difficulty 1*
#
# **`not_in_lstm`.** Six names. Choose every one that is *not* a part of the LSTM of this notebook. Write them as one
# text, separated by commas, or as a list: `"forget gate"`, `"learning gate"`, `"cell state"`, `"candidate"`,
# `"reset gate"`, `"output gate"`.
#
# **`part_below_zero`.** One of these four can be negative: `"input gate"`, `"forget gate"`, `"candidate"`,
# `"output gate"`. Which?

# %% role="answer" grade_id="parts-of-lstm"
### BEGIN SOLUTION
not_in_lstm = "learning gate, reset gate"  # the names of everything that is no part of an LSTM
part_below_zero = "candidate"  # the one that can be negative
### END SOLUTION

# %% role="test" grade_id="parts-of-lstm-test" points=1
from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of

lstm_names = ["forget gate", "learning gate", "cell state", "candidate", "reset gate", "output gate"]
lstm_four = ["input gate", "forget gate", "candidate", "output gate"]
with checking("parts-of-lstm") as check:
    with check.part("names from the lists"):
        chosen_of(student.not_in_lstm, lstm_names, "not_in_lstm", several=True)
        chosen_of(student.part_below_zero, lstm_four, "part_below_zero")
    ### BEGIN HIDDEN TESTS
    with check.part("no part of it", points=0.5):
        suspects = {
            "forget gate": "the forget gate multiplies the old cell state; it is in the picture",
            "output gate": "the output gate makes h from c; it is in the picture",
            "cell state": "the cell state is what the gates are there for",
            "candidate": "the candidate is what the input gate lets in, g in the equations",
        }
        expect_choice(
            student.not_in_lstm, {"learning gate", "reset gate"}, lstm_names, "not_in_lstm", suspects
        )
    with check.part("below zero", points=0.5):
        suspects = dict.fromkeys(
            ("input gate", "forget gate", "output gate"),
            "a gate is a sigmoid and lies between 0 and 1; what has passed a tanh instead?",
        )
        expect_choice(student.part_below_zero, "candidate", lstm_four, "part_below_zero", suspects)
    ### END HIDDEN TESTS

# %% [markdown]
# ### An LSTM at work
# *2 points · 6 minutes · difficulty 2*
#
# In 2014 Sutskever, Vinyals and Le translated English into French with two LSTMs of four layers and 1000
# units a layer. The first, the **encoder**, reads the English sentence; the second, the **decoder**, writes
# the French one, word by word.
#
# **`decoder_starts_from`.** What does the decoder get from the encoder?
#
# - `"a"` The hidden states of all the encoder's steps, to look back at while it writes.
# - `"b"` The last hidden state of the top layer; its cell states start from zero.
# - `"c"` The last hidden state and cell state of every layer: 8000 numbers, whatever the length.
# - `"d"` The encoder's weights, which have learned the sentence while reading it.
#
# **`decoder_reads`.** What is the decoder's input at its third step, when it translates a new sentence?
#
# - `"a"` The third English word.
# - `"b"` The second French word, the one that it wrote itself.
# - `"c"` The second French word of a human translation.
# - `"d"` Nothing: it runs on its states alone.
#
# **`reversed_helps`.** Reading the English sentence *backward* raised their score from 25.9 to 30.6. What is
# the likeliest reason?
#
# - `"a"` Backward sentences are shorter, so that fewer steps are computed.
# - `"b"` French word order is English word order turned round.
# - `"c"` The encoder learns each sentence twice, once in each direction.
# - `"d"` The first English words come to stand right before the first French ones: fewer steps to bridge.
#
# **`translation_score`.** What were these scores?
#
# - `"a"` BLEU: how many runs of one to four words a translation shares with a reference.
# - `"b"` Accuracy: the share of sentences that equal the reference.
# - `"c"` Bits per character of the French text.
# - `"d"` The norm of the gradient that reaches the first word.

# %% role="answer" grade_id="lstm-at-work"
### BEGIN SOLUTION
decoder_starts_from = "c"  # what the encoder hands over: "a", "b", "c" or "d"
decoder_reads = "b"  # input of the decoder's third step: "a", "b", "c" or "d"
reversed_helps = "d"  # why reading backward helps: "a", "b", "c" or "d"
translation_score = "a"  # what was measured: "a", "b", "c" or "d"
### END SOLUTION

# %% role="test" grade_id="lstm-at-work-test" points=2
from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of

work_letters = ["a", "b", "c", "d"]
with checking("lstm-at-work") as check:
    with check.part("each answer is one of the letters"):
        for name in ("decoder_starts_from", "decoder_reads", "reversed_helps", "translation_score"):
            chosen_of(getattr(student, name), work_letters, name)
    ### BEGIN HIDDEN TESTS
    with check.part("what is handed over", points=0.5):
        suspects = {
            "a": "looking back at all steps is attention, which came later",
            "b": "an LSTM's memory is its cell state, in every layer; without it most of the sentence is lost",
            "d": "weights change in training only; a sentence that is read changes the states",
        }
        expect_choice(student.decoder_starts_from, "c", work_letters, "decoder_starts_from", suspects)
    with check.part("what the decoder reads", points=0.5):
        suspects = {
            "a": "the English sentence was read by the encoder; the decoder sees it through the states only",
            "c": "for a new sentence there is no human translation; that is how it is trained",
            "d": "then it could not know which of several possible words it has chosen",
        }
        expect_choice(student.decoder_reads, "b", work_letters, "decoder_reads", suspects)
    with check.part("why backward", points=0.5):
        suspects = {
            "a": "a sentence has as many words backward as forward",
            "b": "both languages mostly put the subject first; think of distances, not of grammar",
            "c": "it is read once, backward",
        }
        expect_choice(student.reversed_helps, "d", work_letters, "reversed_helps", suspects)
    with check.part("what was measured", points=0.5):
        suspects = {
            "b": "hardly any translation equals its reference word for word; such a score would be near zero",
            "c": "that scores a language model; and fewer bits would be better, so a rise would be no gain",
            "d": "a gradient's norm says something about training, nothing about a translation",
        }
        expect_choice(student.translation_score, "a", work_letters, "translation_score", suspects)
    ### END HIDDEN TESTS

# %% [markdown] role="written" grade_id="lstm-at-work-written" points=3
# ### An LSTM on a task of your choice
# *3 points · 10 minutes · difficulty 3 · marked by hand*
#
# Take one task other than translation, for example the sentiment of a review, handwriting, speech or the
# load of a power grid. Analyze how an LSTM does it, in eight to twelve sentences.
#
# | what earns points | points |
# |---|---|
# | The task: input and output of one example, the arrangement, and a fact that has to be remembered | 0.75 |
# | The network: what enters a step, layers and states, where the output is read, which loss trains it | 0.75 |
# | The gain: over which simpler model, measured by what, on which data; a claim that could turn out wrong | 0.75 |
# | The limit: what the LSTM does badly here, and what is used against it | 0.75 |
#
# ### BEGIN SOLUTION
# *Sentiment of a review.* The input is a review as a sequence of words, the output one verdict, positive or
# negative: many-to-one. What must be remembered is above all what turns a later word round: *not*, *hardly*,
# or an opening such as "I wanted to love this film". Each word is looked up in an embedding table and enters
# one LSTM layer of 128 units, which starts from zero states at every review. The last hidden state goes
# through a linear layer to one logit; training minimizes the binary cross-entropy, with padding masked out
# and gradients clipped. The gain has to be shown against two plainer models on the same held-out reviews:
# a bag of words, which knows no order, and a vanilla RNN of the same size, which knows order but forgets it.
# I would report accuracy with a confidence interval over several seeds, and separately for long reviews and
# for reviews with a negation; if the LSTM is better only there, its memory is what helps, and if it does not
# beat the bag of words at all, order was not worth much in these data. Its limits: one state of fixed size
# must hold a review of 500 words, and the last sentences weigh most; reading in both directions, averaging
# the states over time or attention help against that. And its steps cannot run in parallel, so training on
# long reviews is slow; where much text is at hand, pretrained Transformers have taken over.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# Row one: task and arrangement 0.5, the fact 0.25. Row two: 0.25 for each of input of a step, read-out, loss,
# at most 0.75; layers and sizes need no justification. Row three: "better accuracy" without the model it is
# compared with: 0.25; without data or measure: 0.5. Numbers quoted from a paper count if the paper is named;
# numbers without a source do not. Row four: limit and remedy; one of them 0.5. Translation earns at most 1.5 in all.
# ### END MARK SCHEME

# %% [markdown]
# ### Bits and perplexity
# *2 points · 6 minutes · difficulty 2*
#
# The language model below will be scored in **bits per character**. Perplexity is $b^L$ if the cross-entropy
# $L$ is measured with logarithms to base $b$: $2^L$ in bits, $e^L$ in nats. In books you often find
# the 2 only; PyTorch's `cross_entropy` is in nats. A model of characters reports a loss of
# 1.5 on held-out text. To three significant digits, give (go on with unrounded numbers; an expression is a
# fine answer)
#
# - `model_bits`: its cross-entropy in bits per character;
# - `model_perplexity`: its perplexity per character;
# - `loss_for_goal`: the loss that PyTorch must report for a model to reach 2.4 bits per character;
# - `word_perplexity`: the model's perplexity per *word*, if a word has 4.6 letters on average and each is
#   followed by a space, which is predicted too. (A word's probability is the product over its characters.)
# - `halves_perplexity`: the perplexity per character of another model over a whole text, on whose first half
#   the loss is 1.2 and on whose second, equally long half it is 2.0.

# %% role="answer" grade_id="bits-and-perplexity"
### BEGIN SOLUTION
model_bits = 1.5 / np.log(2)  # loss of 1.5 in bits per character
model_perplexity = np.exp(1.5)  # perplexity per character
loss_for_goal = 2.4 * np.log(2)  # PyTorch's loss at 2.4 bits per character
word_perplexity = np.exp(1.5 * 5.6)  # perplexity per word
halves_perplexity = np.exp((1.2 + 2.0) / 2)  # over both halves of the other text
### END SOLUTION

# %% role="test" grade_id="bits-and-perplexity-test" points=2
from course_utils.checking import checking, expect, expect_number, student
from course_utils.checking.expect import number_of

bits_names = "model_bits", "model_perplexity", "loss_for_goal", "word_perplexity", "halves_perplexity"
with checking("bits-and-perplexity") as check:
    with check.part("positive numbers"):
        for name in bits_names:
            expect(number_of(getattr(student, name), name) > 0, f"{name}: expected a positive number")
    ### BEGIN HIDDEN TESTS
    import math

    loss, ln2, e = 1.5, math.log(2), math.exp
    digits = {"rtol": 5e-3}
    with check.part("nats to bits", points=0.5):
        suspects = {
            "the factor is turned round: a nat is more than a bit, so the number must grow": loss * ln2,
            "that is still in nats": loss,
            "that is the perplexity in base 2, and the loss is in nats": 2**loss,
            "that is the perplexity": e(loss),
            "that uses the logarithm to base 10": loss / math.log10(2),
            "a loss is converted; its own logarithm is not taken": math.log2(loss),
        }
        expect_number(student.model_bits, loss / ln2, "model_bits", suspects, **digits)
    with check.part("perplexity per character", points=0.25):
        suspects = {
            "the loss is in nats, so the base is e; a fixed 2 is right for bits only": 2**loss,
            "bits belong to base 2, nats to base e; here they are mixed": e(loss / ln2),
            "perplexity is a number of choices, not a probability": e(-loss),
            "that is the cross-entropy in bits": loss / ln2,
        }
        expect_number(student.model_perplexity, e(loss), "model_perplexity", suspects, **digits)
    with check.part("the goal in nats", points=0.25):
        suspects = {
            "the factor is turned round: fewer nats than bits say the same": 2.4 / ln2,
            "that is still in bits": 2.4,
            "that is the perplexity at the goal; the loss is its logarithm": 2**2.4,
            "that uses the logarithm to base 10": 2.4 * math.log10(2),
        }
        expect_number(student.loss_for_goal, 2.4 * ln2, "loss_for_goal", suspects, **digits)
    with check.part("perplexity per word", points=0.5):
        suspects = {
            "the space after a word is predicted too: 5.6 characters a word": e(loss * 4.6),
            "perplexities of characters multiply over a word; here they are added": 5.6 * e(loss),
            "perplexities of characters multiply over a word; here they are added (and the space is missing)": 4.6
            * e(loss),
            "the loss is in nats, so the base is e": 2 ** (loss * 5.6),
            "the loss is in nats, so the base is e (and the space is missing)": 2 ** (loss * 4.6),
            "that is the cross-entropy per word; raise e to it": loss * 5.6,
            "that is the perplexity per character": e(loss),
            "a word costs more than a character: multiply the loss by the characters, do not divide": e(
                loss / 5.6
            ),
            "that is the other way round: the number of choices is the base, the length the exponent": 5.6
            ** e(loss),
        }
        expect_number(student.word_perplexity, e(loss * 5.6), "word_perplexity", suspects, rtol=2e-2)
    with check.part("two halves", points=0.5):
        first, second = 1.2, 2.0
        suspects = {
            "losses are averaged, not perplexities: take the mean first, then the power": (
                e(first) + e(second)
            )
            / 2,
            "that is the mean loss; raise e to it": (first + second) / 2,
            "the losses are in nats, so the base is e": 2 ** ((first + second) / 2),
            "that multiplies the perplexities of both halves; it is their geometric mean that counts": e(
                first + second
            ),
            "that is the first half alone": e(first),
            "that is the second half alone": e(second),
            "that averages perplexities in base 2": (2**first + 2**second) / 2,
        }
        right = e((first + second) / 2)
        expect_number(student.halves_perplexity, right, "halves_perplexity", suspects, **digits)
    ### END HIDDEN TESTS

# %% [markdown]
# Perplexities can be compared only when they are per the same symbol: your second and your fourth number
# belong to one model.

# %% [markdown]
# ## Coding
#
# None of the exercises needs the answer to another. Arrays are batch first everywhere: `B` sequences, `T`
# steps, then the features (`I` inputs, `H` hidden units).

# %% [markdown]
# ### An LSTM cell that loads the library's weights
# *14 points · 45 minutes · difficulty 3*
#
# One step of an LSTM as a PyTorch module, and a proof that it is the real thing: it takes over the weights of
# a trained `nn.LSTM` and computes the same, over whole sequences and to a millionth. `gates` computes the
# four blocks, `forward` the two states; the six equations stand at the top of this notebook.
#
# The weights begin as the library's do, uniform in $\pm 1/\sqrt{H}$. The bias begins at zero, except for the
# forget gate's, which begins at `forget_bias`: with 1 a fresh cell keeps more than it drops (Jozefowicz,
# Zaremba & Sutskever, 2015). Mind this when you load: the library has two bias vectors, this cell has one.
# The library's recurrent layers and cells may not run inside your cell.
#
# <details><summary>I'm not sure where to start</summary>
#
# Make `weight_ih`, `weight_hh` and `bias` three `nn.Parameter`s with $4H$ rows, in the order i, f, g, o.
# Rows $H$ to $2H$ of the bias are the forget gate's; change a parameter in place under `torch.no_grad()`.
# In `gates`, one sum gives (B, 4H), and `sum.chunk(4, dim=1)` cuts it into the four blocks. A layer of the
# library has `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0` and `bias_hh_l0`; `copy_` copies numbers into a
# parameter and leaves it a parameter. For `state=None`, `x.new_zeros(...)` gives zeros of the right kind.
# </details>


# %% role="answer" grade_id="lstm-cell"
class LSTMCell(nn.Module):
    """One step of an LSTM: (h, c) to the next (h, c).

    Args:
        input_size: I.
        hidden_size: H.
        forget_bias: what the bias of the forget gate begins with.

    Parameters, under these names in `state_dict()`, and no others; blocks of H rows in the order i, f, g, o:
        weight_ih (4H, I), weight_hh (4H, H): uniform in ±1/sqrt(H), from torch's own generator.
        bias (4H,): zeros, but for the block of the forget gate, which is forget_bias.
    """

    def __init__(self, input_size, hidden_size, forget_bias=1.0):
        ### BEGIN SOLUTION
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        bound = hidden_size**-0.5
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden_size, input_size).uniform_(-bound, bound))
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))
        with torch.no_grad():
            self.bias[hidden_size : 2 * hidden_size] = forget_bias
        ### END SOLUTION

    def gates(self, x, h):
        """Return the four blocks of one step.

        Args:
            x: input of this step, (B, I).
            h: hidden state before it, (B, H).

        Returns:
            (i, f, g, o), a tuple of four (B, H): input gate, forget gate, candidate and output gate, each
            after its activation.
        """
        ### BEGIN SOLUTION
        totals = x @ self.weight_ih.T + h @ self.weight_hh.T + self.bias  # (B, 4H)
        i, f, g, o = totals.chunk(4, dim=1)
        return torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        ### END SOLUTION

    def forward(self, x, state=None):
        """Advance one step.

        Args:
            x: input of this step, (B, I).
            state: (h, c) before it, each (B, H); None means zeros of x's dtype, on x's device. Nothing is
                kept between calls.

        Returns:
            (h, c) after it, a tuple of two (B, H), of x's dtype. No argument is changed; gradients reach
            x, h, c and every parameter.
        """
        ### BEGIN SOLUTION
        if state is None:
            zeros = x.new_zeros(x.shape[0], self.hidden_size)
            state = zeros, zeros
        h, c = state
        i, f, g, o = self.gates(x, h)
        c = f * c + i * g
        return o * torch.tanh(c), c
        ### END SOLUTION

    def load_library(self, lstm):
        """Copy the weights of a library layer, so that both compute the same. The layer keeps its own.

        Args:
            lstm: an `nn.LSTM` with one layer, one direction and biases, of this cell's sizes.

        Raises:
            ValueError: it has more than one layer, two directions, a projection (`proj_size`), or other
                sizes than this cell.
        """
        ### BEGIN SOLUTION
        if lstm.num_layers != 1 or lstm.bidirectional or lstm.proj_size:
            raise ValueError("lstm must have one layer, one direction and no projection")
        sizes, own = (lstm.input_size, lstm.hidden_size), (self.input_size, self.hidden_size)
        if sizes != own:
            raise ValueError(f"lstm must have the cell's sizes (I, H) = {own}, got {sizes}")
        with torch.no_grad():
            self.weight_ih.copy_(lstm.weight_ih_l0)
            self.weight_hh.copy_(lstm.weight_hh_l0)
            self.bias.copy_(lstm.bias_ih_l0 + lstm.bias_hh_l0)
        ### END SOLUTION


# %% role="try"
lstm_now, layer_now = LSTMCell(3, 4), nn.LSTM(3, 4, batch_first=True)
print({name: tuple(parameter.shape) for name, parameter in lstm_now.named_parameters()})
lstm_now.load_library(layer_now)
inputs_now, pair_now = torch.sin(torch.arange(60.0)).reshape(1, 20, 3), None  # (B, T, I)
for step_now in inputs_now.unbind(1):
    pair_now = lstm_now(step_now, pair_now)
print("cell: ", pair_now[0].detach())
print("layer:", layer_now(inputs_now)[0][:, -1].detach())

# %% role="test" grade_id="lstm-cell-test" points=14
import math

import torch

from course_utils.checking import (
    CheckFailed,
    NotAnswered,
    StudentError,
    as_array,
    checking,
    describe,
    expect,
    expect_close,
    expect_raises,
    expect_shape,
    forbid,
    student,
)


def lstm_loaded(weights, *arguments, **options):
    """The student's cell with these weights, in their dtype."""
    cell = student.LSTMCell(*arguments, **options)
    cell.to(weights["bias"].dtype)
    differ = "names or shapes of the parameters are not those of the contract"
    try:
        report = cell.load_state_dict(weights, strict=False)  # names too many are a question of their own
    except StudentError as error:
        raise CheckFailed(f"{differ}: {error.message}") from None
    unknown = list(report[1]) if isinstance(report, tuple) and len(report) == 2 else []
    hint = "a plain tensor is no parameter: wrap it in nn.Parameter"
    expect(not unknown, f"{differ}: state_dict() lacks {unknown} ({hint})")
    return cell


def lstm_stacked(value, names, shape, what):
    """The named arrays of a returned tuple as one tensor, one more axis in front."""
    count = {2: "the pair (h, c)", 4: "the four (i, f, g, o)"}[len(names)]
    expect(isinstance(value, tuple | list), f"{what}: expected {count}, got {describe(value)}")
    if len(value) == 2 and isinstance(value[1], tuple | list):
        raise CheckFailed(
            f"{what}: that is (output, (h, c)), as the library's layer has it; a cell gives (h, c)"
        )
    expect(len(value) == len(names), f"{what}: expected {count}, got {describe(value)}")
    for name, part in zip(names, value, strict=True):
        expect_shape(part, shape, f"{what}: {name}")
    return torch.stack([torch.as_tensor(as_array(part, what)).double() for part in value])


with student.without("rnn"), checking("lstm-cell") as check:
    forbid(
        "LSTMCell",
        *("torch.nn.LSTMCell", "torch.nn.modules.rnn*", "torch.nn.RNN*", "torch.nn.GRU*", "torch.lstm*"),
        why="the exercise asks you to write the cell, so the library's recurrent cells do not count",
    )
    with check.part("gates of one step with given weights"):
        lstm_known = {
            "weight_ih": torch.tensor([[1.0], [0.0], [2.0], [0.0]]),
            "weight_hh": torch.tensor([[0.0], [1.0], [0.0], [-1.0]]),
            "bias": torch.tensor([0.0, 1.0, 0.0, 0.5]),
        }
        lstm_four_gates = student.LSTMCell(1, 1).gates(torch.zeros(1, 1), torch.zeros(1, 1))
        lstm_stacked(lstm_four_gates, "ifgo", (1, 1), "gates(x, h)")
        expect_close(
            lstm_stacked(
                lstm_loaded(lstm_known, 1, 1).gates(torch.tensor([[0.5]]), torch.tensor([[-0.4]])),
                "ifgo",
                (1, 1),
                "gates(x, h)",
            ).reshape(4),
            [0.62245935, 0.64565629, 0.76159418, 0.71094948],
            what="i, f, g, o of one unit",
            suspects={
                "the blocks are in the order i, f, o, g; PyTorch's is i, f, g, o": [
                    0.62245935,
                    0.64565629,
                    0.71629786,
                    0.73105857,
                ],
                "the activations are missing": [0.5, 0.6, 1.0, 0.9],
                "h does not enter": [0.62245935, 0.7310586, 0.76159418, 0.62245935],
            },
            rtol=0,
            atol=1e-5,
            reveal=True,
        )
    with check.part("one step with given weights"):
        expect_close(
            lstm_stacked(
                lstm_loaded(lstm_known, 1, 1)(
                    torch.tensor([[0.5]]), (torch.tensor([[-0.4]]), torch.tensor([[2.0]]))
                ),
                "hc",
                (1, 1),
                "one step",
            ).reshape(2),
            [0.67049661, 1.76537398],
            what="h, c of one unit",
            suspects={
                "h and c have changed places": [1.76537398, 0.67049661],
                "the tanh on the way from c to h is missing": [1.25509177, 1.76537398],
            },
            rtol=0,
            atol=1e-5,
            reveal=True,
        )
    with check.part("the parameters' names"):
        lstm_named = set(student.LSTMCell(2, 3).state_dict())
        expect(
            lstm_named == {"weight_ih", "weight_hh", "bias"},
            f"state_dict() should hold weight_ih, weight_hh, bias, each an nn.Parameter; got {sorted(lstm_named)}",
        )

    ### BEGIN HIDDEN TESTS
    from itertools import permutations

    def waves(*shape, phase):
        return torch.sin(1.7 * torch.arange(math.prod(shape), dtype=torch.float64) + phase).reshape(shape)

    def weights_for(inputs, units):
        return {
            "weight_ih": waves(4 * units, inputs, phase=1),
            "weight_hh": waves(4 * units, units, phase=2),
            "bias": 0.7 * waves(4 * units, phase=3),
        }

    def library_weights(inputs, units):
        made = weights_for(inputs, units)
        second = 0.5 * waves(4 * units, phase=4)
        return {
            "weight_ih_l0": made["weight_ih"],
            "weight_hh_l0": made["weight_hh"],
            "bias_ih_l0": made["bias"] - second,
            "bias_hh_l0": second,
        }

    def layer_for(inputs, units):
        """The library's layer, on this side, that computes what a cell with weights_for computes."""
        layer = torch.nn.LSTM(inputs, units, batch_first=True, dtype=torch.float64)
        layer.load_state_dict(library_weights(inputs, units))
        return layer

    def totals_of(w, x, h):
        return x @ w["weight_ih"].T + h @ w["weight_hh"].T + w["bias"]

    def four(totals, order="ifgo", gate=torch.sigmoid, candidate=torch.tanh, interleaved=False):
        """i, f, g, o, (4, B, H), from the sums of a step."""
        rows = totals.shape[0]
        parts = totals.reshape(rows, -1, 4).unbind(2) if interleaved else totals.chunk(4, 1)
        block = dict(zip(order, parts, strict=True))
        return torch.stack([gate(block["i"]), gate(block["f"]), candidate(block["g"]), gate(block["o"])])

    def advanced(blocks, c):
        """The right (h, c), (2, B, H), from the blocks and the old cell state."""
        i, f, g, o = blocks
        new = f * c + i * g
        return torch.stack([o * torch.tanh(new), new])

    def turned(weight):
        """Each block of H rows transposed by itself."""
        return torch.cat([block.T for block in weight.chunk(4)])

    w, x, h, c = (
        weights_for(3, 3),
        *(waves(4, 3, phase=phase) for phase in (6, 7, 8)),
    )  # I = H: all products fit
    totals = totals_of(w, x, h)
    blocks = four(totals)
    odd, x_odd, h_odd, c_odd = (
        weights_for(2, 5),
        waves(3, 2, phase=6),
        waves(3, 5, phase=7),
        waves(3, 5, phase=8),
    )
    swapped = {
        "fi": "input and forget gate have changed places (order f, i, g, o); PyTorch's order is i, f, g, o",
        "og": "candidate and output gate have changed places (order i, f, o, g); PyTorch's order is i, f, g, o",
    }
    orders = {swapped["fi"]: four(totals, "figo"), swapped["og"]: four(totals, "ifog")}
    for letters in permutations("ifgo"):
        taken = ", ".join(letters)
        why = f"the blocks are taken in the order {taken}; PyTorch's is i, f, g, o"
        orders[why] = four(totals, "".join(letters))
    with check.part("gates", points=2):
        suspects = {
            **orders,
            "returned in another order: the contract has i, f, g, o (here f, i, g, o)": blocks[[1, 0, 2, 3]],
            "returned in another order: the contract has i, f, g, o (here i, f, o, g)": blocks[[0, 1, 3, 2]],
            "returned in another order: the contract has i, f, g, o (here f, i, o, g)": blocks[[1, 0, 3, 2]],
            "the candidate has a sigmoid; it passes a tanh, so that it can be negative": four(
                totals, candidate=torch.sigmoid
            ),
            "the candidate has no activation; it passes a tanh": four(totals, candidate=lambda z: z),
            "the candidate has a ReLU; it passes a tanh": four(totals, candidate=torch.relu),
            "the gates have a tanh; they pass a sigmoid, so that they lie between 0 and 1": four(
                totals, gate=torch.tanh
            ),
            "sigmoid and tanh have changed places": four(totals, gate=torch.tanh, candidate=torch.sigmoid),
            "the activations are missing": torch.stack(totals.chunk(4, 1)),
            "the rows are taken in turn (i, f, g, o, i, f, …); each block is H rows in one piece": four(
                totals, interleaved=True
            ),
            "the previous hidden state does not enter": four(totals_of(w, x, 0 * h)),
            "the input does not enter": four(totals_of(w, 0 * x, h)),
            "the bias is missing": four(totals - w["bias"]),
            "the bias is added twice; there is one": four(totals + w["bias"]),
            "1 is added to the forget gate at every step; forget_bias is only where its bias begins": four(
                totals + torch.tensor([0.0, 1.0, 0.0, 0.0], dtype=torch.float64).repeat_interleave(3)
            ),
            "weight_hh is transposed: for rows, W h is h @ W.T": four(
                totals_of({**w, "weight_hh": turned(w["weight_hh"])}, x, h)
            ),
            "weight_ih is transposed: for rows, W x is x @ W.T": four(
                totals_of({**w, "weight_ih": turned(w["weight_ih"])}, x, h)
            ),
            "both weights are transposed: for rows, W x is x @ W.T": four(
                totals_of(
                    {**w, "weight_ih": turned(w["weight_ih"]), "weight_hh": turned(w["weight_hh"])}, x, h
                )
            ),
            "weight_ih meets the hidden state and weight_hh the input": four(totals_of(w, h, x)),
            "the input gate is 1 - f; this LSTM has one of its own": torch.stack(
                [1 - blocks[1], blocks[1], blocks[2], blocks[3]]
            ),
            "the forget gate is 1 - i; this LSTM has one of its own": torch.stack(
                [blocks[0], 1 - blocks[0], blocks[2], blocks[3]]
            ),
            "the output gate passes a tanh; it is a gate as well": torch.stack(
                [*blocks[:3], torch.tanh(totals.chunk(4, 1)[3])]
            ),
        }
        got = lstm_stacked(lstm_loaded(w, 3, 3).gates(x, h), "ifgo", (4, 3), "gates(x, h)")
        expect_close(got, blocks, "the gates of one step", suspects, rtol=1e-9)
        got = lstm_stacked(
            lstm_loaded(odd, 2, 5).gates(x_odd, h_odd), "ifgo", (3, 5), "gates with B, I, H = 3, 2, 5"
        )
        expect_close(got, four(totals_of(odd, x_odd, h_odd)), "gates with B, I, H = 3, 2, 5", rtol=1e-9)
    with check.part("one block at a time", points=1):
        letters = ("i", "f", "g", "o")
        titles = ("input gate", "forget gate", "candidate", "output gate")
        for name in ("weight_ih", "weight_hh", "bias"):
            for place, title in enumerate(titles):
                alone = {key: torch.zeros_like(value) for key, value in w.items()}
                rows = slice(3 * place, 3 * place + 3)
                alone[name][rows] = w[name][rows]
                got = lstm_stacked(lstm_loaded(alone, 3, 3).gates(x, h), "ifgo", (4, 3), "gates(x, h)")
                still = four(0 * totals)
                for other, letter in enumerate(letters):
                    if other != place:
                        expect_close(
                            got[other],
                            still[other],
                            f"{letter}, with everything zero but the block of the {title} in {name}: "
                            f"that block should reach {letters[place]} alone",
                            rtol=1e-9,
                        )
                expect_close(
                    got[place],
                    four(totals_of(alone, x, h))[place],
                    f"{letters[place]}, with everything zero but the block of the {title} in {name}",
                    {"that block has no effect": still[place]},
                    rtol=1e-9,
                )

    def gates_of_theirs(cell, x, h, shape):
        """Their own gates: what is wrong with those is the first part's question."""
        try:
            return lstm_stacked(cell.gates(x, h), "ifgo", shape, "gates(x, h)")
        except CheckFailed:
            return None

    def expect_update(cell, w, x, h, c, what):
        """The step's (h, c) follows from the gates, the right ones or their own."""
        shape = tuple(c.shape)
        got = lstm_stacked(cell(x, (h, c)), "hc", shape, what)
        pairs = [(four(totals_of(w, x, h)), four(totals_of(w, x, c)))]
        theirs = [gates_of_theirs(cell, x, hidden, shape) for hidden in (h, c)]
        pairs += [] if any(own is None for own in theirs) else [theirs]
        if any(torch.allclose(got, advanced(used, c), rtol=1e-9, atol=1e-9) for used, _ in pairs):
            return
        suspects = {}
        for used, exchanged in pairs:
            i, f, g, o = used
            new, tanh = f * c + i * g, torch.tanh

            def pair(cell_state, shown=tanh, gate=o):
                return torch.stack([gate * shown(cell_state), cell_state])

            suspects |= {
                "h and c have changed places: the contract has (h, c)": advanced(used, c).flip(0),
                "the tanh on the way from c to h is missing": pair(new, shown=lambda z: z),
                "c passes a sigmoid on its way to h; it should be a tanh": pair(new, shown=torch.sigmoid),
                "the output gate is missing: h = o * tanh(c)": pair(new, gate=torch.ones_like(o)),
                "tanh comes first, then the output gate": torch.stack([tanh(o * new), new]),
                "the tanh belongs to what is shown; c itself is returned without it": torch.stack(
                    [o * tanh(new), tanh(new)]
                ),
                "c passes a tanh at every step; nothing should squash it": pair(tanh(new)),
                "the output gate is applied to c itself; it decides what is shown in h": torch.stack(
                    [tanh(o * new), o * new]
                ),
                "the output gate is applied to the c that is returned; it decides what is shown in h": torch.stack(
                    [o * tanh(new), o * new]
                ),
                "h is returned in the place of c as well": torch.stack([o * tanh(new)] * 2),
                "c is returned in the place of h as well": torch.stack([new] * 2),
                "the old c is returned; it should be the new one": torch.stack([o * tanh(new), c]),
                "h is made from the old c; it should be the new one": torch.stack([o * tanh(c), new]),
                "input and forget gate have changed places: f scales the old c, i the candidate": pair(
                    i * c + f * g
                ),
                "the old cell state does not enter": pair(i * g),
                "the candidate does not enter": pair(f * c),
                "the forget gate is not used": pair(c + i * g),
                "the input gate is not used": pair(f * c + g),
                "the candidate is weighted with 1 - f; it should be the input gate": pair(
                    f * c + (1 - f) * g
                ),
                "the old c is weighted with 1 - i; it should be the forget gate": pair((1 - i) * c + i * g),
                "the old c is weighted with 1 - f; an open forget gate keeps": pair((1 - f) * c + i * g),
                "the forget gate scales the whole sum; it should scale the old c alone": pair(
                    f * (c + i * g)
                ),
                "the old hidden state is in the place of the old cell state": pair(f * h + i * g),
                "h and c of the argument have changed places: state is (h, c)": advanced(exchanged, h),
            }
        expect_close(got, advanced(pairs[0][0], c), what, suspects, rtol=1e-9)

    with check.part("new cell state and hidden state", points=2):
        expect_update(lstm_loaded(w, 3, 3), w, x, h, c, "one step")
        expect_update(lstm_loaded(odd, 2, 5), odd, x_odd, h_odd, c_odd, "one step with B, I, H = 3, 2, 5")
        expect_update(lstm_loaded(w, 3, 3), w, x, h, 5 * c, "one step from a large cell state")
    with check.part("no state given", points=1):
        cell = lstm_loaded(odd, 2, 5)
        zeros = torch.zeros(3, 5, dtype=torch.float64)
        try:
            fresh = cell(x_odd)
        except NotAnswered:
            raise
        except StudentError as error:
            raise CheckFailed(
                f"state=None failed with a float64 input: take dtype and device of the zeros from x ({error})"
            ) from None
        given = lstm_stacked(cell(x_odd, (zeros, zeros)), "hc", (3, 5), "a step from zeros")
        ones = lstm_stacked(cell(x_odd, (zeros, zeros + 1)), "hc", (3, 5), "a step from zeros")
        expect_close(
            lstm_stacked(fresh, "hc", (3, 5), "a step without a state"),
            given,
            "a step without a state (it starts from zeros)",
            {"c starts from ones; it should start from zeros": ones},
            rtol=1e-9,
        )
        for dtype, name in ((torch.float64, "float64"), (torch.float32, "float32")):
            single = lstm_loaded({key: value.to(dtype) for key, value in odd.items()}, 2, 5)(x_odd.to(dtype))
            expect(
                all(isinstance(part, torch.Tensor) and part.dtype == dtype for part in single),
                f"{name} went in, but the new state is no {name}",
            )
    with check.part("parameters", points=1):
        shapes = {"weight_ih": (20, 2), "weight_hh": (20, 5), "bias": (20,)}
        cell = student.LSTMCell(2, 5)
        state, trained = cell.state_dict(), dict(cell.named_parameters())
        expect(
            set(state) == set(shapes),
            f"the state_dict should hold {sorted(shapes)} and no others, got {sorted(state)}",
        )
        expect(
            set(trained) == set(shapes) and all(p.requires_grad for p in trained.values()),
            f"{sorted(shapes)} should all be trained: each an nn.Parameter, no buffer",
        )
        for name, shape in shapes.items():
            expect_shape(state[name], shape, f"{name}, where I, H = 2, 5,", {"it is transposed": shape[::-1]})

    def expect_uniform(weight, bound, name, others):
        values = as_array(weight, name).astype(float)
        largest, spread = float(abs(values).max()), float(values.std())
        expect(
            math.isfinite(largest),
            f"{name} holds values that are not finite: was it left as torch.empty made it?",
        )
        expect(
            spread > 1e-6 * max(largest, 1e-30),
            f"{name} starts with all entries alike; units that start alike stay alike",
        )
        expect(
            (values == 0).mean() < 0.5,
            f"{name} starts with an identity matrix, or mostly zero; it should be uniform",
        )
        expect(
            abs(values.mean()) < 0.1 * bound,
            f"{name} is not centered at zero: it is drawn from -bound..+bound",
        )
        expect(
            largest / spread < 2.2, f"{name} is not uniform: its values look drawn from a normal distribution"
        )
        for sentence, other in others.items():
            if abs(largest / other - 1) < 0.02 and abs(other / bound - 1) > 0.04:
                raise CheckFailed(f"{name}: {sentence}")
        expect(
            0.97 * bound < largest < bound * (1 + 1e-5),
            f"{name} reaches ±{largest:.4f}; it should reach ±{bound:.4f}, which is 1 / sqrt(H)",
        )
        expect(
            abs(spread * math.sqrt(3) / bound - 1) < 0.04,
            f"{name} does not fill its interval evenly, as a uniform draw does",
        )

    def matrices_of(cell):
        """Both weight matrices as they start."""
        state = cell.state_dict()
        for name in ("weight_ih", "weight_hh"):
            expect(name in state, f"there is no parameter {name} in state_dict()")
        return {name: state[name] for name in ("weight_ih", "weight_hh")}

    with check.part("weights at the start", points=1):
        inputs, units = 60, 120
        student.seed(3)
        bound = 1 / math.sqrt(units)
        for name, matrix in matrices_of(student.LSTMCell(inputs, units)).items():
            fan_in = inputs if name == "weight_ih" else units
            others = {
                "1 / sqrt(I) is not it: the library takes 1 / sqrt(H) for both matrices": 1
                / math.sqrt(inputs),
                "the fan in is H, not 4H": 1 / math.sqrt(4 * units),
                "this is Xavier's bound; the library's is 1 / sqrt(H)": math.sqrt(6 / (fan_in + units)),
                "this is Xavier's bound for 4H rows; the library's is 1 / sqrt(H)": math.sqrt(
                    6 / (fan_in + 4 * units)
                ),
                "this is Kaiming's bound; the library's is 1 / sqrt(H)": math.sqrt(6 / fan_in),
                "this bound has no square root": 1 / units,
                "this reaches 1: was it drawn from ±1?": 1.0,
            }
            expect_uniform(matrix, bound, name, others)
            for part, letter in zip(as_array(matrix, name).reshape(4, -1), "ifgo", strict=True):
                expect_uniform(part, bound, f"{name}, block {letter}", {})
        first, second = (matrices_of(student.LSTMCell(4, 6)) for _ in range(2))
        for name in first:
            expect(
                not (as_array(first[name], name) == as_array(second[name], name)).any(),
                f"{name}: two cells built one after the other start alike: __init__ should not set a seed of its own",
            )
        student.seed(4)
        before = matrices_of(student.LSTMCell(4, 6))
        student.seed(4)
        after = matrices_of(student.LSTMCell(4, 6))
        for name, matrix in before.items():
            what = f"{name} of two cells, each built after the same torch.manual_seed, is not the same"
            expect_close(after[name], matrix, what=what)
    with check.part("forget bias", points=1):
        for options, value in (({}, 1.0), ({"forget_bias": -2.5}, -2.5), ({"forget_bias": 0.0}, 0.0)):
            place = torch.arange(20) // 5

            def bias_at(*chosen, value=value, place=place):
                return torch.where(torch.isin(place, torch.tensor(chosen)), value, 0.0)

            said = ", ".join(f"{key}={entry}" for key, entry in options.items()) or "no forget_bias given (1)"
            state = student.LSTMCell(2, 5, **options).state_dict()
            expect("bias" in state, "there is no parameter bias in state_dict()")
            expect_close(
                state["bias"],
                bias_at(1),
                f"the bias at the start, {said}",
                {
                    "forget_bias stands in the input gate's block; the order is i, f, g, o": bias_at(0),
                    "forget_bias stands in the candidate's block; the order is i, f, g, o": bias_at(2),
                    "forget_bias stands in the output gate's block; the order is i, f, g, o": bias_at(3),
                    "forget_bias stands in every block; it is the forget gate's": bias_at(0, 1, 2, 3),
                    "forget_bias stands in two blocks; it is the forget gate's alone": bias_at(1, 2),
                    "forget_bias stands in two blocks (i and f); it is the forget gate's alone": bias_at(
                        0, 1
                    ),
                    "forget_bias stands in three blocks; it is the forget gate's alone": bias_at(1, 2, 3),
                    "all zeros: the forget gate's block should be forget_bias": bias_at(),
                    "the forget gate's block is 1 whatever forget_bias is": bias_at(1) * 0
                    + (place == 1).double(),
                    "forget_bias is in there twice, as with two bias vectors": 2 * bias_at(1),
                    "only the first row of the forget gate's block is forget_bias": bias_at(1)
                    * (torch.arange(20) == 5),
                },
            )
        third = student.LSTMCell(2, 5, 3.0).state_dict()["bias"]
        expect_close(third[5:10], [3.0] * 5, "LSTMCell(2, 5, 3.0): the third argument is forget_bias")
    with check.part("load_library", points=2):
        given = library_weights(2, 5)
        layer = student.build("torch.nn.LSTM", 2, 5, batch_first=True, dtype=torch.float64)
        layer.load_state_dict(given)
        cell = student.LSTMCell(2, 5)
        cell.to(torch.float64)
        cell.load_library(layer)
        loaded = cell.state_dict()
        trained = {name for name, value in cell.named_parameters() if value.requires_grad}
        expect(
            set(loaded) >= set(odd) and trained >= set(odd),  # names too many are a question of their own
            "after load_library weight_ih, weight_hh and bias should be parameters that still learn; "
            f"got {sorted(trained)}",
        )
        for name, value in given.items():
            expect_close(
                layer.state_dict()[name], value, f"load_library changed the layer itself: {name}", rtol=1e-9
            )
        first, second = given["bias_ih_l0"], given["bias_hh_l0"]
        forget = (torch.arange(20) // 5 == 1).double()
        biases = {
            "only bias_ih_l0 is taken; the library adds two vectors": first,
            "only bias_hh_l0 is taken; the library adds two vectors": second,
            "the two vectors are averaged; the library adds them": (first + second) / 2,
            "forget_bias is added once more; the loaded bias is complete": first + second + forget,
            "the forget gate's block is set to 1; the loaded bias is complete": torch.where(
                forget > 0, 1.0, first + second
            ),
            "nothing is loaded into it": forget,
            "bias_ih_l0 is added twice": 2 * first,
            "bias_hh_l0 is added twice": 2 * second,
            "the loaded bias is added to the one that was there": first + second + forget,
        }
        for name in ("weight_ih", "weight_hh"):
            expect_close(loaded[name], given[f"{name}_l0"], f"{name} after load_library", rtol=1e-9)
        expect_close(loaded["bias"], first + second, "bias after load_library", biases, rtol=1e-9)
        layer.load_state_dict({name: 0 * value for name, value in given.items()})
        expect_close(
            cell.state_dict()["weight_hh"],
            given["weight_hh_l0"],
            "weight_hh, after the layer's own weights were changed: cell and layer share memory; copy the numbers",
            rtol=1e-9,
        )
        layer.load_state_dict(given)
        cell.load_state_dict({name: 0 * value for name, value in odd.items()}, strict=False)
        expect_close(
            layer.state_dict()["weight_ih_l0"],
            given["weight_ih_l0"],
            "the layer's weight_ih_l0, after the cell's weights were changed: they share memory; copy the numbers",
            rtol=1e-9,
        )
        timed = student.build("torch.nn.LSTM", 2, 5, dtype=torch.float64)  # time first: the same weights
        timed.load_state_dict(given)
        cell.load_library(timed)
        expect_close(
            cell.state_dict()["weight_ih"], given["weight_ih_l0"], "weight_ih from a layer with time first"
        )
        for sizes, options in (
            ((2, 5), {"num_layers": 2}),
            ((2, 5), {"bidirectional": True}),
            ((2, 5), {"proj_size": 2}),
            ((2, 5), {"proj_size": 1}),
            ((3, 5), {}),
            ((2, 4), {}),
            ((2, 1), {}),
        ):
            other = student.build("torch.nn.LSTM", *sizes, **options)
            said = ", ".join([*map(str, sizes), *(f"{key}={value}" for key, value in options.items())])
            expect_raises(
                ValueError,
                lambda other=other: student.LSTMCell(2, 5).load_library(other),
                f"LSTMCell(2, 5).load_library(nn.LSTM({said}))",
            )
    with check.part("a whole sequence, as nn.LSTM computes it", points=1):
        sequence = waves(3, 40, 2, phase=9)
        with torch.no_grad():
            outputs, final = layer_for(2, 5)(sequence)
        final = torch.cat(final)  # (2, B, H)
        for dtype, close in (
            (torch.float64, {"rtol": 0, "atol": 1e-9}),
            (torch.float32, {"rtol": 0, "atol": 3e-6}),
        ):
            cell, pair, kept = (
                lstm_loaded({name: value.to(dtype) for name, value in odd.items()}, 2, 5),
                None,
                [],
            )
            for x_t in sequence.to(dtype).unbind(1):
                pair = cell(x_t) if pair is None else cell(x_t, pair)
                kept.append(lstm_stacked(pair, "hc", (3, 5), "a step of a sequence"))
            said = f"over 40 steps in {str(dtype).removeprefix('torch.')}"
            expect_close(torch.stack([both[0] for both in kept], 1), outputs, f"h {said}", **close)
            expect_close(kept[-1], final, f"the last (h, c) {said}", **close)
    with check.part("gradients", points=1):
        layer = layer_for(2, 5)
        ends = [value.clone().requires_grad_() for value in (x_odd, h_odd, c_odd)]
        _, (h_new, c_new) = layer(ends[0][:, None], (ends[1][None], ends[2][None]))
        mix = [waves(3, 5, phase=10), waves(3, 5, phase=11)]
        (mix[0] * h_new[0] + mix[1] * c_new[0]).sum().backward()
        right = dict(layer.named_parameters())
        got = student.backward(lstm_loaded(odd, 2, 5), x_odd, (h_odd, c_odd), weights=mix)
        for name in ("weight_ih", "weight_hh", "bias"):
            source = right["bias_ih_l0" if name == "bias" else f"{name}_l0"]
            cut = f"{name} gets no gradient: is .data, detach() or no_grad in the way?"
            expect(got.parameters.get(name) is not None, cut)
            expect_close(
                got.parameters[name],
                source.grad,
                f"the gradient of {name} (nn.LSTM's differs)",
                rtol=1e-6,
            )
        for name, end, gradient in zip(("x", "h", "c"), ends, got.inputs, strict=True):
            cut = f"no gradient reaches {name}: does detach() cut the path back through time?"
            expect(gradient is not None, cut)
            expect_close(
                gradient, end.grad, f"the gradient that reaches {name} (nn.LSTM's differs)", rtol=1e-6
            )
    with check.part("one call leaves no trace on the next", points=1):
        cell = lstm_loaded(w, 3, 3)
        fresh = lstm_stacked(cell(x), "hc", (4, 3), "a step without a state")
        once = lstm_stacked(cell(x, (h, c)), "hc", (4, 3), "one step")
        expect_close(
            lstm_stacked(cell(x), "hc", (4, 3), "a step without a state"),
            fresh,
            what="a step without a state, after another call: the state should not be kept between calls",
        )
        shared = [student.share(value) for value in (x, h, c)]
        cell(shared[0], (shared[1], shared[2]))
        for name, handle, value in zip("xhc", shared, (x, h, c), strict=True):
            expect_close(student.value(handle), value, what=f"your cell changed its argument {name} in place")
        for rows in (1, 2):
            expect_close(
                lstm_stacked(cell(x[:rows], (h[:rows], c[:rows])), "hc", (rows, 3), f"a batch of {rows}"),
                once[:, :rows],
                what=f"a batch of {rows}, after a batch of 4",
            )
        lstm_stacked(lstm_loaded(weights_for(3, 1), 3, 1)(x), "hc", (4, 1), "a step with one unit")
    ### END HIDDEN TESTS

# %% [markdown]
# **Experiment.** One unit, one fact. At every step a number between −1 and 1 arrives, with a mark at about
# one step in eight. The task: say, at every step, the number that came with the *last mark*. Everything else
# is noise. Your cell gets a single unit, so there is one cell state to watch, and three gates. It is trained
# three times, from other starting weights; the picture shows the first of the three on a sequence that it
# has never seen.


# %% role="experiment"
class LastMarked(nn.Module):
    """Your cell with one unit over all steps and a linear read-out: (B, T, 2) to (B, T)."""

    def __init__(self):
        super().__init__()
        self.cell, self.head = LSTMCell(2, 1), nn.Linear(1, 1)

    def forward(self, x):
        pair, shown = None, []
        for x_t in x.unbind(1):  # T times (B, 2)
            pair = self.cell(x_t, pair)
            shown.append(pair[0])
        return self.head(torch.stack(shown, 1)).squeeze(-1)


def marked_numbers(count, length, seed):
    """Numbers and marks (B, T, 2), and the number at the last mark (B, T)."""
    drawn = np.random.default_rng(seed)
    numbers, marks = drawn.uniform(-1, 1, (count, length)), drawn.random((count, length)) < 0.12
    marks[:, 0] = True  # there is always a last mark
    last = np.maximum.accumulate(np.where(marks, np.arange(length), 0), axis=1)
    held = np.take_along_axis(numbers, last, axis=1)
    return torch.tensor(np.stack([numbers, marks], -1)).float(), torch.tensor(held).float()


def watch_gates(model, x):
    """Gates and candidate i, f, g, o of the unit at every step: (B, T, 4)."""
    pair, seen = (x.new_zeros(len(x), 1), x.new_zeros(len(x), 1)), []
    with torch.no_grad():
        for x_t in x.unbind(1):
            seen.append(torch.cat(model.cell.gates(x_t, pair[0]), dim=1))
            pair = model.cell(x_t, pair)
    return torch.stack(seen, 1)


marked_train, marked_test = marked_numbers(2000, 24, seed=1), marked_numbers(500, 30, seed=2)
later_marks = marked_test[0][:, 1:, 1] > 0  # from step 2 on: at step 1 there is nothing to forget
marked_models, marked_gates, marked_rows = [], [], []
for weights_seed in range(runtime.steps(quick=1, default=3, full=5)):
    runtime.seed_everything(weights_seed)
    marked_model = LastMarked()
    with runtime.single_thread():
        training.fit(
            marked_model,
            training.minibatches(*marked_train, batch_size=32, seed=weights_seed),
            F.mse_loss,
            torch.optim.Adam(marked_model.parameters(), lr=0.03),
            runtime.steps(quick=30, default=300, full=1500),
            clip=1.0,
            label=f"start {weights_seed}",
        )
    marked_models.append(marked_model)
    marked_gates.append(watch_gates(marked_model, marked_test[0]))
    i_seen, f_seen, g_seen, _ = marked_gates[-1][:, 1:].unbind(-1)  # each (B, T - 1)
    marked_row = [f"{weights_seed:<8}"]
    for values_seen in (f_seen, i_seen, (i_seen * g_seen).abs()):
        marked_at, marked_between = values_seen[later_marks].mean(), values_seen[~later_marks].mean()
        marked_row.append(f"{marked_at:.2f} / {marked_between:.2f}    ")
    marked_error = F.mse_loss(training.predict(marked_model, marked_test[0]), marked_test[1]).item()
    marked_rows.append("".join([*marked_row, f"{marked_error:.4f}"]))
print("means at marks / between them\nstart   forget gate    input gate     |i * g|        squared error")
print("\n".join(marked_rows))

marked_steps = np.arange(1, 31)
marked_x, marked_y, marked_seen = marked_test[0][5], marked_test[1][5], marked_gates[0][5]
with torch.no_grad():
    marked_said = marked_models[0](marked_test[0][5:6])[0]
is_marked = marked_x[:, 1].numpy() > 0
fig, (marked_top, marked_bottom) = plt.subplots(2, 1, figsize=(9, 5.4), sharex=True)
marked_top.plot(marked_steps, marked_x[:, 0], "o", color=plotting.GRAY, markersize=4, label="number, no mark")
marked_top.plot(
    marked_steps[is_marked], marked_x[is_marked, 0], "D", color=plotting.ORANGE, label="number with a mark"
)
marked_top.step(marked_steps, marked_y, where="mid", color=plotting.GRAY, linestyle=":", label="to be held")
marked_top.plot(marked_steps, marked_said, color=plotting.BLUE, label="the network says")
for name, marked_column, marked_style in (
    ("input gate i", 0, ":"),
    ("forget gate f", 1, "-"),
    ("output gate o", 3, "--"),
):
    marked_bottom.plot(marked_steps, marked_seen[:, marked_column], marked_style, marker=".", label=name)
for marked_panel in (marked_top, marked_bottom):
    for marked_step in marked_steps[is_marked]:
        marked_panel.axvline(marked_step, color=plotting.GRAY, linewidth=0.8, alpha=0.5)
    marked_panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
marked_top.set(ylabel="number", title="one sequence, one unit")
marked_bottom.set(xlabel="step t (lines: marks)", ylabel="gate, 0 shut to 1 open", ylim=(-0.05, 1.05))
plotting.show(
    fig,
    alt="Above: thirty numbers as dots, a few of them marked; a dotted line, the number to be held, and a line, "
    "what the network says. Below: the three gates of the one unit over the same steps. Vertical lines are "
    "drawn at the marks.",
)

# %% [markdown]
# ### Read the gates of a trained cell
# *1 point · 3 minutes · difficulty 2*
#
# Look at the forget gate, at marks and between them, in the picture and in all three rows of the table.
#
# - `forget_at_marks`: compared with the steps between, it `"falls"`, `"rises"` or `"stays"` at a mark.
# - `stuck_open`: suppose it were held at 1 at all steps and the other gates worked as now. Of what is
#   written at the first three marks, what would the cell state then hold: `"the sum of three"`, `"the last
#   one"` or `"the first one"`?

# %% role="answer" grade_id="lstm-cell-plot"
### BEGIN SOLUTION
forget_at_marks = "falls"  # "falls", "rises" or "stays"
stuck_open = "the sum of three"  # "the sum of three", "the last one" or "the first one"
### END SOLUTION

# %% role="test" grade_id="lstm-cell-plot-test" points=1
from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of

lstm_moves = ["falls", "rises", "stays"]
lstm_contents = ["the sum of three", "the last one", "the first one"]
with checking("lstm-cell-plot") as check:
    with check.part("one of the options"):
        chosen_of(student.forget_at_marks, lstm_moves, "forget_at_marks")
        chosen_of(student.stuck_open, lstm_contents, "stuck_open")
    ### BEGIN HIDDEN TESTS
    with check.part("the forget gate at a mark", points=0.5):
        suspects = {
            "rises": "an open forget gate keeps; at a mark the old number has to go",
            "stays": "compare the two numbers of its column in the table; is the budget at least `default`?",
        }
        expect_choice(student.forget_at_marks, "falls", lstm_moves, "forget_at_marks", suspects)
    with check.part("a forget gate stuck open", points=0.5):
        suspects = {
            "the last one": "the first two are still there: nothing but the forget gate removes them",
            "the first one": "the input gate still writes the later ones, on top of the first",
        }
        expect_choice(student.stuck_open, "the sum of three", lstm_contents, "stuck_open", suspects)
    ### END HIDDEN TESTS

# %% [markdown]
# And the input gate? Compare the three rows. In some starts it opens at marks and shuts between them. In 3 of
# 13 starts that we tried it was about as open between marks as at them, and still at least eight times less was
# written there, because the candidate stayed near zero. A gate and what stands behind it are learned
# together: whoever reads gates has to read $i \odot g$, not $i$.

# %% [markdown]
# ### A language model of characters
# *11 points · 35 minutes · difficulty 3*
#
# A **language model** says what comes next. This one reads a text character by character and, after each one, gives every
# character of its alphabet a logit for the next place. Three layers do it: an embedding turns character numbers into vectors, an
# LSTM reads them from left to right, a linear layer turns each hidden state into $V$ logits. No label has to be made by
# hand: the target of step $t$ is the character at step $t + 1$.
#
# Two numbers tell how good it is. For training, the mean of $-\ln p(\text{next character})$, which PyTorch's cross-entropy gives
# in **nats**. For reporting, the same mean in **bits per character**, which uses $\log_2$.
#
# Here `nn.LSTM` is welcome. It expects time first unless told otherwise, and it returns two things.
#
# <details><summary>I'm not sure where to start</summary>
#
# *Model:* print the shape after each layer: $(B, T)$, $(B, T, E)$, $(B, T, H)$, $(B, T, V)$. *Loss:* write `"LSTM"` on paper, and
# under each letter what the model should answer. Which row of logits has no answer in the text, and which character is nobody's
# answer? `F.cross_entropy` wants logits as they are, and the classes on axis 1, or everything flattened to two axes. *Bits:* on paper,
# cut a text of ten characters into chunks of four. How many predictions are there in all, and which of them cross a border? Add up
# sums, not means: the last chunk may be shorter.
# </details>


# %% role="answer" grade_id="char-model"
class CharModel(nn.Module):
    """Embedding, LSTM, linear layer: after each character, logits for the next.

    Args:
        vocab_size: V, characters in the alphabet.
        embedding_size: E.
        hidden_size: H.

    Submodules, under these names and no others, so that weights can be loaded:
        embedding: nn.Embedding, V vectors of E numbers.
        lstm: nn.LSTM, one layer, E inputs, H units, reading forward, with biases.
        head: nn.Linear from H to V, with bias.
    """

    def __init__(self, vocab_size, embedding_size, hidden_size):
        ### BEGIN SOLUTION
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, vocab_size)
        ### END SOLUTION

    def forward(self, tokens, state=None):
        """Read tokens and predict the one after each.

        Args:
            tokens: (B, T) int64, 0..V-1.
            state: (h, c) as an earlier call returned it, to read on from there; None: both are zeros.
                Nothing is kept between calls.

        Returns:
            logits: (B, T, V), as the linear layer gives them; row t is about the character after step t.
            state: (h, c) after the last step, each (1, B, H), as nn.LSTM gives them.
        """
        ### BEGIN SOLUTION
        hidden, state = self.lstm(self.embedding(tokens), state)  # (B, T, H)
        return self.head(hidden), state  # (B, T, V)
        ### END SOLUTION


def next_character_loss(logits, tokens):
    """Mean of -ln p(next character), for training.

    Args:
        logits: (B, T, V), what a model answered to `tokens`, T at least 2.
        tokens: (B, T) int64.

    Returns:
        scalar tensor in nats, the mean over all B (T - 1) predictions whose next character is in
        `tokens`. Gradients reach the logits.
    """
    ### BEGIN SOLUTION
    predicted, target = logits[:, :-1], tokens[:, 1:]  # (B, T-1, V), (B, T-1)
    return F.cross_entropy(predicted.flatten(0, 1), target.flatten())
    ### END SOLUTION


@torch.no_grad()
def bits_per_character(model, text, chunk=500):
    """Score a model on one long text that is read once from left to right.

    Args:
        model: a CharModel, or any function (it need not be an nn.Module) that is called like one:
            model(tokens, state) gives (logits, state), for tokens (1, T); state is None to begin, then
            the pair that the call before returned.
        text: (N,) int64, N at least 2.
        chunk: the most characters that one call of the model may read. The result does not depend on
            it: each call reads on where the one before stopped.

    Returns:
        float: mean of -log2 p over all N - 1 characters that follow another, each predicted from
        everything before it.
    """
    ### BEGIN SOLUTION
    state, nats = None, 0.0
    for first in range(0, len(text) - 1, chunk):
        target = text[first + 1 : first + chunk + 1]
        logits, state = model(text[first : first + len(target)].unsqueeze(0), state)  # (1, T, V)
        nats += F.cross_entropy(logits[0], target, reduction="sum").item()
    return nats / (len(text) - 1) / float(np.log(2))
    ### END SOLUTION


# %% role="try"
tiny_text = torch.tensor([0, 1, 2, 3, 0, 1, 2, 3, 0, 1])
torch.manual_seed(0)
tiny_model = CharModel(4, 3, 5)
tiny_logits, (tiny_h, tiny_c) = tiny_model(tiny_text.reshape(2, 5))
print(tiny_logits.shape, tiny_h.shape, tiny_c.shape)  # (2, 5, 4) and twice (1, 2, 5)
print(next_character_loss(tiny_logits, tiny_text.reshape(2, 5)))  # near ln 4 = 1.39: nothing is learned yet
print(bits_per_character(tiny_model, tiny_text, chunk=4))  # near log2 4 = 2, for any chunk

# %% role="test" grade_id="char-model-test" points=11
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


def char_pair(result, what):
    """The two things that a call returns, or a state consists of."""
    two = "the pair (h, c)" if what == "the state" else "two things, (logits, state)"
    expect(isinstance(result, tuple | list) and len(result) == 2, f"{what} should be {two}")
    return result


def char_undecided(tokens, state=None):
    """A model that finds all of eight characters equally likely."""
    return torch.zeros(*tokens.shape, 8), (torch.zeros(1, 1, 1), torch.zeros(1, 1, 1))


with checking("char-model") as check:
    for name in ("CharModel", "next_character_loss", "bits_per_character"):
        forbid(
            name,
            *("course_utils.metrics*", "course_utils.decoding*"),
            why="the exercise asks you to write this; the course's own version does not count",
        )
    char_tokens = torch.tensor([[0, 6, 2, 2, 5], [1, 3, 3, 4, 0]])
    with check.part("shapes of logits and state"):
        student.seed(0)
        char_model = student.CharModel(7, 3, 4)
        char_logits, char_state = char_pair(
            char_model(char_tokens), "what CharModel(7, 3, 4)(tokens) returns"
        )
        expect_shape(
            char_logits,
            (2, 5, 7),
            "logits for tokens (2, 5) and an alphabet of 7",
            {
                "classes stand on axis 1; they belong on the last": (2, 7, 5),
                "there is one prediction a sequence; every step needs one": (2, 7),
                "these are hidden states; the linear layer makes logits of them": (2, 5, 4),
            },
        )
        char_h, char_c = char_pair(char_state, "the state")
        for name, char_value in (("h", char_h), ("c", char_c)):
            expect_shape(
                char_value,
                (1, 2, 4),
                f"{name} of the state",
                {"the LSTM takes time for the batch: is batch_first=True missing?": (1, 5, 4)},
            )
    with check.part("the loss of a model that knows nothing"):
        expect_close(
            student.next_character_loss(torch.zeros(2, 5, 7), char_tokens),
            math.log(7),
            what="next_character_loss of equal logits for 7 characters",
            suspects={
                "this is in bits; the loss is in nats": math.log2(7),
                "losses are added up; the mean was asked for": 8 * math.log(7),
                "losses of a row are added up; the mean was asked for": 4 * math.log(7),
            },
            reveal=True,
        )
    with check.part("the next character, not this one"):
        char_rising = torch.tensor([[0, 1, 2, 3]])
        expect_close(
            student.next_character_loss(
                50 * torch.nn.functional.one_hot((char_rising + 1) % 7, 7).float(), char_rising
            ),
            0.0,
            what="next_character_loss of a model that is sure of one more, for the tokens 0, 1, 2, 3",
            suspects={"each character is asked to predict itself: shift by one": 50.0},
            atol=1e-4,
            reveal=True,
        )
    with check.part("its bits per character"):
        expect_close(
            student.bits_per_character(char_undecided, torch.arange(8), chunk=3),
            3.0,
            what="bits_per_character of equal logits for 8 characters",
            suspects={
                "this is in nats; divide by ln 2": math.log(8),
                "nats were multiplied by ln 2; one bit is ln 2 nats": math.log(8) * math.log(2),
                "this is the perplexity": 8.0,
                "bits are added up; the mean was asked for": 21.0,
                "means of chunks were added and divided by N - 1; add sums": 9 / 7,
                "the prediction across each border is missing": 15 / 7,
                "the prediction across each border is missing, and the last one": 12 / 7,
            },
            reveal=True,
        )

    ### BEGIN HIDDEN TESTS
    def waves(*shape, phase, rate=1.7):
        return torch.sin(rate * torch.arange(math.prod(shape), dtype=torch.float64) + phase).reshape(shape)

    def weights_for(vocab, embedded, units):
        return {
            "embedding.weight": waves(vocab, embedded, phase=1),
            "lstm.weight_ih_l0": waves(4 * units, embedded, phase=2, rate=2.3),
            "lstm.weight_hh_l0": waves(4 * units, units, phase=3, rate=1.1),
            "lstm.bias_ih_l0": 0.7 * waves(4 * units, phase=4),
            "lstm.bias_hh_l0": 0.5 * waves(4 * units, phase=5, rate=0.9),
            "head.weight": waves(vocab, units, phase=6, rate=1.3),
            "head.bias": 0.6 * waves(vocab, phase=7),
        }

    def loaded(weights, *sizes):
        """The student's model with these weights, in float32: a state of zeros that it makes itself is one too."""
        model = student.CharModel(*sizes)
        differ = "names or shapes of the parameters are not those of the contract"
        try:
            single = {name: weight.float() for name, weight in weights.items()}
            report = model.load_state_dict(single, strict=False)  # names too many are a question of their own
        except StudentError as error:
            raise CheckFailed(f"{differ}: {error.message}") from None
        unknown = list(report[1]) if isinstance(report, tuple) and len(report) == 2 else []
        expect(not unknown, f"{differ}: state_dict() lacks {unknown}")
        return model

    def reference_lstm(weights, batch_first=True):
        units, inputs = weights["lstm.weight_hh_l0"].shape[1], weights["lstm.weight_ih_l0"].shape[1]
        lstm = torch.nn.LSTM(inputs, units, batch_first=batch_first, dtype=torch.float64)
        lstm.load_state_dict(
            {name.removeprefix("lstm."): w for name, w in weights.items() if name.startswith("lstm.")}
        )
        return lstm

    @torch.no_grad()
    def answers(weights, tokens, state=None, batch_first=True, between=lambda hidden: hidden):
        hidden, state = reference_lstm(weights, batch_first)(weights["embedding.weight"][tokens], state)
        return between(hidden) @ weights["head.weight"].T + weights["head.bias"], state

    close = {"rtol": 1e-4, "atol": 1e-5}  # of float32
    square = weights_for(5, 4, 4)  # E = H, so that no product can fail
    text = torch.tensor([[0, 3, 1, 4, 2, 2], [4, 4, 0, 1, 3, 2], [2, 0, 0, 3, 1, 4]])  # (3, 6)
    with check.part("names and sizes of the parameters", points=1):
        for vocab, embedded, units in ((5, 4, 4), (9, 2, 6)):
            model = student.CharModel(vocab, embedded, units)
            found = {name: tuple(as_array(value, name).shape) for name, value in model.state_dict().items()}
            wanted = {name: tuple(w.shape) for name, w in weights_for(vocab, embedded, units).items()}
            sizes = f"CharModel({vocab}, {embedded}, {units})"
            missing, extra = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
            expect(
                not any("reverse" in name for name in extra),
                f"{sizes} reads backward too: it would see the characters that it is to predict",
            )
            expect(not any("_l1" in name for name in extra), f"{sizes} has a second LSTM layer")
            expect(not missing, f"{sizes}: state_dict() lacks {missing}; it holds {sorted(found)}")
            expect(not extra, f"{sizes}: state_dict() holds {extra}, which are not in the contract")
            off = [
                f"{name} {found[name]}, not {wanted[name]}" for name in wanted if found[name] != wanted[name]
            ]
            expect(not off, f"{sizes}: wrong shapes: {'; '.join(off)}")
            total = sum(math.prod(shape) for shape in found.values())
            expect(
                total == sum(math.prod(shape) for shape in wanted.values()), f"{sizes} has {total} numbers"
            )
    with check.part("logits with given weights", points=2):
        right, _ = answers(square, text)
        alone = torch.cat([answers(square, text[:, t : t + 1])[0] for t in range(6)], dim=1)
        stale = answers(square, torch.roll(text, 1, dims=1))[0]
        blind = square["embedding.weight"][text] @ square["head.weight"].T + square["head.bias"]
        got, _ = char_pair(loaded(square, 5, 4, 4)(text), "what your model returns")
        expect_close(
            got,
            right,
            what="logits for tokens (3, 6) with given weights",
            suspects={
                "the LSTM reads along the batch, so sequences mix: batch_first=True is missing": answers(
                    square, text, batch_first=False
                )[0],
                "these are probabilities; the model should return logits, since the loss takes a softmax itself": (
                    right.softmax(-1)
                ),
                "these are log-probabilities; return what the linear layer gives": right.log_softmax(-1),
                "the softmax runs over time; and logits were asked for": right.softmax(1),
                "classes stand on axis 1; they belong on the last": right.transpose(1, 2),
                "only the last step is predicted; every step needs logits": right[:, -1],
                "a ReLU stands before the linear layer": answers(square, text, between=torch.relu)[0],
                "a tanh stands before the linear layer": answers(square, text, between=torch.tanh)[0],
                "the state is zeroed at every step, so nothing is remembered": alone,
                "row t does not know the character of step t yet": stale,
                "the LSTM is passed by: the linear layer reads the embedding": blind,
                "the sequence is read from its end": answers(square, text.flip(1))[0].flip(1),
            },
            **close,
        )
        odd = weights_for(9, 2, 6)
        long = (torch.arange(2 * 11) ** 2 % 9).reshape(2, 11)
        got, _ = char_pair(loaded(odd, 9, 2, 6)(long), "what your model returns")
        expect_close(got, answers(odd, long)[0], what="logits with V, E, H = 9, 2, 6", **close)
        learned = student.backward(loaded(odd, 9, 2, 6), long).parameters
        for name in odd:
            expect(learned.get(name) is not None, f"{name} gets no gradient from the logits: is it detached?")
        expect(
            bool(
                (abs(as_array(learned["embedding.weight"], "its gradient")) > 0).any(1)[long.unique()].all()
            ),
            "the vector of a character that was read gets no gradient: is it taken for padding?",
        )
        one, _ = char_pair(loaded(odd, 9, 2, 6)(long[:1, :1]), "what your model returns")
        expect_close(
            one,
            answers(odd, long[:1, :1])[0],
            what="logits for a single character, (1, 1)",
            suspects={"an axis of length 1 was squeezed away": answers(odd, long[:1, :1])[0].squeeze()},
            **close,
        )
    with check.part("no look ahead, and rows that do not mix", points=1):
        student.seed(0)
        model = student.CharModel(6, 4, 5)  # as the student initializes it
        base = as_array(char_pair(model(text), "what your model returns")[0], "logits")
        expect_shape(base, (3, 6, 6), "logits for tokens (3, 6) and an alphabet of 6")
        for t in (2, 5):
            changed = text.clone()
            changed[:, t] = 5
            after = as_array(char_pair(model(changed), "what your model returns")[0], "logits")
            expect(
                abs(after[:, :t] - base[:, :t]).max() < 1e-5,
                f"another character at step {t} changes logits of earlier steps: the model sees the future",
            )
            expect(
                abs(after[:, t:] - base[:, t:]).max(axis=(0, 2)).min() > 1e-7,
                f"another character at step {t} leaves later logits as they were: it is not read or forgotten",
            )
        changed = text.clone()
        changed[1] = 5
        after = as_array(char_pair(model(changed), "what your model returns")[0], "logits")
        expect(
            abs(after[[0, 2]] - base[[0, 2]]).max() < 1e-5,
            "another text in row 1 changes the logits of rows 0 and 2: sequences mix",
        )
        alone = as_array(char_pair(model(text[1:2]), "what your model returns")[0], "logits")
        expect_close(alone, base[1:2], what="a row read alone", rtol=1e-4, atol=1e-5)
    with check.part("reading on from a state", points=2):
        model = loaded(square, 5, 4, 4)
        whole, (h_end, c_end) = answers(square, text)
        _, half = answers(square, text[:, :4])
        _, state = char_pair(model(text[:, :4]), "what your model returns")
        h, c = char_pair(state, "the state")
        expect_close(
            np.stack([as_array(h, "h").ravel(), as_array(c, "c").ravel()]),
            torch.stack([half[0].reshape(-1), half[1].reshape(-1)]),
            what="the state (h, c) after four steps",
            suspects={
                "h and c are exchanged: the pair is (h, c)": torch.stack(
                    [half[1].reshape(-1), half[0].reshape(-1)]
                ),
                "h stands in both places; c is lost": torch.stack([half[0].reshape(-1), half[0].reshape(-1)]),
                "this is the state that came in, not the one after the last step": torch.zeros(2, 12),
            },
            **close,
        )
        for name, value in (("h", h), ("c", c)):
            expect_shape(value, (1, 3, 4), f"{name} of the state")
        given = (half[0].float(), half[1].float())
        shared = student.share(given)
        got, ended = char_pair(model(text[:, 4:], shared), "what your model returns")
        expect_close(
            got,
            whole[:, 4:],
            what="logits of the last two steps, read on from the state after four",
            suspects={
                "the state that was given is ignored: both began from zeros": answers(square, text[:, 4:])[0],
                "h and c are exchanged: the pair is (h, c)": answers(square, text[:, 4:], (half[1], half[0]))[
                    0
                ],
                "only h is carried; c is zeroed": answers(square, text[:, 4:], (half[0], 0 * half[1]))[0],
                "only c is carried; h is zeroed": answers(square, text[:, 4:], (0 * half[0], half[1]))[0],
            },
            **close,
        )
        expect_close(char_pair(ended, "the state")[0], h_end, what="h after reading on", **close)
        expect_close(ended[1], c_end, what="c after reading on", **close)
        for value, before in zip(student.value(shared), half, strict=True):
            expect_close(value, before, what="your model changed the state it was given in place")
        got, _ = char_pair(model(text), "what your model returns")
        expect_close(
            got,
            whole,
            what="logits of a call without a state, after other calls: the model should keep none",
            **close,
        )
    with check.part("the loss", points=2):
        logits = 2 * waves(3, 6, 5, phase=8)
        expected = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, 5), text[:, 1:].reshape(-1))

        def picked(log_probs, targets):
            return -log_probs.gather(-1, targets.unsqueeze(-1)).squeeze(-1)  # (B, T)

        logp = logits.log_softmax(-1)
        each = picked(logp[:, :-1], text[:, 1:])  # (3, 5)
        got = student.next_character_loss(logits, text)
        expect_close(
            got,
            expected,
            what="next_character_loss",
            suspects={
                "the targets are not shifted: each logit is compared with the character just read": picked(
                    logp, text
                ).mean(),
                "the last step is dropped from logits and targets alike, so they are not shifted": picked(
                    logp[:, :-1], text[:, :-1]
                ).mean(),
                "the shift goes the wrong way: this compares with the character before": picked(
                    logp[:, 1:], text[:, :-1]
                ).mean(),
                "targets wrap around: the last step is compared with the first character": picked(
                    logp, torch.roll(text, -1, dims=1)
                ).mean(),
                "targets lie two steps ahead": picked(logp[:, :-2], text[:, 2:]).mean(),
                "this is in bits; the loss is in nats": expected / math.log(2),
                "losses are added up; the mean was asked for": each.sum(),
                "losses are added up over time; the mean runs over time too": each.sum(1).mean(),
                "losses are added up over the batch; the mean runs over it too": each.sum(0).mean(),
                "the sum is divided by B T, though there are B (T - 1) predictions": each.sum()
                / text.numel(),
                "a softmax comes before the cross-entropy, which takes one itself": picked(
                    logits.softmax(-1).log_softmax(-1)[:, :-1], text[:, 1:]
                ).mean(),
                "logits are taken for probabilities": picked(logits.abs().log()[:, :-1], text[:, 1:]).mean(),
                "the logarithm is missing: this is a mean of probabilities": (
                    -picked(logp.exp()[:, :-1], text[:, 1:])
                ).mean(),
                "the sign is wrong: this is the mean of ln p": -expected,
                "the axes of classes and time are mixed up: a reshape is no transpose": lambda: (
                    torch.nn.functional.cross_entropy(logits[:, :-1].reshape(3, 5, 5), text[:, 1:])
                ),
                "the classes are taken from the time axis": lambda: torch.nn.functional.cross_entropy(
                    logits[:, :-1], text[:, 1:]
                ),
                "only the last step counts; the mean runs over all": each[:, -1].mean(),
                "only the first row counts; the mean runs over all": each[0].mean(),
                "character 0 is left out; here it is a character like any other": each[
                    text[:, 1:] > 0
                ].mean(),
                "the softmax runs over time, not over the alphabet": picked(
                    logits[:, :-1].log_softmax(1), text[:, 1:]
                ).mean(),
            },
            rtol=1e-7,
            atol=1e-9,
        )
        short = waves(1, 2, 9, phase=9)
        expect_close(
            student.next_character_loss(short, torch.tensor([[8, 3]])),
            torch.nn.functional.cross_entropy(short[:, 0], torch.tensor([3])),
            what="next_character_loss of one row of two characters",
            rtol=1e-7,
        )
        sure = torch.tensor([[[0.0, 300.0], [0.0, 0.0]]])
        expect_close(
            student.next_character_loss(sure, torch.tensor([[1, 0]])),
            300.0,
            what="next_character_loss of logits 0 and 300 (log-softmax survives them, the log of a softmax does not)",
        )
        leaf = logits.clone().requires_grad_()
        (wanted,) = torch.autograd.grad(
            torch.nn.functional.cross_entropy(leaf[:, :-1].reshape(-1, 5), text[:, 1:].reshape(-1)), leaf
        )
        loss = student.next_character_loss
        gradient = student.backward(loss, logits, text).inputs[0]
        expect(
            gradient is not None, "no gradient reaches the logits: the loss should stay a tensor, undetached"
        )
        expect_close(gradient, wanted, what="the gradient of the loss by the logits", rtol=1e-6, atol=1e-9)

    story = (torch.arange(23) ** 2 + torch.arange(23) // 3) % 5  # (23,)
    seen = []

    def reader(tokens, state=None):
        """A model whose logits depend on everything that was read."""
        expect(
            isinstance(tokens, torch.Tensor) and tokens.dim() == 2 and len(tokens) == 1,
            "bits_per_character should call the model with tokens of shape (1, T)",
        )
        expect(
            not tokens.dtype.is_floating_point,
            "bits_per_character should call the model with integers, as they stand in the text",
        )
        if state is not None:
            expect(
                isinstance(state, tuple | list) and len(state) == 2,
                "bits_per_character should hand the state on as the model returned it, a pair (h, c)",
            )
        mark, rows = 0.0 if state is None else (float(state[0]) - float(state[1])) / 2, []  # needs h and c
        for token in tokens[0].tolist():
            mark = 0.8 * mark + math.sin(1 + token)
            rows.append([2 * math.sin(mark * (1 + v) + v) for v in range(5)])
        seen.append(tokens.shape[1])
        h = torch.full((1, 1, 1), mark, dtype=torch.float64)
        return torch.tensor([rows], dtype=torch.float64), (h, -h)

    def nats_each(chunk, drop_state=False):
        """-ln p of each prediction, a list a chunk; row t of a chunk of inputs."""
        state, chunks = None, []
        for first in range(0, len(story) - 1, chunk):
            target = story[first + 1 : first + chunk + 1]
            logits, state = reader(
                story[first : first + len(target)].unsqueeze(0), None if drop_state else state
            )
            chunks.append(-logits[0].log_softmax(-1).gather(1, target.unsqueeze(1)).squeeze(1))
        return chunks

    def mean_bits(chunks):
        return torch.cat(chunks).mean() / math.log(2)

    def suspects_for(chunk):
        whole, cold = nats_each(chunk), nats_each(chunk, drop_state=True)
        inside = [part[: chunk - 1] for part in whole]  # predictions whose target lies in the same chunk
        isolated = [part[: chunk - 1] for part in cold]
        right = mean_bits(whole)
        return right, {
            "this is in nats; divide by ln 2": right * math.log(2),
            "nats were multiplied by ln 2; one bit is ln 2 nats": right * math.log(2) ** 2,
            "this is the perplexity; the bits are its exponent": 2**right,
            "this is the perplexity": math.e**right,
            "the state is dropped where a new chunk begins": mean_bits(cold),
            "the first character of each chunk is never predicted": mean_bits(inside),
            "the first character of each chunk is never predicted, and the state is dropped": mean_bits(
                isolated
            ),
            "the first character of each chunk is never predicted, though the sum is divided by N - 1": torch.cat(
                inside
            ).sum()
            / ((len(story) - 1) * math.log(2)),
            "the first character of each chunk is never predicted (nor is the state kept); the sum is divided by N - 1": torch.cat(
                isolated
            ).sum()
            / ((len(story) - 1) * math.log(2)),
            "the mean of the chunks' means: the shorter last chunk counts as much as a full one": torch.stack(
                [part.mean() for part in whole]
            ).mean()
            / math.log(2),
            "the sum is divided by N, though there are N - 1 predictions": right
            * (len(story) - 1)
            / len(story),
            "the shorter chunk at the end is left out": mean_bits(whole[: (len(story) - 1) // chunk]),
            "only the first chunk is read": mean_bits(whole[:1]),
            "only the last chunk counts": mean_bits(whole[-1:]),
            "bits are added up; the mean was asked for": right * (len(story) - 1),
            "the sum is divided by the number of chunks": right * (len(story) - 1) / len(whole),
            "the sign is wrong": -right,
        }

    with check.part("bits per character of a text in one call", points=1):
        right, suspects = suspects_for(22)
        for chunk in (22, 23, 500):
            got = student.bits_per_character(reader, story, chunk=chunk)
            expect_close(got, right, what=f"bits per character, N = 23, chunk={chunk}", suspects=suspects)
        expect_close(
            student.bits_per_character(reader, story),
            right,
            what="bits per character without naming a chunk",
            suspects=suspects,
        )
        pair = -reader(story[:1].unsqueeze(0))[0][0, 0].log_softmax(-1)[story[1]] / math.log(2)
        expect_close(student.bits_per_character(reader, story[:2]), pair, what="bits per character, N = 2")

        def certain(tokens, state=None):
            """A model that is sure of character 1, in float32."""
            return torch.tensor([0.0, 300.0]).expand(*tokens.shape, 2), (torch.zeros(1, 1, 1),) * 2

        expect_close(
            student.bits_per_character(certain, torch.tensor([1, 0, 1])),
            150 / math.log(2),
            what="bits per character of logits 0 and 300 (log-softmax survives them, the log of a softmax does not)",
        )
    with check.part("bits per character of a text in chunks", points=2):
        for chunk in (5, 11, 1, 4):
            right, suspects = suspects_for(chunk)
            seen.clear()
            got = student.bits_per_character(reader, story, chunk=chunk)
            calls = list(seen)
            expect_close(got, right, what=f"bits per character, N = 23, chunk={chunk}", suspects=suspects)
            expect(
                max(calls, default=0) <= chunk,
                f"with chunk={chunk} the model was given {max(calls, default=0)} characters at once",
            )
            expect(
                sum(calls) <= len(story),
                f"the model read {sum(calls)} characters of a text of {len(story)}: each should be read once",
            )
    ### END HIDDEN TESTS

# %% [markdown]
# **Experiment.** The text is real prose that comes with Python: the paragraphs of its language reference, about 190 000 characters
# to learn from and two held-out parts, other chapters of some 24 000 each. A rival first: a **4-gram** model counts which
# character followed each three in the training text, and leans on pairs and single characters where its counts are thin. It takes a
# third of a second, and it is not weak.

# %% role="show"
import math
from collections import Counter

from course_utils.datasets.prose import python_prose

char_text = python_prose()
char_alphabet = sorted(set(char_text.train))
char_number = {character: number for number, character in enumerate(char_alphabet)}
char_ids = char_text.map(
    lambda part: torch.tensor([char_number[character] for character in part if character in char_number])
)

char_counts = [Counter(char_text.train[i : i + n] for i in range(len(char_text.train))) for n in range(5)]


def char_gram_probability(context, character, trust=4.0):
    """p(character | context), context of up to three characters: counts, mixed with the shorter context's answer."""
    shorter = char_gram_probability(context[1:], character, trust) if context else 1 / len(char_alphabet)
    seen, followed = char_counts[len(context)][context], char_counts[len(context) + 1][context + character]
    return (followed + trust * shorter) / (seen + trust)


def char_gram_bits(text):
    """Bits per character of the 4-gram model on a text, all but its first three characters."""
    chances = [char_gram_probability(text[i - 3 : i], text[i]) for i in range(3, len(text))]
    return -sum(math.log2(chance) for chance in chances) / len(chances)


char_gram_valid = char_gram_bits(char_text.valid[:6000])  # the stretch that the learning curve is measured on
char_gram_test = char_gram_bits(char_text.test)
print(
    f"{len(char_alphabet)} characters; a model that knows nothing: {math.log2(len(char_alphabet)):.2f} bits each"
)
print(f"4-gram, test part: {char_gram_test:.2f} bits per character")
print(char_text.train[:230])

# %% [markdown]
# Now three networks of 128 units, which differ in their seed. Your loss trains them on stretches of 64 characters, and your score
# follows the first 6000 characters of the validation part, an easy stretch for the 4-gram model too: compare with the dashed line. The
# whole test part is read once, at the end. Half a minute, and you should see about 1.91 ± 0.02 bits per character on the test part beside
# the 4-gram's 2.11; the text, and so the figures, differ a little from one version of Python to the next.

# %% role="experiment"
char_steps = runtime.steps(quick=20, default=1100, full=5000)
char_every = max(char_steps // 11, 1)
# Each row begins with the last character of the one before.
char_rows = char_ids.train.unfold(0, 65, 64)  # (rows, 65)
char_network, char_train_bits, char_valid_bits, char_test_bits = None, [], [], []
for char_seed in range(3):
    runtime.seed_everything(char_seed)
    char_net = CharModel(len(char_alphabet), 32, 128)
    char_optimizer = torch.optim.Adam(char_net.parameters(), lr=0.02)
    with runtime.single_thread():
        char_history = training.fit(
            char_net,
            ((rows, rows) for (rows,) in training.minibatches(char_rows, batch_size=16, seed=char_seed)),
            lambda answer, rows: next_character_loss(answer[0], rows),
            char_optimizer,
            char_steps,
            clip=1.0,
            scheduler=torch.optim.lr_scheduler.OneCycleLR(char_optimizer, 0.02, char_steps, pct_start=0.1),
            evaluate=lambda net: bits_per_character(net, char_ids.valid[:6000]),
            every=char_every,
            label=f"seed {char_seed}",
        )
        char_test_bits.append(bits_per_character(char_net, char_ids.test))
    char_train_bits.append(char_history.losses / math.log(2))
    char_valid_bits.append(char_history.evaluations)
    char_network = char_network or char_net  # the first one writes, in the next exercise
    print(f"seed {char_seed}: {char_test_bits[-1]:.3f} bits per character on the test part")

print(f"LSTM   {training.Repeats(np.array(char_test_bits)):.3f} (three seeds)\n4-gram {char_gram_test:.3f}")
fig = plotting.loss_curves(
    {"training text, as it is learned": np.stack(char_train_bits)},
    ylabel="bits per character",
    smooth=20,
    references={"4-gram on the held-out text": char_gram_valid},
)
ax = fig.axes[0]
char_spread = np.std(char_valid_bits, axis=0, ddof=1)
ax.errorbar(
    char_history.evaluated_at,
    np.mean(char_valid_bits, axis=0),
    char_spread,
    fmt="s--",
    color=plotting.ORANGE,
    capsize=3,
    label="held-out text",
)
ax.set_ylim(1.2, 5.2)
ax.legend()
plotting.show(
    fig,
    alt="Bits per character against training steps: the training curve, the held-out text as squares with "
    "their spread over three seeds, and a dashed line for the 4-gram model.",
)

# %% [markdown]
# ### Write with a temperature
# *8 points · 25 minutes · difficulty 3*
#
# A language model writes by drawing a character from its own prediction, reading it, and drawing the next. One number sets how
# bold it is. With a **temperature** $\tau$ the logits $z$ are divided before the softmax:
#
# $$p_v = \frac{e^{z_v/\tau}}{\sum_u e^{z_u/\tau}} .$$
#
# At $\tau = 1$ it writes what it believes. A small $\tau$ stretches the differences between logits, so that the likeliest
# character is drawn ever more often; a large one shrinks them, and every character becomes as likely as any other.
#
# <details><summary>I'm not sure where to start</summary>
#
# *Probabilities:* a softmax does not change when the same number is subtracted from all logits. Subtract the largest before
# you divide, and nothing can overflow: the largest becomes 0 and stays 0, the others are negative. How does `nan` answer to
# `nan <= 0`, and to `nan > 0`? *Writing:* a loop over `length`; in it, `step` gives logits and a new state, `torch.multinomial(…, 1,
# generator=generator)` draws one token a row as $(B, 1)$. What must the next call of `step` be given?
# </details>


# %% role="answer" grade_id="temperature"
def temperature_probabilities(logits, temperature):
    """Softmax of logits / temperature.

    Args:
        logits: (..., V), finite numbers up to 1e4 in size; not changed.
        temperature: positive and finite, from 1e-36 to 1e30.

    Returns:
        tensor (..., V) of probabilities over the last axis, of the logits' dtype and without nan: at a
        tiny temperature the largest logit has probability 1 (equal ones share it), at a huge one all
        are alike.

    Raises:
        ValueError: temperature is 0, negative, infinite or nan.
    """
    ### BEGIN SOLUTION
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature must be positive and finite, got {temperature}")
    below = logits - logits.amax(-1, keepdim=True)  # at most 0: dividing cannot overflow upward
    return (below / temperature).softmax(-1)
    ### END SOLUTION


@torch.no_grad()
def generate(step, start, length, temperature, generator, state=None):
    """Write B texts side by side, each character drawn from the model's own prediction.

    Args:
        step: a function, step(tokens, state) gives (logits, state): it reads one token of each text,
            (B,) int64, and returns logits (B, V) for the next one and the state to hand to the next call.
        start: (B,) int64, the first tokens to read.
        length: tokens to draw in each text, at least 1.
        temperature: as for `temperature_probabilities`, which makes probabilities of the logits.
        generator: torch.Generator, the only source of randomness: equal generators, equal texts.
        state: for the first call of `step`.

    Returns:
        (B, length) int64, the tokens drawn; `start` is not among them.
    """
    ### BEGIN SOLUTION
    tokens, written = start, []
    for _ in range(length):
        logits, state = step(tokens, state)  # (B, V)
        probabilities = temperature_probabilities(logits, temperature)
        tokens = torch.multinomial(probabilities, 1, generator=generator).squeeze(1)  # (B,)
        written.append(tokens)
    return torch.stack(written, dim=1)
    ### END SOLUTION


# %% role="try"
for tau_now in (0.1, 0.5, 1.0, 2.0, 10.0):
    print(tau_now, temperature_probabilities(torch.tensor([2.0, 1.0, 0.0]), tau_now).numpy().round(3))
up_now = torch.eye(5).roll(1, dims=1) * 4  # after token v, the likeliest is v + 1; after 4 comes 0
for tau_now in (0.1, 1.0, 10.0):
    drawn_now = generate(
        lambda tokens, state: (up_now[tokens], state),
        torch.tensor([0]),
        20,
        tau_now,
        torch.Generator().manual_seed(0),
    )
    print(tau_now, *drawn_now[0].tolist())

# %% role="test" grade_id="temperature-test" points=8
import math

import numpy as np
import torch

from course_utils.checking import (
    as_array,
    checking,
    expect,
    expect_close,
    expect_raises,
    expect_shape,
    forbid,
    student,
)

with checking("temperature") as check:
    for name in ("temperature_probabilities", "generate"):
        forbid(
            name,
            "course_utils.decoding*",
            why="the exercise asks you to write this; the course's own version does not count",
        )
    with check.part("odds of 1 to 3 at two temperatures"):
        for tau_now, tau_odds in ((1.0, 3.0), (0.5, 9.0)):
            expect_close(
                student.temperature_probabilities(torch.tensor([0.0, math.log(3)]), tau_now),
                [1 / (1 + tau_odds), tau_odds / (1 + tau_odds)],
                what=f"probabilities of the logits [0, ln 3] at temperature {tau_now}",
                suspects={
                    "the logits are multiplied by the temperature; divide": [
                        1 / (1 + 3**tau_now),
                        3**tau_now / (1 + 3**tau_now),
                    ],
                    "the temperature does nothing": [0.25, 0.75],
                },
                reveal=True,
            )
    with check.part("temperature 0 is refused"):
        expect_raises(
            ValueError, lambda: student.temperature_probabilities(torch.zeros(3), 0.0), "temperature 0"
        )
    with check.part("shape of what is written"):
        tau_sure = 50 * torch.eye(4)
        tau_written = student.generate(
            lambda tokens, state: (tau_sure[(tokens + 1) % 4], state),
            torch.tensor([0, 2]),
            5,
            1.0,
            student.build("torch.Generator").manual_seed(0),
        )
        expect_shape(
            tau_written,
            (2, 5),
            "two texts of five tokens",
            {
                "start is among them; only what was drawn is returned": (2, 6),
                "texts stand in columns": (5, 2),
            },
        )
        expect_close(
            tau_written,
            [[1, 2, 3, 0, 1], [3, 0, 1, 2, 3]],
            what="a model that always says: one more",
            suspects={
                "what was drawn is not fed back: each step reads the start token again": [[1] * 5, [3] * 5],
                "start is returned in place of the last token": [[0, 1, 2, 3, 0], [2, 3, 0, 1, 2]],
            },
            reveal=True,
        )

    ### BEGIN HIDDEN TESTS
    def scores(*shape, phase, rate=1.7):
        return 3 * torch.sin(rate * torch.arange(math.prod(shape), dtype=torch.float64) + phase).reshape(
            shape
        )

    def generator(seed):
        """A generator on the student's side."""
        return student.build("torch.Generator").manual_seed(seed)

    def close_shares(drawn, expected, what, suspects):
        """Shares of tokens among N draws within 6 standard deviations of the expected ones: a false alarm in 1e8 runs."""
        tokens = as_array(drawn, what).astype(int).ravel()
        count = len(tokens)
        expect(count == many, f"{what}: {count} were returned; is start among them? Only what was drawn is")
        expect(
            tokens.min() >= 0 and tokens.max() < len(expected),
            f"{what}: tokens outside 0..{len(expected) - 1}",
        )
        shares = torch.bincount(torch.tensor(tokens), minlength=len(expected)) / count

        def near(p):
            return bool(((shares - p).abs() <= 6 * (p * (1 - p) / count).clamp(0).sqrt() + 2 / count).all())

        if near(expected):
            return
        for sentence, p in suspects.items():
            expect(not near(p), f"{what}: {sentence}")
        expect(False, f"{what}: shares {[round(s, 3) for s in shares.tolist()]} do not fit the probabilities")

    with check.part("softmax of logits / temperature", points=2):
        square = scores(4, 4, phase=1)
        for tau in (0.5, 2.0, 1.0, 0.8):
            p = square.softmax(-1)
            expect_close(
                student.temperature_probabilities(square, tau),
                (square / tau).softmax(-1),
                what=f"probabilities of logits (4, 4) at temperature {tau}",
                suspects={
                    "the logits are multiplied by the temperature; divide": (square * tau).softmax(-1),
                    "the softmax runs over the first axis; it should run over the last": (
                        square / tau
                    ).softmax(0),
                    "the softmax runs over the first axis; it should run over the last, as the subtraction does": (
                        (square - square.amax(-1, keepdim=True)) / tau
                    ).softmax(0),
                    "the softmax runs over all entries together": (square / tau)
                    .flatten()
                    .softmax(0)
                    .reshape(4, 4),
                    "the temperature is applied twice": (square / tau**2).softmax(-1),
                    "the temperature is applied to the probabilities, which no longer add up to 1": p / tau,
                    "a softmax of probabilities: the logits are to be divided": (p / tau).softmax(-1),
                    "these are log-probabilities": (square / tau).log_softmax(-1),
                    "these are the scaled logits; the softmax is missing": square / tau,
                    "the temperature does nothing": p,
                    "these are scaled logits, with the largest at 0; the softmax is missing": (
                        square - square.amax(-1, keepdim=True)
                    )
                    / tau,
                    "the exponentials are not divided by their sum": (square / tau).exp(),
                    "shifted exponentials are not divided by their sum": (
                        (square - square.amax(-1, keepdim=True)) / tau
                    ).exp(),
                    "only the largest logit has a chance; that is the limit for temperature 0": torch.nn.functional.one_hot(
                        square.argmax(-1), 4
                    ),
                    "the square root of the temperature is used": (square / tau**0.5).softmax(-1),
                    "the temperature is subtracted from the logits": p,
                    "the sign is turned: the smallest logit becomes the likeliest": (-square / tau).softmax(
                        -1
                    ),
                    **{
                        f"{added:g} is added to the temperature; 0 is refused, so nothing has to guard a division": (
                            square / (tau + added)
                        ).softmax(-1)
                        for added in (1e-4, 1e-5, 1e-6)
                    },
                },
                rtol=1e-6,
                atol=1e-8,
            )
        for shape in ((7,), (2, 3, 5), (1, 1), (3, 1, 4)):
            logits = scores(*shape, phase=2)
            got = student.temperature_probabilities(logits, 0.7)
            expect_close(got, (logits / 0.7).softmax(-1), what=f"probabilities of logits {shape}", rtol=1e-6)
        for dtype in (torch.float32, torch.float64):
            single = student.temperature_probabilities(scores(2, 5, phase=3).to(dtype), 2)
            said = str(dtype).removeprefix("torch.")
            expect(
                isinstance(single, torch.Tensor) and single.dtype is dtype,
                f"probabilities of {said} logits should be a {said} tensor",
            )
        shared = student.share(square)
        student.temperature_probabilities(shared, 0.5)
        expect_close(
            student.value(shared), square, what="temperature_probabilities changed the logits in place"
        )
    with check.part("limits, without overflow", points=1):
        ties = torch.tensor([[1.0, 3.0, 3.0, -2.0], [5.0, 5.0, 5.0, 5.0], [0.0, -1.0, -1.0, -7.0]])
        cold = torch.tensor([[0, 0.5, 0.5, 0], [0.25] * 4, [1, 0, 0, 0]])

        def at(logits, tau):
            got = student.temperature_probabilities(logits, tau)
            whole = not np.isnan(as_array(got, "probabilities")).any()
            expect(
                whole,
                f"temperature {tau:g}: nan, from an overflow or from 0 / 0; subtract each row's largest logit before "
                "you divide",
            )
            return got

        for tau in (1e-3, 1e-36):
            expect_close(
                at(ties, tau),
                cold,
                what=f"probabilities at temperature {tau:g}",
                suspects={
                    "equal logits should share the probability; here the first takes it all": torch.nn.functional.one_hot(
                        ties.argmax(-1), 4
                    ),
                    "every largest logit has probability 1; equal ones should share it": (cold > 0).float(),
                },
            )
            for dtype in (torch.float32, torch.float64):
                large = torch.tensor([1e4, -1e4, 9990.0, 0.0], dtype=dtype)
                expect_close(at(large, tau), [1, 0, 0, 0], what=f"logits of 10 000 at temperature {tau:g}")
        uneven = torch.tensor([[1e4, 0.0], [-1e4, -1e4]])
        expect_close(
            at(uneven, 1e-36), [[1, 0], [0.5, 0.5]], what="rows at 10 000 and -10 000, at temperature 1e-36"
        )
        for tau, gap in ((1e-5, 1e-5), (1e4, 1e4)):
            expect_close(
                at(torch.tensor([0.0, gap], dtype=torch.float64), tau),
                [0.26894142, 0.73105858],
                what=f"logits [0, {gap:g}] at temperature {tau:g}: only their quotient counts",
                suspects={
                    f"{added:g} is added to the temperature; 0 is refused, so nothing has to guard a division": [
                        1 / (1 + math.exp(gap / (tau + added))),
                        1 / (1 + math.exp(-gap / (tau + added))),
                    ]
                    for added in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
                },
            )
        faint = at(torch.tensor([0.0, -40.0], dtype=torch.float64), 1.0)
        expect_close(
            as_array(faint, "probabilities")[1:],
            [math.exp(-40)],
            what="the small probability of logits [0, -40]: nothing is to be added to it",
            rtol=1e-3,
            atol=0,
        )
        for level in (1e4, -9999.0):
            pair = torch.tensor([level, level - 1], dtype=torch.float64)
            expect_close(
                at(pair, 1.0), [0.73105858, 0.26894142], what=f"logits near {level:g} at temperature 1"
            )
        for tau in (1e9, 1e30):
            expect_close(
                student.temperature_probabilities(scores(2, 5, phase=4), tau),
                torch.full((2, 5), 0.2),
                what=f"probabilities at temperature {tau:g}",
            )
    with check.part("temperatures that are refused", points=1):
        fine = student.temperature_probabilities(torch.zeros(2, 3), 0.5)
        expect_shape(fine, (2, 3), "probabilities at temperature 0.5, which is fine")
        for bad in (0.0, -0.5, math.nan, math.inf, 0, -1, -math.inf):
            expect_raises(
                ValueError,
                lambda bad=bad: student.temperature_probabilities(scores(2, 3, phase=5), bad),
                f"temperature {bad}",
            )
    with check.part("what is drawn is read, and the state goes along", points=2):

        def winding(tokens, state=None):
            """A model that is sure: the next token is 2 token + state + 1, and the state counts its calls."""
            expect(
                isinstance(tokens, torch.Tensor) and tokens.shape == (3,),
                f"step should be called with tokens (B,); B is 3 here, and it got {tuple(getattr(tokens, 'shape', ()))}",
            )
            expect(tokens.dtype is torch.int64, f"step should get int64 tokens, got {tokens.dtype}")
            count = torch.zeros(3, dtype=torch.int64) if state is None else state
            choice = (2 * tokens + count + 1) % 7
            return 60.0 * torch.nn.functional.one_hot(choice, 7), count + 1

        def path(length, feed=True, carry=True, first=None):
            rows = []
            for begin in (3, 0, 5):
                token, count, row = begin, first or 0, []
                for _ in range(length):
                    drawn = (2 * token + count + 1) % 7
                    row.append(drawn)
                    token, count = (drawn if feed else begin), (count + 1 if carry else (first or 0))
                rows.append(row)
            return torch.tensor(rows)

        begin = torch.tensor([3, 0, 5])
        for length, first in ((9, None), (1, None), (6, 4)):
            given = {} if first is None else {"state": torch.full((3,), first)}
            shared = student.share(begin)
            written = student.generate(winding, shared, length, 1.0, generator(1), **given)
            right = path(length, first=first)
            extra = torch.cat([begin.unsqueeze(1), right], dim=1)
            expect_close(
                written,
                right,
                what=f"three texts of {length} tokens" + (", from a given state" if given else ""),
                suspects={
                    "what was drawn is not fed back: each step reads the start token again": path(
                        length, feed=False, first=first
                    ),
                    "the state that step returned is dropped": path(length, carry=False, first=first),
                    "the state that was given is ignored": path(length),
                    "neither token nor state is handed on": path(
                        length, feed=False, carry=False, first=first
                    ),
                    "start is among the tokens; only what was drawn is returned": extra,
                    "start is among the tokens, and the last one is missing": extra[:, :length],
                    "texts stand in columns; each should be a row": right.T,
                    "the last token is missing": right[:, :-1],
                    "there is one token too many": path(length + 1, first=first),
                    "texts are reversed": right.flip(1),
                    "an axis of length 1 is left over": right.unsqueeze(-1),
                    "an axis of length 1 was squeezed away": right.squeeze(),
                },
            )
            expect(
                isinstance(written, torch.Tensor) and written.dtype is torch.int64,
                "generate should return an int64 tensor",
            )
            expect_close(student.value(shared), begin, what="generate changed its argument start in place")
    with check.part("tokens follow the probabilities", points=1):
        table = scores(3, 5, phase=6)
        many = 10_000

        def constant(tokens, state=None):
            return table[0].repeat(len(tokens), 1), state

        start = torch.zeros(many, dtype=torch.int64)
        for tau in (0.6, 1.0, 2.5):
            z = table[0]
            p = z.softmax(-1)
            close_shares(
                student.generate(constant, start, 1, tau, generator(2)),
                (z / tau).softmax(-1),
                f"{many} tokens drawn at temperature {tau}",
                {
                    "the likeliest token is taken every time; draw one": torch.nn.functional.one_hot(
                        z.argmax(), 5
                    ),
                    "the temperature does nothing here": p,
                    "the logits are multiplied by the temperature; divide": (z * tau).softmax(-1),
                    "the temperature is applied twice": (z / tau**2).softmax(-1),
                    "all tokens are equally likely": torch.full((5,), 0.2, dtype=torch.float64),
                    "a softmax is taken of the probabilities": (z / tau).softmax(-1).softmax(-1),
                    "probabilities are divided by the temperature and normalized, which changes nothing": p,
                },
            )

        def chained(tokens, state=None):
            return table[tokens % 3], state

        two = student.generate(chained, start, 2, 1.5, generator(3))
        expect_shape(two, (many, 2), f"{many} texts of two tokens")
        first, second = as_array(two, "tokens").astype(int).T
        rows = (table / 1.5).softmax(-1)
        joint = rows[0].unsqueeze(1) * rows[torch.arange(5) % 3]  # (5, 5)
        alone = rows[0].unsqueeze(1) * rows[0].unsqueeze(0)
        close_shares(
            first * 5 + second,
            joint.flatten(),
            "pairs of tokens that follow each other",
            {
                "the second is drawn as if the first had not been read": alone.flatten(),
                "all texts are alike: draw for each row": torch.zeros(25, dtype=torch.float64),
            },
        )
    with check.part("all randomness from the generator", points=1):
        level = torch.zeros(4, 9)

        def texts(given):
            start = torch.zeros(4, dtype=torch.int64)
            drawn = student.generate(lambda tokens, state: (level, state), start, 30, 1.0, given)
            expect_shape(drawn, (4, 30), "four texts of 30 tokens")
            return as_array(drawn, "tokens")

        runs = []
        for seed, elsewhere in ((5, 0), (5, 1), (6, 0)):
            student.seed(elsewhere)
            runs.append(texts(generator(seed)))
        same = "two generators with the same seed give different texts: is randomness drawn from elsewhere?"
        expect((runs[0] == runs[1]).all(), same)
        other = "generators with different seeds give the same text: is a seed set inside, or nothing drawn at all?"
        expect((runs[0] != runs[2]).any(), other)
        rows_alike = all((runs[0][0] == row).all() for row in runs[0][1:])
        expect(not rows_alike, "all texts of a batch are alike: draw for each row")
        expect(
            (runs[0][:, :1] != runs[0]).any(),
            "every step draws the same tokens: is the generator seeded in the loop?",
        )
        going = generator(7)
        pair = [texts(going), texts(going)]
        expect(
            (pair[0] != pair[1]).any(),
            "the same generator, used again, gives the same text: it is seeded or copied inside",
        )
    ### END HIDDEN TESTS

# %% [markdown]
# **Experiment.** The first of your three networks writes, at four temperatures; where that exercise is still open, a model of
# pairs of characters stands in. Then two measurements over a range of temperatures. *Left:* how well does the network
# predict the held-out text when its logits are divided by $\tau$? *Right:* which share of the words that it writes does not
# occur in the training text? The dashed line is that share for the held-out text, which people wrote.

# %% role="experiment"
import re

tau_pairs = torch.zeros(len(char_alphabet), len(char_alphabet))
tau_pairs.index_put_((char_ids.train[:-1], char_ids.train[1:]), torch.ones(1), accumulate=True)


def tau_step(tokens, state):
    """One step of the network, or of counted pairs where there is no network."""
    if globals().get("char_network") is None:
        return (tau_pairs[tokens] + 0.05).log(), state
    logits, state = char_network(tokens[:, None], state)
    return logits[:, 0], state


@torch.no_grad()
def tau_logits(ids):
    """Logits for every next character of a text, read in one pass."""
    if globals().get("char_network") is None:
        return (tau_pairs[ids[:-1]] + 0.05).log()
    return char_network(ids[None, :-1])[0][0]


def tau_words(text):
    """Whole words: what stands between two characters that are no letters."""
    return re.findall(r"(?<=[^A-Za-z])[A-Za-z]+(?=[^A-Za-z])", text)


tau_writer = "counted pairs (stand-in)" if globals().get("char_network") is None else "network"
print(f"predicted and written by: {tau_writer}\n")
tau_known = set(tau_words(char_text.train))
tau_held_out = char_ids.valid[:6000]
tau_all, tau_bits, tau_unknown = [0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0], [], []
tau_start = torch.full((15,), char_number["\n"])  # the end of a paragraph: what follows is a first letter
with runtime.single_thread():
    tau_answers = tau_logits(tau_held_out).double()
    for tau_now in training.progress(tau_all, "temperatures"):
        tau_chances = temperature_probabilities(tau_answers, tau_now)
        tau_bits.append(-tau_chances.gather(1, tau_held_out[1:, None]).log2().mean().item())
        tau_shares = []
        for tau_seed in range(runtime.steps(quick=1, default=4, full=10)):
            tau_drawn = generate(tau_step, tau_start, 200, tau_now, torch.Generator().manual_seed(tau_seed))
            tau_texts = ["".join(char_alphabet[token] for token in row) for row in tau_drawn.tolist()]
            tau_found = [word for text in tau_texts for word in tau_words(text)]
            tau_shares.append(np.mean([word not in tau_known for word in tau_found]))
            if tau_seed == 0 and tau_now in (0.3, 0.7, 1.0, 1.5):
                print(f"τ = {tau_now}\n{tau_texts[0][:150].strip()}\n{tau_texts[1][:150].strip()}\n")
        tau_unknown.append(tau_shares)

human_words = tau_words(char_text.valid)
human_share = np.mean([word not in tau_known for word in human_words])
print("τ      held-out bits   words that are not in the training text")
for tau_now, tau_bit_count, tau_shares in zip(tau_all, tau_bits, tau_unknown, strict=True):
    print(f"{tau_now:<6} {tau_bit_count:13.2f}   {training.Repeats(100 * np.array(tau_shares)):.0f} %")
print(f"held-out text                 {100 * human_share:.0f} %")
fig, (tau_left, tau_right) = plt.subplots(1, 2, figsize=(10, 3.6), gridspec_kw={"wspace": 0.1})
tau_left.plot(tau_all, tau_bits, "o-", label=f"{tau_writer}, logits divided by τ")
tau_left.axhline(char_gram_valid, color=plotting.GRAY, linestyle="--", label="4-gram")
tau_left.set(xlabel="temperature τ", ylabel="bits per character", title="predicting held-out text")
tau_left.legend()
tau_right.errorbar(
    tau_all,
    100 * np.mean(tau_unknown, axis=1),
    100 * np.std(tau_unknown, axis=1, ddof=1) if len(tau_unknown[0]) > 1 else None,
    marker="s",
    capsize=3,
    color=plotting.ORANGE,
    label=f"written by: {tau_writer}",
)
tau_right.axhline(100 * human_share, color=plotting.GRAY, linestyle="--", label="held-out text")
tau_right.set(xlabel="temperature τ", ylabel="words not in training text (%)", title="inventing words")
tau_handles, tau_labels = tau_right.get_legend_handles_labels()
tau_right.legend(tau_handles[::-1], tau_labels[::-1])  # the curve first, as on the left
plotting.show(
    fig,
    alt="Left: bits per character on held-out text against temperature, a curve and a dashed line for the "
    "4-gram model. Right: the share of written words that the training text lacks against temperature, a "
    "curve with its spread and a dashed line for the held-out text.",
)

# %% [markdown]
# ### Read the temperature plot
# *1 point · 2 minutes · difficulty 2*
#
# - `best_predictor`: at which temperature does the network predict the held-out text best? `"0.5"`, `"1"` or `"2"`.
# - `invented_words`: as the temperature rises from 0.3 to 2, what does the share of words do that the training text does not
#   contain? It `"falls"`, it `"stays"` or it `"rises"`.

# %% role="answer" grade_id="char-model-plot"
### BEGIN SOLUTION
best_predictor = "1"  # "0.5", "1" or "2"
invented_words = "rises"  # "falls", "stays" or "rises"
### END SOLUTION

# %% role="test" grade_id="char-model-plot-test" points=1
from numbers import Number

from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of

predictor_options = ["0.5", "1", "2"]
invented_options = ["falls", "stays", "rises"]


def predictor_text(value):
    """The number 1 or 1.0 for the text "1": people drop the quotes."""
    number = isinstance(value, Number) and not isinstance(value, bool)
    return f"{value:g}" if number else "1" if value in ("1.0", "1.") else value


with checking("char-model-plot") as check:
    with check.part("an option for the temperature"):
        chosen_of(predictor_text(student.best_predictor), predictor_options, "best_predictor")
    with check.part("an option for the words"):
        chosen_of(student.invented_words, invented_options, "invented_words")
    ### BEGIN HIDDEN TESTS
    with check.part("the best temperature for predicting", points=0.5):
        expect_choice(
            predictor_text(student.best_predictor),
            "1",
            predictor_options,
            what="best_predictor",
            suspects={
                "0.5": "sharper predictions read well, but each surprise costs more; compare the left curve there",
                "2": "flatter predictions waste probability on characters that never come; see the left curve",
            },
        )
    with check.part("words that it invents", points=0.5):
        expect_choice(
            student.invented_words,
            "rises",
            invented_options,
            what="invented_words",
            suspects={
                "falls": "a cold model keeps to what it has seen most; look at the two ends of the right curve",
                "stays": "look at the two ends of the right curve",
            },
        )
    ### END HIDDEN TESTS

# %% [markdown]
# ### Tune a given LSTM within a parameter budget
# *9 points · 35 minutes · difficulty 3*
#
# Somebody hands you an LSTM with two layers of 24 units and the usual learning rate, 0.001. Can it do better at the same task
# **with no more parameters**? A comparison that lets the tuned network grow shows only that larger is better. And a comparison on
# the data that the choice was made with shows only that you chose. So: three parts of data, the search sees one of them.
#
# - **Train**: the weights are learned here.
# - **Validation**: settings are compared here, each by its mean over several seeds, since one lucky seed proves nothing.
# - **Test**: read once, after the choice. A search that asks for it has used it up.
#
# You write three functions: how many parameters an LSTM has, how wide it may be, and the search.
# `nn.LSTM` has in each layer four gates, and each of its $4H$ rows has weights for the layer's input, weights for the state, and **two** biases.
#
# <details><summary>I'm not sure where to start</summary>
#
# *Count:* print `{name: p.shape for name, p in nn.LSTM(3, 5, 2).named_parameters()}` and see what the second layer reads. *Width:*
# try 1, 2, 3, … until the next one no longer fits. If the cell does not come back, your loop never ends: *Kernel → Interrupt*. *Search:* on paper, three settings with losses (1.0, 3.0), (1.8, 1.8) and (nan, 0.1) for
# two seeds: which mean is smallest, and which of the three may win? What does Python answer to `nan < 1` and to `1 < nan`?
# *Gain:* the same seed gives both settings the same batches, so take the difference seed by seed.
# </details>


# %% role="answer" grade_id="tune-lstm"
def count_lstm_parameters(input_size, hidden_size, num_layers=1):
    """Number of parameters of nn.LSTM(input_size, hidden_size, num_layers), with its two biases a gate.

    Args:
        input_size, hidden_size, num_layers: I, H and the number of layers, each at least 1.

    Returns:
        int.
    """
    ### BEGIN SOLUTION
    first = 4 * hidden_size * (input_size + hidden_size + 2)
    above = 4 * hidden_size * (hidden_size + hidden_size + 2)  # each reads the H outputs of the one below
    return first + (num_layers - 1) * above
    ### END SOLUTION


def largest_hidden(budget, input_size, output_size, num_layers=1):
    """The largest hidden size with which an LSTM and its output layer stay within a budget.

    Args:
        budget: most parameters that all may have together, as in "at most 5000".
        input_size, num_layers: of the nn.LSTM.
        output_size: O, of an nn.Linear(H, O) with bias that reads its states.

    Returns:
        int, the largest H.

    Raises:
        ValueError: not even H = 1 fits.
    """
    ### BEGIN SOLUTION
    hidden = 0
    while (
        count_lstm_parameters(input_size, hidden + 1, num_layers) + output_size * (hidden + 1 + 1) <= budget
    ):
        hidden += 1
    if hidden == 0:
        raise ValueError(f"budget must allow at least one unit, got {budget}")
    return hidden
    ### END SOLUTION


def tune(evaluate, settings, untuned, seeds, size, budget):
    """Find the setting with the smallest mean validation loss, and say what it gains over the untuned one.

    Args:
        evaluate: evaluate(setting, seed, split) trains a network and returns its loss on that split, a
            float. It takes long: never call it twice with the same arguments, and only with the split
            "valid". A loss that is not finite (nan, inf) says that training diverged.
        settings: list of dicts, the candidates, all different.
        untuned: the given setting, a dict that is not among them. It is a candidate too; it fits the
            budget, and its losses are finite.
        seeds: list of at least two integers. Every setting within the budget is trained with each of
            them; one that has diverged may skip its other seeds.
        size: size(setting) gives the number of parameters.
        budget: most parameters allowed. A setting with more is never evaluated.

    Returns:
        dict with the keys
        "best": the setting whose mean loss over the seeds is smallest. One that diverged with any
            seed cannot win. Of equal ones the first wins, and the untuned one counts as first of all.
        "loss": its mean loss.
        "gain", "gain_sd": mean and sample standard deviation (n - 1) of what it gains, seed by seed:
            loss of the untuned setting minus loss of the best. Both 0 if the untuned one is best.
    """

    ### BEGIN SOLUTION
    def losses_of(setting):
        return np.array([evaluate(setting, seed, "valid") for seed in seeds])

    reference = losses_of(untuned)
    best, best_losses = untuned, reference
    for setting in settings:
        if size(setting) > budget:
            continue
        losses = losses_of(setting)
        if np.isfinite(losses).all() and losses.mean() < best_losses.mean():
            best, best_losses = setting, losses
    gains = reference - best_losses
    return {
        "best": best,
        "loss": float(best_losses.mean()),
        "gain": float(gains.mean()),
        "gain_sd": float(gains.std(ddof=1)),
    }
    ### END SOLUTION


# %% role="try"
layers_now = nn.LSTM(3, 5, 2)
print(count_lstm_parameters(3, 5, 2), sum(p.numel() for p in layers_now.parameters()))  # twice 440
print(largest_hidden(5000, 27, 27))  # 21
paper_losses = {1: (2.0, 2.4), 2: (1.0, 3.0), 3: (1.8, 1.8), 4: (float("nan"), 0.1)}
tuned_now = tune(
    lambda setting, seed, split: paper_losses[setting["number"]][seed],
    [{"number": 2}, {"number": 3}, {"number": 4}],
    untuned={"number": 1},
    seeds=[0, 1],
    size=lambda setting: 100,
    budget=100,
)
print(tuned_now["best"], *(f"{key} {tuned_now[key]:.2f}" for key in ("loss", "gain", "gain_sd")))
# number 3, loss 1.8, gain 0.4 with s.d. 0.28

# %% role="test" grade_id="tune-lstm-test" points=9
import math

import numpy as np
import torch

from course_utils.checking import CheckFailed, checking, expect, expect_close, expect_raises, student


def tune_result(result):
    """The dict that `tune` returns, with the four keys of its contract."""
    expect(isinstance(result, dict), "tune should return a dict")
    lacking = [key for key in ("best", "loss", "gain", "gain_sd") if key not in result]
    expect(not lacking, f"the dict that tune returns lacks {lacking}")
    return result


with student.limit(3), checking("tune-lstm") as check:
    with check.part("the count of a small LSTM"):
        for tune_layers, tune_total in ((1, 200), (2, 440)):
            expect_close(
                student.count_lstm_parameters(3, 5, tune_layers),
                tune_total,
                what=f"count_lstm_parameters(3, 5, {tune_layers})",
                suspects={
                    "there is one bias a gate here; nn.LSTM has two": {1: 180, 2: 400}[tune_layers],
                    "every layer is counted as if it read the inputs; the second one reads H states": tune_layers
                    * 200,
                },
                reveal=True,
            )
    with check.part("the width for a small budget"):
        expect_close(
            student.largest_hidden(100, 2, 1),
            3,
            what="largest_hidden(100, 2, 1), where 3 units need 88 parameters and 4 need 133",
            suspects={"this one no longer fits": 4, "one more would fit": 2},
            reveal=True,
        )
    with check.part("two settings and the untuned one"):
        tune_table = {0: (2.0, 2.4), 1: (1.0, 3.0), 2: (1.8, 1.8)}
        tune_found = tune_result(
            student.tune(
                lambda setting, seed, split: tune_table[setting["number"]][seed],
                [{"number": 1}, {"number": 2}],
                {"number": 0},
                [0, 1],
                lambda setting: 10,
                10,
            )
        )
        expect(
            tune_found["best"] == {"number": 2},
            f"losses (1.0, 3.0) and (1.8, 1.8) with two seeds: the second has the smaller mean; got {tune_found['best']}",
        )
        expect_close(tune_found["loss"], 1.8, what='"loss"', reveal=True)
        expect_close(tune_found["gain"], 0.4, what='"gain"', reveal=True)
    ### BEGIN HIDDEN TESTS

    def lstm_size(inputs, units, layers=1, biases=2):
        first = 4 * units * (inputs + units + biases)
        return first + (layers - 1) * 4 * units * (2 * units + biases)

    with check.part("parameters of nn.LSTM", points=2):
        for inputs, units, layers in ((27, 24, 2), (7, 1, 1), (1, 13, 3), (50, 64, 4), (6, 6, 2)):
            lstm = torch.nn.LSTM(inputs, units, layers)
            total = sum(parameter.numel() for parameter in lstm.parameters())
            first = lstm_size(inputs, units)
            expect_close(
                student.count_lstm_parameters(inputs, units, layers),
                total,
                what=f"count_lstm_parameters({inputs}, {units}, {layers})",
                suspects={
                    "there is one bias a gate here; nn.LSTM has two": lstm_size(inputs, units, layers, 1),
                    "the biases are missing": lstm_size(inputs, units, layers, 0),
                    "every layer is counted as if it read the inputs; those above read H states": layers
                    * first,
                    "only one layer is counted": first,
                    "there is one layer too many": lstm_size(inputs, units, layers + 1),
                    "three gates are counted; with the candidate there are four": total * 3 // 4,
                    "only one gate is counted": total // 4,
                    "the recurrent weights are missing": total - layers * 4 * units * units,
                    "layers above the first lack their weights for the state": total
                    - (layers - 1) * 4 * units * units,
                    "layers above the first lack their biases": total - (layers - 1) * 8 * units,
                    "layers above the first have one bias; every layer has two": total
                    - (layers - 1) * 4 * units,
                },
                rtol=0,
                atol=0.1,
            )
        expect_close(
            student.count_lstm_parameters(9, 4), lstm_size(9, 4), what="the count without naming layers"
        )
    with check.part("the largest hidden size that fits", points=2):
        for inputs, outputs, layers in ((27, 27, 1), (27, 27, 2), (4, 1, 3), (1, 40, 1)):

            def whole(units, i=inputs, o=outputs, k=layers):
                return lstm_size(i, units, k) + (units + 1) * o

            def own(units, i=inputs, o=outputs, k=layers):
                """By the student's count, so that a wrong count costs points once."""
                try:
                    return float(student.count_lstm_parameters(i, units, k)) + (units + 1) * o
                except (CheckFailed, TypeError, ValueError):
                    return whole(units)

            for units in (40, 11, 2, 1):
                cases = ((whole(units), units), (whole(units + 1) - 1, units))
                for budget, right in cases:
                    headless = max(
                        (u for u in range(1, 200) if lstm_size(inputs, u, layers) <= budget), default=0
                    )
                    light = max(
                        (u for u in range(1, 200) if lstm_size(inputs, u, layers) + u * outputs <= budget),
                        default=0,
                    )
                    suspects = {
                        "the output layer is not counted": headless,
                        "the output layer's bias is not counted": light,
                        "one unit too many: it takes more than the budget": right + 1,
                        "one more unit would fit; a network of exactly the budget fits too": right - 1,
                    }
                    got = student.largest_hidden(budget, inputs, outputs, layers)
                    if type(got) is int and got > 0 and got != right and own(got) <= budget < own(got + 1):
                        continue  # right for a count that is wrong
                    expect_close(
                        got,
                        right,
                        what=f"largest_hidden({budget}, {inputs}, {outputs}, {layers})",
                        suspects={s: v for s, v in suspects.items() if v != right},
                        rtol=0,
                        atol=0.1,
                    )
            for short in (min(whole(1), int(own(1))) - 1, outputs - 1, 0):
                expect_raises(
                    ValueError,
                    lambda b=short, i=inputs, o=outputs, k=layers: student.largest_hidden(b, i, o, k),
                    "largest_hidden with a budget that not even one unit fits",
                )
        for budget in (200_000, 1_500_000):
            right = max(u for u in range(1, 700) if lstm_size(27, u) + (u + 1) * 27 <= budget)
            got, count = student.largest_hidden(budget, 27, 27), student.count_lstm_parameters
            if type(got) is int and got > 0 and got != right:
                below, above = (count(27, u) + (u + 1) * 27 for u in (got, got + 1))
                if below <= budget < above:
                    continue  # right for a count that is wrong
            expect_close(got, right, what=f"largest_hidden({budget}, 27, 27)", rtol=0, atol=0.1)

    def search(losses, sizes=None, budget=100, seeds=(3, 8, 4), forbidden="test"):
        """Run tune on a table: row 0 is the untuned setting; a column is a seed. Returns the dict and the calls."""
        calls = []

        def evaluate(setting, seed, split):
            number = int(setting["number"])
            if split != "valid":
                raise CheckFailed(
                    f"evaluate was asked for the split {split!r}: "
                    + (
                        "the choice would have seen the test split"
                        if split == "test"
                        else 'settings are compared on "valid"'
                    )
                )
            expect(seed in seeds, f"evaluate was asked for seed {seed!r}, which is not among the seeds given")
            expect(
                sizes is None or sizes[number] <= budget,
                "a setting with more parameters than the budget was evaluated: it is never to be trained",
            )
            calls.append((number, seed))
            return losses[number][seeds.index(seed)]

        def size(setting):
            return 50 if sizes is None else sizes[int(setting["number"])]

        settings = [{"number": number, "lr": 0.1} for number in range(1, len(losses))]
        result = tune_result(
            student.tune(evaluate, settings, {"number": 0, "lr": 0.1}, list(seeds), size, budget)
        )
        return result, calls

    def chosen(result, right, what, suspects):
        best = result["best"]
        expect(best is not None, f'{what}: "best" is None, but the untuned setting is a candidate too')
        expect(
            isinstance(best, dict) and "number" in best,
            f'{what}: "best" should be one of the settings, a dict',
        )
        if best["number"] == right:
            return
        for sentence, number in suspects.items():
            expect(best["number"] != number, f"{what}: {sentence}")
        expect(False, f"{what}: another setting has the smallest mean loss")

    with check.part("the smallest mean over the seeds wins", points=2):
        losses = [
            [2.0, 2.1, 2.2],  # untuned
            [0.5, 3.0, 3.1],  # the best single seed
            [1.6, 1.7, 1.5],
            [1.4, 1.5, 1.75],  # the smallest mean
            [2.9, 2.8, 1.45],  # the best last seed
            [1.45, 1.45, 2.6],  # the smallest median
            [9.0, 8.0, 7.0],  # the worst
            [1.62, 1.62, 1.62],  # the smallest maximum and spread
        ]
        what = "the choice among eight settings"
        result, calls = search(losses)
        chosen(
            result,
            3,
            what,
            {
                "a single lucky seed decided; compare means over all seeds": 1,
                "the last seed alone decided; compare means over all seeds": 4,
                "the median decided; compare means": 5,
                "the largest loss was taken; a loss should be small": 6,
                "the setting with the smallest spread was taken; compare means": 7,
                "the untuned setting is returned, though others have smaller means": 0,
                "the first setting that beats the untuned one was taken; look at all of them": 2,
            },
        )
        rows = np.array(losses)
        expect_close(
            result["loss"],
            rows[3].mean(),
            what='"loss"',
            suspects={
                "this is its loss with one seed; the mean was asked for": rows[3].min(),
                "this is the sum over the seeds": rows[3].sum(),
                "this is the loss of the untuned setting": rows[0].mean(),
                "this is the smallest single loss of all": rows.min(),
                "this is the median of its losses": np.median(rows[3]),
            },
        )
        expect(
            set(calls) == {(n, s) for n in range(8) for s in (3, 8, 4)},
            "not every setting was trained with every seed",
        )
        for place in (1, 5):  # the winner first, and last
            order = [losses[0], *([losses[3]] if place == 1 else []), *losses[1:3], *losses[4:6]]
            order += [losses[3]] if place == 5 else []
            result, _ = search(order)
            chosen(
                result, place, f"the choice when the best one stands at place {place} of {len(order) - 1}", {}
            )
        result, _ = search([[2.0, 2.1], [1.0, 2.5], [1.9, 1.4]], seeds=(0, 1))
        chosen(result, 2, "the choice with two seeds", {"a single lucky seed decided; compare means": 1})
        result, _ = search([[2.0, 2.0, 2.0], [2.1, 2.1, 1.5], [1.899, 1.9, 1.9], [1.9, 1.9, 1.89]])
        sentence = "a smaller mean wins, by however little and with however few seeds"
        chosen(
            result, 3, "the choice by a small margin", {sentence: 2, sentence + " (beside the untuned)": 0}
        )
        result, _ = search([[2.0, 2.0, 2.0], [2.1, 2.1, 1.5]])
        chosen(result, 1, "the choice of a setting that is better with one seed only", {sentence: 0})
    with check.part("never the test split, never above the budget, nothing twice", points=1):
        losses = [[2.0, 2.0, 2.3], [1.0, 1.1, 1.2], [1.5, 1.4, 1.6], [1.7, 1.8, 1.9]]
        result, calls = search(losses, sizes=[100, 101, 100, 40])
        chosen(
            result,
            2,
            "the choice within a budget of 100 parameters (the settings have 101, 100 and 40)",
            {
                "it has more parameters than the budget": 1,
                "a setting of exactly the budget is allowed": 3,
                "the untuned setting is returned, though others are better": 0,
            },
        )
        expect(len(set(calls)) == 9, "a setting that fits the budget was not trained with every seed")
        expect(
            len(calls) == 9,
            "evaluate was called twice with the same arguments: each call is a training",
        )
        expect(
            result["best"] == {"number": 2, "lr": 0.1},
            '"best" should be the setting as it was given, with nothing added to it',
        )
        result, _ = search(losses, sizes=[40, 101, 90, 80])
        chosen(
            result,
            2,
            "the choice where the untuned setting is smaller than the budget",
            {"the budget is the limit, not the size of the untuned setting": 0},
        )
        result, _ = search(losses, sizes=[100, 200, 300, 400])
        chosen(result, 0, "the choice where no setting but the untuned one fits", {})
    with check.part("runs that diverge, and ties", points=1):
        nan, inf = math.nan, math.inf
        losses = [
            [2.0, 2.0, 2.5],
            [nan, 0.1, 0.1],
            [0.2, nan, 0.1],
            [1.5, 1.0, 2.0],
            [nan, nan, nan],
            [2.0, 1.5, 1.0],  # the same mean as the third
            [0.1, 0.1, inf],
            [0.1, -inf, 0.3],
            [0.1, 0.1, nan],
        ]
        diverged = "a setting that diverged with one seed cannot win"
        result, _ = search(losses)
        chosen(
            result,
            3,
            "the choice where some runs diverge",
            {
                **{diverged + " (nan)": 1},
                diverged + " (nan with the second seed)": 2,
                "a setting that always diverges was chosen: every comparison with nan is False": 4,
                "of two settings with the same mean, the first wins": 5,
                diverged + " (inf)": 6,
                diverged + " (minus infinity is no loss)": 7,
                diverged + " (nan with the last seed)": 8,
                "after a setting that diverged no other one was chosen": 0,
            },
        )
        expect_close(result["loss"], 1.5, what='"loss" where other settings diverge')
        expect_close(result["gain"], 2 / 3, what='"gain" where other settings diverge', rtol=1e-6)
        result, _ = search([losses[0], losses[4], losses[1]])
        chosen(result, 0, "the choice where all others diverge: the untuned setting stays", {diverged: 2})
        result, _ = search([[2.0, 1.0, 3.0], [3.0, 2.0, 1.0], [2.0, 2.0, 2.5]])
        chosen(result, 0, "a setting as good as the untuned one: the untuned one counts as first", {})
        result, _ = search([[1.0, 1.0, 1.0], [1.5, 1.0, 1.1], [1.0, 2.0, 1.0]])
        chosen(
            result,
            0,
            "the choice where the untuned setting is best",
            {"the untuned setting is a candidate too": 1},
        )
    with check.part("the gain and its spread", points=1):
        losses = [[2.1, 2.5, 3.5], [1.9, 2.2, 2.4], [1.6, 1.3, 1.0]]
        result, _ = search(losses)
        chosen(result, 2, "the choice among three settings", {})
        base, best = np.array(losses[0]), np.array(losses[2])
        gains = base - best  # 0.5, 1.2, 2.5
        expect_close(
            result["gain"],
            gains.mean(),
            what='"gain"',
            suspects={
                "the sign is turned: a loss that falls is a gain, untuned minus best": -gains.mean(),
                "the gains are added up; the mean was asked for": gains.sum(),
                "this is the median gain; the mean was asked for": np.median(gains),
                "this is the gain relative to the untuned loss": gains.mean() / base.mean(),
                "this compares the best single runs; take the mean over seeds": base.min() - best.min(),
                "this is the gain of the last seed alone": gains[-1],
                "this is the gain of the first seed alone": gains[0],
                "this is the best seed's gain": gains.max(),
                "this is the tuned loss, not the difference": best.mean(),
                "this is the gain over the second-best setting": np.mean(losses[1]) - best.mean(),
            },
        )
        expect_close(
            result["gain_sd"],
            gains.std(ddof=1),
            what='"gain_sd"',
            suspects={
                "the sum of squares is divided by n; a sample standard deviation divides by n - 1": gains.std(),
                "this is the variance; take its square root": gains.var(ddof=1),
                "this is the variance, divided by n": gains.var(),
                "this is the spread of the best setting's losses, not of the gains": best.std(ddof=1),
                "this is the spread of the best setting's losses, divided by n": best.std(),
                "this is the spread of the untuned losses, not of the gains": base.std(ddof=1),
                "the two spreads are added; take the differences seed by seed": base.std(ddof=1)
                + best.std(ddof=1),
                "the two spreads are subtracted; take the differences seed by seed": base.std(ddof=1)
                - best.std(ddof=1),
                "the seeds are taken for independent; take the differences seed by seed": math.hypot(
                    base.std(ddof=1), best.std(ddof=1)
                ),
                "this is the standard error; the standard deviation was asked for": gains.std(ddof=1)
                / math.sqrt(3),
                "losses are sorted before they are subtracted; a pair belongs to one seed": (
                    np.sort(base) - np.sort(best)
                ).std(ddof=1),
                "this is the range": np.ptp(gains),
            },
        )
        result, _ = search([[1.0, 1.2, 1.1], [1.9, 2.2, 2.4]])
        expect_close(result["gain"], 0, what='"gain" where the untuned setting is best')
        expect_close(result["gain_sd"], 0, what='"gain_sd" where the untuned setting is best')
        result, _ = search([[2.0, 2.5], [1.0, 2.0]], seeds=(1, 0))
        expect_close(result["gain"], 0.75, what='"gain" with two seeds')
        expect_close(result["gain_sd"], math.sqrt(0.125), what='"gain_sd" with two seeds')
    ### END HIDDEN TESTS

# %% [markdown]
# **Experiment.** The task: predict the next character of the same Python prose, in small letters and spaces alone: 27
# symbols, each of them a one-hot input. The given network has 2 layers of 24 units, and its 10 563 parameters are the budget. All
# networks get 150 updates, so this is tuning for a short training. The candidates change one thing after another: learning
# rate, depth at the same size, forget bias, clipping; one is too large on purpose. Three seeds each; the bar is the mean.

# %% role="experiment"
import math
import re

from course_utils.datasets.prose import python_prose

tune_symbols = "abcdefghijklmnopqrstuvwxyz "
tune_ids = python_prose().map(
    lambda part: torch.tensor([tune_symbols.index(s) for s in re.sub("[^a-z]+", " ", part.lower())])
)
tune_updates = runtime.steps(quick=5, default=150, full=1500)


class TuneNet(nn.Module):
    """The given network: one-hot symbols, an LSTM, a linear layer; (B, T) to logits (B, T, 27)."""

    def __init__(self, hidden_size, num_layers, forget_bias):
        super().__init__()
        self.lstm = nn.LSTM(27, hidden_size, num_layers, batch_first=True)
        self.head = nn.Linear(hidden_size, 27)
        for name, parameter in self.lstm.named_parameters():
            if name.startswith("bias_ih"):
                parameter.data[hidden_size : 2 * hidden_size] += forget_bias  # second quarter: forget gate

    def forward(self, symbols):
        return self.head(self.lstm(F.one_hot(symbols, 27).float())[0])


def tune_bits(net, ids):
    """Bits per symbol, each predicted from at most 100 symbols before it."""
    rows = ids[: (len(ids) - 1) // 100 * 100 + 1].unfold(0, 101, 100)  # (rows, 101)
    with torch.no_grad():
        loss = F.cross_entropy(net(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
    return loss.item() / math.log(2)


def tune_train(setting, seed):
    """Train one network with a setting; the same seed, the same batches."""
    runtime.seed_everything(seed)
    net = TuneNet(setting["hidden_size"], setting["num_layers"], setting["forget_bias"])
    optimizer = torch.optim.Adam(net.parameters(), lr=setting["lr"])
    batches = np.random.default_rng(seed)
    for _ in range(tune_updates):
        starts = torch.from_numpy(batches.integers(0, len(tune_ids.train) - 33, (32, 1)))
        rows = tune_ids.train[starts + torch.arange(33)]  # (32, 33)
        loss = F.cross_entropy(net(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        if setting["clip"]:
            nn.utils.clip_grad_norm_(net.parameters(), setting["clip"])
        optimizer.step()
    return net


def tune_evaluate(setting, seed, split):
    """What `tune` calls: train (once for each setting and seed), then measure on a split."""
    key = (*setting.values(), seed)
    if key not in tune_trained:
        tune_trained[key] = tune_train(setting, seed)
        next(tune_bar, None)
    loss = tune_bits(tune_trained[key], getattr(tune_ids, split))
    tune_losses[key] = {**tune_losses.get(key, {}), split: loss}
    return loss


def tune_size(setting):
    """Parameters of the whole network, by your count."""
    hidden = setting["hidden_size"]
    return count_lstm_parameters(27, hidden, setting["num_layers"]) + 27 * (hidden + 1)


tune_given = {"lr": 1e-3, "num_layers": 2, "hidden_size": 24, "forget_bias": 0.0, "clip": None}
tune_budget = tune_size(tune_given)
tune_wide = {**tune_given, "num_layers": 1, "hidden_size": largest_hidden(tune_budget, 27, 27, 1)}
tune_plan = {
    "the given network": tune_given,
    "lr 0.01": {**tune_given, "lr": 1e-2},
    "lr 0.05": {**tune_given, "lr": 5e-2},
    "one wide layer": tune_wide,
    "one wide layer, lr 0.01": {**tune_wide, "lr": 1e-2},
    "one wide layer, lr 0.05": {**tune_wide, "lr": 5e-2},
    "one wide layer, lr 0.05, forget bias 1": {**tune_wide, "lr": 5e-2, "forget_bias": 1.0},
    "one wide layer, lr 0.05, clip 0.3": {**tune_wide, "lr": 5e-2, "clip": 0.3},
    "three layers, lr 0.05": {
        **tune_given,
        "lr": 5e-2,
        "num_layers": 3,
        "hidden_size": largest_hidden(tune_budget, 27, 27, 3),
    },
    "two layers of 32, lr 0.05": {**tune_given, "lr": 5e-2, "hidden_size": 32},
}
tune_seeds, tune_trained, tune_losses = [0, 1, 2], {}, {}
tune_bar = iter(training.progress(range(3 * len(tune_plan)), "tuning"))
with runtime.single_thread():
    tune_answer = tune(
        tune_evaluate,
        [setting for setting in tune_plan.values() if setting is not tune_given],
        tune_given,
        tune_seeds,
        tune_size,
        tune_budget,
    )
    tune_best = next(name for name, setting in tune_plan.items() if setting == tune_answer["best"])
    for tune_setting in (
        tune_given,
        tune_answer["best"],
    ):  # the choice is made: now, and once, the test split
        for tune_seed in tune_seeds:
            tune_evaluate(tune_setting, tune_seed, "test")
for _ in tune_bar:  # settings that were never trained
    pass

tune_rows = {  # (seeds,) validation losses of each setting that was trained
    name: np.array([tune_losses[*setting.values(), seed]["valid"] for seed in tune_seeds])
    for name, setting in tune_plan.items()
    if (*setting.values(), tune_seeds[0]) in tune_losses
}
print("setting                                   layers x units   parameters   validation bits")
for name, tune_setting in tune_plan.items():
    tune_outcome = f"{training.Repeats(tune_rows[name]):.2f}" if name in tune_rows else "over the budget"
    tune_shape = f"{tune_setting['num_layers']} x {tune_setting['hidden_size']}"
    print(f"{name:<42} {tune_shape:<16} {tune_size(tune_setting):>8}   {tune_outcome}")
tune_test = [
    np.array([tune_losses[*setting.values(), seed]["test"] for seed in tune_seeds])
    for setting in (tune_given, tune_answer["best"])
]
print(
    f"\nchosen: {tune_best}\ngain on validation: {tune_answer['gain']:.2f} ± {tune_answer['gain_sd']:.2f} bits"
)
print(f"gain on test:       {training.Repeats(tune_test[0] - tune_test[1]):.2f} bits, read once")

tune_pairs = torch.full((27, 27), 0.1)
tune_pairs.index_put_((tune_ids.train[:-1], tune_ids.train[1:]), torch.ones(1), accumulate=True)
tune_pairs = (tune_pairs / tune_pairs.sum(1, keepdim=True)).log2()
tune_pair_bits = -tune_pairs[tune_ids.valid[:-1], tune_ids.valid[1:]].mean().item()
fig, ax = plt.subplots(figsize=(8, 4))
ax.barh(
    list(tune_rows),
    [row.mean() for row in tune_rows.values()],
    xerr=[row.std(ddof=1) for row in tune_rows.values()],
    color=[plotting.ORANGE if name == tune_best else plotting.SKY for name in tune_rows],
    capsize=3,
)
ax.axvline(tune_pair_bits, color=plotting.GRAY, linestyle="--", label="counted pairs of symbols")
ax.set(
    xlabel="validation loss (bits per character)",
    title=f"at most {tune_budget} parameters, {tune_updates} updates",
)
ax.invert_yaxis()
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.1))
plotting.show(
    fig,
    alt="Horizontal bars of the validation loss with their spread, one for each setting within the budget, "
    "the chosen one in another color; a dashed line for counted pairs of symbols.",
)

# %% [markdown]
# ### Read what tuning gained
# *1 point · 2 minutes · difficulty 2*
#
# - `what_mattered`: compare rows that differ in one thing only. Which change lowers the loss most? `"the learning rate"` (0.001 to
#   0.05), `"the depth"` (two layers to one wide layer) or `"the clipping"` (none to 0.3).
# - `gain_and_spread`: compare the gain of the chosen setting with its standard deviation over the seeds. The gain is `"smaller"`, `"about
#   equal"` or `"many times larger"`.

# %% role="answer" grade_id="tune-lstm-plot"
### BEGIN SOLUTION
what_mattered = "the learning rate"  # "the learning rate", "the depth" or "the clipping"
gain_and_spread = "many times larger"  # "smaller", "about equal" or "many times larger"
### END SOLUTION

# %% role="test" grade_id="tune-lstm-plot-test" points=1
from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of

mattered_options = ["the learning rate", "the depth", "the clipping"]
spread_options = ["smaller", "about equal", "many times larger"]
with checking("tune-lstm-plot") as check:
    with check.part("an option for what mattered"):
        chosen_of(student.what_mattered, mattered_options, "what_mattered")
    with check.part("an option for the spread"):
        chosen_of(student.gain_and_spread, spread_options, "gain_and_spread")
    ### BEGIN HIDDEN TESTS
    with check.part("what mattered most", points=0.5):
        expect_choice(
            student.what_mattered,
            "the learning rate",
            mattered_options,
            what="what_mattered",
            suspects={
                "the depth": "compare the bars that differ in depth alone with those that differ in learning rate alone",
                "the clipping": "compare the two bars that differ in clipping alone: how far apart are they?",
            },
        )
    with check.part("the gain against its spread", points=0.5):
        expect_choice(
            student.gain_and_spread,
            "many times larger",
            spread_options,
            what="gain_and_spread",
            suspects={
                "smaller": "the cell prints the gain with its spread behind the ± sign; compare the two",
                "about equal": "the cell prints the gain with its spread behind the ± sign; compare the two",
            },
        )
    ### END HIDDEN TESTS

# %% [markdown]
# ## Research projects
#
# Two changes to the cell. The first adds something, the second takes something away, and for both you measure what it is worth. You
# write the step and the measures, a given cell trains, and you say what the table shows. Your table is saved with
# the notebook. When it is graded, a small part is computed again by the equations: the losses of seed 0 after its first 10 updates,
# which have to agree with the table to 0.1 %. So **run the study, then save**; if you change a function after that, run it again.
#
# Hand in a table of the budget `default` or `full`. With `quick` the same cells run a few steps in seconds, which shows
# nothing about networks. The check accepts such a table, so that you can try the way to the end, and adds a remark.
#
# **Many small networks at once.** A step of a tiny network costs more in calls than in arithmetic. So both studies train all
# their networks side by side: every weight has an axis of $N$ networks in front, and one product serves them all. `torch.matmul`
# multiplies the last two axes and leaves the ones before alone: `x @ W.mT` with `x` `(N, B, I)` and `W` `(N, 4H, I)` gives
# `(N, B, 4H)`, each network with its own weights.

# %% [markdown]
# ### Gates that see the cell
# *9 points · 40 minutes · difficulty 4*
#
# A gate of the LSTM decides from $x_t$ and $h_{t-1}$. What the cell holds it learns through
# $h_{t-1} = o_{t-1} \odot \tanh(c_{t-1})$ only: where the output gate is shut, all gates are blind. A unit that counts in silence
# cannot see its own count. Gers and Schmidhuber (2000) gave the gates **peepholes**, one weight from each cell to each of its own
# gates:
#
# $$
# \begin{aligned}
# i_t &= \sigma(W_{ii}\, x_t + W_{hi}\, h_{t-1} + p_i \odot c_{t-1} + b_i) \\
# f_t &= \sigma(W_{if}\, x_t + W_{hf}\, h_{t-1} + p_f \odot c_{t-1} + b_f) \\
# g_t &= \tanh(W_{ig}\, x_t + W_{hg}\, h_{t-1} + b_g) \\
# c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
# o_t &= \sigma(W_{io}\, x_t + W_{ho}\, h_{t-1} + p_o \odot c_t + b_o) \\
# h_t &= o_t \odot \tanh(c_t)
# \end{aligned}
# $$
#
# Two details are easily missed. The product is element by element: unit $j$ sees the cell of unit $j$, and no other. And the
# output gate comes last, so it looks at the **new** cell. The candidate $g_t$ has no peephole.
#
# **The question.** Do peepholes help where a network must count time? **The task** (after Gers, Schraudolph and Schmidhuber,
# 2002): a number comes in and says how long to wait, 8 to 16 steps. For that long nothing comes in. Then the network must fire,
# in that very step; with it the next number comes in. After each step the network answers with a logit: fire now or not.
#
# **Protocol.**
#
# | | |
# |---|---|
# | varied | peepholes: closed ($p = 0$ for good, a standard LSTM) or open (they begin at 0 and learn); peak learning rate: 0.01 or 0.03 |
# | held fixed | $H = 8$; two waits in a sequence, $T = 33$; 32 new sequences a step; Adam; each network's gradient clipped at norm 1; forget bias 1; learning rate constant, then down to 0 in the second half |
# | same for all settings of a seed | first weights, training sequences and their order |
# | weights | 329 with closed peepholes, $3H = 24$ more with open ones |
# | measured | cross-entropy in nats per scored step, on 500 sequences that no network trains on |
# | noted on the way | `loss_10`: training loss of seed 0 with open peepholes in update 11, so with the weights after 10 updates |
# | repeated | 5 seeds, 500 steps; with `COURSE_BUDGET=full` 10 seeds, 1500 steps |
#
# The two networks of a seed share almost everything, so compare them **in pairs**: the spread of the differences tells more than two
# spreads side by side.
#
# <details><summary>I'm not sure where to start</summary>
#
# *Step:* compute the four sums without peepholes first, `(N, B, 4H)`, and cut them with `.chunk(4, dim=-1)`. A bias `(N, 4H)`
# needs an axis for the sequences: `bias[:, None]`. So does a row of peepholes: `peephole[:, 0, None]` is `(N, 1, H)`. Add each to
# the sum *before* the sigmoid. *Loss:* `F.binary_cross_entropy_with_logits(…, reduction="none")` gives one number for each step
# and stays finite for large logits; multiply by `scored`, then divide by how many steps of that network count. *Pairs:* subtract
# first, then take mean and spread of the differences; `np.std(…, ddof=1)` divides by $S - 1$.
# </details>


# %% role="answer" grade_id="peephole"
def peephole_step(x, state, weights):
    """One step of N peephole LSTMs side by side.

    Args:
        x: (N, B, I), the inputs of one time step: B sequences for each of N networks.
        state: the pair (h, c) before the step, each (N, B, H).
        weights: dict of tensors. Blocks of 4H rows stand in the order i, f, g, o.
            "weight_ih" (N, 4H, I), "weight_hh" (N, 4H, H), "bias" (N, 4H), and
            "peephole" (N, 3, H), with the rows p_i, p_f, p_o. Other entries,
            such as the output layer's weights, may be there too; the step does not use them.

    Returns:
        The pair (h, c) after the step, each (N, B, H), in the dtype of x. Gradients flow through
        all of it, the peepholes included. Arguments are not changed.
    """
    ### BEGIN SOLUTION
    h, c = state
    total = x @ weights["weight_ih"].mT + h @ weights["weight_hh"].mT + weights["bias"][:, None]
    i, f, g, o = total.chunk(4, dim=-1)  # each (N, B, H)
    p_i, p_f, p_o = weights["peephole"][:, :, None].unbind(1)  # each (N, 1, H)
    i, f = torch.sigmoid(i + p_i * c), torch.sigmoid(f + p_f * c)
    c = f * c + i * torch.tanh(g)
    o = torch.sigmoid(o + p_o * c)  # sees the new cell
    return o * torch.tanh(c), c
    ### END SOLUTION


def timing_loss(logits, targets, scored):
    """Mean binary cross-entropy of each network over the steps that count.

    Args:
        logits: (N, B, T). The network fires with probability σ(logit). Any size: the loss stays
            finite.
        targets: (N, B, T), 1.0 where it should fire, else 0.0.
        scored: (N, B, T) bool, True where a step counts. At least one step of each network does,
            not the same number for all.

    Returns:
        (N,): for each network the mean over all its scored steps, in nats. Differentiable.
    """
    ### BEGIN SOLUTION
    losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")  # (N, B, T)
    return (losses * scored).sum(dim=(1, 2)) / scored.sum(dim=(1, 2))
    ### END SOLUTION


def paired_comparison(standard, peephole):
    """Compare two kinds of network, seed by seed.

    Args:
        standard, peephole: S losses each, S at least 2. Entry s of both belongs to seed s.

    Returns:
        dict of numbers: "standard_mean", "standard_sd", "peephole_mean", "peephole_sd",
        "difference_mean", "difference_sd" and "wins". A difference is standard minus peephole, so
        it is positive where peepholes help; "wins" counts the seeds in which it is. Every
        standard deviation has S - 1 in its denominator.

    Raises:
        ValueError: fewer than two seeds, or not as many in one as in the other.
    """
    ### BEGIN SOLUTION
    standard, peephole = np.asarray(standard), np.asarray(peephole)
    if len(standard) != len(peephole) or len(standard) < 2:
        raise ValueError(f"need equally many seeds, at least 2, got {len(standard)} and {len(peephole)}")
    result = {}
    difference = standard - peephole
    for name, values in (("standard", standard), ("peephole", peephole), ("difference", difference)):
        result[f"{name}_mean"] = float(values.mean())
        result[f"{name}_sd"] = float(values.std(ddof=1))
    result["wins"] = int((difference > 0).sum())
    return result
    ### END SOLUTION


# %% role="try"
peep_tiny = {"weight_ih": torch.zeros(1, 8, 1), "weight_hh": torch.zeros(1, 8, 2), "bias": torch.zeros(1, 8)}
peep_cells = torch.tensor([[[2.0, -2.0]]])  # one network, one sequence, two units
for peep_weight in (0.0, 3.0):
    h_new, c_new = peephole_step(
        torch.zeros(1, 1, 1),
        (torch.zeros(1, 1, 2), peep_cells),
        {**peep_tiny, "peephole": torch.full((1, 3, 2), peep_weight)},
    )
    print(f"peepholes {peep_weight}: c {c_new.flatten().tolist()}")
# with 3: a full cell stays, a negative one is cleared
print(timing_loss(torch.zeros(1, 2, 3), torch.ones(1, 2, 3), torch.ones(1, 2, 3, dtype=torch.bool)))  # ln 2
for name, peep_value in paired_comparison([0.5, 0.7, 0.6], [0.4, 0.5, 0.7]).items():
    print(f"{name:<16} {peep_value:.4g}")

# %% [markdown]
# **Experiment.** Twenty networks in one stack: about a quarter of a minute. (You may run the test cell below first; it will miss
# only the table.)

# %% role="experiment"
from course_utils.checking import record
from course_utils.datasets.memory import generate_delays

peep_size, peep_rates = 8, (0.01, 0.03)
peep_seeds = range(runtime.steps(quick=3, default=5, full=10))
peep_steps = runtime.steps(quick=20, default=500, full=1500)
peep_task = {"spikes": 2, "shortest": 8, "spread": 8}


def peep_start(seed):
    """First weights of one network: uniform in ±1/√H, forget bias 1, peepholes 0."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"weight_ih": (32, 1), "weight_hh": (32, 8), "bias": (32,), "head": (1, 8), "head_bias": (1,)}
    drawn = {k: (2 * torch.rand(s, generator=generator) - 1) / peep_size**0.5 for k, s in shapes.items()}
    drawn["bias"][peep_size : 2 * peep_size] = 1.0
    return {**drawn, "peephole": torch.zeros(3, peep_size)}


def peep_answers(weights, x):
    """Logits (N, B, T) of N networks to x (N, B, T, 1)."""
    h = c = torch.zeros(*x.shape[:2], peep_size)
    states = []
    for x_t in x.unbind(2):
        h, c = peephole_step(x_t, (h, c), weights)
        states.append(h)
    hidden = torch.stack(states, dim=2)  # (N, B, T, H)
    return (hidden @ weights["head"].mT[:, None])[..., 0] + weights["head_bias"][:, None]


# One stack for each learning rate: first the standard networks of all seeds, then those with peepholes.
peep_count = len(peep_seeds)
peep_begun = [peep_start(seed) for seed in [*peep_seeds, *peep_seeds]]
peep_stacks = [
    {k: torch.stack([w[k] for w in peep_begun]).requires_grad_() for k in peep_begun[0]} for _ in peep_rates
]
peep_opened = torch.arange(2 * len(peep_rates)).repeat_interleave(peep_count)[:, None, None] % 2  # 1: open


def peep_weights():
    """All networks in one stack; closed peepholes are 0 and get no gradient."""
    joined = {k: torch.cat([stack[k] for stack in peep_stacks]) for k in peep_stacks[0]}
    return {**joined, "peephole": joined["peephole"] * peep_opened}


peep_draws = [generate_delays(32 * peep_steps, **peep_task, seed=seed) for seed in peep_seeds]
peep_heard, peep_due, peep_scored = (
    torch.stack(parts).repeat(4, *[1] * parts[0].dim()) for parts in zip(*peep_draws, strict=True)
)
peep_test_x, peep_test_y, peep_test_scored = (
    part.expand(len(peep_opened), *part.shape) for part in generate_delays(500, **peep_task, seed=10_000)
)
peep_optimizer = torch.optim.Adam([{"params": list(stack.values())} for stack in peep_stacks])
with runtime.single_thread():
    for peep_k in training.progress(range(peep_steps), "peepholes"):
        peep_rows = slice(32 * peep_k, 32 * peep_k + 32)
        peep_logits = peep_answers(peep_weights(), peep_heard[:, peep_rows])
        peep_loss = timing_loss(peep_logits, peep_due[:, peep_rows, :, 0], peep_scored[:, peep_rows])
        if peep_k == 10:
            peep_early = peep_loss.view(len(peep_rates), 2, -1)[:, 1, 0].tolist()  # seed 0, open
        peep_optimizer.zero_grad()
        peep_loss.sum().backward()
        for peep_group, peep_stack, peep_rate in zip(
            peep_optimizer.param_groups, peep_stacks, peep_rates, strict=True
        ):
            peep_group["lr"] = peep_rate * min(1, 2 * (1 - peep_k / peep_steps))
            peep_norms = torch.stack([w.grad.flatten(1).norm(dim=1) for w in peep_stack.values()])
            peep_norms = peep_norms.norm(dim=0)  # (N,), each network's own
            for peep_w in peep_stack.values():
                peep_w.grad /= peep_norms.clamp(min=1).view(-1, *[1] * (peep_w.dim() - 1))
        peep_optimizer.step()
    with torch.no_grad():
        peep_final = timing_loss(
            peep_answers(peep_weights(), peep_test_x), peep_test_y[..., 0], peep_test_scored
        )
peep_final = peep_final.view(len(peep_rates), 2, -1).double().numpy()  # (rates, closed or open, seeds)

record(
    "peephole",
    [
        {
            "learning_rate": rate,
            "seeds": peep_count,
            "steps": peep_steps,
            **paired_comparison(*losses),
            "loss_10": early,
        }
        for rate, losses, early in zip(peep_rates, peep_final, peep_early, strict=True)
    ],
)
peep_share = peep_test_y[0][peep_test_scored[0]].mean().item()  # how often to fire, if one knows nothing else
peep_blind = -peep_share * np.log(peep_share) - (1 - peep_share) * np.log(1 - peep_share)
fig, axes = plt.subplots(1, 2, figsize=(8.5, 3.8), sharey=True)
for ax, peep_rate, peep_losses in zip(axes, peep_rates, peep_final, strict=True):
    ax.plot([0, 1], peep_losses, color=plotting.GRAY, linewidth=1, marker="o", markersize=4)
    ax.plot([0, 1], peep_losses.mean(axis=1), color=plotting.BLUE, marker="s", linewidth=2.5, label="mean")
    ax.axhline(
        peep_blind,
        color=plotting.BLACK,
        linestyle="--",
        linewidth=1.2,
        label=f"knows no time: {peep_blind:.2f}",
    )
    ax.set_xticks([0, 1], ["standard", "peepholes"])
    ax.set(xlim=(-0.3, 1.3), yscale="log", title=f"learning rate {peep_rate}")
axes[0].set_ylabel("cross-entropy (nats per scored step)")
axes[0].yaxis.set_major_locator(plt.LogLocator(subs=(1, 2, 3, 5)))
axes[0].yaxis.set_major_formatter("{x:g}")
axes[0].yaxis.set_minor_formatter("")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
plotting.show(
    fig,
    alt="Test losses of each seed with and without peepholes, joined by lines, in one panel for each of two "
    "learning rates. A thick line joins the means; a dashed one is the loss of a network that knows no time.",
)

# %% role="test" grade_id="peephole-test" points=9
import math

import numpy as np
import torch

from course_utils.checking import (
    as_array,
    checking,
    expect,
    expect_close,
    expect_raises,
    expect_shape,
    forbid,
    student,
)

with student.without("rnn"), checking("peephole") as check:
    with check.part("one unit, every peephole 1"):
        peep_unit = {
            "weight_ih": torch.zeros(1, 4, 1),
            "weight_hh": torch.zeros(1, 4, 1),
            "bias": torch.tensor([[0.0, 0.0, 1.0, 0.0]]),
            "peephole": torch.ones(1, 3, 1),
            "head": torch.zeros(1, 1, 1),
        }
        peep_one = torch.ones(1, 1, 1)
        peep_after = student.peephole_step(peep_one, (0 * peep_one, peep_one), peep_unit)
        expect(
            isinstance(peep_after, tuple | list) and len(peep_after) == 2,
            "peephole_step should return a pair, (h, c)",
        )
        for name, peep_value in zip(("h", "c"), peep_after, strict=True):
            expect_shape(peep_value, (1, 1, 1), what=f"{name} of 1 network, 1 sequence, 1 unit")
        expect_close(
            np.concatenate([as_array(part, "h or c").ravel() for part in peep_after]),
            [0.6730, 1.2879],
            what="h and c after one step from c = 1",
            suspects={
                "h and c come back in the wrong order": [1.2879, 0.6730],
                "the output gate looks at the old cell; it comes last and sees the new one": [0.6277, 1.2879],
                "no gate sees the cell": [0.3532, 0.8808],
            },
            atol=2e-4,
            reveal=True,
        )
    with check.part("shapes"):
        peep_sizes = {
            "weight_ih": (2, 12, 4),
            "weight_hh": (2, 12, 3),
            "bias": (2, 12),
            "peephole": (2, 3, 3),
        }
        peep_blank = {name: torch.zeros(size) for name, size in peep_sizes.items()}
        peep_after = student.peephole_step(torch.zeros(2, 5, 4), (torch.zeros(2, 5, 3),) * 2, peep_blank)
        for name, peep_value in zip(("h", "c"), peep_after, strict=True):
            expect_shape(peep_value, (2, 5, 3), what=f"{name} of 2 networks, 5 sequences, 3 units")
        peep_zeros = torch.zeros(2, 3, 4)
        peep_loss = student.timing_loss(peep_zeros, peep_zeros, peep_zeros == 0)
        expect_shape(
            peep_loss,
            (2,),
            what="timing_loss of 2 networks",
            suspects={
                "one number for all networks; give each its own": (),
                "there is a number for every step; take the mean": (2, 3, 4),
            },
        )
        expect_close(peep_loss, [math.log(2)] * 2, what="timing_loss of logits 0", reveal=True)
    with check.part("two seeds, compared"):
        peep_pair = student.paired_comparison([0.5, 0.7], [0.4, 0.8])
        peep_names = ["standard_mean", "standard_sd", "peephole_mean", "peephole_sd", "difference_mean", "difference_sd", "wins"]  # fmt: skip
        expect(
            isinstance(peep_pair, dict) and set(peep_pair) == set(peep_names),
            "paired_comparison should return a dict with " + ", ".join(peep_names),
        )
        expect_close(
            [peep_pair["standard_mean"], peep_pair["peephole_mean"], peep_pair["wins"]],
            [0.6, 0.6, 1],
            what="standard_mean, peephole_mean, wins",
            reveal=True,
        )
    with check.part("the table is recorded"):
        if any(row.get("steps") == 20 for row in student.recorded("peephole")):
            print("Remark: this table is from COURSE_BUDGET=quick; run the study again with default.")
    ### BEGIN HIDDEN TESTS
    from course_utils import runtime
    from course_utils.datasets.memory import generate_delays

    library = "write the step yourself: the library's recurrent layers do not count"

    def waves(n, b, width, size, open_rows):
        """Weights, input and state from sines, in float64; peepholes in `open_rows` only."""
        wave = torch.sin(1.7 * torch.arange(1, 20_000, dtype=torch.float64) + 0.3)
        shapes = [(n, 4 * size, width), (n, 4 * size, size), (n, 4 * size), (n, 3, size)]
        shapes += [(n, b, width), (n, b, size), (n, b, size)]
        values = []
        for shape in shapes:
            values.append(wave[: math.prod(shape)].reshape(shape))
            wave = wave[math.prod(shape) :]
        w = dict(zip(("weight_ih", "weight_hh", "bias", "peephole"), values, strict=False))
        row_open = torch.tensor([row in open_rows for row in range(3)])[:, None]
        w["peephole"] = 1.5 * w["peephole"] * row_open
        return values[4], (0.6 * values[5], 2 * values[6]), w

    def stepped(x, state, w, slip=None):
        """The equations, and what a slip makes of them."""
        h, c = state
        if slip == "exchanged":
            h, c = c, h
        seen = {"squashed": torch.tanh(c), "hidden": h, "detached": c.detach()}.get(slip, c)
        x_part = torch.einsum("nbi,nki->nbk", x, w["weight_ih"])
        total = x_part + torch.einsum("nbh,nkh->nbk", h, w["weight_hh"])
        total = total + w["bias"][:, None] * {"no bias": 0, "two biases": 2}.get(slip, 1)
        blocks = {"ifog": (0, 1, 3, 2), "figo": (1, 0, 2, 3), "iogf": (0, 3, 2, 1)}.get(slip, (0, 1, 2, 3))
        cut = total.chunk(4, dim=-1)
        a_i, a_f, a_g, a_o = (cut[block] for block in blocks)
        p = w["peephole"][:1].expand_as(w["peephole"]) if slip == "first" else w["peephole"]
        rows = {"rows fio": (1, 0, 2), "rows iof": (0, 2, 1), "rows ofi": (2, 1, 0)}.get(slip, (0, 1, 2))
        p_i, p_f, p_o = (p[:, row, None] for row in rows)

        def look(row, cell):
            name = {id(p_i): "i", id(p_f): "f", id(p_o): "o"}[id(row)]
            if slip == "none" or slip == f"no {name}":
                return 0
            if slip == "matrix":
                return (row * cell).sum(-1, keepdim=True)
            return row * cell

        if slip == "after":
            i, f = torch.sigmoid(a_i) + look(p_i, c), torch.sigmoid(a_f) + look(p_f, c)
        else:
            i, f = torch.sigmoid(a_i + look(p_i, seen)), torch.sigmoid(a_f + look(p_f, seen))
        on_g = {"g too": p_o * c, "g for o": p_o * c, "g like i": p_i * c}.get(slip, 0)
        g = torch.sigmoid(a_g) if slip == "g sigmoid" else torch.tanh(a_g + on_g)
        new = f * c + (1 - f if slip == "coupled" else i) * g
        shown = {
            "old": c,
            "squashed": torch.tanh(new),
            "hidden": h,
            "detached": new.detach(),
            "o detached": new.detach(),
        }.get(slip, new)
        if slip == "after":
            o = torch.sigmoid(a_o) + look(p_o, new)
        else:
            o = torch.sigmoid(a_o + (0 if slip == "g for o" else look(p_o, shown)))
        out = o * (new if slip == "bare" else torch.tanh(new))
        return [new, out] if slip == "back" else [out, new]

    general = {
        "h and c come back in the wrong order": "back",
        "h and c of the state before are exchanged": "exchanged",
        "the blocks are cut as i, f, o, g; their order is i, f, g, o": "ifog",
        "the blocks are cut as f, i, g, o; their order is i, f, g, o": "figo",
        "the bias is left out": "no bias",
        "the bias is added twice; there is one for each gate": "two biases",
        "h is o times c; the tanh of the cell is missing": "bare",
        "the candidate is weighted with 1 - f; it should be the input gate": "coupled",
        "the candidate has a sigmoid; it passes a tanh, so that it can be negative": "g sigmoid",
    }
    looking = {
        "no gate sees the cell: the peepholes are not used": "none",
        "the output gate looks at the old cell; it comes last and sees the new one": "old",
        "the peephole is added after the sigmoid; it belongs inside": "after",
        "the gates look at tanh(c); peepholes see the cell itself": "squashed",
        "the gates look at h; peepholes see the cell": "hidden",
        "a gate sees all cells of the network; each unit sees its own cell only, element by element": "matrix",
        "the candidate g has got a peephole; only the three gates have one": "g too",
        "the third row belongs to the output gate, and g has got it": "g for o",
        "the candidate g has got the input gate's peephole": "g like i",
        "rows p_i and p_f are exchanged": "rows fio",
        "rows p_f and p_o are exchanged": "rows iof",
        "rows p_i and p_o are exchanged": "rows ofi",
        "the input gate does not see the cell": "no i",
        "the forget gate does not see the cell": "no f",
        "the output gate does not see the cell": "no o",
        "the peepholes of the first network serve all networks": "first",
    }

    def slips(x, state, w, texts):
        return {text: (lambda slip=slip: stepped(x, state, w, slip)) for text, slip in texts.items()}

    def stacked(after):
        expect(
            isinstance(after, tuple | list) and len(after) == 2, "peephole_step should return a pair, (h, c)"
        )
        return [after[0], after[1]]

    with check.part("closed peepholes: the library's LSTM", points=1):
        forbid("peephole_step", "torch.nn.LSTM*", "torch.nn.RNN*", "torch.nn.GRU*", why=library)
        x, state, w = waves(2, 4, 3, 5, ())
        rows = []
        for n in range(2):
            cell = torch.nn.LSTMCell(3, 5).double()
            own = {name: w[name][n] for name in ("weight_ih", "weight_hh")}
            cell.load_state_dict({**own, "bias_ih": w["bias"][n], "bias_hh": 0 * w["bias"][n]})
            rows.append([part.detach() for part in cell(x[n], (state[0][n], state[1][n]))])
        want = [torch.stack([row[k] for row in rows]) for k in range(2)]
        expect_close(
            stacked(student.peephole_step(x, state, w)),
            want,
            what="h and c with peepholes of zero",
            suspects=slips(x, state, w, general),
        )
    for row, gate in enumerate(("input", "forget", "output")):
        with check.part(f"the {gate} gate's peephole", points=1):
            forbid("peephole_step", "torch.nn.LSTM*", "torch.nn.RNN*", "torch.nn.GRU*", why=library)
            x, state, w = waves(2, 4, 3, 5, (row,))
            expect_close(
                stacked(student.peephole_step(x, state, w)),
                stepped(x, state, w),
                what=f"h and c where only the {gate} gate has open peepholes",
                suspects=slips(x, state, w, looking | general),
            )
            x, state, w = waves(1, 3, 2, 4, (row,))  # the state is zero: only a new cell can be seen
            state = (0 * state[0], 0 * state[1])
            expect_close(
                stacked(student.peephole_step(x, state, w)),
                stepped(x, state, w),
                what=f"the first step of a sequence, {gate} gate's peepholes open",
                suspects=slips(x, state, w, looking | general),
            )
    with check.part("gradients, dtype, arguments", points=1):
        forbid("peephole_step", "torch.nn.LSTM*", "torch.nn.RNN*", "torch.nn.GRU*", why=library)
        x, state, w = waves(3, 4, 2, 6, (0, 1, 2))
        shared = {name: student.share(value) for name, value in w.items()}
        held = [student.share(part) for part in state]
        after = stacked(student.peephole_step(x, (held[0], held[1]), {**shared, "head": x}))  # one entry more
        expect_close(
            after,
            stepped(x, state, w),
            what="three networks, all peepholes open",
            suspects=slips(x, state, w, looking | general),
        )
        for name, value in w.items():
            expect_close(
                student.value(shared[name]), value, what=f"{name} after the call (it was changed in place)"
            )
        for name, handle, value in zip(("h", "c"), held, state, strict=True):
            expect_close(
                student.value(handle), value, what=f"{name} of the state before (it was changed in place)"
            )
        single = {name: value.float() for name, value in w.items()}
        for dtype, got in (
            (torch.float64, after),
            (torch.float32, student.peephole_step(x.float(), (state[0].float(), state[1].float()), single)),
        ):
            for part in got:
                expect(
                    getattr(part, "dtype", None) is dtype,
                    f"x is {dtype} and the new state {getattr(part, 'dtype', None)}",
                )
        pulls = [torch.cos(part) + 0.5 for part in state]

        def gradients(slip=None):
            leaves = [x, *state, *w.values()]
            leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
            own = dict(zip(w, leaves[3:], strict=True))
            total = sum(
                (a * b).sum() for a, b in zip(stepped(leaves[0], leaves[1:3], own, slip), pulls, strict=True)
            )
            return torch.autograd.grad(total, leaves)

        got = student.backward(student.peephole_step, x, state, w, weights=pulls).inputs
        names = ["x", "h", "c", *w]
        for k, name in enumerate(names):
            expect(
                got[k] is not None,
                f"no gradient reaches {name}: is something detached or turned into numbers?",
            )
            cut = "what the gates see of the cell is cut from the gradient (detach)"
            expect_close(
                got[k],
                gradients()[k],
                what=f"gradient of {name}",
                suspects={
                    cut: lambda k=k: gradients("detached")[k],
                    cut + " at the output gate": lambda k=k: gradients("o detached")[k],
                },
            )
    with check.part("loss over scored steps, network by network", points=1.5):
        wave = torch.sin(2.3 * torch.arange(1, 200, dtype=torch.float64))
        logits, chance = 3 * wave[:60].reshape(3, 4, 5), wave[100:160].reshape(3, 4, 5)
        targets = (chance > 0.4).double()
        scored = torch.arange(60).reshape(3, 4, 5) % torch.tensor([2, 3, 5])[:, None, None] == 0
        scored[0, 0] = True
        step_loss = torch.nn.functional.softplus(logits) - targets * logits
        kept = torch.where(scored, step_loss, 0.0)
        want = kept.sum((1, 2)) / scored.sum((1, 2))
        wrong = {
            "steps that do not count are in the mean": step_loss.mean((1, 2)),
            "the sum over scored steps is divided by all steps": kept.mean((1, 2)),
            "losses are added up; their mean was asked for": kept.sum((1, 2)),
            "all networks are divided by one number of steps; each has its own": kept.sum((1, 2))
            / scored.sum()
            * 3,
            "all networks share one mean": want.new_full((3,), float(kept.sum() / scored.sum())),
            "means of sequences are averaged; every scored step should weigh the same": (
                kept.sum(2) / scored.sum(2).clamp(min=1)
            ).mean(1),
            "logits are taken for probabilities, or the sigmoid is applied twice": (
                torch.where(
                    scored,
                    torch.nn.functional.softplus(torch.sigmoid(logits)) - targets * torch.sigmoid(logits),
                    0.0,
                )
            ).sum((1, 2))
            / scored.sum((1, 2)),
            "this is the squared error; cross-entropy was asked for": (
                torch.where(scored, (torch.sigmoid(logits) - targets) ** 2, 0.0).sum((1, 2))
                / scored.sum((1, 2))
            ),
            "this is in bits; nats were asked for": want / math.log(2),
            "targets 1 and 0 are exchanged": torch.where(
                scored, torch.nn.functional.softplus(logits) - (1 - targets) * logits, 0.0
            ).sum((1, 2))
            / scored.sum((1, 2)),
            "the sign is wrong; a loss is positive": -want,
            "steps that should not fire are left out": torch.where(targets > 0, kept, 0.0).sum((1, 2))
            / scored.sum((1, 2)),
        }
        expect_close(student.timing_loss(logits, targets, scored), want, what="timing_loss", suspects=wrong)
        expect_close(
            student.timing_loss(logits.float(), targets.float(), scored),
            want,
            what="timing_loss in float32",
            suspects=wrong,
        )
        far = torch.tensor([[[300.0, -300.0, 2.0]]])
        aim = torch.tensor([[[0.0, 1.0, 1.0]]])
        expect_close(
            student.timing_loss(far, aim, far == far),
            [(600 + math.log1p(math.exp(-2))) / 3],
            what="timing_loss of logits ±300 (the log of σ(logit) does not survive them; work with the logits)",
        )
        slope = student.backward(student.timing_loss, logits, targets, scored).inputs[0]
        expect(
            slope is not None, "no gradient reaches the logits: is something detached or turned into numbers?"
        )
        expect_close(
            slope,
            torch.where(scored, torch.sigmoid(logits) - targets, 0.0) / scored.sum((1, 2), keepdim=True),
            what="gradient of timing_loss by the logits",
        )
    with check.part("compared in pairs", points=1.5):
        for standard, peephole in (
            ([0.31, 0.12, 0.44, 0.29], [0.25, 0.19, 0.30, 0.28]),
            ([0.1, 0.2, 0.9], [0.3, 0.2, 0.7]),
            ([0.02, 0.01], [0.05, 0.03]),
        ):
            s, p = np.array(standard), np.array(peephole)
            d = s - p
            names = ["standard_mean", "standard_sd", "peephole_mean", "peephole_sd", "difference_mean", "difference_sd", "wins"]  # fmt: skip
            got = student.paired_comparison(standard, peephole)
            expect(
                isinstance(got, dict) and set(got) == set(names),
                "paired_comparison should return a dict with " + ", ".join(names),
            )
            root = math.sqrt(1 - 1 / len(s))
            for name, values in (("standard", s), ("peephole", p), ("difference", d)):
                expect_close(
                    got[f"{name}_mean"],
                    values.mean(),
                    what=f"{name}_mean",
                    suspects={
                        "this is peephole minus standard; standard minus peephole was asked for": -values.mean(),
                        "this is the median": np.median(values),
                        "differences count without their sign": abs(values).mean(),
                        "this is a sum": values.sum(),
                    },
                )
                expect_close(
                    got[f"{name}_sd"],
                    values.std(ddof=1),
                    what=f"{name}_sd",
                    suspects={
                        "S is in the denominator; S - 1 was asked for": values.std(ddof=1) * root,
                        "this is the variance": values.var(ddof=1),
                        "this is the standard error, divided by √S": values.std(ddof=1) / math.sqrt(len(s)),
                        "losses are sorted before they are subtracted; a pair belongs to one seed": (
                            np.sort(s) - np.sort(p)
                        ).std(ddof=1),
                        "this combines the two spreads; take that of the differences, seed by seed": math.hypot(
                            s.std(ddof=1), p.std(ddof=1)
                        ),
                        "this subtracts the two spreads; take that of the differences, seed by seed": s.std(
                            ddof=1
                        )
                        - p.std(ddof=1),
                    },
                )
            expect_close(
                got["wins"],
                (d > 0).sum(),
                what="wins",
                suspects={
                    "seeds in which the standard LSTM has the lower loss are counted": (d < 0).sum(),
                    "a tie is no win": (d >= 0).sum(),
                    "this is a share; a count was asked for": (d > 0).mean(),
                },
            )
        expect_raises(ValueError, lambda: student.paired_comparison([0.1], [0.2]), "a single seed")
        expect_raises(
            ValueError,
            lambda: student.paired_comparison([0.1, 0.2, 0.3], [0.2, 0.1]),
            "three seeds against two",
        )
        expect_raises(
            ValueError, lambda: student.paired_comparison([0.1, 0.2, 0.3], [0.2]), "three seeds against one"
        )
    # The table comes from the experiment. Where only answer and test run, as in the bank, the answer records one itself.
    with check.part("the table", points=0.5):
        rows = student.recorded("peephole")
        names = ["standard_mean", "standard_sd", "peephole_mean", "peephole_sd", "difference_mean", "difference_sd", "wins"]  # fmt: skip
        columns = ["learning_rate", "seeds", "steps", *names, "loss_10"]
        expect(len(rows) > 0, "the table has no rows")
        for row in rows:
            expect(set(row) == set(columns), f"the table's columns should be {', '.join(columns)}")
            for name in columns:
                numeric = isinstance(row[name], int | float) and not isinstance(row[name], bool)
                expect(numeric, f"{name} is no number: {str(row[name])[:20]!r}")
        rates = [row["learning_rate"] for row in rows]
        for rate in (0.01, 0.03):
            expect(any(math.isclose(rate, found) for found in rates), f"no row for the learning rate {rate}")
        expect(len(rows) == 2, "the table should hold one row for each of the two learning rates")
        expect(
            len({row["steps"] for row in rows}) == 1, "the rates were trained for different numbers of steps"
        )
        for row in rows:
            place = f"learning rate {row['learning_rate']}"
            expect(row["seeds"] >= 3, f"{place}: a spread needs at least 3 seeds, not {row['seeds']}")
            expect(0 <= row["wins"] <= row["seeds"], f"{place}: {row['wins']} wins in {row['seeds']} seeds")
            low = min(row["standard_mean"], row["peephole_mean"])
            expect(low > 0, f"{place}: a mean cross-entropy is positive")
            expect(
                max(row["standard_mean"], row["peephole_mean"]) < 3,
                f"{place}: who says 1/2 at every step has 0.69 nats; a mean that large is no cross-entropy per scored step",
            )
            spreads = [row[name] for name in names if name.endswith("_sd")]
            expect(min(spreads) >= 0, f"{place}: a standard deviation is not negative")
            expect(max(spreads[:2]) > 0, f"{place}: the spread is 0: did each seed train its own network?")
            expect(
                math.isclose(
                    row["difference_mean"],
                    row["standard_mean"] - row["peephole_mean"],
                    rel_tol=1e-3,
                    abs_tol=1e-6,
                ),
                f"{place}: difference_mean is not standard_mean minus peephole_mean",
            )
            slack = 1e-6 + 1e-3 * sum(spreads)
            expect(
                abs(spreads[0] - spreads[1]) - slack <= spreads[2] <= spreads[0] + spreads[1] + slack,
                f"{place}: no losses have these three standard deviations together",
            )
            if row["wins"] in (0, row["seeds"]):
                fits = row["difference_mean"] >= 0 if row["wins"] else row["difference_mean"] <= 0
                expect(
                    fits, f"{place}: {row['wins']} wins of {row['seeds']} do not go with this difference_mean"
                )

    def trained_again():
        """Losses of seed 0 with open peepholes after 10 updates, as in the experiment: at both rates."""
        generator = torch.Generator().manual_seed(0)
        shapes = {
            "weight_ih": (32, 1),
            "weight_hh": (32, 8),
            "bias": (32,),
            "head": (1, 8),
            "head_bias": (1,),
        }
        drawn = {
            name: (2 * torch.rand(size, generator=generator) - 1) / 8**0.5 for name, size in shapes.items()
        }
        drawn["bias"][8:16] = 1.0
        drawn["peephole"] = torch.zeros(3, 8)
        flat = torch.cat([value.flatten() for value in drawn.values()]).repeat(2, 1)  # (N, all weights)
        mean, square = torch.zeros_like(flat), torch.zeros_like(flat)
        rates = torch.tensor([[0.01], [0.03]])
        batches = generate_delays(32 * 11, spikes=2, shortest=8, spread=8, seed=0)
        for k, (x, y, scored) in enumerate(zip(*(part.split(32) for part in batches), strict=True), start=1):
            flat.requires_grad_()
            cut = flat.split([value.numel() for value in drawn.values()], dim=1)
            w = {name: part.view(2, *drawn[name].shape) for name, part in zip(drawn, cut, strict=True)}
            h = c = torch.zeros(2, 32, 8)
            states = []
            for x_t in x.expand(2, -1, -1, -1).unbind(2):
                h, c = stepped(x_t, (h, c), w)
                states.append(h)
            logits = (torch.stack(states, dim=2) @ w["head"].mT[:, None])[..., 0] + w["head_bias"][:, None]
            losses = torch.nn.functional.softplus(logits) - y[..., 0] * logits
            loss = (losses * scored).sum((1, 2)) / scored.sum()
            (slope,) = torch.autograd.grad(loss.sum(), flat)
            slope = slope / slope.norm(dim=1, keepdim=True).clamp(min=1)
            mean.lerp_(slope, 0.1)  # Adam
            square.lerp_(slope**2, 0.001)
            move = mean / (1 - 0.9**k) / ((square / (1 - 0.999**k)).sqrt() + 1e-8)
            flat = flat.detach() - rates * move
        return dict(zip((0.01, 0.03), loss.tolist(), strict=True))  # of batch 11

    with check.part("a quick re-run agrees", points=0.5):
        rows = [row for row in student.recorded("peephole") if row.get("learning_rate") in (0.01, 0.03)]
        expect(len(rows) > 0, "the table has no row of learning rate 0.01 or 0.03")
        with runtime.single_thread():
            again = trained_again()
        for row in rows:
            got, want = row.get("loss_10"), again[row["learning_rate"]]
            numeric = isinstance(got, int | float)
            said = f"{got:.4g}" if numeric else str(got)[:20]
            expect(
                numeric and math.isclose(got, want, rel_tol=1e-3),
                f"learning rate {row['learning_rate']}: the loss after 10 updates is {want:.4g} when trained again, the table "
                f"says {said}: run the study again after your last change; peephole_step and timing_loss have to be right first",
            )
    ### END HIDDEN TESTS

# %% [markdown]
# ### Read the table of the peephole study
# *1 point · 2 minutes · difficulty 2*
#
# - `peepholes_ahead`: at which of the two learning rates is the mean loss with peepholes lower by more than one standard deviation of the
#   differences (`difference_mean` > `difference_sd`)? `"neither"`, `"one"` or `"both"`.
# - `from_low_to_high`: from learning rate 0.01 to 0.03, what does the mean loss do? It `"falls for both"`, `"rises for both"`, or
#   `"falls for one and rises for the other"`.

# %% role="answer" grade_id="peephole-reading"
### BEGIN SOLUTION
peepholes_ahead = "neither"  # "neither", "one" or "both"
from_low_to_high = "falls for both"  # one of the three texts above
### END SOLUTION

# %% role="test" grade_id="peephole-reading-test" points=1
from course_utils.checking import checking, chosen_of, expect_choice, student

how_many = ["neither", "one", "both"]
peep_changes = ["falls for both", "rises for both", "falls for one and rises for the other"]
with checking("peephole-reading") as check:
    with check.part("a count is chosen"):
        chosen_of(student.peepholes_ahead, how_many, "peepholes_ahead")
    with check.part("a change is chosen"):
        chosen_of(student.from_low_to_high, peep_changes, "from_low_to_high")
    ### BEGIN HIDDEN TESTS
    with check.part("ahead by more than the spread", points=0.5):
        expect_choice(
            student.peepholes_ahead,
            "neither",
            how_many,
            what="peepholes_ahead",
            suspects={
                "one": "look at the sign of difference_mean too: it is positive where peepholes help",
                "both": "a lower loss is the better one; look at the sign of difference_mean",
            },
        )
    with check.part("what the learning rate does", points=0.5):
        expect_choice(
            student.from_low_to_high,
            "falls for both",
            peep_changes,
            what="from_low_to_high",
            suspects={
                "rises for both": "compare standard_mean between the two rows: which is smaller?",
                "falls for one and rises for the other": "compare both means between the two rows",
            },
        )
    ### END HIDDEN TESTS

# %% [markdown] role="written" grade_id="peephole-conclusion" points=4
# ### Conclude: what peepholes are worth here
# *4 points · 15 minutes · difficulty 4 · marked by hand*
#
# Write the conclusion of this study, eight to twelve sentences, on your own table.
#
# | what earns points | points |
# |---|---|
# | Answers the question from the table, at both learning rates: means, and the paired difference with its spread and the number of wins | 1 |
# | Says what a gate of a standard LSTM can and cannot know of its cell, and how a network without peepholes can still count | 1 |
# | Weighs the answer: what the learning rate did compared with the peepholes, and what one learning rate alone would have suggested | 1 |
# | Names two limits of the study and one run that would test a limit | 1 |
#
# ### BEGIN SOLUTION
# At neither learning rate do peepholes help here. At 0.01 the standard LSTM ends at 0.119 ± 0.049 nats per scored step and the
# one with peepholes at 0.141 ± 0.021 (five seeds). In pairs the difference is -0.021 ± 0.044, with one win for peepholes: no more
# than the seeds scatter. At 0.03 it is 0.025 ± 0.012 against 0.083 ± 0.050, a difference of -0.058 ± 0.042, and the standard
# network is ahead in all five seeds. All stay below the 0.29 nats of a network that knows no time, most of them far below, so both
# kinds learn to wait.
#
# The gates of a standard LSTM know their cell only as $o_{t-1} \odot \tanh(c_{t-1})$. With the output gate shut they see nothing
# of it, and beyond a value of about 2 tanh looks the same for every count. But nothing forces the gate shut, or the count into
# large numbers: the network can leave it open, count in small steps, and let its $W_h$ carry the count to all gates, since gradients
# here flow back through $h$ as well. When peepholes were proposed, training cut those gradients at the gates, so the standard
# network could make less of $h$ then. An open peephole, in turn, multiplies a cell that has no bound, so one step of Adam can move
# its gate far; that may be why it suffers at the higher rate, though this table does not prove it.
#
# The learning rate mattered more than the peepholes: from 0.01 to 0.03 the standard loss falls by 0.094, the other by 0.057. Had
# we looked at 0.01 alone, we would have written "no difference"; at 0.03 alone, "peepholes harm". A claim about an architecture
# needs its learning rate tuned on both sides.
#
# Limits: one task, with waits of at most 16 steps; eight units; 500 steps, in which nobody is done learning. Peepholes may pay
# where waits are long, or after more steps. I would give each kind its own best of four learning rates, chosen on validation
# sequences, train ten seeds for 5000 steps on waits of 50 to 100, and compare again in pairs.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# Mark against the student's own table. First criterion: 0.5 for means without the paired difference, or for one learning rate
# only. Second: needs both halves, what a shut output gate hides and the way round it. Third: 0.5 if only the numbers are
# repeated. Fourth: 0.5 for two limits without a run; limits may be one task, one size, short waits, few seeds, two learning
# rates, unequal numbers of weights, short training. A student who finds peepholes ahead in an honest table of another budget can
# earn everything. Measured for you with 1500 steps and five seeds: differences of -0.04 ± 0.05 at 0.01 and -0.02 ± 0.04 at 0.03.
# ### END MARK SCHEME

# %% [markdown]
# ### Which gate can it spare?
# *10 points · 45 minutes · difficulty 4*
#
# Three gates, each with its own weights. Does the cell need all three? Take one away and see. To take a gate away means to hold
# it **open**, at exactly 1 at every step, so that it decides nothing:
#
# - *forget gate at 1:* $c_t = c_{t-1} + i_t \odot g_t$. Nothing is ever erased, as in the first LSTM, of 1997;
#   the forget gate came in 2000.
# - *input gate at 1:* $c_t = f_t \odot c_{t-1} + g_t$. Every step writes.
# - *output gate at 1:* $h_t = \tanh(c_t)$. Nothing is ever hidden.
#
# A gate held at **0** is something else: see *A forget gate held at zero*. And what a gate that is held at 1 does to a network
# depends on the task, which is why you measure it.
#
# **The task.** Copying after a long delay. Two symbols out of eight come in, then nothing for 20 steps but blanks and, at the end
# of the wait, a mark: "now". Then the network must say both symbols in their order; at every step before that, "blank". Who
# remembers nothing says blank where a blank is due and gives each symbol 1/8. Over all $T = 24$ steps this **memoryless
# baseline** has a loss of $2 \ln 8 / (20 + 2 \cdot 2) = 0.173$ nats per step. (With ten symbols to copy, still out of eight kinds, it is
# $10 \ln 8 / (\text{delay} + 20)$.) Mind which number you compare it with: the loss over *all* steps, not over the recalled ones,
# where no memory costs $\ln 8 = 2.08$ nats. Right blanks are no memory either, so accuracy is measured on the **recalled part**
# only: chance is 1/8.
#
# **Protocol.**
#
# | | |
# |---|---|
# | varied | which gate is held at 1: none, input, forget, output |
# | held fixed | $H = 32$; delay 20, 2 symbols; 16 new sequences a step; Adam at 0.03, constant, then down to 0 in the second half; each network's gradient clipped at norm 0.3; forget bias 3 at first (where there is a forget gate) |
# | same for all variants of a seed | first weights, training sequences and their order |
# | weights | 5801 in every network; those of a held gate ($H(10 + H + 1) = 1376$) lie idle |
# | measured on 500 other sequences | loss over all steps (nats per step); accuracy on the recalled part |
# | noted on the way | `loss_10`: training loss of seed 0 in update 11, so with the weights after 10 updates |
# | repeated | 3 seeds, 1400 steps, mean ± s.d. ($S - 1$ in the denominator); with `COURSE_BUDGET=full` 5 seeds, 4500 steps |
#
# <details><summary>I'm not sure where to start</summary>
#
# *Step:* write the plain LSTM step first. Then, for each gate, a mask that says which networks hold it:
# `torch.tensor([entry == name for entry in clamp])[:, None, None]` is `(N, 1, 1)`, and `torch.where(mask, 1.0, gate)` picks. What
# is not picked gets a gradient of exactly 0. *Scores:* `F.cross_entropy` wants the classes on axis 1, where
# `logits.movedim(-1, 1)` puts them; with `reduction="none"` you get one loss for each answer, `(N, B, T)`. `[..., -length:]` are
# the recalled steps.
# </details>


# %% role="answer" grade_id="gate-ablation"
def ablated_step(x, state, weights, clamp):
    """One step of N LSTMs side by side, each with one gate held at 1, or none.

    Args:
        x: (N, B, I), the inputs of one time step: B sequences for each of N networks.
        state: the pair (h, c) before the step, each (N, B, H).
        weights: dict of tensors "weight_ih" (N, 4H, I), "weight_hh" (N, 4H, H), "bias" (N, 4H).
            Blocks of 4H rows stand in the order i, f, g, o. Other entries,
            such as the output layer's weights, may be there too; the step does not use them.
        clamp: N entries, one for each network: "input", "forget" or "output" for the gate that is
            exactly 1 in this network, or None.

    Returns:
        The pair (h, c) after the step, each (N, B, H), in the dtype of x, and a dict of the gates as
        they were used, "input", "forget" and "output", each (N, B, H). Gradients flow through all of it, but none
        to the weights of a held gate.

    Raises:
        ValueError: an entry of clamp that is none of these four (the message names it), or not N
            entries.
    """
    ### BEGIN SOLUTION
    for entry in clamp:
        if entry not in (None, "input", "forget", "output"):
            raise ValueError(f"clamp must hold input, forget, output or None, got {entry!r}")
    if len(clamp) != len(x):
        raise ValueError(f"clamp must have one entry for each of {len(x)} networks, got {len(clamp)}")
    h, c = state
    total = x @ weights["weight_ih"].mT + h @ weights["weight_hh"].mT + weights["bias"][:, None]
    i, f, g, o = total.chunk(4, dim=-1)  # each (N, B, H)
    gates = {}
    for name, gate in (("input", i), ("forget", f), ("output", o)):
        held = torch.tensor([entry == name for entry in clamp])[:, None, None]  # (N, 1, 1)
        gates[name] = torch.where(held, 1.0, torch.sigmoid(gate))
    c = gates["forget"] * c + gates["input"] * torch.tanh(g)
    h = gates["output"] * torch.tanh(c)
    return (h, c), gates
    ### END SOLUTION


def memoryless_loss(delay, length, symbols=8):
    """Return the least mean loss over all steps of a predictor without memory, in nats per step.

    Args:
        delay: steps between the last symbol heard and the first answer.
        length: number of symbols; a sequence has delay + 2 · length steps.
        symbols: number of different ones, all equally likely.
    """
    ### BEGIN SOLUTION
    return length * np.log(symbols) / (delay + 2 * length)
    ### END SOLUTION


def copy_scores(logits, targets, length):
    """Score N networks on the copy task.

    Args:
        logits: (N, B, T, V).
        targets: (N, B, T) int64. The last `length` steps are the recalled part.
        length: number of symbols to recall, at least 1.

    Returns:
        loss: (N,), mean cross-entropy over all T steps, in nats per step. Differentiable.
        accuracy: (N,), floating point, each network's share of right answers (largest logit) in the
            recalled part only.
    """
    ### BEGIN SOLUTION
    losses = F.cross_entropy(logits.movedim(-1, 1), targets, reduction="none")  # (N, B, T)
    right = (logits.argmax(dim=-1) == targets)[..., -length:].to(logits.dtype)
    return losses.mean(dim=(1, 2)), right.mean(dim=(1, 2))
    ### END SOLUTION


def table_row(clamped, losses, accuracies):
    """Return a row of the table: one variant over its seeds.

    Args:
        clamped: "input", "forget", "output" or None.
        losses, accuracies: S numbers each, one for each seed, S at least 2.

    Returns:
        dict with "clamped" (the name, or "none" for None), "seeds" (S), "loss_mean", "loss_sd",
        "accuracy_mean" and "accuracy_sd": plain numbers (a NumPy float counts), standard deviations
        with S - 1 in the denominator.
    """
    ### BEGIN SOLUTION
    row = {"clamped": clamped or "none", "seeds": len(losses)}
    for name, values in (("loss", losses), ("accuracy", accuracies)):
        row[f"{name}_mean"] = float(np.mean(values))
        row[f"{name}_sd"] = float(np.std(values, ddof=1))
    return row
    ### END SOLUTION


# %% role="try"
gate_tiny = {"weight_ih": torch.zeros(2, 4, 1), "weight_hh": torch.zeros(2, 4, 1), "bias": torch.zeros(2, 4)}
gate_state = (torch.zeros(2, 1, 1), torch.ones(2, 1, 1))  # two networks whose cell holds 1
(_, c_new), gate_used = ablated_step(torch.zeros(2, 1, 1), gate_state, gate_tiny, [None, "forget"])
print({name: gate.flatten().tolist() for name, gate in gate_used.items()})  # 0.5 everywhere but in one place
print(c_new.flatten().tolist())  # the second network keeps its 1
row_now = table_row(None, [0.1, 0.2, 0.3], [0.5, 0.6, 0.7])
row_now = [f"{name} {v if isinstance(v, str | None) else f'{v:.4g}'}" for name, v in row_now.items()]
print(f"{memoryless_loss(20, 2):.4f};", ", ".join(row_now))

# %% [markdown]
# **Experiment.** Twelve networks in one stack: about half a minute. (You may run the test cell below first; it will miss only the
# table.)

# %% role="experiment"
from course_utils.checking import record
from course_utils.datasets.memory import copy_memory

gate_delay, gate_length, gate_size = 20, 2, 32
gate_variants = (None, "input", "forget", "output")
gate_seeds = range(runtime.steps(quick=3, default=3, full=5))
gate_steps = runtime.steps(quick=20, default=1400, full=4500)


def gate_start(seed):
    """First weights of one network: uniform in ±1/√H, forget bias 3."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {
        "weight_ih": (128, 10),
        "weight_hh": (128, 32),
        "bias": (128,),
        "head": (9, 32),
        "head_bias": (9,),
    }
    drawn = {k: (2 * torch.rand(s, generator=generator) - 1) / gate_size**0.5 for k, s in shapes.items()}
    drawn["bias"][gate_size : 2 * gate_size] = 3.0
    return drawn


def gate_answers(weights, tokens, clamp):
    """Logits (N, B, T, 9) of N networks to tokens (N, B, T)."""
    h = c = torch.zeros(*tokens.shape[:2], gate_size)
    states = []
    for x_t in F.one_hot(tokens, 10).float().unbind(2):
        (h, c), _ = ablated_step(x_t, (h, c), weights, clamp)
        states.append(h)
    hidden = torch.stack(states, dim=2)  # (N, B, T, H)
    return hidden @ weights["head"].mT[:, None] + weights["head_bias"][:, None, None]


gate_plan = [(variant, seed) for variant in gate_variants for seed in gate_seeds]
gate_clamp = [variant for variant, _ in gate_plan]
gate_begun = [gate_start(seed) for _, seed in gate_plan]
gate_weights = {k: torch.stack([w[k] for w in gate_begun]).requires_grad_() for k in gate_begun[0]}
gate_draws = [copy_memory(16 * gate_steps, gate_delay, length=gate_length, seed=seed) for seed in gate_seeds]
gate_heard, gate_due = (
    torch.stack(parts).repeat(len(gate_variants), 1, 1) for parts in zip(*gate_draws, strict=True)
)
gate_test_x, gate_test_y = copy_memory(500, gate_delay, length=gate_length, seed=10_000)
gate_test_x, gate_test_y = (part.expand(len(gate_plan), -1, -1) for part in (gate_test_x, gate_test_y))
gate_optimizer, gate_seen_at, gate_curves = torch.optim.Adam(gate_weights.values()), [], []
with runtime.single_thread():
    for gate_k in training.progress(range(gate_steps), "gate ablation"):
        gate_rows = slice(16 * gate_k, 16 * gate_k + 16)
        gate_loss, _ = copy_scores(
            gate_answers(gate_weights, gate_heard[:, gate_rows], gate_clamp),
            gate_due[:, gate_rows],
            gate_length,
        )
        if gate_k == 10:
            gate_early = gate_loss.view(len(gate_variants), -1)[:, 0].tolist()  # of seed 0
        gate_optimizer.zero_grad()
        gate_loss.sum().backward()
        gate_norms = torch.stack([w.grad.flatten(1).norm(dim=1) for w in gate_weights.values()])
        gate_norms = gate_norms.norm(dim=0)  # (N,), each network's own
        for gate_w in gate_weights.values():
            gate_w.grad *= (0.3 / gate_norms.clamp(min=0.3)).view(-1, *[1] * (gate_w.dim() - 1))
        gate_optimizer.param_groups[0]["lr"] = 0.03 * min(1, 2 * (1 - gate_k / gate_steps))
        gate_optimizer.step()
        if (gate_k + 1) % (gate_steps // 10) == 0:
            with torch.no_grad():
                gate_loss, gate_accuracy = copy_scores(
                    gate_answers(gate_weights, gate_test_x, gate_clamp), gate_test_y, gate_length
                )
            gate_seen_at.append(gate_k + 1)
            gate_curves.append(gate_accuracy.view(len(gate_variants), -1))

gate_results = (gate_loss.view(len(gate_variants), -1).tolist(), gate_curves[-1].tolist())
record(
    "gate-ablation",
    [
        {
            **table_row(variant, losses, accuracies),
            "delay": gate_delay,
            "length": gate_length,
            "steps": gate_steps,
            "loss_10": early,
        }
        for variant, losses, accuracies, early in zip(gate_variants, *gate_results, gate_early, strict=True)
    ],
)

gate_baseline = memoryless_loss(gate_delay, gate_length)
gate_colors = [plotting.BLACK, plotting.ORANGE, plotting.BLUE, plotting.GREEN]
gate_styles, gate_marks = ["-", "--", "-.", ":"], ["o", "s", "^", "D"]
gate_names = [variant or "none" for variant in gate_variants]
gate_curve = torch.stack(gate_curves).mean(dim=2)  # (points, variants)
fig, (gate_left, gate_right) = plt.subplots(1, 2, figsize=(10, 3.9), width_ratios=(1.3, 1))
for gate_j, name in enumerate(gate_names):
    gate_left.plot(
        gate_seen_at,
        gate_curve[:, gate_j],
        gate_styles[gate_j],
        color=gate_colors[gate_j],
        marker=gate_marks[gate_j],
        markersize=4,
        label=name,
    )
gate_left.axhline(1 / 8, color=plotting.GRAY, linewidth=1.2, label="chance, 1/8")
gate_left.set(xlabel="training step", ylabel="accuracy on the recalled part", ylim=(0, 1.03))
gate_left.legend(title="held at 1", loc="center right", bbox_to_anchor=(1.0, 0.4), fontsize="small")
for gate_j, gate_losses in enumerate(gate_results[0]):
    gate_right.bar(
        gate_j,
        np.mean(gate_losses),
        yerr=np.std(gate_losses, ddof=1),
        color=gate_colors[gate_j],
        capsize=4,
        alpha=0.8,
    )
gate_right.axhline(
    gate_baseline, color=plotting.GRAY, linewidth=1.5, label=f"memoryless, {gate_baseline:.3f}"
)
gate_right.set_xticks(range(len(gate_names)), gate_names)
gate_right.set(xlabel="gate held at 1", ylabel="loss (nats per step, all steps)")
gate_right.set_ylim(0, 1.25 * max(gate_baseline, *map(np.mean, gate_results[0])))
gate_right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), fontsize="small")
plotting.show(
    fig,
    alt="Left: accuracy of recall over training, one line a variant, means over seeds, with a line at "
    "chance. Right: their final losses as bars with their spread, and a line at the memoryless baseline.",
)

# %% role="test" grade_id="gate-ablation-test" points=10
import math

import numpy as np
import torch

from course_utils.checking import (
    as_array,
    checking,
    expect,
    expect_close,
    expect_raises,
    expect_shape,
    forbid,
    student,
)

with student.without("rnn"), checking("gate-ablation") as check:
    with check.part("four networks of one unit, all weights zero"):
        gate_none = {
            "weight_ih": torch.zeros(4, 4, 1),
            "weight_hh": torch.zeros(4, 4, 1),
            "bias": torch.zeros(4, 4),
            "head": torch.zeros(4, 9, 1),
        }
        gate_full_cell = (torch.zeros(4, 1, 1), torch.ones(4, 1, 1))
        gate_result = student.ablated_step(
            torch.zeros(4, 1, 1), gate_full_cell, gate_none, [None, "input", "forget", "output"]
        )
        gate_well = (
            isinstance(gate_result, tuple | list)
            and len(gate_result) == 2
            and isinstance(gate_result[1], dict)
        )
        expect(gate_well, "ablated_step should return ((h, c), gates), gates a dict")
        (gate_h, gate_c), gate_used = gate_result
        expect(
            set(gate_used) == {"input", "forget", "output"},
            "the dict of gates should have the keys input, forget and output",
        )
        expect_shape(gate_h, (4, 1, 1), what="h of 4 networks, 1 sequence, 1 unit")
        expect_close(
            as_array(gate_c, "c").ravel(),
            [0.5, 0.5, 1.0, 0.5],
            what="c after one step from c = 1",
            suspects={
                "the gate is held at 0; hold it at 1": [0.5, 0.5, 0.0, 0.5],
                "the sum before the sigmoid is set to 1; the gate itself should be 1": [
                    0.5,
                    0.5,
                    0.7311,
                    0.5,
                ],
                "no gate is held": [0.5] * 4,
                "a gate is held in all networks": [1.0] * 4,
            },
            rtol=1e-4,
            reveal=True,
        )
    with check.part("scores of one answer each"):
        gate_said = torch.tensor([[[[0.0, 0.0], [5.0, 0.0]]]])
        gate_scores = student.copy_scores(gate_said, torch.tensor([[[0, 1]]]), 1)
        expect(
            isinstance(gate_scores, tuple | list) and len(gate_scores) == 2,
            "copy_scores should return two tensors, loss and accuracy",
        )
        for name, gate_score, gate_right in zip(
            ("loss", "accuracy"), gate_scores, (2.8499, 0.0), strict=True
        ):
            expect_shape(
                gate_score,
                (1,),
                what=f"{name} of one network",
                suspects={"keep one number for each network": ()},
            )
            expect_close(gate_score, [gate_right], what=f"{name} of one network", atol=1e-3, reveal=True)
    with check.part("the form of a row"):
        gate_row = student.table_row(None, [0.1, 0.3], [0.5, 0.7])
        gate_keys = ["clamped", "seeds", "loss_mean", "loss_sd", "accuracy_mean", "accuracy_sd"]
        expect(
            isinstance(gate_row, dict) and set(gate_row) == set(gate_keys),
            "table_row should return a dict with " + ", ".join(gate_keys),
        )
        expect(
            gate_row["clamped"] == "none",
            f"table_row(None, …) is the row called 'none', not {gate_row['clamped']!r}",
        )
        expect_shape(student.memoryless_loss(4, 3), (), what="memoryless_loss(4, 3)")
    with check.part("the table is recorded"):
        if any(row.get("steps") == 20 for row in student.recorded("gate-ablation")):
            print("Remark: this table is from COURSE_BUDGET=quick; run the study again with default.")
    ### BEGIN HIDDEN TESTS
    from course_utils import runtime
    from course_utils.datasets.memory import copy_memory

    gate_names = ("input", "forget", "output")
    library = ("torch.nn.LSTM*", "torch.nn.RNN*", "torch.nn.GRU*")
    own_step = "write the step yourself: the library's recurrent layers do not count"

    def waves(n, b, width, size):
        """Input, state and weights from sines, in float64."""
        wave = torch.sin(1.7 * torch.arange(1, 20_000, dtype=torch.float64) + 0.3)
        shapes = [(n, b, width), (n, b, size), (n, b, size)]
        shapes += [(n, 4 * size, width), (n, 4 * size, size), (n, 4 * size)]
        values = []
        for shape in shapes:
            values.append(wave[: math.prod(shape)].reshape(shape))
            wave = wave[math.prod(shape) :]
        x, h, c, *w = values
        return x, (0.6 * h, 1.5 * c), dict(zip(("weight_ih", "weight_hh", "bias"), w, strict=True))

    def stepped(x, state, w, clamp, slip=None):
        """The equations, and what a slip makes of them: h, c and the three gates."""
        h, c = state[::-1] if slip == "exchanged" else state
        total = torch.einsum("nbi,nki->nbk", x, w["weight_ih"]) + torch.einsum(
            "nbh,nkh->nbk", h, w["weight_hh"]
        )
        total = total + w["bias"][:, None] * {"no bias": 0, "two biases": 2}.get(slip, 1)
        blocks = {"ifog": (0, 1, 3, 2), "figo": (1, 0, 2, 3)}.get(slip, (0, 1, 2, 3))
        cut = total.chunk(4, dim=-1)
        a = dict(zip(("input", "forget", "g", "output"), (cut[block] for block in blocks), strict=True))
        gates, g = {}, (torch.sigmoid if slip == "g sigmoid" else torch.tanh)(a["g"])
        for name in gate_names:
            other = {
                "in for forget": {"input": "forget", "forget": "input"},
                "in for output": {"input": "output", "output": "input"},
                "forget for output": {"forget": "output", "output": "forget"},
            }.get(slip, {})
            held = torch.tensor([other.get(entry, entry) == name for entry in clamp])[:, None, None]
            held = {
                "never": torch.zeros_like(held),
                "any": torch.full_like(held, bool(held.any())),
                "first": torch.full_like(held, clamp[0] == name),
                "last": torch.full_like(held, clamp[-1] == name),
                "others": torch.tensor([e is not None and e != name for e in clamp])[:, None, None],
            }.get(slip, held)
            free = torch.sigmoid(a[name])
            fixed = {
                "zero": torch.zeros_like(free),
                "half": torch.full_like(free, 0.5),
                "sum": torch.sigmoid(torch.ones_like(free)),
                "large": torch.sigmoid(torch.full_like(free, 10.0)),
                "bias": torch.sigmoid(a[name] + 10),
                "small": torch.sigmoid(a[name] + 5),
            }.get(slip, torch.ones_like(free))
            gates[name] = torch.where(held, fixed, free)
        new = gates["forget"] * c + gates["input"] * g
        if slip == "coupled":
            new = gates["forget"] * c + (1 - gates["forget"]) * g
        if slip == "g held":
            held = torch.tensor([entry == "input" for entry in clamp])[:, None, None]
            new = gates["forget"] * c + torch.where(held, gates["input"], gates["input"] * g)
        out = gates["output"] * torch.tanh(new)
        if slip == "bare":
            held = torch.tensor([entry == "output" for entry in clamp])[:, None, None]
            out = torch.where(held, new, out)
        if slip == "bare always":
            out = gates["output"] * new
        return [new, out, *gates.values()] if slip == "back" else [out, new, *gates.values()]

    slips = {
        "no gate is held": "never",
        "a gate that one network holds is held in all of them; clamp has an entry for each": "any",
        "the first entry of clamp is applied to all networks": "first",
        "the last entry of clamp is applied to all networks": "last",
        "the two other gates are held": "others",
        "the gate is held at 0; hold it at 1": "zero",
        "the held gate is 1/2: its weights are set to zero, but σ(0) is not 1": "half",
        "the sum before the sigmoid is set to 1; the gate itself should be 1, and σ(1) = 0.73": "sum",
        "a large number goes through the sigmoid: close to 1, not exactly": "large",
        "a large bias opens the gate nearly: close to 1, not exactly": "bias",
        "a larger bias opens the gate a bit; it should be exactly 1": "small",
        "input and forget gate are exchanged": "in for forget",
        "input and output gate are exchanged": "in for output",
        "forget and output gate are exchanged": "forget for output",
        "the candidate g is held too": "g held",
        "h is c where the output gate is held; tanh(c) was asked for": "bare",
        "h is o times c; the tanh of the cell is missing": "bare always",
        "h and c come back in the wrong order": "back",
        "h and c of the state before are exchanged": "exchanged",
        "the blocks are cut as i, f, o, g; their order is i, f, g, o": "ifog",
        "the blocks are cut as f, i, g, o; their order is i, f, g, o": "figo",
        "the bias is left out": "no bias",
        "the bias is added twice; there is one for each gate": "two biases",
        "the candidate is weighted with 1 - f; it should be the input gate": "coupled",
        "the candidate has a sigmoid; it passes a tanh, so that it can be negative": "g sigmoid",
    }

    def taken(x, state, w, clamp):
        """h, c and the gates of the student's step."""
        result = student.ablated_step(x, state, w, clamp)
        well = isinstance(result, tuple | list) and len(result) == 2 and isinstance(result[1], dict)
        expect(well, "ablated_step should return ((h, c), gates), gates a dict")
        pair, gates = result
        expect(isinstance(pair, tuple | list) and len(pair) == 2, "the new state should be a pair, (h, c)")
        expect(
            set(gates) == set(gate_names), "the dict of gates should have the keys input, forget and output"
        )
        return [*pair, *(gates[name] for name in gate_names)]

    def compare(got, x, state, w, clamp, what):
        right = stepped(x, state, w, clamp)
        free = stepped(x, state, w, [None] * len(clamp))
        reported = [as_array(part, "a gate") for part in got[2:]]
        if any(clamp) and all(
            np.shape(a) == b.shape and np.allclose(a, b) for a, b in zip(reported, free[2:], strict=True)
        ):
            expect_close(
                got[:2], right[:2], what=what.replace("h, c and gates", "h and c"), rtol=1e-6, atol=1e-7
            )
            expect(
                False, f"{what}: h and c are right, but the gates are given as they were before one was held"
            )
        expect_close(
            got,
            right,
            what=what,
            suspects={
                text: (lambda slip=slip: stepped(x, state, w, clamp, slip)) for text, slip in slips.items()
            },
            rtol=1e-6,
            atol=1e-7,
        )

    with check.part("nothing held: the library's LSTM", points=1):
        forbid("ablated_step", *library, why=own_step)
        x, state, w = waves(2, 4, 3, 5)
        got = taken(x, state, w, [None, None])
        compare(got, x, state, w, [None, None], "h, c and gates with nothing held")
        for n in range(2):
            cell = torch.nn.LSTMCell(3, 5).double()
            own = {name: w[name][n] for name in ("weight_ih", "weight_hh")}
            cell.load_state_dict({**own, "bias_ih": w["bias"][n], "bias_hh": 0 * w["bias"][n]})
            for name, mine, theirs in zip("hc", got, cell(x[n], (state[0][n], state[1][n])), strict=False):
                expect_close(mine[n], theirs, what=f"{name} of network {n} beside torch.nn.LSTMCell")
    for name in gate_names:
        with check.part(f"the {name} gate held at exactly 1", points=1):
            forbid("ablated_step", *library, why=own_step)
            x, state, w = waves(2, 4, 3, 5)
            clamp = [name, name]
            for step in range(3):
                got = taken(5 * x, state, w, clamp)
                compare(
                    got, 5 * x, state, w, clamp, f"h, c and gates at step {step} with the {name} gate held"
                )
                gate = as_array(got[2 + gate_names.index(name)], name)
                expect(
                    bool((gate == 1).all()),
                    f"the {name} gate is not 1 somewhere, the least is {float(gate.min())!r}; held, it is exactly 1 at every step",
                )
                state = stepped(5 * x, state, w, clamp)[:2]
    with check.part("each network holds its own gate", points=0.5):
        forbid("ablated_step", *library, why=own_step)
        x, state, w = waves(5, 3, 2, 4)
        for clamp in (
            ["output", None, "input", "forget", None],
            [None, "forget", "forget", None, "output"],
            ["input", "output", None, None, "input"],
        ):
            got = taken(x, state, {**w, "head": x}, clamp)  # one entry more than the step needs
            compare(got, x, state, w, clamp, f"h, c and gates with clamp {clamp}")
        for dtype in (torch.float32, torch.float64):
            single = [
                x.to(dtype),
                tuple(part.to(dtype) for part in state),
                {k: v.to(dtype) for k, v in w.items()},
            ]
            for part in taken(*single, clamp)[:2]:
                expect(
                    getattr(part, "dtype", None) is dtype,
                    f"x is {dtype} and the new state {getattr(part, 'dtype', None)}",
                )
    with check.part("what clamp may not be", points=0.5):
        x, state, w = waves(2, 1, 1, 2)
        student.ablated_step(x, state, w, ["input", None])
        for clamp, what in (
            (["candidate", None], "candidate"),
            ([None, "Forget"], "Forget"),
            (["none", "input"], "none"),
            (["input", ""], ""),
        ):
            expect_raises(
                ValueError,
                lambda clamp=clamp: student.ablated_step(x, state, w, clamp),
                f"clamp {clamp}",
                mentions=what,
            )
        for clamp in (["input"], ["input", None, "output"], []):
            expect_raises(
                ValueError,
                lambda clamp=clamp: student.ablated_step(x, state, w, clamp),
                f"clamp {clamp} for two networks",
            )
    with check.part("a held gate learns nothing, the rest does", points=1):
        forbid("ablated_step", *library, why=own_step)
        x, state, w = waves(4, 3, 2, 5)
        clamp = [None, "input", "forget", "output"]
        pulls = [torch.cos(3 * state[0]) + 0.5, torch.cos(5 * state[1]) - 0.3]
        leaves = [part.clone().requires_grad_() for part in (x, *state, *w.values())]
        out = stepped(leaves[0], leaves[1:3], dict(zip(w, leaves[3:], strict=True)), clamp)
        want = torch.autograd.grad(sum((a * b).sum() for a, b in zip(out, pulls, strict=False)), leaves)
        nothing = [torch.zeros_like(state[0])] * 3
        # The gates come back in the student's own order; they get no weight, whatever the order.
        got = student.backward(student.ablated_step, x, state, w, clamp, weights=[*pulls, *nothing]).inputs
        names = ["x", "h", "c", *w]
        for name, value in zip(names, got, strict=True):
            expect(
                value is not None,
                f"no gradient reaches {name}: is something detached or turned into numbers?",
            )
        for name, value in zip(w, got[3:], strict=True):
            for n, block, gate in ((1, 0, "input"), (2, 1, "forget"), (3, 3, "output")):
                mine = as_array(value, name)[n, 5 * block : 5 * block + 5]
                expect(
                    bool((mine == 0).all()),
                    f"the {gate} gate is held, and its rows of {name} still get a gradient",
                )
        for name, value, right in zip(names, got, want, strict=True):
            expect_close(value, right, what=f"gradient of {name}")
    with check.part("loss over all steps, accuracy on the recalled part", points=1.5):
        wave = torch.sin(2.3 * torch.arange(1, 2000, dtype=torch.float64))
        for length in (2, 1, 3):
            logits = 3 * wave[: 3 * 4 * 6 * 5].reshape(3, 4, 6, 5)
            targets = logits.argmax(-1).roll(length, dims=1)
            targets[0] = torch.where(wave[500:524].reshape(4, 6) > -0.5, logits[0].argmax(-1), targets[0])
            targets[1, :, -1] = logits[1, :, -1].argmax(-1)
            costs = torch.logsumexp(logits, -1) - logits.gather(-1, targets[..., None])[..., 0]
            right = (logits.argmax(-1) == targets).double()
            loss, accuracy = costs.mean((1, 2)), right[..., -length:].mean((1, 2))
            scores = student.copy_scores(logits, targets, length)
            expect(
                isinstance(scores, tuple | list) and len(scores) == 2,
                "copy_scores should return two tensors, loss and accuracy",
            )
            expect_close(
                scores[0],
                loss,
                what="loss",
                suspects={
                    "this is the loss of the recalled part; the loss over all steps was asked for": costs[
                        ..., -length:
                    ].mean((1, 2)),
                    "losses are added up; the mean over sequences and steps was asked for": costs.sum((1, 2)),
                    "losses of the steps are added up; the mean was asked for": costs.sum(2).mean(1),
                    "the recalled part's losses are divided by all steps": costs[..., -length:].sum(2).mean(1)
                    / 6,
                    "this is in bits; nats were asked for": loss / math.log(2),
                    "all networks share one mean": loss.mean().expand(3),
                    "this is the accuracy; loss comes first": accuracy,
                },
            )
            expect_close(
                scores[1],
                accuracy,
                what="accuracy",
                suspects={
                    "steps before the recalled part are counted too; right blanks are no memory": right.mean(
                        (1, 2)
                    ),
                    "the first steps are counted; the recalled part is the last": right[..., :length].mean(
                        (1, 2)
                    ),
                    "only the last step is counted": right[..., -1].mean(1),
                    "the recalled part ends with the last step; that one is left out": right[
                        ..., -length - 1 : -1
                    ].mean((1, 2)),
                    "a sequence counts only if all its symbols are right; count single symbols": right[
                        ..., -length:
                    ]
                    .prod(-1)
                    .mean(1),
                    "right answers are counted; their share was asked for": right[..., -length:].sum((1, 2)),
                    "this is a percentage; a share was asked for": 100 * accuracy,
                    "wrong answers are counted": 1 - accuracy,
                    "all networks share one accuracy": accuracy.mean().expand(3),
                },
            )
        far = torch.tensor([[[[500.0, 0.0, -500.0]]]])
        expect_close(
            student.copy_scores(far, torch.tensor([[[2]]]), 1)[0],
            [1000.0],
            what="loss of logits ±500 (work with log-softmax, not with the log of a softmax)",
        )
        slope = student.backward(student.copy_scores, logits, targets, 2, weights=[torch.ones(3)]).inputs[0]
        expect(
            slope is not None, "no gradient reaches the logits: is something detached or turned into numbers?"
        )
        hot = torch.nn.functional.one_hot(targets, 5)
        expect_close(slope, (torch.softmax(logits, -1) - hot) / 24, what="gradient of the loss by the logits")
    with check.part("the memoryless baseline", points=0.5):
        for delay, length, symbols in ((20, 2, 8), (100, 10, 8), (7, 3, 4)):
            steps, cost = delay + 2 * length, math.log(symbols)
            got = student.memoryless_loss(delay, length, symbols)
            expect_close(
                got,
                length * cost / steps,
                what=f"memoryless_loss({delay}, {length}, {symbols})",
                suspects={
                    "this is the loss per recalled symbol; over all steps most answers are blanks that cost nothing": cost,
                    "this is the loss of a whole sequence; per step was asked for": length * cost,
                    "this is in bits; nats were asked for": length * math.log2(symbols) / steps,
                    "a sequence has delay + 2 · length steps; the symbols heard are missing": length
                    * cost
                    / (delay + length),
                    "a sequence has delay + 2 · length steps, not delay": length * cost / delay,
                    "delay + 20 is for ten symbols": length * cost / (delay + 20),
                    "the baseline is ten symbols long, whatever length says": 10 * cost / (delay + 20),
                    "each of the symbols costs its share: the length is missing": cost / steps,
                    "symbols is ignored": length * math.log(8) / steps,
                    "a blank is no possible answer in the recalled part: the network knows when it is due": length
                    * math.log(symbols + 1)
                    / steps,
                },
            )
        expect_close(student.memoryless_loss(30, 5), 5 * math.log(8) / 40, what="memoryless_loss(30, 5)")
    with check.part("mean and spread over seeds", points=1):
        for clamped, losses, shares in (
            ("forget", [0.021, 0.054, 0.033], [0.932, 0.881, 0.993]),
            (None, [0.173, 0.171], [0.125, 0.14]),
            ("output", [0.1, 0.3, 0.2, 0.25], [0.4, 0.9, 0.6, 0.1]),
            ("input", [0.17, 0.17, 0.18], [0.12, 0.13, 0.12]),
        ):
            row = student.table_row(clamped, losses, shares)
            names = ["clamped", "seeds", "loss_mean", "loss_sd", "accuracy_mean", "accuracy_sd"]
            expect(
                isinstance(row, dict) and set(row) == set(names),
                "table_row should return a dict with " + ", ".join(names),
            )
            expect(row["clamped"] == (clamped or "none"), f"clamped should be {clamped or 'none'!r}")
            expect_close(row["seeds"], len(losses), what="seeds")
            for kind, values in (("loss", np.array(losses)), ("accuracy", np.array(shares))):
                other = np.array(shares if kind == "loss" else losses)
                expect_close(
                    row[f"{kind}_mean"],
                    values.mean(),
                    what=f"{kind}_mean",
                    suspects={
                        "losses and accuracies are exchanged": other.mean(),
                        "this is the median": np.median(values),
                        "this is the best seed; the mean over all was asked for": (
                            values.min() if kind == "loss" else values.max()
                        ),
                        "this is a sum": values.sum(),
                        "this is rounded; give the mean as it is": round(values.mean(), 2),
                    },
                )
                sd = values.std(ddof=1)
                expect_close(
                    row[f"{kind}_sd"],
                    sd,
                    what=f"{kind}_sd",
                    suspects={
                        "S is in the denominator; S - 1 was asked for": values.std(),
                        "this is the variance": sd**2,
                        "this is the standard error, divided by √S": sd / math.sqrt(len(values)),
                        "this is the range": np.ptp(values),
                        "losses and accuracies are exchanged": other.std(ddof=1),
                    },
                )
    # The table comes from the experiment. Where only answer and test run, as in the bank, the answer records one itself.
    with check.part("the table", points=0.5):
        rows = student.recorded("gate-ablation")
        names = ["loss_mean", "loss_sd", "accuracy_mean", "accuracy_sd"]
        columns = ["clamped", "seeds", *names, "delay", "length", "steps", "loss_10"]
        expect(len(rows) > 0, "the table has no rows")
        for row in rows:
            expect(set(row) == set(columns), f"the table's columns should be {', '.join(columns)}")
            for name in columns[1:]:
                numeric = isinstance(row[name], int | float) and not isinstance(row[name], bool)
                expect(numeric, f"{name} is no number: {str(row[name])[:20]!r}")
        found = [str(row["clamped"]) for row in rows]
        for name in ("none", *gate_names):
            expect(name in found, f"no row for {name}")
        expect(len(found) == 4, "the table should hold one row for each of the four variants")
        for name in ("delay", "length", "steps"):
            expect(
                len({row[name] for row in rows}) == 1, f"the variants differ in {name}: no fair comparison"
            )
        for row in rows:
            place = f"row {row['clamped']}"
            expect(row["seeds"] >= 3, f"{place}: a spread needs at least 3 seeds, not {row['seeds']}")
            expect(row["loss_mean"] >= 0, f"{place}: a cross-entropy is not negative")
            expect(
                0 <= row["accuracy_mean"] <= 1,
                f"{place}: an accuracy lies in 0..1, this is {row['accuracy_mean']:.3g}",
            )
            expect(
                0 <= row["accuracy_sd"] <= 0.6,
                f"{place}: no accuracies have a spread of {row['accuracy_sd']:.3g}",
            )
            expect(row["loss_sd"] >= 0, f"{place}: a standard deviation is not negative")
            # A symbol that is not the first choice has at most probability 1/2, so each error costs ln 2 or more.
            steps = row["delay"] + 2 * row["length"]
            least = math.log(2) * (1 - row["accuracy_mean"]) * row["length"] / steps
            expect(
                row["loss_mean"] >= 0.98 * least,
                f"{place}: with that accuracy the loss over all steps is at least {least:.3f}; is it over other steps?",
            )
        expect(
            any(row["loss_sd"] > 0 for row in rows), "every spread is 0: did each seed train its own network?"
        )
        expect(len({row["loss_mean"] for row in rows}) > 1, "all variants have one loss: were they all run?")

    def trained_again():
        """Losses of seed 0 after 10 updates, as in the experiment: each variant's."""
        generator = torch.Generator().manual_seed(0)
        shapes = {"weight_ih": (128, 10), "weight_hh": (128, 32), "bias": (128,), "head": (9, 32)}
        shapes["head_bias"] = (9,)
        drawn = {
            name: (2 * torch.rand(size, generator=generator) - 1) / 32**0.5 for name, size in shapes.items()
        }
        drawn["bias"][32:64] = 3.0
        flat = torch.cat([value.flatten() for value in drawn.values()]).repeat(4, 1)  # (N, all weights)
        mean, square = torch.zeros_like(flat), torch.zeros_like(flat)
        batches = copy_memory(16 * 11, 20, length=2, seed=0)
        for k, (tokens, targets) in enumerate(
            zip(*(part.split(16) for part in batches), strict=True), start=1
        ):
            flat.requires_grad_()
            cut = flat.split([value.numel() for value in drawn.values()], dim=1)
            w = {name: part.view(4, *drawn[name].shape) for name, part in zip(drawn, cut, strict=True)}
            h = c = torch.zeros(4, 16, 32)
            states = []
            for x_t in torch.nn.functional.one_hot(tokens, 10).float().expand(4, -1, -1, -1).unbind(2):
                h, c, *_ = stepped(x_t, (h, c), w, [None, *gate_names])
                states.append(h)
            logits = torch.stack(states, dim=2) @ w["head"].mT[:, None] + w["head_bias"][:, None, None]
            loss = -logits.log_softmax(-1).gather(-1, targets.expand(4, -1, -1)[..., None]).mean((1, 2, 3))
            (slope,) = torch.autograd.grad(loss.sum(), flat)
            slope = slope * 0.3 / slope.norm(dim=1, keepdim=True).clamp(min=0.3)
            mean.lerp_(slope, 0.1)  # Adam
            square.lerp_(slope**2, 0.001)
            flat = flat.detach() - 0.03 * mean / (1 - 0.9**k) / ((square / (1 - 0.999**k)).sqrt() + 1e-8)
        return dict(zip(("none", *gate_names), loss.tolist(), strict=True))  # of batch 11

    with check.part("a quick re-run agrees", points=0.5):
        rows = [
            row for row in student.recorded("gate-ablation") if row.get("clamped") in ("none", *gate_names)
        ]
        expect(len(rows) > 0, "the table has no row of a variant")
        with runtime.single_thread():
            again = trained_again()
        for row in rows:
            got, want = row.get("loss_10"), again[row["clamped"]]
            numeric = isinstance(got, int | float)
            said = f"{got:.4g}" if numeric else str(got)[:20]
            expect(
                numeric and math.isclose(got, want, rel_tol=1e-3),
                f"row {row['clamped']}: the loss after 10 updates is {want:.4g} when trained again, the table says {said}: run "
                "the study again after your last change; ablated_step and copy_scores have to be right first",
            )
    ### END HIDDEN TESTS

# %% [markdown]
# ### Read the table of the ablation
# *1 point · 2 minutes · difficulty 2*
#
# - `most_critical`: which gate, held at 1, leaves the network without memory? `"input"`, `"forget"` or `"output"`.
# - `forget_held`: where is the loss of the network whose forget gate is held at 1? `"near the memoryless loss"` or
#   `"far below the memoryless loss"` (below half of it).

# %% role="answer" grade_id="gate-ablation-reading"
### BEGIN SOLUTION
most_critical = "input"  # "input", "forget" or "output"
forget_held = "far below the memoryless loss"  # one of the two texts above
### END SOLUTION

# %% role="test" grade_id="gate-ablation-reading-test" points=1
import re

from course_utils.checking import checking, chosen_of, expect_choice, student

gate_options = ["input", "forget", "output"]
gate_places = ["near the memoryless loss", "far below the memoryless loss"]


def critical_gate():
    """The student's gate: "input gate" counts as "input"."""
    value = student.most_critical
    return re.sub(r"(?i)[\s_-]*gate\s*\.?\s*$", "", value) if isinstance(value, str) else value


with checking("gate-ablation-reading") as check:
    with check.part("a gate is chosen"):
        chosen_of(critical_gate(), gate_options, "most_critical")
    with check.part("a place is chosen"):
        chosen_of(student.forget_held, gate_places, "forget_held")
    ### BEGIN HIDDEN TESTS
    with check.part("the most critical gate", points=0.5):
        expect_choice(
            critical_gate(),
            "input",
            gate_options,
            what="most_critical",
            suspects={
                "forget": "often called the most important one; compare its accuracy with chance, 1/8",
                "output": "compare its accuracy with chance, 1/8, and with the other rows",
            },
        )
    with check.part("without a forget gate", points=0.5):
        expect_choice(
            student.forget_held,
            "far below the memoryless loss",
            gate_places,
            what="forget_held",
            suspects={
                "near the memoryless loss": "held at 1 it keeps everything, it does not forget; compare its loss with the gray line"
            },
        )
    ### END HIDDEN TESTS

# %% [markdown] role="written" grade_id="gate-ablation-conclusion" points=4
# ### Conclude: which gate is most critical
# *4 points · 15 minutes · difficulty 4 · marked by hand*
#
# Write the conclusion of this study, eight to twelve sentences, on your own table.
#
# | what earns points | points |
# |---|---|
# | Answers from the table: mean ± s.d. of all four variants, beside the memoryless loss and chance, and which differences are larger than the spread | 1 |
# | Explains the most critical gate: what a cell without it does at each of the 20 waiting steps | 1 |
# | Explains why the forget gate can be spared here, what "held at 1" means for the cell and how it differs from 0, and names a task in which it could not | 1 |
# | Names two limits of the study and one run that would test a limit | 1 |
#
# ### BEGIN SOLUTION
# Held at 1, the input gate is the one that this task cannot spare. Over three seeds the loss is 0.023 ± 0.024 nats per step with
# all gates, 0.011 ± 0.010 without a forget gate and 0.011 ± 0.007 without an output gate, but 0.1734 ± 0.0001 without an input
# gate: the memoryless loss, 0.1733. Recall is right in 92 ± 12 %, 98 ± 2 % and 99.7 ± 0.5 % against 14 ± 1 %, near the 12.5 % of
# chance. The first three differ by less than their spread, so I do not rank them; the fourth differs by many times it.
#
# With $i_t = 1$ every step writes $g_t$ into the cell, also each of the 20 waiting steps. Unless $g_t$ is almost exactly 0 at a
# blank, in every unit that remembers and whatever $h$ holds, the sum of 20 such terms buries two symbols that were written once.
# A small $i_t$ is how the full network avoids that. It could do without, with weights that make $g_t$ vanish at a blank, so the
# gate is needed to *learn* the task within these steps, not to represent it.
#
# The forget gate at 1 keeps everything, $c_t = c_{t-1} + i_t \odot g_t$; at 0 it would drop the cell at every step and leave
# $h_{t-1}$ only. Within a sequence of this task nothing has to be erased, so a gate that never erases costs nothing; it also
# keeps the gradient along the cell at exactly 1, and a forget bias of 3 brings the full network close to it from the start. The
# output gate can go since the head may tell from the mark, which also passes through the cell, when to speak. In a stream of copy
# tasks without a reset, or where a unit must follow the depth of brackets and start anew, old content has to go, and the ranking
# would change.
#
# Limits: one delay and one learning rate, and a forget bias that favors long memory; two symbols and three seeds; gates held
# during training, so that the rest could adapt, which is not the same as holding one in a trained network. My explanation
# predicts that the input gate is needed the less the shorter the wait. So I would repeat the study with delays 1, 5 and 20: if it
# is right, the variant without an input gate learns at 1 and fails at 20.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# Mark against the student's own table. First criterion: a ranking of none, forget and output that ignores their spread earns 0.5.
# Second: the point is that every waiting step writes into the cell; "the input gate is important" earns nothing. Third: 0.5
# without a task in which forgetting is needed, or if 1 and 0 are mixed up. Fourth: 0.5 for two limits without a run; limits may
# be the forget bias of 3, one delay, two symbols, few seeds, one learning rate, short training, gates held from the start rather
# than in a trained network. Full credit also for "cannot be learned in this budget", as against "cannot be represented". Measured
# for you (three seeds, 1400 steps, input gate at 1): recall 1.00 at delay 1, 0.97 ± 0.05 at delay 5, chance at delay 20.
# ### END MARK SCHEME

# %% [markdown]
# ## Scoreboard
#
# What the visible checks say so far. Hidden tests look deeper; a row of marks here means that you are on the right path.
# Save now: the tables of the two projects are handed in with the notebook.

# %% role="scoreboard"
from course_utils.checking import scoreboard

scoreboard.show({{questions}})
