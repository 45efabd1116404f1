"""cli: `wsi-area completion`: what a shell needs to complete commands, options and file names."""

import click
from click.shell_completion import get_completion_class

from wsi_area.cli.output.wrapping import say, say_document

_VARIABLE = "_WSI_AREA_COMPLETE"
"""The variable by which click's own scripts ask this program for completions."""
_FILES = {
    "bash": "~/.local/share/bash-completion/completions/wsi-area",
    "zsh": "a folder of your fpath, as _wsi-area",
    "fish": "~/.config/fish/completions/wsi-area.fish",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_FILES)))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(context: click.Context, shell: str, as_json: bool) -> None:
    """Print the script with which SHELL completes the commands, options and files of wsi-area.

    \b
    eval "$(wsi-area completion bash)"      # this shell only; in ~/.bashrc: every one
    eval "$(wsi-area completion zsh)"       # in ~/.zshrc, below compinit
    wsi-area completion fish > ~/.config/fish/completions/wsi-area.fish

    bash needs to be 4.4 or newer. Nothing is installed and nothing is written but to standard output.
    """  # noqa: D301 (click reads the backspace)
    complete = get_completion_class(shell)
    if complete is None:
        raise click.UsageError(f"this click has no completion for {shell}; update it: pip install --upgrade click")
    script = complete(context.find_root().command, {}, "wsi-area", _VARIABLE).source()
    if as_json:
        say_document({"shell": shell, "where": _FILES[shell], "script": script})
    else:
        say(script)
