import re

import pytest

pytestmark = pytest.mark.browser

NAMES = ("digits", "autoencoder", "images", "words", "branching", "sequences", "maps", "films")

# Every number in sight that says which of which tensor it is; and every sum, with its terms as they are printed.
# Before that, keys are pressed: in the first picture, if that is asked for.
READ = """async ([keys, inPicture]) => {
    const frame = document.querySelector("main .frame");
    if (inPicture && frame) frame.focus();
    const place = inPicture && frame ? frame : document.body;
    for (const key of keys) place.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await new Promise(resolve => setTimeout(resolve)); // some pictures are drawn anew behind a key
    const ofOwn = "tr:last-child [data-of], p [data-of]";
    return {
        numbers: [...document.querySelectorAll("[data-of]")].map(n => [n.dataset.of, n.textContent.replace("−", "-")]),
        sums: [...document.querySelectorAll(".sum")].map(table => ({
            terms: [...table.querySelectorAll("[data-term]")].map(n => n.dataset.term),
            total: table.querySelector("[data-total]").dataset.total,
            own: [...table.querySelectorAll(ofOwn)].map(n => n.dataset.of).pop() || null,
        })),
    };
}"""


# Goes to every stop and chooses every equation there: those whose lines are not wholly in sight, or that are too wide.
EQUATIONS = """async () => {
    const box = element => element.getBoundingClientRect(), objections = [];
    let count = 0;
    for (let k = 0; k < M.stops.length; k++) {
        goto(k);
        await new Promise(resolve => setTimeout(resolve));
        for (const button of document.querySelectorAll("button.equation")) {
            button.click();
            const source = box(document.querySelector(".code .source"));
            const lines = [...document.querySelectorAll(".code .marked")].map(box);
            const seen = lines.length && lines.every(l => l.top >= source.top - 1 && l.bottom <= source.bottom + 1);
            const fits = button.querySelector("math") && button.scrollWidth <= button.clientWidth;
            if (!seen || !fits) objections.push(document.querySelector("#where").textContent + button.dataset.quantity);
            count++;
        }
    }
    return [count, objections];
}"""
WIDE = """() => M.stops.map((_, k) => { goto(k); return document.documentElement.scrollWidth; })"""


def entry(page, of):
    number, index = of.split(":")
    array = page.payload.tensors.arrays[int(number)]
    return float(array[tuple(int(k) for k in index.split(","))])


def last_digit(text):
    """What one more in the last digit would be."""
    mantissa, _, exponent = text.partition("e")
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def check_numbers(page, tab, keys=(), in_picture=False):
    """Each printed number is that of the trace, to the digits printed; each sum adds up in what is printed, and is the
    layer's own number."""
    read = tab.evaluate(READ, [list(keys), in_picture])
    for of, text in read["numbers"]:
        assert float(text) == pytest.approx(entry(page, of), rel=6e-4, abs=1e-30), (of, text)
    for one in read["sums"]:
        total = float(one["total"])
        assert abs(sum(map(float, one["terms"])) - total) <= last_digit(one["total"]) * 1.01, one
        if one["own"] is not None:
            largest = max(map(abs, map(float, [*one["terms"], one["total"]])))
            assert total == pytest.approx(entry(page, one["own"]), rel=1e-3, abs=2e-4 * largest), one
    return len(read["numbers"]), len(read["sums"])


@pytest.mark.parametrize("name", NAMES)
def test_every_number_equals_the_trace_and_every_sum_is_that_of_the_layer(written, opened, name):
    page = written(name)
    tab = opened(page)
    numbers = sums = 0
    for _ in page.stops:
        for keys, in_picture in (((), False), (("f", "]", "c"), False), (("ArrowDown", "ArrowRight"), True)):
            found = check_numbers(page, tab, keys, in_picture)
            numbers, sums = numbers + found[0], sums + found[1]
        tab.evaluate("document.activeElement.blur()")
        tab.keyboard.press("ArrowRight")
    assert numbers > 100 and sums > 5


def test_all_stops_can_be_reached_with_the_keyboard_alone(written, opened):
    page = written("branching")
    tab = opened(page)
    for number, stop in enumerate(page.stops, 1):
        assert tab.text_content("#where").startswith(f"{number} / {len(page.stops)} {stop['pass']}")
        assert tab.evaluate("decodeURI(location.hash)").split("=")[0].startswith("#" + page.id_of(stop))
        tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Home")
    assert tab.text_content("#where").startswith("1 /")
    tab.keyboard.press("End")
    assert "update" in tab.text_content("#where")
    tab.keyboard.press("ArrowLeft")
    before = tab.text_content("#where")
    tab.keyboard.press("b")
    assert "forward" in tab.text_content("#where") and "backward" in before


def test_the_focus_is_seen_and_goes_through_pictures_and_source(written, opened):
    tab = opened(written("digits"), "conv2d/f")
    kinds, outlines = set(), set()
    for _ in range(40):
        tab.keyboard.press("Tab")
        kinds.add(tab.evaluate("document.activeElement.className || document.activeElement.tagName"))
        if tab.evaluate("document.activeElement !== document.body"):  # behind the last one, before the first
            outlines.add(tab.evaluate("getComputedStyle(document.activeElement).outlineStyle"))
    assert {"frame", "step", "equation", "source"} <= kinds and outlines == {"solid"}


def test_arrows_in_a_picture_choose_a_number_that_is_told(written, opened):
    tab = opened(written("digits"), "conv2d/f/i=3/j=3")
    tab.focus("main .frame >> nth=2")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("[S.i, S.j]") == [4, 4]
    assert re.match(r"y\[4, 4, \d\] = ", tab.text_content("#status"))
    assert "i=4/j=4" in tab.evaluate("location.hash")


def test_a_place_can_be_linked(written, opened):
    tab = opened(written("autoencoder"), "decoder/b/t=2/u=3")
    assert "backward ↑ decoder" in tab.text_content("#where")
    assert "t = 2 of 4, unit 3 of 16" in tab.text_content("main")


def test_keys_and_numbers_are_listed_on_demand(written, opened):
    tab = opened(written("digits"), "pool/f")
    tab.keyboard.press("?")
    assert tab.is_visible("#dialog") and "one scale for all pictures" in tab.text_content("#dialog")
    tab.keyboard.press("Escape")
    assert not tab.is_visible("#dialog")
    tab.focus("main .frame >> nth=1")
    tab.keyboard.press("t")
    assert tab.locator("#dialog td.n").count() == 13 * 13
    tab.keyboard.press("Escape")
    tab.keyboard.press("s")
    assert "One scale" in tab.text_content("#status")
    tab.keyboard.press("s")
    assert "its own scale" in tab.text_content("#status")


def test_samples_are_chosen(written, opened):
    page = written("digits")
    tab = opened(page, "loss")
    assert "The target is 3." in tab.text_content("main")
    tab.keyboard.press("n")
    assert "The target is 1." in tab.text_content("main")
    tab.select_option("#sample", index=2)
    assert "The target is 4." in tab.text_content("main")
    check_numbers(page, tab)


@pytest.mark.parametrize("name", NAMES)
def test_each_equation_shows_its_line(written, opened, name):
    count, objections = opened(written(name)).evaluate(EQUATIONS)
    assert count > 8 and objections == []


def test_the_check_stands_beside_each_parameter(written, opened):
    tab = opened(written("digits"), "conv2d/b")
    assert [th.text_content() for th in tab.query_selector_all(".check tbody th")] == ["x", "kernel", "bias"]
    assert tab.locator(".check .passed").count() == 3


def test_a_wrong_gradient_of_the_museum_is_called_wrong_where_it_is(written, opened):
    tab = opened(written("museum"), "grow/b")
    side = tab.text_content("#side")
    assert "✗ wrong" in side and "It is this layer" in side and "backward of its own, below: that is what ran" in side
    assert "return dy[:, ::2, ::2], {}" in tab.text_content("#side details[open]")
    wrong = [b.text_content() for b in tab.query_selector_all("#rail li:has(.warning) b")]
    assert wrong == ["conv", "grow"]
    tab.keyboard.press("ArrowRight")
    assert "It is this layer" not in tab.text_content("#side") and tab.locator(".check .FAILED").count() == 2


def test_what_is_taken_for_constant_by_definition_is_said_and_not_called_wrong(written, opened):
    tab = opened(written("capsules"), "above/b")
    said = "By definition this is not the gradient of the forward pass: backward takes the routing"
    assert said in tab.text_content("#side") and tab.locator(".check .passed").count() == 2
    tab.keyboard.press("ArrowRight")
    assert "of the loss alone: above takes the routing" in tab.text_content("#side")
    tab.keyboard.press("End")
    assert tab.locator("#rail .warning").count() == 0
    tab.evaluate("location.hash = 'length/b'")
    tab.wait_for_function("location.hash.startsWith('#length/b')")
    assert "By definition" not in tab.text_content("#side")


@pytest.mark.parametrize("width, height", [(390, 844), (1024, 700), (1280, 800), (640, 400)])
def test_nothing_is_wider_than_the_window(written, opened, width, height):
    for name in ("digits", "autoencoder", "films"):
        tab = opened(written(name), width=width, height=height)
        assert max(tab.evaluate(WIDE)) <= width, name


def test_the_picture_and_its_arithmetic_need_no_scrolling(written, opened, screenshot):
    for name, place, wanted in (
        ("digits", "conv2d/f", "main .sum"),
        ("digits", "conv2d/b", "main .sum"),
        ("autoencoder", "encoder/f", "main .cell, main .frame"),
        ("autoencoder", "decoder/b", "main .cell, main .frame"),
    ):
        tab = opened(written(name), place)
        foot = tab.evaluate("document.querySelector('main').getBoundingClientRect().bottom")
        ends = [element.bounding_box() for element in tab.query_selector_all(wanted)[:2]]
        assert ends and all(box["y"] + box["height"] <= foot for box in ends), place
        screenshot(tab, f"{name}-{place.replace('/', '-')}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(written, opened, screenshot, scheme):
    from axe_playwright_python.sync_playwright import Axe

    for name, places in (
        ("digits", ("conv2d/f", "conv2d/b", "dense/b", "loss", "update")),
        ("autoencoder", ("decoder/b",)),
        ("branching", ("skip/b",)),
        ("residual", ("residual/f",)),
        ("sequences", ("both/b",)),
        ("maps", ("separable/b",)),
        ("films", ("film/f",)),
    ):
        tab = opened(written(name), scheme=scheme)
        for place in places:
            tab.evaluate("place => { location.hash = place; }", place)
            tab.wait_for_function("place => location.hash.startsWith('#' + place)", arg=place)
            found = [
                (v["id"], v["nodes"][0]["html"][:200])
                for v in Axe().run(tab).response["violations"]
                if v["impact"] in ("serious", "critical")
            ]
            assert found == [], (name, place)
            screenshot(tab, f"{name}-{place.replace('/', '-')}-{scheme}")


# Where the nodes of the rail lie, by their calls; and the edges, as from and to.
LAID_OUT = """() => ({
    nodes: Object.fromEntries(Object.entries(GRAPH.items).map(([key, item]) => {
        const box = item.closest(".node").getBoundingClientRect();
        return [item.querySelector("b").textContent, [box.left, box.top, box.right, box.bottom]];
    })),
    edges: GRAPH.edges.map(edge => [...[edge.from, edge.to].map(key => GRAPH.items[key].querySelector("b").textContent),
        edge.leap]),
    drawn: document.querySelectorAll("#rail .edge").length,
})"""
EDGES = {
    ("input", "stem", False),
    ("stem", "outer", False),
    ("outer", "inner", False),
    ("stem", "residual", True),
    ("inner", "residual", False),
    *(("residual", name, False) for name in ("one", "two", "three")),
    *((name, "joined", False) for name in ("one", "two", "three")),
    ("joined", "flat", False),
    ("flat", "out", False),
    ("out", "loss", False),
    ("loss", "update", False),
}


def apart(p, q):
    return p[2] <= q[0] or q[2] <= p[0] or p[3] <= q[1] or q[3] <= p[1]


@pytest.mark.parametrize("width, height", [(1280, 800), (390, 844)])
def test_a_graph_that_branches_stands_in_layers(written, opened, screenshot, width, height):
    tab = opened(written("residual"), "residual/f", width, height)
    tab.wait_for_selector("#rail .edge")
    found = tab.evaluate(LAID_OUT)
    assert {tuple(edge) for edge in found["edges"]} == EDGES and found["drawn"] == len(EDGES)
    nodes, begin, end = found["nodes"], int(width < 860) ^ 1, (int(width < 860) ^ 1) + 2
    for source, target, _ in EDGES:  # downwards, or to the right in a row
        assert nodes[source][end] <= nodes[target][begin], (source, target)
    boxes = list(nodes.values())
    assert all(apart(p, q) for k, p in enumerate(boxes) for q in boxes[:k])
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.text_content('#rail [aria-current="step"]').endswith(", from stem, inner")
    assert tab.locator("#rail .edge.on").count() == 5
    screenshot(tab, f"residual-{width}")


def test_up_and_down_in_the_rail_lead_along_the_graph(written, opened):
    tab = opened(written("residual"), "joined/f")
    name = "document.activeElement.querySelector('b').textContent"
    tab.focus('#rail [aria-current="step"]')
    tab.keyboard.press("ArrowUp")
    assert tab.evaluate(name) == "one"
    tab.keyboard.press("ArrowUp")
    assert tab.evaluate(name) == "residual"
    tab.keyboard.press("ArrowUp")
    assert tab.evaluate(name) == "stem"
    tab.keyboard.press("Enter")
    assert "forward ↓ stem" in tab.text_content("#where")
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate(name) == "outer"
    chain = opened(written("digits"))
    assert chain.locator("#rail .edge").count() == 0 and chain.locator("#rail li").count() == len("icpfdlu")
    chain.focus("#rail .step")
    chain.keyboard.press("ArrowDown")
    assert chain.evaluate(name) == "conv2d"


def test_hostile_names_do_nothing(written, opened):
    page = written("hostile")
    tab = opened(page)
    for _ in page.stops:
        tab.keyboard.press("ArrowRight")
    assert tab.evaluate("window.hacked") is None and tab.locator("main img, header img, #rail img").count() == 0
    assert tab.text_content("#title").startswith("</title>")


def test_a_gradient_that_was_not_computed_is_not_shown_as_zero(written, opened):
    tab = opened(written("words"), "embed/b")
    assert "dL/dx" not in tab.text_content("main")
    tab.keyboard.press("b")
    assert "backward" not in tab.text_content("#where")
