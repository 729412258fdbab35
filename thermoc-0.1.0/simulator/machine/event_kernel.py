"""The event queue of a chip: cores issue in order, messages go from router to router, shared parts serve in turn.

Times are whole picoseconds. At equal times messages go before cores, by their source's number; cores by their own.
"""

from __future__ import annotations

from numba.extending import register_jitable

PROG, SETIN, MVM, ANNEAL, STEP, SAMPLE, VOP, LD, ST, SEND, RECV, BARRIER, HALT = range(13)
READY, FOR_MESSAGE, FOR_ROOM, FOR_OTHERS, DONE = range(5)
FINISHED, FULL, STUCK = range(3)
DEPTH = 2
"""Messages of a channel that may be under way or unread: one is read while the next one comes."""


@register_jitable
def push(time, tie, what, times, ties, whats, counts):
    """Put an entry on the heap: earliest time first, then lowest tie."""
    at = counts[0]
    counts[0] = at + 1
    while at > 0:
        above = (at - 1) >> 1
        if times[above] < time or (times[above] == time and ties[above] <= tie):
            break
        times[at], ties[at], whats[at] = times[above], ties[above], whats[above]
        at = above
    times[at], ties[at], whats[at] = time, tie, what


@register_jitable
def pop(times, ties, whats, counts):
    """Take the first entry off the heap; the caller has read it."""
    last = counts[0] - 1
    counts[0] = last
    time, tie, what = times[last], ties[last], whats[last]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= last:
            break
        if child + 1 < last and (
            times[child + 1] < times[child] or (times[child + 1] == times[child] and ties[child + 1] < ties[child])
        ):
            child += 1
        if time < times[child] or (time == times[child] and tie <= ties[child]):
            break
        times[at], ties[at], whats[at] = times[child], ties[child], whats[child]
        at = child
    times[at], ties[at], whats[at] = time, tie, what


def run_events(
    code, starts, setup, duration, held, resource, flits, channel,
    shape, hops, rounds,
    times, ties, whats, counts,
    core, inbox, waiting, arrived, flying, listeners, free, links, groups,
    message, spare,
    rows, places, begins, ends, turns,
):  # fmt: skip
    """Run until every core has done ``rounds`` ticks, nothing can go on, or there is no room for more events.

    shape: (cores a tile, columns, rows, bytes of a tile's inbox, cores). hops: ps of (a hop in x, in y, a flit).
    core: (cores, 5) what each waits for, its tick, its row, the bytes and the channel that it frees when it goes on.
    A channel holds DEPTH messages at most. message: (m, 4) row, tile,
    tick, source. rows to turns: the events. Returns (number of events, how it ended).
    """
    per, wide, high, room, cores = shape[0], shape[1], shape[2], shape[3], shape[4]
    x_hop, y_hop, flit_time = hops[0], hops[1], hops[2]
    exits = wide * high * 4
    made, most = 0, len(rows)
    while counts[0] > 0:
        if made + 2 > most:
            return made, FULL
        now, what = times[0], whats[0]
        pop(times, ties, whats, counts)
        if what >= cores:  # a message
            index = what - cores
            row, tile, turn = message[index, 0], message[index, 1], message[index, 2]
            if tile < 0:  # its last flit is there: its place in the table can be used again
                spare[counts[1]] = index
                counts[1] += 1
                lane = channel[row]
                arrived[lane] += 1
                listener = listeners[lane]
                if listener >= 0:
                    listeners[lane] = -1
                    core[listener, 0] = READY
                    push(now, cores + listener, listener, times, ties, whats, counts)
                continue
            target = code[row, 2]
            there = target // per
            dx, dy = there % wide - tile % wide, there // wide - tile // wide
            length = flits[row] * flit_time
            if dx == 0 and dy == 0:
                link, hop = exits + target, length
                tile = -1
            elif dx != 0:
                link, hop = tile * 4 + (0 if dx > 0 else 1), x_hop
                tile += 1 if dx > 0 else -1
            else:
                link, hop = tile * 4 + (2 if dy > 0 else 3), y_hop
                tile += wide if dy > 0 else -wide
            start = max(now, links[link])
            links[link] = start + length
            rows[made], places[made], begins[made], ends[made], turns[made] = (
                row,
                cores + link,
                start,
                start + length,
                turn,
            )
            made += 1
            message[index, 1] = tile
            push(start + hop, message[index, 3], what, times, ties, whats, counts)
            continue
        if core[what, 3] > 0:  # what was received has left the inbox: who waited for room may try again
            here = what // per
            inbox[here] -= core[what, 3]
            flying[core[what, 4]] -= 1
            core[what, 3] = 0
            if waiting[here] > 0:
                for other in range(cores):
                    if core[other, 0] == FOR_ROOM and code[core[other, 2], 2] // per == here:
                        core[other, 0] = READY
                        waiting[here] -= 1
                        push(now, cores + other, other, times, ties, whats, counts)
        row, index = core[what, 2], -1
        opcode = code[row, 0]
        if opcode == HALT:
            rows[made], places[made], begins[made], ends[made], turns[made] = row, what, now, now, core[what, 1]
            made += 1
            core[what, 1] += 1
            core[what, 2] = starts[what] + setup[what]
            if core[what, 1] == rounds or core[what, 2] == row:
                core[what, 0] = DONE
            else:
                push(now, cores + what, what, times, ties, whats, counts)
            continue
        if opcode == BARRIER:
            group = code[row, 2]
            groups[group, 1] += 1
            groups[group, 2] = max(groups[group, 2], now)
            core[what, 0] = FOR_OTHERS
            groups[group, 3 + what] = now
            if groups[group, 1] == groups[group, 0]:
                if made + groups[group, 0] > most:  # undone, to be met again with more room
                    groups[group, 1] -= 1
                    core[what, 0] = READY
                    push(now, cores + what, what, times, ties, whats, counts)
                    return made, FULL
                groups[group, 1] = 0
                for other in range(cores):
                    if core[other, 0] == FOR_OTHERS and code[core[other, 2], 2] == group:
                        at = core[other, 2]
                        end = now + duration[at]
                        rows[made], places[made], turns[made] = at, other, core[other, 1]
                        begins[made], ends[made] = groups[group, 3 + other], end
                        made += 1
                        core[other, 0] = READY
                        core[other, 2] = at + 1
                        push(end, cores + other, other, times, ties, whats, counts)
            continue
        if opcode == RECV:
            lane = channel[row]
            if arrived[lane] == 0:
                listeners[lane] = what
                core[what, 0] = FOR_MESSAGE
                continue
            arrived[lane] -= 1
            core[what, 3], core[what, 4] = max(1, code[row, 4]), lane
        elif opcode == SEND:
            target = code[row, 2]
            there = target // per
            size, lane = max(1, code[row, 4]), channel[row]
            if flying[lane] >= DEPTH or inbox[there] + size > room:
                core[what, 0] = FOR_ROOM
                waiting[there] += 1
                continue
            if counts[1] == 0:
                push(now, cores + what, what, times, ties, whats, counts)
                return made, FULL
            inbox[there] += size
            flying[lane] += 1
            counts[1] -= 1
            index = spare[counts[1]]
            message[index, 0], message[index, 1] = row, what // per
            message[index, 2], message[index, 3] = core[what, 1], what
        start = now
        if resource[row] >= 0:
            start = max(now, free[resource[row]])
            free[resource[row]] = start + held[row]
        if opcode == SEND:  # its head leaves when it is out of the buffer
            push(start + held[row], what, cores + index, times, ties, whats, counts)
        end = start + duration[row]
        rows[made], places[made], begins[made], ends[made], turns[made] = row, what, start, end, core[what, 1]
        made += 1
        core[what, 2] = row + 1
        push(end, cores + what, what, times, ties, whats, counts)
    for each in range(cores):
        if core[each, 0] != DONE and core[each, 0] >= 0:
            return made, STUCK
    return made, FINISHED


def bin_joules(place, start, end, joules, slot, bins):
    """Spread each event's joules evenly from its start to its end (ps) over bins (slots, places) of ``slot`` ps."""
    last = len(bins) - 1
    for event in range(len(place)):
        amount = joules[event]
        if amount == 0.0:
            continue
        begin, stop, at = start[event], end[event], place[event]
        first = min(begin // slot, last)
        if stop <= begin:
            bins[first, at] += amount
            continue
        rate = amount / (stop - begin)
        for index in range(first, min((stop - 1) // slot, last) + 1):
            low = max(begin, index * slot)
            high = stop if index == last else min(stop, (index + 1) * slot)
            bins[index, at] += rate * (high - low)
