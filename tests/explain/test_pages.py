import base64
import json
import re
import zlib

import numpy as np
import pytest

from scratchnet.explain import pages
from scratchnet.explain.payload import Payload
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential


def part(text, name):
    """What the page has stored under this name."""
    packed = re.search(rf'id="{name}">([^<]*)</script>', text)[1]
    return zlib.decompress(base64.b64decode(packed))


def meta_of(path):
    return json.loads(part(path.read_text(encoding="utf-8"), "meta"))


def test_the_page_is_one_file_that_asks_for_nothing(zoo, tmp_path):
    model, x, y = zoo.classifier()
    path = tmp_path / "page.html"
    assert model.explain(x, y, path) == str(path)
    text = path.read_text(encoding="utf-8")
    assert "default-src 'none'" in text and "{{" not in text.split("<script")[0]
    text += part(text, "code").decode()
    assert not re.search(r"""(src|href)=["']|url\(|@import|fetch\(|XMLHttp|sendBeacon|WebSocket""", text)


def test_the_fixed_part_is_small(zoo, tmp_path):
    model, x, y = zoo.classifier()
    path = tmp_path / "page.html"
    model.explain(x, y, path, check=False)
    text = path.read_text(encoding="utf-8")
    assert len(re.sub(r"(octet-stream\" id=\"(?:meta|blob)\">)[^<]*", r"\1", text).encode()) <= 90_000


def test_the_same_trace_gives_the_same_bytes(zoo):
    model, x, y = zoo.branching()
    assert pages.page(Payload(model.trace(x, y))) == pages.page(Payload(model.trace(x, y)))


def test_names_are_harmless(tmp_path):
    name = "</script><script>alert(1)</script>"

    class Layer(Dense):
        """</script><script>alert(1)</script>"""

    model = Sequential([Input((2,)), Layer(1, name="<img src=x onerror=alert(1)>")])
    model.name = name  # a name is not allowed to be like that, but an attribute can be set
    model.compile("sgd", "mse")
    path = tmp_path / "page.html"
    model.explain(np.ones((1, 2)), np.ones((1, 1)), path)
    assert "alert(1)" not in path.read_text(encoding="utf-8").replace("&lt;/script&gt;&lt;script&gt;alert(1)", "")
    assert meta_of(path)["model"] == name


def test_it_does_not_tell_where_it_was_made(zoo, tmp_path):
    model, x, y = zoo.branching()
    path = tmp_path / "page.html"
    model.explain(x, y, path)
    meta = meta_of(path)
    files = {source["file"] for source in meta["sources"]}
    assert "models_to_explain.py" in files and "scratchnet/kernels/loops/gru.py" in files
    assert str(tmp_path) not in json.dumps(meta) and not any(file.startswith("/") for file in files)


def test_a_page_that_becomes_too_large_shows_large_parameters_more_coarsely(tmp_path):
    model = Sequential([Input((300,)), Dense(600, name="dense")])
    model.compile("sgd", "mse")
    x, y = np.ones((1, 300), np.float32), np.ones((1, 600), np.float32)
    path = tmp_path / "page.html"
    model.explain(x, y, path, check=False)
    large = meta_of(path)
    kernel = large["tensors"][large["calls"][0]["params"]["kernel"]]
    assert kernel["format"] == "u8" and kernel["stored"] == [300, 600] and "coarse" not in kernel
    model.explain(x, y, path, check=False, max_mb=path.stat().st_size / 1e6 - 0.05)
    small = meta_of(path)
    kernel = small["tensors"][small["calls"][0]["params"]["kernel"]]
    assert kernel["shape"] == [300, 600] and kernel["stored"] == [150, 300] and "one row" in kernel["coarse"]
    with pytest.raises(ValueError, match="max_mb allows 0.05: fewer samples"):
        model.explain(x, y, path, check=False, max_mb=0.05)


def test_one_that_is_not_finite_opens_where_that_begins(zoo, tmp_path):
    model, x, y = zoo.classifier()
    model.layers[3].params["bias"][0] = np.nan
    path = tmp_path / "page.html"
    model.explain(x, y, path)
    meta = meta_of(path)
    assert meta["calls"][3]["broken"] and meta["stops"][meta["first"]] == {"pass": "forward", "call": 3}
    assert not meta["checked"] and meta["loss"]["total"] is None


def test_wrong_use_is_told_in_one_line(zoo):
    model, x, y = zoo.classifier()
    with pytest.raises(ValueError, match="explain needs the targets y"):
        model.explain(x, None)
    with pytest.raises(ValueError, match="samples must be an integer from 1 to 8, got 9"):
        model.explain(x, y, samples=9)
    with pytest.raises(ValueError, match="max_mb"):
        model.explain(x, y, max_mb=0)
    with pytest.raises(ValueError, match="explain before compile"):
        Sequential([Input((2,)), Dense(1)]).explain(np.ones((1, 2)), np.ones((1, 1)))


def test_samples_are_the_first_ones_and_lists_are_arrays(tmp_path):
    model = Sequential([Input((2,)), Dense(1)])
    model.compile("sgd", "mse")
    path = tmp_path / "page.html"
    model.explain([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[1.0], [2.0], [3.0]], path, samples=2)
    meta = meta_of(path)
    assert meta["samples"] == 2 and meta["tensors"][meta["x"][0]]["max"] == 4


def test_by_default_it_is_explain_html_here(zoo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, x, y = zoo.classifier()
    assert model.explain(x, y) == "explain.html" and (tmp_path / "explain.html").exists()


def test_what_there_is_is_listed():
    import scratchnet

    assert dir(scratchnet.explain) == ["Call", "Trace", "explain", "trace"]
