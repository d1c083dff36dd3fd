"""What editors and notebooks list of a layer or model: Keras's names and those of the contract.

The parts of the library ask layers for more than that. Those names have no underscore, since they are asked for from
outside of the class, but nobody who completes ``model.`` looks for them.
"""

BETWEEN_OURSELVES = frozenset(
    (
        "absent", "accept", "adds_loss", "base_for_call", "batch_input_shape", "build_on", "call_arguments",
        "check_inputs", "check_promised", "check_targets", "checked_pair", "ending_in_logits", "ensure_built",
        "first_epoch", "flatten_inputs", "harmless", "in_one_part", "inbound_nodes", "is_traced", "keeps_integers",
        "knows_inputs", "named_arrays", "needs_init", "of_sublayers", "output_dtype", "output_masked", "output_masks",
        "outputs_with_loss", "own_attributes", "pack_inputs", "pack_outputs", "repeats", "shuffle_seed", "sublayers",
        "takes_mask", "takes_repeat", "trace_ahead", "unpack", "unrecorded", "uses_of_its_own", "weight_keys",
        "without_last_activation",
    )
)  # fmt: skip


def listed(names):
    """Those of the names that completion shows."""
    return [name for name in names if name not in BETWEEN_OURSELVES]
