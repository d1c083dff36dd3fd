"""Everything that ``python -m scratchnet.gradient_check`` checks, one function for each family.

Each yields reports. Inputs are drawn from one seed; where there are kinks they are kept away from: pooling gets a
permutation of separated values, relu-like activations values that are not near 0.
"""

from scratchnet.gradient_check.catalogue.activations import check_activations, check_values
from scratchnet.gradient_check.catalogue.inputs import randomize, separated
from scratchnet.gradient_check.catalogue.kernels import check_kernels
from scratchnet.gradient_check.catalogue.layers import check_layers
from scratchnet.gradient_check.catalogue.losses import check_losses
from scratchnet.gradient_check.catalogue.models import check_models
from scratchnet.gradient_check.operations import check_operations

FAMILIES = {
    "activations": check_activations,
    "operations": check_operations,
    "losses": check_losses,
    "layers": check_layers,
    "models": check_models,
    "kernels": check_kernels,
}

__all__ = ["FAMILIES", "check_values", "randomize", "separated"]
