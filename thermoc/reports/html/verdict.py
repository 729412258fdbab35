"""What stands on top of a report: whether targets agree, laws hold and chains are mixed, and on what it ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from thermoc.reports.html.quantities import quantity
from thermoc.support.plurals import counted
from thermoc.verification.comparison import UNJUDGED

OK, WARN, FAIL, NONE = "ok", "warn", "fail", "none"
MACHINES = {
    "software": ("Software", "The numbers were computed on this computer; no chip took part, and none is modelled."),
    "emulated": ("Emulated", "A model of the machine ran on this computer; no hardware was measured."),
    "hardware": ("Hardware", "The machine itself ran, and its numbers were measured."),
    "": ("Unknown", "The target's package is not installed here, so what it ran on is not known."),
}


def verdict(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return cards: title, state (ok, warn, fail, none), a line of text, and the section or selection it leads to."""
    subjects = document["subjects"]
    names = ["A", "B"] if document["comparison"] is not None else [subject["target"] for subject in subjects]
    return [
        *_differ(document["comparison"]),
        *_agree(document["targets"]),
        *_merged(_energy(subjects), names),
        *_merged(_hottest(subjects), names),
        *_divergence(document["targets"]),
        _laws(document["laws"]),
        _mixed(subjects),
        *_not_compared(document),
        *_machines(subjects),
        *_stopped(subjects),
    ]


def _card(title: str, state: str, text: str, section: str, **select: Any) -> dict[str, Any]:
    return {"title": title, "state": state, "text": text, "section": section, "select": select}


def _differ(compared: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Yield whether two runs gave the same, what was asked of them differently, and by how much they are apart."""
    if compared is None:
        return
    requests = [row for row in compared["asked"] if not row["same"]]
    settings = [
        f"{row['what'].removeprefix('option ')} = {_short(row['A'])} (A), {_short(row['B'])} (B)" for row in requests
    ]
    text = f"Differs: {'; '.join(settings[:3]) or 'no setting'}{'; and more' * (len(requests) > 3)}."
    courses, differing = compared["courses"], [row for row in compared["courses"] if row["first"] is not None]
    if courses and not differing:
        yield _card("Both runs are the same", OK, f"Bit for bit, at every tick that can be compared. {text}", "compare")
        return
    scores = [abs(row["apart, error bars"]) for row in compared["outputs"] if row["apart, error bars"] is not None]
    gaps = [f"{row['name']} by {row['most']:.3g} at most" for row in differing]
    text += f" Outputs are apart: {', '.join(gaps[:3])}{' and others' * (len(gaps) > 3)}." if gaps else ""
    text += f" Means of sampled outputs are {max(scores):.2g} error bars apart at most." if scores else ""
    title = f"Runs diverge at tick {min(row['first'] for row in differing)}" if differing else "Two runs"
    state = WARN if scores and max(scores) > 4 else NONE
    select = {"tick": min(row["first"] for row in differing)} if differing else {}
    yield _card(title, state, text, "compare", **select)


def _short(value: Any) -> str:
    text = "none" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 24 else f"{text[:23]}…"


def _not_compared(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if document["targets"] is None:
        text = (
            "One target alone is shown; this compares them: thermoc verify MODEL --targets sim,onnx --report PAGE.html"
        )
        yield _card("Targets: not compared", NONE, text, "targets")


def _agree(targets: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    if targets is None:
        return
    good = [name for name in targets["targets"] if all(row["ok"] for row in targets["rows"] if row["target"] == name)]
    text = f"{len(good)} of {len(targets['targets'])} targets hold every bound"
    unjudged = [row for row in targets["rows"] if row["verdict"] == "not judged"]
    text += f"; {len(unjudged)} values could not be judged" if unjudged else ""
    if targets["ok"]:
        yield _card("Targets agree", OK, f"{text}: {', '.join(good)}.", "targets")
        return
    bad = [name for name in targets["targets"] if name not in good]
    if not any(row["verdict"] == "breach" for row in targets["rows"]):
        yield _card("Targets agree as far as judged", WARN, f"{text}: {', '.join(bad)}.", "targets")
        return
    yield _card("Targets do not agree", FAIL, f"{text}; not {', '.join(bad)}.", "targets")


def _laws(laws: Mapping[str, Any] | None) -> dict[str, Any]:
    if laws is None:
        text = "This checks them on a run: thermoc run MODEL --certify --report PAGE.html"
        return _card("Laws: not checked", NONE, text, "laws")
    count = sum(row["verdict"] == "holds" for row in laws["rows"])
    text = f"{count} of {len(laws['rows'])} laws of physics hold on this run; {len(laws['skipped'])} not checked."
    title, state = _LAWS[laws["verdict"]]
    return _card(title, state, text, "laws")


_LAWS = {
    "holds": ("Laws hold", OK),
    "fails": ("A law does not hold", FAIL),
    "cannot tell": ("Too short to tell whether laws hold", WARN),
}


def _mixed(subjects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    outputs = [(subject, output) for subject in subjects for output in subject["mixing"]]
    if not outputs:
        text = "No output samples an equilibrium for 8 ticks or more. Where one does, this judges its chains: "
        return _card(
            "Chains: none to judge", NONE, f"{text}thermoc run MODEL --ticks 1000 --report PAGE.html", "mixing"
        )
    bad = [(s, output) for s, output in outputs if not all(row["mixed"] for row in output["rows"])]
    if not bad:
        worst = max(row["r_hat"] or 0 for _, output in outputs for row in output["rows"])
        text = f"R-hat is {worst:.4g} at most, over {counted(len(outputs), 'sampled output')}."
        return _card("Chains mixed", OK, text, "mixing")
    names = ", ".join(dict.fromkeys(output["name"] for _, output in bad))
    return _card("Chains not mixed", WARN, f"No equilibrium sample yet: {names}. Run longer.", "mixing")


def _machines(subjects: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for machine in dict.fromkeys(subject["machine"] for subject in subjects):
        title, text = MACHINES.get(machine, MACHINES[""])
        names = ", ".join(dict.fromkeys(s["target"] for s in subjects if s["machine"] == machine))
        yield _card(f"{title}: {names}", NONE, text, "facts")


Of = Iterator[tuple[int, dict[str, Any]]]
"""Cards with the number of the run that each is of."""


def _merged(cards: Of, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield cards that say of which run they are where there are several; equal ones are one card."""
    merged = list(cards)
    for number, card in merged:
        alike = [other for other, same in merged if (same["title"], same["text"]) == (card["title"], card["text"])]
        if alike[0] == number:
            of = f", {' and '.join(names[other] for other in alike)}" if len(merged) > 1 else ""
            yield {**card, "title": f"{card['title']}{of}"}


def _costs(subjects: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield what each run on a chip took, with the run's number."""
    for number, subject in enumerate(subjects):
        costs = subject["chip"] or subject["costs"]
        if costs is not None and costs["ops"]:
            yield number, costs


def _label(op: Mapping[str, Any]) -> str:
    return " + ".join(op["holds"]) or op["op"].strip("()")


def _energy(subjects: Sequence[Mapping[str, Any]]) -> Of:
    """Yield what a sample costs in joules and seconds, and what takes most of it, leakage included."""
    for number, costs in _costs(subjects):
        facts, ops = costs["facts"], sorted(costs["ops"], key=lambda op: -(op["share"] or 0))
        if facts.get("joules_a_sample") is None:
            continue
        sample = "an inference" if facts["ticks"] == 1 else f"a sample of {facts['ticks']} ticks"
        leading, *remaining = [f"{_label(op)} {100 * (op['share'] or 0):.2g} %" for op in ops[:4]]
        title = f"{quantity(facts['joules_a_sample'], 'J')} {sample}; {leading}"
        size = f"{counted(facts['samples'], 'sample')} of {counted(facts['ticks'], 'tick')}"
        text = f"{quantity(facts['joules'], 'J')} in {quantity(facts['seconds'], 's')} for all {size}; a sample takes "
        text += f"{quantity(facts['latency'], 's')}."
        text += f" Then {', '.join(remaining)}." if remaining else ""
        if facts["setup_joules"]:
            text += f" Programming the cells took {quantity(facts['setup_joules'], 'J')} more."
        yield number, _card(title, NONE, text, "chip", subject=number)


def _hottest(subjects: Sequence[Mapping[str, Any]]) -> Of:
    """Yield the op that alone would warm its place most, of each chip; leakage is no op."""
    for number, costs in _costs(subjects):
        ops = [op for op in costs["ops"] if op["holds"]]
        if ops:
            op = max(ops, key=lambda op: op["kelvin"] or 0)
            text = f"Alone it would warm its hottest place by {quantity(op['kelvin'] or 0, 'K')}; it takes "
            text += f"{quantity(op['joules'], 'J')} in all."
            yield number, _card(f"Hottest op: {_label(op)}", NONE, text, "chip", op=op["op"], subject=number)


def _divergence(targets: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    if targets is None:
        return
    diverged = [first for first in targets["first"] if first["tick"] is not None]
    if not diverged:
        yield _card("No divergence", OK, "No target leaves the network's own course at any tick.", "targets")
        return
    first, *remaining = sorted(diverged, key=lambda one: (one["why"] != "breach", one["why"] == UNJUDGED, one["tick"]))
    suffix = f" in pass {first['pass']}" if first["pass"] else ""
    state = FAIL if first["why"] == "breach" else NONE
    text = f"{first['target']}, at {first['op']}{suffix}{_by(first)}: {first['why']}."
    if remaining:
        stand = ", ".join(f"{one['target']} at tick {one['tick']}{_by(one)} ({one['why']})" for one in remaining)
        judged = "" if first["why"] == UNJUDGED else "The first of the judged: "
        text = f"{judged}{text} In Targets too: {stand}."
    title = f"First divergence: tick {first['tick']}, {first['target']}"
    yield _card(title, state, text, "targets", op=first["op"], tick=first["tick"])


def _by(first: Mapping[str, Any]) -> str:
    return "" if first["by"] is None else f", by {first['by']:.3g}"


def _stopped(subjects: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    if not all(subject["complete"] for subject in subjects):
        yield _card("Run not complete", WARN, "It was stopped: the page shows what was recorded until then.", "facts")
