//! The store against the browser's own files: what survives, what is refused, what is left out.
#![cfg(target_arch = "wasm32")]

use std::sync::Arc;

use headwater_base::{ByteCount, PieceIndex, sha1};
use headwater_browser::Store;
use headwater_client::StoreError;
use headwater_metainfo::Torrent;
use headwater_metainfo::create::{Draft, Options};
use js_sys::Array;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::FileSystemSyncAccessHandle;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen(inline_js = r#"
export async function openHandle(name, isFresh) {
    const root = await navigator.storage.getDirectory();
    const file = await root.getFileHandle(name, { create: true });
    const handle = await file.createSyncAccessHandle();
    if (isFresh) handle.truncate(0);
    return handle;
}
export function blobOf(bytes) { return new Blob([bytes]); }
"#)]
extern "C" {
    #[wasm_bindgen(js_name = openHandle)]
    async fn open_handle(name: &str, fresh: bool) -> FileSystemSyncAccessHandle;
    #[wasm_bindgen(js_name = blobOf)]
    fn blob_of(bytes: &[u8]) -> JsValue;
}

const PIECE: usize = 16384;

fn content() -> Vec<u8> {
    (0..5 * PIECE + 1000).map(|at| (at * 7 / 3 + at / PIECE) as u8).collect()
}

fn torrent(content: &[u8]) -> Arc<Torrent> {
    let options = Options { piece_length: Some(PIECE as u32), ..Options::default() };
    let files = vec![
        ("a.bin".to_owned(), ByteCount(20_000)),
        ("b.bin".to_owned(), ByteCount(content.len() as u64 - 20_000)),
    ];
    let mut draft = Draft::folder("store", files, options).expect("a valid draft");
    draft.feed(content).expect("every byte fits");
    Arc::new(draft.finish().expect("a valid torrent"))
}

fn piece(content: &[u8], index: u32) -> Arc<Vec<u8>> {
    let start = index as usize * PIECE;
    Arc::new(content[start..content.len().min(start + PIECE)].to_vec())
}

async fn handles(name: &str, fresh: bool) -> [FileSystemSyncAccessHandle; 2] {
    [open_handle(name, fresh).await, open_handle(&format!("{name}.journal"), fresh).await]
}

async fn open(name: &str, metainfo: &Arc<Torrent>, fresh: bool) -> (Store, Vec<u32>) {
    let [data, journal] = handles(name, fresh).await;
    let opened = Store::opfs(Arc::clone(metainfo), data, journal);
    let (store, stored) = opened.expect("the store opens");
    assert!(stored.doubtful.is_empty());
    (store, stored.have.ones().map(|piece| piece.0).collect())
}

fn write(store: &mut Store, content: &[u8], pieces: &[u32]) {
    for index in pieces {
        store.write(PieceIndex(*index), &piece(content, *index)).expect("the piece is written");
    }
    store.commit().expect("the pieces are safe");
}

#[wasm_bindgen_test]
async fn pieces_are_found_again_after_the_store_was_closed() {
    let content = content();
    let metainfo = torrent(&content);
    let (mut store, have) = open("again", &metainfo, true).await;
    assert!(have.is_empty());
    write(&mut store, &content, &[5, 0, 3]);
    store.close();
    let (mut store, have) = open("again", &metainfo, false).await;
    assert_eq!(have, [0, 3, 5]);
    for index in [0, 3, 5] {
        let stored = store.hash(PieceIndex(index)).expect("the piece is read");
        assert_eq!(stored, metainfo.pieces[index as usize]);
    }
    assert!(store.read(PieceIndex(1), 0, 16).is_err());
    write(&mut store, &content, &[1, 2, 4]);
    store.close();
    let (mut store, have) = open("again", &metainfo, false).await;
    assert_eq!(have, [0, 1, 2, 3, 4, 5]);
    let whole =
        store.read_span(0, content.len() as u32, |_, _, _| None).expect("all bytes are there");
    assert_eq!(sha1(&whole), sha1(&content));
    store.close();
}

#[wasm_bindgen_test]
async fn pieces_that_were_not_committed_are_fetched_again() {
    let content = content();
    let metainfo = torrent(&content);
    let [data, journal] = handles("uncommitted", true).await;
    let (mut store, _) =
        Store::opfs(Arc::clone(&metainfo), data.clone(), journal.clone()).expect("the store opens");
    write(&mut store, &content, &[2]);
    store.write(PieceIndex(4), &piece(&content, 4)).expect("the piece is written");
    // The tab dies here: handles are freed by the browser, nothing is committed.
    std::mem::forget(store);
    data.close();
    journal.close();
    let (store, have) = open("uncommitted", &metainfo, false).await;
    assert_eq!(have, [2]);
    store.close();
}

#[wasm_bindgen_test]
async fn torn_and_spoiled_records_are_left_out() {
    let content = content();
    let metainfo = torrent(&content);
    let (mut store, _) = open("torn", &metainfo, true).await;
    write(&mut store, &content, &[0, 1, 2]);
    store.close();
    let journal = open_handle("torn.journal", false).await;
    let size = journal.get_size().expect("a size");
    journal.truncate_with_f64(size - 5.0).expect("the last record is torn");
    let options = web_sys::FileSystemReadWriteOptions::new();
    options.set_at(32.0 + 12.0 + 1.0);
    journal.write_with_u8_array_and_options(&[0xee], &options).expect("the second is spoiled");
    journal.close();
    let (mut store, have) = open("torn", &metainfo, false).await;
    assert_eq!(have, [0]);
    write(&mut store, &content, &[1]);
    assert_eq!(store.hash(PieceIndex(0)).expect("still whole"), metainfo.pieces[0]);
    store.close();
    let (store, have) = open("torn", &metainfo, false).await;
    assert_eq!(have, [0, 1]);
    store.close();
}

#[wasm_bindgen_test]
async fn a_record_without_its_bytes_is_left_out() {
    let content = content();
    let metainfo = torrent(&content);
    let (mut store, _) = open("short", &metainfo, true).await;
    write(&mut store, &content, &[3, 1]);
    store.close();
    let data = open_handle("short", false).await;
    data.truncate_with_f64(PIECE as f64 + 100.0).expect("the data is cut");
    data.close();
    let (store, have) = open("short", &metainfo, false).await;
    assert_eq!(have, [3]);
    store.close();
}

#[wasm_bindgen_test]
async fn another_torrents_journal_is_not_believed() {
    let content = content();
    let metainfo = torrent(&content);
    let (mut store, _) = open("other", &metainfo, true).await;
    write(&mut store, &content, &[0]);
    store.close();
    let other = torrent(&content.iter().map(|byte| !byte).collect::<Vec<_>>());
    let (store, have) = open("other", &other, false).await;
    assert!(have.is_empty());
    store.close();
}

#[wasm_bindgen_test]
fn shared_files_are_read_where_they_are() {
    let content = content();
    let metainfo = torrent(&content);
    let files = Array::of2(&blob_of(&content[..20_000]), &blob_of(&content[20_000..]));
    let (mut store, stored) = Store::shared(Arc::clone(&metainfo), &files).expect("it opens");
    assert!(stored.have.is_full() && stored.read_only);
    for (index, digest) in (0..).zip(&metainfo.pieces) {
        assert_eq!(store.hash(PieceIndex(index)).as_ref(), Ok(digest));
    }
    assert_eq!(
        store.read_span(19_990, 20, |_, _, _| None).expect("over the seam"),
        content[19_990..20_010]
    );
    assert!(matches!(store.read(PieceIndex(5), 990, 20), Err(StoreError::Io(_))));
}

#[wasm_bindgen_test]
fn a_shared_file_of_another_size_is_refused() {
    let content = content();
    let files = Array::of2(&blob_of(&content[..19_999]), &blob_of(&content[20_000..]));
    assert!(matches!(Store::shared(torrent(&content), &files), Err(StoreError::Io(_))));
}

#[wasm_bindgen_test]
fn memory_keeps_what_it_was_given() {
    let content = content();
    let metainfo = torrent(&content);
    let (mut store, stored) = Store::memory(Arc::clone(&metainfo));
    assert!(stored.have.is_empty() && stored.have.len() == 6);
    write(&mut store, &content, &[4]);
    assert_eq!(store.hash(PieceIndex(4)).as_ref(), Ok(&metainfo.pieces[4]));
    assert!(store.read(PieceIndex(0), 0, 1).is_err());
}
