"""Loading weights from PyTorch's files: which array goes where, and how it is transformed.

A module belongs to the layer of the same name ("features.0" to a layer "features_0"). Modules and layers without a
namesake are matched in order: the modules as in the file, the layers as they are first used. If the order does not fit,
but exactly one assignment fits all sizes, that one is used. If there is no match, the error shows both lists, and the
model stays as it is.
"""

import re

from scratchnet.files.assign import Pair, assign
from scratchnet.files.channel_order import uses_of
from scratchnet.files.torch_layers import Translated, depthwise_kernel, translate
from scratchnet.files.torch_modules import modules_of


def load_torch_weights(model, arrays, filepath, ordered):
    """Copy arrays into the model, and return a table that shows which array went where.

    Args:
        arrays: dict from name to array, as `read_pytorch` and `read_safetensors` give it.
        filepath: what to call the file.
        ordered: whether the file's order means anything; safetensors files are sorted by name.

    Raises ValueError, and changes nothing, if layers and modules cannot be matched.
    """
    own = model.named_arrays()
    if set(arrays) == set(own):  # ours, written by write_safetensors
        assign([Pair(key, own[key], arrays[key]) for key in own], model, filepath)
        return _table([(key, own[key].shape, key, str(arrays[key].shape), "") for key in own], [])
    parts, (modules, counters) = _parts(model), modules_of(arrays)
    if not ordered:
        modules.sort(key=lambda module: _natural(module.name))
    matched = _match(parts, modules, ordered, model, filepath)
    pairs, rows = [], []
    for part, module in matched:
        for name, (array, source, done) in part.translate(module).items():
            weight = part.arrays()[name]
            pairs.append(Pair(f"{part}/{name}", weight, array))
            shape = module.arrays[source.split(", ")[0]].shape
            rows.append((f"{part}/{name}", weight.shape, f"{module.name}.{source}", str(shape), done))
    assign(pairs, model, filepath)
    return _table(rows, counters)


class _Part:
    """A layer, or a half of a separable convolution, which PyTorch writes as two modules."""

    def __init__(self, use, names=None):
        self.use, self.names = use, names

    def arrays(self):
        own = self.use.layer.named_arrays()
        return own if self.names is None else {name: own[name] for name in self.names}

    def translate(self, module):
        """See `torch_layers.translate`."""
        if self.names is None:
            return translate(self.use.layer, module, self.use.order_in, self.use.order_out)
        return _translate_half(self.arrays(), module)

    def __str__(self):
        return "/".join(self.use.path)

    def described(self):
        return f"{self} ({', '.join(f'{name} {array.shape}' for name, array in self.arrays().items())})"


def _parts(model):
    parts = []
    for use in uses_of(model):
        names = list(use.layer.named_arrays())
        if "pointwise_kernel" in names:
            parts += [_Part(use, names[:1]), _Part(use, names[1:])]
        else:
            parts.append(_Part(use))
    return parts


def _translate_half(own, module):
    """The depthwise or the pointwise half of a separable convolution."""
    arrays = module.arrays
    if set(arrays) != {"weight"} | ({"bias"} & set(own)):
        return None
    try:
        if "pointwise_kernel" in own:
            axes = (*range(2, arrays["weight"].ndim), 1, 0)
            kernel = Translated(arrays["weight"].transpose(axes), "weight", "OIHW to HWIO")
            found = {"pointwise_kernel": kernel}
        else:
            found = {"depthwise_kernel": depthwise_kernel(arrays, own["depthwise_kernel"].shape[-1])}
    except ValueError:  # another number of axes
        return None
    if "bias" in own:
        found["bias"] = Translated(arrays["bias"], "bias")
    return found if all(found[name].array.shape == own[name].shape for name in own) else None


# ---- matching ----


def _match(parts, modules, ordered, model, filepath):
    """The list of pairs of a part and a module."""
    by_name, named = {_plain(module.name): module for module in modules}, {}
    for part in parts:
        for name in ("/".join(part.use.path), part.use.path[-1]):
            module = by_name.get(_plain(name))
            if module is not None and part.names is None and part.translate(module) is not None:
                named[part] = by_name.pop(_plain(name))
                break
    rest = [part for part in parts if part not in named]
    taken = set(map(id, named.values()))
    others = [module for module in modules if id(module) not in taken]
    assigned = _assign_rest(rest, others, ordered)
    if assigned is None:
        raise ValueError(
            f"{filepath}: its arrays cannot be matched with the layers of {model!r}.\n"
            f"Layers without arrays:\n{_listed(part.described() for part in rest)}\n"
            f"Arrays without a layer:\n{_listed(map(str, others))}\n"
            "A layer and a module belong together if they have the same name, or stand in the same place of both lists"
        )
    named.update(assigned)
    return [(part, named[part]) for part in parts]


def _assign_rest(parts, modules, ordered):
    """Dict from part to module: in order, or in the only way that fits; None if there is none, or more than one."""
    if len(parts) != len(modules):
        return None
    fits = [[part.translate(module) is not None for module in modules] for part in parts]
    in_order = all(fits[k][k] for k in range(len(parts)))
    if in_order and (ordered or _numbers_decide(modules, fits)):
        return dict(zip(parts, modules))
    found, left, open_parts = {}, set(range(len(modules))), list(range(len(parts)))
    while open_parts:  # what has one choice only takes it, and leaves fewer to the others
        choices = {k: [m for m in sorted(left) if fits[k][m]] for k in open_parts}
        group = next((_alike(choices, k) for k in open_parts if len(_alike(choices, k)) == len(choices[k])), [])
        chosen = choices[group[0]] if group else []
        if not group or not (len(group) == 1 or _names_differ_by_numbers([modules[m] for m in chosen])):
            return None
        for k, m in zip(group, chosen):  # as many layers as modules, each of which fits each
            found[parts[k]] = modules[m]
            open_parts.remove(k)
            left.remove(m)
    return found


def _alike(choices, k):
    """The layers that have the same choices as layer k."""
    return [other for other in choices if choices[other] == choices[k]]


def _numbers_decide(modules, fits):
    """Whether modules that could be swapped differ only in the numbers in their names, which then give the order."""
    count = len(modules)
    pairs = [(k, m) for k in range(count) for m in range(k) if fits[k][m] and fits[m][k]]
    return all(_names_differ_by_numbers([modules[k], modules[m]]) for k, m in pairs)


def _names_differ_by_numbers(modules):
    return len({re.sub(r"\d+", "#", module.name) for module in modules}) == 1


def _natural(name):
    """A key by which "10" comes behind "2"."""
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in re.split(r"(\d+)", name)]


def _plain(name):
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def _listed(lines):
    return "\n".join(f"  {line}" for line in lines) or "  none"


# ---- the table ----


def _table(rows, left_over):
    """The table that shows which array went where, as text."""
    head = ("weight here", "shape", "array there", "shape", "what was done")
    cells = [head, *((weight, str(shape), name, there, done or "-") for weight, shape, name, there, done in rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    if left_over:
        lines.append(f"left over: {', '.join(left_over)} (counters)")
    return "\n".join(lines)
