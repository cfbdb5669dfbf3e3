//! Many files, large files, and no room for them.

use std::fs;
use std::process::Command;

use headwater_base::{PieceIndex, sha1};
use headwater_engine::StoreError;
use headwater_hybrid::store::{OPEN_FILES_MAX, PieceToWrite};

use super::*;

/// Files of ours below a folder that are open.
#[cfg(target_os = "linux")]
fn open_below(folder: &Path) -> usize {
    let fds = fs::read_dir("/proc/self/fd").expect("a list").flatten();
    let paths = fds.filter_map(|fd| fs::read_link(fd.path()).ok());
    let is_lock = |path: &Path| path.extension().is_some_and(|end| end == "lock");
    paths.filter(|path| path.starts_with(folder) && !is_lock(path)).count()
}

#[cfg(target_os = "linux")]
#[test]
fn thousands_of_small_files_and_several_torrents_stay_within_the_limit_of_open_files() {
    let folder = Folder::new("many");
    let names: Vec<_> = (0..1400).map(|n| (format!("{}/{n}", n % 20), 500 + n % 1000)).collect();
    let (torrent, bytes) = folder_of(&names);
    let stores: Vec<_> = (0..3)
        .map(|n| {
            let root = folder.0.join(n.to_string());
            let store = open(&root, &torrent).0;
            let pieces: Vec<_> = (0..torrent.piece_count()).map(PieceIndex).collect();
            for batch in pieces.chunks(64) {
                let batch: Vec<_> = batch.iter().map(|p| piece(&torrent, &bytes, *p)).collect();
                store.write_pieces(&batch).expect("room for it");
                assert!(open_below(&folder.0) <= OPEN_FILES_MAX);
            }
            store
        })
        .collect();
    let all = Bitfield::full(torrent.piece_count());
    for store in &stores {
        assert_eq!(right(store, &torrent, &all), torrent.piece_count());
    }
    let open_now = open_below(&folder.0);
    assert!(open_now <= OPEN_FILES_MAX && open_now > 0, "{open_now} files are open");
    drop(stores);
    assert_eq!(open_below(&folder.0), 0);
    let (_store, have, _) = open(&folder.0.join("1"), &torrent);
    assert!(have.is_full());
    let record = folder.0.join(format!("0/.headwater/{}.have", torrent.info_hash));
    let len = fs::metadata(record).expect("a record").len();
    assert!(len < 2 << 20, "a record of {len} bytes");
}

/// A file of 100 GB, of whose pieces only some are ever written.
#[test]
fn one_file_of_100_gb_takes_the_room_of_what_came() {
    const LENGTH: u64 = 100_000_000_000;
    const LARGE: u64 = 4 << 20;
    let folder = Folder::new("large");
    let count = LENGTH.div_ceil(LARGE) as usize;
    let data: Vec<u8> =
        (0..LARGE as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let last = (LENGTH - (count as u64 - 1) * LARGE) as usize;
    let mut hashes = [sha1(&data); 1].repeat(count);
    hashes[count - 1] = sha1(&data[..last]);
    let head = format!(
        "d4:infod6:lengthi{LENGTH}e4:name8:film.mkv12:piece lengthi{LARGE}e6:pieces{}:",
        20 * count
    );
    let torrent = Torrent::parse(&[head.as_bytes(), &hashes.concat(), b"ee"].concat());
    let torrent = Arc::new(torrent.expect("a torrent"));
    let touched = [0, 1, 2000, 16_385, count - 1].map(|index| PieceIndex(index as u32));
    for preallocate in [Preallocate::None, Preallocate::Sparse] {
        let root = folder.0.join(format!("{preallocate:?}"));
        let opening = Opening { preallocate, ..Opening::default() };
        let open = || Store::open(&root, Arc::clone(&torrent), &opening).expect("it opens");
        let (store, _) = open();
        for piece in touched.iter().rev() {
            let data = &data[..torrent.piece_len(*piece) as usize];
            store.write_pieces(&[PieceToWrite { piece: *piece, data }]).expect("room for it");
        }
        drop(store);
        let file = fs::metadata(root.join("film.mkv")).expect("a file");
        assert_eq!(file.len(), LENGTH);
        #[cfg(unix)]
        {
            let room = std::os::unix::fs::MetadataExt::blocks(&file) * 512;
            assert!(room < 6 * LARGE, "{room} bytes on disk");
        }
        let (store, stored) = open();
        assert_eq!(stored.have.ones().collect::<Vec<_>>(), touched);
        assert_eq!(stored.doubtful.count(), 0);
        assert_eq!(right(&store, &torrent, &stored.have), 5);
        let record = root.join(format!(".headwater/{}.have", torrent.info_hash));
        assert!(fs::metadata(record).expect("a record").len() < 2000);
    }
}

/// What the test below does where the disk is small.
#[test]
fn child_on_a_small_disk() {
    let Ok(root) = env::var("HEADWATER_SMALL_DISK") else { return };
    let root = Path::new(&root);
    let (torrent, bytes) = folder_of(&[("a.bin", 1_500_000), ("b.bin", 2_500_000)]);
    let full = Opening { preallocate: Preallocate::Full, ..Opening::default() };
    let (store, _) = Store::open(root, Arc::clone(&torrent), &full).expect("it opens");
    let last = PieceIndex(torrent.piece_count() - 1);
    let refused = store.write_pieces(&[piece(&torrent, &bytes, last)]);
    assert!(matches!(refused, Err(StoreError::Full(_))), "it is known at once: {refused:?}");
    store.delete().expect("it goes");
    drop(store);
    let sparse = Opening { preallocate: Preallocate::Sparse, ..Opening::default() };
    let (store, _) = Store::open(root, Arc::clone(&torrent), &sparse).expect("it opens");
    let mut wrote = Bitfield::empty(torrent.piece_count());
    let mut write_on = |store: &Store, have: &Bitfield| {
        for index in (0..torrent.piece_count()).map(PieceIndex).filter(|index| !have.has(*index)) {
            store.write_pieces(&[piece(&torrent, &bytes, index)])?;
            wrote.set(index);
        }
        Ok(wrote.count())
    };
    let full = write_on(&store, &Bitfield::empty(torrent.piece_count()));
    let Err(StoreError::Full(why)) = &full else { panic!("{full:?}") };
    assert!(StoreError::Full(why.clone()).to_string().contains("free some and go on"));
    drop(store);
    let (store, have, doubtful) = open(root, &torrent);
    assert!(have.count() > 50, "{have:?}");
    assert_eq!(doubtful.count(), 1, "the one under way may be there");
    assert_eq!(right(&store, &torrent, &have), have.count());
    let (before, again) = (have.count(), write_on(&store, &have));
    assert!(matches!(again, Err(StoreError::Full(_))), "{again:?}");
    drop(store);
    let more = Command::new("mount").args(["-o", "remount,size=16m"]).arg(root).status();
    assert!(more.expect("mount is there").success());
    let (store, have, _) = open(root, &torrent);
    assert!(have.count() >= before, "nothing is lost");
    assert_eq!(write_on(&store, &have), Ok(torrent.piece_count()));
    drop(store);
    let (store, have, _) = open(root, &torrent);
    assert_eq!(right(&store, &torrent, &have), torrent.piece_count());
    eprintln!("went on");
}

/// In a mount of its own, which nobody else sees and which ends with it.
#[cfg(target_os = "linux")]
#[test]
fn full_disk_is_said_loses_nothing_and_is_gone_on_with_once_there_is_room() {
    let folder = Folder::new("small");
    let script = r#"mount -t tmpfs -o size=2m headwater "$HEADWATER_SMALL_DISK" && exec "$@""#;
    let child = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(env::current_exe().expect("this test"))
        .args(["--exact", "sizes::child_on_a_small_disk", "--nocapture"])
        .env("HEADWATER_SMALL_DISK", &folder.0)
        .output()
        .expect("unshare is there");
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains("went on"), "{said}");
}
