// Finding wallets: every way they show themselves, late ones, doubles, and hostile announcers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { announce, lib, refused } from "./stage.mjs";

const provider = (more = {}) => ({ request: async () => null, ...more });

function look(t, place = new EventTarget()) {
  const told = [];
  const discovery = new lib.Discovery((wallets) => told.push(wallets.length), place);
  t.after(() => discovery.close());
  return { place, discovery, told };
}

test("wallets are found by both kinds of announcement", (t) => {
  const place = new EventTarget();
  announce(place, "TIP6963", provider(), { uuid: "1", name: "One", rdns: "org.one" });
  announce(place, "eip6963", provider(), { uuid: "2", name: "Two", rdns: "org.two" });
  const { discovery } = look(t, place);
  const found = discovery.wallets.map(({ kind, name }) => `${kind} ${name}`);
  assert.deepEqual(found, ["tron One", "evm Two"]);
});

test("a wallet that arrives late is found", (t) => {
  const { place, discovery, told } = look(t);
  assert.equal(discovery.wallets.length, 0);
  announce(place, "TIP6963", provider());
  assert.equal(discovery.wallets.length, 1);
  place.ethereum = provider();
  place.dispatchEvent(new Event("ethereum#initialized"));
  assert.deepEqual(told, [1, 2]);
});

test("a wallet that says nothing on arrival is found by looking again", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { place, discovery } = look(t);
  place.tron = provider({ isTronLink: true });
  t.mock.timers.tick(100);
  assert.equal(discovery.wallets[0]?.name, "TronLink");
});

test("the same wallet announced twice is listed once", (t) => {
  const { place, discovery } = look(t);
  const one = provider();
  announce(place, "TIP6963", one);
  announce(place, "TIP6963", one, { uuid: "other" });
  announce(place, "TIP6963", provider(), { uuid: "1", rdns: "org.other" });
  announce(place, "TIP6963", provider(), { uuid: "3" });
  discovery.look();
  assert.equal(discovery.wallets.length, 1);
  assert.equal(discovery.wallets[0].provider, one);
});

test("a tronlink that shows itself in three ways is listed once", (t) => {
  const place = new EventTarget();
  const tronWeb = { trx: { sign: () => null } };
  place.tronLink = provider({ tronWeb });
  place.tronWeb = tronWeb;
  const { discovery } = look(t, place);
  assert.equal(discovery.wallets[0].isLegacy, true);
  place.tron = provider({ isTronLink: true, tronWeb });
  discovery.look();
  announce(place, "TIP6963", provider({ tronWeb }), { name: "TronLink" });
  discovery.look();
  assert.equal(discovery.wallets.length, 1);
  assert.equal(discovery.wallets[0].isLegacy, false);
  assert.equal(discovery.wallets[0].uuid, "1");
});

test("the same provider on window and announced is listed once by its name", (t) => {
  const place = new EventTarget();
  place.ethereum = provider();
  const { discovery } = look(t, place);
  announce(place, "eip6963", place.ethereum, { name: "Named" });
  assert.deepEqual(discovery.wallets.map(({ name }) => name), ["Named"]);
});

test("two wallets on evm are two", (t) => {
  const { place, discovery } = look(t);
  announce(place, "eip6963", provider(), { uuid: "1", rdns: "org.one" });
  announce(place, "eip6963", provider(), { uuid: "2", rdns: "org.two" });
  assert.equal(discovery.wallets.length, 2);
});

test("a bare tronweb of the oldest wallets is found", (t) => {
  const place = new EventTarget();
  place.tronWeb = { trx: { sign: () => null } };
  assert.equal(look(t, place).discovery.wallets.length, 1);
});

test("hostile announcements are contained", (t) => {
  const { place, discovery } = look(t);
  const say = (detail) =>
    place.dispatchEvent(Object.assign(new Event("TIP6963:announceProvider"), { detail }));
  const throwing = new Proxy({}, { get: () => { throw new Error("no"); } });
  const info = { uuid: "9", name: "Fine", rdns: "org.fine", icon: "" };
  const hostile = [
    undefined, null, 5, "x", {}, throwing, { info: throwing, provider: provider() },
    { info, provider: throwing }, { info, provider: null }, { info, provider: {} },
    { info: { ...info, name: { toString: () => "x" } }, provider: provider() },
    { info: { ...info, name: "\u202e\u200b" }, provider: provider() },
    { info: { ...info, uuid: 5 }, provider: provider() },
    { get info() { throw new Error("no"); }, provider: provider() },
  ];
  for (const detail of hostile) say(detail);
  assert.equal(discovery.wallets.length, 0);
});

test("names are cut and cleaned and icons are images or nothing", (t) => {
  const { place, discovery } = look(t);
  const name = `<img src=x onerror=alert(1)>\u202e${"x".repeat(1_000_000)}`;
  const icons = [
    "javascript:alert(1)", "https://example.org/track.png", "data:text/html,<script>", 5,
    `data:image/png;base64,${"A".repeat(70_000)}`, " data:image/png;base64,AA",
    "data:image/svg+xml;base64,AA",
  ];
  icons.forEach((icon, at) =>
    announce(place, "eip6963", provider(), { uuid: `${at}`, rdns: `org.${at}`, name, icon }));
  const shown = discovery.wallets;
  assert.deepEqual(shown.map(({ icon }) => icon !== ""), [...Array(6).fill(false), true]);
  assert.ok(shown.every((each) => [...each.name].length <= 48 && !/\u202e/.test(each.name)));
  assert.ok(Object.isFrozen(shown[0]));
});

test("a flood of announcements ends", (t) => {
  const { place, discovery, told } = look(t);
  for (let n = 0; n < 1000; n += 1) {
    const detail = { info: { uuid: `${n}`, name: "x", rdns: `r${n}` }, provider: provider() };
    place.dispatchEvent(new CustomEvent("TIP6963:announceProvider", { detail }));
  }
  assert.equal(discovery.wallets.length, 16);
  assert.equal(told.length, 16);
});

test("a wallet of one kind is not opened on a chain of the other", async (t) => {
  const { place, discovery } = look(t);
  announce(place, "TIP6963", provider());
  const open = () => lib.openBridge(discovery.wallets[0], lib.CHAINS.bttc, undefined, place);
  await refused("wallet-wrong-chain", open);
});

test("an old tronlink is not hidden by another wallet", (t) => {
  const place = new EventTarget();
  place.tronLink = provider({ tronWeb: { trx: { sign: () => null } } });
  announce(place, "TIP6963", provider(), { name: "Other" });
  const { discovery } = look(t, place);
  assert.deepEqual(discovery.wallets.map(({ name }) => name).sort(), ["Other", "TronLink"]);
});
