"""The walk through a graph of layers, forward and back.

Forward runs the nodes in an order in which every input exists before it is needed; backward runs them in the reverse of
that order. A tensor that several nodes read receives an adjoint from each of them: they add up. A parameter that is
used in several places receives a gradient from each place: they add up as well. That is all of reverse-mode
differentiation (Linnainmaa 1970; Griewank and Walther, "Evaluating derivatives", chapter 3).

Both walks are generators that stop at each node, so that whoever wants to look (for the first value that is not finite,
or to draw a picture) walks along with a loop of his own.
"""

import numpy as np

from scratchnet.structure import flatten, map_structure


class Graph:
    """What lies between `inputs` and `outputs`, lists of KerasTensors.

    Args:
        nodes: in an order in which each stands behind those whose outputs it reads, as `sorted_nodes` gives them.
    """

    def __init__(self, inputs, outputs, nodes):
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.nodes = list(nodes)
        self._last_reads = self._find_last_reads()
        self._repeated = self._find_repeated()

    def _find_last_reads(self):
        """For each node, the tensors that nobody reads after it."""
        kept, last_reads = set(self.outputs), []
        for node in reversed(self.nodes):
            unread = {t for t in (*flatten(node.inputs), *flatten(node.outputs)) if t not in kept}
            kept |= unread
            last_reads.append(unread)
        return last_reads[::-1]

    def _find_repeated(self):
        """The nodes whose layer has the same input at every time step, and can be told so.

        That is behind a `RepeatVector` whose output nobody else reads. The layer gets the first step alone, and how
        many there are; its dx is of one step, too, which RepeatVector's backward takes as well as T of them.
        """
        reads = [*self.outputs, *(t for node in self.nodes for t in flatten(node.inputs))]
        found = set()
        for node in self.nodes:
            x = flatten(node.inputs)[0] if node.layer.takes_repeat else None
            if x is not None and x.node is not None and x.node.layer.repeats and reads.count(x) == 1:
                found.add(node)
        return found

    def walk(self, values, training=False, masks=None):
        """Run the nodes, one after the other; yields ``(node, x, y, cache)`` behind each.

        Args:
            values: dict with an array for each input; the outputs are added to it.
            masks: dict of the masks that come with the inputs, those of the outputs are added to it.
        """
        masks = {} if masks is None else masks
        for node, last_read in zip(self.nodes, self._last_reads):
            x = map_structure(values.__getitem__, node.inputs)
            mask = map_structure(masks.get, node.inputs) if node.reads_mask or node.masks_output else None
            repeat = None
            if node in self._repeated:
                first, *states = x if isinstance(x, list) else [x]
                repeat, first = first.shape[1], first[:, :1]
                x = [first, *states] if states else first
            y, cache = node.forward(x, training, mask, repeat)
            values.update(zip(flatten(node.outputs), flatten(y)))
            if node.masks_output:
                masks.update(zip(flatten(node.outputs), node.layer.output_masks(x, mask, cache)))
            yield node, x, y, cache
            for tensor in last_read:
                values.pop(tensor, None)

    def walk_back(self, adjoints, caches, needs_dx=True):
        """Run the nodes backwards; yields ``(node, dy, dx, grads)`` behind each that has a part in the gradient.

        Args:
            adjoints: dict from tensor to adjoint, to begin with of the outputs; those of the inputs are added to it.
            caches: of the nodes, in the order of `nodes`.
            needs_dx: whether somebody wants the adjoints of the inputs.
        """
        wants_dx = self._nodes_that_need_dx(needs_dx)
        for node, cache in zip(reversed(self.nodes), reversed(caches)):
            node_needs_dx = node in wants_dx
            if not (node_needs_dx or node.trainable):
                continue
            dy = map_structure(adjoints.get, node.outputs)
            if all(d is None for d in flatten(dy)) and not node.adds_loss:
                continue
            dx, grads = node.backward(dy, cache, node_needs_dx)
            if node_needs_dx:
                for tensor, d in zip(flatten(node.inputs), flatten(dx)):
                    accumulate(adjoints, tensor, d)
            yield node, dy, dx, grads
            for tensor in flatten(node.outputs):
                adjoints.pop(tensor, None)

    def _nodes_that_need_dx(self, needs_dx):
        """The nodes from whose inputs a gradient has to go on: to a parameter, or, with `needs_dx`, to the inputs."""
        reaches = set(self.inputs) if needs_dx else set()
        wants_dx = set()
        for node in self.nodes:
            if any(t in reaches for t in flatten(node.inputs)):
                wants_dx.add(node)
            if node in wants_dx or node.trainable:
                reaches.update(flatten(node.outputs))
        return wants_dx


def sorted_nodes(inputs, outputs, error):
    """The nodes between inputs and outputs, each after the nodes whose outputs it reads.

    Raises what `error` makes of a message if an output depends on an `Input` that is not among `inputs`, or an input
    reaches no output.
    """
    done, order = set(inputs), []
    # An explicit stack: a graph may be deeper than Python's recursion limit.
    stack = [(tensor, False) for tensor in reversed(outputs)]
    while stack:
        current, inputs_done = stack.pop()
        if current in done:
            continue
        node = current.node
        if node is None:
            raise error(
                f"the graph is disconnected: an output depends on the input {current.name!r} of shape "
                f"{current.shape}, which is not among the model's inputs"
            )
        if inputs_done:
            done.update(flatten(node.outputs))
            order.append(node)
        else:
            stack.append((current, True))
            stack.extend((t, False) for t in reversed(flatten(node.inputs)))
    used = {t for node in order for t in flatten(node.inputs)} | set(outputs)
    for tensor in inputs:
        if tensor not in used:
            raise error(f"the graph is disconnected: no output depends on the input {tensor.name!r}")
    return order


def accumulate(sums, key, value):
    """Add `value` to ``sums[key]``, in a new array: the first one may belong to somebody else."""
    if value is not None:
        sums[key] = sums[key] + value if sums.get(key) is not None else value


def zeros_where_none(adjoints, arrays):
    """The adjoints, in place of those that are None zeros like the arrays."""
    return [np.zeros_like(array) if d is None else d for d, array in zip(adjoints, arrays)]
