"""What a distribution has and a checkout has not.

README for a package index, where no file lies beside it: relative links and pictures get full addresses. And the
examples inside of the wheel, for ``python -m scratchnet demo``.
"""

import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent


def absolute(readme, source):
    """`readme` with every relative target of a link or picture below `source`, the address of a repository."""
    raw = source.replace("https://github.com/", "https://raw.githubusercontent.com/") + "/HEAD/"

    def link(match):
        before, target, after = match.groups()
        return f"{before}{raw if re.search(r'[.](png|svg)$', target) else source + '/blob/HEAD/'}{target}{after}"

    readme = re.sub(r"(\]\()(?![a-z]+:|#)([^)\s]+)(\))", link, readme)
    return re.sub(r'(src=")(?![a-z]+:)([^"]+)(")', link, readme)


class BuildWithExamples(build_py):
    """Copies the folder examples into the package that is built."""

    def run(self):
        super().run()
        if not self.editable_mode:
            folder = Path(self.build_lib, "scratchnet", "examples")
            shutil.copytree(HERE / "examples", folder, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)


if __name__ == "__main__":
    source = re.search(r"^\s+Source = (.+)$", (HERE / "setup.cfg").read_text("utf-8"), re.MULTILINE)[1]
    setup(
        long_description=absolute((HERE / "README.md").read_text("utf-8"), source),
        long_description_content_type="text/markdown",
        cmdclass={"build_py": BuildWithExamples},
    )
