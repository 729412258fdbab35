"""What the event loop reads and changes, as records that Numba takes: the program's rows, the mesh, who waits where."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class ProgramRows(NamedTuple):
    """The program, and what each of its rows takes; ``costs`` says what the arrays are. held: ps at a shared part."""

    code: Integers
    starts: Integers
    setup: Integers
    duration: Integers
    held: Integers
    resource: Integers
    flits: Integers
    channel: Integers


class EventMesh(NamedTuple):
    """Tiles of cores and the links between them: counts, bytes of a tile's inbox, ps of a hop in x, in y, of a flit."""

    cores_a_tile: int
    columns: int
    rows: int
    buffer: int
    cores: int
    x_hop: int
    y_hop: int
    flit_time: int


class Queue(NamedTuple):
    """A heap of what is next: its time (ps), what decides at equal times, and which core or message it is.

    counts: entries of the heap, and slots of the table of messages that are free.
    """

    times: Integers
    ties: Integers
    whats: Integers
    counts: Integers


class CoreStates(NamedTuple):
    """Of each core: what it waits for, its tick, its row, the bytes and channel that it frees when it goes on.

    inbox: bytes that lie in a core's tile's buffer or are on their way there, waiting: how many cores wait for space in
    it; both by tile.
    """

    status: Integers
    tick: Integers
    row: Integers
    frees: Integers
    frees_channel: Integers
    inbox: Integers
    waiting: Integers


class Channels(NamedTuple):
    """Of each (source, destination, tag): messages that arrived unread, all that are not read, who waits for one."""

    arrived: Integers
    unread: Integers
    listener: Integers


class Shared(NamedTuple):
    """When parts that serve in turn are free, ps: banks of ADCs and ports of buffers; links, four a tile, then exits.

    barriers: a row for each group: how many meet, how many have come, then when each core came.
    """

    parts: Integers
    links: Integers
    barriers: Integers


class MessagesInFlight(NamedTuple):
    """Messages under way: their row, the tile where the head is (-1 on the exit), tick, source; and free slots."""

    row: Integers
    tile: Integers
    tick: Integers
    source: Integers
    spare: Integers


class EventState(NamedTuple):
    """All that the loop changes: it can be stopped, given more room, and gone on with."""

    queue: Queue
    cores: CoreStates
    channels: Channels
    shared: Shared
    messages: MessagesInFlight


class EventTrace(NamedTuple):
    """Room for events: row, place, start and end (ps), tick of each."""

    row: NDArray[np.int32]
    place: NDArray[np.int32]
    start: Integers
    end: Integers
    turn: NDArray[np.int32]
