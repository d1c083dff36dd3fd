"""Lambdas in files: written down as Keras does it, so that it can read them, and never run here."""

import base64
import json
import marshal


def written(function):
    """A lambda as its code, its defaults and what it encloses; without the last two where JSON cannot hold them."""
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode()
    try:
        rest = [function.__defaults__, [cell.cell_contents for cell in function.__closure__ or ()] or None]
        json.dumps(rest)
    except (TypeError, ValueError):  # a cell may be empty
        rest = [None, None]
    return {"class_name": "__lambda__", "config": {"value": [code, *rest]}}


def is_lambda(value):
    """Whether this is what `written` or Keras makes of a lambda."""
    return isinstance(value, dict) and value.get("class_name") == "__lambda__"


def holds_lambda(value):
    """Whether there is one within a configuration."""
    values = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return is_lambda(value) or any(map(holds_lambda, values))
