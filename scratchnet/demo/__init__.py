"""The programs of the folder `examples`: where they are, how they are run, and what they have in common."""

from scratchnet.demo.examples import (
    CIFAR10_NAMES,
    Output,
    find_examples,
    load_cifar10,
    load_mnist,
    run_demo,
    run_example,
)
from scratchnet.demo.few_labels import FewLabels, compare_few_labels, few_labels_options
