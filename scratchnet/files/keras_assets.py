"""What Keras keeps of layers beside their weights: the vocabularies of words that `adapt` has found.

    assets/layers/string_lookup/vocabulary.txt        in a `.keras` file, one word in each line
    layers/string_lookup/vars/idf_weights             among the weights, for "tf_idf"

We write vocabularies into the configuration, where Keras reads them, too.
"""

from scratchnet.files.keras_weights import tree


def read_vocabularies(model, members, root):
    """Give the layers of the model the vocabularies that lie in the archive, and the weights of their words."""
    for path, (layer, _) in tree(model).items():
        name = f"assets/{path}vocabulary.txt"
        if hasattr(layer, "load_vocabulary") and name in members.sizes:
            weights = root.group(f"{path}vars")
            found = weights.dataset("idf_weights").read() if "idf_weights" in weights else None
            layer.load_vocabulary(members.read(name).decode("utf-8"), found)


def vocabulary_weights(model):
    """Dict from path to array: the weights of words as Keras reads them."""
    found = {}
    for path, (layer, _) in tree(model).items():
        weights = layer.word_weights() if hasattr(layer, "word_weights") else None
        if weights is not None:
            found[f"{path}vars/idf_weights"] = weights
            if type(layer).__name__ == "TextVectorization":  # Keras looks in both places
                found[f"{path}_lookup_layer/vars/idf_weights"] = weights
    return found
