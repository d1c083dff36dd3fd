"""Texts in folders as batches."""

from scratchnet.utils.directories import dataset_of_files


def text_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    batch_size=32,
    max_length=None,
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    follow_links=False,
    format="tf",
    verbose=True,
):
    """A `Dataset` of batches of texts (N,), an array of strings, and their labels.

    Args:
        max_length: characters that are kept of a text; by default all.

    Files end in .txt and are UTF-8. The other arguments are those of `image_dataset_from_directory`.
    """

    def text(path):
        with open(path, encoding="utf-8") as file:
            return file.read(max_length)

    return dataset_of_files(
        "text_dataset_from_directory",
        text,
        (".txt",),
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
    )
