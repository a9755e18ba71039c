"""The quality report: one static site a run, kept, in plain words and pictures, English and Chinese."""

from crm_warehouse.report.site import write_report

__all__ = ["write_report"]
