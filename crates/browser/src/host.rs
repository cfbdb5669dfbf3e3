//! What the shell needs of the worker around it: sockets, data channels, files to open.
//! None of these methods may call back into the shell before it returns.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// The worker's side, an object of `www/src/worker.ts`.
    pub type Host;

    /// Sends one message on a link; answers how many bytes wait in it, negative when it is broken.
    #[wasm_bindgen(method)]
    pub(crate) fn send(this: &Host, link: f64, bytes: &[u8]) -> f64;

    /// Sets below how many waiting bytes a link asks for more.
    #[wasm_bindgen(method, js_name = setLow)]
    pub(crate) fn set_low(this: &Host, link: f64, bytes: f64);

    /// Gives bytes to WebCrypto; `Shell::hashed` answers the whole batch after its last.
    #[wasm_bindgen(method)]
    pub(crate) fn digest(this: &Host, batch: u32, algorithm: &str, bytes: &[u8], is_last: bool);

    /// Orders the page's peer connections: `offer`, `answer`, `accept` or `drop`.
    #[wasm_bindgen(method)]
    pub(crate) fn peer(this: &Host, order: &str, link: f64, sdp: &str);

    /// Orders a tracker's socket: `open` with its URL, `send` with a message, `close`.
    #[wasm_bindgen(method)]
    pub(crate) fn tracker(this: &Host, order: &str, tracker: u32, text: &str);

    /// Fetches part of a file (`get`) or gives a fetch up (`drop`); answered by
    /// `Shell::fetch_answered`, `fetch_bytes` and `fetch_ended`.
    #[wasm_bindgen(method)]
    pub(crate) fn fetch(this: &Host, order: &str, job: f64, url: &str, start: f64, end: f64);

    /// Finds a torrent's files; answered by `Shell::store_opened`.
    #[wasm_bindgen(method, js_name = openStore)]
    pub(crate) fn open_store(this: &Host, torrent: u32, info_hash: &str);

    /// Gives a torrent's files back; with `delete` they go.
    #[wasm_bindgen(method, js_name = closeStore)]
    pub(crate) fn close_store(this: &Host, torrent: u32, delete: bool);

    /// Passes an event on, as JSON of `TorrentEvent` in `www/src/message.ts`.
    #[wasm_bindgen(method)]
    pub(crate) fn event(this: &Host, torrent: u32, json: &str);

    /// Says that a reader can be served up to `end`, negative when never.
    #[wasm_bindgen(method)]
    pub(crate) fn reader(this: &Host, reader: f64, end: f64);

    /// Passes on what the engine has for payment, as `crossing` has it.
    #[wasm_bindgen(method)]
    pub(crate) fn pay(this: &Host, word: &str, link: f64, number: f64, bytes: &[u8]);
}
