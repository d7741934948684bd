"""Tunes and chorales: the ABC and MusicXML readers by hand and against music21, the corpus, the real files."""

import json
import subprocess
import sys
import zipfile
from collections import Counter
from fractions import Fraction as F
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.datasets import fetch, music, parsed
from course_utils.datasets.abc_notation import Note, read_abc
from course_utils.datasets.musicxml import read_score

SHARED = Path(__file__).parents[4] / "shared" / "data"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="no copies of the real files beside the repository")


@pytest.fixture(autouse=True)
def folders(monkeypatch, tmp_path_factory):
    """Parsed scores go to a folder that this file's tests share; real files come from their copies."""
    monkeypatch.setenv(fetch.CACHE_VARIABLE, str(tmp_path_factory.getbasetemp() / "music_cache"))
    if SHARED.is_dir():
        monkeypatch.setenv(fetch.DATA_VARIABLE, str(SHARED))


def notes(body, header="M:4/4\nL:1/4\nK:C"):
    (tune,) = read_abc(f"X:1\nT:t\n{header}\n{body}\n")
    return [(pitch, duration) for pitch, duration in tune.notes]


def pitches(body, header="M:4/4\nL:1/4\nK:C"):
    return [pitch for pitch, _ in notes(body, header)]


def durations(body, header="M:4/4\nL:1/4\nK:C"):
    return [duration for _, duration in notes(body, header)]


def test_letters_octaves_and_rests():
    assert pitches("C, C c c' B,, z x") == [48, 60, 72, 84, 47, None, None]


def test_lengths():
    assert durations("C C2 C3/2 C/ C/2 C// C/4 C3/") == [
        F(x) for x in ["1", "2", "3/2", "1/2", "1/2", "1/4", "1/4", "3/2"]
    ]


@pytest.mark.parametrize(
    "header, first",
    [
        ("M:2/4\nK:C", F(1, 4)),  # 2/4 is less than 3/4: sixteenths
        ("M:6/8\nK:C", F(1, 2)),
        ("K:C", F(1, 2)),
        ("M:none\nK:C", F(1, 2)),
        ("M:C|\nL:1/16\nK:C", F(1, 4)),
        ("L:1/2\nM:2/4\nK:C", F(2)),
    ],
)
def test_the_unit_of_length(header, first):
    assert durations("C", header) == [first]


@pytest.mark.parametrize(
    "key, expected",
    [
        ("G", {"F": 1}),
        ("F", {"B": -1}),
        ("Eb", {"B": -1, "E": -1, "A": -1}),
        ("F#m", {"F": 1, "C": 1, "G": 1}),
        ("E Minor", {"F": 1}),
        ("Ddor", {}),
        ("Amix", {"F": 1, "C": 1}),
        ("G mixolydian", {}),
        ("Bb maj", {"B": -1, "E": -1}),
        ("none", {}),
    ],
)
def test_key_signatures(key, expected):
    plain = dict(zip("CDEFGAB", (60, 62, 64, 65, 67, 69, 71), strict=True))
    assert pitches("CDEFGAB", f"L:1/4\nK:{key}") == [plain[x] + expected.get(x, 0) for x in "CDEFGAB"]


def test_accidentals_hold_to_the_bar_line_in_every_octave_and_over_a_line_end():
    assert pitches("^F f =f\nF | F _B__B ^^C", "L:1/4\nK:D") == [66, 78, 77, 65, 66, 70, 69, 62]


def test_ties_join_one_pitch_and_carry_its_accidental_over_the_bar():
    assert notes("^F2- | F F") == [(66, 3), (65, 1)]
    assert notes('c2 -"A7"c d- e z2- | z') == [(72, 3), (74, 1), (76, 1), (None, 3)]
    assert notes("_B6- =B4") == [(70, 6), (71, 4)]


def test_broken_rhythm_and_tuplets():
    assert durations("C>D E<F G>>A B") == [F(x) for x in ["3/2", "1/2", "1/2", "3/2", "7/4", "1/4", "1"]]
    assert durations("C2>D2") == [3, 1]
    assert durations("(3CDE (3:2:2C2D (2CD C") == [
        F(x) for x in ["2/3", "2/3", "2/3", "4/3", "2/3", "3/2", "3/2", "1"]
    ]
    assert durations("(5CDEFG", "M:6/8\nL:1/8\nK:C") == [F(3, 10)] * 5
    assert durations("(5CDEFG", "M:3/4\nL:1/8\nK:C") == [F(1, 5)] * 5
    assert notes("C- C>D") == [(60, F(5, 2)), (62, F(1, 2))]  # the second C alone is lengthened


def test_of_chords_the_highest_note_counts():
    assert notes("[CE]2 [e3/2c] [G/2 B/2 ] [+GB] [cz]") == [
        (64, 2),
        (76, F(3, 2)),
        (71, F(1, 2)),
        (71, 1),
        (72, 1),
    ]
    assert pitches("[e2c2(3A/B/c/|") == [76, 69, 71, 72]  # so a file of the Nottingham set has it: no ]


def test_of_two_endings_the_second_counts():
    assert pitches('C |1 D :|2 E | [1 "G" F :| [2"G" G || A') == [60, 64, 67, 69]
    assert pitches("C [1 D :| E") == [60, 62, 64]


def test_what_is_no_note_is_passed_over():
    assert pitches('"Am7"C !trill!D {fg}E ~F .G (A`B) % C D\nP:B\nw:la la\ny c \\') == [
        60,
        62,
        64,
        65,
        67,
        69,
        71,
        72,
    ]


def test_fields_change_within_a_tune():
    assert notes("F\nK:G\nF [K:D] c\nL:1/8\nG [L:1/2]G\nM:3/4\nZ2") == [
        (65, 1), (66, 1), (73, 1), (67, F(1, 2)), (67, 2), (None, 6),
    ]  # fmt: skip
    (tune,) = read_abc("X:7\nT:First\nT:Second\nM:6/8\nK:Am\nM:4/4\nA\nK:G\nA:|\n")
    assert (tune.number, tune.title, tune.key, tune.meter) == (7, "First", "Am", "6/8")
    assert [note.pitch for note in tune.notes] == [69, 69] and tune.tonic == 9


@pytest.mark.parametrize(
    "key, tonic", [("G", 7), ("Bbm", 10), ("F# minor", 6), ("", 0), ("Cb", 11), ("none", 0)]
)
def test_tonic(key, tonic):
    (tune,) = read_abc(f"X:1\nK:{key}\nC\n")
    assert tune.tonic == tonic


def test_tunes_begin_at_x_whatever_stands_before():
    tunes = read_abc("\n% a book\nnot music: 1778\n\nX: 1\nT:a\nK:C\nC\n\n\nX:3\r\nT:b\r\nK:C\r\nD\r\n")
    assert [(tune.number, tune.title, tune.notes) for tune in tunes] == [
        (1, "a", (Note(60, F(1, 2)),)),
        (3, "b", (Note(62, F(1, 2)),)),
    ]
    assert read_abc("") == []


@pytest.mark.parametrize(
    "text, message",
    [
        ("X:1\nK:C\nCD\nC&D", "tunes.abc, line 4: cannot read '&'"),
        ("X:1\nK:H\nC", "tunes.abc, line 2: a key must begin with a letter from A to G, got 'H'"),
        ("X:1\nM:FREI\nK:C\nC", "tunes.abc, line 2: a length must be a fraction such as 1/8, got 'FREI'"),
        ("X:1\nM:4/4\nCDE", "tunes.abc, line 3: music must come after a K: line, got 'CDE'"),
        ("X:1\nK:C\n>C", "tunes.abc, line 3: > must stand between two notes"),
        ("X:1\nK:C\n[]C", "tunes.abc, line 3: "),
        ("X:one\nK:C\nC", "tunes.abc, line 1: "),
        ("X:1\nL:1/0\nK:C\nC", "tunes.abc, line 2: a length"),
    ],
)
def test_errors_name_file_and_line(text, message):
    with pytest.raises(ValueError, match=message.replace("[", r"\[")):
        read_abc(text, "tunes.abc")


ABC = ["C", "_D", "^D", "E", "F", "^F", "_A", "A", "_B", "B", "c'", "c,", "z"]


@given(
    st.lists(st.tuples(st.sampled_from(ABC), st.integers(1, 9), st.sampled_from([1, 2, 3, 4, 8])), min_size=1)
)
def test_any_notes_last_as_long_as_they_are_written(written):
    body = " | ".join(f"{letter}{top}/{bottom}" for letter, top, bottom in written)
    assert durations(body) == [F(top, bottom) for _, top, bottom in written]


def score(measures, extra=""):
    parts = '<score-part id="P1"><part-name> Soprano </part-name></score-part>'
    return f'<score-partwise><part-list>{parts}</part-list><part id="P1">{measures}</part>{extra}</score-partwise>'.encode()


def xml_note(step, octave, duration, more=""):
    return f"<note><pitch><step>{step}</step>{more}<octave>{octave}</octave></pitch><duration>{duration}</duration></note>"


def test_a_score_is_read_with_ties_rests_alterations_and_changing_divisions():
    tie = '<tie type="stop"/></note>'
    measures = (
        "<measure><attributes><divisions>2</divisions></attributes>"
        + xml_note("C", 4, 3)
        + xml_note("C", 4, 1).replace("</note>", tie)
        + "<note><grace/><pitch><step>D</step><octave>4</octave></pitch></note>"
        + "<note><rest/><duration>2</duration></note></measure>"
        + "<measure><attributes><divisions>3</divisions></attributes>"
        + xml_note("B", 3, 1, "<alter>-1</alter>")
        + xml_note("B", 3, 1, "<alter>-1</alter>")  # not tied: a note of its own
        + "<forward><duration>2</duration></forward></measure>"
    )
    expected = {"Soprano": ((60, 2), (None, 1), (58, F(1, 3)), (58, F(1, 3)), (None, F(2, 3)))}
    assert read_score(score(measures)) == expected
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("META-INF/container.xml", '<c><rootfile full-path="a.musicxml"/></c>')
        archive.writestr("a.musicxml", score(measures))
    assert read_score(packed.getvalue()) == expected


@pytest.mark.parametrize(
    "data, message",
    [
        (b"not xml", "a.xml: not a MusicXML score"),
        (b"PK\x03\x04 cut", "a.xml: not a MusicXML score"),
        (score("<measure><backup/></measure>"), "a.xml, part 'Soprano': more than one voice in a part"),
        (score("<measure><note><chord/></note></measure>"), "part 'Soprano': more than one note at a time"),
        (score("", '<part id="P1"/>'), "a.xml: part names must differ, got 'Soprano' twice"),
    ],
)
def test_scores_that_cannot_be_read(data, message):
    with pytest.raises(ValueError, match=message):
        read_score(data, "a.xml")


def flat(splits):
    return [item for part in splits for item in part]


def test_folk_songs():
    songs = music.folk_songs()
    assert [len(part) for part in songs] == [1109, 139, 135]
    whole = flat(songs)
    assert sum(len(song.notes) for song in whole) == 67_683
    assert (min(len(song.notes) for song in whole), max(len(song.notes) for song in whole)) == (13, 145)
    counts = Counter(duration for song in whole for _, duration in song.notes)
    assert len(counts) == 11 and sum(n for _, n in counts.most_common(4)) / 67_683 == pytest.approx(
        0.94, abs=0.005
    )
    sung = [pitch for song in whole for pitch, _ in song.notes if pitch is not None]
    assert (min(sung), max(sung)) == (48, 82)
    first = next(
        song for song in whole if song.title == "ES FREIT EIN WILDER WASSERMANN" and song.number == 1
    )
    assert first.notes[:5] == ((60, F(1, 2)), (65, F(1, 2)), (65, F(1, 2)), (65, F(1, 2)), (67, F(1, 2)))
    titles = [{song.title.casefold() for song in part} for part in songs]
    assert not titles[0] & titles[1] and not titles[0] & titles[2] and not titles[1] & titles[2]
    assert flat(music.folk_songs(seed=1)) != whole and len(music.folk_songs(valid=0.2).valid) > 250


def test_chorales():
    chorales = music.chorales()
    assert [len(part) for part in chorales] == [292, 36, 36]
    whole = flat(chorales)
    for chorale in whole:
        assert len({sum(float(duration) for _, duration in voice) for voice in chorale.voices}) == 1
    (first,) = (chorale for chorale in whole if chorale.number == "269")
    assert [voice[0].pitch for voice in first.voices] == [67, 62, 59, 43]
    heights = [[p for c in whole for p, _ in c.voices[v] if p is not None] for v in range(4)]
    means = [sum(h) / len(h) for h in heights]
    assert means == sorted(means, reverse=True)


def test_the_readers_agree_with_music21(monkeypatch, tmp_path):
    """On whole files, but for rests tied to rests and for `_B-=B`, which music21 joins to one flat B."""
    monkeypatch.setenv("HOME", str(tmp_path))
    from music21 import converter

    path = music._corpus_file("essenFolksong", "erk5.abc")
    text = path.read_text(encoding="utf-8")
    theirs = converter.parse("%abc-2.1\n" + text, format="abc", forceSource=True).scores
    for tune, score_ in zip(read_abc(text), theirs, strict=True):
        known = [
            (None if n.isRest else n.pitch.midi, F(n.quarterLength))
            for n in score_.stripTies().recurse().notesAndRests
        ]
        assert known == [tuple(note) for note in tune.notes]
    path = music._corpus_file("bach", "bwv269.mxl")
    parts = converter.parse(path, forceSource=True).parts
    for part, voice in zip(parts, read_score(path.read_bytes()).values(), strict=True):
        known = [
            (None if n.isRest else n.pitch.midi, F(n.quarterLength))
            for n in part.stripTies().recurse().notesAndRests
        ]
        assert known == [tuple(note) for note in voice]


def test_songs_load_without_music21_network_or_words(tmp_path):
    code = """
import socket, sys
def no(*a, **k): raise AssertionError("network")
socket.socket.connect = no
from course_utils.datasets.music import folk_songs
folk_songs()
assert "music21" not in sys.modules
"""
    environment = {"HOME": str(tmp_path / "home"), fetch.CACHE_VARIABLE: str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "home").exists()
    assert [path.name[:10] for path in (tmp_path / "cache" / "parsed").iterdir()] == ["folk_songs"]


def test_a_corpus_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(music, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"music21's corpus must hold essenFolksong/erk10\.abc"):
        music.folk_songs()


PIECES = [([1, "t"], [(Note(60, F(1, 3)), Note(None, F(2)))]), ([2, "ü"], [(), (Note(61, F(5)),)])]


def test_what_was_parsed_is_kept_and_a_damaged_copy_is_read_anew(monkeypatch, tmp_path):
    monkeypatch.setenv(fetch.CACHE_VARIABLE, str(tmp_path / "cache"))
    source = tmp_path / "source.abc"
    source.write_text("X:1")
    calls = []

    def read(paths):
        calls.append(paths)
        return PIECES

    assert parsed.parsed("set", [source], read) == PIECES and len(calls) == 1
    assert parsed.parsed("set", [source], read) == PIECES and len(calls) == 1
    (kept,) = (tmp_path / "cache" / "parsed").iterdir()
    whole = kept.read_bytes()
    for count, damaged in enumerate((whole[:-9], whole.replace(b"60", b"62"), b"", b"\xff\n", b"[]\n[]"), 2):
        kept.write_bytes(damaged)
        assert parsed.parsed("set", [source], read) == PIECES and len(calls) == count
        assert kept.read_bytes() == whole and list(kept.parent.iterdir()) == [kept]
    source.write_text("X:2")  # another corpus
    assert parsed.parsed("set", [source], read) == PIECES and len(list(kept.parent.iterdir())) == 2
    monkeypatch.setenv(fetch.CACHE_VARIABLE, str(source))  # no folder: nothing is kept, nothing fails
    assert parsed.parsed("set", [source], read) == PIECES


@real
def test_nottingham_has_every_tune_of_its_files():
    expected = dict(ashover=46, hpps=65, jigs=340, morris=31, playford=15, slip=11, waltzes=52, xmas=13) | {
        "reelsa-c": 81, "reelsd-g": 84, "reelsh-l": 90, "reelsm-q": 80, "reelsr-t": 92, "reelsu-z": 34,
    }  # fmt: skip
    found = {}
    for file in fetch.files("nottingham_abc"):
        path = fetch.fetch("nottingham_abc", file)
        found[path.stem] = read_abc(path.read_text(encoding="ascii"), path.name)
    assert {name: len(tunes) for name, tunes in found.items()} == expected and sum(expected.values()) == 1034
    assert (found["jigs"][0].title, found["jigs"][-1].title) == ("A and D", "Christmas Day in da Morning")
    assert (found["slip"][0].title, found["reelsh-l"][-1].number) == ("Drops of Brandy", 93)
    first = found["ashover"][0]  # 3/4 and 2/4 in turn, L: 1/4
    assert (first.key, first.meter, sum(d for _, d in first.notes)) == (
        "G",
        "3/4",
        1 + 6 * 3 + 2 + 3 + 6 * 3 + 2 + 3,
    )
    keys = Counter(tune.key for tunes in found.values() for tune in tunes)
    assert len(keys) == 13 and keys["G"] == 361  # Cm, the fourteenth, comes within a tune alone
    assert len({tune.meter for tunes in found.values() for tune in tunes}) == 8  # and 5/4
    splits = music.nottingham()
    assert [len(part) for part in splits] == [821, 105, 104]
    assert flat(music.nottingham()) == flat(splits)


@real
def test_jsb_chorales_in_both_forms():
    quarters, sixteenths = music.jsb_quarters(), music.jsb_sixteenths()
    for splits, steps in ((quarters, (13_807, 4602, 4725)), (sixteenths, (55_228, 18_408, 18_900))):
        assert [len(part) for part in splits] == [229, 76, 77]
        assert tuple(sum(map(len, part)) for part in splits) == steps
    assert (quarters.train[0][0], quarters.test[-1][-1]) == ((60, 72, 79, 88), (60, 76, 79, 84))
    assert (sixteenths.train[0][0], sixteenths.test[-1][-1]) == ((74, 70, 65, 58), (72, 67, 64, 48))
    sizes = Counter(len(step) for piece in flat(quarters) for step in piece)
    assert sizes == {4: 20_835, 3: 2205, 2: 17, 1: 13, 0: 64}
    assert sum(step.count(None) for piece in flat(sixteenths) for step in piece) == 1284


@pytest.mark.parametrize(
    "content, message",
    [
        ({"train": [[[60, 62]]], "valid": [], "test": []}, "train chorale 0, step 0: expected pitches, got"),
        ({"train": [], "valid": [[[1, 2, 3, 4], [1, 2, 3, "4"]]], "test": []}, "valid chorale 0, step 1"),
        ({"train": [], "valid": []}, "test"),
    ],
)
def test_chorales_of_another_form(monkeypatch, tmp_path, content, message):
    path = tmp_path / "chorales.json"
    path.write_text(json.dumps(content))
    monkeypatch.setattr(music, "fetch", lambda *_: path)
    with pytest.raises(ValueError, match=message):
        music.jsb_sixteenths()
