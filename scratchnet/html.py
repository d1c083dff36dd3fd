"""Small tables for notebooks."""


def html_table(caption, headings, rows):
    """A table as HTML; the first column stands left, the others right."""
    from html import escape  # a notebook has it

    def line(cells, tag):
        styles = ["text-align: left", *["text-align: right"] * (len(cells) - 1)]
        return "".join(f'<{tag} style="{style}">{escape(str(cell))}</{tag}>' for cell, style in zip(cells, styles))

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<div><b>{escape(caption)}</b><table><tr>{line(headings, 'th')}</tr>{body}</table></div>"
