"""What the examples of pre-training share: once a network has learnt without labels, a few labels must do."""

from scratchnet.evaluation import few_labels_accuracy, few_labels_table, markdown_table, plot_few_labels, text_table
from scratchnet.layers import BatchNormalization, Dense, Input, Normalization
from scratchnet.models import Sequential, clone_model


class FewLabels:
    """Ways to learn ten classes from a few images and labels; each gives a model from images to classes.

    Args:
        steps: how many steps each training has, however few images there are.
        optimizer: function from a learning rate to an optimizer.
    """

    def __init__(self, steps, optimizer):
        self.steps, self.optimizer = steps, optimizer

    def train(self, model, images, labels, batch_size=50, rate=0.001):
        """Train the model in place; returns it."""
        batch_size = min(batch_size, len(images))
        model.compile(self.optimizer(rate), "sparse_categorical_crossentropy")
        model.fit(images, labels, epochs=self.steps * batch_size // len(images), batch_size=batch_size, verbose=0)
        return model

    def probe(self, encoder, images, labels):
        """A layer of classes on frozen features, which are computed once."""
        features = encoder.predict(images, batch_size=250, verbose=0)
        scale = Normalization()
        scale.adapt(features)
        classes = Dense(10, activation="softmax")
        head = Sequential([Input(features.shape[1:]), scale, classes])
        self.train(head, features, labels, len(features), rate=0.01)
        return Sequential([Input(images.shape[1:]), encoder, scale, classes])

    def fine_tune(self, encoder, images, labels, rate):
        """All of a trained network: first its classes, as a probe, so that their random start does not spoil the rest.

        Batch normalization keeps the averages of all the images without labels: those of a few are another network's.
        """
        copied = clone_model(encoder)
        copied.set_weights(encoder.get_weights())
        for layer in copied.layers:
            layer.trainable = not isinstance(layer, BatchNormalization)
        return self.train(self.probe(copied, images, labels), images, labels, rate=rate)

    def from_scratch(self, layers, images, labels, rate=0.001):
        """These layers, new, and a layer of classes."""
        model = Sequential([Input(images.shape[1:]), *layers, Dense(10, activation="softmax")])
        return self.train(model, images, labels, rate=rate)


def compare_few_labels(ways, train, test, options, output):
    """Compare ways to learn as `few_labels_accuracy` does, by ``options.labels``; print, write and draw the table."""
    accuracies = few_labels_accuracy(ways, train, test, options.labels, options.draws, options.seed)
    table = few_labels_table(accuracies, options.labels)
    print(f"\n{text_table(*table)}")
    output.text("few_labels.md", markdown_table(*table) + "\n")
    output.figure("few_labels", plot_few_labels(accuracies, options.labels))


def few_labels_options(parser, steps):
    """Options of the command line: how many labels there are, how often they are drawn, how long is trained with them.

    Args:
        parser: the example's `argparse.ArgumentParser`.
        steps: of a training with few labels, where the command line says nothing else.
    """
    add = parser.add_argument
    add("--labels", type=int, nargs="+", default=[100], help="how many images have one (default: 100)")
    add("--draws", type=int, default=1, help="how often they are drawn anew (default: 1)")
    add("--steps", type=int, default=steps, help="of each training with few labels (default: %(default)s)")
