"""Text for people: standard output as it is, whatever it can show."""

import sys

from scratchnet import config

# What the lines of tables and bars are drawn with, and what stands in for it where the output cannot show that.
_PLAIN = str.maketrans("━─│┌┬┐├┼┤└┴┘", "=-|+++++++++")


_silent = False


def set_silent(silent):
    """Whether nothing is written from now on: of several ranks that run one program, one has the screen."""
    global _silent
    _silent = silent


def write(text, stream=None):
    """Write `text` at once to `stream`, by default standard output, or Python's `logging` where that was asked for.

    Where the stream's encoding lacks a character (cp1252 of a redirected output on Windows, ASCII of a cron job), lines
    are drawn as ``+---+``; other letters that are missing become their escapes.
    """
    if _silent:
        return
    if stream is None and not config.is_interactive_logging_enabled():
        if text.strip():
            import logging  # few ask for it

            logging.getLogger("scratchnet").info(text.rstrip("\n"))
        return
    stream = sys.stdout if stream is None else stream
    if stream is None:  # a program without a console
        return
    try:
        stream.write(text)
    except UnicodeEncodeError:
        stream.write(plain(text, stream.encoding))
    stream.flush()


def say(text):
    """`write` a line."""
    write(f"{text}\n")


def say_by(print_fn, line):
    """`say` the line, or hand it to the user's own `print_fn`, in plain characters where that cannot encode others."""
    if print_fn is None:
        say(line)
        return
    try:
        print_fn(line)
    except UnicodeEncodeError:
        print_fn(plain(line))


def tell(message):
    """A remark beside the results: on standard error, but in a notebook, which shows that in red, among the output."""
    write(f"{message}\n", sys.stdout if is_notebook(sys.stdout) else sys.stderr)


def plain(text, encoding="ascii"):
    """`text` in characters that `encoding` has."""
    return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)


def is_notebook(stream):
    """Whether `stream` ends in a cell of a Jupyter notebook."""
    return type(stream).__module__.startswith("ipykernel")


def is_terminal(stream):
    """Whether `stream` shows a line that is written over, in a terminal or a notebook."""
    isatty = getattr(stream, "isatty", None)  # not every object that stands in for standard output has it
    return is_notebook(stream) or (isatty is not None and isatty())


def terminal_width():
    """How many columns the terminal has."""
    import shutil  # which brings along what it archives with

    return shutil.get_terminal_size().columns
