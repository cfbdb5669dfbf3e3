"""A libtorrent peer for the interop tests: seeds or gets one torrent on loopback.

Talks in JSON lines on stdout, connects to what a line on stdin names as ip:port, ends when stdin
closes. Knows nothing of the tests.
"""

import argparse
import json
import pathlib
import select
import sys
import time

import libtorrent as lt


# Files of the torrents here, and more.
FILES_MAX = 64


def tell(**fields):
    print(json.dumps(fields), flush=True)


def policy(encryption):
    level = {"off": lt.enc_policy.pe_disabled, "required": lt.enc_policy.pe_forced}
    wanted = level.get(encryption, lt.enc_policy.pe_enabled)
    plain = lt.enc_level.pe_plaintext if encryption == "off" else lt.enc_level.pe_both
    forced = lt.enc_level.pe_rc4 if encryption == "required" else plain
    return {"in_enc_policy": wanted, "out_enc_policy": wanted, "allowed_enc_level": forced}


def transports(names):
    ways = [(way, name) for way in ("incoming", "outgoing") for name in ("tcp", "utp")]
    return {f"enable_{way}_{name}": name in names for way, name in ways}


def session(args):
    dht = {}
    if args.dht:
        dht = {"dht_bootstrap_nodes": args.dht, "dht_restrict_routing_ips": False,
               "dht_restrict_search_ips": False, "dht_prefer_verified_node_ids": False}
    return lt.session({
        **policy(args.encryption),
        **transports(args.transports.split(",")),
        **dht,
        "enable_dht": bool(args.dht),
        "enable_lsd": args.lsd,
        "enable_upnp": False,
        "enable_natpmp": False,
        "listen_interfaces": f"{args.address}:{args.port}",
        "webtorrent_stun_server": "",
        "ssrf_mitigation": False,
        "allow_multiple_connections_per_ip": True,
        "min_reconnect_time": 1,
        "alert_mask": lt.alert.category_t.error_notification
        | lt.alert.category_t.status_notification
        | lt.alert.category_t.storage_notification
        | lt.alert.category_t.tracker_notification
        | lt.alert.category_t.peer_notification,
    })


def make(path, tracker, version):
    path = pathlib.Path(path)
    flags = {
        "v1": lt.create_torrent.v1_only,
        "v2": lt.create_torrent.v2_only,
        "hybrid": 0,
    }[version]
    creator = lt.create_torrent(lt.list_files(str(path)), flags=flags, piece_size=65536)
    if tracker:
        creator.add_tracker(tracker)
    lt.set_piece_hashes(creator, str(path.parent))
    return lt.torrent_info(creator.generate())


def read(source):
    """A magnet link, or a torrent file."""
    if source.startswith("magnet:"):
        return lt.parse_magnet_uri(source)
    return lt.load_torrent_file(source)


class Watched:
    """What was told of a torrent's files and peers, so that only news are told."""

    def __init__(self, handle):
        self.handle, self.files, self.peers, self.finished = handle, set(), {}, False
        self.bytes_done = 0

    def tell(self, status):
        if status.is_finished and not self.finished:
            self.finished = True
            tell(event="finished", bytes=status.total_done)
        if status.total_done > self.bytes_done:
            self.bytes_done = status.total_done
            tell(event="progress", bytes=self.bytes_done)
        if status.has_metadata:
            self.tell_files()
        for peer in self.handle.get_peer_info():
            flag = lambda bit: bool(peer.flags & bit)
            upload_only, seed = flag(lt.peer_info.upload_only), flag(lt.peer_info.seed)
            ip, port = peer.ip
            greeting = flag(lt.peer_info.connecting) or flag(lt.peer_info.handshake)
            if not greeting and self.peers.get(peer.ip) != (upload_only, seed):
                self.peers[peer.ip] = (upload_only, seed)
                said = {"client": peer.client.decode(errors="replace"), "ip": ip, "port": port}
                tell(event="peer", upload_only=upload_only, seed=seed, **said)

    def tell_files(self):
        files = self.handle.torrent_file().layout()
        for index, bytes_done in enumerate(self.handle.file_progress()):
            if index not in self.files and bytes_done == files.file_size(index):
                self.files.add(index)
                tell(event="file", index=index, path=files.file_path(index))


def obey(handle):
    """Waits a little for a line and does it. Says whether to go on."""
    if not select.select([sys.stdin], [], [], 0.2)[0]:
        return True
    line = sys.stdin.readline().strip()
    if line:
        connect(handle, line)
    return bool(line)


def connect(handle, address):
    ip, port = address.rsplit(":", 1)
    handle.connect_peer((ip, int(port)))


def watch(ses, handle):
    """Tells states, trouble and progress until stdin closes."""
    flushing = told_done = False
    watched = Watched(handle)
    while obey(handle):
        for alert in ses.pop_alerts():
            if alert.category() & lt.alert.category_t.error_notification:
                tell(event="trouble", text=alert.message())
            elif "tracker" in alert.what() or "peer" in alert.what():
                tell(event="heard", what=alert.what(), text=alert.message())
            elif flushing and not told_done and isinstance(alert, lt.cache_flushed_alert):
                told_done = True
                tell(event="done", bytes=status.total_done, up=status.total_payload_upload)
        status = handle.status()
        watched.tell(status)
        if status.is_seeding and not flushing:
            # Files may lack what was checked but not written yet.
            flushing = True
            handle.flush_cache()
    status = handle.status()
    tell(event="end", down=status.total_payload_download, up=status.total_payload_upload)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["seed", "get"])
    parser.add_argument("source")
    parser.add_argument("--tracker", help="the only one, instead of those the source names")
    parser.add_argument("--dir", default=".")
    parser.add_argument("--version", choices=["v1", "v2", "hybrid"], default="v1")
    parser.add_argument("--files", help="indices of the files to get, all unless told otherwise")
    parser.add_argument("--connect", help="an address, as ip:port, to connect to")
    parser.add_argument("--port", type=int, default=0, help="for TCP and uTP")
    parser.add_argument("--address", default="127.0.0.1", help="to listen at")
    parser.add_argument("--lsd", action="store_true", help="look for peers on the local network")
    parser.add_argument("--transports", default="tcp,utp", help="besides WebRTC")
    parser.add_argument("--encryption", choices=["off", "on", "required"], default="on")
    parser.add_argument("--dht", help="a node to enter the DHT by, as ip:port")
    parser.add_argument("--rate", type=int, default=0, help="bytes a second, either way")
    args = parser.parse_args()
    ses = session(args)
    if args.what == "seed":
        params = lt.add_torrent_params()
        params.ti = make(args.source, args.tracker, args.version)
        params.save_path = str(pathlib.Path(args.source).parent)
        magnet = lt.make_magnet_uri(params.ti)
    else:
        params = read(args.source)
        if args.tracker:
            params.trackers = [args.tracker]
        params.save_path = args.dir
        magnet = args.source
        if args.files is not None:
            wanted = set(map(int, args.files.split(",")))
            params.file_priorities = [4 * (i in wanted) for i in range(FILES_MAX)]
    handle = ses.add_torrent(params)
    handle.set_download_limit(args.rate)
    handle.set_upload_limit(args.rate)
    if args.connect:
        connect(handle, args.connect)
    info_hash = str(handle.info_hashes().v1)
    tell(event="ready", magnet=magnet, info_hash=info_hash, port=ses.listen_port())
    watch(ses, handle)
    ses.pause()
    time.sleep(0.1)


main()
