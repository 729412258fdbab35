"""The event queue of a chip: cores issue in order, messages go from router to router, shared parts serve in turn.

Times are whole picoseconds. At equal times messages go before cores, by their source's number; cores by their own.

The loop is one long function over plain arrays: handing the records of ``event_state`` on to functions of its own costs
four times the time an event, as Numba passes every field of every record by value.
"""

from __future__ import annotations

from numba.extending import register_jitable

# ChipOp's numbers by position, as constants that Numba compiles in: the two must stay in step
PROG, SETIN, MVM, ANNEAL, STEP, SAMPLE, VOP, LD, ST, SEND, RECV, BARRIER, HALT = range(13)
READY, FOR_MESSAGE, FOR_ROOM, FOR_OTHERS, DONE = range(5)
FINISHED, FULL, STUCK = range(3)
DEPTH = 2
"""Messages of a channel that may be under way or unread: one is read while the next one comes."""
EXPECTED, COME, SINCE = 0, 1, 2
"""Columns of a barrier: how many cores it is for, how many have come; from SINCE on, when each core came."""


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


def run_events(rows, mesh, rounds, state, trace):
    """Run until every core has done ``rounds`` ticks, nothing can go on, or there is no room for more events.

    The arguments are records of ``event_state``. Returns (number of events, how it ended: FINISHED, FULL or STUCK).
    """
    code, starts, setup, duration, port_time, resource, flits, channel = rows
    per, columns, tile_rows, buffer, cores, x_hop, y_hop, flit_time = mesh
    queue, core, channels, shared, messages = state
    times, ties, whats, counts = queue
    status, turn, at, frees, frees_lane, inbox, waiting = core
    arrived, unread, listeners = channels
    free, links, groups = shared
    message_row, message_tile, message_turn, message_source, spare = messages
    event_row, event_place, begins, ends, turns = trace
    exits, count, limit = columns * tile_rows * 4, 0, len(event_row)
    while counts[0] > 0:
        # before anything is taken off the heap: the next call goes on with this very entry
        if count + 2 > limit:
            return count, FULL
        now, what = times[0], whats[0]
        pop(times, ties, whats, counts)

        # ---- a message: its head takes the next link, along x first
        if what >= cores:
            index = what - cores
            row, tile = message_row[index], message_tile[index]
            if tile < 0:  # its last flit is there: its slot in the table can be used again
                spare[counts[1]] = index
                counts[1] += 1
                lane = channel[row]
                arrived[lane] += 1
                listener = listeners[lane]
                if listener >= 0:
                    listeners[lane] = -1
                    status[listener] = READY
                    push(now, cores + listener, listener, times, ties, whats, counts)
                continue
            target = code[row, 2]
            goal = target // per
            dx, dy = goal % columns - tile % columns, goal // columns - tile // columns
            length = flits[row] * flit_time
            if dx == 0 and dy == 0:  # the exit to the core, which the message has left with its last flit
                link, hop = exits + target, length
                tile = -1
            elif dx != 0:
                link, hop = tile * 4 + (0 if dx > 0 else 1), x_hop
                tile += 1 if dx > 0 else -1
            else:
                link, hop = tile * 4 + (2 if dy > 0 else 3), y_hop
                tile += columns if dy > 0 else -columns
            start = max(now, links[link])
            links[link] = start + length  # the body follows the head, so the link is taken for all flits
            event_row[count], event_place[count], turns[count] = row, cores + link, message_turn[index]
            begins[count], ends[count] = start, start + length
            count += 1
            message_tile[index] = tile
            # the source breaks ties and not the slot: which slot a message got must not change the order
            push(start + hop, message_source[index], what, times, ties, whats, counts)
            continue

        # ---- a core: what it received before has left the inbox, so that who waits for space there may try again
        if frees[what] > 0:
            tile = what // per
            inbox[tile] -= frees[what]
            unread[frees_lane[what]] -= 1
            frees[what] = 0
            if waiting[tile] > 0:
                for sender in range(cores):
                    if status[sender] == FOR_ROOM and code[at[sender], 2] // per == tile:
                        status[sender] = READY
                        waiting[tile] -= 1
                        push(now, cores + sender, sender, times, ties, whats, counts)
        row, index = at[what], -1
        opcode = code[row, 0]
        if opcode == HALT:
            event_row[count], event_place[count], turns[count] = row, what, turn[what]
            begins[count], ends[count] = now, now
            count += 1
            turn[what] += 1
            at[what] = starts[what] + setup[what]
            if turn[what] == rounds or at[what] == row:  # a core without a tick is done at once
                status[what] = DONE
            else:
                push(now, cores + what, what, times, ties, whats, counts)
            continue
        if opcode == BARRIER:
            group = code[row, 2]
            groups[group, COME] += 1
            status[what] = FOR_OTHERS
            groups[group, SINCE + what] = now
            if groups[group, COME] == groups[group, EXPECTED]:
                if count + groups[group, EXPECTED] > limit:  # undone, to come again with more room
                    groups[group, COME] -= 1
                    status[what] = READY
                    push(now, cores + what, what, times, ties, whats, counts)
                    return count, FULL
                groups[group, COME] = 0
                for member in range(cores):
                    if status[member] == FOR_OTHERS and code[at[member], 2] == group:
                        row = at[member]
                        event_row[count], event_place[count], turns[count] = row, member, turn[member]
                        begins[count], ends[count] = groups[group, SINCE + member], now + duration[row]
                        count += 1
                        status[member] = READY
                        at[member] = row + 1
                        push(now + duration[row], cores + member, member, times, ties, whats, counts)
            continue
        if opcode == RECV:
            lane = channel[row]
            # one core alone reads a channel, for the target is part of it: one listener is enough
            if arrived[lane] == 0:
                listeners[lane] = what
                status[what] = FOR_MESSAGE
                continue
            arrived[lane] -= 1
            # an empty message counts a byte, here and in SEND, since zero says that nothing is to be freed
            frees[what], frees_lane[what] = max(1, code[row, 4]), lane
        elif opcode == SEND:
            tile = code[row, 2] // per
            size, lane = max(1, code[row, 4]), channel[row]
            if unread[lane] >= DEPTH or inbox[tile] + size > buffer:
                status[what] = FOR_ROOM
                waiting[tile] += 1
                continue
            # the table of messages is full: the caller doubles it, and the core tries again at the same time
            if counts[1] == 0:
                push(now, cores + what, what, times, ties, whats, counts)
                return count, FULL
            # Space is reserved before the message leaves: then no message on the links ever waits for its receiver.
            inbox[tile] += size
            unread[lane] += 1
            counts[1] -= 1
            index = spare[counts[1]]
            message_row[index], message_tile[index] = row, what // per
            message_turn[index], message_source[index] = turn[what], what
        start = now
        if resource[row] >= 0:
            start = max(now, free[resource[row]])
            free[resource[row]] = start + port_time[row]
        if opcode == SEND:  # its head leaves when it is out of the buffer
            push(start + port_time[row], what, cores + index, times, ties, whats, counts)
        event_row[count], event_place[count], turns[count] = row, what, turn[what]
        begins[count], ends[count] = start, start + duration[row]
        count += 1
        at[what] = row + 1
        push(start + duration[row], cores + what, what, times, ties, whats, counts)
    # nothing can happen any more: whoever is not done waits for what never comes
    for number in range(cores):
        if status[number] != DONE:
            return count, STUCK
    return count, FINISHED


def bin_joules(place, start, end, joules, slot, shifts, bins):
    """Spread each event's joules evenly from its start to its end (ps) over bins (slots, places) of ``slot`` ps.

    All events come again for each of the shifts, so many ps later.
    """
    last = len(bins) - 1
    for shift in shifts:
        for event in range(len(place)):
            amount = joules[event]
            begin, stop, at = start[event] + shift, end[event] + shift, place[event]
            # the last slot takes all that is left, so that no joule of an event beyond the edges is lost
            first = min(begin // slot, last)
            if stop <= begin:
                bins[first, at] += amount
                continue
            rate = amount / (stop - begin)
            for index in range(first, min((stop - 1) // slot, last) + 1):
                low = max(begin, index * slot)
                high = stop if index == last else min(stop, (index + 1) * slot)
                bins[index, at] += rate * (high - low)
