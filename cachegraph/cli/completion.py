r"""``cachegraph completion``: shell completion.

Bash breaks words at ``=`` and ``:`` before it asks, and puts an answer in the place of the last piece only. A SPEC is
full of both, so bash gets a script of its own: it hands over the line as it is, and takes back what follows the piece.
"""

from __future__ import annotations

import os
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from cachegraph.cli.output import TEXT, write

__all__ = ["completion", "register"]

_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' response completion type value
    local piece="${COMP_WORDS[COMP_CWORD]}"
    response=$(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_PIECE="$piece" %(complete_var)s=bash_complete $1)
    for completion in $response; do
        type="${completion%%%%,*}" value="${completion#*,}"
        if [[ $type == 'dir' ]]; then
            COMPREPLY=()
            compopt -o dirnames
        elif [[ $type == 'file' ]]; then
            COMPREPLY=()
            compopt -o default
        elif [[ $type == 'plain' ]]; then
            COMPREPLY+=("$value")
            [[ $value == *[=,/:] ]] && compopt -o nospace
        fi
    done
    return 0
}

%(complete_func)s_setup() {
    complete -o nosort -F %(complete_func)s %(prog_name)s
}

%(complete_func)s_setup;
"""


class WholeWords(BashComplete):
    """Bash's completion of words with ``=`` and ``:`` in them."""

    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Read the line up to the cursor."""
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)
        incomplete = "" if not line or line[-1].isspace() else words.pop()
        self._before = len(incomplete) - len(self._piece(incomplete))
        return words[1:], incomplete

    @staticmethod
    def _piece(incomplete: str) -> str:
        """Give the end of a word that bash takes for a word of its own."""
        piece = os.environ.get("COMP_PIECE", incomplete)
        if piece in ("=", ":"):  # the break itself
            return ""
        return piece if incomplete.endswith(piece) else incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Write an item without what stands before the piece."""
        value = item.value[self._before :] if item.type == "plain" else item.value
        return f"{item.type},{value}"


def register() -> None:
    """Let bash use this completion."""
    add_completion_class(WholeWords)


@click.command(epilog="\b\nExample:\n  cachegraph completion bash >> ~/.bashrc")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes SHELL complete commands, options, paths, specs and the caches that the project names."""
    register()
    made: Any = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    write(made(ctx.find_root().command, {}, "cachegraph", "_CACHEGRAPH_COMPLETE").source(), TEXT)
