"""What in a submission's text a person should look at. It decides no mark: sandbox and seam make such code come to nothing.

An honest notebook has no reason to touch the checks, the kernel, other processes or the file system; one that does is flagged
with what was seen. A few honest ones will be flagged too, and a clever one may escape: a flag asks for a look, no more.
"""

from __future__ import annotations

import re

SIGNS = {
    r"\b(allclose|assert_(close|allclose|equal|array_\w+|almost_\w+)|isclose|equal)\s*=(?!=)": "replaces a library's comparison",
    r"course_utils\.checking\.\w+(\.\w+)*\s*=(?!=)|(failures|handles|expect|servant|report)\.\w+\s*=(?!=)"
    r"|\.(expect\w*|forbid|checking|__enter__|__exit__)\s*=(?!=)": "changes the checks",
    r"\bsys\.modules\b": "replaces modules",
    r"(?<![\w.])(exec|eval|compile)\(|\b(b64decode|marshal\.|zlib\.)": "runs code from text or data",
    r"\b(import|from)\s+course_utils\.(checking\.|models)|course_utils\.models": "imports the course's reference or inner parts",
    r"\bbuiltins\b|__builtins__": "reaches for Python's builtins",
    r"get_ipython\(\)|InteractiveShell|_transformers?\b|showtraceback": "reaches for the kernel",
    r"\b(run_cell|do_execute|ipykernel|zmq)\b": "reaches for the kernel",
    r"__(eq|array|torch_function|array_ufunc|class|getattribute)__": "defines how its objects compare or convert",
    r"gc\.get_|\b_getframe\b|inspect\.(stack|currentframe|getouter)|__traceback__|\bf_(back|locals)\b": "reads frames or memory",
    r"\b(In|Out|_ih|_oh)\[": "reads the notebook's history",
    r"/proc\b|os\.environ|gradebook|nbgrader|\.\./|submitted/|source/|solutions/|HIDDEN"
    r"|[\"']/(etc|home|root|run|srv|var)\b": "reads files or settings outside the notebook",
    r"torch\._VF|torch\._C|torch\.ops|\b_VF\b|import_module|__import__": "reaches library code by another name",
    r"getattr\(\s*(torch|nn)\b[^)]*\+": "reaches library code by another name",
    r"\bos\.(fork|kill|killpg|_exit|system|popen|setsid|exec\w*)": "starts or ends processes",
    r"\b(subprocess|multiprocessing|ctypes)\b|\b(import|from)\s+signal\b": "starts or ends processes",
    r"\bsocket\b|urllib|requests\.|http\.client|smtplib": "uses the network",
    r"/dev/shm|shared_memory": "uses shared memory",
    r"\brmtree\b": "removes folders",
    r"\bsetrecursionlimit\b": "raises the limit on recursion",
    r"\bsys\.exit\b|\bquit\(|\bexit\(": "ends the interpreter",
    r"\binput\(": "waits for input",
}
IN_ANY_TEXT = {
    r"[\u202a-\u202e\u2066-\u2069]": "holds characters that change the order in which it is read",
    r"<\s*(script|iframe|img|svg|object)\b|javascript:|Javascript\(|on(error|load|click)\s*=": "holds web code",
}


def signs_in(text: str, code: bool = True) -> list[str]:
    """What the text of a cell shows that deserves a look, in words; empty for an ordinary cell.

    Args:
        code: a code cell; prose may well speak of a signal, a source or an exit.
    """
    signs = {**SIGNS, **IN_ANY_TEXT} if code else IN_ANY_TEXT
    return [reason for pattern, reason in signs.items() if re.search(pattern, text)]
