"""What a view is, and how an equation is written: in plain text here, as MathML in the page."""

import re
from collections.abc import Callable
from html import escape
from typing import Any, NamedTuple


class Line(NamedTuple):
    """An equation, and the line of source that computes it."""

    quantity: str  # what it computes, by its name in `inside`, or y, dx, dkernel, ...
    equation: str  # see `mathml`
    function: Any  # whose source has the line
    snippet: str  # of the line, which occurs in that source once
    when: Callable = lambda layer: True  # for which layers


class View(NamedTuple):
    """How a kind of layer is shown."""

    kind: str  # the picture that the page draws
    inside: Callable = lambda layer, call: {}  # (layer, call) -> dict of arrays, batch first
    forward: tuple = ()  # of `Line`
    backward: tuple = ()
    options: Callable = lambda layer, call: {}  # what the picture needs to know besides, as JSON can hold it
    replay: Callable = lambda layer, call: {}  # the layer's gradients once more, from what `inside` has of the way back


GENERIC = View("generic")


# ---- equations ----

_TOKEN = re.compile(r"\s*([A-Za-zΑ-Ωα-ω]+'?|\d+(?:\.\d+)?|[_^{}()\[\]|,]|[^\sA-Za-z0-9])")
_WORDS = {"sum": "∑", "prod": "∏", "inf": "∞", "max": "max", "mean": "mean", "in": "∈"}
_FUNCTIONS = ("sigmoid", "tanh", "softmax", "exp", "log", "relu", "sqrt", "max", "mean", "var", "argmax", "act", "rec")


def mathml(text):
    """An equation in MathML, from text such as ``c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t``.

    `_` and `^` put one sign or a group in braces below or above; `sum` is the sign of a sum, a name with a stroke
    (``tanh'``) a derivative; letters that stand together are one name.
    """
    tokens = _TOKEN.findall(text)
    body = "".join(_row(tokens))
    return f'<math display="block"><mrow>{body}</mrow></math>'


def _row(tokens, closing=None):
    """The pieces up to `closing`, which is taken away, from the list `tokens`."""
    pieces = []
    while tokens:
        token = tokens.pop(0)
        if token == closing:
            break
        if token in "_^" and pieces:
            base, below, above = pieces.pop(), None, None
            while True:
                script = _argument(tokens)
                below, above = (script, above) if token == "_" else (below, script)
                if not (tokens and tokens[0] in "_^"):
                    break
                token = tokens.pop(0)
            pieces.append(_scripted(base, below, above))
        else:
            pieces.append(_leaf(token))
    return pieces


def _argument(tokens):
    token = tokens.pop(0)
    return f"<mrow>{''.join(_row(tokens, '}'))}</mrow>" if token == "{" else _leaf(token)


def _scripted(base, below, above):
    limits = base == "<mo>∑</mo>"
    if above is None:
        return f"<munder>{base}{below}</munder>" if limits else f"<msub>{base}{below}</msub>"
    if below is None:
        return f"<msup>{base}{above}</msup>"
    return f"<msubsup>{base}{below}{above}</msubsup>"


def _leaf(token):
    name = token.rstrip("'")
    if token in ("sum", "prod"):
        return f"<mo>{_WORDS[token]}</mo>"
    if name in _FUNCTIONS or len(name) > 3:
        return f'<mi mathvariant="normal">{token.replace(chr(39), "′")}</mi>'
    if re.fullmatch("d[A-Za-zγβ]", name):  # an adjoint
        return f"<mrow><mi>d</mi>{_leaf(token[1:])}</mrow>"
    if token[0].isalpha():
        return f"<mi>{token.replace(chr(39), '′')}</mi>"
    if token[0].isdigit():
        return f"<mn>{token}</mn>"
    return f"<mo>{escape(token)}</mo>"
