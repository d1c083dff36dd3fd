"""Files in folders, a folder for each class."""

import os

import numpy as np

from scratchnet.console import say
from scratchnet.utils.arrays import to_categorical
from scratchnet.utils.dataset import Dataset


def dataset_of_files(
    owner,
    read,
    endings,
    directory,
    labels,
    label_mode,
    class_names,
    batch_size,
    shuffle,
    seed,
    validation_split,
    subset,
    follow_links,
    verbose,
    stack=np.stack,
):
    """The `Dataset` of the samples that ``read(path)`` makes of files, or two in a list where `subset` is "both".

    `owner` is who is named in errors, `endings` says which files count, `stack` makes a batch of a list of samples; the
    other arguments are those of `image_dataset_from_directory`.
    """
    if label_mode not in ("int", "categorical", "binary", None):
        raise ValueError(f'{owner}: label_mode must be "int", "categorical", "binary" or None, got {label_mode!r}')
    if not isinstance(labels, (list, tuple)) and labels not in ("inferred", None):
        raise ValueError(f'{owner}: labels must be "inferred", None or a list of integers, got {labels!r}')
    _check_split(owner, validation_split, subset, shuffle, seed)
    labels = None if label_mode is None else labels
    paths, numbers, classes = _index(owner, directory, endings, labels, class_names, follow_links)
    if label_mode == "binary" and labels is not None and len(classes) != 2:
        raise ValueError(f'{owner}: label_mode="binary" needs two classes, {directory} has {len(classes)}: {classes}')
    if verbose:
        say(f"Found {len(paths)} files" + (f" belonging to {len(classes)} classes." if labels is not None else "."))
    seed = int(np.random.randint(1_000_000)) if seed is None else seed
    if shuffle:
        order = np.arange(len(paths))
        np.random.RandomState(seed).shuffle(order)  # Keras's, so that one seed gives the same two parts
        paths, numbers = [paths[k] for k in order], [numbers[k] for k in order]
    y = None if labels is None else _encoded(numbers, label_mode, len(classes))
    datasets = []
    for rows, purpose in _split(len(paths), validation_split, subset):
        if not paths[rows]:
            raise ValueError(f"{owner}: no file of {directory} is left for {purpose}")
        if verbose and purpose and subset != "both":
            say(f"Using {len(paths[rows])} files for {purpose}.")
        in_order = subset == "both" and purpose == "validation"  # as in Keras
        rows_y, shuffled = y if y is None else y[rows], shuffle and not in_order
        dataset = _dataset(read, paths[rows], rows_y, batch_size, shuffled, seed, stack)
        dataset.class_names = None if labels is None else classes
        datasets.append(dataset)
    return datasets if subset == "both" else datasets[0]


def _dataset(read, paths, y, batch_size, shuffle, seed, stack):
    def samples(rows):
        x = stack([read(paths[k]) for k in rows])
        return x if y is None else (x, y[rows])

    dataset = Dataset.from_samples(len(paths), samples, batch_size, shuffle, seed)
    dataset.file_paths = paths
    return dataset


def _index(owner, directory, endings, labels, class_names, follow_links):
    """``(paths, numbers of their classes, names of the classes)``, by folder and name."""
    if class_names is not None and labels != "inferred":
        raise ValueError(f'{owner}: class_names go with labels="inferred" only')
    classes = class_folders(owner, directory, class_names) if labels == "inferred" else [""]
    paths, numbers = [], []
    for number, name in enumerate(classes):
        found = list(files_in(os.path.join(directory, name), endings, follow_links))
        paths += found
        numbers += [number] * len(found)
    if not paths:
        raise ValueError(f"{owner}: there is no file in {directory} that ends in {', '.join(endings)}")
    if isinstance(labels, (list, tuple)):
        if len(labels) != len(paths):
            raise ValueError(f"{owner}: {len(labels)} labels for the {len(paths)} files in {directory}")
        return paths, list(labels), [str(label) for label in sorted(set(labels))]
    return paths, numbers, classes


def _check_split(owner, validation_split, subset, shuffle, seed):
    if validation_split is not None and not 0 < validation_split < 1:
        raise ValueError(f"{owner}: validation_split must be between 0 and 1, got {validation_split!r}")
    if (validation_split is None) != (subset is None):
        raise ValueError(f"{owner}: validation_split and subset must be given together")
    if subset not in ("training", "validation", "both", None):
        raise ValueError(f'{owner}: subset must be "training", "validation" or "both", got {subset!r}')
    if validation_split is not None and shuffle and seed is None:
        raise ValueError(f"{owner}: the two parts are drawn at random: give a seed, lest they share files")


def class_folders(owner, directory, class_names=None):
    """The names of the folders in `directory`, one for each class: those of `class_names`, or all, by name."""
    folders = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir() and entry.name[0] != ".")
    if class_names is None:
        return folders
    missing = [name for name in class_names if name not in folders]
    if missing:
        raise ValueError(f"{owner}: {directory} has no folder {missing[0]!r}; there are {', '.join(folders)}")
    return list(class_names)


def files_in(folder, endings, follow_links=False):
    """The paths of the files in `folder` and what lies in it that have one of the endings, by folder and name."""
    for root, _, names in sorted(os.walk(folder, followlinks=follow_links)):
        for name in sorted(names):
            if name.lower().endswith(endings):
                yield os.path.join(root, name)


def _split(count, validation_split, subset):
    """Pairs of a slice of the files and what they are for; those for validation are the last."""
    if subset is None:
        return [(slice(None), "")]
    border = count - int(validation_split * count)
    parts = {"training": slice(0, border), "validation": slice(border, count)}
    return [(rows, purpose) for purpose, rows in parts.items() if subset in (purpose, "both")]


def _encoded(numbers, label_mode, classes):
    if label_mode == "categorical":
        return to_categorical(numbers, classes)
    if label_mode == "binary":
        return np.asarray(numbers, "float32")[:, None]
    return np.asarray(numbers, "int32")
