"""The registration portal: pages rendered on the server, for the people who operate the service.

Every read and change goes through `gateway.manage`. Pages work without scripts, hold no inline code or style, and
show a new secret once. Jinja2 is loaded when the first page is asked for: the data path never pays for it.
"""

from gateway.portal.site import Portal
from gateway.portal.visits import Page

__all__ = ["Page", "Portal"]
