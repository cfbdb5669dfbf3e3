// The foreign clients of the matrix, what each can, and how it is opened.

import { openAria2 } from "./aria2.mjs";
import { openLibtorrentPeer } from "./libtorrent.mjs";
import { openQbittorrent } from "./qbittorrent.mjs";
import { openTransmission } from "./transmission.mjs";

/**
 * `dials` says whether it can be told to dial us, `dht` whether its DHT can be one of our own,
 * `offers` whether it speaks WebRTC, `heeds` whether it dials, on loopback, those that trackers
 * tell it of, `skipsEmpty` whether it makes no empty files.
 */
export const clients = [
  {
    name: "libtorrent",
    open: openLibtorrentPeer,
    versions: ["v1", "v2", "hybrid"],
    transports: ["tcp", "utp"],
    dials: true,
    dht: true,
    offers: true,
    heeds: true,
  },
  {
    name: "qbittorrent",
    open: openQbittorrent,
    versions: ["v1", "v2", "hybrid"],
    transports: ["tcp", "utp"],
    dials: true,
    heeds: true,
  },
  {
    name: "transmission",
    open: openTransmission,
    versions: ["v1"],
    transports: ["tcp", "utp"],
    dials: false,
    heeds: false,
    skipsEmpty: true,
  },
  {
    name: "aria2",
    open: openAria2,
    versions: ["v1"],
    transports: ["tcp"],
    dials: false,
    dht: true,
    heeds: true,
  },
];
