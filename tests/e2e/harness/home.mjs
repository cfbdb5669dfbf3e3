// A home behind a router that is a real one: miniupnpd on nftables, in namespaces of our own.
// What is inside reaches only a tracker outside; what is outside reaches only what the router maps.
// Needs root, and what `cargo xtask setup` installs.

import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { endsWithUs } from "./children.mjs";
import { ip, openNamespaces } from "./network.mjs";
import { openFolder } from "./program.mjs";

/** The one inside, the router's two sides, and the one outside: a public address, and nobody's. */
const [INSIDE, NEAR, FAR] = ["10.77.1.2", "10.77.1.1", "11.77.1.1"];
export const OUTSIDE = "11.77.1.2";
/** The router's public address. */
export const ROUTER = FAR;
/** Where a tracker outside is reached from inside. */
export const TRACKER_PORT = 7420;

/** Datagrams of PCP, which a router that speaks NAT-PMP alone leaves unanswered. */
const NO_PCP = "udp dport 5351 @th,64,8 2 drop";

/** Opens one whose router speaks `protocol` alone, `PCP`, `NAT-PMP` or `UPnP`. */
export async function openHome(protocol) {
  const { names, close } = openNamespaces(3);
  const [inside, router, outside] = names;
  const cable = (n) => `hw${process.pid}-${n}`;
  const folder = await openFolder();
  lay([inside, cable(0), INSIDE], [router, cable(1), NEAR]);
  lay([outside, cable(2), OUTSIDE], [router, cable(3), FAR]);
  ip("-n", inside, "route", "add", "default", "via", NEAR);
  const within = (name, program, ...args) => run("ip", "netns", "exec", name, program, ...args);
  within(router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
  const rules = join(folder.path, "rules");
  writeFileSync(rules, ruleset(cable(1), cable(3), protocol === "NAT-PMP" ? NO_PCP : ""));
  within(router, "nft", "-f", rules);
  const settings = join(folder.path, "settings");
  writeFileSync(settings, [
    `ext_ifname=${cable(3)}`,
    `listening_ip=${cable(1)}`,
    `enable_upnp=${protocol === "UPnP" ? "yes" : "no"}`,
    `enable_natpmp=${protocol === "UPnP" ? "no" : "yes"}`,
    `lease_file=${join(folder.path, "leases")}`,
    "secure_mode=yes",
    "allow 1024-65535 10.77.1.0/24 1024-65535",
    "deny 0-65535 0.0.0.0/0 0-65535",
  ].join("\n"));
  const by = ["netns", "exec", router, "miniupnpd", "-d", "-f", settings];
  const daemon = spawn("ip", by, { stdio: ["ignore", "ignore", "pipe"], env: ENV });
  const ended = new Promise((done) => daemon.on("close", done));
  endsWithUs(daemon);
  await says(daemon, protocol === "UPnP" ? /HTTP listening/ : /Listening for NAT-PMP/);
  return {
    inside: ["ip", "netns", "exec", inside],
    router: ["ip", "netns", "exec", router],
    outside: ["ip", "netns", "exec", outside],
    /** What the router leads inside: `tcp 7777 7777` for transport, its own port and the other. */
    mapped: () => {
      const text = within(router, "nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd");
      const rows = `${text}`.matchAll(/0x(6|11) th dport (\d+) dnat ip to [\d.]+:(\d+)/g);
      return [...rows].map(([, kind, from, to]) => `${kind === "6" ? "tcp" : "udp"} ${from} ${to}`);
    },
    close: async () => {
      daemon.kill("SIGKILL");
      await ended;
      close();
      await folder.close();
    },
  };
}

/** What Debian keeps where users who are not root do not look is looked for there. */
const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

function run(program, ...args) {
  return execFileSync(program, args, { stdio: ["ignore", "pipe", "pipe"], env: ENV });
}

/** Lays a cable between two namespaces. */
function lay([name, end, address], [otherName, otherEnd, otherAddress]) {
  const other = ["peer", "name", otherEnd, "netns", otherName];
  ip("link", "add", end, "netns", name, "type", "veth", ...other);
  ip("-n", name, "addr", "add", `${address}/24`, "dev", end);
  ip("-n", otherName, "addr", "add", `${otherAddress}/24`, "dev", otherEnd);
  ip("-n", name, "link", "set", end, "up");
  ip("-n", otherName, "link", "set", otherEnd, "up");
}

/** Rules with the chains that miniupnpd fills. */
function ruleset(near, far, more) {
  return `table inet filter {
    chain input { type filter hook input priority 0; ${more}; }
    chain forward {
      type filter hook forward priority 0; policy drop
      ct state established,related accept
      iifname "${near}" tcp dport ${TRACKER_PORT} accept
      jump miniupnpd
    }
    chain miniupnpd { }
    chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
    chain postrouting {
      type nat hook postrouting priority 100
      jump postrouting_miniupnpd
      oifname "${far}" masquerade
    }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
  }`;
}

/** Waits until a program says so. */
function says(child, what) {
  return new Promise((done, fail) => {
    let log = "";
    child.stderr.on("data", (bytes) => {
      log += bytes;
      if (what.test(log)) done();
    });
    child.on("error", (error) => fail(new Error(`miniupnpd: ${error.message}`)));
    child.on("close", (code) => fail(new Error(`miniupnpd ended with ${code}: ${log}`)));
  });
}
