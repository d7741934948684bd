# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Sequences and recurrent networks
#
# *not a dull minute*. Four words, and a critic's verdict that you read without effort. Cover them and
# uncover one at a time. At *dull* the review sounds bad, unless you still hold on to *not*. Reading takes a
# memory, and this notebook builds the smallest network that has one.
#
# By the end you will be able to
#
# - say which arrangement of inputs and outputs a task needs, and why;
# - write the equations of a recurrent network, give the shape of everything in them, and count its
#   parameters;
# - program its forward pass in NumPy and its cell in PyTorch, and train both a classifier and a forecaster;
# - find out by experiment which activation and which initialization learn to remember, and what it costs to
#   let one document's memory leak into the next.
#
# **Time:** about {{minutes}} minutes. **Points:**
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
# 4. Restart the kernel and run everything, press **Validate**, save, and submit.
#
# Theory is quick: most of its questions cost a few minutes and a pencil. Each heading gives points, minutes
# and difficulty (1 easy to 5 hard). Keep the two projects for last: together they need more than an hour.
#
# Training cells ask for their number of steps. The environment variable `COURSE_BUDGET` sets it before
# JupyterLab starts: `default` suits a laptop, `quick` only shows that a cell runs, `full` is for a free
# evening.

# %% role="setup" grade_id="setup"
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

from course_utils import plotting, runtime, training

plotting.use_course_style()
runtime.seed_everything(1)
print(f"device: {runtime.device()}, budget: {runtime.budget()}")

# %% [markdown]
# ## The idea in brief
#
# Give the network one word at a time, as a vector $x_t$. It keeps a vector $h_t$, the **hidden state**, and
# at every step makes the new state from the new word and the old state:
#
# $$h_t = \tanh(W_{xh}\, x_t + W_{hh}\, h_{t-1} + b_h), \qquad y_t = W_{hy}\, h_t + b_y .$$
#
# That is all of it. $W_{xh}$ reads the word, $W_{hh}$ reads the memory, $W_{hy}$ turns memory into an
# output, and $h_0$ is usually zero. When *dull* arrives as $x_3$, the trace of *not* is in $h_2$ and enters
# through $W_{hh}$: the same word, after a different past, gives a different state.
#
# | symbol | what | shape |
# |---|---|---|
# | $x_t$ | input at step $t$ | $I$ |
# | $h_t$ | hidden state | $H$ |
# | $y_t$ | output | $O$ |
# | $W_{xh}$, $W_{hh}$, $W_{hy}$ | weights | (to, from), as in $W_{xh}$: $H \times I$ |
# | $b_h$, $b_y$ | biases | $H$, $O$ |
#
# Now **unroll** the loop: draw the network once for every word. The picture grows with the review; the
# network does not. Every copy uses the same $W_{xh}$, $W_{hh}$ and $b_h$ (**weight sharing**), so what it
# learned about *dull* in third place holds in thirtieth place too, and a review of any length will do. Here
# only the last state is read, since one verdict is wanted.

# %% role="show"
plotting.show(
    plotting.unrolled_network("many-to-one", steps=4),
    alt="Left: a recurrent network as a box with a loop. Right: the same network drawn once for each of four words; "
    "each state feeds the next through the same matrix, and the one output is read from the last state.",
)

# %% [markdown]
# In code, a batch of $B$ reviews of $T$ words is an array of shape $(B, T, I)$: **batch first**, here and
# in every notebook. The words of one step are then the rows of a matrix $(B, I)$, and $W_{xh}\,x_t$ becomes
# `x[:, t] @ W_xh.T`.

# %% [markdown]
# ---
# # Theory
#
# Three short parts: what recurrence is for, what happens inside one step, and what it takes to read and
# write text.
#
# ## What recurrence is for
#
# ### The letters
# *1 point · 1 minute · difficulty 1*
#
# Two kinds of network share three letters and are often mixed up. Choose from `"random"`, `"recursive"`,
# `"recurrent"` and `"relational"`.
#
# - `letter_r`: what the R stands for when one cell is applied along a sequence, as in this notebook.
# - `over_a_tree`: the adjective for a network that applies one cell to the branches of a parse tree, from
#   the words up to the whole sentence.

# %% role="answer" grade_id="what-rnn-stands-for"
### BEGIN SOLUTION
letter_r = "recurrent"  # the R of RNN in this notebook
over_a_tree = "recursive"  # one cell over the branches of a parse tree
### END SOLUTION

# %% role="test" grade_id="what-rnn-stands-for-test" points=1
from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of

options = ["random", "recursive", "recurrent", "relational"]
with checking("what-rnn-stands-for") as check:
    with check.part("each answer is one of the options"):
        for name in ("letter_r", "over_a_tree"):
            chosen_of(getattr(student, name), options, name)
    ### BEGIN HIDDEN TESTS
    drawn = "weights begin at random in nearly every network; that names none of them"
    paired = "a relational network compares objects in pairs; no cell is applied again and again"
    with check.part("along a sequence", points=0.5):
        suspects = {
            "recursive": "that one follows a tree; here the cell runs into itself again at the next step",
            "random": drawn,
            "relational": paired,
        }
        expect_choice(student.letter_r, "recurrent", options, "letter_r", suspects)
    with check.part("over a tree", points=0.5):
        suspects = {
            "recurrent": "that one runs along time; a tree has branches that meet",
            "random": drawn,
            "relational": paired,
        }
        expect_choice(student.over_a_tree, "recursive", options, "over_a_tree", suspects)
    ### END HIDDEN TESTS

# %% [markdown]
# ### Why recurrent at all
# *2 points · 3 minutes · difficulty 1*
#
# **`data_for_rnn`.** Four data sets. Within one example, where does the order of the numbers carry the
# meaning, so that a network that reads them one after another has something to gain?
#
# - `"a"` A thousand flats, each described by area, age, floor and price.
# - `"b"` A thousand baskets, each described by how many of every product it holds.
# - `"c"` A thousand patients, each described by their pulse at every minute of a night.
# - `"d"` A thousand wines, each described by twelve chemical measurements.
#
# **`what_is_shared`.** What sets an RNN apart from a feedforward network that is given all the steps side
# by side?
#
# - `"a"` It trains a separate set of weights for each time step, so every step can specialize.
# - `"b"` It applies the same weights at each time step, to the new input and to its own last state.
# - `"c"` It leaves out the activation function, so that a signal passes every time step unchanged.
# - `"d"` It fixes the number of time steps in advance, so that its weights fit just that length.

# %% role="answer" grade_id="why-recurrent"
### BEGIN SOLUTION
data_for_rnn = "c"  # the data set whose examples have an order that matters: "a", "b", "c" or "d"
what_is_shared = "b"  # what sets an RNN apart: "a", "b", "c" or "d"
### END SOLUTION

# %% role="test" grade_id="why-recurrent-test" points=2
from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of

options = ["a", "b", "c", "d"]
with checking("why-recurrent") as check:
    with check.part("each answer is one of the letters"):
        for name in ("data_for_rnn", "what_is_shared"):
            chosen_of(getattr(student, name), options, name)
    ### BEGIN HIDDEN TESTS
    with check.part("data with an order", points=1):
        suspects = {
            "a": "the four columns of a flat can be listed in any order; none comes after another",
            "b": "a basket counts products; which one went in first is not recorded",
            "d": "twelve measurements of one wine form a table row, not a sequence",
        }
        expect_choice(student.data_for_rnn, "c", options, "data_for_rnn", suspects)
    with check.part("what sets it apart", points=1):
        suspects = {
            "a": "separate weights for each step are what the side-by-side network has; unrolling makes no new ones",
            "c": "an RNN has an activation at every step; tanh is the usual one",
            "d": "a fixed length is the limit of the side-by-side network; an RNN can take one more step at any time",
        }
        expect_choice(student.what_is_shared, "b", options, "what_is_shared", suspects)
    ### END HIDDEN TESTS

# %% [markdown]
# ### Two sentences to complete
# *2 points · 3 minutes · difficulty 1*
#
# Write one to six words for each gap, in quotes.
#
# - `gap_1`: "Besides the current input, each step of an RNN is given what the step before it computed and
#   passed on: its ______."
# - `gap_2`: "When *dull* arrives, the network no longer sees *not*. It can still act on it, because it is
#   able to ______ what it has read."

# %% role="answer" grade_id="fill-ins"
### BEGIN SOLUTION
gap_1 = "hidden state"  # what one step passes on to the next
gap_2 = "remember"  # what the network is able to do with what it has read
### END SOLUTION

# %% role="test" grade_id="fill-ins-test" points=2
import re

from course_utils.checking import checking, expect, expect_text, student

with checking("fill-ins") as check:
    with check.part("one to six words each, in quotes"):
        for name in ("gap_1", "gap_2"):
            value = getattr(student, name)
            expect(isinstance(value, str), f"{name}: write text in quotes")
            expect(1 <= len(value.split()) <= 6, f"{name}: write one to six words")
    ### BEGIN HIDDEN TESTS

    def expect_each(name, accepted, suspects):
        """Of several ways of saying it ("state or memory") each must be right, so that a list of guesses is none."""
        value = getattr(student, name)
        pieces = [value]
        if isinstance(value, str):
            pieces = [piece for piece in re.split(r"[/,;]|\bor\b", value) if piece.strip()] or [value]
            expect(len(value.split()) <= 6, f"{name}: use at most six words")
        for piece in pieces:
            expect_text(piece, accepted, name, suspects)

    denied = r"\b(not|never|no|nothing|avoid\w*|without|cannot|unable|fails?|\w+n't)\b"
    with check.part("first gap", points=1):
        accepted = [
            r"\bstates?\b",
            r"\bmemor(y|ies)\b",
            r"\bhidden (activation|vector|value|unit|layer|output|representation)",
            r"\bactivations\b",
            r"\bh ?[\[({]* ?(t ?1|prev\w*)",
        ]
        constant = "weights are the same at every step; they cannot say what was read"
        suspects = {
            r"\b(weights?|parameters?|matri\w+|bias\w*)\b": constant,
            r"\b(next|future|following|later|final)\b": "information flows from earlier steps to later ones",
            denied: "say what it is, not what it is not",
            r"\bcell state|\bgates?\b": "gates and a second state come with the LSTM; a plain RNN has neither",
            r"^(?!.*\b(state|hidden|memory)).*\b(output|prediction|target|label)": "y is read off and leaves the "
            "network; what the next step receives stays inside",
            r"\b(gradient|error|loss)": "gradients flow backward, in training; this flows forward",
        }
        expect_each("gap_1", accepted, suspects)
    with check.part("second gap", points=1):
        kept = (
            r"(remember|retain|memori[sz]|stor(e|es|ing)\b|keep|recall|carr(y|ies|ying)|preserv|hold|maintain|sav(e|ing)\b"
            r"|retriev|access|recollect|look back|draw on|track|accumulat|summari[sz]|encod|consider|account|refer)"
        )
        accepted = [rf"\b{kept}", rf"{denied}.*\b(forget|los)", r"\b(los|forget)\w* nothing"]
        suspects = {
            rf"{denied} (to )?{kept}": "it is able to do more than that",
            rf"^(?!.*{denied}).*\b(forget|los(e|ing)|discard|eras|delet|drop)": "if *not* were gone, nothing could act on it",
            r"\b(reread|re read|read|revisit)\b": "it reads each word once; *not* does not come by again",
            r"\b(predict|foresee|forecast|generate|guess)": "what it has read is given; nothing is left to predict there",
            r"\blearn": "learning changes the weights, in training; this happens while one review is read",
            r"\b(parallel\w*|shuffle|ignore|skip)\b": "that would not bring *not* back",
        }
        expect_each("gap_2", accepted, suspects)
    ### END HIDDEN TESTS

# %% [markdown]
# ### Where RNNs are used, then and now
# *3 points · 5 minutes · difficulty 1*
#
# **`sequence_tasks`.** Choose every task whose input or output is a sequence, and none of the others. Write
# the letters as one text (`"a, b"`) or as a list.
#
# - `"a"` Tomorrow's electricity demand from the demand of the last eight weeks.
# - `"b"` The species of one iris from the length and width of its petals and sepals.
# - `"c"` A Spanish sentence from a Portuguese one.
# - `"d"` The odds that a loan is repaid, from income, age and amount.
# - `"e"` What comes next in a line of computer code.
#
# **`video_pairing`.** Naming the action in a video clip takes a convolutional network (CNN) and an RNN. How
# do they usually share the work?
#
# - `"a"` The RNN turns the pixels of each frame into a vector; the CNN then reads those vectors in order of
#   time.
# - `"b"` The CNN turns the pixels of each frame into a vector; the RNN then reads those vectors in order of
#   time.
# - `"c"` The CNN and the RNN each see the last frame of the clip; the average of their two answers is the
#   verdict.
# - `"d"` The RNN removes the frames that look alike; the CNN then sees the rest as one picture, without
#   their order.
#
# **`rnns_today`.** Which sentence described the field fairly in the mid-2020s?
#
# - `"a"` LSTMs power the largest language models, since a Transformer cannot be trained on texts of
#   different lengths.
# - `"b"` Transformers power every system that handles sequences, and recurrent computation is no longer
#   used or studied.
# - `"c"` Transformers power most large language models; recurrence is still chosen where each step must
#   cost the same small memory, as in streams and on small devices.
# - `"d"` Vanilla RNNs power most large language models, since their training over time runs in parallel
#   where a Transformer's has to go step by step.

# %% role="answer" grade_id="rnn-uses"
### BEGIN SOLUTION
sequence_tasks = "a, c, e"  # the letters of all tasks with a sequence in them
video_pairing = "b"  # who does what in a video: "a", "b", "c" or "d"
rnns_today = "c"  # the fair sentence: "a", "b", "c" or "d"
### END SOLUTION

# %% role="test" grade_id="rnn-uses-test" points=3
from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of

with checking("rnn-uses") as check:
    with check.part("letters only"):
        chosen_of(student.sequence_tasks, ["a", "b", "c", "d", "e"], "sequence_tasks", several=True)
        for name in ("video_pairing", "rnns_today"):
            chosen_of(getattr(student, name), ["a", "b", "c", "d"], name)
    ### BEGIN HIDDEN TESTS
    with check.part("tasks with a sequence", points=1):
        suspects = {
            "b": "the four measurements of a flower come in no order",
            "d": "income, age and amount are columns of a table, not steps",
        }
        expect_choice(
            student.sequence_tasks, {"a", "c", "e"}, ["a", "b", "c", "d", "e"], "sequence_tasks", suspects
        )
    with check.part("video", points=1):
        suspects = {
            "a": "the two have swapped places: which one is made for pixels, which for time?",
            "c": "one frame holds no motion; standing up and sitting down share their frames",
            "d": "an action is an order of frames, and here it is thrown away",
        }
        expect_choice(student.video_pairing, "b", ["a", "b", "c", "d"], "video_pairing", suspects)
    with check.part("today", points=1):
        suspects = {
            "a": "Transformers take texts of different lengths, with padding and masks",
            "b": "recurrence lives on: streaming speech, small devices, long series, and models with a recurrent state",
            "d": "it is the other way round: an RNN's steps wait for each other in training",
        }
        expect_choice(student.rnns_today, "c", ["a", "b", "c", "d"], "rnns_today", suspects)
    ### END HIDDEN TESTS

# %% [markdown]
# ### Five tasks, five arrangements?
# *5 points · 8 minutes · difficulty 1*
#
# A recurrent network may read and write in five arrangements. Give each task the one that fits:
# `"one-to-one"`, `"one-to-many"`, `"many-to-one"`, `"many-to-many aligned"` (an output for each input, in
# step) or `"many-to-many unaligned"` (two sequences whose lengths and order may differ). An arrangement may
# be used twice or not at all.
#
# - `task_review`: a movie review comes in, a verdict (positive or negative) goes out.
# - `task_melody`: a genre is picked from a list, a tune is composed note by note.
# - `task_translation`: an English sentence comes in, its German translation goes out.
# - `task_tagging`: a sentence comes in, and every word gets its part of speech.
# - `task_next_word`: the first words of one unfinished sentence come in, and the single word that continues
#   it goes out.
#
# <details><summary>Not sure where to start?</summary>
#
# Count twice. How many things does the network read before it is done, and how many does it say? If both
# are many: must the third output belong to the third input?
# </details>

# %% role="answer" grade_id="task-configurations"
### BEGIN SOLUTION
task_review = "many-to-one"  # review to verdict
task_melody = "one-to-many"  # genre to tune
task_translation = "many-to-many unaligned"  # English to German
task_tagging = "many-to-many aligned"  # words to parts of speech
task_next_word = "many-to-one"  # unfinished sentence to its next word
### END SOLUTION

# %% role="test" grade_id="task-configurations-test" points=5
from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of

options = ["one-to-one", "one-to-many", "many-to-one", "many-to-many aligned", "many-to-many unaligned"]


def arrangement(name):
    """The student's answer; `many-to-many (aligned)` is read as `many-to-many aligned`."""
    value = getattr(student, name)
    return value.replace("(", " ").replace(")", " ") if isinstance(value, str) else value


with checking("task-configurations") as check:
    with check.part("each answer is one of the five arrangements"):
        for name in ("task_review", "task_melody", "task_translation", "task_tagging", "task_next_word"):
            chosen_of(arrangement(name), options, name)
    ### BEGIN HIDDEN TESTS
    with check.part("review to verdict", points=1):
        suspects = {
            "one-to-one": "the input is not one thing: the words are read one after another",
            "one-to-many": "turned round: count what is read and what is said",
            "many-to-many aligned": "nobody asked for a verdict on every word",
            "many-to-many unaligned": "the output is no sequence: a single verdict is wanted",
        }
        expect_choice(arrangement("task_review"), "many-to-one", options, "task_review", suspects)
    with check.part("genre to tune", points=1):
        suspects = {
            "one-to-one": "a tune has many notes",
            "many-to-one": "turned round: count what is read and what is said",
            "many-to-many aligned": "no input stands beside the second note: the genre is given once",
            "many-to-many unaligned": "the input is no sequence: the genre is a single label",
        }
        expect_choice(arrangement("task_melody"), "one-to-many", options, "task_melody", suspects)
    with check.part("English to German", points=1):
        suspects = {
            "one-to-one": "neither sentence is one thing: both are sequences of words",
            "one-to-many": "the English sentence is a sequence too",
            "many-to-one": "the German sentence is a sequence too",
            "many-to-many aligned": "the third German word need not translate the third English one, nor the lengths agree",
        }
        expect_choice(
            arrangement("task_translation"), "many-to-many unaligned", options, "task_translation", suspects
        )
    with check.part("words to parts of speech", points=1):
        suspects = {
            "one-to-one": "each tag belongs to one word, but it depends on its neighbors: the words form a sequence",
            "one-to-many": "the input is a whole sentence",
            "many-to-one": "there are as many tags as words",
            "many-to-many unaligned": "the third tag belongs to the third word, always",
        }
        expect_choice(arrangement("task_tagging"), "many-to-many aligned", options, "task_tagging", suspects)
    with check.part("unfinished sentence to next word", points=1):
        suspects = {
            "one-to-one": "more than the last word is read",
            "one-to-many": "turned round: count what is read and what is said",
            "many-to-many aligned": "that trains on every prefix at once; here one prefix is given and one word is wanted",
            "many-to-many unaligned": "a single word is wanted, not the rest of the sentence",
        }
        expect_choice(arrangement("task_next_word"), "many-to-one", options, "task_next_word", suspects)
    ### END HIDDEN TESTS

# %% [markdown] role="written" grade_id="justify-configurations" points=2
# ### Give your reasons
# *2 points · 6 minutes · difficulty 2 · marked by hand*
#
# Justify the five arrangements you chose, one sentence each: what is the input, what is the output, and
# what does that ask of the network?
#
# | what earns points | points |
# |---|---|
# | Review and next word: says that one output is read after a whole sequence | 0.5 |
# | Melody: says that a single input starts a sequence of outputs, and where later steps get their input | 0.5 |
# | Translation: says why the outputs cannot keep step with the inputs (length, word order) | 0.5 |
# | Tagging: says that every input has its own output, and still needs the context | 0.5 |
#
# ### BEGIN SOLUTION
# *Review:* many-to-one. The words are read in turn and the verdict is taken from the last state, when all
# of them are known. *Melody:* one-to-many. The genre is given once, for example as the first input or as
# $h_0$; each later step takes the note before it as its input. *Translation:* many-to-many unaligned.
# German may need more or fewer words, and the verb may wait until the end, so the English sentence is read
# first and the German one written after. *Tagging:* many-to-many aligned. Word $t$ gets tag $t$, but the
# state must bring the context: *watch* is a noun in *a watch* and a verb in *they watch*. *Next word:*
# many-to-one. All words so far are read, and one distribution over the vocabulary is taken from the last
# state.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# Mark the reason, not the label: the labels are marked by machine. A student whose label is wrong but whose
# account of input and output is right still earns the half point. For the next word accept many-to-many
# aligned when the answer says that all prefixes are trained at once. Melody needs both halves: one input
# *and* what feeds the later steps (own last note, or the state alone); for one half give 0.25. "Many words
# in, many out" for translation without a word on length or order: 0.
# ### END MARK SCHEME

# %% [markdown]
# ## Inside one step
#
# From here on a number needs a pencil. The convention is that of the equations above: inputs, states and
# outputs are column vectors, and a matrix has the shape (to, from).
#
# ### Shapes
# *1 point · 4 minutes · difficulty 2*
#
# A network reads *not a dull minute* as $T = 4$ vectors of $I = 50$ numbers, with a state of $H = 64$
# numbers and an output of $O = 2$ logits. Give each shape as a tuple; a plain vector of $n$ numbers is
# `(n,)`. For `shape_states` the network reads $B = 8$ reviews of four words at once, and all the states
# $h_1, \dots, h_T$ are kept in one array, batch first.

# %% role="answer" grade_id="architecture-shapes"
### BEGIN SOLUTION
shape_W_xh = (64, 50)  # input to hidden
shape_W_hh = (64, 64)  # hidden to hidden
shape_W_hy = (2, 64)  # hidden to output
shape_b_h = (64,)  # bias of the state
shape_b_y = (2,)  # bias of the output
shape_states = (8, 4, 64)  # h_1 … h_T of eight reviews
### END SOLUTION

# %% role="test" grade_id="architecture-shapes-test" points=1
from course_utils.checking import as_array, checking, expect, student


def shape_of(name, vector=False):
    """The student's tuple or list as a tuple of whole numbers. A vector may be written (n,), n or (n, 1)."""
    numbers = as_array(getattr(student, name), name).reshape(-1).tolist()
    expect(numbers and all(n == int(n) for n in numbers), f"{name}: a shape is made of whole numbers")
    sizes = tuple(int(n) for n in numbers)
    return sizes[:1] if vector and sizes[1:] == (1,) else sizes


def expect_sizes(name, right, suspects, vector=False):
    """The shape is `right`; `suspects` maps a wrong shape to a sentence."""
    sizes = shape_of(name, vector)
    if sizes != right:
        expect(False, f"{name}: {suspects.get(sizes, f'{sizes} is not its shape')}")


with checking("architecture-shapes") as check:
    with check.part("tuples of whole numbers"):
        for name in ("shape_W_xh", "shape_W_hh", "shape_W_hy"):
            expect(len(shape_of(name)) == 2, f"{name}: a matrix has two sizes")
        for name in ("shape_b_h", "shape_b_y"):
            expect(len(shape_of(name, vector=True)) == 1, f"{name}: a vector has one size")
        expect(len(shape_of("shape_states")) == 3, "shape_states: batch, time and one more")
    ### BEGIN HIDDEN TESTS
    B, T, I, H, O = 8, 4, 50, 64, 2  # noqa: E741
    turned = "turned round: a matrix that multiplies a column vector has the shape (to, from)"
    with check.part("W_xh", points=0.25):
        suspects = {(I, H): turned, (H, H): "it multiplies the input, which has another size than the state"}
        suspects |= {
            (H, T): "the number of steps is in no weight",
            (H, I * T): "it reads one word at a time, not all four",
        }
        expect_sizes("shape_W_xh", (H, I), suspects)
    with check.part("W_hh", points=0.125):
        state = "it takes the last state to the new one: both have the same size"
        suspects = {
            (O, H): "that takes the state to the output",
            (H, T): "the number of steps is in no weight",
        }
        suspects |= {(H, I): state, (I, H): state, (H, O): state, (I, I): state, (H, H + I): state}
        expect_sizes("shape_W_hh", (H, H), suspects)
    with check.part("W_hy", points=0.25):
        suspects = {(H, O): turned, (H, H): "that takes the state to the next state"}
        suspects |= {(O, I): "the output is read from the state, not from the input"}
        expect_sizes("shape_W_hy", (O, H), suspects)
    with check.part("b_h", points=0.125):
        suspects = {(I,): "it is added to the product W_xh x, which has the size of the state"}
        suspects |= {
            (T,): "one bias serves all steps",
            (1,): "every unit has a bias of its own",
            (1, H): "a column, not a row",
        }
        expect_sizes("shape_b_h", (H,), suspects, vector=True)
    with check.part("b_y", points=0.125):
        suspects = {
            (H,): "it is added to W_hy h, which has the size of the output",
            (1, O): "a column, not a row",
        }
        suspects |= {(1,): "every logit has a bias of its own"}
        expect_sizes("shape_b_y", (O,), suspects, vector=True)
    with check.part("all states", points=0.125):
        suspects = {(T, B, H): "batch first: here time comes first", (B, T, I): "those are the inputs"}
        suspects |= {(B, H, T): "time is the middle axis", (B, T, O): "those are the outputs"}
        suspects |= {(B, T + 1, H): "from h_1 on: the starting state is not among them"}
        expect_sizes("shape_states", (B, T, H), suspects)
    ### END HIDDEN TESTS

# %% [markdown] role="written" grade_id="architecture-written" points=2
# ### The architecture in words
# *2 points · 7 minutes · difficulty 2 · marked by hand*
#
# Describe a recurrent network to someone who knows feedforward networks. Go through both equations term by
# term, and say what the design makes possible. Six to ten sentences.
#
# | what earns points | points |
# |---|---|
# | Names the input, recurrent and output layers and what passes between them | 0.5 |
# | Writes the update of $h_t$ and says what each weight, the bias and the activation do | 0.5 |
# | Writes the read-out of $y_t$ and says where the first step gets its state | 0.5 |
# | Says why it matters: a state of fixed size stands for a past of any length, under the same weights | 0.5 |
#
# ### BEGIN SOLUTION
# A recurrent network has an input layer, at least one recurrent hidden layer and an output layer. At step
# $t$ the hidden layer computes $h_t = \tanh(W_{xh} x_t + W_{hh} h_{t-1} + b_h)$: $W_{xh}$ maps the new
# input into the hidden space, $W_{hh}$ maps what the layer computed one step earlier, $b_h$ shifts each
# unit's threshold, and tanh keeps the state bounded and makes the step nonlinear. The output layer reads
# the state: $y_t = W_{hy} h_t + b_y$; for classes, a softmax turns it into probabilities. The first step
# has no predecessor, so $h_0$ is set to zero or learned. As $h_{t-1}$ depends on $h_{t-2}$ and so on, $h_t$
# depends on every input so far. The same three matrices serve all steps, so that the network takes
# sequences of any length with a fixed number of parameters and reuses at one position what it learned at
# another. The price is that the whole past must fit into $H$ numbers.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# Any activation will do, and any consistent notation (row vectors, one matrix for $[x_t; h_{t-1}]$). The
# update without the bias: full half point if the rest is explained. Formulas without words: at most 0.25
# for each of rows two and three. Row three needs the starting state as well (zero or learned); without it
# 0.25. Row four: "has memory" alone earns 0.25; fixed size *or* shared weights makes it 0.5.
# ### END MARK SCHEME

# %% [markdown]
# ### Two steps by hand
# *2 points · 8 minutes · difficulty 2*
#
# This is the smallest network that knows what *not dull* means. Its input says which word came: $x = (1,
# 0)$ for *not* and $x = (0, 1)$ for *dull*. Its first unit notes *not*; its second is the verdict.
#
# $$W_{xh} = \begin{pmatrix} 1 & 0 \\ 0 & -1 \end{pmatrix} \quad
# W_{hh} = \begin{pmatrix} 0.5 & 0 \\ 2 & -0.5 \end{pmatrix} \quad
# b_h = \begin{pmatrix} 0 \\ 0.5 \end{pmatrix} \quad
# W_{hy} = \begin{pmatrix} 0.5 & 2 \end{pmatrix} \quad b_y = -0.2$$
#
# With $h_0 = 0$ and tanh, work out to three decimals (a calculator is fine)
#
# - `h_after_not`: the state after *not*, a list of two numbers;
# - `h_after_not_dull`: the state after *not dull*, a list of two numbers;
# - `y_not_dull`: the output read after *not dull*;
# - `y_dull`: the output when *dull* is the only word, read from a fresh state.
#
# <details><summary>Not sure where to start?</summary>
#
# Write the sum inside tanh first, one row at a time: input, plus memory, plus bias. Then one tanh per row.
# The output has no tanh.
# </details>

# %% role="answer" grade_id="hidden-state-by-hand"
### BEGIN SOLUTION
h_after_not = [0.762, 0.462]  # state after "not": two numbers
h_after_not_dull = [0.364, 0.660]  # state after "not dull": two numbers
y_not_dull = 1.302  # output after "not dull"
y_dull = -1.124  # output after "dull" alone
### END SOLUTION

# %% role="test" grade_id="hidden-state-by-hand-test" points=2
from course_utils.checking import as_array, checking, expect, expect_close, student


def flat(name):
    """The student's answer as a flat array."""
    return as_array(getattr(student, name), name).reshape(-1)


with checking("hidden-state-by-hand") as check:
    with check.part("two numbers for a state, one for an output"):
        for name, size in (("h_after_not", 2), ("h_after_not_dull", 2), ("y_not_dull", 1), ("y_dull", 1)):
            expect(flat(name).size == size, f"{name}: expected {size} number{'s' if size > 1 else ''}")
    ### BEGIN HIDDEN TESTS
    import numpy as np

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def reader(
        words, f=np.tanh, bias=(0.0, 0.5), memory=((0.5, 0.0), (2.0, -0.5)), outside=False, read_bias=-0.2
    ):
        """The state after the last word and the output read from it."""
        read, h = np.array([[1.0, 0.0], [0.0, -1.0]]), np.zeros(2)
        for word in words:
            x = np.array({"not": [1.0, 0.0], "dull": [0.0, 1.0]}[word])
            inner = read @ x + np.array(memory) @ h
            h = f(inner) + np.array(bias) if outside else f(inner + np.array(bias))
        return h, np.array([0.5, 2.0]) @ h + read_bias

    def slips(words, index):
        """What common slips would give: for the state (index 0) or the output (index 1)."""
        zeros, turned = ((0.0, 0.0), (0.0, 0.0)), ((0.5, 2.0), (0.0, -0.5))
        return {
            "the state is the tanh of the sum; here the sum itself was taken": reader(words, f=lambda z: z)[
                index
            ],
            "the activation is tanh, not the sigmoid": reader(words, f=sigmoid)[index],
            "the activation is tanh, not ReLU": reader(words, f=lambda z: np.maximum(z, 0))[index],
            "b_h is missing": reader(words, bias=(0.0, 0.0))[index],
            "b_h belongs inside the tanh": reader(words, outside=True)[index],
            "the term W_hh h, the memory, is missing": reader(words, memory=zeros)[index],
            "W_hh is turned round: its row belongs to the unit that receives": reader(words, memory=turned)[
                index
            ],
        }

    close = {"rtol": 0, "atol": 5e-3}
    with check.part("after 'not'", points=0.5):
        suspects = slips(["not"], 0) | {"that is the state after 'dull'": reader(["dull"])[0]}
        expect_close(flat("h_after_not"), reader(["not"])[0], "h_after_not", suspects, **close)
    with check.part("after 'not dull'", points=0.5):
        suspects = slips(["not", "dull"], 0) | {
            "that is 'dull not': the words are the wrong way round": reader(["dull", "not"])[0],
            "the second word is 'dull', but 'not' was read twice": reader(["not", "not"])[0],
        }
        expect_close(
            flat("h_after_not_dull"), reader(["not", "dull"])[0], "h_after_not_dull", suspects, **close
        )
    for name, words in (("y_not_dull", ["not", "dull"]), ("y_dull", ["dull"])):
        with check.part(f"output after {' '.join(words)!r}", points=0.5):
            right = reader(words)[1]
            suspects = slips(words, 1) | {
                "b_y is missing": reader(words, read_bias=0.0)[1],
                "the output has no tanh": np.tanh(right),
                "a fresh state is wanted; 'not' must leave no trace": reader(["not", "dull"])[1],
                "that is the second unit of the state; W_hy and b_y turn the state into an output": reader(
                    words
                )[0][1],
            }
            expect_close(
                flat(name), [right], name, {why: [wrong] for why, wrong in suspects.items()}, **close
            )
    ### END HIDDEN TESTS

# %% [markdown]
# One word, two verdicts: the sign of the output flips because of a word that is no longer there. That is
# what a hidden state is for.
#
# ### Three activations
# *2 points · 6 minutes · difficulty 2*
#
# The activation decides what a state can look like and how much of a gradient gets through one step. For
#
# $$\tanh z = \frac{e^{z} - e^{-z}}{e^{z} + e^{-z}}, \qquad \mathrm{ReLU}(z) = \max(0, z), \qquad \sigma(z) = \frac{1}{1 + e^{-z}}$$
#
# give
#
# - `tanh_range`, `sigmoid_range`: the lower and the upper limit of the values, as `[lower, upper]`; whether
#   a limit is reached does not matter;
# - `relu_lowest`: the lowest value that ReLU takes;
# - `tanh_slope`, `sigmoid_slope`, `relu_slope`: the steepest slope, that is the largest value of the
#   derivative;
# - `sigmoid_ten_steps`: the product of ten steepest slopes of the sigmoid, to two significant digits at
#   least. It bounds what the activations of ten steps leave of a gradient of 1, before any weights have
#   their say.
#
# <details><summary>A hint on slopes</summary>
#
# $\tanh' z = 1 - \tanh^2 z$ and $\sigma'(z) = \sigma(z)\,(1 - \sigma(z))$. Both are steepest at the same
# $z$.
# </details>

# %% role="answer" grade_id="activations"
### BEGIN SOLUTION
tanh_range = [-1, 1]  # [lower, upper] limit of tanh
sigmoid_range = [0, 1]  # [lower, upper] limit of the sigmoid
relu_lowest = 0  # lowest value of ReLU
tanh_slope = 1  # steepest slope of tanh
sigmoid_slope = 0.25  # steepest slope of the sigmoid
relu_slope = 1  # steepest slope of ReLU
sigmoid_ten_steps = 0.25**10  # product of ten steepest slopes of the sigmoid
### END SOLUTION

# %% role="test" grade_id="activations-test" points=2
from course_utils.checking import as_array, checking, expect, expect_close, expect_number, student
from course_utils.checking.expect import number_of

with checking("activations") as check:
    with check.part("two numbers for a range, one for everything else"):
        for name in ("tanh_range", "sigmoid_range"):
            expect(
                as_array(getattr(student, name), name).size == 2,
                f"{name}: expected two numbers, [lower, upper]",
            )
        for name in ("relu_lowest", "tanh_slope", "sigmoid_slope", "relu_slope", "sigmoid_ten_steps"):
            number_of(getattr(student, name), name)
    ### BEGIN HIDDEN TESTS
    order, other = "the lower limit comes first", "that is the range of another of the three"
    with check.part("range of tanh", points=0.25):
        suspects = {order: [1, -1], other: [0, 1]}
        suspects["that is the range of the arctangent"] = [-1.5707963, 1.5707963]
        expect_close(
            as_array(student.tanh_range, "tanh_range").reshape(-1), [-1, 1], "tanh_range", suspects, atol=1e-3
        )
    with check.part("range of the sigmoid", points=0.25):
        suspects = {
            order: [1, 0],
            other: [-1, 1],
            "that is half the range; try a large z in the formula": [0, 0.5],
        }
        expect_close(
            as_array(student.sigmoid_range, "sigmoid_range").reshape(-1),
            [0, 1],
            "sigmoid_range",
            suspects,
            atol=1e-3,
        )
    with check.part("lowest value of ReLU", points=0.25):
        suspects = {"that is the lower limit of tanh": -1.0, "that is a slope": 1.0}
        expect_number(student.relu_lowest, 0.0, "relu_lowest", suspects)
    with check.part("slope of tanh", points=0.25):
        suspects = {
            "that is the steepest slope of another of the three": 0.25,
            "that is the value at zero, not the slope there": 0.0,
            "the steepest point is elsewhere; that is the slope at z = 1": 0.419974,
            "that is the height from the lower to the upper limit": 2.0,
        }
        expect_number(student.tanh_slope, 1.0, "tanh_slope", suspects)
    with check.part("slope of the sigmoid", points=0.25):
        suspects = {
            "that is the value at zero, not the slope there": 0.5,
            "that is the upper limit, or the steepest slope of another of the three": 1.0,
            "that is one over the slope": 4.0,
            "the steepest point is elsewhere; that is the slope at z = 1": 0.196612,
        }
        expect_number(student.sigmoid_slope, 0.25, "sigmoid_slope", suspects)
    with check.part("slope of ReLU", points=0.25):
        suspects = {
            "that is the slope on the flat side": 0.0,
            "at zero there is a kink; the line to its right is steeper than that": 0.5,
        }
        expect_number(student.relu_slope, 1.0, "relu_slope", suspects)
    with check.part("ten sigmoids in a row", points=0.5):
        steepest = 0.25
        suspects = {
            "the chain rule multiplies slopes; here they are added": 10 * steepest,
            "that takes the value at zero to the tenth power, not the slope": 0.5**10,
            "a factor is missing": steepest**9,
            "there is a factor too many": steepest**11,
            "that would be ten steps of tanh or ReLU": 1.0,
            "that is a single step": steepest,
        }
        expect_number(student.sigmoid_ten_steps, steepest**10, "sigmoid_ten_steps", suspects, rtol=1e-2)
    ### END HIDDEN TESTS

# %% [markdown]
# The last number is why the sigmoid lives on in gates, where it decides how much to let through, and has
# all but left the hidden state. tanh is the usual choice there: bounded, centered on zero, and steeper.
# Nothing bounds the values of ReLU, so a state that is multiplied at every step can explode. You will
# measure all three in the first project.
#
# ### Counting parameters
# *3 points · 8 minutes · difficulty 2*
#
# A vanilla RNN has one recurrent layer and a linear read-out, as in the equations above. Two **bias
# conventions** are in use: the equations have *one* bias vector $b_h$ in the recurrent layer, while
# `torch.nn.RNN` keeps *two* (one beside $W_{xh}$, one beside $W_{hh}$). The read-out has one bias $b_y$ in
# both. Count every trainable number; the starting state is zero and is not trained.
#
# For $I = 100$, $H = 256$, $O = 50$:
#
# - `count_one_bias`: all parameters, with one bias vector in the recurrent layer;
# - `count_two_biases`: all parameters, with two of them.
#
# For $I = 20$, $H = 128$, $O = 10$, with one bias vector in the recurrent layer:
#
# - `count_hidden_to_hidden`: the entries of $W_{hh}$ alone;
# - `count_hidden_to_output`: the entries of $W_{hy}$ alone;
# - `count_5_steps`: all parameters, when the network is unrolled over 5 steps;
# - `count_10_steps`: all parameters, when it is unrolled over 10 steps.
#
# Mind the names of the middle pair. An exercise sheet in circulation swaps them and still reaches the right
# sum.

# %% role="answer" grade_id="parameter-count"
### BEGIN SOLUTION
count_one_bias = 100 * 256 + 256 * 256 + 256 * 50 + 256 + 50  # I 100, H 256, O 50: all, one bias vector
count_two_biases = 100 * 256 + 256 * 256 + 256 * 50 + 2 * 256 + 50  # the same with two bias vectors
count_hidden_to_hidden = 128 * 128  # I 20, H 128, O 10: entries of W_hh
count_hidden_to_output = 128 * 10  # I 20, H 128, O 10: entries of W_hy
count_5_steps = 20 * 128 + 128 * 128 + 128 * 10 + 128 + 10  # I 20, H 128, O 10: all, unrolled over 5 steps
count_10_steps = 20 * 128 + 128 * 128 + 128 * 10 + 128 + 10  # I 20, H 128, O 10: all, unrolled over 10 steps
### END SOLUTION

# %% role="test" grade_id="parameter-count-test" points=3
from course_utils.checking import checking, expect, expect_number, student
from course_utils.checking.expect import number_of

counts = "one_bias", "two_biases", "hidden_to_hidden", "hidden_to_output", "5_steps", "10_steps"
with checking("parameter-count") as check:
    with check.part("whole positive numbers"):
        for name in (f"count_{count}" for count in counts):
            number = number_of(getattr(student, name), name)
            expect(
                number > 0 and number == int(number),
                f"{name}: expected a whole positive number, got {number:g}",
            )
    ### BEGIN HIDDEN TESTS

    def slips(I, H, O, biases):  # noqa: E741
        """What common slips would give, by the sentence that names them."""
        recurrent, out = I * H + H * H + biases * H, H * O + O
        total = recurrent + out
        slipped = {
            "all biases are missing": total - biases * H - O,
            "the bias of the output is missing": total - O,
            "the bias of the recurrent layer is missing": total - biases * H,
            "the recurrent matrix W_hh is missing": total - H * H,
            "the read-out is missing": recurrent,
            "the input matrix W_xh is missing": total - I * H,
            "W_hh connects hidden units with hidden units; its size does not depend on the input": total
            - H * H
            + I * H,
            "the output reads the state, not the input": total - H * O + I * O,
            "a bias counts one number per unit, not one per layer": total - (biases * H + O) + biases + 1,
        }
        if biases == 1:
            slipped[
                "one bias vector too many for the recurrent layer (or a starting state that is not trained)"
            ] = total + H
        else:
            slipped["two bias vectors in the recurrent layer: one is missing"] = total - H
            slipped["only the recurrent layer has two bias vectors; the read-out keeps one"] = total + O
        return total, slipped

    exactly = {"rtol": 0, "atol": 1e-6}
    with check.part("100, 256, 50 with one bias", points=1):
        total, suspects = slips(100, 256, 50, biases=1)
        expect_number(student.count_one_bias, total, "count_one_bias", suspects, **exactly)
    with check.part("100, 256, 50 with two biases", points=0.5):
        total, suspects = slips(100, 256, 50, biases=2)
        expect_number(student.count_two_biases, total, "count_two_biases", suspects, **exactly)
    I, H, O = 20, 128, 10  # noqa: E741
    with check.part("hidden to hidden", points=0.25):
        suspects = {
            "that is the matrix from the state to the output": H * O,
            "that is the matrix from the input to the state": I * H,
            "entries of the matrix alone, without a bias": H * H + H,
            "five copies of it, one a step, are still one matrix": 5 * H * H,
        }
        expect_number(student.count_hidden_to_hidden, H * H, "count_hidden_to_hidden", suspects, **exactly)
    with check.part("hidden to output", points=0.25):
        suspects = {
            "that is the matrix from one state to the next": H * H,
            "that is the matrix from the input to the state": I * H,
            "entries of the matrix alone, without a bias": H * O + O,
            "the output reads the state, not the input": I * O,
        }
        expect_number(student.count_hidden_to_output, H * O, "count_hidden_to_output", suspects, **exactly)
    for steps in (5, 10):
        with check.part(f"unrolled over {steps} steps", points=0.5):
            total, suspects = slips(I, H, O, biases=1)
            shared = "unrolling makes no new weights: here {} counted once a step"
            suspects |= {
                shared.format("everything is"): steps * total,
                shared.format("the recurrent layer is"): steps * (I * H + H * H + H) + H * O + O,
                shared.format("W_hh is"): total + (steps - 1) * H * H,
                shared.format("W_hh is (between steps)"): total + (steps - 2) * H * H,
            }
            expect_number(
                getattr(student, f"count_{steps}_steps"), total, f"count_{steps}_steps", suspects, **exactly
            )
    ### END HIDDEN TESTS

# %% [markdown]
# ### Four claims about recurrence
# *1 point · 3 minutes · difficulty 2*
#
# For a trained vanilla RNN (with weights that are not zero), say of each claim whether it `"holds"` or
# `"fails"`.
#
# - `claim_length`: trained on reviews of 20 words, it can be run on one of 200 without adding a weight.
# - `claim_repeat`: if the same word comes twice in a row, the state must be the same after both.
# - `claim_window`: a feedforward network that is shown the last four words can react to a word ten steps
#   back.
# - `claim_order`: two reviews with the same words in another order can end in different states.

# %% role="answer" grade_id="recurrence-claims"
### BEGIN SOLUTION
claim_length = "holds"  # 20 words in training, 200 later
claim_repeat = "fails"  # the same word twice
claim_window = "fails"  # four words seen, ten steps back
claim_order = "holds"  # the same words in another order
### END SOLUTION

# %% role="test" grade_id="recurrence-claims-test" points=1
from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of

options = ["holds", "fails"]
with checking("recurrence-claims") as check:
    with check.part('"holds" or "fails"'):
        for name in ("claim_length", "claim_repeat", "claim_window", "claim_order"):
            chosen_of(getattr(student, name), options, name)
    ### BEGIN HIDDEN TESTS
    with check.part("longer reviews", points=0.25):
        suspects = {"fails": "which weight would the 21st word need that the 20th does not?"}
        expect_choice(student.claim_length, "holds", options, "claim_length", suspects)
    with check.part("the same word twice", points=0.25):
        suspects = {"holds": "the input is the same, but the other argument of the update is not"}
        expect_choice(student.claim_repeat, "fails", options, "claim_repeat", suspects)
    with check.part("a window of four", points=0.25):
        suspects = {"holds": "what is outside the window reaches that network by no path: it has no state"}
        expect_choice(student.claim_window, "fails", options, "claim_window", suspects)
    with check.part("another order", points=0.25):
        suspects = {"fails": "you are thinking of a sum over words; here each word meets another past"}
        expect_choice(student.claim_order, "holds", options, "claim_order", suspects)
    ### END HIDDEN TESTS

# %% [markdown] role="written" grade_id="explain-rnn" points=2
# ### How it works, and what is new
# *2 points · 6 minutes · difficulty 2 · marked by hand*
#
# Explain in five to eight sentences how an RNN works and how it differs from a feedforward network. Use an
# example of your own, not *not a dull minute*.
#
# | what earns points | points |
# |---|---|
# | The state: made anew at each step from the new input and the state before | 0.5 |
# | Sharing: the same weights at each step, hence sequences of any length | 0.5 |
# | The contrast: a feedforward network has a fixed input and keeps nothing from one input to the next | 0.5 |
# | The example: an output that depends on an earlier input, traced through the state | 0.5 |
#
# ### BEGIN SOLUTION
# An RNN reads a sequence one element at a time and keeps a state. At each step it computes a new state from
# the new element and the state before, so that the state becomes a summary of all it has read. The weights
# of this computation are the same at every step: a sequence may have any length, and what is learned at one
# position holds at the others. A feedforward network maps an input of fixed size to an output and then
# forgets it. To treat a sequence it must be shown a window of fixed length, with separate weights for each
# place in the window, and whatever lies outside does not exist for it. Take a network that follows a chess
# clock: the input is "left button" or "right button", the output says whose clock runs. When nothing is
# pressed the input says nothing, and still the output is right, because the last press has been carried
# along in the state, however long ago it was.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# Row one needs both arguments of the update; "has memory" alone earns 0.25. Row two needs sharing *and* a
# consequence. Row three: accept "inputs are treated as independent". Row four: any sequence will do if the
# answer names the earlier input, the later output and the state between them; an example without the path
# earns 0.25. The example of the opening earns nothing.
# ### END MARK SCHEME

# %% [markdown]
# ## Reading and writing text
#
# ### A word as numbers
# *1 point · 4 minutes · difficulty 2*
#
# A network cannot read *dull*, only numbers. With a vocabulary of $V = 5000$ words there are two customs. A
# **one-hot** vector has a place for every word and a single 1. An **embedding** is a short vector of, here,
# $E = 64$ numbers, a row of a table that is trained with the rest of the network. A review of $T = 20$
# words comes in. Give
#
# - `onehot_numbers`: how many numbers the one-hot vectors of the review hold together;
# - `onehot_nonzero`: how many of those are not zero;
# - `embedded_numbers`: how many numbers the embeddings of the review hold together;
# - `table_parameters`: how many parameters the embedding table has.

# %% role="answer" grade_id="representation"
### BEGIN SOLUTION
onehot_numbers = 20 * 5000  # numbers in the one-hot review
onehot_nonzero = 20  # how many of them are not zero
embedded_numbers = 20 * 64  # numbers in the embedded review
table_parameters = 5000 * 64  # parameters of the embedding table
### END SOLUTION

# %% role="test" grade_id="representation-test" points=1
from course_utils.checking import checking, expect, expect_number, student
from course_utils.checking.expect import number_of

with checking("representation") as check:
    with check.part("whole positive numbers"):
        for name in ("onehot_numbers", "onehot_nonzero", "embedded_numbers", "table_parameters"):
            number = number_of(getattr(student, name), name)
            expect(
                number > 0 and number == int(number),
                f"{name}: expected a whole positive number, got {number:g}",
            )
    ### BEGIN HIDDEN TESTS
    V, E, T = 5000, 64, 20
    exactly = {"rtol": 0, "atol": 1e-6}
    with check.part("numbers in one-hot vectors", points=0.25):
        suspects = {
            "that is one word of the review": V,
            "those are the ones alone; the zeros are numbers too": T,
            "that is the embedded review": T * E,
            "every word has a place for every word of the vocabulary, not of the review": T * T,
            "one-hot vectors know nothing of E": V * E,
        }
        expect_number(student.onehot_numbers, T * V, "onehot_numbers", suspects, **exactly)
    with check.part("entries that are not zero", points=0.25):
        suspects = {
            "that is one word of the review": 1,
            "turned round: those are the zeros": T * V - T,
            "that counts every entry": T * V,
            "that is the vocabulary; the review is shorter": V,
        }
        expect_number(student.onehot_nonzero, T, "onehot_nonzero", suspects, **exactly)
    with check.part("numbers in embeddings", points=0.25):
        suspects = {
            "that is one word of the review": E,
            "that is the whole table; the review looks up one row per word": V * E,
            "an embedding replaces the one-hot vector; it does not multiply its length": T * V * E,
            "that is the one-hot review": T * V,
            "embedding vectors have a length, E": T,
        }
        expect_number(student.embedded_numbers, T * E, "embedded_numbers", suspects, **exactly)
    with check.part("parameters of the table", points=0.25):
        suspects = {
            "the table has a row for every word of the vocabulary, not only of this review": T * E,
            "the table does not grow with the review": T * V * E,
            "a look-up has no bias": V * E + E,
            "a look-up has no bias, neither per word nor per column": V * E + V,
            "that is the number of rows": V,
            "each row has E numbers, not V": V * V,
        }
        expect_number(student.table_parameters, V * E, "table_parameters", suspects, **exactly)
    ### END HIDDEN TESTS

# %% [markdown]
# The first coding exercise shows that the two customs are one product apart.
#
# ### Perplexity
# *1 point · 4 minutes · difficulty 2*
#
# A language model is scored by its **cross-entropy** $H$, the average of $-\log p$ over the symbols that
# really came. **Perplexity** says the same as a number of choices: a perplexity of 20 means as unsure as a
# fair die with 20 sides. It is $b^H$, where $b$ is the base of the logarithm in which $H$ was measured. A
# formula with a fixed 2 is right for bits and only for bits; PyTorch's `cross_entropy` uses the natural
# logarithm, so its losses are in nats. To three significant digits, give
#
# - `perplexity_bits`: the perplexity of a model whose cross-entropy is 3.5 bits per character;
# - `perplexity_nats`: the perplexity of a model for which PyTorch reports a loss of 2.0;
# - `bits_of_loss`: that same loss of 2.0 in bits;
# - `perplexity_uniform`: the perplexity of a model that gives each of 27 characters the same probability.

# %% role="answer" grade_id="perplexity"
### BEGIN SOLUTION
perplexity_bits = 2**3.5  # cross-entropy of 3.5 bits
perplexity_nats = np.exp(2.0)  # PyTorch's loss of 2.0
bits_of_loss = 2.0 / np.log(2)  # PyTorch's loss of 2.0, in bits
perplexity_uniform = 27  # 27 characters, all equally likely
### END SOLUTION

# %% role="test" grade_id="perplexity-test" points=1
from course_utils.checking import checking, expect, expect_number, student
from course_utils.checking.expect import number_of

with checking("perplexity") as check:
    with check.part("positive numbers"):
        for name in ("perplexity_bits", "perplexity_nats", "bits_of_loss", "perplexity_uniform"):
            expect(number_of(getattr(student, name), name) > 0, f"{name}: expected a positive number")
    ### BEGIN HIDDEN TESTS
    import math

    bits, nats, symbols = 3.5, 2.0, 27
    digits = {"rtol": 5e-3}
    with check.part("from bits", points=0.25):
        suspects = {
            "bits were measured in base 2, not in base e": math.e**bits,
            "bits were measured in base 2, not in base 10": 10**bits,
            "that turns the power round: the cross-entropy is the exponent": bits**2,
            "that turns the perplexity round: it is a number of choices, not a probability": 2**-bits,
            "that is the cross-entropy itself": bits,
        }
        expect_number(student.perplexity_bits, 2**bits, "perplexity_bits", suspects, **digits)
    with check.part("from nats", points=0.25):
        suspects = {
            "PyTorch's loss is in nats; a fixed 2 is right for bits only": 2**nats,
            "PyTorch's loss is in nats, not in powers of 10": 10**nats,
            "that turns the perplexity round: it is a number of choices, not a probability": math.exp(-nats),
            "that is the loss itself": nats,
        }
        expect_number(student.perplexity_nats, math.exp(nats), "perplexity_nats", suspects, **digits)
    with check.part("nats to bits", points=0.25):
        suspects = {
            "the factor is turned round: a nat is more than a bit, so the number must grow": nats
            * math.log(2),
            "that is still in nats": nats,
            "a loss is converted, not raised to a power": 2**nats,
            "that uses the logarithm to base 10": nats / math.log10(2),
            "a loss is converted; its own logarithm is not taken": math.log2(nats),
            "that is the perplexity": math.exp(nats),
        }
        expect_number(student.bits_of_loss, nats / math.log(2), "bits_of_loss", suspects, **digits)
    with check.part("uniform guess", points=0.25):
        suspects = {
            "that is the cross-entropy in bits; raise 2 to it": math.log2(symbols),
            "that is the cross-entropy in nats; raise e to it": math.log(symbols),
            "that is the probability of each character": 1 / symbols,
            "the cross-entropy in nats needs base e": 2 ** math.log(symbols),
            "the cross-entropy in bits needs base 2": math.e ** math.log2(symbols),
        }
        expect_number(student.perplexity_uniform, float(symbols), "perplexity_uniform", suspects, rtol=1e-3)
    ### END HIDDEN TESTS

# %% [markdown]
# ### Claims about a storyteller
# *1 point · 3 minutes · difficulty 2*
#
# A word-level RNN writes a story: it draws a word from its output, takes that word as its next input, and
# goes on. Say of each claim whether it `"holds"` or `"fails"`.
#
# - `story_feedback`: the word that was drawn at step 49 can change what is likely at step 50 and at step
#   60.
# - `story_archive`: the state stores each word of the story exactly, so that a name from page one can
#   always be read off.
# - `story_the`: a model without a state, which sees only the last word, gives the same probabilities after
#   every *the*.
# - `story_weights`: if the state is set to zero after each sentence, the plot lives on in the weights while
#   the story is written.

# %% role="answer" grade_id="story-claims"
### BEGIN SOLUTION
story_feedback = "holds"  # a drawn word changes what follows
story_archive = "fails"  # every word stored exactly
story_the = "holds"  # no state: always the same after "the"
story_weights = "fails"  # the plot lives on in the weights
### END SOLUTION

# %% role="test" grade_id="story-claims-test" points=1
from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of

options = ["holds", "fails"]
with checking("story-claims") as check:
    with check.part('"holds" or "fails"'):
        for name in ("story_feedback", "story_archive", "story_the", "story_weights"):
            chosen_of(getattr(student, name), options, name)
    ### BEGIN HIDDEN TESTS
    with check.part("a drawn word", points=0.25):
        suspects = {
            "fails": "it is the next input, so it enters the state; and what happens to a state later?"
        }
        expect_choice(student.story_feedback, "holds", options, "story_feedback", suspects)
    with check.part("an exact archive", points=0.25):
        suspects = {"holds": "a state has a fixed number of entries, and each step writes over all of them"}
        expect_choice(student.story_archive, "fails", options, "story_archive", suspects)
    with check.part("after every 'the'", points=0.25):
        suspects = {"fails": "the same input and nothing else: what could make the output differ?"}
        expect_choice(student.story_the, "holds", options, "story_the", suspects)
    with check.part("a plot in the weights", points=0.25):
        suspects = {
            "holds": "weights change in training only; while writing, this story is nowhere but in the state"
        }
        expect_choice(student.story_weights, "fails", options, "story_weights", suspects)
    ### END HIDDEN TESTS

# %% [markdown] role="written" grade_id="story-generation" points=2
# ### What an RNN gives a storyteller
# *2 points · 5 minutes · difficulty 2 · marked by hand*
#
# What does recurrence give a program that writes stories, and where does it let the program down? Four to
# seven sentences, with one example of each.
#
# | what earns points | points |
# |---|---|
# | The gain: each word is chosen given all words so far, through the state | 0.5 |
# | What that buys in a story: for example agreement, a speaker, a mood or a style that lasts | 0.5 |
# | The limit: a state of fixed size, in which early words fade | 0.5 |
# | What that costs in a story: for example a name, a promise or a closing quotation mark that gets lost | 0.5 |
#
# ### BEGIN SOLUTION
# Each word is drawn from a distribution that depends on the state, and the state depends on every word so
# far, including those that the network drew itself. So a sentence that began in the past tense stays there,
# a dialogue remembers that a quotation is open, and a gloomy opening makes gloomy words likelier for a
# while. A model that sees only the last word can do none of this. But the state is one vector of fixed size
# that every step rewrites: details compete for room, and what is not used fades, the sooner the plainer the
# network. The heroine who loses a ring on page one may be wearing it on page three, and nothing in the text
# tells the network that it has forgotten.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# "It makes the text coherent" without how: nothing in row one, 0.25 in row two. For the limit accept
# vanishing gradients in training (it never learned to keep such things) or capacity. Errors that pile up
# because drawn words are fed back count as a limit too, if explained. Row four needs an example that
# follows from the limit named.
# ### END MARK SCHEME

# %% [markdown]
# ### Reset or carry?
# *1 point · 2 minutes · difficulty 2*
#
# A state is worth keeping only as long as its past belongs to the present. Before the network reads what
# comes next in each case, should its state be set to zero (`"reset"`) or kept (`"carry"`)?
#
# - `state_novel`: a novel is cut into pieces of 100 characters to fit into memory; the next piece continues
#   the last.
# - `state_next_review`: the review is over; the next in the file is by someone else, on another film.
# - `state_shuffled`: the next batch holds sentences drawn at random from the whole corpus.
# - `state_sensor`: a sensor on a bridge reports all day; the readings of the next minute come in.

# %% role="answer" grade_id="state-reset"
### BEGIN SOLUTION
state_novel = "carry"  # the next 100 characters of a novel
state_next_review = "reset"  # the next review in the file
state_shuffled = "reset"  # sentences drawn at random
state_sensor = "carry"  # the sensor's next minute
### END SOLUTION

# %% role="test" grade_id="state-reset-test" points=1
from course_utils.checking import checking, expect_choice, student
from course_utils.checking.expect import chosen_of

options = ["reset", "carry"]
with checking("state-reset") as check:
    with check.part('"reset" or "carry"'):
        for name in ("state_novel", "state_next_review", "state_shuffled", "state_sensor"):
            chosen_of(getattr(student, name), options, name)
    ### BEGIN HIDDEN TESTS
    with check.part("the next review", points=0.25):
        suspects = {"carry": "the last critic's words would leak into a verdict on another film"}
        expect_choice(student.state_next_review, "reset", options, "state_next_review", suspects)
    with check.part("a novel in pieces", points=0.25):
        suspects = {"reset": "the cut was made for memory's sake; the sentence goes on across it"}
        expect_choice(student.state_novel, "carry", options, "state_novel", suspects)
    with check.part("shuffled sentences", points=0.25):
        suspects = {"carry": "row 3 of the next batch does not continue row 3 of this one"}
        expect_choice(student.state_shuffled, "reset", options, "state_shuffled", suspects)
    with check.part("a sensor's stream", points=0.25):
        suspects = {"reset": "it is one stream; a minute is a way to deliver it, not a new beginning"}
        expect_choice(student.state_sensor, "carry", options, "state_sensor", suspects)
    ### END HIDDEN TESTS

# %% [markdown]
# The second project puts a number on the mistake: what a state costs that is carried where it should be
# reset.

# %% [markdown]
# ## Coding
#
# Four exercises, each on its own: none needs the answer to another. Arrays are batch first everywhere: `B` sequences,
# `T` steps, then the features (`I` inputs, `H` hidden units, `O` outputs).

# %% [markdown]
# ### One-hot product and embedding look-up are the same
#
# A network cannot multiply the letter *c*; it needs numbers. Two ways in are common. **One-hot**: symbol $k$ of $V$
# becomes a row of $V$ zeros with a single 1 at place $k$. **Embedding**: symbol $k$ becomes row $k$ of a `table`
# $(V, E)$ of learned numbers. They are one idea, because a one-hot row times the table picks out exactly one row:
#
# $$\texttt{one\_hot}(k, V)\;\texttt{table} = \texttt{table}[k]$$
#
# You write the left side here, and then see what it costs beside the right side. Write both functions in NumPy; a library's
# `one_hot` or `embedding` would leave nothing to do and scores nothing.
#
# <details><summary>I'm not sure where to start</summary>
#
# Make an array of zeros whose shape is that of `indices` with one more axis, of length `num_classes`, at the end. Where do the ones
# go? Comparing `indices[..., None]` with `np.arange(num_classes)` answers that for every entry at once; a loop over
# `np.ndindex(indices.shape)` does too. Check the range first: NumPy takes the index −1 for the last entry and will not complain.
# </details>
#
# *Difficulty 2 of 5 · 20 minutes · 6 points*


# %% role="answer" grade_id="one-hot"
def one_hot(indices, num_classes):
    """Turn each index into a row of zeros with a single one.

    Args:
        indices: integers in 0..num_classes-1; a number, a nested list or an array of any shape (...), not empty.
        num_classes: V, how many symbols there are.

    Returns:
        NumPy array (..., V): one more axis than `indices`, ones where the last index equals the symbol's.

    Raises:
        ValueError: an index is negative, or not below num_classes.
    """
    ### BEGIN SOLUTION
    indices = np.asarray(indices)
    if indices.min() < 0 or indices.max() >= num_classes:
        raise ValueError(f"indices must be in 0..{num_classes - 1}, got {indices.min()}..{indices.max()}")
    return (indices[..., None] == np.arange(num_classes)).astype(float)  # (..., V)
    ### END SOLUTION


def embed(indices, table):
    """Look rows of a table up by multiplying one-hot rows with it.

    Args:
        indices: integers in 0..V-1, of any shape (...), not empty.
        table: array (V, E), one row a symbol; not changed.

    Returns:
        NumPy array (..., E), computed as a product with the table; the same numbers as `table[indices]`.

    Raises:
        ValueError: an index is negative, or not below V.
    """
    ### BEGIN SOLUTION
    return one_hot(indices, len(table)) @ table  # (..., V) @ (V, E) -> (..., E)
    ### END SOLUTION


# %% role="try"
letters = np.array([[2, 0, 1], [1, 1, 3]])  # two sequences of three symbols
small_table = np.array([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5], [3.0, 3.5]])  # four symbols, two numbers each
print(one_hot(letters, 4))
print(embed(letters, small_table))

# %% role="test" grade_id="one-hot-test" points=6
import ast

import numpy as np

from course_utils.checking import checking, expect, expect_close, expect_raises, forbid, student

with student.without("one_hot", "embedding"), checking("one-hot") as check:
    for name in ("one_hot", "embed"):
        forbid(
            name,
            "torch.nn.functional.one_hot",
            "torch.nn.functional.embedding*",
            "torch.nn.Embedding*",
            "torch.embedding*",
            "sklearn.*",
            why="the exercise asks you to write this, so the library's version does not count",
        )
    with check.part("three symbols in a row"):
        expect_close(
            student.one_hot([2, 0, 3], 4),
            [[0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]],
            what="one_hot([2, 0, 3], 4)",
            suspects={
                "symbols run down the columns; each index should give one row": [[0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]],
                "the one stands one place too far left: the first symbol has index 0": [
                    [0, 1, 0, 0],
                    [0, 0, 0, 1],
                    [0, 0, 1, 0],
                ],
            },
            reveal=True,
        )
    with check.part("two rows of a table"):
        expect_close(
            student.embed([2, 0], np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])),
            [[3, 30], [1, 10]],
            what="embed([2, 0], table)",
            reveal=True,
        )
    with check.part("an index outside the range"):
        expect_raises(ValueError, lambda: student.one_hot([0, 3], 3), "one_hot([0, 3], 3), where 3 is no symbol,")
    ### BEGIN HIDDEN TESTS
    grid = np.array([[4, 0, 2], [1, 3, 4]])  # (2, 3)
    ones = np.array([[[float(v == k) for v in range(5)] for k in row] for row in grid])  # (2, 3, 5)
    with check.part("one_hot keeps the shape of the indices", points=2):
        expect_close(
            student.one_hot(grid, 5),
            ones,
            what="one_hot of indices (2, 3)",
            suspects={
                "the indices were flattened: their shape should come back, with one more axis": ones.reshape(6, 5),
                "the new axis comes last, not first": np.moveaxis(ones, -1, 0),
                "the new axis comes last, not second": np.swapaxes(ones, 1, 2),
                "ones and zeros are swapped": 1 - ones,
                "each row of indices was merged into one vector with several ones": ones.max(axis=1),
                "symbols are counted, which loses their order": ones.sum(axis=1),
                "rows are not zeros and ones: the index itself was written in": ones * grid[..., None],
            },
        )
        expect_close(
            student.one_hot(grid[:1], 7),
            np.pad(ones[:1], ((0, 0), (0, 0), (0, 2))),
            what="one_hot with more classes than indices use",
            suspects={
                "the row's length comes from the largest index; it should be num_classes": ones[:1],
                "an axis of length 1 was squeezed away": np.pad(ones[0], ((0, 0), (0, 2))),
            },
        )
        expect_close(
            student.one_hot(3, 5),
            [0, 0, 0, 1, 0],
            what="one_hot of a single number",
            suspects={"a single index, without an axis, gives (V,), not (1, V)": [[0, 0, 0, 1, 0]]},
        )
        cube = np.arange(12).reshape(2, 3, 2) % 5
        expect_close(
            student.one_hot(cube, 5),
            [[[[float(v == k) for v in range(5)] for k in b] for b in a] for a in cube],
            what="one_hot of indices (2, 3, 2)",
        )
    with check.part("indices outside 0..V-1", points=1):
        expect_raises(ValueError, lambda: student.one_hot([[0, 1], [4, 2]], 4), "one_hot with an index equal to num_classes")
        expect_raises(ValueError, lambda: student.one_hot([1, 9], 4), "one_hot with an index beyond num_classes")
        expect_raises(
            ValueError,
            lambda: student.one_hot([2, -1], 4),
            "one_hot with a negative index (which NumPy reads from the end)",
        )
        expect_close(student.one_hot([0, 3], 4), [[1, 0, 0, 0], [0, 0, 0, 1]], what="one_hot of the first and last symbol")
    table = np.sin(np.arange(15.0)).reshape(5, 3) + 2  # (V, E) = (5, 3), no two entries alike
    square = table[:3]  # V = E = 3, where NumPy cannot complain about a transposed table
    with check.part("embed gives the table's rows", points=2):
        expect_close(
            student.embed(np.array([[2, 0], [1, 2]]), square),
            square[np.array([[2, 0], [1, 2]])],
            what="embed with a square table",
            suspects={
                "these are columns of the table: the one-hot rows meet its first axis": square.T[np.array([[2, 0], [1, 2]])],
            },
        )
        expect_close(
            student.embed(grid, table),
            table[grid],
            what="embed of indices (2, 3)",
            suspects={
                "rows of one sequence were added up; each index keeps its own": table[grid].sum(axis=1),
                "rows of one sequence were averaged; each index keeps its own": table[grid].mean(axis=1),
                "the indices were flattened: their shape should come back, with E at the end": table[grid].reshape(6, 3),
            },
        )
        expect_close(student.embed(1, table), table[1], what="embed of a single number")
        expect_raises(ValueError, lambda: student.embed([0, 5], table), "embed with an index that has no row")
        shared = student.share(table)
        student.embed([1, 2], shared)
        expect_close(student.value(shared), table, what="embed changed the table it was given")
    with check.part("embed multiplies", points=1):
        expect_close(student.embed([4, 1], table), table[[4, 1]], what="embed")
        definitions: dict[str, ast.stmt] = {}
        for cell in student.cells():
            try:
                nodes = ast.parse(cell).body
            except SyntaxError:
                continue
            for node in nodes:
                targets = node.targets if isinstance(node, ast.Assign) else [node]
                for target in targets:
                    definitions[getattr(target, "name", getattr(target, "id", ""))] = node
        todo, seen, products = ["embed"], {"one_hot", ""}, 0
        while todo:
            seen.add(current := todo.pop())
            for node in ast.walk(definitions.get(current, ast.Pass())):
                word = getattr(node, "attr", getattr(node, "id", ""))
                products += isinstance(node, ast.MatMult | ast.Mult)
                products += any(part in word for part in ("dot", "mul", "einsum", "inner", "mm", "vec"))
                todo += [word] if word in definitions and word not in seen else []
        expect(
            products,
            "the numbers are right, but they are looked up: the exercise asks for the product of one-hot rows with the table",
        )
    ### END HIDDEN TESTS

# %% [markdown]
# **Experiment.** 128 symbols are turned into vectors of 64 numbers, from vocabularies of 100 to 3000 symbols: once by your
# product, once by `table[indices]`. What does the detour over one-hot rows cost?

# %% role="experiment"
import time


def seconds(action, repeats=5):
    """The shortest of a few timed runs: what else the machine does can only make it longer."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best


vocabularies = [100, 300, 1000, 3000]
by_product, by_lookup, one_hot_kib, index_kib = [], [], [], []
generator = np.random.default_rng(0)
for size in training.progress(vocabularies, "vocabularies"):
    tokens, vectors = generator.integers(0, size, 128), generator.normal(size=(size, 64))
    by_product.append(seconds(lambda t=tokens, v=vectors: embed(t, v)) * 1e6)
    by_lookup.append(seconds(lambda t=tokens, v=vectors: v[t]) * 1e6)
    one_hot_kib.append(one_hot(tokens, size).nbytes / 1024)
    index_kib.append(tokens.nbytes / 1024)

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
for ax, product, lookup, label in (
    (left, one_hot_kib, index_kib, "memory (KiB)"),
    (right, by_product, by_lookup, "time (µs)"),
):
    ax.loglog(vocabularies, product, "o-", label="one-hot product")
    ax.loglog(vocabularies, lookup, "s--", label="look-up")
    ax.set(xlabel="vocabulary size V", ylabel=label)
left.set_title("what goes in: one-hot rows, or indices")
right.set_title("time for 128 symbols")
left.legend()
print("V       one-hot KiB   index KiB   product µs   look-up µs")
for row in zip(vocabularies, one_hot_kib, index_kib, by_product, by_lookup, strict=True):
    print("{:<6d} {:12.0f} {:11.1f} {:12.0f} {:12.1f}".format(*row))
plotting.show(
    fig,
    alt="Two log-log plots against vocabulary size. Memory and time of the one-hot product climb steadily; "
    "memory and time of the look-up hardly move.",
)

# %% [markdown]
# ### Read the cost of both against vocabulary size
#
# - `memory_growth`: the vocabulary grows from 300 to 3000 symbols. How does the memory of the one-hot rows grow?
#   `"not at all"`, `"tenfold"` or `"a hundredfold"`.
# - `lookup_growth`: and the time of the look-up? `"hardly"`, `"in proportion"` or `"with the square"`.
#
# *Difficulty 2 of 5 · 2 minutes · 1 point*

# %% role="answer" grade_id="one-hot-plot"
### BEGIN SOLUTION
memory_growth = "tenfold"  # "not at all", "tenfold" or "a hundredfold"
lookup_growth = "hardly"  # "hardly", "in proportion" or "with the square"
### END SOLUTION

# %% role="test" grade_id="one-hot-plot-test" points=1
from course_utils.checking import checking, expect, expect_choice, student

with checking("one-hot-plot") as check:
    with check.part("an option is chosen for the memory"):
        expect(isinstance(student.memory_growth, str), "memory_growth: expected one of the three texts, in quotes")
    with check.part("an option is chosen for the time"):
        expect(isinstance(student.lookup_growth, str), "lookup_growth: expected one of the three texts, in quotes")
    ### BEGIN HIDDEN TESTS
    with check.part("memory of the one-hot rows", points=0.5):
        expect_choice(
            student.memory_growth,
            "tenfold",
            ["not at all", "tenfold", "a hundredfold"],
            what="memory_growth",
            suspects={
                "not at all": "each row holds one number for every symbol, so its length follows the vocabulary",
                "a hundredfold": "there are still 128 rows; only their length grows",
            },
        )
    with check.part("time of the look-up", points=0.5):
        expect_choice(
            student.lookup_growth,
            "hardly",
            ["hardly", "in proportion", "with the square"],
            what="lookup_growth",
            suspects={
                "in proportion": "a look-up copies 128 rows of the table and never touches the others",
                "with the square": "nothing here is done for pairs of symbols",
            },
        )
    ### END HIDDEN TESTS

# %% [markdown]
# ### Forward pass in NumPy, many-to-many and many-to-one
#
# A vanilla RNN reads one step at a time and keeps what it has seen in a hidden state $h_t$. The same three matrices and two
# biases serve every step, which is why it can read sequences of any length:
#
# $$h_t = \tanh(W_{ih}\,x_t + W_{hh}\,h_{t-1} + b), \qquad y_t = W_{ho}\,h_t + b_o$$
#
# **Many-to-many** gives an output $y_t$ at every step (a tag for each word). **Many-to-one** reads a single output from the
# last state $h_T$ (a verdict on the review). Here `weight_ih` is $W_{ih}$ $(H, I)$, `weight_hh` is $W_{hh}$ $(H, H)$,
# `weight_ho` is $W_{ho}$ $(O, H)$, and there is one bias a layer. The equations write $x_t$ as a column; your batch holds rows.
#
# <details><summary>I'm not sure where to start</summary>
#
# Take one step at a time: `x[:, t]` is $(B, I)$. For rows, $W x$ becomes `x[:, t] @ W.T`, which is $(B, H)$. Keep the states in a list
# and stack them along axis 1 at the end. For the errors, read `B, T, I` and `H` from `x` and `weight_hh` first and compare every
# other shape with what follows from them: NumPy would silently stretch a bias of shape `(1,)`.
# </details>
#
# *Difficulty 3 of 5 · 30 minutes · 10 points*


# %% role="answer" grade_id="rnn-forward"
def rnn_forward(x, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None, many_to_one=False):
    """Run a vanilla tanh RNN over a batch of sequences, in NumPy.

    Args:
        x: (B, T, I), T at least 1. No argument is changed.
        weight_ih, weight_hh, bias: (H, I), (H, H) and (H,), of the recurrent layer.
        weight_ho, bias_o: (O, H) and (O,), of the output layer, which has no activation.
        h0: the state before the first step, (B, H); None means zeros.
        many_to_one: read one output from the last state, in place of one from each state.

    Returns:
        hidden: h_1 … h_T, (B, T, H), both for many-to-many and many-to-one.
        outputs: (B, T, O); with many_to_one (B, O).
        float64 arrays where the arguments are float64.

    Raises:
        ValueError: an argument does not have the shape above.
    """
    ### BEGIN SOLUTION
    if x.ndim != 3:
        raise ValueError(f"x must be (B, T, I), got {x.shape}")
    batch, steps, inputs = x.shape
    units, outs = len(weight_hh), len(weight_ho)
    h = np.zeros((batch, units), dtype=x.dtype) if h0 is None else h0
    for name, array, shape in (
        ("weight_ih", weight_ih, (units, inputs)),
        ("weight_hh", weight_hh, (units, units)),
        ("bias", bias, (units,)),
        ("weight_ho", weight_ho, (outs, units)),
        ("bias_o", bias_o, (outs,)),
        ("h0", h, (batch, units)),
    ):
        if array.shape != shape:
            raise ValueError(f"{name} must be {shape}, got {array.shape}")
    states = []
    for t in range(steps):
        h = np.tanh(x[:, t] @ weight_ih.T + h @ weight_hh.T + bias)  # (B, H)
        states.append(h)
    hidden = np.stack(states, axis=1)  # (B, T, H)
    read = hidden[:, -1] if many_to_one else hidden
    return hidden, read @ weight_ho.T + bias_o
    ### END SOLUTION


# %% role="try"
example = np.zeros((2, 4, 3))  # (B, T, I)
example[0, 0, 0] = example[1, 2, 1] = 1  # a single 1 in each sequence; zeros otherwise
weights_now = np.random.default_rng(0)
hidden_now, outputs_now = rnn_forward(
    example,
    weights_now.normal(size=(5, 3)),
    0.4 * weights_now.normal(size=(5, 5)),
    np.zeros(5),
    weights_now.normal(size=(2, 5)),
    np.zeros(2),
)
print(hidden_now.shape, outputs_now.shape)  # (2, 4, 5) (2, 4, 2)
print(hidden_now[1].round(2))  # silent until the 1 arrives at the third step

# %% role="test" grade_id="rnn-forward-test" points=10
import numpy as np

from course_utils.checking import as_array, checking, expect, expect_close, expect_raises, expect_shape, student


def run_forward(*arrays, **options):
    """The student's two arrays."""
    result = student.rnn_forward(*arrays, **options)
    pair = isinstance(result, tuple | list) and len(result) == 2
    expect(pair, "rnn_forward returns two arrays, (hidden, outputs)")
    return as_array(result[0], "hidden"), as_array(result[1], "outputs")


with checking("rnn-forward") as check:
    with check.part("one unit, three steps"):
        x_one, unit = np.array([[[1.0], [0.0], [0.0]]]), np.array([[1.0]])
        states, outputs = run_forward(x_one, unit, 0.5 * unit, np.zeros(1), 2 * unit, np.array([0.1]))
        expect_close(
            states,
            [[[0.76159416], [0.36339946], [0.17972447]]],
            what="hidden states of one unit with W_ih = 1, W_hh = 0.5, b = 0 after the inputs 1, 0, 0",
            suspects={
                "after the first step all states are zero: the previous state does not enter": [[[0.76159416], [0], [0]]],
                "there is no tanh": [[[1.0], [0.5], [0.25]]],
                "they are stacked time first; batch comes first": [[[0.76159416]], [[0.36339946]], [[0.17972447]]],
            },
            reveal=True,
        )
        expect_close(
            outputs, [[[1.62318831], [0.82679891], [0.45944895]]], what="outputs with W_ho = 2 and b_o = 0.1", reveal=True
        )
    with check.part("many-to-one gives one output a sequence"):
        states, outputs = run_forward(
            np.zeros((2, 3, 4)), np.zeros((5, 4)), np.zeros((5, 5)), np.zeros(5), np.zeros((6, 5)), np.ones(6), many_to_one=True
        )
        expect_shape(states, (2, 3, 5), "hidden (B, T, H)", {"only the last state came back; all are asked for": (2, 5)})
        expect_shape(
            outputs,
            (2, 6),
            "outputs with many_to_one",
            {"there is an output for every step": (2, 3, 6), "the time axis is still there": (2, 1, 6)},
        )
    ### BEGIN HIDDEN TESTS
    def waves(*shape, phase):
        return np.sin(1.7 * np.arange(np.prod(shape)) + phase).reshape(shape)

    def unroll(x, h, w_ih, w_hh, b, act=np.tanh, carry=True):
        first, states = h, []
        for t in range(x.shape[1]):
            h = act(x[:, t] @ w_ih.T + (h if carry else first) @ w_hh.T + b)
            states.append(h)
        return np.stack(states, axis=1)

    def case(batch, steps, inputs, units, outs):
        arrays = [waves(batch, steps, inputs, phase=0), waves(units, inputs, phase=1), 0.6 * waves(units, units, phase=2)]
        return [*arrays, 0.5 * waves(units, phase=3) + 0.1, waves(outs, units, phase=4), waves(outs, phase=5)]

    # Three inputs, units and outputs: no product can fail, so each mistake gives numbers of its own.
    equal = case(2, 4, 3, 3, 3)
    x, w_ih, w_hh, b, w_ho, b_o = equal
    zeros = np.zeros((2, 3))
    right = unroll(x, zeros, w_ih, w_hh, b)
    with check.part("hidden states", points=3):
        one_by_one, last = [], zeros[:1]
        for row in x:
            one_by_one.append(unroll(row[None], last, w_ih, w_hh, b)[0])
            last = one_by_one[-1][None, -1]
        along_batch, state = np.empty_like(right), np.zeros(3)
        for i in range(2):
            state = np.tanh(x[i] @ w_ih.T + state @ w_hh.T + b)
            along_batch[i] = state
        outside, before = np.empty_like(right), zeros
        for t in range(4):
            outside[:, t] = before = np.tanh(x[:, t] @ w_ih.T + b) + before @ w_hh.T
        suspects = {
            "weight_hh is transposed: for rows, W_hh h is h @ weight_hh.T": unroll(x, zeros, w_ih, w_hh.T, b),
            "weight_ih is transposed: for rows, W_ih x is x @ weight_ih.T": unroll(x, zeros, w_ih.T, w_hh, b),
            "both weights are transposed: for rows, W x is x @ W.T": unroll(x, zeros, w_ih.T, w_hh.T, b),
            "weight_ih and weight_hh are swapped": unroll(x, zeros, w_hh, w_ih, b),
            "the previous hidden state does not enter": unroll(x, zeros, w_ih, 0 * w_hh, b),
            "the state is not carried: every step starts from h0": unroll(x, zeros, w_ih, w_hh, b, carry=False),
            "the bias is missing": unroll(x, zeros, w_ih, w_hh, 0 * b),
            "the bias is added twice; each layer has one": unroll(x, zeros, w_ih, w_hh, 2 * b),
            "the bias is added after the tanh": unroll(x, zeros, w_ih, w_hh, b, lambda a: np.tanh(a - b) + b),
            "the tanh is missing": unroll(x, zeros, w_ih, w_hh, b, lambda a: a),
            "the recurrent term is added after the tanh": outside,
            "this is a ReLU; the equation has tanh": unroll(x, zeros, w_ih, w_hh, b, lambda a: np.maximum(a, 0)),
            "this is a sigmoid; the equation has tanh": unroll(x, zeros, w_ih, w_hh, b, lambda a: 1 / (1 + np.exp(-a))),
            "the tanh is applied twice": unroll(x, zeros, w_ih, w_hh, b, lambda a: np.tanh(np.tanh(a))),
            "the states are one step late: h_0 … h_{T-1}": np.concatenate([zeros[:, None], right[:, :-1]], axis=1),
            "h0 is among the states; they are h_1 … h_T": np.concatenate([zeros[:, None], right], axis=1),
            "every step shows the last state: was the same array changed in place and stored again?": right[:, -1:].repeat(4, 1),
            "the steps are in reverse order": right[:, ::-1],
            "the sequence is read backward": unroll(x[:, ::-1], zeros, w_ih, w_hh, b)[:, ::-1],
            "they are stacked time first; batch comes first": right.swapaxes(0, 1),
            "only the last state came back; all are asked for": right[:, -1],
            "one sequence starts with the state in which the one before it ended": np.stack(one_by_one),
            "the loop runs over the batch, not over time": along_batch,
        }
        expect_close(run_forward(*equal, h0=zeros)[0], right, what="hidden states", suspects=suspects)
        for sizes in ((3, 5, 2, 4, 6), (1, 6, 4, 2, 1), (4, 1, 1, 1, 3)):
            arrays = case(*sizes)
            start = np.zeros((sizes[0], sizes[3]))
            expect_close(
                run_forward(*arrays, h0=start)[0],
                unroll(arrays[0], start, *arrays[1:4]),
                what="hidden states with B, T, I, H, O = " + ", ".join(map(str, sizes)),
            )
    h0 = waves(2, 3, phase=6)
    with check.part("the first state", points=1):
        expect_close(run_forward(*equal)[0], right, what="hidden states without h0", rtol=1e-6)
        expect_close(
            run_forward(*equal, h0=h0)[0],
            unroll(x, h0, w_ih, w_hh, b),
            what="hidden states with an h0",
            suspects={
                "h0 is ignored: the first step starts from zeros": right,
                "every row starts from the first row of h0": unroll(x, h0[:1].repeat(2, 0), w_ih, w_hh, b),
                "the previous hidden state does not enter": unroll(x, h0, w_ih, 0 * w_hh, b),
                "h0 is used in place of the first state": np.concatenate(
                    [h0[:, None], unroll(x[:, 1:], h0, w_ih, w_hh, b)], axis=1
                ),
            },
        )

    def outputs_of(sizes, **options):
        """The student's outputs, their states (or the right ones, where theirs have no such shape) and the output layer."""
        arrays = case(*sizes)
        states, outputs = run_forward(*arrays, **options)
        if states.shape != (sizes[0], sizes[1], sizes[3]) or states.dtype.kind != "f":
            states = unroll(arrays[0], np.zeros((sizes[0], sizes[3])), *arrays[1:4])
        return outputs, states, *arrays[4:]

    def soft(a):
        return np.exp(a) / np.exp(a).sum(axis=-1, keepdims=True)

    with check.part("many-to-many: an output from every state", points=2):
        for sizes in ((2, 4, 3, 3, 3), (3, 5, 2, 4, 6), (1, 2, 3, 4, 1)):
            outputs, states, w_ho, b_o = outputs_of(sizes)
            late = np.concatenate([np.zeros_like(states[:, :1]), states[:, :-1]], axis=1)
            y = states @ w_ho.T + b_o
            suspects = {
                "the output layer's bias is missing": y - b_o,
                "the output layer's bias is added twice": y + b_o,
                "the output layer has no activation: here is a tanh": np.tanh(y),
                "the output layer has no activation: here is a softmax": soft(y),
                "y_t is read from h_t, not from the state before it": late @ w_ho.T + b_o,
                "there is one output a sequence; many-to-many has one at every step": y[:, -1],
                "outputs are stacked time first; batch comes first": y.swapaxes(0, 1),
                "every output is read from the last state": y[:, -1:].repeat(sizes[1], 1),
                "an axis of length 1 was squeezed away": y.squeeze(),
            }
            if sizes[3] == sizes[4]:
                suspects["weight_ho is transposed: for rows, W_ho h is h @ weight_ho.T"] = states @ w_ho + b_o
            expect_close(outputs, y, what="outputs (B, T, O)", suspects=suspects)
    with check.part("many-to-one: an output from the last state", points=2):
        for sizes in ((2, 4, 3, 3, 3), (3, 5, 2, 4, 6), (1, 2, 3, 4, 1)):
            outputs, states, w_ho, b_o = outputs_of(sizes, many_to_one=True)
            y = states @ w_ho.T + b_o
            suspects = {
                "the output layer's bias is missing": y[:, -1] - b_o,
                "the output layer's bias is added twice": y[:, -1] + b_o,
                "the output layer has no activation: here is a tanh": np.tanh(y[:, -1]),
                "the output layer has no activation: here is a softmax": soft(y[:, -1]),
                "it is read from the first state; only the last has seen the whole sequence": y[:, 0],
                "it is read from the last but one state": y[:, -2],
                "it is the mean over all steps; read it from the last state": y.mean(axis=1),
                "it is the sum over all steps; read it from the last state": y.sum(axis=1),
                "it is the last sequence of the batch; take the last step of each": y[-1],
                "there is an output for every step": y,
                "the time axis is still there": y[:, -1:],
                "an axis of length 1 was squeezed away": y[:, -1].squeeze(),
            }
            if sizes[3] == sizes[4]:
                suspects["weight_ho is transposed: for rows, W_ho h is h @ weight_ho.T"] = states[:, -1] @ w_ho + b_o
            expect_close(outputs, y[:, -1], what="outputs with many_to_one (B, O)", suspects=suspects)
    names = ("x", "weight_ih", "weight_hh", "bias", "weight_ho", "bias_o", "h0")
    with check.part("float64 throughout, and no argument changed", points=1):
        states, outputs = run_forward(*equal, h0=h0)
        exact = unroll(x, h0, w_ih, w_hh, b)
        expect_close(states, exact, what="hidden states", rtol=1e-4, atol=1e-5)
        fine = states.dtype == outputs.dtype == np.float64 and np.abs(states - exact).max() < 1e-12
        expect(fine, "float64 went in, but digits were lost on the way: something is computed or stored in float32")
        shared = [student.share(array) for array in [*equal, h0]]
        run_forward(*shared[:6], h0=shared[6])
        for name, handle, array in zip(names, shared, [*equal, h0], strict=True):
            same = np.array_equal(student.value(handle), array)
            expect(same, f"your function changed its argument {name} in place; the caller's array should stay as it was")
    with check.part("shapes that do not fit", points=1):
        arrays = dict(zip(names, [*case(3, 5, 2, 4, 6), np.zeros((3, 4))], strict=True))
        expect_shape(run_forward(**arrays)[0], (3, 5, 4), "hidden, where every shape fits,")
        for name, shape in (
            ("x", (3, 5, 3)),
            ("x", (5, 2)),
            ("weight_ih", (1, 2)),
            ("weight_ih", (4, 3)),
            ("weight_hh", (4, 5)),
            ("bias", (1,)),
            ("bias", (3,)),
            ("weight_ho", (6, 3)),
            ("bias_o", (1,)),
            ("bias_o", (5,)),
            ("h0", (4,)),
            ("h0", (1, 4)),
            ("h0", (3, 1)),
        ):
            bad = {**arrays, name: np.zeros(shape)}
            expect_raises(
                ValueError,
                lambda bad=bad: student.rnn_forward(**bad),
                f"with B, T, I, H, O = 3, 5, 2, 4, 6, {name} of shape {shape} (which NumPy may stretch silently)",
            )
    ### END HIDDEN TESTS

# %% [markdown]
# **Experiment.** Two sequences of 40 symbols are the same but for the first one. How long does that first symbol leave a
# mark on the hidden state? `weight_hh` is a rotation times a `scale`, so it shrinks every difference by that factor.

# %% role="experiment"
generator = np.random.default_rng(1)
symbols = generator.integers(0, 4, (1, 40)).repeat(2, axis=0)  # (2, 40), twice the same
symbols[:, 0] = [0, 1]  # but for the first symbol
pairs = np.eye(4)[symbols]  # (2, 40, 4)
w_in, rotation = 0.2 * generator.normal(size=(30, 4)), np.linalg.qr(generator.normal(size=(30, 30)))[0]
scales = [0.5, 0.8, 0.95]

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
print("scale   steps until the difference is below 1 % of the first")
for scale in training.progress(scales, "scales"):
    trajectories, _ = rnn_forward(pairs, w_in, scale * rotation, np.zeros(30), np.zeros((1, 30)), np.zeros(1))
    difference = np.linalg.norm(trajectories[0] - trajectories[1], axis=-1)  # (T,)
    right.semilogy(range(1, 41), difference, label=f"scale {scale}")
    below = np.flatnonzero(difference < 0.01 * difference[0])
    print(f"{scale:<7} {below[0] if len(below) else 'more than 39'}")
for row, style in ((0, "-"), (1, "--")):
    left.plot(range(1, 41), trajectories[row, :, 0], style, label="first symbol " + "AB"[row])
left.set(xlabel="step t", ylabel="state of unit 1", title=f"one unit, scale {scales[-1]}")
right.set(xlabel="step t", ylabel="distance of the two states", title="the mark of the first symbol")
left.legend()
right.legend()
plotting.show(
    fig,
    alt="Left: one unit's state in two sequences that differ in their first symbol; the curves start apart and merge. Right: the "
    "distance of the two states on a logarithmic axis, three nearly straight falling lines, steepest for scale 0.5.",
)

# %% [markdown]
# ### Read how the mark of one input fades
#
# On the logarithmic axis on the right each curve is nearly a straight line. What happens to the mark at each step?
#
# - `fading`: it shrinks by `"a fixed amount"`, by `"a fixed factor"`, or there is `"no change"`.
#
# *Difficulty 2 of 5 · 2 minutes · 1 point*

# %% role="answer" grade_id="rnn-forward-plot"
### BEGIN SOLUTION
fading = "a fixed factor"  # "a fixed amount", "a fixed factor" or "no change"
### END SOLUTION

# %% role="test" grade_id="rnn-forward-plot-test" points=1
from course_utils.checking import checking, expect, expect_choice, student

with checking("rnn-forward-plot") as check:
    with check.part("an option is chosen"):
        expect(isinstance(student.fading, str), "fading: expected one of the three texts, in quotes")
    ### BEGIN HIDDEN TESTS
    with check.part("how the mark fades", points=1):
        expect_choice(
            student.fading,
            "a fixed factor",
            ["a fixed amount", "a fixed factor", "no change"],
            what="fading",
            suspects={
                "a fixed amount": "that would be a straight line on a linear axis; this axis is logarithmic",
                "no change": "the curves fall: two states that differ by less and less",
            },
        )
    ### END HIDDEN TESTS

# %% [markdown]
# ### An RNN cell: tanh or ReLU, layer norm, Xavier uniform
#
# One step of the same network as a PyTorch module, which can be trained. It adds two choices that matter in practice: the
# activation $\varphi$, and **layer norm** (Ba, Kiros & Hinton, 2016), which centers and scales the sum $a$ over the $H$ units of
# each row before the activation sees it:
#
# $$a = W_{ih}\,x + W_{hh}\,h + b, \qquad h' = \varphi(a)
# \quad\text{or}\quad h' = \varphi\Big(g \odot \frac{a - \mu}{\sqrt{\sigma^2 + \epsilon}} + s\Big)$$
#
# with $\mu$ and $\sigma^2$ the mean and the (biased) variance of $a$ over its units, $\epsilon = 10^{-5}$, a learned `gain` $g$
# and `shift` $s$. Both matrices start **Xavier uniform** (Glorot & Bengio, 2010): uniform in $\pm\sqrt{6/(\text{fan in} + \text{fan out})}$.
# The library's recurrent layers and cells may not be used here.
#
# <details><summary>I'm not sure where to start</summary>
#
# In `__init__` call `super().__init__()`, then make each weight an `nn.Parameter`: that is what puts it into `state_dict()` under its
# attribute's name. `nn.init` has a function for Xavier uniform. For layer norm, take mean and variance over the last axis with
# `keepdim=True`; `torch.var` divides by $H - 1$ unless told otherwise. For `h=None`, `x.new_zeros(...)` gives zeros of the right kind.
# </details>
#
# *Difficulty 3 of 5 · 40 minutes · 14 points*


# %% role="answer" grade_id="rnn-cell"
class RNNCell(nn.Module):
    """One step of a vanilla RNN: h' = φ(W_ih x + W_hh h + b), with layer norm before φ if asked for.

    Args:
        input_size: I.
        hidden_size: H.
        activation: φ, "tanh" or "relu".
        layer_norm: normalize the sum over its H units (biased variance, epsilon 1e-5), times `gain`, plus `shift`, before φ.

    Parameters, under these names in `state_dict()`, and no others:
        weight_ih (H, I), weight_hh (H, H): Xavier uniform, without a gain factor, from torch's global generator.
        bias (H,): zeros. It is part of the sum, with layer norm too.
        gain (H,), shift (H,): ones and zeros; only with layer norm.

    Raises:
        ValueError: any other activation.
    """

    def __init__(self, input_size, hidden_size, activation="tanh", layer_norm=False):
        ### BEGIN SOLUTION
        super().__init__()
        if activation not in ("tanh", "relu"):
            raise ValueError(f'activation must be "tanh" or "relu", got {activation!r}')
        self.hidden_size, self.layer_norm = hidden_size, layer_norm
        self.activation = torch.tanh if activation == "tanh" else torch.relu
        self.weight_ih = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        nn.init.xavier_uniform_(self.weight_ih)
        nn.init.xavier_uniform_(self.weight_hh)
        if layer_norm:
            self.gain = nn.Parameter(torch.ones(hidden_size))
            self.shift = nn.Parameter(torch.zeros(hidden_size))
        ### END SOLUTION

    def forward(self, x, h=None):
        """Advance one step.

        Args:
            x: input of this step, (B, I).
            h: the state before it, (B, H); None means zeros of x's dtype, on x's device. Nothing is kept between calls.

        Returns:
            the state after it, (B, H), of x's dtype. Neither x nor h is changed; gradients reach x, h and every parameter.
        """
        ### BEGIN SOLUTION
        if h is None:
            h = x.new_zeros(x.shape[0], self.hidden_size)
        total = x @ self.weight_ih.T + h @ self.weight_hh.T + self.bias  # (B, H)
        if self.layer_norm:
            centered = total - total.mean(-1, keepdim=True)
            variance = centered.square().mean(-1, keepdim=True)  # (B, 1)
            total = self.gain * centered / (variance + 1e-5).sqrt() + self.shift
        return self.activation(total)
        ### END SOLUTION


# %% role="try"
cell_now = RNNCell(3, 4, activation="relu", layer_norm=True)
print({name: tuple(parameter.shape) for name, parameter in cell_now.named_parameters()})
state_now = None
for x_now in torch.eye(3).unsqueeze(1):  # three steps of one sequence, (1, 3) each
    state_now = cell_now(x_now, state_now)
    print(state_now.detach())

# %% role="test" grade_id="rnn-cell-test" points=14
import math

import torch

from course_utils.checking import CheckFailed, StudentError, as_array, checking, expect, expect_close, expect_raises
from course_utils.checking import expect_shape, forbid, student


def loaded_cell(weights, *arguments, **options):
    """The student's cell with these weights, in their dtype."""
    cell = student.RNNCell(*arguments, **options)
    cell.to(weights["bias"].dtype)
    try:
        cell.load_state_dict(weights)
    except StudentError as error:
        raise CheckFailed(f"names or shapes of the parameters are not those of the contract: {error.message}") from None
    return cell


with student.without("rnn"), checking("rnn-cell") as check:
    forbid(
        "RNNCell",
        *("torch.nn.RNN*", "torch.nn.LSTM*", "torch.nn.GRU*", "torch.rnn_*", "torch.nn.modules.rnn*"),
        why="the exercise asks you to write the cell, so the library's recurrent layers do not count",
    )
    with check.part("one tanh step with given weights"):
        known = {
            "weight_ih": torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]),
            "weight_hh": torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]),
            "bias": torch.tensor([0.0, 0.0, -0.5]),
        }
        expect_close(
            loaded_cell(known, 2, 3)(torch.tensor([[0.5, -0.5]]), torch.tensor([[0.1, 0.2, 0.3]])),
            [[0.60436778, -0.19737532, -0.46211716]],
            what="one step",
            suspects={
                "weight_hh is transposed: for rows, W_hh h is h @ weight_hh.T": [[0.46211716, -0.37994896, -0.29131261]],
                "the previous state does not enter": [[0.46211716, -0.46211716, -0.46211716]],
                "the activation is missing": [[0.7, -0.2, -0.5]],
            },
            reveal=True,
        )
    with check.part("the parameters' names"):
        named = set(student.RNNCell(2, 3).state_dict())
        expect(
            named == {"weight_ih", "weight_hh", "bias"}, f"state_dict() should hold weight_ih, weight_hh, bias; got {sorted(named)}"
        )
    ### BEGIN HIDDEN TESTS
    def waves(*shape, phase):
        return torch.sin(1.7 * torch.arange(math.prod(shape), dtype=torch.float64) + phase).reshape(shape)

    def weights_for(inputs, units, layer_norm=False):
        made = {
            "weight_ih": waves(units, inputs, phase=1),
            "weight_hh": waves(units, units, phase=2),
            "bias": 0.7 * waves(units, phase=3),
        }
        extra = {"gain": 1 + 0.5 * waves(units, phase=4), "shift": 0.4 * waves(units, phase=5)}
        return {**made, **extra} if layer_norm else made

    def total(w, x, h):
        return x @ w["weight_ih"].T + h @ w["weight_hh"].T + w["bias"]

    def normed(a, eps=1e-5, axis=-1, divisor=None):
        centered = a - a.mean(axis, keepdim=True)
        variance = centered.square().sum(axis, keepdim=True) / (divisor or a.shape[axis])
        return centered / (variance + eps).sqrt()

    w, x, h = weights_for(3, 3), waves(4, 3, phase=6), waves(4, 3, phase=7)  # I = H: no product can fail
    a, sigmoid, twice = total(w, x, h), torch.sigmoid, total({**w, "bias": 2 * w["bias"]}, x, h)

    def mistakes(f):
        return {
            "weight_hh is transposed: for rows, W_hh h is h @ weight_hh.T": f(total({**w, "weight_hh": w["weight_hh"].T}, x, h)),
            "weight_ih is transposed: for rows, W_ih x is x @ weight_ih.T": f(total({**w, "weight_ih": w["weight_ih"].T}, x, h)),
            "both weights are transposed: for rows, W x is x @ W.T": f(x @ w["weight_ih"] + h @ w["weight_hh"] + w["bias"]),
            "weight_ih meets the state and weight_hh the input": f(total(w, h, x)),
            "the previous state does not enter": f(total(w, x, 0 * h)),
            "the input does not enter": f(total(w, 0 * x, h)),
            "the bias is missing": f(a - w["bias"]),
            "the bias is added twice; there is one": f(twice),
            "the bias is added after the activation": f(a - w["bias"]) + w["bias"],
            "the recurrent term is added after the activation": f(total(w, x, 0 * h)) + h @ w["weight_hh"].T,
            "input and recurrent term have an activation each; there is one, of the sum": f(x @ w["weight_ih"].T + w["bias"])
            + f(h @ w["weight_hh"].T),
            "the activation is missing": a,
            "this is a sigmoid": sigmoid(a),
        }

    odd, x_odd, h_odd = weights_for(2, 5), waves(3, 2, phase=6), waves(3, 5, phase=7)
    with check.part("tanh", points=2):
        expect_close(
            loaded_cell(w, 3, 3, activation="tanh")(x, h),
            torch.tanh(a),
            what="one tanh step",
            suspects={**mistakes(torch.tanh), "this is a ReLU, though tanh was asked for": torch.relu(a)},
            rtol=1e-9,
        )
        expect_close(loaded_cell(w, 3, 3)(x, h), torch.tanh(a), what="one step where no activation is named (tanh)")
        expect_close(
            loaded_cell(odd, 2, 5)(x_odd, h_odd),
            torch.tanh(total(odd, x_odd, h_odd)),
            what="one step with B, I, H = 3, 2, 5",
        )
    with check.part("relu", points=1):
        expect_close(
            loaded_cell(w, 3, 3, activation="relu")(x, h),
            torch.relu(a),
            what="one relu step",
            suspects={
                "this is a tanh, though relu was asked for": torch.tanh(a),
                "this is a leaky ReLU": torch.nn.functional.leaky_relu(a),
                "values are clipped at 6": a.clamp(0, 6),
                **mistakes(torch.relu),
            },
            rtol=1e-9,
        )
        expect_close(
            loaded_cell(w, 3, 3, activation="relu")(20 * x, h), torch.relu(total(w, 20 * x, h)), what="one relu step with large inputs"
        )
    with check.part("no state given", points=1):
        cell = loaded_cell(w, 3, 3)
        try:
            out = cell(x)
        except StudentError as error:
            raise CheckFailed(f"h=None failed with a float64 input: take dtype and device of the zeros from x ({error})") from None
        expect_close(out, torch.tanh(total(w, x, 0 * x)), what="a step without h (zeros)", rtol=1e-9)
        expect(
            isinstance(out, torch.Tensor) and out.dtype == torch.float64, "float64 went in, but the new state has another dtype"
        )
        single = loaded_cell({name: value.float() for name, value in w.items()}, 3, 3)(x.float())
        expect(isinstance(single, torch.Tensor) and single.dtype == torch.float32, "float32 went in, but the new state is no float32")
        odd_cell = loaded_cell(odd, 2, 5)
        expect_shape(odd_cell(x_odd), (3, 5), "a step without h, with B, I, H = 3, 2, 5")
    with check.part("parameters", points=1):
        for norm in (False, True):
            shapes = {"weight_ih": (5, 2), "weight_hh": (5, 5), "bias": (5,)} | ({"gain": (5,), "shift": (5,)} if norm else {})
            cell = student.RNNCell(2, 5, layer_norm=norm)
            state, trained = dict(cell.state_dict()), dict(cell.named_parameters())
            setting = f"with layer_norm={norm}"
            expect(
                set(state) == set(shapes),
                f"{setting} the state_dict should hold {sorted(shapes)} and no others, got {sorted(state)}",
            )
            expect(
                set(trained) == set(shapes) and all(p.requires_grad for p in trained.values()),
                f"{setting} {sorted(shapes)} should all be trained: use nn.Parameter, not a buffer or a plain tensor",
            )
            for name, shape in shapes.items():
                expect_shape(state[name], shape, f"{name}, where I, H = 2, 5,", {"it is transposed": shape[::-1]})
            expect_close(state["bias"], [0.0] * 5, what="the bias starts at zero")
            if norm:
                expect_close(state["gain"], [1.0] * 5, what="gain starts at one")
                expect_close(state["shift"], [0.0] * 5, what="shift starts at zero")

    def expect_xavier(weight, bound, name, others):
        values = as_array(weight, name).astype(float)
        largest, spread = float(abs(values).max()), float(values.std())
        expect(math.isfinite(largest), f"{name} holds values that are not finite: was it left as torch.empty made it?")
        expect(spread > 1e-6 * max(largest, 1e-30), f"{name} starts with all entries alike; units that start alike stay alike")
        expect((values == 0).mean() < 0.5, f"{name} starts as an identity matrix, or mostly zero; it should be Xavier uniform")
        expect(largest / spread < 2.2, f"{name} is not uniform: its values look drawn from a normal distribution")
        expect(abs(values.mean()) < 0.1 * bound, f"{name} is not centered at zero: the interval is -bound..+bound")
        for sentence, other in others.items():
            if abs(largest / other - 1) < 0.02 and abs(other / bound - 1) > 0.04:
                raise CheckFailed(f"{name}: {sentence}")
        expect(
            0.97 * bound < largest < bound * (1 + 1e-5),
            f"{name} reaches ±{largest:.4f}, Xavier uniform reaches ±sqrt(6 / (fan in + fan out)), ±{bound:.4f} here",
        )
        expect(abs(spread * math.sqrt(3) / bound - 1) < 0.04, f"{name} does not fill its interval evenly, as a uniform draw does")

    with check.part("Xavier uniform", points=2):
        inputs, units = 80, 200
        for activation in ("tanh", "relu"):
            student.seed(3)
            cell = student.RNNCell(inputs, units, activation=activation)
            state = cell.state_dict()
            for name, fan_in in (("weight_ih", inputs), ("weight_hh", units)):
                bound = math.sqrt(6 / (fan_in + units))
                others = {
                    "the bound has a gain factor of 5/3; the contract has none": 5 / 3 * bound,
                    "sqrt(2 / (fan in + fan out)) is Xavier's standard deviation; the uniform bound is larger": bound / math.sqrt(3),
                    "1 / sqrt(hidden_size) is the library's default for recurrent layers, not Xavier": 1 / math.sqrt(units),
                    "1 / sqrt(fan in) is the library's default for linear layers, not Xavier": 1 / math.sqrt(fan_in),
                    "the fans are wrong: weight_ih leads from I inputs to H units": math.sqrt(6 / (2 * units)),
                    "this is Kaiming's bound, which looks at the fan in alone": math.sqrt(6 / fan_in),
                    "the fan in was counted twice; the fan out is left out": math.sqrt(3 / fan_in),
                    "the bound has a gain factor of sqrt(2); the contract has none": math.sqrt(2) * bound,
                    "this bound has a 3 where Xavier's has a 6": bound / math.sqrt(2),
                    "this bound has no square root": bound**2,
                }
                expect_xavier(state[name], bound, name, others)
        first, second = student.RNNCell(4, 6).state_dict(), student.RNNCell(4, 6).state_dict()
        expect(
            not (as_array(first["weight_hh"], "weight_hh") == as_array(second["weight_hh"], "weight_hh")).any(),
            "two cells built one after the other start alike: __init__ should not set a seed of its own",
        )
        student.seed(4)
        third = student.RNNCell(4, 6).state_dict()
        student.seed(4)
        expect_close(
            student.RNNCell(4, 6).state_dict()["weight_hh"],
            third["weight_hh"],
            what="weight_hh of a second cell, built after the same torch.manual_seed",
        )
    ln, units = weights_for(3, 5, layer_norm=True), 5
    x_ln, h_ln = waves(4, 3, phase=6), waves(4, 5, phase=7)
    a_ln, gain, shift = total(ln, x_ln, h_ln), ln["gain"], ln["shift"]
    with check.part("layer norm: what it normalizes", points=2):
        recurrent = h_ln @ ln["weight_hh"].T
        for name, f in (("tanh", torch.tanh), ("relu", torch.relu)):
            right, other = f(gain * normed(a_ln) + shift), f(gain * normed(a_ln, divisor=units - 1) + shift)
            out = loaded_cell(ln, 3, 5, activation=name, layer_norm=True)(x_ln, h_ln)
            numbers = as_array(out, "the new state")
            if numbers.shape == (4, 5) and abs(numbers - other.numpy()).max() < 1e-3:
                right = other  # how the variance is taken is the next part's question
            expect_close(
                out,
                right,
                what=f"a {name} step with layer norm",
                suspects={
                    "there is no layer norm": f(a_ln),
                    "it comes after the activation; it belongs before": gain * normed(f(a_ln)) + shift,
                    "the norm comes before the activation, but gain and shift come after it": gain * f(normed(a_ln)) + shift,
                    "it runs over the batch (axis 0); it should run over the units of each row": f(
                        gain * normed(a_ln, axis=0) + shift
                    ),
                    "mean and variance are taken over the whole batch at once": f(
                        gain * (a_ln - a_ln.mean()) / (a_ln.var(correction=0) + 1e-5).sqrt() + shift
                    ),
                    "gain and shift are not used": f(normed(a_ln)),
                    "the gain is not used": f(normed(a_ln) + shift),
                    "the shift is not used": f(gain * normed(a_ln)),
                    "the shift is inside the gain": f(gain * (normed(a_ln) + shift)),
                    "the mean is not subtracted": f(gain * a_ln / (a_ln.var(-1, correction=0, keepdim=True) + 1e-5).sqrt() + shift),
                    "this divides by the root mean square without centering": f(
                        gain * a_ln / (a_ln.square().mean(-1, keepdim=True) + 1e-5).sqrt() + shift
                    ),
                    "only the recurrent term is normalized; it should be the whole sum": f(
                        a_ln - recurrent + gain * normed(recurrent) + shift
                    ),
                    "the bias is not in the sum that is normalized": f(gain * normed(a_ln - ln["bias"]) + shift),
                    "the bias is added after the norm": f(gain * normed(a_ln - ln["bias"]) + shift + ln["bias"]),
                    "it divides by the variance, not by its square root": f(
                        gain * normed(a_ln) / (a_ln.var(-1, correction=0, keepdim=True) + 1e-5).sqrt() + shift
                    ),
                },
                rtol=0,
                atol=1e-3,  # so is epsilon
            )
        plain = {name: value for name, value in ln.items() if name in w}
        expect_close(loaded_cell(plain, 3, 5)(x_ln, h_ln), torch.tanh(a_ln), what="a step without layer norm")
    with check.part("layer norm: variance and epsilon", points=1):
        for size in (1.0, 0.003):  # in the second sum the variance is about as small as epsilon
            small = {**ln, **{name: size * ln[name] for name in ("weight_ih", "weight_hh", "bias")}}
            a_small = size * a_ln
            deviation = a_small.std(-1, correction=0, keepdim=True)
            shape_of = {
                "the variance is divided by H - 1; layer norm divides by H": normed(a_small, divisor=units - 1),
                "epsilon is added to the standard deviation; it belongs inside the square root": normed(a_small, eps=0)
                * deviation
                / (deviation + 1e-5),
                "epsilon is missing": normed(a_small, eps=0),
                "epsilon should be 1e-5": normed(a_small, eps=1e-6),
                "epsilon should be 1e-5, not 1e-8": normed(a_small, eps=1e-8),
                "epsilon should be 1e-5, not 1e-3": normed(a_small, eps=1e-3),
                "the variance is divided by H - 1, and epsilon is added outside the root": normed(
                    a_small, eps=0, divisor=units - 1
                )
                * deviation
                * math.sqrt(units / (units - 1))
                / (deviation * math.sqrt(units / (units - 1)) + 1e-5),
            }
            expect_close(
                loaded_cell(small, 3, 5, layer_norm=True)(x_ln, h_ln),
                torch.tanh(gain * normed(a_small) + shift),
                what="layer norm of sums " + ("of ordinary size" if size == 1 else "that are nearly alike"),
                suspects={sentence: torch.tanh(gain * value + shift) for sentence, value in shape_of.items()},
                rtol=1e-7,
                atol=1e-8,
            )
    with check.part("gradients", points=2):
        for norm, given, x_g, h_g in ((False, w, x, h), (True, ln, x_ln, h_ln)):
            leaves = {name: value.clone().requires_grad_() for name, value in given.items()}
            ends = [x_g.clone().requires_grad_(), h_g.clone().requires_grad_()]
            a_g = total(leaves, *ends)
            out = torch.tanh(leaves["gain"] * normed(a_g) + leaves["shift"] if norm else a_g)
            mix = waves(*out.shape, phase=8)
            (mix * out).sum().backward()
            cell = loaded_cell(given, *(x_g.shape[1], h_g.shape[1]), layer_norm=norm)
            got = student.backward(cell, x_g, h_g, weights=mix)
            setting = "with layer norm" if norm else "without layer norm"
            for name, value in leaves.items():
                cut = f"{name} gets no gradient {setting}: do .data, detach() or no_grad stand between it and the result?"
                expect(got.parameters.get(name) is not None, cut)
                expect_close(got.parameters[name], value.grad, what=f"the gradient of {name} {setting}", rtol=1e-6)
            for name, end, gradient in zip(("x", "h"), ends, got.inputs, strict=True):
                cut = f"no gradient reaches {name} {setting}: does detach() cut the path back through time?"
                expect(gradient is not None, cut)
                expect_close(gradient, end.grad, what=f"the gradient that reaches {name} {setting}", rtol=1e-6)
    with check.part("any other activation", points=1):
        for name in ("sigmoid", "gelu", "none"):
            expect_raises(
                ValueError, lambda name=name: student.RNNCell(3, 4, activation=name), f'RNNCell(3, 4, activation="{name}")'
            )
        expect_close(loaded_cell(w, 3, 3, "relu")(x, h) >= 0, [[1.0] * 3] * 4, what="relu as third argument: no negative values")
    with check.part("one call leaves no trace on the next", points=1):
        cell = loaded_cell(w, 3, 3)
        fresh = cell(x)
        cell(x, h)
        expect_close(cell(x), fresh, what="a step without h, after another call: the state should not be kept between calls")
        shared_x, shared_h = student.share(x), student.share(h)
        cell(shared_x, shared_h)
        expect_close(student.value(shared_h), h, what="your cell changed its argument h in place")
        expect_close(student.value(shared_x), x, what="your cell changed its argument x in place")
        for rows in (1, 2):
            expect_close(
                cell(x[:rows], h[:rows]),
                torch.tanh(a)[:rows],
                what=f"a batch of {rows}, after a batch of 4",
                suspects={"an axis of length 1 was squeezed away": torch.tanh(a)[0]},
            )
        expect_shape(loaded_cell(weights_for(3, 1), 3, 1)(x), (4, 1), "a step with one unit")
    ### END HIDDEN TESTS

# %% [markdown]
# **Experiment.** Somewhere among distractors the events A, B and C happen once each; the class is the order in which they do.
# All six classes hold the same symbols equally often, so only a network that carries information from step to step can tell
# them apart. Your cell does the carrying; a linear layer reads its last state.

# %% role="experiment"
from time import perf_counter

from torch.nn import functional as F

from course_utils.datasets import synthetic


class OrderClassifier(nn.Module):
    """Your cell over all steps, then a linear layer on the last state: (B, T, 5) to logits (B, 6)."""

    def __init__(self, cell, hidden_size):
        super().__init__()
        self.cell, self.head = cell, nn.Linear(hidden_size, 6)

    def forward(self, x):
        state = None
        for x_t in x.unbind(1):  # T times (B, 5); indexing x[:, t] would make the backward pass slower
            state = self.cell(x_t, state)
        return self.head(state)


settings = {
    "tanh": {"activation": "tanh"},
    "ReLU": {"activation": "relu"},
    "tanh, layer norm": {"activation": "tanh", "layer_norm": True},
}
train_split, test_split = synthetic.event_order("train"), synthetic.event_order("test")
updates, curves = runtime.steps(quick=40, default=1200, full=3000), {}
print("setting             test accuracy    seconds a run")
for setting, options in settings.items():
    losses_of, accuracies, elapsed = [], [], []
    for seed in range(runtime.steps(quick=1, default=3, full=5)):
        runtime.seed_everything(seed)
        classifier = OrderClassifier(RNNCell(5, 48, **options), 48)
        optimizer = torch.optim.Adam(classifier.parameters(), lr=5e-3)
        batches = training.minibatches(*train_split, batch_size=64, seed=seed)
        start = perf_counter()
        with runtime.single_thread():
            history = training.fit(
                classifier, batches, F.cross_entropy, optimizer, updates, clip=1.0, label=f"{setting}, seed {seed}"
            )
        elapsed.append(perf_counter() - start)
        accuracies.append(training.accuracy(training.predict(classifier, test_split[0]), test_split[1]))
        losses_of.append(history.losses)
    curves[setting] = np.stack(losses_of)
    print(f"{setting:<19} {training.Repeats(np.array(accuracies)):.3f}    {max(elapsed):.1f}")
fig = plotting.loss_curves(curves, ylabel="cross-entropy (nats)", smooth=25, references={"ln 6 = 1.79": np.log(6)})
plotting.show(
    fig,
    alt="Training loss of three settings against the update: all start near the dashed line at ln 6 and fall close to zero.",
)

# %% [markdown]
# ### Read the learning curves of the sequence classifier
#
# The dashed line at $\ln 6 \approx 1.79$ is the loss of a model that gives all six classes the same probability. Think of a
# model that is told only how often each symbol occurs in the sequence, but not where.
#
# - `bag_of_symbols`: where would its curve stay? `"near zero"`, `"halfway down"` or `"near the dashed line"`.
#
# *Difficulty 2 of 5 · 2 minutes · 1 point*

# %% role="answer" grade_id="rnn-cell-plot"
### BEGIN SOLUTION
bag_of_symbols = "near the dashed line"  # "near zero", "halfway down" or "near the dashed line"
### END SOLUTION

# %% role="test" grade_id="rnn-cell-plot-test" points=1
from course_utils.checking import checking, expect, expect_choice, student

with checking("rnn-cell-plot") as check:
    with check.part("an option is chosen"):
        expect(isinstance(student.bag_of_symbols, str), "bag_of_symbols: expected one of the three texts, in quotes")
    ### BEGIN HIDDEN TESTS
    with check.part("a model that cannot see order", points=1):
        expect_choice(
            student.bag_of_symbols,
            "near the dashed line",
            ["near zero", "halfway down", "near the dashed line"],
            what="bag_of_symbols",
            suspects={
                "near zero": "A, B and C occur once each in every class, so the counts say nothing about the class",
                "halfway down": "the counts do not rule out a single class: A, B and C occur once each in all six",
            },
        )
    ### END HIDDEN TESTS

# %% [markdown]
# ### A first forecaster, with labels and a held-out sequence
#
# The numbers 0, 1, 2, …, 99 in ten sequences of ten steps: a network shall say, after each number, which one comes next. A supervised
# model needs that answer as a **label**: the label of step $t$ is the value at step $t + 1$, also at the last step of a sequence,
# whose label is the first number of the next. And it needs an honest test: one sequence is **held out** and never trained on.
#
# You write three parts: the labels, the model (50 ReLU units and a dense head; `nn.RNN` is welcome here), and the training loop
# (Adam, mean squared error, 50 epochs).
#
# <details><summary>I'm not sure where to start</summary>
#
# *Labels*: on paper, write the series 0…8 with `length=4`, draw the two windows, and under each number its label. Which element of
# the series is the label of the very last step? *Model*: read the documentation of `nn.RNN` for the arguments that choose ReLU and
# batch-first order; its first result holds all states. *Training*: an epoch is predict, loss, clear old gradients, `backward`,
# `step`; the held-out loss is measured inside `torch.no_grad()` and never gets a `backward`.
# </details>
#
# *Difficulty 2 of 5 · 20 minutes · 8 points*


# %% role="answer" grade_id="forecaster"
def make_windows(series, length):
    """Cut a series into windows that follow one another without overlap, each with its next-value labels.

    Args:
        series: (N,) float32 tensor.
        length: T, steps a window; N is at least T + 1.

    Returns:
        x: (B, T, 1), window i holds series[i * T], …, series[i * T + T - 1].
        y: (B, T, 1), for each of these values the one that follows it in the series.
        B is as large as it can be with a real label for every step; values left over at the end are dropped.
    """
    ### BEGIN SOLUTION
    windows = (len(series) - 1) // length
    x = series[: windows * length].reshape(windows, length, 1)
    y = series[1 : windows * length + 1].reshape(windows, length, 1)
    return x, y
    ### END SOLUTION


class Forecaster(nn.Module):
    """One recurrent layer of ReLU units that reads forward in time, and a dense head: a forecast after every step.

    Args:
        hidden_size: number of ReLU units.
    """

    def __init__(self, hidden_size=50):
        ### BEGIN SOLUTION
        super().__init__()
        self.rnn = nn.RNN(1, hidden_size, nonlinearity="relu", batch_first=True)
        self.head = nn.Linear(hidden_size, 1)
        ### END SOLUTION

    def forward(self, x):
        """Forecast the next value after each step: (B, T, 1) to (B, T, 1). The state starts from zeros in every call."""
        ### BEGIN SOLUTION
        hidden, _ = self.rnn(x)  # (B, T, H)
        return self.head(hidden)
        ### END SOLUTION


def train_forecaster(model, x, y, held_out, epochs=50, lr=0.01):
    """Train a model in place with Adam on the mean squared error, on all sequences but one.

    Args:
        model: any module that maps (B, T, 1) to (B, T, 1).
        x, y: windows and labels, (B, T, 1) each; not changed.
        held_out: row of x and y that no update may see, 0..B-1.
        epochs: number of updates. Each uses all other rows at once, so nothing here is random.
        lr: learning rate of one torch.optim.Adam, whose other settings stay as they are.

    Returns:
        train_losses, test_losses: two lists of `epochs` plain numbers, the mean squared error on the rows trained on and on
        the held-out row, both measured before that epoch's update.
    """
    ### BEGIN SOLUTION
    kept = torch.arange(len(x)) != held_out  # (B,)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    train_losses, test_losses = [], []
    for _ in range(epochs):
        with torch.no_grad():
            test_losses.append(nn.functional.mse_loss(model(x[~kept]), y[~kept]).item())
        loss = nn.functional.mse_loss(model(x[kept]), y[kept])
        train_losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return train_losses, test_losses
    ### END SOLUTION


# %% role="try"
x_now, y_now = make_windows(torch.arange(9.0), 4)  # the series 0..8: two windows of four
print(x_now.squeeze(-1), y_now.squeeze(-1), sep="\n")
torch.manual_seed(0)
train_now, test_now = train_forecaster(Forecaster(8), x_now, y_now, held_out=1, epochs=3)
print(train_now, test_now)

# %% role="test" grade_id="forecaster-test" points=8
import torch

from course_utils.checking import as_array, checking, expect, expect_close, expect_shape, student


def two_of(result, what):
    """The two things that a function of the student's returns."""
    expect(isinstance(result, tuple | list) and len(result) == 2, what)
    return result


with checking("forecaster") as check:
    with check.part("windows and labels of the series 0…8"):
        x, y = two_of(student.make_windows(torch.arange(9.0), 4), "make_windows returns two tensors, (x, y)")
        expect_close(x, [[[0], [1], [2], [3]], [[4], [5], [6], [7]]], what="x", reveal=True)
        expect_close(
            y,
            [[[1], [2], [3], [4]], [[5], [6], [7], [8]]],
            what="y",
            suspects={
                "the labels are the inputs themselves, not the values after them": [[[0], [1], [2], [3]], [[4], [5], [6], [7]]],
            },
            reveal=True,
        )
    with check.part("the model's shape"):
        expect_shape(student.Forecaster(6)(torch.ones(2, 5, 1)), (2, 5, 1), "Forecaster(6) on an input (2, 5, 1)")
    with check.part("training lowers the loss"):
        student.seed(0)
        line = student.build("torch.nn.Linear", 1, 1)
        ramp = torch.arange(12.0).reshape(3, 4, 1) / 12
        losses, _ = two_of(
            student.train_forecaster(line, ramp, ramp + 0.5, 1, epochs=40, lr=0.05), "train_forecaster returns two lists of losses"
        )
        expect_shape(losses, (40,), "train_losses for 40 epochs")
        expect(as_array(losses, "train_losses")[-1] < 0.5 * losses[0], "the training loss should at least halve on this easy problem")
    ### BEGIN HIDDEN TESTS
    with check.part("labels are the next values", points=2):
        wave = torch.sin(1.3 * torch.arange(16.0)) + 0.1 * torch.arange(16.0)  # no two values alike
        for count in (14, 13, 12):  # T = 4: a leftover value; none; one label short of a third window
            series, full = wave[:count], (count - 1) // 4
            x, y = two_of(student.make_windows(series, 4), "make_windows returns two tensors, (x, y)")
            inputs, labels = series[: full * 4].reshape(full, 4, 1), series[1 : full * 4 + 1].reshape(full, 4, 1)
            around = series[: count // 4 * 4].reshape(-1, 4, 1)
            sliding = series[:-1].unfold(0, 4, 1).unsqueeze(-1)
            what = f"of {count} values in windows of 4"
            expect_close(
                x,
                inputs,
                what=f"x {what}",
                suspects={
                    "windows overlap; each should start where the one before it ended": sliding,
                    "windows overlap, and the last one is missing; each should start where the one before it ended": sliding[:-1],
                    "there is a window whose last step has no real label": around,
                    "a window that has all its labels is missing": inputs[:-1],
                    "the last axis, of length 1, is missing": inputs.squeeze(-1),
                    "windows run down the columns: reshape to (B, T, 1) keeps the order of time": series[: full * 4]
                    .reshape(4, full)
                    .T.unsqueeze(-1),
                },
            )
            after = torch.cat([series, series[:4]])
            suspects = {
                "the labels are the inputs themselves, not the values after them": inputs,
                "the labels are the values before the inputs; the next value is one step later": torch.roll(series, 1)[
                    : full * 4
                ].reshape(full, 4, 1),
                "there is one label a window; every step needs one": labels[:, -1],
                "the last axis, of length 1, is missing": labels.squeeze(-1),
                "the labels lie two steps ahead": after[2 : full * 4 + 2].reshape(full, 4, 1),
                "the labels are the window after; each step's label is one step ahead": after[4 : full * 4 + 4].reshape(full, 4, 1),
                "the last label of a window wraps around to its own first value": torch.roll(inputs, -1, dims=1),
                "the last label of a window repeats its last input": torch.cat([inputs[:, 1:], inputs[:, -1:]], dim=1),
                "the labels are the steps' differences, not the values": labels - inputs,
            }
            expect_close(y, labels, what=f"y {what}", suspects=suspects)
        x, _ = two_of(student.make_windows(wave, 5), "make_windows returns two tensors, (x, y)")
        expect_shape(x, (3, 5, 1), "x of 16 values in windows of 5")
        expect(isinstance(x, torch.Tensor) and x.dtype == torch.float32, "x should be a float32 tensor, as the series is")
    steps = torch.linspace(0.2, 2, 12).reshape(2, 6, 1)
    with check.part("the model reads forward, each sequence by itself", points=1):
        student.seed(1)
        model = student.Forecaster(50)
        model.eval()
        out = as_array(model(steps), "forecasts")
        expect_shape(
            out,
            (2, 6, 1),
            "forecasts for an input (2, 6, 1)",
            {"the last axis, of length 1, is missing": (2, 6), "there is one forecast a sequence; every step needs one": (2, 1)},
        )
        other = steps.clone()
        other[1] += 1
        expect_close(
            model(other)[0],
            out[0],
            what="forecasts of sequence 0 when only sequence 1 changes: sequences influence each other "
            "(does the recurrent layer know that batch comes first?)",
        )
        other = steps.clone()
        other[:, 3:] += 1
        expect_close(model(other)[:, :3], out[:, :3], what="early forecasts when only later values change: the future leaks in")
        other = steps.clone()
        other[:, 0] += 1
        moved = abs(as_array(model(other), "forecasts")[:, 2] - out[:, 2]).max()
        expect(moved > 1e-7, "the third forecast does not depend on the first value: nothing is carried from step to step")
        expect_close(model(steps), out, what="the same input once more: no state should be kept between calls")
        expect_shape(model(steps[:1, :1]), (1, 1, 1), "forecasts for an input (1, 1, 1)")
        expect_close(model(steps[:1]), out[:1], what="a batch of one")
    with check.part("hidden_size ReLU units", points=1):
        for units in (7, 50):
            model = student.Forecaster(units) if units != 50 else student.Forecaster()
            expect(
                any(units in value.shape for value in model.state_dict().values()),
                f"no weight has a side of {units}, the number of hidden units asked for",
            )
        lowest = 0.0
        for seed in range(10):
            student.seed(seed)
            model = student.Forecaster(50)
            # Where inputs are so large that biases hardly count, ReLU units give twice the output for twice the input.
            once, twice = as_array(model(1e4 * steps), "forecasts"), as_array(model(2e4 * steps), "forecasts")
            mirrored = as_array(model(-1e4 * steps), "forecasts")
            lowest = min(lowest, float(once.min()), float(mirrored.min()))
            scale = abs(once).max() + abs(mirrored).max()
            if lowest < 0 and abs(once).max() > 0:
                expect(
                    abs(twice - 2 * once).max() < 1e-2 * scale,
                    "the hidden units are no ReLU: twice a large input should give about twice the output",
                )
                expect(abs(mirrored + once).max() > 1e-2 * scale, "the hidden units are linear: there is no ReLU")
        expect(lowest < 0, "forecasts are never negative: a ReLU after the head cannot forecast a falling series")
        gradients = student.backward(model, steps).parameters
        expect(gradients, "the model has no parameters to train: are its layers attributes of the module?")
        cut = [name for name, value in gradients.items() if value is None]
        expect(not cut, f"no gradient reaches {cut}: do .data, detach() or no_grad stand between it and the forecast?")

    rows = torch.sin(0.9 * torch.arange(15.0)).reshape(3, 5, 1)
    targets = 0.5 + torch.cos(1.1 * torch.arange(15.0)).reshape(3, 5, 1) + torch.tensor([0.0, 4.0, 1.0]).reshape(3, 1, 1)
    start = {"weight": torch.tensor([[0.3]]), "bias": torch.tensor([-0.4])}

    def replay(epochs=6, lr=0.1, kept=(0, 2), optimizer=torch.optim.Adam, mistake=""):
        """The end of training and the losses on the way, with a mistake if asked for."""
        model = torch.nn.Linear(1, 1)
        model.load_state_dict(start)
        stepper, seen, unseen = optimizer(model.parameters(), lr=lr), [], []

        def error(*chosen):
            squares = (model(rows[list(chosen)]) - targets[list(chosen)]).square()
            return squares.sum() if mistake == "sum" else squares.mean()

        for _ in range(epochs):
            seen.append(error(*kept).item())
            unseen.append(error(1).item())
            for group in [[row] for row in kept] if mistake == "row by row" else [kept]:
                if mistake != "not cleared":
                    stepper.zero_grad()
                (error(*group) + (error(1) if mistake == "both" else 0)).backward()
                stepper.step()
            if mistake == "anew":
                stepper = optimizer(model.parameters(), lr=lr)
            if mistake == "late":
                seen[-1], unseen[-1] = error(*kept).item(), error(1).item()
        return torch.stack([model.weight.detach().flatten(), model.bias.detach()]).flatten(), seen, unseen

    def train_line(x=rows, y=targets, epochs=6, lr=0.1, held=1):
        model = student.build("torch.nn.Linear", 1, 1)
        model.load_state_dict(start)
        result = student.train_forecaster(model, x, y, held, epochs=epochs, lr=lr)
        state = model.state_dict()
        return torch.cat([state["weight"].flatten(), state["bias"]]), *two_of(result, "train_forecaster returns two lists of losses")

    with check.part("updates: Adam on the mean squared error", points=2):
        weights, _, _ = train_line()
        expect_close(
            weights,
            replay()[0],
            what="the weights after six epochs",
            suspects={
                "old gradients are not cleared: they add up from epoch to epoch (zero_grad)": lambda: replay(mistake="not cleared")[0],
                "the model is not changed: is step() called?": torch.tensor([0.3, -0.4]),
                "the held-out sequence was trained on": lambda: replay(kept=(0, 1, 2))[0],
                "only the held-out sequence was trained on": lambda: replay(kept=(1,))[0],
                "the held-out loss takes part in the gradient": lambda: replay(mistake="both")[0],
                "a new optimizer is made in every epoch, which forgets its running averages": lambda: replay(mistake="anew")[0],
                "this is plain gradient descent, not Adam": lambda: replay(optimizer=torch.optim.SGD)[0],
                "this is RMSprop, not Adam": lambda: replay(optimizer=torch.optim.RMSprop)[0],
                "this is AdamW, which adds weight decay; not Adam": lambda: replay(optimizer=torch.optim.AdamW)[0],
                "lr is not used; this is Adam's own default": lambda: replay(lr=0.001)[0],
                "lr is not used; this is the default 0.01": lambda: replay(lr=0.01)[0],
                "there is an epoch too few": lambda: replay(epochs=5)[0],
                "there is an epoch too many": lambda: replay(epochs=7)[0],
                "epochs is not used; there are always 50": lambda: replay(epochs=50)[0],
                "each sequence got an update of its own; an epoch is one update on all of them": lambda: replay(mistake="row by row")[0],
            },
            rtol=1e-4,
            atol=1e-5,
        )
    with check.part("losses of both kinds, before each update", points=1):
        expected_seen, expected_unseen = replay()[1:]
        _, seen, unseen = train_line()
        for name, values in (("train_losses", seen), ("test_losses", unseen)):
            tensors = isinstance(values, torch.Tensor) or any(isinstance(v, torch.Tensor) and v.requires_grad for v in values)
            expect(not tensors, f"{name} holds tensors that keep the graph of their epoch alive; store plain numbers (item())")
        for name, values, expected, number, others in (
            ("train_losses", seen, expected_seen, 1, expected_unseen),
            ("test_losses", unseen, expected_unseen, 2, expected_seen),
        ):
            expect_close(
                values,
                expected,
                what=name,
                suspects={
                    "this is the sum of squared errors, not their mean": lambda n=number: replay(mistake="sum")[n],
                    "it is measured after the update; both belong before it": lambda n=number: replay(mistake="late")[n],
                    "these are the losses of the other kind": others,
                    "this is the square root of the mean squared error": [value**0.5 for value in expected],
                    "these are losses of a run that trained on every row, the held-out one included": lambda n=number: replay(kept=(0, 1, 2))[n],
                },
                rtol=1e-4,
                atol=1e-5,
            )
    with check.part("the held-out sequence stays unseen", points=1):
        for held in (0, 1, 2):
            changed = targets.clone()
            changed[held] += 7
            before, after = train_line(held=held), train_line(y=changed, held=held)
            expect(
                bool((before[0] - torch.tensor([0.3, -0.4])).abs().max() > 1e-3),
                "the model is not changed by training: is step() called?",
            )
            leak = f"other labels for the held-out sequence (row {held}) change the trained weights: it was trained on"
            expect_close(after[0], before[0], what=leak, rtol=1e-4)
            blind = f"other labels for the held-out sequence (row {held}) do not change test_losses: is another row tested?"
            expect(abs(as_array(after[2], "test_losses") - as_array(before[2], "test_losses")).min() > 1e-3, blind)
        shared = student.share(rows)
        train_line(x=shared)
        expect_close(student.value(shared), rows, what="training changed the windows x it was given")
    ### END HIDDEN TESTS

# %% [markdown]
# **Experiment.** Ten sequences of ten, divided by 100 so that they lie in [0, 1]; 50 ReLU units, 50 epochs. Once the sequence 50–59 is
# held out, once 90–99, with three seeds each. The figures are root mean squared errors in units of the numbers. "Repeat the last
# number" is off by exactly 1 everywhere: a forecaster worth its name should come below that.

# %% role="experiment"
inputs_all, labels_all = make_windows(torch.arange(101.0) / 100, 10)  # (10, 10, 1) each; the last label is 100
epochs, fig = runtime.steps(quick=5, default=50, full=500), plt.figure(figsize=(9, 3.6))
print("held out   error on the other nine   error on the held-out one   (repeat the last number: 1.00)")
for place, held_out in enumerate((5, 9)):
    ends = []
    for seed in training.progress(range(3), f"sequence {held_out} held out"):
        runtime.seed_everything(seed)
        network = Forecaster(50)
        losses = train_forecaster(network, inputs_all, labels_all, held_out, epochs=epochs, lr=0.01)
        ends.append([100 * kind[-1] ** 0.5 for kind in losses])
        if seed == 0:
            forecasts = 100 * training.predict(network, inputs_all[held_out : held_out + 1])[0, :, 0]
    name = f"{10 * held_out}–{10 * held_out + 9}"
    on_train, on_test = (training.Repeats(np.array(column)) for column in zip(*ends, strict=True))
    print(f"{name:<10} {on_train:<25.2f} {on_test:<27.2f}")
    ax = fig.add_subplot(1, 2, place + 1)
    plotting.forecast(
        100 * labels_all[held_out, :, 0], {"forecast": forecasts}, ylabel="next number", title=f"{name} held out", ax=ax
    )
plotting.show(
    fig,
    alt="Forecasts on two held-out sequences. For 50–59 they lie close to the true line after the first steps; for 90–99, beyond all "
    "numbers trained on, they lie farther from it.",
)

# %% [markdown]
# ### Read the forecast on the held-out sequence
#
# - `harder`: on which held-out sequence is the error larger, averaged over the seeds? `"50-59"` or `"90-99"`.
# - `because`: the larger error comes from `"interpolation"`, `"extrapolation"` or `"too few epochs"`.
#
# *Difficulty 2 of 5 · 2 minutes · 1 point*

# %% role="answer" grade_id="forecaster-plot"
### BEGIN SOLUTION
harder = "90-99"  # "50-59" or "90-99"
because = "extrapolation"  # "interpolation", "extrapolation" or "too few epochs"
### END SOLUTION

# %% role="test" grade_id="forecaster-plot-test" points=1
from course_utils.checking import checking, expect, expect_choice, student

with checking("forecaster-plot") as check:
    with check.part("a sequence is chosen"):
        expect(isinstance(student.harder, str), "harder: expected one of the two texts, in quotes")
    with check.part("a reason is chosen"):
        expect(isinstance(student.because, str), "because: expected one of the three texts, in quotes")
    ### BEGIN HIDDEN TESTS
    with check.part("the harder sequence", points=0.5):
        expect_choice(
            student.harder,
            "90-99",
            ["50-59", "90-99"],
            what="harder",
            suspects={"50-59": "there the training data hold smaller and larger numbers; compare the two printed errors"},
        )
    with check.part("the reason", points=0.5):
        expect_choice(
            student.because,
            "extrapolation",
            ["interpolation", "extrapolation", "too few epochs"],
            what="because",
            suspects={
                "interpolation": "that is a question between known numbers; 90–99 lie beyond all that were trained on",
                "too few epochs": "both networks had the same number of epochs",
            },
        )
    ### END HIDDEN TESTS
