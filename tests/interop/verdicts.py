"""Says what libtorrent makes of torrents, for the oracle test. Batches come in on stdin: a count,
then each torrent with its length before it, big-endian. A line for each goes out on stdout.
"""

import struct
import sys

import libtorrent as lt


def verdict(torrent):
    try:
        params = lt.load_torrent_buffer(torrent)
    except RuntimeError as error:
        return f"reject\t{str(error)}"
    info = params.ti
    if info is None:
        return "reject\tno info dictionary"
    hashes = info.info_hashes()
    v1 = str(hashes.v1) if hashes.has_v1() else "-"
    v2 = str(hashes.v2) if hashes.has_v2() else "-"
    numbers = [info.num_files(), info.total_size(), info.num_pieces(), info.piece_length()]
    return "\t".join(["accept", v1, v2, *map(str, numbers)])


def number(stream):
    head = stream.read(4)
    return struct.unpack(">I", head)[0] if len(head) == 4 else None


def main():
    stream = sys.stdin.buffer
    while (count := number(stream)) is not None:
        torrents = [stream.read(number(stream)) for _ in range(count)]
        lines = [verdict(torrent).replace("\n", " ") + "\n" for torrent in torrents]
        sys.stdout.write("".join(lines))
        sys.stdout.flush()


main()
