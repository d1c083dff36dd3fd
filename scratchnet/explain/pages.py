"""Puts the page together: one file, which needs no network and sends nothing."""

import base64
import json
import math
import os
import re
import zlib
from html import escape
from pathlib import Path

from scratchnet.explain.check import check_everything
from scratchnet.explain.payload import Payload

_FOLDER = Path(__file__).parent / "page"
_VIEWS = (
    *("any", "dense", "convolution", "convnd", "pooling", "moved"),
    *("recurrent", "convlstm", "bidirectional", "others"),
)
_CODE = ("base.js", *(f"views/{name}.js" for name in _VIEWS), "rail.js", "shell.js")
_COARSER = (1, 2, 4, 8)  # how large parameters are shown where the page would become too large


def write_page(trace, path, check=True, beside=None, max_mb=5.0):
    """Write the page of a trace and return its path, as text. See `Model.explain`."""
    report = check_everything(trace) if check and trace.loss is not None and trace.first_non_finite is None else None
    for coarser in _COARSER:
        text = page(Payload(trace, report, beside, coarser))
        size = len(text.encode()) / 1e6
        if size <= max_mb:
            break
    else:
        raise trace.model.error(
            f"the page would take {size:.1f} MB; max_mb allows {max_mb}: fewer samples, a smaller input, or max_mb="
            f"{math.ceil(size)}"
        )
    path = os.fsdecode(path)
    Path(path).write_text(text, encoding="utf-8")
    return path


def page(payload):
    """The text of the page."""
    meta = json.dumps(_finite(payload.meta), separators=(",", ":"), allow_nan=False).encode()
    filled = {
        "title": escape(payload.meta["model"]),
        "css": re.sub(r"\s*([{};,>])\s*", r"\1", _read("page.css")),
        "start": _read("start.js"),
        "code": _packed("\n".join(map(_read, _CODE)).encode()),
        "meta": _packed(meta),
        "blob": _packed(payload.tensors.blob),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: filled[match[1]], _read("page.html"))


def _read(name):
    return (_FOLDER / name).read_text(encoding="utf-8")


def _packed(data):
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _finite(value):
    """The same values with NaN and infinity as None, which JSON has no words for."""
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
