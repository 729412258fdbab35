"""``thermoc certify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thermoc.certificates import recheck
from thermoc.cli.output import check, print_json, say
from thermoc.cli.parameters import Json


def certify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A certificate of `thermoc run MODEL --certify`.")],
    large: Annotated[bool, typer.Option("--large", help="Repeat also a run that takes long.")] = False,
    on: Annotated[str | None, typer.Option("--on", metavar="TARGET", help="Repeat it on another target too.")] = None,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="PEM", help="The Ed25519 public key that must have signed it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a certificate again, offline: its run is repeated, and laws, bounds and verdicts are derived anew."""
    certificate = recheck(file, large=large, on=on, key=key)
    if as_json:
        print_json({**certificate.document, "rechecked": True})
    else:
        say(str(certificate))
        say("repeated from the seed: it agrees" + (f", and on {on} too" if on else ""))
        if key is not None:
            say(f"signed by {key}")
    check(certificate, as_json=as_json)
