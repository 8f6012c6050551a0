"""``eingrad schema``: the configuration for editors."""

from __future__ import annotations

import json

import click


@click.command(short_help="Print the JSON Schema of the configuration.")
def schema() -> None:
    """Print the JSON Schema of eingrad.toml, which is that of [tool.eingrad].

    \b
    eingrad schema > eingrad.schema.json
    """
    from ..json_schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
