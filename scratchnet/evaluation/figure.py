"""A figure that shows itself.

matplotlib's own `Figure` belongs to no window: a notebook that has not imported pyplot prints its repr, and `show`
fails. Of this one a notebook shows the picture, and `show` works everywhere.
"""

import io
import sys

import matplotlib.figure

from scratchnet.console import is_notebook


class Figure(matplotlib.figure.Figure):
    """A `matplotlib.figure.Figure` that is not registered with pyplot, so it is freed like any other object."""

    def _repr_png_(self):
        """What a notebook shows."""
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()

    def show(self, warn=True):
        """Show the picture: below the cell of a notebook, elsewhere in a window.

        `warn`: taken as matplotlib's; where no window can be opened, pyplot says so.
        """
        if is_notebook(sys.stdout):
            from IPython.display import display

            display(self)
            return
        from matplotlib import pyplot

        picture = pyplot.imread(io.BytesIO(self._repr_png_()))
        height, width, _ = picture.shape
        window = pyplot.figure(figsize=(width / self.dpi, height / self.dpi), dpi=self.dpi)
        window.figimage(picture)
        pyplot.show()
