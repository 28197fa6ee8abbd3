import re
from functools import partial

from gateway.conformance import Report
from gateway.conformance.page import to_html
from gateway.portal.check_texts import in_language


def untold(report: Report) -> list[str]:
    """What the report as a file says in English to those who read Chinese."""
    page = to_html(report, "zh-Hans", partial(in_language, "zh-Hans"))
    return re.findall(r'<span lang="en">(.*?)</span>', page)
