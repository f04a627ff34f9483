"""From findings to a neutral document, and from that to what people read."""

from netbench.report.build import build_document, document_of, gather
from netbench.report.document import Document, Table
from netbench.report.failures import failures
from netbench.report.markdown import render
from netbench.report.matrices import matrices

__all__ = ["Document", "Table", "build_document", "document_of", "failures", "gather", "matrices", "render"]
