"""HTML from templates that escape whatever an export says."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from cachegraph.text.clean import legal, xml

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["legal", "render"]


def render(template: str, **values: Any) -> str:  # noqa: ANN401 - whatever the template takes
    """Fill in a template.

    Parameters
    ----------
    template : str
        Package and file, such as ``cachegraph.views.html/graph.html.jinja``.
    **values
        For the template. Strings are escaped, and their control characters replaced.
    """
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader

    def read(name: str) -> str:
        package, _, file = name.partition("/")
        return resources.files(package).joinpath(file).read_text("utf-8")

    return Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(read),
        finalize=lambda value: xml(value) if type(value) is str else value,
    )
