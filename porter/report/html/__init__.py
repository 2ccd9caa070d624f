"""The review page: every finding of a run in one HTML file, with a place to decide on each."""

from porter.report.html.document import Rung
from porter.report.html.page import review_page

__all__ = ["Rung", "review_page"]
