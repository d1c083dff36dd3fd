"""What becomes of the samples of a batch on their way through a graph.

A batch can be computed in parts if what comes out for a sample depends on that sample alone. Layers keep to that, or
ask `scratchnet.parallel.batch` for the rest of the batch. An operation is tried: see `scratchnet.ops.trial.rowwise`.

Followed is how many rows of each tensor stand for one sample; 0 for what is not of the batch.
"""

from scratchnet.structure import flatten


def rows_of_outputs(graph, rows_of_inputs):
    """The rows of each of the outputs, or None if samples meet somewhere on the way."""
    rows = dict(zip(graph.inputs, rows_of_inputs))
    for node in graph.nodes:
        found = node.rows_of_outputs([rows.get(tensor, 0) for tensor in flatten(node.inputs)])
        if found is None:
            return None
        rows.update(zip(flatten(node.outputs), found))
    return [rows.get(tensor, 0) for tensor in graph.outputs]
