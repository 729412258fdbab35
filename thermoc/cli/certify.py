"""``thermoc certify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thermoc.certificates import recheck
from thermoc.cli.common import Json
from thermoc.cli.output import check, print_json, say


def certify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A certificate of `thermoc run MODEL --certify`.")],
    as_json: Json = False,
) -> None:
    """Check a certificate again, offline: its digest, its verdicts, and the run itself where it holds the network."""
    certificate = recheck(file)
    replayed = certificate.document["replay"] is not None
    if as_json:
        print_json({**certificate.document, "replay": replayed})
    else:
        say(str(certificate))
        say("repeated from the seed: it agrees" if replayed else "too large to hold its network: numbers checked")
    check(certificate, as_json=as_json)
