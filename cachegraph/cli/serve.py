"""``cachegraph serve``: the explorer, on this machine only."""

from __future__ import annotations

import socket
import sys
from typing import Any

import click

from cachegraph.cli.options import open_store, source_options
from cachegraph.cli.output import say
from cachegraph.cli.reading import read_specs
from cachegraph.errors import MissingExtraError, UsageError
from cachegraph.text.words import plural

__all__ = ["serve"]


@click.command(
    epilog="\b\nExamples:\n  cachegraph serve ./cache\n"
    "  cachegraph serve --all-tags registry.example.com/app --port 8080\n  cachegraph serve --neo4j"
)
@source_options
@click.option(
    "--neo4j",
    metavar="[URI]",
    is_flag=False,
    flag_value="",
    help="Serve questions about all that this Neo4j holds; without a URI, NEO4J_URI or your own.",
)
@click.option("--database", help="Database of the Neo4j.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0, the default, takes a free one."
)
def serve(specs: tuple[str, ...], neo4j: str | None, database: str | None, port: int, **how: Any) -> None:  # noqa: ANN401 - values of source_options
    """Serve pages and a JSON API about every export that the SPECs name, to this machine only, until Ctrl-C.

    It is `cachegraph report` for what is too large for a file: records are fetched as they are opened. Nothing can be
    changed through it. The API describes itself at /openapi.json.
    """
    if not specs and neo4j is None and not how["files"]:
        raise UsageError("there is nothing to serve", hint="give a SPEC, or --neo4j")
    try:
        import uvicorn

        from cachegraph.explorer.app import make_app
        from cachegraph.explorer.fleet import Fleet
        from cachegraph.explorer.shelf import Shelf
    except ModuleNotFoundError as error:
        if error.name not in ("fastapi", "pydantic", "starlette", "uvicorn"):
            raise
        raise MissingExtraError("cachegraph serve", "serve") from None
    from contextlib import ExitStack, suppress

    from cachegraph.graph import CacheGraph
    from cachegraph.views.html.report import Unread

    with ExitStack() as stack:
        fleet = None if neo4j is None else Fleet(stack.enter_context(open_store(neo4j or None, database)))
        graph, code, unread = CacheGraph(()), 0, list[Unread]()
        if specs or how["files"]:
            read = read_specs(specs, how)
            graph, code = read.graph, read.exit_code
            unread = [Unread(spec=bad.spec, message=bad.error.message, hint=bad.error.hint) for bad in read.failures]
            if not graph.graphs and fleet is None:
                sys.exit(code or 3)
        listening = _listen(port)
        stack.callback(listening.close)
        place = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        served = " and ".join([plural(len(graph.graphs), "export"), *([fleet.place] if fleet else [])])
        say(f"{place} serves {served}; Ctrl-C ends it")
        config = uvicorn.Config(
            make_app(Shelf(graph, unread), fleet), log_level="error", access_log=False, lifespan="off"
        )
        with suppress(KeyboardInterrupt):  # how it is meant to end
            uvicorn.Server(config).run(sockets=[listening])
    sys.exit(code)


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen()  # who opens the address at once waits for the server instead of being refused
    except OSError as error:
        listening.close()
        raise UsageError(
            f"--port {port}: {error.strerror}", hint="choose another, or leave it out for a free one"
        ) from None
    return listening
