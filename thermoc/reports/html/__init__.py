"""The report: Python collects one JSON document of a run, and the page's own JavaScript draws it."""

from thermoc.reports.html.report import HtmlReport, check_page, report

__all__ = ["HtmlReport", "check_page", "report"]
