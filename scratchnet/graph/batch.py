"""What becomes of the samples of a batch on their way through a graph.

A batch can be computed in parts if what comes out for a sample depends on that sample alone. Layers keep to that, or
ask `scratchnet.parallel.batch` for the rest of the batch. An operation is tried: see `scratchnet.ops.trial.rowwise`.
"""

from scratchnet.graph.nodes import OperationNode
from scratchnet.structure import flatten


def where_samples_meet(graph):
    """The first node that looks at several samples at once, or None.

    Followed from the inputs on is how many rows of a tensor stand for one sample; 0 for what is not of the batch.
    """
    rows = dict.fromkeys(graph.inputs, 1)
    for node in graph.nodes:
        read = [rows.get(tensor, 0) for tensor in flatten(node.inputs)]
        if node.in_one_part:
            return node
        count = max(read, default=0)
        if isinstance(node, OperationNode) and any(read):
            count = node.rowwise(rows)
        if any(read) and not count:
            return node
        rows.update(dict.fromkeys(flatten(node.outputs), count))
    return None
