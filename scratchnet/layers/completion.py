"""What editors and notebooks list of a layer or model: Keras's names and those of the contract.

The parts of the library ask layers for more than that. Those names have no underscore, since they are asked for from
outside of the class, but nobody who completes ``model.`` looks for them.
"""

BETWEEN_OURSELVES = frozenset(
    (
        "absent", "accept", "activity_penalties", "adds_loss", "adopt", "as_base", "base_for_call", "batch_input_shape",
        "begun_epoch", "build_on", "call_arguments", "check_inputs", "check_promised", "check_shape", "check_targets",
        "checked_pair", "constraints", "ending_in_logits", "ensure_built", "error", "figures_so_far", "first_epoch",
        "first_non_finite", "fits_running", "flatten_inputs", "forward_holding", "freeze_weight", "graph", "harmless",
        "held_constant", "in_one_part", "inbound_nodes", "input_dtype", "is_traced", "keeps_integers", "knows_inputs",
        "looks_across", "loss_values", "named_arrays", "names_outputs", "needs_init", "nodes", "of_sublayers",
        "only_rearranges", "output_dtype", "output_masked", "output_masks", "outputs_with_loss", "own",
        "own_attributes", "pack_inputs", "pack_outputs", "penalties", "random_streams", "repeats", "set_training_state",
        "shuffle_seed", "sublayers", "takes_mask", "takes_repeat", "takes_strings", "trace_ahead", "trained",
        "training_state", "unpack", "unrecorded", "uses_of_its_own", "weight_keys", "without_last_activation",
    )
)  # fmt: skip


def listed(names):
    """Those of the names that completion shows."""
    return [name for name in names if name not in BETWEEN_OURSELVES]
