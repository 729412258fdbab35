"""What is read, how it is damaged so that it comes far into its reader, and how it is read."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import thermoc as tc
from filefuzz import containers, mutations, seeds
from filefuzz.containers import DTYPES, Seeds
from filefuzz.mutations import bytes_damaged, document_damaged, text_damaged
from thermoc import simulator
from thermoc.backends.lava.artefact import foreign
from thermoc.certificates import recheck
from thermoc.certificates.document import digest
from thermoc.frontends import problems
from thermoc.ir import serial
from thermoc.simulator import program as simulator_program
from thermoc.simulator.chips import load_chip
from thermoc.simulator.devices import device
from thermoc.simulator.machine import ChipProgram
from thermoc.simulator.machine import program as machine_program
from thermoc.simulator.thermal import description, hotspot, threedice
from thermoc.support.arrays import read_npy, read_npz
from thermoc.support.bundle import bundle_bytes, parse_bundle


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format: sound files of it, ways to damage one (each a step), how a file is read. share: of all files."""

    suffix: str
    seeds: Callable[[], Seeds]
    steps: tuple[Callable[[random.Random, Any], Any], ...]
    read: Callable[[Path], object]
    share: float
    written: Callable[[Any], bytes] = bytes


# ------------------------------------------------------------------------------------------- our own, with right digests


def _bundles(module: Any, make: Callable[[], list[bytes]]) -> Callable[[], Seeds]:
    """Sound files of ours as ((kind, version), document, arrays)."""

    def unpacked() -> Seeds:
        found = [parse_bundle(data, "seed", kind=module.KIND, version=module.VERSION) for data in make()]
        return [((module.KIND, module.VERSION), bundle.document, dict(bundle.arrays)) for bundle in found]

    return unpacked


def _document(rng: random.Random, bundle: Any) -> Any:
    kind, document, arrays = bundle
    return kind, document_damaged(rng, document), arrays


def _arrays(rng: random.Random, bundle: Any) -> Any:
    kind, document, arrays = bundle
    if not arrays:
        return _document(rng, bundle)
    name = rng.choice(sorted(arrays))
    arrays = {**arrays, name: mutations.array_damaged(rng, arrays[name], DTYPES)}
    if rng.randrange(12) == 0:
        del arrays[name]
    return kind, document, arrays


def _signed(bundle: Any) -> bytes:
    (kind, version), document, arrays = bundle
    return bundle_bytes(kind=kind, version=version, document=document, arrays=arrays)


def _read_graph(path: Path) -> None:
    net = tc.load(path)
    str(net.graph)
    _ = net.graph.hash


def _lower(path: Path) -> None:
    """Compile for ONNX and for the simulator, as a user would do next."""
    net = tc.load(path)
    tc.lint(net)
    for target in ("onnx", "sim"):
        tc.compile(net, target).artefact.to_bytes()


# --------------------------------------------------------------------------------------------------------- certificates


def _certificates() -> Seeds:
    return [json.loads(data) for data in seeds.certificates()]


def _entry(rng: random.Random, document: Any) -> Any:
    return document_damaged(rng, document)


def _replay(rng: random.Random, document: Any) -> Any:
    """Damage the network or the inputs inside, which are signed anew."""
    replay = document.get("replay") if isinstance(document, dict) else None
    if not isinstance(replay, dict) or not isinstance(replay.get("graph"), str):
        return _entry(rng, document)
    try:
        bundle = parse_bundle(base64.b64decode(replay["graph"]), "seed", kind=serial.KIND, version=1)
    except (ValueError, tc.ThermocError):
        return _entry(rng, document)
    changed = rng.choice((_document, _arrays))(
        rng, ((serial.KIND, serial.VERSION), bundle.document, dict(bundle.arrays))
    )
    return {**document, "replay": {**replay, "graph": base64.b64encode(_signed(changed)).decode()}}


def _certified(document: Any) -> bytes:
    if isinstance(document, dict):
        document = {**document, "sha256": digest(document)}
    return json.dumps(document).encode()


def _net_files() -> Seeds:
    return [seeds.hdf5_bytes(tree) for tree in seeds.net_trees()]


# ---------------------------------------------------------------------------------------------------------------- texts


def _read_device(path: Path) -> None:
    device.values.cache_clear()
    for name in ("rc", "vteam", "stanford"):
        try:
            device.load(name, path=str(path))
        except tc.ThermocError as problem:
            str(problem)


def _read_ice_stack(path: Path) -> None:
    (path.parent / "a.flp").write_bytes(seeds.ICE_FLOORPLAN)
    threedice.read_stack(path)


def _read_manifest(path: Path) -> None:
    folder = path.parent / "package"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_bytes(path.read_bytes())
    foreign(folder)


def _read_problem(format: str, path: Path) -> None:
    """Read it as the format says, and as its first lines say."""
    with contextlib.suppress(tc.ThermocError):
        _read_any_problem(path)
    problem = problems.read(path, format=format)
    problem.objective(np.ones(problem.model.size))


def _read_any_problem(path: Path) -> None:
    problem = problems.read(path)
    problem.objective(np.ones(problem.model.size))


def _nested(rng: random.Random, data: bytes) -> bytes:
    """Depth, digits or very many keys."""
    count = rng.choice((60, 1_000, 5_000, 100_000))
    return rng.choice(
        (
            lambda: b"x = " + b"[" * count + b"]" * count + b"\n" + data,
            lambda: b"x = " + b"{a=" * count + b"1" + b"}" * count + b"\n" + data,
            lambda: b"x = " + b"7" * count + b"\n" + data,
            lambda: b"x" + b".a" * count + b" = 1\n" + data,
            lambda: data + b"\n[x" + b".a" * count + b"]\n",
            lambda: data + b"\n" + b"".join(b"k%d = 1\n" % index for index in range(min(count, 20_000))),
            lambda: data + b"\n" + b"[[x]]\n" * min(count, 20_000),
            lambda: b'x = "' + b"y" * count + b'"\n' + data,
        )
    )()


def _nested_json(rng: random.Random, data: bytes) -> bytes:
    count = rng.choice((60, 1_000, 100_000))
    return rng.choice(
        (b"[" * count + b"]" * count, b'{"a":' * count + b"1" + b"}" * count, b"9" * count, b"[1," * count)
    )


def _manifests() -> Seeds:
    return [
        {
            "thermoc": "0.1.0",
            "files": {"run.py": "0" * 64, "procs/a/process.py": "1" * 64},
            "processes": [{"name": "a"}],
        }
    ]


TEXT = (text_damaged, text_damaged, bytes_damaged)
TOML = (*TEXT * 5, _nested)


def _texts(*files: bytes) -> Callable[[], Seeds]:
    return lambda: list(files)


def _json_bytes(document: Any) -> bytes:
    return json.dumps(document).encode()


FORMATS: dict[str, Format] = {
    "thermo": Format(suffix=".thermo", seeds=seeds.graphs, steps=(bytes_damaged,), read=_read_graph, share=6),
    "thermo signed": Format(
        suffix=".thermo",
        seeds=_bundles(serial, seeds.graphs),
        steps=(_document, _document, _arrays),
        read=_read_graph,
        share=26,
        written=_signed,
    ),
    "thermo compiled": Format(
        suffix=".thermo",
        seeds=_bundles(serial, seeds.graphs),
        steps=(_document, _arrays, _arrays),
        read=_lower,
        share=4,
        written=_signed,
    ),
    "program": Format(
        suffix=".program",
        seeds=_bundles(simulator_program, seeds.programs),
        steps=(_document, _arrays),
        read=simulator.load,
        share=8,
        written=_signed,
    ),
    "chip program": Format(
        suffix=".chip",
        seeds=_bundles(machine_program, seeds.chip_programs),
        steps=(_document, _arrays),
        read=lambda path: str(ChipProgram.load(path)),
        share=4,
        written=_signed,
    ),
    "certificate": Format(suffix=".json", seeds=seeds.certificates, steps=TEXT, read=recheck, share=2),
    "certificate signed": Format(
        suffix=".json", seeds=_certificates, steps=(_entry, _entry, _replay), read=recheck, share=3, written=_certified
    ),
    "npz": Format(
        suffix=".npz", seeds=seeds.archives, steps=(*(bytes_damaged,) * 20, containers.bomb), read=read_npz, share=6
    ),
    "npz members": Format(
        suffix=".npz",
        seeds=containers.members,
        steps=(containers.member,),
        read=read_npz,
        share=8,
        written=containers.zipped,
    ),
    "npy": Format(suffix=".npy", seeds=seeds.single_arrays, steps=TEXT, read=read_npy, share=4),
    "nir": Format(
        suffix=".nir", seeds=seeds.nir_files, steps=(bytes_damaged, mutations.integer_damaged), read=tc.load, share=6
    ),
    "nir tree": Format(
        suffix=".nir",
        seeds=containers.nir_trees,
        steps=(containers.tree,),
        read=tc.load,
        share=3,
        written=containers.hdf5,
    ),
    "net": Format(
        suffix=".net", seeds=_net_files, steps=(bytes_damaged, mutations.integer_damaged), read=tc.load, share=6
    ),
    "net tree": Format(
        suffix=".net", seeds=seeds.net_trees, steps=(containers.tree,), read=tc.load, share=3, written=containers.hdf5
    ),
    "onnx": Format(
        suffix=".onnx", seeds=seeds.onnx_files, steps=(bytes_damaged, mutations.integer_damaged), read=tc.load, share=6
    ),
    "onnx model": Format(
        suffix=".onnx",
        seeds=seeds.onnx_models,
        steps=(containers.proto,),
        read=tc.load,
        share=6,
        written=containers.serialised,
    ),
    "chip file": Format(suffix=".toml", seeds=seeds.chip_files, steps=TOML, read=load_chip, share=2),
    "device file": Format(suffix=".toml", seeds=seeds.device_files, steps=TOML, read=_read_device, share=2),
    "stack file": Format(suffix=".toml", seeds=seeds.stack_files, steps=TOML, read=description.read, share=2),
    "floorplan": Format(suffix=".flp", seeds=_texts(seeds.FLOORPLAN), steps=TEXT, read=hotspot.read_floorplan, share=1),
    "power trace": Format(suffix=".ptrace", seeds=_texts(seeds.POWER), steps=TEXT, read=hotspot.read_power, share=1),
    "HotSpot's settings": Format(
        suffix=".config", seeds=_texts(seeds.CONFIG), steps=TEXT, read=hotspot.read_config, share=1
    ),
    "3D-ICE's floorplan": Format(
        suffix=".flp",
        seeds=_texts(seeds.ICE_FLOORPLAN),
        steps=TEXT,
        read=lambda path: threedice.read_floorplan(path, 1e-2, 1e-2),
        share=1,
    ),
    "3D-ICE's stack": Format(suffix=".stk", seeds=_texts(seeds.ICE_STACK), steps=TEXT, read=_read_ice_stack, share=1),
    "manifest": Format(
        suffix=".json",
        seeds=_manifests,
        steps=(*(_entry,) * 6, lambda rng, document: json.loads("[" * 40 + "]" * 40)),
        read=_read_manifest,
        share=0.5,
        written=_json_bytes,
    ),
    "manifest text": Format(
        suffix=".json",
        seeds=lambda: [_json_bytes(document) for document in _manifests()],
        steps=(*TEXT, _nested_json),
        read=_read_manifest,
        share=0.5,
    ),
}


for _format, _files in seeds.PROBLEMS.items():
    FORMATS[f"problem: {_format}"] = Format(
        suffix=".txt", seeds=_texts(*_files), steps=TEXT, read=functools.partial(_read_problem, _format), share=0.5
    )
FORMATS["problem: bqm-json"] = Format(
    suffix=".json", seeds=seeds.bqm_documents, steps=(_entry,), read=_read_any_problem, share=1, written=_json_bytes
)
FORMATS["problem: bqm-bson"] = Format(
    suffix=".bson",
    seeds=seeds.bqm_files,
    steps=(bytes_damaged, mutations.integer_damaged),
    read=_read_any_problem,
    share=1,
)


@functools.cache
def sound(name: str) -> Seeds:
    """The sound files of a format."""
    return FORMATS[name].seeds()


def chosen(seed: int, index: int) -> tuple[str, random.Random]:
    """The format of a file and the generator it is drawn from; a seed and an index are one file."""
    rng = random.Random(f"{seed}/{index}")
    name = rng.choices(list(FORMATS), [each.share for each in FORMATS.values()])[0]
    return name, rng


def drawn(name: str, rng: random.Random) -> tuple[Any, list[int], list[int]]:
    """A sound file, the steps that damage it, and the seed of each."""
    steps = FORMATS[name].steps
    count = rng.choice((1, 1, 1, 2, 3))
    return (
        rng.choice(sound(name)),
        [rng.randrange(len(steps)) for _ in range(count)],
        [rng.getrandbits(32) for _ in range(count)],
    )


def damaged(name: str, start: Any, steps: list[int], numbers: list[int]) -> bytes:
    """The file that these steps make of a sound one; a step that cannot be taken after another is left out."""
    unfit = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
    for step, number in zip(steps, numbers):
        with contextlib.suppress(*unfit):
            start = FORMATS[name].steps[step](random.Random(number), start)
    try:
        return FORMATS[name].written(start)
    except unfit:
        return b""
