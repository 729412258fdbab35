"""What a run is to leave behind: files, a certificate, words or JSON. ``resume`` leaves what ``run`` was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thermoc.cli.output import check, print_json, say
from thermoc.cli.parameters import file_name
from thermoc.recording.plan import TRACES
from thermoc.run import Run
from thermoc.support.arrays import write_npz
from thermoc.support.errors import error
from thermoc.support.extras import need
from thermoc.support.files import can_write, write_atomic
from thermoc.support.tables import table

# Certificates, pictures and pages load with what asks for them: a plain run starts in half the time.
if TYPE_CHECKING:
    from thermoc.certificates import Certificate

PICTURES = ("floorplan", "heat_map", "trace")


@dataclass(frozen=True, kw_only=True)
class Results:
    """What is asked of a run: where outputs and pictures go, whether it is certified; ``to`` it writes itself."""

    output: Path | None = None
    to: Path | None = None
    plot: Path | None = None
    report: Path | None = None
    floorplan: Path | None = None
    heat_map: Path | None = None
    trace: Path | None = None
    certificate: Path | None = None
    sign: Path | None = None
    as_json: bool = False

    @property
    def pictures(self) -> dict[str, Path]:
        """Files of pictures by what they show."""
        named = {name: getattr(self, name) for name in PICTURES}
        return {name: path for name, path in named.items() if path is not None}

    def check(self, target: str, record: Mapping[str, Sequence[str]] | None) -> None:
        """Refuse what cannot be drawn, of what is recorded, or held by such a file. Errors: T302, T404, T419."""
        if self.pictures and target != "chip":
            option = next(iter(self.pictures)).replace("_", "-")
            what = f"--{option} shows a simulated chip, and the target is {target!r}"
            raise error("T404", what, hint="take --target chip")
        if self.plot is not None:
            from thermoc.plot import format_of

            format_of(self.plot)
            need("matplotlib", "viz", "pictures")
            _check_drawn(record)
        if self.report is not None:
            from thermoc.reports.html import check_page

            check_page(self.report)
        for path in (self.floorplan, self.heat_map):
            if path is not None:
                from thermoc.reports.chip_picture import format_of

                format_of(path)
        if self.sign is not None:
            from thermoc.certificates.signature import check_key

            check_key(self.sign)
        self.check_output()

    def check_output(self) -> None:
        """Refuse a file of outputs whose name says it is another kind. Errors: T404."""
        if self.output is not None and self.output.suffix not in ("", ".npz"):
            hint = f"-o {self.output.with_suffix('.npz')}"
            raise error("T404", f"outputs are written as .npz, not {self.output.suffix}", hint=hint)

    def can_write(self) -> None:
        """Refuse paths that could not be written. Errors: T505."""
        for path in (self.output, self.plot, self.report, *self.pictures.values(), self.certificate):
            if path is not None:
                can_write(path)

    def note(self) -> dict[str, Any]:
        """Return it as JSON that a checkpoint carries; paths are absolute, for who resumes may stand elsewhere."""
        # Not the key: a checkpoint may come from others, and must not have anything signed.
        values = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "sign"}
        return {name: str(v.absolute()) if isinstance(v, Path) else v for name, v in values.items() if v}

    @classmethod
    def noted(cls, note: Mapping[str, Any]) -> Results:
        """Return what a note says."""
        paths = {
            name: Path(note[name])
            for name in ("output", "to", "plot", "report", *PICTURES, "certificate")
            if name in note
        }
        return cls(**paths, as_json=note.get("as_json") is True)

    def write(self, run: Run, *, ticks: int | None = None) -> Certificate | None:
        """Write and print what was asked for; return the certificate. ``ticks``: of a run that was stopped, in all."""
        # First: whatever else fails, the numbers are there.
        if self.output is not None:
            write_atomic(self.output, lambda stream: write_npz(stream, run.arrays))
        if self.pictures:
            _draw_chip(run, self.pictures)
        if self.plot is not None:
            from thermoc import plot as figures

            figures.save(figures.overview(run), self.plot)
        certificate = None
        if self.certificate is not None:
            from thermoc.certificates import certify

            certificate = certify(run)
            certificate.save(self.certificate, key=self.sign)
        if self.report is not None:
            from thermoc.reports.html import report

            report(run, certificate=certificate).html(self.report)
        if self.as_json:
            print_json(self._document(run, certificate, ticks))
        else:
            self._print(run, certificate)
        return certificate

    def finish(self, run: Run) -> None:
        """Write and print what was asked for, and end with code 1 where a law does not hold."""
        certificate = self.write(run)
        # Last, because it may end the command: by now every file is written.
        if certificate is not None:
            check(certificate, as_json=self.as_json)

    def _document(self, run: Run, certificate: Certificate | None, ticks: int | None) -> dict[str, Any]:
        """Return what --json prints of a run."""
        return {
            "network": run.network,
            "target": run.target,
            "seed": run.seed,
            "outputs": run.rows(),
            "warnings": [str(warning) for warning in run.warnings],
            "certificate": None if certificate is None else certificate.document,
            **({} if run.chip is None else {"chip": run.chip.to_json()}),
            **({} if ticks is None else {"stopped": {"at": run.ticks, "of": ticks}}),
            "path": str(self.output) if self.output else None,
        }

    def _print(self, run: Run, certificate: Certificate | None) -> None:
        say(table(run.title, run.rows()))
        for warning in run.warnings:
            say(str(warning), err=True)
        if run.chip is not None:
            say(f"\n{run.chip}")
        for path in self._files():
            say(f"wrote {path}")
        if certificate is not None:
            say(str(certificate))
            say(f"wrote {self.certificate}")

    def _files(self) -> Iterator[Path]:
        yield from (path for path in (self.output, self.to, self.plot, self.report) if path is not None)
        yield from self.pictures.values()


def _draw_chip(run: Run, pictures: Mapping[str, Path]) -> None:
    from thermoc.reports import chip_picture, chip_trace

    makers = {"floorplan": chip_picture.floorplan, "heat_map": chip_picture.thermal_map, "trace": chip_trace.trace}
    for name, path in pictures.items():
        makers[name](run.chip, path)


def certificate_path(network: str) -> Path:
    """Return the file of a network's certificate."""
    return Path(f"{file_name(network)}.certificate.json")


def _check_drawn(record: Mapping[str, Sequence[str]] | None) -> None:
    asked = [(name, text) for name, texts in (record or {}).items() for text in texts]
    # Before the run: a figure that is refused at its end may be refused after hours.
    if asked and not any(text.split(":")[0] in (*TRACES, "events") for _, text in asked):
        notes = [f"recorded are {', '.join(f'{name}={text}' for name, text in asked)}"]
        hint = f"add {asked[0][0]}=all, or {asked[0][0]}=every:K"
        raise error("T419", "--plot draws traces and events, and none is recorded", notes=notes, hint=hint)
