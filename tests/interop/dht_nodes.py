"""A DHT of its own on loopback: libtorrent nodes that know nobody else. Tells one's address in a
JSON line once they know each other, then for each info-hash on stdin a line once somebody announced
it. Ends when stdin closes.
"""

import json
import sys
import time

import libtorrent as lt

NODES = 6
# How many others a node must know before the DHT is told of.
KNOWN_LEAST = 3
SECONDS_MAX = 30


def node():
    return lt.session({
        "enable_dht": True,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "listen_interfaces": "127.0.0.1:0",
        "dht_bootstrap_nodes": "",
        "dht_restrict_routing_ips": False,
        "dht_restrict_search_ips": False,
        "dht_prefer_verified_node_ids": False,
        "alert_mask": lt.alert.category_t.dht_notification
        | lt.alert.category_t.dht_operation_notification,
    })


def known(ses):
    """How many nodes it knows."""
    ses.post_dht_stats()
    time.sleep(0.1)
    stats = [one for one in ses.pop_alerts() if isinstance(one, lt.dht_stats_alert)]
    return max((sum(b["num_nodes"] for b in one.routing_table) for one in stats), default=0)


def tell(**fields):
    print(json.dumps(fields), flush=True)


def seek(ses, info_hash):
    """Looks for peers until there are some."""
    end = time.monotonic() + SECONDS_MAX
    while time.monotonic() < end:
        ses.dht_get_peers(lt.sha1_hash(bytes.fromhex(info_hash)))
        time.sleep(0.2)
        replies = [one for one in ses.pop_alerts() if isinstance(one, lt.dht_get_peers_reply_alert)]
        if any(one.num_peers() for one in replies):
            tell(announced=info_hash)
            return
    sys.exit(f"nobody announced {info_hash}")


def introduce(nodes):
    for one in nodes:
        for other in nodes:
            if one is not other:
                one.add_dht_node(("127.0.0.1", other.listen_port()))


def main():
    nodes = [node() for _ in range(NODES)]
    introduce(nodes)
    end = time.monotonic() + SECONDS_MAX
    while min(map(known, nodes)) < KNOWN_LEAST:
        if time.monotonic() > end:
            sys.exit("the nodes do not meet")
    tell(address=f"127.0.0.1:{nodes[0].listen_port()}")
    for line in sys.stdin:
        seek(nodes[-1], line.strip())


main()
